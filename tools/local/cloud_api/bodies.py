"""Bodies of webhooks about messages: statuses, and answers of shoppers.

Sources: Meta's "Status messages webhook reference" and "Messages webhook reference", with the
fields of API version 24 and later: `pricing` by message (PMP), and no `conversation` except of a
free entry point; "Business-scoped user IDs" for the ids of users. A status in the tests of the
client hiws 0.10 has the same fields.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from . import errors
from .records import Message
from .rules import Step

Json = dict[str, Any]

FREE_ENTRY_SECONDS = 72 * 3600
# Calling code → country of a user id. Of others: ZZ.
COUNTRIES = {"91": "IN", "1": "US"}


@dataclass(frozen=True)
class Number:
    """A phone number of the business."""

    id: str
    display_phone_number: str = "15550783881"
    business_account: str = "102290129340398"
    country_code: str = "1"
    messages_per_second: int = 80


@dataclass(frozen=True)
class User:
    """A shopper; one of the ids is known at least."""

    phone: str | None
    user_id: str | None

    def contact(self, name: str | None = None) -> Json:
        contact = {"profile": {"name": name}, "wa_id": self.phone, "user_id": self.user_id}
        return _known(contact | {"profile": contact["profile"] if name else None})


def user_id_of(phone: str) -> str:
    """The user id that the double gives to a phone number."""
    country = next((name for code, name in COUNTRIES.items() if phone.startswith(code)), "ZZ")
    digits = int(hashlib.sha256(phone.encode()).hexdigest(), 16) % 10**20
    return f"{country}.{digits:020}"


def message_id(user: str, count: int, *, by_user: bool = False) -> str:
    """A message id, which contains the user's number like those of Meta."""
    random = hashlib.sha256(f"{user} {count}".encode()).hexdigest()[:18].upper()
    party = user.encode()[:40]
    kind = b"\x15\x02\x00\x12\x18\x12" if by_user else b"\x15\x02\x00\x11\x18\x12"
    binary = b"\x1c\x18" + bytes([len(party)]) + party + kind + random.encode() + b"\x00"
    return f"wamid.{b64encode(binary).decode()}"


def envelope(account: str, field: str, value: Json, seconds: int | None = None) -> bytes:
    """A webhook with one change. Webhooks about messages have no `time`."""
    entry: Json = {"id": account, "changes": [{"value": value, "field": field}]}
    if seconds is not None:
        entry["time"] = seconds
    body = {"object": "whatsapp_business_account", "entry": [entry]}
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def value(number: Number, more: Json) -> Json:
    """The value of a change about a number."""
    metadata = {
        "display_phone_number": number.display_phone_number,
        "phone_number_id": number.id,
    }
    return {"messaging_product": "whatsapp", "metadata": metadata} | more


def status(
    number: Number, user: User, message: Message, step: Step, at: float, price: Json | None
) -> bytes:
    """A status of a message at a time in seconds."""
    item: Json = {
        "id": message.id,
        "status": step.status,
        "timestamp": str(int(at)),
        "recipient_id": user.phone,
        "recipient_user_id": user.user_id,
        "biz_opaque_callback_data": message.callback_data,
        "conversation": _conversation(message, step, at) if message.rule.free_entry_point else None,
        "pricing": price,
        "errors": [errors.of_status(step.error)] if step.error is not None else None,
    }
    more: Json = {"statuses": [_known(item) | step.fields]}
    if step.status != "failed":
        more["contacts"] = [user.contact()]
    return envelope(number.business_account, "messages", value(number, more))


def _conversation(message: Message, step: Step, at: float) -> Json:
    conversation: Json = {"id": hashlib.sha256(message.id.encode()).hexdigest()[:32]}
    if step.status == "sent":
        conversation["expiration_timestamp"] = str(int(at) + FREE_ENTRY_SECONDS)
    return conversation | {"origin": {"type": "referral_conversion"}}


def pricing(message: Message) -> Json:
    """`pricing` of `sent`, and of `delivered` or `read`."""
    free = message.rule.free_entry_point
    return {
        "billable": not free,
        "pricing_model": "PMP",
        "type": "free_entry_point" if free else "regular",
        "category": message.category,
    } | message.rule.pricing


def shopper_message(
    number: Number, user: User, name: str | None, message: Json, answers: str | None
) -> bytes:
    """A message of a shopper; `message` has id, timestamp, type and content."""
    item: Json = {"from": user.phone, "from_user_id": user.user_id}
    if answers:
        item["context"] = {"from": number.display_phone_number, "id": answers}
    more = {"contacts": [user.contact(name)], "messages": [_known(item) | message]}
    return envelope(number.business_account, "messages", value(number, more))


def _known(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}
