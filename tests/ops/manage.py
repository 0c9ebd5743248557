"""Writes who may call, who is called, and which sources may report: the `make user-add` family.

    NAME=shop ROLE=partner ACCOUNTS=STORE001 STAGE=prod python tests/ops/manage.py user-add

What to do comes by the environment (make hands its variables over that way) and so never through a shell. Secrets are
made here, or read from standard input; they are written to SSM and shown once on standard output, everything else on
standard error.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from botocore.exceptions import BotoCoreError, ClientError

import installation
import rules
from config import StackError
from parameters import Parameters

FROM_STDIN = "stdin"
WHEN = "In force within the stage's ConfigTtlSeconds (5 minutes unless set otherwise)."


@dataclass(frozen=True)
class Request:
    """What was asked for, and where it goes."""

    variables: Mapping[str, str]
    parameters: Parameters
    local: bool
    stdin: TextIO
    stdout: TextIO

    def get(self, variable: str) -> str:
        return self.variables.get(variable, "")

    def need(self, variable: str) -> str:
        value = self.get(variable)
        if not value:
            raise StackError(f"{variable}=… is missing")
        return value

    @property
    def name(self) -> str:
        return rules.name(self.need("NAME"))

    @property
    def force(self) -> bool:
        return self.get("FORCE") == "1"

    def secret(self, variable: str, new: Callable[[], str]) -> str:
        """A new one, unless `VARIABLE=stdin` says that it comes as a line of standard input."""
        given = self.get(variable)
        if not given:
            return new()
        if given != FROM_STDIN:
            raise StackError(f"{variable}: a secret in a command can be seen by others; say {variable}={FROM_STDIN}")
        line = self.stdin.readline().strip()
        if not line:
            raise StackError(f"{variable}={FROM_STDIN}, but there is no line on standard input")
        return line

    def show(self, what: str, secret: str) -> None:
        """The one time that it can be seen."""
        print(f"{what}: {secret}", file=self.stdout, flush=True)


def user_add(request: Request) -> str:
    name, role = request.name, rules.one_of("ROLE", request.need("ROLE"), rules.ROLES)
    accounts, password = rules.accounts(request.need("ACCOUNTS")), _token()
    digest = hashlib.sha256(password.encode()).hexdigest()
    user = {"password_sha256": digest, "role": role, "accounts": accounts}
    request.parameters.write(f"users/{name}", user, secret=True, replace=request.force)
    request.show("password", password)
    return f"User {name} may call with Basic authentication as {role} of {', '.join(accounts)}."


def vendor_add(request: Request) -> str:
    name, account, secret = request.name, rules.account(request.need("ACCOUNT")), _token()
    vendor = {"secret": secret, "account": account}
    request.parameters.write(f"vendors/{name}", vendor, secret=True, replace=request.force)
    request.show("secret", secret)
    return f"Vendor {name} may call for {account} with the secret as header x-vendor-server-secret."


def endpoint_add(request: Request) -> str:
    name, accounts = request.name, rules.accounts(request.need("ACCOUNTS"))
    form = rules.one_of("FORMAT", request.need("FORMAT"), rules.FORMATS)
    url = rules.endpoint_url(request.need("URL"), local=request.local)
    legacy = request.secret("LEGACY_SECRET", lambda: "")
    secret, parts = _signing_secret(), _Endpoint(name)
    if request.force:
        # Away first: the old URL must never meet the new accounts, nor the new one the old legacy secret.
        _remove(request, parts)
    else:
        request.parameters.require_none(*parts.all)
    request.parameters.write(parts.settings, {"format": form, "accounts": accounts})
    request.parameters.write(parts.secret, secret, secret=True)
    if legacy:
        request.parameters.write(parts.legacy_secret, legacy, secret=True)
    # Last: an endpoint without a URL does not exist yet, so nothing is ever sent to half of one.
    request.parameters.write(parts.url, url)
    request.show("secret", secret)
    return f"Endpoint {name} gets {form} about {', '.join(accounts)}, signed with the secret."


def endpoint_rotate(request: Request) -> str:
    parts = _Endpoint(request.name)
    current = request.parameters.read(parts.secret).get(parts.secret, "").split()
    if not current:
        raise StackError(f"there is no endpoint {request.name} with a secret")
    if request.get("FINISH") == "1":
        if len(current) == 1:
            raise StackError(f"{request.name} has one secret: there is nothing to finish")
        request.parameters.write(parts.secret, current[0], secret=True, replace=True)
        return f"Endpoint {request.name} is signed for with its newer secret alone."
    if len(current) > 1 and not request.force:
        raise StackError(f"{request.name} has two secrets: FINISH=1 drops the old one, FORCE=1 replaces the new one")
    new = _signing_secret()
    request.parameters.write(parts.secret, f"{new} {current[-1]}", secret=True, replace=True)
    request.show("secret", new)
    return f"Endpoint {request.name} is signed for with both. Once its owner checks with the new one: FINISH=1."


def endpoint_remove(request: Request) -> str:
    parts = _Endpoint(request.name)
    if not request.parameters.read(*parts.all):
        raise StackError(f"there is no endpoint {request.name}")
    _remove(request, parts)
    return f"Endpoint {request.name} is removed. What still waits for it ends dead, reason endpoint_removed."


def source_set(request: Request) -> str:
    source = rules.one_of("SOURCE", request.need("SOURCE"), tuple(rules.MODES))
    given = {
        "mode": rules.one_of("MODE", request.get("MODE") or rules.MODES[source][0], rules.MODES[source]),
        "account": rules.account(request.need("ACCOUNT")),
    }
    if request.get("ALLOWED_IPS"):
        given["allowed_ips"] = rules.addresses(request.get("ALLOWED_IPS"))
    settings, secret = f"sources/{source}/settings", f"sources/{source}/secret"
    if not request.force:
        request.parameters.require_none(settings, secret)
    # What was set beside it stays: dropping a list of addresses unasked would open what it closes.
    kept = _object(settings, request.parameters.read(settings).get(settings, "{}"))
    token = request.secret("SECRET", _token)
    # Settings last: a source without them is not set up yet.
    request.parameters.write(secret, token, secret=True, replace=request.force)
    request.parameters.write(settings, kept | given, replace=request.force)
    if request.get("SECRET") != FROM_STDIN:
        request.show("secret", token)
    return f"Webhooks of {source} are for {given['account']}, checked by {given['mode']}."


COMMANDS = {
    "user-add": user_add,
    "vendor-add": vendor_add,
    "endpoint-add": endpoint_add,
    "endpoint-rotate": endpoint_rotate,
    "endpoint-remove": endpoint_remove,
    "source-set": source_set,
}


class _Endpoint:
    """An endpoint's parameters."""

    def __init__(self, name: str) -> None:
        self.url, self.secret, self.legacy_secret, self.settings = self.all = [
            f"endpoints/{name}/{part}" for part in ("url", "secret", "legacy_secret", "settings")
        ]


def _remove(request: Request, parts: _Endpoint) -> None:
    """The URL first: without it nothing more is made for the endpoint."""
    request.parameters.delete(parts.url)
    request.parameters.delete(parts.settings, parts.secret, parts.legacy_secret)


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StackError(f"{name} is there and is no JSON object: put it right or delete it")
    return value


def _token() -> str:
    return secrets.token_urlsafe(24)


def _signing_secret() -> str:
    """As Standard Webhooks writes them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def main(command: str) -> int:
    try:
        stage = os.environ.get("STAGE") or _missing_stage()
        where = installation.find(stage, os.environ.get("REGION", ""))
        parameters = Parameters(where.client("ssm"), where.prefix)
        request = Request(os.environ, parameters, where.is_local, sys.stdin, sys.stdout)
        done = COMMANDS[command](request)
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{done}\nWritten below {where.prefix}/ ({where.region}). {WHEN}", file=sys.stderr)
    return 0


def _missing_stage() -> str:
    raise StackError("STAGE=… is missing: local, or one that was deployed, as dev or prod")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
