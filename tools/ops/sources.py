"""Writes the settings of sources, their hooks, and accounts' credentials at Shipway.

A source's `settings` are written last: a source is off without them. Fields that a command does not
name keep their values, as dropping a list of allowed addresses would open the source.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import rotation
import rules
from config import StackError
from paths import ROOT
from request import FROM_STDIN, Request

# Every source has a folder of samples.
SOURCES = tuple(sorted(path.name for path in (ROOT / "events").iterdir() if path.is_dir()))
# Sources whose new hooks get no secret of their own by default.
NO_OWN_SECRET = ("shipway", "esahayak", "whatsapp")
NO_SECRET = "none"
NO_ACCOUNT = "none"
# Options that `none` removes, and their fields.
OPTIONAL = {
    "ACCOUNT": "account",
    "ALLOWED_IPS": "allowed_ips",
    "ALLOWED_CIDRS": "allowed_cidrs",
    "URL": "base_url",
    "CALLS_PER_SECOND": "calls_per_second",
    "STALLED_AFTER_DAYS": "stalled_after_days",
    "GRAPH_URL": "graph_url",
    "GRAPH_VERSION": "graph_version",
    "MESSAGES_PER_SECOND": "messages_per_second",
}
HOOK_LETTERS = "abcdefghijlmnopqtuvwxyz"  # Shiprocket rejects URLs that contain `sr` or `kr`
HOOK_LENGTH = 24

Json = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """The present parameters of a source."""

    name: str
    settings: Json
    secret: str | None

    @property
    def folder(self) -> str:
        return f"sources/{self.name}"

    def secret_object(self) -> Json:
        """The parsed secret of a source with several secrets."""
        return _object(f"{self.folder}/secret", self.secret or "{}")


@dataclass(frozen=True)
class Change:
    """New settings of a source. Without a secret the present one is kept."""

    settings: Json
    secret: str | Json | None
    generated: tuple[str, str] | None  # title and value of a secret to print
    message: str


def source_set(request: Request) -> str:
    name = rules.one_of("SOURCE", request.need("SOURCE"), SOURCES)
    request, before = _without(request, _read(request, name))
    change = SETTERS.get(name, _one_mode)(request, before)
    if change.secret is not None:
        name = f"{before.folder}/secret"
        request.parameters.write(name, change.secret, secret=True, replace=request.force)
    settings = before.settings | change.settings
    request.parameters.write(f"{before.folder}/settings", settings, replace=request.force)
    if change.generated:
        request.show(*change.generated)
    if change.secret is not None and rotation.is_double(change.secret):
        finish = f"make source-rotate SOURCE={before.name} FINISH=1"
        return f"{change.message} The previous secret still counts: {finish} drops it."
    return change.message


def _without(request: Request, before: Source) -> tuple[Request, Source]:
    """The request without the options that are `none`, and the settings without their fields."""
    none = {option for option in OPTIONAL if request.get(option) == NO_ACCOUNT}
    fields = {OPTIONAL[option] for option in none}
    given = {option: text for option, text in request.variables.items() if option not in none}
    kept = {field: value for field, value in before.settings.items() if field not in fields}
    return replace(request, variables=given), replace(before, settings=kept)


def _read(request: Request, name: str) -> Source:
    settings, secret = f"sources/{name}/settings", f"sources/{name}/secret"
    if not request.force:
        request.parameters.require_none(
            settings, secret, force="changes the options that you give and keeps the rest"
        )
    existing = request.parameters.read(settings, secret)
    return Source(name, _object(settings, existing.get(settings, "{}")), existing.get(secret))


def _mode(request: Request, before: Source, modes: tuple[str, ...]) -> str:
    """The given mode, else the present one, else the first."""
    mode = request.get("MODE") or before.settings.get("mode") or modes[0]
    return rules.one_of("MODE", mode, modes)


def _secret(request: Request, before: Source, mode: str | None) -> str | None:
    """None to keep the present secret: it has the same mode, and no other was given.

    A given one replaces it, as a leaked one has to be; `source-rotate` lets both count.
    """
    same_mode = before.settings.get("mode") == mode
    keep = same_mode and before.secret and not request.get("SECRET")
    return None if keep else rotation.plain(request, "")


def _shiprocket(request: Request, before: Source) -> Change:
    mode = _mode(request, before, ("token", "hmac"))
    # A change of another field keeps the account.
    account = request.get("ACCOUNT") or before.settings.get("account") or request.need("ACCOUNT")
    given: Json = {"mode": mode, "account": rules.account(account)}
    if request.get("ALLOWED_IPS"):
        given["allowed_ips"] = rules.addresses("ALLOWED_IPS", request.get("ALLOWED_IPS"))
    secret = _secret(request, before, mode)
    message = f"Webhooks of shiprocket are for {given['account']}, authenticated by {mode}."
    return Change(given, secret, _generated(request, secret) if secret else None, message)


def _shipway(request: Request, before: Source) -> Change:
    given = _given_account(request)
    if request.get("URL"):
        given["base_url"] = rules.base_url("URL", request.get("URL"), local=request.local)
    if request.get("SHARED_WITH"):
        shared = request.get("SHARED_WITH")
        codes = [] if shared == NO_ACCOUNT else shared.split(",")
        given["shared_with"] = [rules.account(code) for code in codes]
    if request.get("CALLS_PER_SECOND"):
        rate = request.get("CALLS_PER_SECOND")
        given["calls_per_second"] = rules.number("CALLS_PER_SECOND", rate)
    if request.get("STALLED_AFTER_DAYS"):
        days = request.get("STALLED_AFTER_DAYS")
        given["stalled_after_days"] = rules.days("STALLED_AFTER_DAYS", days)
    if before.secret and request.get("EMAIL") and not request.get("SECRET"):
        raise StackError("SECRET=stdin is missing: a new EMAIL needs its license key")
    keep = before.secret and not request.get("SECRET")
    secret = None if keep else rotation.credentials(request, before.secret_object())
    base_url = (before.settings | given).get("base_url")
    polling = f"at {base_url}" if base_url else "off (URL=https://app.shipway.com turns it on)"
    account = _account_of(before, given)
    shared = (before.settings | given).get("shared_with", [])
    others = f" The credentials are shared with {', '.join(shared)}." if shared else ""
    message = f"Webhooks of shipway are for {account}. Hourly polling: {polling}.{others}"
    return Change(given, secret, None, message)


def _esahayak(request: Request, before: Source) -> Change:
    mode = _mode(request, before, ("network", "hmac"))
    given: Json = {"mode": mode} | _given_account(request)
    if request.get("ALLOWED_CIDRS"):
        given["allowed_cidrs"] = rules.addresses("ALLOWED_CIDRS", request.get("ALLOWED_CIDRS"))
    account = _account_of(before, given)
    message = f"Webhooks of esahayak are for {account}, authenticated by {mode}."
    if mode == "hmac":
        secret = _secret(request, before, mode)
        return Change(given, secret, _generated(request, secret) if secret else None, message)
    if "allowed_cidrs" not in before.settings | given:
        raise StackError("ALLOWED_CIDRS=… is missing: the mode network checks only addresses")
    if request.get("SECRET"):
        raise StackError("SECRET: the mode network has none")
    if request.get("PLAIN_PATH"):
        open_path = rules.one_of("PLAIN_PATH", request.get("PLAIN_PATH"), ("true", "false"))
        given["plain_path"] = open_path == "true"
    if not (before.settings | given).get("plain_path"):
        message = (
            f"Webhooks of esahayak are authenticated by {mode}, on hooks only: "
            "add one with `make hook-add SOURCE=esahayak`."
        )
    return Change(given, None, None, message)


def _whatsapp(request: Request, before: Source) -> Change:
    numbers = _owners(request, before, "PHONE_NUMBERS")
    if not numbers:
        raise StackError("PHONE_NUMBERS=<id>:<account>,… is missing")
    given: dict[str, Any] = {"phone_numbers": numbers}
    accounts = _owners(request, before, "BUSINESS_ACCOUNTS")
    if accounts or "business_accounts" in before.settings:
        given["business_accounts"] = accounts
    if both := numbers.keys() & accounts.keys():
        raise StackError(f"BUSINESS_ACCOUNTS: {min(both)} is the id of a phone number")
    if request.get("GRAPH_URL"):
        url = request.get("GRAPH_URL")
        given["graph_url"] = rules.base_url("GRAPH_URL", url, local=request.local)
    if request.get("GRAPH_VERSION"):
        given["graph_version"] = rules.graph_version(request.get("GRAPH_VERSION"))
    if request.get("MESSAGES_PER_SECOND"):
        rate = request.get("MESSAGES_PER_SECOND")
        given["messages_per_second"] = rules.messages_per_second(rate)
    known = before.secret_object()
    secret = known
    if request.get("SECRET") or not known:
        secret = rotation.app_secret(request, secret)
    if request.get("ACCESS_TOKEN"):
        secret = rotation.access_token(request, secret)
    sends = "can" if "access_token" in secret else "cannot (ACCESS_TOKEN=stdin)"
    message = f"Webhooks of whatsapp are for {len(numbers)} phone numbers, which {sends} send."
    generated = None if known else ("verify_token", secret["verify_token"])
    return Change(given, None if secret == known else secret, generated, message)


def _owners(request: Request, before: Source, variable: str) -> dict[str, str]:
    """Meta's ids of phone numbers or business accounts, and their accounts."""
    owners = before.settings.get(variable.lower(), {})
    owners |= rules.owners(variable, request.get(variable))
    return {owned: code for owned, code in owners.items() if code != NO_ACCOUNT}


def _one_mode(request: Request, before: Source) -> Change:
    """For sources that authenticate by `auth::hmac` or `auth::token` only."""
    given = _given_account(request)
    if request.get("ALLOWED_IPS"):
        given["allowed_ips"] = rules.addresses("ALLOWED_IPS", request.get("ALLOWED_IPS"))
    secret = _secret(request, before, None)
    message = f"Webhooks of {before.name} are for {_account_of(before, given)}."
    return Change(given, secret, _generated(request, secret) if secret else None, message)


SETTERS: dict[str, Callable[[Request, Source], Change]] = {
    "shiprocket": _shiprocket,
    "shipway": _shipway,
    "esahayak": _esahayak,
    "whatsapp": _whatsapp,
}


def source_rotate(request: Request) -> str:
    """Puts a new secret before the present one; FINISH=1 drops the old one."""
    name = rules.one_of("SOURCE", request.need("SOURCE"), SOURCES)
    parameter = f"sources/{name}/secret"
    present = request.parameters.read(parameter).get(parameter)
    if not present:
        raise StackError(f"{name} has no secret")
    if present.startswith("{"):
        _object(parameter, present)
    has_two = rotation.newest(present) != rotation.oldest(present)
    if request.get("FINISH") == "1":
        if not has_two:
            raise StackError(f"{name} has one secret: no rotation to finish")
        secret = rotation.newest(present)
        request.parameters.write(parameter, secret, secret=True, replace=True)
        return f"Webhooks of {name} are accepted with the newer secret only."
    if has_two and not request.force:
        raise StackError(
            f"{name} has two secrets: FINISH=1 drops the old one, FORCE=1 replaces the new one"
        )
    before = rotation.oldest(present)
    new = ROTATED.get(name, rotation.plain)(request, before)
    request.parameters.write(parameter, new, secret=True, replace=True)
    if isinstance(new, str) and request.get("SECRET") != FROM_STDIN:
        request.show("secret", new.split()[0])
    return (
        f"Webhooks of {name} are accepted with both secrets. "
        "Use FINISH=1 once the provider sends the new one."
    )


ROTATED: dict[str, Callable[[Request, Any], str | Json]] = {
    "shipway": rotation.credentials,
    "whatsapp": rotation.app_secret,
}


def shipway_add(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    name, credentials = f"accounts/{account}/shipway", rotation.credentials(request, {})
    request.parameters.write(name, credentials, secret=True, replace=request.force)
    return f"Orders of {account} are polled with its own Shipway credentials."


def hook_add(request: Request) -> str:
    source = rules.one_of("SOURCE", request.need("SOURCE"), SOURCES)
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
    proof = "its own secret" if secret else "the settings of the source"
    return (
        f"Webhooks of {source} to this path are for {account}, authenticated by {proof}. "
        "Keep the path secret."
    )


def _hook_secret(request: Request, source: str) -> str | Json | None:
    given = request.get("SECRET")
    if given == NO_SECRET or (not given and source in NO_OWN_SECRET):
        return None
    if source == "whatsapp":
        return rotation.app_secret(request, {})
    return rotation.plain(request, "")


def _given_account(request: Request) -> Json:
    """A source without an account accepts webhooks on its hooks only."""
    return {"account": rules.account(request.get("ACCOUNT"))} if request.get("ACCOUNT") else {}


def _account_of(before: Source, given: Json) -> str:
    return (before.settings | given).get("account", "its hooks only")


def _generated(request: Request, secret: str) -> tuple[str, str] | None:
    return None if request.get("SECRET") == FROM_STDIN else ("secret", secret)


def _object(name: str, text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StackError(f"{name} is not a JSON object: correct or delete it")
    return value
