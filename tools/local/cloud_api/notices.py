"""Webhooks of Meta that are not about a message of ours: `POST /_notify`.

Sources: Meta's webhook references of the same names
(developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/…), and the
test data of the client pywa (tests/data/updates in github.com/david-lev/pywa) for `calls` and the
fields about templates. Values are made up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .bodies import Number, User, envelope, message_id, value
from .reading import read_dataclass, require, require_text

Json = dict[str, Any]

TEMPLATE = {
    "message_template_id": 806312974732579,
    "message_template_name": "order_update",
    "message_template_language": "en",
}


@dataclass(frozen=True)
class Notice:
    """A webhook in the field `field`."""

    field: str
    number: str | None = None
    # The shopper, in fields that name one.
    phone: str | None = None
    user_id: str | None = None
    # Replaces fields of the value.
    value: Json = field(default_factory=dict)
    # Replaces fields of the item in the value's list.
    item: Json = field(default_factory=dict)
    # The time in seconds; `None`: now.
    timestamp: int | None = None


def account_update(seconds: int) -> Json:
    """Other events: ACCOUNT_DELETED, ACCOUNT_VIOLATION, ACCOUNT_RESTRICTION with their infos."""
    date = datetime.fromtimestamp(seconds, timezone.utc).strftime("%B %d, %Y")
    return {
        "event": "DISABLED_UPDATE",
        "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": date},
    }


def account_review_update(_: int) -> Json:
    return {"decision": "APPROVED"}


def account_alerts(_: int) -> Json:
    return {
        "entity_type": "PHONE_NUMBER",
        "entity_id": 106540352242922,
        "alert_info": {
            "alert_severity": "CRITICAL",
            "alert_status": "ACTIVE",
            "alert_type": "OBA_APPROVED",
            "alert_description": "Sample alert",
        },
    }


def phone_number_quality_update(_: int) -> Json:
    """Until February 2026 also `current_limit`; other events: ONBOARDING, THROUGHPUT_UPGRADE."""
    return {"event": "FLAGGED", "max_daily_conversations_per_business": "TIER_1K"}


def phone_number_name_update(_: int) -> Json:
    name = "Example Shop"
    return {"decision": "APPROVED", "requested_verified_name": name, "rejection_reason": None}


def message_template_status_update(_: int) -> Json:
    return {"event": "PAUSED", **TEMPLATE, "reason": "NONE"}


def message_template_quality_update(_: int) -> Json:
    return {"previous_quality_score": "GREEN", "new_quality_score": "YELLOW", **TEMPLATE}


def template_category_update(_: int) -> Json:
    return {**TEMPLATE, "previous_category": "UTILITY", "new_category": "MARKETING"}


def user_preferences(notice: Notice, seconds: int, _: int) -> Json:
    item = {
        "wa_id": notice.phone,
        "user_id": notice.user_id,
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": seconds,
    }
    return {"user_preferences": [_known(item) | notice.item]}


def calls(notice: Notice, seconds: int, count: int) -> Json:
    """A call that the shopper made, at its end."""
    item = {
        "id": f"wacid.{message_id(notice.phone or '', count).removeprefix('wamid.')}",
        "from": notice.phone,
        "from_user_id": notice.user_id,
        "event": "terminate",
        "direction": "USER_INITIATED",
        "timestamp": str(seconds),
        "status": "COMPLETED",
        "start_time": str(seconds - 120),
        "end_time": str(seconds),
        "duration": 120,
    }
    return {"calls": [_known(item) | notice.item]}


def message_echo(notice: Notice, seconds: int, count: int) -> Json:
    """A message that the business wrote on its phone."""
    item = {
        "to": notice.phone,
        "to_user_id": notice.user_id,
        "id": message_id(notice.phone or notice.user_id or "", count),
        "timestamp": str(seconds),
        "type": "text",
        "text": {"body": "Shipped today"},
    }
    return {"message_echoes": [_known(item) | notice.item]}


# About a business account: no metadata, and the time beside the value.
OF_ACCOUNT: dict[str, Callable[[int], Json]] = {
    build.__name__: build
    for build in (
        *(account_update, account_review_update, account_alerts),
        *(phone_number_quality_update, phone_number_name_update),
        *(message_template_status_update, message_template_quality_update),
        template_category_update,
    )
}
OF_USER: dict[str, Callable[[Notice, int, int], Json]] = {
    "user_preferences": user_preferences,
    "calls": calls,
    "smb_message_echoes": message_echo,
    "message_echoes": message_echo,
}


def body(notice: Notice, number: Number, now: float, count: int) -> bytes:
    """The webhook; `count` makes its ids unique. A field of no table has the value as given."""
    seconds = int(now) if notice.timestamp is None else notice.timestamp
    account = number.business_account
    if notice.field in OF_ACCOUNT:
        made = OF_ACCOUNT[notice.field](seconds)
        if notice.field.startswith("phone_number"):
            made = {"display_phone_number": number.display_phone_number} | made
        return envelope(account, notice.field, made | notice.value, seconds)
    if notice.field not in OF_USER:
        return envelope(account, notice.field, value(number, notice.value))
    made = OF_USER[notice.field](notice, seconds, count)
    made["contacts"] = [User(notice.phone, notice.user_id).contact()]
    for item in made.get("message_echoes", []):
        item.setdefault("from", number.display_phone_number)
    for item in made.get("calls", []):
        item.setdefault("to", number.display_phone_number)
    return envelope(account, notice.field, value(number, made | notice.value))


def read(given: Any) -> Notice:
    notice = read_dataclass(Notice, given, "notice")
    require(isinstance(notice.field, str), "notice.field must be a text")
    for name in ("number", "phone", "user_id"):
        require_text(getattr(notice, name), f"notice.{name}")
    for name in ("value", "item"):
        require(isinstance(getattr(notice, name), dict), f"notice.{name} must be an object")
    require(notice.timestamp is None or type(notice.timestamp) is int, "notice.timestamp: seconds")
    if notice.field in OF_USER:
        require(bool(notice.phone or notice.user_id), f"{notice.field} wants phone or user_id")
    return notice


def _known(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
