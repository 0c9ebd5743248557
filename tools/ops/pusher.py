"""Writes the setting `realtime/pusher`: the app that live updates are published to.

What an option does not name stays as it is.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pages
import rules
from config import StackError
from request import Request

PUSHER = "realtime/pusher"
HTTPS_PORT = 443
APP = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
SECRET = re.compile(r"[!-~]{1,256}")

Json = dict[str, Any]


def pusher_set(request: Request) -> str:
    before = pages.read(request, PUSHER)
    options = ("URL", "APP", "KEY", "SECRET", "ACCOUNT", "PUBLIC")
    given = [option for option in options if request.get(option)]
    if not given:
        raise StackError(f"nothing to change: give one of {', '.join(options)}")
    after = dict(before)
    if not before or request.get("URL"):
        after |= _server(request)
    if not before or request.get("APP"):
        after["app_id"] = _matching("APP", request.need("APP"), APP)
    if not before or request.get("KEY"):
        after["key"] = _matching("KEY", request.need("KEY"), KEY)
    if not before or request.get("SECRET"):
        secret = request.given_secret("SECRET", "the app's secret")
        if not SECRET.fullmatch(secret):
            raise StackError("SECRET: expected 1 to 256 visible ASCII characters")
        after["secret"] = secret
    if request.get("ACCOUNT") == pages.NONE:
        after.pop("account", None)
    elif request.get("ACCOUNT"):
        after["account"] = rules.account(request.get("ACCOUNT"))
    if public := request.get("PUBLIC"):
        after["public_channels"] = public == "1"
    request.parameters.write(PUSHER, after, secret=True, replace=True)
    public = " Anyone with the app's key sees every order." if after.get("public_channels") else ""
    return f"Live updates are published at {after['host']}, app {after['app_id']}.{public}"


def pusher_remove(request: Request) -> str:
    if not request.parameters.read(PUSHER):
        raise StackError("there is no app of Pusher")
    request.parameters.delete(PUSHER)
    return "Live updates are published no longer."


def _server(request: Request) -> Json:
    """Waypost posts to port 443 of other machines only, as to every server."""
    url = rules.base_url("URL", request.need("URL"), local=request.local)
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    port = parts.port or (HTTPS_PORT if tls else 80)
    if parts.path or not parts.hostname:
        raise StackError("URL: expected https://<host>, without a path")
    if not request.local and port != HTTPS_PORT:
        raise StackError("URL: expected port 443")
    return {"host": parts.hostname, "port": port, "tls": tls}


def _matching(option: str, text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise StackError(f"{option}={text}: expected letters, digits, _ and - only")
    return text
