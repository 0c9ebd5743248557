"""Reads a request to send a template, and refuses what the Cloud API refuses.

Sources: Meta's "Messages API" and "Business-scoped user IDs"; contract of the fields
`to` and `recipient` as implemented by the client pywa 4.5.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from . import templates
from .errors import Refused
from .templates import Template, Templates

Json = dict[str, Any]

KNOWN = {
    *("messaging_product", "recipient_type", "to", "recipient", "type", "template"),
    *("biz_opaque_callback_data", "context", "recipient_identity_key_hash"),
}
MAX_CALLBACK_DATA = 512
PHONE = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
USER_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
BOTH = "Specify either to or recipient"


@dataclass(frozen=True)
class Send:
    """A request that the API accepts."""

    # As given in `to` or `recipient`.
    given: str
    phone: str | None
    user_id: str | None
    # A user id in `to`: answered like any other, and dropped.
    dropped: bool
    template: str
    language: str
    category: str
    callback_data: str | None
    body: Json

    @property
    def user(self) -> str:
        """The phone number, else the user id."""
        return self.phone or self.user_id or ""


def read(text: bytes, known: Templates, country_code: str) -> Send:
    """Reads the body of a request from a number of this country."""
    body = _object(text)
    if body.get("messaging_product") != "whatsapp":
        raise Refused(100, "The parameter messaging_product is required.")
    unknown = sorted(body.keys() - KNOWN)
    if unknown:
        raise Refused(100, f'Unexpected key "{unknown[0]}" on param "messages".')
    if body.get("recipient_type", "individual") != "individual":
        raise Refused(100, "Param recipient_type must be one of {INDIVIDUAL}")
    if body.get("type") != "template":
        raise Refused(100, "Param type must be one of {TEMPLATE}: the double sends no others")
    name, language, template = _template(body.get("template"), known)
    phone, user_id = _recipient(body, country_code)
    return Send(
        given=body.get("to") or body["recipient"],
        phone=phone,
        user_id=user_id,
        dropped="to" in body and user_id is not None,
        template=name,
        language=language,
        category=template.category,
        callback_data=_callback_data(body),
        body=body,
    )


def outline(text: bytes) -> tuple[str | None, str | None, str | None]:
    """Recipient, template and callback data of any request, as far as it has them."""
    try:
        body = _object(text)
    except Refused:
        return None, None, None
    template = body.get("template")
    name = template.get("name") if isinstance(template, dict) else None
    found = (body.get("to") or body.get("recipient"), name, body.get("biz_opaque_callback_data"))
    recipient, name, data = (value if isinstance(value, str) else None for value in found)
    return recipient and recipient.removeprefix("+"), name, data


def _object(text: bytes) -> Json:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(100, "The parameter messaging_product is required.")
    return body


def _recipient(body: Json, country_code: str) -> tuple[str | None, str | None]:
    """The digits of the phone number, and the user id."""
    if ("to" in body) == ("recipient" in body):
        raise Refused(100, BOTH if "to" in body else "The parameter to is required.")
    if "recipient" in body:
        if "recipient_type" not in body:
            raise Refused(100, 'recipient wants recipient_type "individual"')
        return None, _user_id(body["recipient"], "recipient")
    to = body["to"]
    if not isinstance(to, str) or not PHONE.fullmatch(to):
        return None, _user_id(to, "to")
    # Without a plus sign, the country code of the business is put before the number.
    if not to.startswith(("+", country_code)):
        to = country_code + to
    return to.removeprefix("+"), None


def _user_id(value: Any, field: str) -> str:
    if not isinstance(value, str) or not USER_ID.fullmatch(value):
        raise Refused(131009, f"Parameter value is not valid: {field}")
    return value


def _callback_data(body: Json) -> str | None:
    data = body.get("biz_opaque_callback_data")
    if data is not None and (not isinstance(data, str) or len(data) > MAX_CALLBACK_DATA):
        longest = f"biz_opaque_callback_data must be a string of at most {MAX_CALLBACK_DATA}"
        raise Refused(100, longest)
    return data


def _template(value: Any, known: Templates) -> tuple[str, str, Template]:
    if not isinstance(value, dict):
        raise Refused(131008, "Parameter of type template is missing")
    unknown = sorted(value.keys() - {"name", "language", "components"})
    if unknown:
        raise Refused(100, f'Unexpected key "{unknown[0]}" on param "template".')
    name, language = value.get("name"), value.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    if not isinstance(name, str) or not isinstance(code, str):
        raise Refused(131008, "template wants name and language.code")
    components = value.get("components", [])
    if not isinstance(components, list) or not all(map(_is_component, components)):
        raise Refused(100, 'Param template["components"] must be a list of objects with a type')
    template = templates.find(known, name, code)
    template.check(components)
    return name, code, template


def _is_component(value: Any) -> bool:
    known = {"type", "sub_type", "index", "parameters"}
    return isinstance(value, dict) and "type" in value and value.keys() <= known
