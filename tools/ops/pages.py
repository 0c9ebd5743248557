"""Writes the settings of tracking pages: the links' keys and address, and how a shop's pages look.

What an option does not name stays as it is. `none` removes an optional field.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import rules
from config import StackError
from request import Request

TRACKING = "tracking"
NONE = "none"
KEY_BYTES = 32
MAX_DAYS = 3650
MAX_LINKS = 5
# Of functions/track/src/languages.rs.
LANGUAGES = ("en", "hi", "bn", "mr", "te", "ta", "gu", "kn", "ml")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ZONE = re.compile(r"UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+")

Json = dict[str, Any]


def tracking_set(request: Request) -> str:
    """The first time it generates the key."""
    before = read(request, TRACKING)
    if not before and not request.get("URL"):
        raise StackError("URL=… is missing: the public address of the API, such as your domain")
    if not any(request.get(option) for option in ("URL", "DAYS", "ORIGINS")):
        raise StackError("nothing to change: give URL=, DAYS= or ORIGINS=")
    after = {"keys": [_new_key()]} | before
    if request.get("URL"):
        after["public_url"] = rules.base_url("URL", request.get("URL"), local=request.local)
    if request.get("DAYS"):
        after["days"] = _days(request.get("DAYS"))
    if request.get("ORIGINS"):
        after["origins"] = _origins(request.get("ORIGINS"), before.get("origins", {}))
    request.parameters.write(TRACKING, after, secret=True, replace=True)
    days = after.get("days", 90)
    return (
        f"Orders have tracking pages at {after['public_url']}/track/…, "
        f"with links that work for {days} days after the order's last change."
    )


def tracking_rotate(request: Request) -> str:
    """Puts a new key before the present one; FINISH=1 drops the old one, and with it its links."""
    before = read(request, TRACKING)
    keys = before.get("keys", [])
    if not keys:
        raise StackError("there are no tracking pages: `make tracking-set` first")
    if request.get("FINISH") == "1":
        if len(keys) == 1:
            raise StackError("tracking has one key: no rotation to finish")
        after = before | {"keys": keys[:1]}
        message = "Links that the previous key has signed no longer work."
    else:
        if len(keys) > 1 and not request.force:
            raise StackError(
                "tracking has two keys: FINISH=1 drops the old one, FORCE=1 replaces the new one"
            )
        after = before | {"keys": [_new_key(), keys[-1]]}
        message = "New links have the new key. Use FINISH=1 once the old ones have expired."
    request.parameters.write(TRACKING, after, secret=True, replace=True)
    return message


def tracking_remove(request: Request) -> str:
    if not request.parameters.read(TRACKING):
        raise StackError("there are no tracking pages")
    request.parameters.delete(TRACKING)
    return "Orders have no tracking pages. Links that were sent no longer work."


def page_set(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    path = f"accounts/{account}/page"
    given = {option: text for option in FIELDS if (text := request.get(option))}
    if not given:
        raise StackError(f"nothing to change: give one of {', '.join(FIELDS)}")
    page = read(request, path)
    for option, text in given.items():
        field, parse = FIELDS[option]
        if text == NONE:
            page.pop(field, None)
        else:
            page[field] = parse(text)
    request.parameters.write(path, page, replace=True)
    return f"Tracking pages of {account} have {', '.join(sorted(page)) or 'no settings'}."


def page_remove(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    path = f"accounts/{account}/page"
    if not request.parameters.read(path):
        raise StackError(f"the tracking pages of {account} have no settings")
    request.parameters.delete(path)
    return f"Tracking pages of {account} have no name, logo, colour and links of the shop."


def read(request: Request, path: str) -> Json:
    text = request.parameters.read(path).get(path, "{}")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StackError(f"{path} is not a JSON object: correct or delete it")
    return value


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)


def _days(text: str) -> int:
    days = rules.days("DAYS", text)
    if days > MAX_DAYS:
        raise StackError(f"DAYS={text}: expected at most {MAX_DAYS}")
    return days


def _origins(text: str, before: Json) -> Json:
    """`STORE001:https://shop.example,…`; those of an account replace the ones before."""
    given: dict[str, list[str]] = {}
    for pair in text.split(","):
        account, _, origin = pair.partition(":")
        origins = given.setdefault(rules.account(account), [])
        if origin != NONE:
            origins.append(_origin(origin))
    return {account: origins for account, origins in (before | given).items() if origins}


def _origin(text: str) -> str:
    parts = urlsplit(text)
    plain = text == f"{parts.scheme}://{parts.netloc}" and text == text.lower()
    host = re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?", parts.netloc)
    if parts.scheme not in ("https", "http") or not plain or not host:
        raise StackError("ORIGINS: expected <account>:https://<host>, without a path")
    return text


def _label(option: str, limit: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        text = text.strip()
        if not 1 <= len(text) <= limit or not text.isprintable():
            raise StackError(f"{option}: expected one line of 1 to {limit} characters")
        return text

    return parse


def _https(option: str, text: str) -> str:
    parts = urlsplit(text)
    ascii_only = text.isascii() and text.isprintable() and not set(text) & set(" \\\"'<>;,@")
    if parts.scheme != "https" or not parts.netloc or not ascii_only:
        raise StackError(f"{option}: expected an https URL")
    return text


def _colour(text: str) -> str:
    if not COLOUR.fullmatch(text):
        raise StackError(f"COLOUR={text}: expected a colour such as #0a7d33")
    return text.lower()


def _zone(text: str) -> str:
    if not ZONE.fullmatch(text):
        raise StackError(f"ZONE={text}: expected an IANA time zone such as Asia/Kolkata")
    return text


def _languages(text: str) -> list[str]:
    return [rules.one_of("LANGUAGES", code, LANGUAGES) for code in text.split(",")]


def _links(text: str) -> list[Json]:
    """`Help=https://shop.example/help,Call=tel:+911234567890`."""
    links = []
    for pair in text.split(","):
        name, _, url = pair.partition("=")
        contact = url.startswith(("mailto:", "tel:")) and url.isascii() and " " not in url
        target = url if contact else _https("LINKS", url)
        links.append({"text": _label("LINKS", 40)(name), "url": target})
    if len(links) > MAX_LINKS:
        raise StackError(f"LINKS: expected at most {MAX_LINKS}")
    return links


# Options of `page-set`, and the fields that they change.
FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "NAME": ("name", _label("NAME", 80)),
    "LOGO": ("logo_url", lambda text: _https("LOGO", text)),
    "COLOUR": ("colour", _colour),
    "LINKS": ("links", _links),
    "LANGUAGES": ("languages", _languages),
    "ZONE": ("zone", _zone),
}
