"""The setting of Pusher."""

from __future__ import annotations

import json
import unittest

from command_case import CommandCase

URL = "https://api-ap2.pusher.com"
SECRET = "7ad3773142a6692b25b8"
APP = {"APP": "3", "KEY": "278d425bdf160c739803", "SECRET": "stdin"}


class Pusher(CommandCase):
    def setting(self) -> dict[str, object]:
        return json.loads(self.secret("realtime/pusher"))

    def test_sets_and_changes_the_app(self) -> None:
        self.assertEqual(self.run_command("pusher-set", f"{SECRET}\n", URL=f"{URL}/", **APP), "")
        expected = {
            **{"app_id": "3", "key": APP["KEY"], "secret": SECRET},
            **{"host": "api-ap2.pusher.com", "port": 443, "tls": True},
        }
        self.assertEqual(self.setting(), expected)
        self.run_command("pusher-set", PUBLIC="1", ACCOUNT="STORE001")
        expected |= {"public_channels": True, "account": "STORE001"}
        self.assertEqual(self.setting(), expected)
        self.run_command("pusher-set", "other\n", SECRET="stdin", ACCOUNT="none", PUBLIC="0")
        del expected["account"]
        expected |= {"secret": "other", "public_channels": False}
        self.assertEqual(self.setting(), expected)

    def test_a_local_stack_may_use_a_server_of_this_machine(self) -> None:
        url = "http://127.0.0.1:6001"
        self.run_command("pusher-set", f"{SECRET}\n", local=True, URL=url, **APP)
        setting = self.setting()
        server = (setting["host"], setting["port"], setting["tls"])
        self.assertEqual(server, ("127.0.0.1", 6001, False))

    def test_rejects_invalid_settings(self) -> None:
        self.assert_rejects("pusher-set", "nothing to change")
        self.assert_rejects("pusher-set", "URL=… is missing", PUBLIC="1")
        self.assert_rejects("pusher-set", "APP=… is missing", URL=URL)
        self.assert_rejects("pusher-set", "SECRET=stdin is missing", URL=URL, APP="3", KEY="k")
        for option, text, message in [
            ("URL", "http://api-ap2.pusher.com", "https"),
            ("URL", "https://api-ap2.pusher.com:6001", "443"),
            ("URL", "https://api-ap2.pusher.com/apps", "without a path"),
            ("APP", "3/4", "letters, digits"),
            ("KEY", "a:b", "letters, digits"),
            ("PUBLIC", "yes", "expected 1"),
            ("SECRET", "secret", "use SECRET=stdin"),
        ]:
            self.assert_rejects("pusher-set", message, **{"URL": URL, **APP, option: text})

    def test_removes_it(self) -> None:
        self.assert_rejects("pusher-remove", "no app of Pusher")
        self.run_command("pusher-set", f"{SECRET}\n", URL=URL, **APP)
        self.run_command("pusher-remove")
        self.assertEqual(self.calls, ["delete realtime/pusher"])


if __name__ == "__main__":
    unittest.main()
