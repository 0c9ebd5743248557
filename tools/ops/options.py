"""The options that each command uses. Another one is refused: it would have no effect, and the
command might act on more than was meant.
"""

from __future__ import annotations

from collections.abc import Mapping

from changes import ENDPOINT_FIELDS
from config import StackError
from pages import FIELDS

EVERY_COMMAND = {"STAGE", "REGION"}
FLAGS = ("FINISH", "FORCE", "PUBLIC", "RETRY", "START", "STOP")

API_USER = ("NAME", "PASSWORD")
TIMES = ("FROM", "TO")
ENDPOINT = ("NAME", "URL", "HEADER", "LEGACY_SECRET", *ENDPOINT_FIELDS)

# Of some commands, a given option (or its value) decides about the others; the first row counts
# whose key is given.
Uses = dict[str, tuple[str, ...]]
USES: dict[str, Uses] = {
    "deliveries": {
        "ID": API_USER,
        "": (*API_USER, *TIMES, "STATE", "ENDPOINT", "ORDER", "ACCOUNT", "KIND", "REASON", "LIMIT"),
    },
    "events": {
        "ID": (*API_USER, "RETRY"),
        "": (*API_USER, *TIMES, "STATUS", "SOURCE", "ACCOUNT", "LIMIT"),
    },
    "replay-dlq": {
        "JOB": (*API_USER, "STOP"),
        "QUEUE=events": (*API_USER, *TIMES, "SOURCE", "ACCOUNT", "LIMIT", "START"),
        "": (*API_USER, *TIMES, "QUEUE", "ENDPOINT", "REASON", "ACCOUNT", "LIMIT", "START"),
    },
    "users": {"": ()},
    "user-add": {"": ("NAME", "ROLE", "ACCOUNTS", "FORCE")},
    "user-set": {"": ("NAME", "ROLE", "ACCOUNTS")},
    "user-remove": {"": ("NAME",)},
    "vendors": {"": ()},
    "vendor-add": {"": ("NAME", "ACCOUNT", "FORCE")},
    "vendor-set": {"": ("NAME", "ACCOUNT")},
    "vendor-remove": {"": ("NAME",)},
    "sources": {"": ()},
    "source-set": {
        "SOURCE=shiprocket": ("MODE", "ACCOUNT", "ALLOWED_IPS", "SECRET", "FORCE"),
        "SOURCE=shipway": (
            *("ACCOUNT", "EMAIL", "SECRET", "URL", "SHARED_WITH", "FORCE"),
            *("CALLS_PER_SECOND", "STALLED_AFTER_DAYS"),
        ),
        "SOURCE=esahayak": ("MODE", "ACCOUNT", "ALLOWED_CIDRS", "PLAIN_PATH", "SECRET", "FORCE"),
        "SOURCE=whatsapp": (
            *("PHONE_NUMBERS", "BUSINESS_ACCOUNTS", "SECRET", "ACCESS_TOKEN", "FORCE"),
            *("GRAPH_URL", "GRAPH_VERSION", "MESSAGES_PER_SECOND"),
        ),
        "": ("SOURCE", "ACCOUNT", "ALLOWED_IPS", "SECRET", "FORCE"),
    },
    "source-rotate": {
        "FINISH=1": ("SOURCE",),
        "SOURCE=shipway": ("EMAIL", "SECRET", "FINISH", "FORCE"),
        "": ("SOURCE", "SECRET", "FINISH", "FORCE"),
    },
    "source-remove": {"": ("SOURCE",)},
    "shipway-add": {"": ("ACCOUNT", "EMAIL", "SECRET", "FORCE")},
    "shipway-remove": {"": ("ACCOUNT",)},
    "hooks": {"": ()},
    "hook-add": {"": ("SOURCE", "ACCOUNT", "SECRET")},
    "hook-set": {"": ("SOURCE", "HOOK", "ACCOUNT", "SECRET")},
    "hook-remove": {"": ("SOURCE", "HOOK")},
    "endpoints": {"": ()},
    "endpoint-add": {"": (*ENDPOINT, "SECRET", "FORCE")},
    "endpoint-set": {"": ENDPOINT},
    "endpoint-rotate": {"FINISH=1": ("NAME",), "": ("NAME", "SECRET", "FINISH", "FORCE")},
    "endpoint-remove": {"": ("NAME",)},
    "tracking-set": {"": ("URL", "DAYS", "ORIGINS")},
    "tracking-rotate": {"FINISH=1": (), "": ("FINISH", "FORCE")},
    "tracking-remove": {"": ()},
    "page-set": {"": ("ACCOUNT", *FIELDS)},
    "page-remove": {"": ("ACCOUNT",)},
    "pusher-set": {"": ("URL", "APP", "KEY", "SECRET", "ACCOUNT", "PUBLIC")},
    "pusher-remove": {"": ()},
    "rules-set": {"": ("ACCOUNT", "FILE", "FORCE")},
    "rules-show": {"": ("ACCOUNT",)},
    "rules-remove": {"": ("ACCOUNT",)},
}
KNOWN = {option for uses in USES.values() for used in uses.values() for option in used}


def check(command: str, variables: Mapping[str, str]) -> None:
    """Refuses options that the command does not use, and values that no option has."""
    known = KNOWN | {key for uses in USES.values() for key in uses if key and "=" not in key}
    known |= set(variables.get("WAYPOST_OPTIONS", "").split())
    given = {name: text for name in sorted(known) if (text := variables.get(name))}
    for name, text in given.items():
        if not _is_utf8(text):
            raise StackError(f"{name}=: must be UTF-8")
        if name in FLAGS and text not in ("0", "1"):
            raise StackError(f"{name}={text}: expected 1, or 0 for no")
    row, used = next(it for it in USES[command].items() if _is_given(it[0], given))
    for name in given:
        if name not in {*used, *EVERY_COMMAND, row.partition("=")[0]}:
            condition = f" with {row}{'' if '=' in row else '='}" if row else ""
            raise StackError(f"{command}{condition} does not use {name}=")


def _is_given(key: str, given: Mapping[str, str]) -> bool:
    name, _, value = key.partition("=")
    return not key or (name in given and value in ("", given[name]))


def _is_utf8(text: str) -> bool:
    """Other bytes of an environment variable are surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
