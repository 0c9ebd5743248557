"""Errors of the Cloud API.

Source of codes and titles: Meta's "WhatsApp error codes"
(developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes). Its HTTP
statuses and those in published logs differ: a client must decide by the code, and a script of the
double may name another status.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

_traces = itertools.count()

# Code → HTTP status, title.
KNOWN: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (500, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Invalid OAuth access token - Cannot parse access token"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    2500: (400, "Unknown path components"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131031: (403, "Account has been locked"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped receiving marketing messages"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    131062: (400, "Business-scoped user id recipients are not supported"),
    131064: (400, "Message failed to reach messaging limit"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Translated text too long"),
    132007: (400, "Template content policy violation"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "There's an issue with the parameters in your template"),
    132068: (400, "Flow is in blocked state"),
    132069: (400, "Flow is in throttled state"),
    133004: (503, "Server temporarily unavailable"),
    133016: (400, "Account register deregister rate limit exceeded"),
    137000: (400, "Recipient identity key hash mismatch"),
}

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class Refused(Exception):
    """The API answers a request with an error."""

    def __init__(self, code: int, details: str = "", http_status: int | None = None) -> None:
        super().__init__(code, details)
        status, self.title = KNOWN.get(code, (400, "Unknown error"))
        self.code = code
        self.details = details or self.title
        self.http_status = http_status or status

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        trace = hashlib.sha256(str(next(_traces)).encode()).hexdigest()
        error: dict[str, Any] = {
            "message": f"(#{self.code}) {self.title}",
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": f"A{trace[:22]}",
        }
        return {"error": error}


class InvalidToken(Refused):
    """Graph itself answers, as captured in the tests of the client whatsapp-client 0.2."""

    def __init__(self) -> None:
        super().__init__(190)

    def body(self) -> dict[str, Any]:
        error = super().body()["error"] | {"message": self.title}
        del error["error_data"]
        return {"error": error}


class UnknownObject(Refused):
    """No phone number has the id of the path. Graph itself answers, not the Cloud API."""

    def __init__(self, number: str) -> None:
        super().__init__(100)
        self.number = number

    def body(self) -> dict[str, Any]:
        message = (
            f"Unsupported post request. Object with ID '{self.number}' does not exist, cannot be "
            "loaded due to missing permissions, or does not support this operation"
        )
        error = super().body()["error"] | {"message": message, "type": "GraphMethodException"}
        del error["error_data"]
        return {"error": error | {"error_subcode": 33}}


def of_status(code: int, details: str | None = None) -> dict[str, Any]:
    """An item of `errors` of a status `failed`."""
    title = KNOWN.get(code, (400, "Unknown error"))[1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details or title},
        "href": HREF,
    }
