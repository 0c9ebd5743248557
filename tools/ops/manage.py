"""Writes who may call, who is called, and which sources may report: the `make user-add` family.

    NAME=shop ROLE=partner ACCOUNTS=STORE001 STAGE=prod python tools/ops/manage.py user-add

What to do comes by the environment (make hands its variables over that way) and so never through a shell. Secrets are
made here, or read from standard input; they are written to SSM and shown once on standard output, everything else on
standard error.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys

from botocore.exceptions import BotoCoreError, ClientError

import installation
import rules
import sources
from config import StackError
from parameters import Parameters
from request import Request, token

WHEN = "In force within the stage's ConfigTtlSeconds (5 minutes unless set otherwise)."


def user_add(request: Request) -> str:
    name, role = request.name, rules.one_of("ROLE", request.need("ROLE"), rules.ROLES)
    accounts, password = rules.accounts(request.need("ACCOUNTS")), token()
    digest = hashlib.sha256(password.encode()).hexdigest()
    user = {"password_sha256": digest, "role": role, "accounts": accounts}
    request.parameters.write(f"users/{name}", user, secret=True, replace=request.force)
    request.show("password", password)
    return f"User {name} may call with Basic authentication as {role} of {', '.join(accounts)}."


def vendor_add(request: Request) -> str:
    name, account, secret = request.name, rules.account(request.need("ACCOUNT")), token()
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


COMMANDS = {
    "user-add": user_add,
    "vendor-add": vendor_add,
    "endpoint-add": endpoint_add,
    "endpoint-rotate": endpoint_rotate,
    "endpoint-remove": endpoint_remove,
    "source-set": sources.source_set,
    "shipway-add": sources.shipway_add,
    "hook-add": sources.hook_add,
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
