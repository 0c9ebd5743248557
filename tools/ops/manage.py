"""Users, vendors, webhook endpoints and sources in SSM: `make user-add` and its siblings.

    NAME=shop ROLE=partner ACCOUNTS=STORE001 STAGE=prod python tools/ops/manage.py user-add

Options come from the environment, where make puts its variables, so no shell parses them. Secrets
are generated here or read from standard input, written to SSM, and printed once on standard output.
All other output goes to standard error.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys

from botocore.exceptions import BotoCoreError, ClientError

import changes
import health
import installation
import lists
import options
import pages
import pusher
import rules
import sends
import sources
from config import StackError
from parameters import Parameters
from request import Request, require_known_options, token

DEFAULT_TTL_SECONDS = "300"  # of ConfigTtlSeconds in template.yaml


def user_add(request: Request) -> str:
    name, role = request.name, rules.one_of("ROLE", request.need("ROLE"), rules.ROLES)
    accounts, password = rules.accounts(request.need("ACCOUNTS")), token()
    digest = hashlib.sha256(password.encode()).hexdigest()
    user = {"password_sha256": digest, "role": role, "accounts": accounts}
    request.parameters.write(f"users/{name}", user, secret=True, replace=request.force)
    request.show("password", password)
    return f"User {name} can call with Basic auth as {role} of {', '.join(accounts)}."


def vendor_add(request: Request) -> str:
    name, account, secret = request.name, rules.account(request.need("ACCOUNT")), token()
    vendor = {"secret": secret, "account": account}
    request.parameters.write(f"vendors/{name}", vendor, secret=True, replace=request.force)
    request.show("secret", secret)
    return f"Vendor {name} can call for {account}: header x-vendor-server-secret with the secret."


def endpoint_add(request: Request) -> str:
    name, accounts = request.name, rules.accounts(request.need("ACCOUNTS"))
    form = rules.one_of("FORMAT", request.need("FORMAT"), rules.FORMATS)
    url = rules.endpoint_url(request.need("URL"), local=request.local)
    settings = changes.changed_settings(request, {})
    secret, parts = _signing_secret(request), _Endpoint(name)
    legacy = changes.legacy_secret(request)
    if request.force:
        # Removed first: the old URL must never be used with the new accounts, nor the new URL with
        # the old legacy secret.
        _remove(request, parts)
    else:
        request.parameters.require_none(
            *parts.all, force="replaces the endpoint, with a new secret"
        )
    request.parameters.write(parts.settings, settings)
    request.parameters.write(parts.secret, secret, secret=True)
    if legacy:
        request.parameters.write(parts.legacy_secret, legacy, secret=True)
    # Last: an endpoint exists once it has a URL, so no delivery uses an incomplete one.
    request.parameters.write(parts.url, url)
    _show_generated(request, secret)
    return (
        f"Endpoint {name} at {rules.readable_host(url)} receives {form} "
        f"for {', '.join(accounts)}, signed with the secret."
    )


def endpoint_rotate(request: Request) -> str:
    parts = _Endpoint(request.name)
    current = request.parameters.read(parts.secret).get(parts.secret, "").split()
    if not current:
        raise StackError(f"there is no endpoint {request.name} with a secret")
    if request.get("FINISH") == "1":
        if len(current) == 1:
            raise StackError(f"{request.name} has one secret: no rotation to finish")
        request.parameters.write(parts.secret, current[0], secret=True, replace=True)
        return f"Deliveries to {request.name} are signed with the newer secret only."
    if len(current) > 1 and not request.force:
        raise StackError(
            f"{request.name} has two secrets: "
            "FINISH=1 drops the old one, FORCE=1 replaces the new one"
        )
    new = _signing_secret(request)
    request.parameters.write(parts.secret, f"{new} {current[-1]}", secret=True, replace=True)
    _show_generated(request, new)
    return (
        f"Deliveries to {request.name} are signed with both secrets. "
        "Use FINISH=1 once its owner verifies with the new one."
    )


def endpoint_remove(request: Request) -> str:
    parts = _Endpoint(request.name)
    if not request.parameters.read(*parts.all):
        raise StackError(f"there is no endpoint {request.name}")
    _remove(request, parts)
    return (
        f"Endpoint {request.name} is removed. "
        "Its waiting deliveries end as dead with the reason endpoint_removed."
    )


LISTS = {
    "users": lists.users,
    "vendors": lists.vendors,
    "sources": lists.sources,
    "hooks": lists.hooks,
    "endpoints": lists.endpoints,
    "rules-show": sends.rules_show,
}
COMMANDS = {
    "user-add": user_add,
    "vendor-add": vendor_add,
    "endpoint-add": endpoint_add,
    "endpoint-rotate": endpoint_rotate,
    "endpoint-remove": endpoint_remove,
    "source-set": sources.source_set,
    "source-rotate": sources.source_rotate,
    "shipway-add": sources.shipway_add,
    "hook-add": sources.hook_add,
    "user-set": changes.user_set,
    "user-remove": changes.user_remove,
    "vendor-set": changes.vendor_set,
    "vendor-remove": changes.vendor_remove,
    "source-remove": changes.source_remove,
    "shipway-remove": changes.shipway_remove,
    "hook-set": changes.hook_set,
    "hook-remove": changes.hook_remove,
    "endpoint-set": changes.endpoint_set,
    "tracking-set": pages.tracking_set,
    "tracking-rotate": pages.tracking_rotate,
    "tracking-remove": pages.tracking_remove,
    "page-set": pages.page_set,
    "page-remove": pages.page_remove,
    "pusher-set": pusher.pusher_set,
    "pusher-remove": pusher.pusher_remove,
    "rules-set": sends.rules_set,
    "rules-remove": sends.rules_remove,
    **LISTS,
}


class _Endpoint:
    """Names of an endpoint's parameters."""

    def __init__(self, name: str) -> None:
        self.url, self.secret, self.legacy_secret, self.settings = self.all = [
            f"endpoints/{name}/{part}" for part in ("url", "secret", "legacy_secret", "settings")
        ]


def _remove(request: Request, parts: _Endpoint) -> None:
    """Deletes the URL first, which ends new deliveries to the endpoint."""
    request.parameters.delete(parts.url)
    request.parameters.delete(parts.settings, parts.secret, parts.legacy_secret)


def _signing_secret(request: Request) -> str:
    """A given or a new secret in the format of Standard Webhooks."""

    def new() -> str:
        return rules.SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()

    return rules.signing_secret("SECRET", request.secret("SECRET", new))


def _show_generated(request: Request, secret: str) -> None:
    if not request.get("SECRET"):
        request.show("secret", secret)


def main(command: str) -> int:
    try:
        stage = os.environ.get("STAGE") or _missing_stage()
        require_known_options(os.environ)
        options.check(command, os.environ)
        where = installation.find(stage, os.environ.get("REGION", ""))
        effect = _effect(where.stack_parameters())
        parameters = Parameters(where.client("ssm"), where.prefix)
        request = Request(os.environ, parameters, where.is_local, sys.stdin, sys.stdout)
        message = COMMANDS[command](request)
        if command == "endpoint-add":
            message += health.of_new_endpoint(where, request.name)
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    written = "" if command in LISTS else f"\nWritten to {where.prefix}/ ({where.region}). {effect}"
    print(f"{message}{written}", file=sys.stderr)
    return 0


def _effect(template: dict[str, str]) -> str:
    seconds = template.get("ConfigTtlSeconds", DEFAULT_TTL_SECONDS)
    unit = "second" if seconds == "1" else "seconds"
    return f"It takes effect within about {seconds} {unit} (ConfigTtlSeconds)."


def _missing_stage() -> str:
    raise StackError("STAGE=… is missing: local, or a deployed stage such as dev or prod")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
