"""The rules by which orders send messages."""

from __future__ import annotations

import json
import re
import tempfile
import unittest
from pathlib import Path

import message_rules
from command_case import CommandCase
from config import StackError
from paths import ROOT

RUST = ROOT / "shared/domain/src/messaging/rules"
GIVEN = {
    "phone_number_id": "1065",
    "rules": [{"on": "delivered", "template": "thanks", "language": "en"}],
}


class Cases(unittest.TestCase):
    def test_agrees_with_the_functions(self) -> None:
        lines = (RUST / "tests/cases.txt").read_text().splitlines()
        cases = [line.partition("\t") for line in lines if not line.startswith("#")]
        self.assertGreater(len(cases), 50)
        for field, _, text in cases:
            with self.subTest(text):
                if field == "ok":
                    self.assertEqual(message_rules.parse(text), json.loads(text))
                    continue
                with self.assertRaises(StackError) as refused:
                    message_rules.parse(text)
                self.assertEqual(str(refused.exception).partition(": ")[0], field)
                self.assertNotIn("canary", str(refused.exception).lower())

    def test_bounds_sizes(self) -> None:
        for text in ("x" * 9000, "[" * 33 + "]" * 33, "[" * 4000 + "]" * 4000):
            with self.assertRaisesRegex(StackError, r"^\.: "):
                message_rules.parse(text)

    def test_has_the_placeholders_of_the_functions(self) -> None:
        [listed] = re.findall(
            r"enum Placeholder \{(.*?)\n\}", (RUST / "values.rs").read_text(), re.S
        )
        names = re.findall(r"^    ([A-Z]\w+),$", listed, re.M)
        snake = [re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in names]
        self.assertEqual(tuple(snake), message_rules.PLACEHOLDERS)


class Commands(CommandCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "rules.json"

    def set_rules(self, given: object, **options: str) -> None:
        self.file.write_text(json.dumps(given, indent=2))
        self.run_command("rules-set", ACCOUNT="STORE001", FILE=str(self.file), **options)

    def test_writes_and_shows_and_removes_rules(self) -> None:
        number = {"phone_numbers": {"1065": "STORE001"}}
        settings = ("String", json.dumps(number))
        self.ssm.values["/waypost/prod/sources/whatsapp/settings"] = settings
        self.set_rules(GIVEN)
        self.assertEqual(json.loads(self.value("accounts/STORE001/messages")), GIVEN)
        shown = self.run_command("rules-show", ACCOUNT="STORE001")
        self.assertEqual(json.loads(shown), GIVEN)
        self.run_command("rules-remove", ACCOUNT="STORE001")
        self.assert_rejects("rules-show", "has no rules", ACCOUNT="STORE001")
        self.assert_rejects("rules-remove", "has no rules", ACCOUNT="STORE001")

    def test_rejects_what_the_functions_would(self) -> None:
        self.file.write_text(json.dumps(GIVEN | {"daily_cap": 0}))
        options = {"ACCOUNT": "STORE001", "FILE": str(self.file)}
        self.assert_rejects("rules-set", "rules.json: daily_cap: ", **options)
        self.assert_rejects("rules-set", "cannot be read", **options | {"FILE": "/nowhere"})
        self.assert_rejects("rules-set", "FILE=… is missing", ACCOUNT="STORE001")

    def test_rejects_the_number_of_another_account(self) -> None:
        self.file.write_text(json.dumps(GIVEN))
        options = {"ACCOUNT": "STORE001", "FILE": str(self.file)}
        self.assert_rejects("rules-set", "is no number of STORE001", **options)
        self.set_rules(GIVEN, FORCE="1")


if __name__ == "__main__":
    unittest.main()
