"""The double of WhatsApp's Cloud API: the statuses that follow a message."""

from __future__ import annotations

import unittest

from cloud_api.bodies import user_id_of
from cloud_api.reading import InvalidControl
from graph_case import NOW, NUMBER, PHONE, USER_ID, GraphCase, change

DIGITS = PHONE.removeprefix("+")


class Statuses(GraphCase):
    def test_reports_sent_delivered_and_read(self) -> None:
        message = self.accept()
        self.assertEqual(
            [item["status"] for item in self.statuses()], ["sent", "delivered", "read"]
        )
        sent, _, read = self.statuses()
        pricing = {"billable": True, "pricing_model": "PMP", "type": "regular"}
        user = {"recipient_id": DIGITS, "recipient_user_id": user_id_of(DIGITS)}
        common = {"id": message, "timestamp": "1790000000", "biz_opaque_callback_data": "wa_1"}
        expected = common | user | {"status": "sent"}
        self.assertEqual(sent, expected | {"pricing": pricing | {"category": "utility"}})
        self.assertEqual(read, expected | {"status": "read"})
        value = change(self.webhooks[0])["value"]
        self.assertEqual(value["metadata"]["phone_number_id"], NUMBER)
        self.assertEqual(value["contacts"], [{"wa_id": DIGITS, "user_id": user_id_of(DIGITS)}])

    def test_reports_nothing_twice_or_in_another_order(self) -> None:
        self.rule(to=PHONE, statuses=[])
        self.accept()
        self.assertEqual(self.webhooks, [])
        steps = [
            {"status": "read", "after_ms": 10, "at_ms": 3000},
            {"status": "sent", "after_ms": 20, "at_ms": 1000, "times": 2},
            {"status": "warning", "after_ms": 30, "fields": {"recipient_id": "1"}},
        ]
        self.rule(to=PHONE, statuses=steps)
        self.accept()
        shown = [(item["status"], item["timestamp"][-1]) for item in self.statuses()]
        expected = [("read", "3"), ("sent", "1"), ("sent", "1"), ("warning", "0")]
        self.assertEqual(shown, expected)
        first, *_, last = self.statuses()
        self.assertEqual((last["recipient_id"], "pricing" in first), ("1", True))
        self.assertEqual(self.webhooks[1].body, self.webhooks[2].body)

    def test_reports_failures(self) -> None:
        self.rule(to=PHONE, statuses=["failed", {"status": "failed", "error": 131049}])
        self.accept()
        codes = [item["errors"][0]["code"] for item in self.statuses()]
        self.assertEqual(codes, [131049, 131026])
        self.assertNotIn("contacts", change(self.webhooks[0])["value"])

    def test_reports_at_a_call(self) -> None:
        self.rule(to=PHONE, statuses=[])
        message = self.accept()
        control = {"callback_data": "wa_1", "statuses": ["delivered", "failed"]}
        self.webhooks = self.api.report(control, NOW + 60)
        self.assertEqual([item["id"] for item in self.statuses()], [message] * 2)
        self.assertEqual(self.statuses()[0]["timestamp"], "1790000060")
        with self.assertRaises(InvalidControl):
            self.api.report({"message": "other", "statuses": ["sent"]}, NOW)

    def test_names_users_by_the_ids_that_they_have(self) -> None:
        self.accept(to=None, recipient=USER_ID)
        self.assertEqual(self.statuses()[0].get("recipient_id"), None)
        self.assertEqual(self.statuses()[0]["recipient_user_id"], USER_ID)
        self.api.control({"users": {DIGITS: USER_ID, "919000000002": None}})
        self.accept(to=None, recipient=USER_ID)
        self.assertEqual(self.statuses()[0]["recipient_id"], DIGITS)
        self.accept(to="+919000000002")
        self.assertNotIn("recipient_user_id", self.statuses()[0])

    def test_has_a_conversation_only_of_a_free_entry_point(self) -> None:
        self.rule(to=PHONE, free_entry_point=True, pricing={"category": "referral_conversion"})
        self.accept()
        sent, delivered, _ = self.statuses()
        self.assertIn("expiration_timestamp", sent["conversation"])
        self.assertEqual(delivered["conversation"]["origin"], {"type": "referral_conversion"})
        pricing = {"type": "free_entry_point", "category": "referral_conversion"}
        self.assertEqual(sent["pricing"], pricing | {"billable": False, "pricing_model": "PMP"})


if __name__ == "__main__":
    unittest.main()
