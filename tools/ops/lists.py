"""Lists users, vendors, sources, hooks and endpoints: `make users` and its siblings.

A list never shows a secret. The id of a hook is one, and the path of a URL may be: a hook shows
with its first letters, a URL with its host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import rotation
import rules
from request import Request
from table import table

Json = dict[str, Any]
# Of the id of a hook. `GET /api/webhooks/denied` shows as many.
SHOWN_LETTERS = 4
MASK = "…"


def users(request: Request) -> str:
    rows = [
        (name, user.get("role", "unusable"), _accounts(user.get("accounts")))
        for name, user in _objects(request, "users")
    ]
    return _table(request, ("USER", "ROLE", "ACCOUNTS"), rows)


def vendors(request: Request) -> str:
    rows = [
        (name, vendor.get("account", "unusable")) for name, vendor in _objects(request, "vendors")
    ]
    return _table(request, ("VENDOR", "ACCOUNT"), rows)


def sources(request: Request) -> str:
    """Also the accounts with credentials of their own at Shipway."""
    found = request.parameters.below("sources")
    names = sorted({path.split("/")[0] for path in found if path.count("/") == 1})
    rows = [
        (
            name,
            _settings(found.get(f"{name}/settings")),
            _number_of_secrets(found.get(f"{name}/secret")),
        )
        for name in names
    ]
    for path in request.parameters.below("accounts"):
        account, _, kind = path.rpartition("/")
        if kind == "shipway":
            rows.append((f"shipway of {account}", "{}", "own"))
    return _table(request, ("SOURCE", "SETTINGS", "SECRETS"), rows)


def hooks(request: Request) -> str:
    rows = []
    for path, text in request.parameters.below("sources").items():
        source, _, hook = path.partition("/hooks/")
        if hook:
            content = object_of(text)
            secret = "own" if "secret" in content else "the source's"
            account = content.get("account", "unusable")
            rows.append((source, hook[:SHOWN_LETTERS] + MASK, account, secret))
    return _table(request, ("SOURCE", "HOOK", "ACCOUNT", "SECRET"), rows)


def endpoints(request: Request) -> str:
    found = request.parameters.below("endpoints")
    names = sorted({path.split("/")[0] for path in found})
    rows = []
    for name in names:
        url = found.get(f"{name}/url")
        legacy = ", legacy" if f"{name}/legacy_secret" in found else ""
        rows.append(
            (
                name,
                rules.readable_host(url) if url else "no URL",
                _settings(found.get(f"{name}/settings", "{}")),
                _number_of_secrets(found.get(f"{name}/secret")) + legacy,
            )
        )
    return _table(request, ("ENDPOINT", "HOST", "SETTINGS", "SECRETS"), rows)


def object_of(text: str) -> Json:
    """A JSON object; an empty one for a text that is none."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _objects(request: Request, folder: str) -> list[tuple[str, Json]]:
    found = request.parameters.below(folder)
    return [(name, object_of(text)) for name, text in sorted(found.items())]


def _accounts(codes: Any) -> str:
    return ",".join(map(str, codes)) if isinstance(codes, list) else "unusable"


def _settings(text: str | None) -> str:
    if text is None:
        return "missing"
    settings = object_of(text)
    if not settings and text.strip() != "{}":
        return "unusable"
    # Further headers may hold a token.
    if isinstance(settings.get("headers"), dict):
        settings["headers"] = dict.fromkeys(settings["headers"], MASK)
    return json.dumps(settings, ensure_ascii=False, separators=(",", ":"))


def _number_of_secrets(text: str | None) -> str:
    if not text:
        return "none"
    structured = text.lstrip().startswith("{")
    return "2" if rotation.is_double(object_of(text) if structured else text) else "1"


def _table(request: Request, titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Prints the rows in columns. The message is the number of rows."""
    rows = [tuple(map(str, row)) for row in rows]
    for line in table(titles, rows):
        request.print(line)
    return f"{len(rows)} found."
