"""The search of the logs for what must not be in them."""

from __future__ import annotations

import io
import json
import unittest
from unittest import mock

import check_logs

STACK = {"graph_url": "http://127.0.0.1:1"}
ANSWERS = {
    "_calls": {"calls": [{"recipient": "919000000001"}, {"recipient": None}]},
    "_messages": {"messages": [{"recipient": "IN.1349", "user_id": "IN.1349"}]},
}
SECRET = '{"app_secret": ["app-one", "app-two"], "verify_token": "verify", "access_token": "EAAG"}'


def answer(url: str) -> io.BytesIO:
    return io.BytesIO(json.dumps(ANSWERS[url.rsplit("/", 1)[1]]).encode())


class Logs(unittest.TestCase):
    def test_knows_to_whom_messages_went(self) -> None:
        with mock.patch.object(check_logs.urllib.request, "urlopen", answer):
            found = check_logs.recipients_of(STACK)
        self.assertEqual(found, {"919000000001": "recipient", "IN.1349": "user id"})

    def test_knows_all_secrets_of_whatsapp(self) -> None:
        found = set(check_logs._secrets_in(SECRET))
        self.assertEqual(found, {"app-one", "app-two", "verify", "EAAG"})

    def test_finds_what_a_message_has(self) -> None:
        secrets = {"919000000001": "recipient", "EAAG-token": "access token"}
        for line, kinds in (
            ('{"to":"+919000000001","text":"CANARY-text: hello"}', {"recipient", "canary-text"}),
            ('{"answer":"Malformed access token EAAG-token"}', {"access token"}),
            (
                '{"payload":"canary-payload","title":"Canary-Title"}',
                {"canary-payload", "canary-title"},
            ),
            ('{"message_id":"wa_abc","to":"[REDACTED]"}', set()),
        ):
            with self.subTest(line):
                self.assertEqual(check_logs.kinds_in(line, secrets), kinds)


if __name__ == "__main__":
    unittest.main()
