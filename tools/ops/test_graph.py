"""The double of WhatsApp's Cloud API: what it refuses and answers."""

from __future__ import annotations

import unittest

from cloud_api.bodies import user_id_of
from cloud_api.errors import KNOWN
from cloud_api.reading import InvalidControl
from graph_case import NOW, NUMBER, PHONE, USER_ID, GraphCase, request, template, texts

DIGITS = PHONE.removeprefix("+")


class Requests(GraphCase):
    def test_answers_like_the_api(self) -> None:
        status, answer = self.send()
        [message] = answer.pop("messages")
        self.assertEqual((status, message["message_status"]), (200, "accepted"))
        self.assertTrue(message["id"].startswith("wamid."))
        contacts = [{"input": PHONE, "wa_id": DIGITS}]
        self.assertEqual(answer, {"messaging_product": "whatsapp", "contacts": contacts})
        _, answer = self.send(request(to=None, recipient=USER_ID))
        self.assertEqual(answer["contacts"], [{"input": USER_ID, "user_id": USER_ID}])

    def test_takes_the_same_request_twice_for_two_messages(self) -> None:
        self.assertNotEqual(self.accept(), self.accept())
        self.assertEqual(len(self.api.listed({"callback_data": "wa_1"})), 2)

    def test_checks_the_token_before_all_else(self) -> None:
        self.assertEqual(self.code(b"{}", token="other"), (401, 190))
        self.assertEqual(self.code(token=""), (401, 190))
        self.assertNotIn(b"error_data", self.response.body)
        self.api.control({"access_tokens": ["other"]})
        self.assertEqual(self.code(), (401, 190))
        self.assertEqual(self.send(token="other")[0], 200)

    def test_refuses_an_unknown_number(self) -> None:
        self.api.control({"numbers": {NUMBER: None}})
        status, answer = self.send()
        error = answer["error"]
        self.assertEqual((status, error["code"], error["error_subcode"]), (400, 100, 33))

    def test_refuses_malformed_requests(self) -> None:
        for wrong, code in (
            ({"messaging_product": None}, 100),
            ({"messaging_product": "sms"}, 100),
            ({"recipient_type": "group"}, 100),
            ({"to": None}, 100),
            ({"recipient": USER_ID}, 100),
            ({"to": None, "recipient": USER_ID, "recipient_type": None}, 100),
            ({"to": None, "recipient": PHONE}, 131009),
            ({"to": "+91 90000 00001"}, 131009),
            ({"to": ""}, 131009),
            ({"to": 919000000001}, 131009),
            ({"type": "text"}, 100),
            ({"type": None}, 100),
            ({"surprise": 1}, 100),
            ({"biz_opaque_callback_data": "x" * 513}, 100),
            ({"biz_opaque_callback_data": 7}, 100),
            ({"template": None}, 131008),
            ({"template": {"name": "order_update"}}, 131008),
            ({"template": template("a", "b", "c") | {"namespace": "x"}}, 100),
            ({"template": template("a", "b", "c", name="other")}, 132001),
            ({"template": template("a", "b", "c", language="fr")}, 132001),
            ({"template": template("a", "b")}, 132000),
            ({"template": template("a", "b", "c", "d")}, 132000),
            ({"template": template("a", "", "c")}, 131008),
            ({"template": template("a", " ", "c")}, 131008),
            ({"template": template("a", "b\nc", "d")}, 132018),
            ({"template": template("a", "b", "c     d")}, 132018),
            ({"template": template("a", "b", "c" * 1025)}, 132005),
        ):
            with self.subTest(wrong):
                self.assertEqual(self.code(request(**wrong)), (KNOWN[code][0], code))
        for text in (b"", b"[]", b"to=1&type=template", b"\xff"):
            self.assertEqual(self.code(text), (400, 100))
        self.assertEqual(self.api.listed({}), [])
        self.assertGreater(len(self.api.listed_calls({"callback_data": "wa_1"})), 20)
        self.assertEqual(len(self.api.listed_calls({"template": "other"})), 1)
        self.assertEqual({call["status"] for call in self.api.listed_calls({})}, {400, 404})

    def test_accepts_the_longest_callback_data(self) -> None:
        self.accept(biz_opaque_callback_data="x" * 512)

    def test_prefixes_the_country_of_the_business_without_a_plus(self) -> None:
        self.accept(to="919000000001")
        self.accept(to="16505551234")
        recipients = [message["recipient"] for message in self.api.listed({})]
        self.assertEqual(recipients, ["1919000000001", "16505551234"])

    def test_drops_a_message_to_a_user_id_in_to(self) -> None:
        self.accept(to=USER_ID)
        self.assertEqual(self.webhooks, [])
        self.assertTrue(self.api.listed({"recipient": USER_ID})[0]["dropped"])
        self.accept(to=None, recipient=USER_ID)
        self.assertEqual(len(self.webhooks), 3)


class Templates(GraphCase):
    def code_of(self, components: list[object], **shape: object) -> int:
        self.api.control({"templates": {"t": {"en": shape}}})
        sent = {"name": "t", "language": {"code": "en"}, "components": components}
        status, answer = self.send(request(template=sent))
        return 0 if status == 200 else answer["error"]["code"]

    def test_wants_the_parameters_of_the_template(self) -> None:
        image = {"type": "image", "image": {"link": "https://a.example/b.png"}}
        header = [{"type": "header", "parameters": [image]}]
        url = {"type": "button", "sub_type": "url", "index": "0", "parameters": texts("t/1")}
        reply = {"type": "button", "sub_type": "quick_reply", "index": 1}
        reply["parameters"] = [{"type": "payload", "payload": "yes"}]
        named = [{"type": "text", "text": "Asha", "parameter_name": "first_name"}]
        buttons = [{"type": "url", "parameters": 1}, {"type": "quick_reply"}]
        for components, shape, code in (
            ([], {}, 0),
            (header, {"header": "image"}, 0),
            (header, {"header": "text"}, 132012),
            ([], {"header": "image"}, 132000),
            (header, {}, 132000),
            ([url, reply], {"buttons": buttons}, 0),
            ([url], {"buttons": buttons}, 0),
            ([reply], {"buttons": buttons}, 131008),
            ([url], {"buttons": [{"type": "url"}]}, 132000),
            ([url], {}, 132012),
            ([url, url], {"buttons": buttons}, 100),
            ([{"type": "body", "parameters": named}], {"body": ["first_name"]}, 0),
            ([{"type": "body", "parameters": named}], {"body": ["last_name"]}, 132012),
            ([{"type": "body", "parameters": texts("a")}], {"body": ["first_name"]}, 132012),
            ([{"type": "footer"}], {}, 100),
            ([{"type": "body", "text": "a"}], {}, 100),
            ([], {"status": "PAUSED"}, 132015),
            ([], {"status": "DISABLED"}, 132016),
            ([], {"status": "PENDING"}, 132001),
        ):
            with self.subTest(components=components, shape=shape):
                self.assertEqual(self.code_of(components, **shape), code)

    def test_forgets_a_template(self) -> None:
        self.api.control({"templates": {"order_update": {"en": None}}})
        self.assertEqual(self.code(), (404, 132001))
        self.accept(template=template("a", "b", "c", language="hi"))


class LimitsOfNumbers(GraphCase):
    def test_takes_80_messages_a_second_of_a_number(self) -> None:
        for index in range(80):
            self.accept(NOW + index / 100, to=f"+9190000001{index:02}")
        self.assertEqual(self.code(request(), NOW + 0.9)[1], 130429)
        self.accept(NOW + 1)
        self.api.control({"numbers": {NUMBER: {"messages_per_second": 0}}})
        self.assertEqual(self.code(request(), NOW + 9)[1], 130429)

    def test_takes_45_messages_at_once_to_a_user_and_one_each_six_seconds(self) -> None:
        for _ in range(45):
            self.accept()
        self.assertEqual(self.code()[1], 131056)
        self.assertEqual(self.code(at=NOW + 5.9)[1], 131056)
        self.accept(NOW + 6)
        self.assertEqual(self.code(at=NOW + 6)[1], 131056)
        same_user = request(to=None, recipient=user_id_of(DIGITS))
        self.assertEqual(self.code(same_user, NOW + 6)[1], 131056)
        self.accept(NOW + 6, to="+919000000002")


class Scripts(GraphCase):
    def test_answers_with_errors_so_many_times(self) -> None:
        self.rule(to=PHONE, error=131016, times=2)
        self.assertEqual([self.code(), self.code()], [(503, 131016)] * 2)
        self.accept()
        self.rule(template="order_update", error=130429, http_status=429, details="why")
        self.assertEqual(self.code(), (429, 130429))
        self.assertIn(b'"why"', self.response.body)
        self.rule(template="order_update", times=0)
        self.rule(number=NUMBER, http_status=502, body="<html>", headers={"retry-after": "7"})
        response, _ = self.api.send(NUMBER, "token", b"{}", NOW)
        self.assertEqual(response.status, 400)  # the request is checked first
        with self.assertRaises(ValueError):
            self.send()
        self.assertEqual(self.response.status, 502)
        self.assertEqual(self.response.headers, {"retry-after": "7"})

    def test_prefers_the_rule_of_the_recipient(self) -> None:
        self.rule(number=NUMBER, error=1)
        self.rule(template="order_update", error=2)
        self.rule(to=PHONE, template="order_update", error=3)
        self.rule(to=PHONE, error=4, times=0)
        self.assertEqual(self.code()[1], 3)
        self.assertEqual(self.code(request(to="+919000000002"))[1], 2)

    def test_loses_connections_and_answers(self) -> None:
        self.rule(to=PHONE, connection="refused", times=1)
        self.send()
        self.assertEqual((self.response.connection, self.api.listed({})), ("refused", []))
        self.rule(to=PHONE, connection="lost", delay_ms=50, times=1)
        self.send()
        self.assertEqual((self.response.connection, self.response.delay_ms), ("lost", 50))
        self.assertEqual((len(self.api.listed({})), len(self.webhooks)), (1, 3))
        self.assertEqual([call["status"] for call in self.api.listed_calls({})], [0, 0])

    def test_a_refused_message_uses_up_no_rule(self) -> None:
        self.api.control({"numbers": {NUMBER: {"messages_per_second": 0}}})
        self.rule(to=PHONE, statuses=[], times=1)
        self.assertEqual(self.code()[1], 130429)
        self.api.control({"numbers": {NUMBER: {}}})
        self.accept()
        self.assertEqual(self.webhooks, [])

    def test_holds_and_pauses(self) -> None:
        for status in ("held_for_quality_assessment", "paused"):
            self.rule(to=PHONE, message_status=status)
            _, answer = self.send()
            self.assertEqual(answer["messages"][0]["message_status"], status)
            self.assertEqual(self.webhooks, [])

    def test_rejects_malformed_controls_as_a_whole(self) -> None:
        for wrong in (
            [],
            {"surprise": 1},
            {"rule": {"surprise": 1}},
            {"rule": {"error": "131016"}},
            {"rule": {"connection": "odd"}},
            {"rule": {"statuses": "sent"}},
            {"rule": {"statuses": [{"after_ms": 1}]}},
            {"rule": {"statuses": [{"status": "sent", "times": 0}]}},
            {"rule": {"message_status": "sent"}},
            {"rule": {"delay_ms": -1}},
            {"rule": {"http_status": 99}},
            {"numbers": []},
            {"numbers": {"x": {}}},
            {"numbers": {NUMBER: None}, "templates": {"t": {"en": {"body": -1}}}},
            {"numbers": {NUMBER: None}, "templates": {"t": {"en": {"buttons": [{}]}}}},
            {"numbers": {NUMBER: None}, "users": {"1": 2}},
            {"numbers": {NUMBER: None}, "access_tokens": []},
        ):
            with self.subTest(wrong), self.assertRaises(InvalidControl):
                self.api.control(wrong)
        self.accept()


if __name__ == "__main__":
    unittest.main()
