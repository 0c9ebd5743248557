"""Each command refuses the options that it would ignore."""

from __future__ import annotations

import io
import re
import unittest
from unittest.mock import patch

import manage
import operate
import options
from config import ROOT, StackError


class Options(unittest.TestCase):
    def test_every_command_has_a_row(self) -> None:
        self.assertEqual({*options.USES}, {*manage.COMMANDS, *operate.COMMANDS})
        for command, uses in options.USES.items():
            self.assertEqual(list(uses)[-1], "", command)

    def test_every_option_of_make_is_used(self) -> None:
        text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
        lines = re.findall(r"^OPTIONS [:+]= (.*)$", text, re.MULTILINE)
        of_make = {option for line in lines for option in line.split()}
        others = {"ARCH", "RELEASE", "PARAMETERS", "TARGET", "SECONDS", "SEED", "UPGRADE"}
        self.assertEqual(of_make - others, options.KNOWN | {*options.EVERY_COMMAND, "ID", "JOB"})

    def test_refuses_what_a_command_does_not_use(self) -> None:
        for command, given, message in (
            ("replay-dlq", {"ORDER": "o"}, "replay-dlq does not use ORDER="),
            ("replay-dlq", {"ID": "msg_1", "START": "1"}, "replay-dlq does not use ID="),
            ("replay-dlq", {"KIND": "order"}, "does not use KIND="),
            ("replay-dlq", {"STATE": "dead"}, "does not use STATE="),
            ("replay-dlq", {"STATUS": "failed"}, "does not use STATUS="),
            ("replay-dlq", {"STOP": "1"}, "does not use STOP="),
            ("replay-dlq", {"JOB": "j", "START": "1"}, "with JOB= does not use START="),
            (
                "replay-dlq",
                {"QUEUE": "events", "ENDPOINT": "shop"},
                "replay-dlq with QUEUE=events does not use ENDPOINT=",
            ),
            ("deliveries", {"STATUS": "failed"}, "deliveries does not use STATUS="),
            ("deliveries", {"ID": "d", "STATE": "dead"}, "with ID= does not use STATE="),
            ("deliveries", {"SOURCE": "shipway"}, "does not use SOURCE="),
            ("events", {"STATE": "dead"}, "events does not use STATE="),
            ("events", {"RETRY": "1"}, "events does not use RETRY="),
            ("users", {"NAME": "a"}, "users does not use NAME="),
            ("user-set", {"NAME": "a", "FORCE": "1"}, "user-set does not use FORCE="),
            ("source-set", {"SOURCE": "shipway", "MODE": "hmac"}, "SOURCE=shipway .* MODE="),
            ("endpoint-rotate", {"FINISH": "1", "SECRET": "stdin"}, "FINISH=1 does not use SECRET"),
            ("users", {"WAYPOST_OPTIONS": "SEED TARGET", "SEED": "7"}, "does not use SEED="),
        ):
            with self.subTest(command, given=given), self.assertRaisesRegex(StackError, message):
                options.check(command, given)

    def test_accepts_what_it_uses(self) -> None:
        for command, given in (
            ("replay-dlq", {"STAGE": "prod", "REGION": "r", "NAME": "ops", "PASSWORD": "stdin"}),
            ("replay-dlq", {"QUEUE": "events", "SOURCE": "shipway", "START": "1"}),
            ("replay-dlq", {"QUEUE": "deliveries", "REASON": "gone", "LIMIT": "5"}),
            ("replay-dlq", {"JOB": "j", "STOP": "0"}),
            ("events", {"ID": "e", "RETRY": "1"}),
            ("users", {"NAME": "", "HOME": "/root"}),
            ("endpoint-add", {"NAME": "crm", "EVENTS": "delivered", "ENABLED": "false"}),
            ("source-rotate", {"SOURCE": "shipway", "FINISH": "1"}),
        ):
            with self.subTest(command, given=given):
                options.check(command, given)

    def test_refuses_other_values_of_flags(self) -> None:
        for command, others, flag in (
            ("events", {"ID": "e"}, "RETRY"),
            ("replay-dlq", {}, "START"),
            ("replay-dlq", {"JOB": "j"}, "STOP"),
            ("source-rotate", {"SOURCE": "shipway"}, "FINISH"),
            ("user-add", {"NAME": "a"}, "FORCE"),
        ):
            for text in ("yes", "true", "2", " 1"):
                with self.subTest(flag, text=text), self.assertRaises(StackError) as caught:
                    options.check(command, others | {flag: text})
                self.assertEqual(str(caught.exception), f"{flag}={text}: expected 1, or 0 for no")

    def test_refuses_bytes_that_are_no_text(self) -> None:
        with self.assertRaisesRegex(StackError, "ID=: must be UTF-8"):
            options.check("events", {"ID": "a\udcff"})

    def test_both_tools_check(self) -> None:
        for tool, command in ((manage, "users"), (operate, "replay-dlq")):
            environment = {"STAGE": "local", "STATUS": "failed"}
            with (
                patch.dict("os.environ", environment, clear=True),
                patch("sys.stderr", io.StringIO()) as stderr,
            ):
                self.assertEqual(tool.main(command), 1)
            self.assertEqual(stderr.getvalue(), f"error: {command} does not use STATUS=\n")


if __name__ == "__main__":
    unittest.main()
