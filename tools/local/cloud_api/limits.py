"""Throughput and pair limits.

Source: Meta's "Throughput" and "Pair rate limits": 80 messages a second per business phone number,
and to one user one message every six seconds, of which 45 may be used at once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .errors import Refused

PER_SECOND = 80
PAIR_BURST = 45
PAIR_SECONDS = 6.0


@dataclass
class Limits:
    """The messages of the near past. Refused messages do not count."""

    last_second: dict[str, deque[float]] = field(default_factory=dict)
    # Tokens and the time of their count.
    pairs: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def take(self, number: str, user: str, at: float, per_second: int = PER_SECOND) -> None:
        """Counts a message at a time in seconds, or refuses it."""
        recent = self.last_second.setdefault(number, deque())
        while recent and recent[0] <= at - 1:
            recent.popleft()
        if len(recent) >= per_second:
            raise Refused(
                130429,
                "Message failed to send because there were too many messages sent from this "
                "phone number in a short period of time",
            )
        tokens, counted_at = self.pairs.get((number, user), (float(PAIR_BURST), at))
        tokens = min(PAIR_BURST, tokens + (at - counted_at) / PAIR_SECONDS)
        if tokens < 1:
            raise Refused(
                131056,
                "Message failed to send because there were too many messages sent from this "
                "phone number to the same phone number in a short period of time",
            )
        self.pairs[(number, user)] = (tokens - 1, at)
        recent.append(at)
