"""Changes and removes users, vendors, sources, hooks and endpoints, a field at a time.

What an option does not name stays as it is, secrets too. `none` removes an optional field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import endpoint_rules
import lists
import rotation
import rules
from config import StackError
from request import Request
from sources import NO_SECRET, SOURCES

Json = dict[str, Any]
NONE = "none"
BOOLEANS = ("true", "false")
# Options of `endpoint-add` and `endpoint-set`, and the fields that they change.
ENDPOINT_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "FORMAT": ("format", lambda text: rules.one_of("FORMAT", text, rules.FORMATS)),
    "ACCOUNTS": ("accounts", rules.accounts),
    "EVENTS": ("events", endpoint_rules.events),
    "TIMEOUT_SECONDS": ("timeout_seconds", lambda text: rules.timeout("TIMEOUT_SECONDS", text)),
    "BACKOFF": ("backoff", endpoint_rules.backoff),
    "RETRY_COUNT": ("retry_count", lambda text: endpoint_rules.whole("RETRY_COUNT", text, 0, 50)),
    "RETRY_4XX": ("retry_4xx", lambda text: rules.one_of("RETRY_4XX", text, BOOLEANS) == "true"),
    "MAX_IN_FLIGHT": (
        "max_in_flight",
        lambda text: endpoint_rules.whole("MAX_IN_FLIGHT", text, 1, 10),
    ),
    "LATEST_ONLY": (
        "latest_only",
        lambda text: rules.one_of("LATEST_ONLY", text, BOOLEANS) == "true",
    ),
    "ENABLED": ("enabled", lambda text: rules.one_of("ENABLED", text, BOOLEANS) == "true"),
}


def user_set(request: Request) -> str:
    name = request.name
    user = _existing(request, f"users/{name}", f"user {name}")
    if request.get("ROLE"):
        user["role"] = rules.one_of("ROLE", request.get("ROLE"), rules.ROLES)
    if request.get("ACCOUNTS"):
        user["accounts"] = rules.accounts(request.get("ACCOUNTS"))
    _require_any(request, "ROLE", "ACCOUNTS")
    request.parameters.write(f"users/{name}", user, secret=True, replace=True)
    return (
        f"User {name} is {user['role']} of {', '.join(user['accounts'])}, with the same password."
    )


def user_remove(request: Request) -> str:
    _remove(request, f"users/{request.name}", f"user {request.name}")
    return f"User {request.name} is removed."


def vendor_set(request: Request) -> str:
    name, account = request.name, rules.account(request.need("ACCOUNT"))
    vendor = _existing(request, f"vendors/{name}", f"vendor {name}")
    changed = vendor | {"account": account}
    request.parameters.write(f"vendors/{name}", changed, secret=True, replace=True)
    return f"Vendor {name} can call for {account}, with the same secret."


def vendor_remove(request: Request) -> str:
    _remove(request, f"vendors/{request.name}", f"vendor {request.name}")
    return f"Vendor {request.name} is removed."


def source_remove(request: Request) -> str:
    """Removes the settings first, which closes the source. Its hooks stay, as they may be used."""
    name = rules.one_of("SOURCE", request.need("SOURCE"), SOURCES)
    settings, secret = f"sources/{name}/settings", f"sources/{name}/secret"
    if not request.parameters.read(settings, secret):
        raise StackError(f"{name} is not set up")
    request.parameters.delete(settings)
    request.parameters.delete(secret)
    return f"Webhooks of {name} are refused, also on its hooks, which are kept."


def shipway_remove(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    what = f"account {account} with Shipway credentials of its own"
    _remove(request, f"accounts/{account}/shipway", what)
    return f"Orders of {account} are no longer polled with credentials of its own."


def hook_set(request: Request) -> str:
    """`SECRET=stdin` replaces the hook's own secret, `SECRET=none` drops it."""
    path = _hook(request)
    hook = _existing(request, path, "such hook")
    _require_any(request, "ACCOUNT", "SECRET")
    if request.get("ACCOUNT"):
        hook["account"] = rules.account(request.get("ACCOUNT"))
    if request.get("SECRET") == NO_SECRET:
        hook.pop("secret", None)
    elif request.get("SECRET"):
        is_whatsapp = path.startswith("sources/whatsapp/")
        known = hook.get("secret")
        known = known if isinstance(known, dict) else {}
        hook["secret"] = (
            rotation.app_secret(request, known) if is_whatsapp else rotation.plain(request, "")
        )
    request.parameters.write(path, hook, secret=True, replace=True)
    proof = "its own secret" if "secret" in hook else "the settings of the source"
    return f"Webhooks to this path are for {hook['account']}, authenticated by {proof}."


def hook_remove(request: Request) -> str:
    path = _hook(request)
    request.parameters.delete(path)
    source, _, hook = path.removeprefix("sources/").partition("/hooks/")
    return f"The hook {hook[: lists.SHOWN_LETTERS]}{lists.MASK} of {source} is removed."


def endpoint_set(request: Request) -> str:
    """Changes settings, or the URL, which keeps the secret."""
    name = request.name
    folder = f"endpoints/{name}"
    found = request.parameters.read(f"{folder}/url", f"{folder}/settings")
    if f"{folder}/url" not in found:
        raise StackError(f"there is no endpoint {name}")
    _require_any(request, "URL", "HEADER", "LEGACY_SECRET", *ENDPOINT_FIELDS)
    text = found.get(f"{folder}/settings", "{}")
    settings = lists.object_of(text)
    if not settings and text.strip() != "{}":
        raise StackError("the endpoint's settings are not a JSON object: correct or delete them")
    settings = changed_settings(request, settings)
    url = request.get("URL") and rules.endpoint_url(request.get("URL"), local=request.local)
    if url and _given(request, "HEADER", *ENDPOINT_FIELDS):
        # Written one after the other: between them the old URL would have the new accounts, or the
        # new URL the old ones.
        raise StackError("URL: change it alone, and settings with another command")
    legacy = "" if request.get("LEGACY_SECRET") == NONE else legacy_secret(request)
    if _given(request, "HEADER", *ENDPOINT_FIELDS):
        request.parameters.write(f"{folder}/settings", settings, replace=True)
    if request.get("LEGACY_SECRET") == NONE:
        request.parameters.delete(f"{folder}/legacy_secret")
    elif legacy:
        request.parameters.write(f"{folder}/legacy_secret", legacy, secret=True, replace=True)
    if url:
        request.parameters.write(f"{folder}/url", url, replace=True)
        return f"Endpoint {name} is at {rules.readable_host(url)}, with the same secret."
    return f"Endpoint {name} is changed."


def legacy_secret(request: Request) -> str:
    """The value of a header; empty if none is given."""
    secret = request.secret("LEGACY_SECRET", lambda: "")
    if not (secret.isascii() and secret.isprintable()):
        raise StackError("LEGACY_SECRET: must be visible ASCII")
    return secret


def changed_settings(request: Request, settings: Json) -> Json:
    """An endpoint's settings with the given ones."""
    for option, (field, parse) in ENDPOINT_FIELDS.items():
        given = request.get(option)
        if given == NONE:
            settings.pop(field, None)
        elif given:
            settings[field] = parse(given)
    if request.get("HEADER"):
        header, value = endpoint_rules.header(request.get("HEADER"))
        headers = settings.get("headers", {})
        kept = {known: headers[known] for known in headers if known.lower() != header.lower()}
        settings["headers"] = kept | ({header: value} if value else {})
    endpoint_rules.check_schedule(settings)
    endpoint_rules.check_format(settings)
    return settings


def _hook(request: Request) -> str:
    """The path of the hook whose id is or begins with HOOK."""
    source = rules.one_of("SOURCE", request.need("SOURCE"), SOURCES)
    given = request.need("HOOK").removesuffix(lists.MASK)
    hooks = request.parameters.below(f"sources/{source}/hooks")
    found = [hook for hook in hooks if hook == given] or [
        hook for hook in hooks if hook.startswith(given) and len(given) >= lists.SHOWN_LETTERS
    ]
    if len(found) != 1:
        known = "no hook" if not found else f"{len(found)} hooks"
        raise StackError(
            f"HOOK: {known} of {source} with this id; give it, or as many letters as tell it apart"
        )
    return f"sources/{source}/hooks/{found[0]}"


def _existing(request: Request, name: str, what: str) -> Json:
    text = request.parameters.read(name).get(name)
    if text is None:
        raise StackError(f"there is no {what}")
    content = lists.object_of(text)
    if not content:
        raise StackError(f"{name} is not a JSON object: add it anew with FORCE=1")
    return content


def _remove(request: Request, name: str, what: str) -> None:
    if not request.parameters.read(name):
        raise StackError(f"there is no {what}")
    request.parameters.delete(name)


def _given(request: Request, *options: str) -> bool:
    return any(request.get(option) for option in options)


def _require_any(request: Request, *options: str) -> None:
    if not _given(request, *options):
        raise StackError(f"nothing to change: give one of {', '.join(options)}")
