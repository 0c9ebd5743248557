"""The secrets of a source: two count while one replaces the other, the newer first.

A secret of one value is plain text, two separated by a space. A secret of several values is a JSON
object; a value that changes is a list of two.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import rules
from config import StackError
from request import Request, token

Json = dict[str, Any]
T = TypeVar("T")


def plain(request: Request, before: str) -> str:
    """The given secret, or a generated one, and the newest of those before."""
    new = request.secret("SECRET", token)
    if new.split() != [new]:
        raise StackError("SECRET: must not contain spaces, which separate two secrets")
    return " ".join(_rotated(new, before.split()))


def app_secret(request: Request, known: Json) -> Json:
    """The new app secret beside the previous one, which stays valid while Meta switches over."""
    new = request.given_secret("SECRET", "the app's secret, from Meta's app dashboard")
    app_secrets = _rotated(new, _listed(known.get("app_secret", [])))
    return {"verify_token": token()} | known | {"app_secret": app_secrets}


def access_token(request: Request, known: Json) -> Json:
    """The token that sends messages, in place of the present one; `none` removes it."""
    others = {name: value for name, value in known.items() if name != "access_token"}
    if request.get("ACCESS_TOKEN") == "none":
        return others
    given = request.given_secret("ACCESS_TOKEN", "the token of a system user, from Meta")
    return others | {"access_token": rules.header_value("ACCESS_TOKEN", given)}


def credentials(request: Request, known: Json) -> Json:
    """The new pair of e-mail address and license key beside the previous one.

    The previous one stays valid for webhooks while Shipway switches over.
    """
    emails, keys = _listed(known.get("email", [])), _listed(known.get("license_key", []))
    email = request.get("EMAIL") or (emails[0] if emails else request.need("EMAIL"))
    key = request.given_secret("SECRET", "the license key, from Shipway's panel")
    before = zip(_repeated(emails, keys), _repeated(keys, emails), strict=True)
    pairs = _rotated((email, key), list(before))
    return {
        "email": _compact([email for email, _ in pairs]),
        "license_key": _compact([key for _, key in pairs]),
    }


def is_double(secret: str | Json) -> bool:
    """Two values count."""
    if isinstance(secret, str):
        return len(secret.split()) > 1
    return any(isinstance(value, list) and len(value) > 1 for value in secret.values())


def newest(secret: str) -> str | Json:
    return _pick(secret, 0)


def oldest(secret: str) -> str | Json:
    return _pick(secret, -1)


def _pick(secret: str, index: int) -> str | Json:
    if not secret.lstrip().startswith("{"):
        return secret.split()[index]
    return {name: _listed(value)[index] for name, value in json.loads(secret).items()}


def _rotated(new: T, before: list[T]) -> list[T]:
    return [new, *(secret for secret in before if secret != new)][:2]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _repeated(values: list[str], others: list[str]) -> list[str]:
    """As many values as there are others: the last one goes with all the rest."""
    return values + values[-1:] * (len(others) - len(values))


def _compact(values: list[str]) -> str | list[str]:
    return values[0] if len(set(values)) == 1 else values
