"""Writes which sources may report, the paths that hooks open, and who shops are at Shipway.

A source's `settings` are written last: without them it is not set up yet. What stood beside what was said stays:
dropping a list of addresses unasked would open what it closes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rules
from config import StackError
from request import FROM_STDIN, Request, token

# What a hook has as its own secret unless something else is said.
OWN_SECRET = {"shiprocket": True, "shipway": False, "esahayak": False, "whatsapp": False}
NO_SECRET = "none"
HOOK_LETTERS = "abcdefghijlmnopqtuvwxyz"  # Shiprocket refuses URLs with `sr` or `kr` anywhere
HOOK_LENGTH = 24

Json = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A source's parameters as they are."""

    name: str
    settings: Json
    secret: str | None

    @property
    def folder(self) -> str:
        return f"sources/{self.name}"

    def secret_object(self) -> Json:
        """Of a source that has several secrets."""
        return _object(f"{self.folder}/secret", self.secret or "{}")


@dataclass(frozen=True)
class Change:
    """What becomes of them. Without a secret, the one that is there stays; `shown` is what was made here."""

    settings: Json
    secret: str | Json | None
    shown: tuple[str, str] | None
    done: str


def source_set(request: Request) -> str:
    name = rules.one_of("SOURCE", request.need("SOURCE"), tuple(SETTERS))
    before = _read(request, name)
    change = SETTERS[name](request, before)
    if change.secret is not None:
        request.parameters.write(f"{before.folder}/secret", change.secret, secret=True, replace=request.force)
    settings = before.settings | change.settings
    request.parameters.write(f"{before.folder}/settings", settings, replace=request.force)
    if change.shown:
        request.show(*change.shown)
    return change.done


def _read(request: Request, name: str) -> Source:
    settings, secret = f"sources/{name}/settings", f"sources/{name}/secret"
    if not request.force:
        request.parameters.require_none(settings, secret)
    there = request.parameters.read(settings, secret)
    return Source(name, _object(settings, there.get(settings, "{}")), there.get(secret))


def _mode(request: Request, before: Source, modes: tuple[str, ...]) -> str:
    """The one named, else the one in force, else the first."""
    return rules.one_of("MODE", request.get("MODE") or before.settings.get("mode") or modes[0], modes)


def _secret(request: Request, before: Source, mode: str) -> str | None:
    """One that is in force stays, unless another is named or it was for another mode."""
    stays = before.secret and before.settings.get("mode") == mode and not request.get("SECRET")
    return None if stays else request.secret("SECRET", token)


def _shiprocket(request: Request, before: Source) -> Change:
    mode = _mode(request, before, ("token", "hmac"))
    given: Json = {"mode": mode, "account": rules.account(request.need("ACCOUNT"))}
    if request.get("ALLOWED_IPS"):
        given["allowed_ips"] = rules.addresses("ALLOWED_IPS", request.get("ALLOWED_IPS"))
    secret = _secret(request, before, mode)
    done = f"Webhooks of shiprocket are for {given['account']}, checked by {mode}."
    return Change(given, secret, _made(request, secret) if secret else None, done)


def _shipway(request: Request, before: Source) -> Change:
    given = _account(request)
    if request.get("URL"):
        given["base_url"] = rules.carrier_url(request.get("URL"), local=request.local)
    if request.get("CALLS_PER_SECOND"):
        given["calls_per_second"] = rules.number("CALLS_PER_SECOND", request.get("CALLS_PER_SECOND"))
    if request.get("STALLED_AFTER_DAYS"):
        given["stalled_after_days"] = rules.days("STALLED_AFTER_DAYS", request.get("STALLED_AFTER_DAYS"))
    if before.secret and request.get("EMAIL") and not request.get("SECRET"):
        raise StackError("SECRET=stdin is missing: an EMAIL comes with its license key")
    secret = None if before.secret and not request.get("SECRET") else _credentials(request)
    asked = (before.settings | given).get("base_url")
    polls = (
        f"It is asked every hour at {asked}." if asked else "It is not asked: that takes URL=https://app.shipway.com."
    )
    return Change(given, secret, None, f"Webhooks of shipway are for {_whose(before, given)}. {polls}")


def _esahayak(request: Request, before: Source) -> Change:
    mode = _mode(request, before, ("network", "hmac"))
    given: Json = {"mode": mode} | _account(request)
    if request.get("ALLOWED_CIDRS"):
        given["allowed_cidrs"] = rules.addresses("ALLOWED_CIDRS", request.get("ALLOWED_CIDRS"))
    done = f"Webhooks of esahayak are for {_whose(before, given)}, checked by {mode}."
    if mode == "hmac":
        secret = _secret(request, before, mode)
        return Change(given, secret, _made(request, secret) if secret else None, done)
    if "allowed_cidrs" not in before.settings | given:
        raise StackError("ALLOWED_CIDRS=… is missing: in the mode network addresses are all there is to check")
    if request.get("SECRET"):
        raise StackError("SECRET: the mode network has none")
    return Change(given, None, None, done)


def _whatsapp(request: Request, before: Source) -> Change:
    numbers = before.settings.get("phone_numbers", {}) | rules.phone_numbers(request.get("PHONE_NUMBERS"))
    if not numbers:
        raise StackError("PHONE_NUMBERS=<id>:<account>,… is missing")
    done = f"Webhooks of whatsapp are taken for {len(numbers)} phone numbers."
    known = before.secret_object()
    if known and not request.get("SECRET"):
        return Change({"phone_numbers": numbers}, None, None, done)
    secret = _app_secret(request, known)
    shown = None if known else ("verify_token", secret["verify_token"])
    return Change({"phone_numbers": numbers}, secret, shown, done)


SETTERS: dict[str, Callable[[Request, Source], Change]] = {
    "shiprocket": _shiprocket,
    "shipway": _shipway,
    "esahayak": _esahayak,
    "whatsapp": _whatsapp,
}


def shipway_add(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    request.parameters.write(f"accounts/{account}/shipway", _credentials(request), secret=True, replace=request.force)
    return f"Shipway is asked about the orders of {account} with credentials of its own."


def hook_add(request: Request) -> str:
    source = rules.one_of("SOURCE", request.need("SOURCE"), tuple(OWN_SECRET))
    account = rules.account(request.need("ACCOUNT"))
    name = "".join(secrets.choice(HOOK_LETTERS) for _ in range(HOOK_LENGTH))
    secret = _hook_secret(request, source)
    hook = {"account": account} | ({"secret": secret} if secret else {})
    request.parameters.write(f"sources/{source}/hooks/{name}", hook, secret=True)
    request.show("path", f"/webhooks/{'carrier' if source == 'shiprocket' else source}/{name}")
    if isinstance(secret, dict):
        request.show("verify_token", secret["verify_token"])
    elif secret and request.get("SECRET") != FROM_STDIN:
        request.show("secret", secret)
    checked = "with a secret of its own" if secret else "as the source's own path is"
    return f"Webhooks of {source} to this path are for {account}, checked {checked}. Keep the path secret."


def _hook_secret(request: Request, source: str) -> str | Json | None:
    given = request.get("SECRET")
    if given == NO_SECRET or (not given and not OWN_SECRET[source]):
        return None
    if source == "whatsapp":
        return _app_secret(request, {})
    return request.secret("SECRET", token)


def _app_secret(request: Request, known: Json) -> Json:
    """Beside a new app secret the one before is still good: Meta changes it for all at once."""
    new = request.given_secret("SECRET", "the app's secret, from Meta's app dashboard")
    before = known.get("app_secret", [])
    before = [before] if isinstance(before, str) else before
    app_secrets = [new, *(secret for secret in before if secret != new)][:2]
    return {"verify_token": token()} | known | {"app_secret": app_secrets}


def _credentials(request: Request) -> Json:
    email = request.need("EMAIL")
    return {"email": email, "license_key": request.given_secret("SECRET", "the license key, from Shipway's panel")}


def _account(request: Request) -> Json:
    """Without one only hooks are open."""
    return {"account": rules.account(request.get("ACCOUNT"))} if request.get("ACCOUNT") else {}


def _whose(before: Source, given: Json) -> str:
    return (before.settings | given).get("account", "nobody but hooks")


def _made(request: Request, secret: str) -> tuple[str, str] | None:
    return None if request.get("SECRET") == FROM_STDIN else ("secret", secret)


def _object(name: str, text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StackError(f"{name} is there and is no JSON object: put it right or delete it")
    return value
