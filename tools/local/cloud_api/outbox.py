"""Sends webhooks back: signed, at their time, and again until they are answered 200.

Source: Meta's "Create a webhook endpoint": a signature over the raw body, concurrent deliveries
without an order, up to a thousand updates in one body, and after any other answer a retry at once,
then ever more rarely for seven days. Here the pauses are shorter.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from typing import Any

WORKERS = 8
TIMEOUT_SECONDS = 10
RETRY_SECONDS = (0, 1, 2, 5, 10, 30)
LATER_SECONDS = 60
MAX_ATTEMPTS = 60


FILTERS = ("message", "state")


@dataclass
class Webhook:
    """An item of `GET /_webhooks`."""

    body: str
    # The message that it is about; `None` if it is about none.
    message: str | None = None
    state: str = "pending"
    # HTTP statuses of the answers so far; 0: none.
    answers: list[int] = field(default_factory=list)


def sign(app_secret: str, body: bytes) -> str:
    """The header `X-Hub-Signature-256`."""
    return f"sha256={hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()}"


def retry_after(attempts: int) -> int | None:
    """Seconds until the next attempt after so many; `None`: no further one."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return RETRY_SECONDS[attempts - 1] if attempts <= len(RETRY_SECONDS) else LATER_SECONDS


def joined(bodies: list[str]) -> bytes:
    """One webhook with the entries of all."""
    if len(bodies) == 1:
        return bodies[0].encode()
    entries = [entry for body in bodies for entry in json.loads(body)["entry"]]
    whole = {"object": "whatsapp_business_account", "entry": entries}
    return json.dumps(whole, separators=(",", ":")).encode()


class Outbox:
    """All webhooks, and the threads that send them."""

    def __init__(self, app_secret: str) -> None:
        self.app_secret = app_secret
        # Known once the stack is deployed; until then every attempt fails.
        self.url: str | None = None
        # How many webhooks that are due together become one.
        self.batch = 1
        self._webhooks: list[Webhook] = []
        self._due: list[tuple[float, int, Webhook]] = []
        self._count = 0
        self._changed = threading.Condition()

    def start(self) -> None:
        for _ in range(WORKERS):
            threading.Thread(target=self._work, daemon=True).start()

    def add(self, body: bytes, after_seconds: float = 0, message: str | None = None) -> None:
        webhook = Webhook(body.decode(), message)
        with self._changed:
            self._webhooks.append(webhook)
        self._schedule(webhook, after_seconds)

    def listed(self, filters: dict[str, str]) -> list[dict[str, Any]]:
        """Those whose fields have these values, oldest first."""
        with self._changed:
            return [
                asdict(webhook)
                for webhook in self._webhooks
                if all(getattr(webhook, name) == value for name, value in filters.items())
            ]

    def _schedule(self, webhook: Webhook, after_seconds: float) -> None:
        with self._changed:
            self._count += 1
            due = (time.monotonic() + after_seconds, self._count, webhook)
            heapq.heappush(self._due, due)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            webhooks = self.take()
            status = self._post(joined([webhook.body for webhook in webhooks]))
            for webhook in webhooks:
                self._record(webhook, status)

    def _record(self, webhook: Webhook, status: int) -> None:
        with self._changed:
            webhook.answers.append(status)
            pause = retry_after(len(webhook.answers))
            if status == 200 or pause is None:
                webhook.state = "delivered" if status == 200 else "given_up"
        if webhook.state == "pending" and pause is not None:
            self._schedule(webhook, pause)

    def take(self) -> list[Webhook]:
        """Waits for the first one that is due, and takes others that are due too."""
        with self._changed:
            while not self._due or self._due[0][0] > time.monotonic():
                wait = self._due[0][0] - time.monotonic() if self._due else None
                self._changed.wait(wait)
            taken = [heapq.heappop(self._due)[2]]
            while len(taken) < self.batch and self._due and self._due[0][0] <= time.monotonic():
                taken.append(heapq.heappop(self._due)[2])
            return taken

    def _post(self, body: bytes) -> int:
        if self.url is None:
            return 0
        headers = {
            "content-type": "application/json",
            "user-agent": "facebookexternalua",
            "x-hub-signature-256": sign(self.app_secret, body),
        }
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, HTTPException):
            return 0
