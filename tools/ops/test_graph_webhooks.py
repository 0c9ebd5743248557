"""The double of WhatsApp's Cloud API: shoppers' answers, notices, and its server."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
import time
import unittest
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import graph
from cloud_api.bodies import user_id_of
from cloud_api.notices import OF_ACCOUNT, OF_USER
from cloud_api.outbox import MAX_ATTEMPTS, Outbox, joined, retry_after
from cloud_api.reading import InvalidControl
from graph_case import NOW, NUMBER, PHONE, TOKEN, USER_ID, GraphCase, Json, change, request

DIGITS = PHONE.removeprefix("+")
SECRET = "app secret"


class Replies(GraphCase):
    def reply(self, **reply: Any) -> Json:
        """The value of the webhook with the answer."""
        identifier, webhook = self.api.reply(reply, NOW)
        only = change(webhook)
        self.assertEqual(only["field"], "messages")
        self.assertEqual(only["value"]["messages"][0]["id"], identifier)
        return only["value"]

    def test_answers_a_message_in_every_form(self) -> None:
        message = self.accept()
        form = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent"}}
        form["nfm_reply"]["response_json"] = '{"slot":"evening"}'
        choice = {"id": "1", "title": "Yes"}
        for given, kind, content in (
            ({"text": "Thanks"}, "text", {"body": "Thanks"}),
            (
                {"button": {"text": "Yes", "payload": "y"}},
                "button",
                {"text": "Yes", "payload": "y"},
            ),
            (
                {"button_reply": choice},
                "interactive",
                {"type": "button_reply", "button_reply": choice},
            ),
            ({"list_reply": choice}, "interactive", {"type": "list_reply", "list_reply": choice}),
            ({"form": {"slot": "evening"}}, "interactive", form),
            ({"reaction": "👍"}, "reaction", {"message_id": message, "emoji": "👍"}),
            ({"reaction": ""}, "reaction", {"message_id": message}),
        ):
            with self.subTest(given):
                value = self.reply(callback_data="wa_1", **given)
                [sent] = value["messages"]
                self.assertEqual((sent["type"], sent[kind]), (kind, content))
                self.assertEqual(sent["context"], {"from": "15550783881", "id": message})
                self.assertEqual(sent["timestamp"], "1790000000")

    def test_answers_from_the_phone_the_user_id_or_both(self) -> None:
        message = self.accept()
        both = {"wa_id": DIGITS, "user_id": user_id_of(DIGITS)}
        for sender, names in (("both", both), ("phone", ["wa_id"]), ("user_id", ["user_id"])):
            expected = {name: both[name] for name in names}
            value = self.reply(message=message, sender=sender, name=None, text="Hello")
            self.assertEqual(value["contacts"], [expected])
            [sent] = value["messages"]
            self.assertEqual(sent.get("from"), expected.get("wa_id"))
            self.assertEqual(sent.get("from_user_id"), expected.get("user_id"))

    def test_writes_without_a_message_of_ours(self) -> None:
        value = self.reply(number=NUMBER, user_id=USER_ID, text="STOP", timestamp=7)
        [sent] = value["messages"]
        self.assertEqual((sent["from_user_id"], sent["timestamp"]), (USER_ID, "7"))
        self.assertNotIn("context", sent)
        self.assertEqual(value["contacts"][0]["profile"], {"name": "Test Shopper"})

    def test_rejects_malformed_replies(self) -> None:
        self.accept()
        for wrong in (
            {"text": "x"},
            {"callback_data": "wa_1"},
            {"callback_data": "wa_1", "text": "x", "reaction": "y"},
            {"callback_data": "other", "text": "x"},
            {"callback_data": "wa_1", "text": 7},
            {"callback_data": "wa_1", "text": "x", "sender": "nobody"},
            {"number": NUMBER, "phone": DIGITS, "reaction": "x"},
            {"number": NUMBER, "phone": DIGITS, "sender": "user_id", "text": "x"},
        ):
            with self.subTest(wrong), self.assertRaises(InvalidControl):
                self.api.reply(wrong, NOW)


class Notices(GraphCase):
    def notify(self, **notice: Any) -> Json:
        return json.loads(self.api.notify(notice, NOW).body)["entry"][0]

    def test_names_the_account_or_the_number(self) -> None:
        for field in OF_ACCOUNT:
            entry = self.notify(field=field, value={"event": "X"})
            self.assertEqual((entry["id"], entry["time"]), ("102290129340398", int(NOW)))
            [only] = entry["changes"]
            self.assertEqual((only["field"], only["value"]["event"]), (field, "X"))
            self.assertNotIn("metadata", only["value"])
        for field in OF_USER:
            entry = self.notify(field=field, phone=DIGITS, item={"odd": 1}, timestamp=7)
            [only] = entry["changes"]
            self.assertEqual(only["value"]["metadata"]["phone_number_id"], NUMBER)
            self.assertEqual(only["value"]["contacts"], [{"wa_id": DIGITS}])
            [items] = [items for items in only["value"].values() if isinstance(items, list)][:1]
            self.assertEqual((items[0]["odd"], str(items[0]["timestamp"])), (1, "7"))
            self.assertNotIn("time", entry)

    def test_sends_any_other_field_as_given(self) -> None:
        entry = self.notify(field="future", number="7", value={"a": 1})
        value = entry["changes"][0]["value"]
        self.assertEqual((value["a"], value["metadata"]["phone_number_id"]), (1, "7"))

    def test_repeats_no_id(self) -> None:
        ids = [
            self.notify(field="smb_message_echoes", phone=DIGITS)["changes"][0]["value"]
            for _ in range(2)
        ]
        first, second = (value["message_echoes"][0]["id"] for value in ids)
        self.assertNotEqual(first, second)

    def test_rejects_malformed_notices(self) -> None:
        for wrong in ({}, {"field": 1}, {"field": "calls"}, {"field": "x", "value": 1}):
            with self.subTest(wrong), self.assertRaises(InvalidControl):
                self.api.notify(wrong, NOW)


class Sending(unittest.TestCase):
    def test_joins_webhooks_that_are_due_together(self) -> None:
        outbox = Outbox(SECRET)
        outbox.batch = 3
        bodies = [json.dumps({"object": "o", "entry": [{"id": name}]}) for name in "abcd"]
        for body in bodies:
            outbox.add(body.encode())
        outbox.add(b"{}", after_seconds=60)
        taken = [[webhook.body for webhook in outbox.take()] for _ in range(2)]
        self.assertEqual(taken, [bodies[:3], bodies[3:]])
        self.assertEqual(joined(bodies[3:]), bodies[3].encode())
        entries = json.loads(joined(bodies[:3]))["entry"]
        self.assertEqual([entry["id"] for entry in entries], ["a", "b", "c"])


class Hook(ThreadingHTTPServer):
    """A server for the webhooks, which answers with the given statuses, then 200."""

    def __init__(self, answers: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.answers = answers
        self.received: list[tuple[str, bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((self.headers["x-hub-signature-256"], body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Server(unittest.TestCase):
    def setUp(self) -> None:
        settings = {"access_token": TOKEN, "app_secret": SECRET, "numbers": [NUMBER]}
        self.graph = graph.Graph(0, settings)
        self.url = f"http://127.0.0.1:{self.graph.server_address[1]}"
        threading.Thread(target=self.graph.serve_forever, daemon=True).start()
        self.addCleanup(self.graph.server_close)
        self.addCleanup(self.graph.shutdown)

    def hook(self, *answers: int) -> Hook:
        hook = Hook(list(answers))
        self.addCleanup(hook.server_close)
        self.addCleanup(hook.shutdown)
        graph.connect(self.url, f"http://127.0.0.1:{hook.server_address[1]}")
        return hook

    def call(self, path: str, body: Any = None, token: str = TOKEN) -> tuple[int, Json]:
        text = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        given = urllib.request.Request(f"{self.url}{path}", text, headers)
        try:
            with urllib.request.urlopen(given, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def send(self) -> tuple[int, Json]:
        return self.call(f"/v26.0/{NUMBER}/messages", request())

    def eventually(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_sends_signed_statuses_and_answers(self) -> None:
        hook = self.hook()
        status, answer = self.send()
        self.assertEqual(status, 200)
        message = answer["messages"][0]["id"]
        self.eventually(lambda: len(hook.received) == 3)
        for signature, body in hook.received:
            expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            self.assertEqual(signature, f"sha256={expected}")
        _, reply = self.call("/_reply", {"message": message, "text": "Thanks"})
        self.eventually(lambda: len(hook.received) == 4)
        self.assertIn(reply["id"].encode(), hook.received[3][1])
        self.eventually(
            lambda: (
                len(self.call(f"/_webhooks?message={message}&state=delivered")[1]["webhooks"]) == 3
            )
        )
        _, listed = self.call("/_messages?callback_data=wa_1")
        self.assertEqual([item["id"] for item in listed["messages"]], [message])

    def test_repeats_a_webhook_that_is_not_answered_200(self) -> None:
        hook = self.hook(500, 201)
        self.call("/_notify", {"field": "account_update"})
        self.eventually(lambda: len(hook.received) == 3)
        self.eventually(
            lambda: self.call("/_webhooks")[1]["webhooks"][0]["answers"] == [500, 201, 200]
        )
        self.assertEqual(len({body for _, body in hook.received}), 1)
        self.assertEqual([retry_after(1), retry_after(7), retry_after(MAX_ATTEMPTS)], [0, 60, None])

    def test_closes_the_connection_without_an_answer(self) -> None:
        for connection, accepted in (("refused", 0), ("lost", 1)):
            self.call("/_control", {"rule": {"to": PHONE, "connection": connection, "times": 1}})
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
                self.send()
            _, listed = self.call("/_messages")
            self.assertEqual(len(listed["messages"]), accepted)
        self.assertEqual(self.send()[0], 200)
        _, listed = self.call(f"/_calls?recipient={DIGITS}")
        self.assertEqual([call["status"] for call in listed["calls"]], [0, 0, 200])

    def test_answers_what_it_does_not_know_with_an_error(self) -> None:
        self.assertEqual(self.call("/v26.0/1/messages", request())[0], 400)
        self.assertEqual(self.call("/v26/1/messages", {})[1]["error"]["code"], 2500)
        self.assertEqual(self.call("/_messages?wamid=1")[0], 400)
        self.assertEqual(self.call("/_control", [])[0], 400)
        self.assertEqual(self.call("/_control", {"webhook_url": 1})[0], 400)
        self.assertEqual(self.call("/_control", {"batch": 0})[0], 400)
        self.assertEqual(self.send()[0], 200)
        self.assertEqual(self.call(f"/v26.0/{NUMBER}/messages", request(), "x")[0], 401)


if __name__ == "__main__":
    unittest.main()
