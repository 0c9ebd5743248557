"""The rules by which orders send messages to shoppers: `make rules-set` and its siblings."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import message_rules
import rules
from config import StackError
from request import Request

SETTINGS = "sources/whatsapp/settings"


def rules_set(request: Request) -> str:
    """Replaces the rules by those of a file."""
    account, path = rules.account(request.need("ACCOUNT")), request.need("FILE")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"FILE={path}: cannot be read as UTF-8 text") from error
    try:
        given = message_rules.parse(text)
    except StackError as error:
        raise StackError(f"{path}: {error}") from error
    if not request.force:
        _check_number(request, account, given["phone_number_id"])
    request.parameters.write(_parameter(account), given, replace=True)
    count = len(given.get("rules", []))
    effect = "are only shown (dry_run)" if given.get("dry_run") else "are sent"
    return f"Orders of {account} have {count} rules, whose messages {effect}."


def rules_show(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    text = _present(request, account)
    shown = text
    with contextlib.suppress(ValueError):
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    request.print(shown)
    try:
        message_rules.parse(text)
    except StackError as error:
        return f"The rules of {account} are invalid, so nothing is sent: {error}"
    return f"The rules of {account} are valid."


def rules_remove(request: Request) -> str:
    account = rules.account(request.need("ACCOUNT"))
    _present(request, account)
    request.parameters.delete(_parameter(account))
    return f"Orders of {account} send no messages. Those that wait are not sent either."


def _check_number(request: Request, account: str, number: str) -> None:
    """A message of another account's number ends as `failed`."""
    try:
        numbers = json.loads(request.parameters.read(SETTINGS).get(SETTINGS, "{}"))["phone_numbers"]
        owner = numbers.get(number)
    except (ValueError, TypeError, KeyError, AttributeError):
        owner = None
    if owner != account:
        raise StackError(
            f"phone_number_id: is no number of {account} (`make sources` lists them; "
            "`make source-set SOURCE=whatsapp PHONE_NUMBERS=…` adds one); FORCE=1 writes it anyway"
        )


def _present(request: Request, account: str) -> str:
    name = _parameter(account)
    text = request.parameters.read(name).get(name)
    if text is None:
        raise StackError(f"{account} has no rules")
    return text


def _parameter(account: str) -> str:
    return f"accounts/{account}/messages"
