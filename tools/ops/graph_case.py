"""A double of the Cloud API, and what tests send to it."""

from __future__ import annotations

import json
import unittest
from typing import Any

from cloud_api.records import Outgoing
from cloud_api.state import CloudApi

TOKEN, NUMBER, PHONE = "token", "106540352242922", "+919000000001"
USER_ID = "IN.13491208655302741918"
NOW = 1_790_000_000.0

Json = dict[str, Any]


def texts(*values: str) -> list[Json]:
    return [{"type": "text", "text": value} for value in values]


def template(*body: str, name: str = "order_update", language: str = "en") -> Json:
    return {
        "name": name,
        "language": {"code": language},
        "components": [{"type": "body", "parameters": texts(*body)}],
    }


def request(**more: Any) -> Json:
    """A request that is accepted; `None` leaves a field out."""
    fields = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "template",
        "template": template("Asha", "ORD1001", "today"),
        "biz_opaque_callback_data": "wa_1",
        **more,
    }
    return {name: value for name, value in fields.items() if value is not None}


def change(webhook: Outgoing) -> Json:
    """The only change in a webhook."""
    [entry] = json.loads(webhook.body)["entry"]
    [only] = entry["changes"]
    return only


class GraphCase(unittest.TestCase):
    def setUp(self) -> None:
        self.api = CloudApi(TOKEN, [NUMBER])

    def send(self, body: Any = None, at: float = NOW, token: str = TOKEN) -> tuple[int, Json]:
        """HTTP status and body of the answer; the webhooks are in `self.webhooks`."""
        text = body if isinstance(body, bytes) else json.dumps(body or request()).encode()
        self.response, self.webhooks = self.api.send(NUMBER, token, text, at)
        return self.response.status, json.loads(self.response.body)

    def accept(self, at: float = NOW, **more: Any) -> str:
        """The id of a message that is accepted."""
        status, answer = self.send(request(**more), at)
        self.assertEqual(status, 200, answer)
        return answer["messages"][0]["id"]

    def code(self, body: Any = None, at: float = NOW, token: str = TOKEN) -> tuple[int, int]:
        """HTTP status and code of a refusal."""
        status, answer = self.send(body, at, token)
        self.assertIn("error", answer)
        self.assertEqual(self.webhooks, [])
        return status, answer["error"]["code"]

    def rule(self, **rule: Any) -> None:
        self.api.control({"rule": rule})

    def statuses(self) -> list[Json]:
        """The statuses in the webhooks, in the order in which they are due."""
        due = sorted(self.webhooks, key=lambda webhook: webhook.after_seconds)
        return [change(webhook)["value"]["statuses"][0] for webhook in due]
