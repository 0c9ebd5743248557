"""The settings of tracking pages."""

from __future__ import annotations

import json
import re
import unittest

import pages
from command_case import CommandCase
from paths import ROOT

URL = "https://hooks.example.com"


class Tracking(CommandCase):
    def tracking(self) -> dict[str, object]:
        return json.loads(self.secret("tracking"))

    def test_generates_a_key_once(self) -> None:
        self.assertEqual(self.run_command("tracking-set", URL=f"{URL}/"), "")
        first = self.tracking()
        self.assertEqual(first["public_url"], URL)
        self.assertEqual([len(key) for key in first["keys"]], [43])
        self.run_command("tracking-set", DAYS="30")
        self.assertEqual(self.tracking(), first | {"days": 30})

    def test_keeps_the_origins_of_other_accounts(self) -> None:
        origins = "A:https://a.example,A:https://www.a.example,B:https://b.example"
        self.run_command("tracking-set", URL=URL, ORIGINS=origins)
        self.run_command("tracking-set", ORIGINS="A:none,C:http://localhost:8080")
        expected = {"B": ["https://b.example"], "C": ["http://localhost:8080"]}
        self.assertEqual(self.tracking()["origins"], expected)

    def test_rejects_invalid_settings(self) -> None:
        self.assert_rejects("tracking-set", "URL=… is missing", DAYS="3")
        self.assert_rejects("tracking-set", "https", URL="http://hooks.example.com")
        self.run_command("tracking-set", URL=URL)
        self.assert_rejects("tracking-set", "nothing to change")
        self.assert_rejects("tracking-set", "at most 3650", DAYS="3651")
        for origin in ("https://a.example/", "https://A.example", "ftp://a.example", "a.example"):
            self.assert_rejects("tracking-set", "without a path", ORIGINS=f"A:{origin}")
        self.assert_rejects("tracking-set", "does not use NAME=", NAME="x")

    def test_rotates_the_key(self) -> None:
        self.assert_rejects("tracking-rotate", "no tracking pages")
        self.run_command("tracking-set", URL=URL, DAYS="30")
        [first] = self.tracking()["keys"]
        self.assert_rejects("tracking-rotate", "no rotation to finish", FINISH="1")
        self.assertEqual(self.run_command("tracking-rotate"), "")
        second, kept = self.tracking()["keys"]
        self.assertEqual((kept, second != first), (first, True))
        self.assert_rejects("tracking-rotate", "two keys")
        self.run_command("tracking-rotate", FORCE="1")
        third, kept = self.tracking()["keys"]
        self.assertEqual((kept, third not in (first, second)), (first, True))
        self.run_command("tracking-rotate", FINISH="1")
        self.assertEqual(self.tracking(), {"keys": [third], "public_url": URL, "days": 30})

    def test_removes_it(self) -> None:
        self.assert_rejects("tracking-remove", "no tracking pages")
        self.run_command("tracking-set", URL=URL)
        self.run_command("tracking-remove")
        self.assertEqual(self.calls, ["delete tracking"])


class Pages(CommandCase):
    def page(self) -> dict[str, object]:
        return json.loads(self.value("accounts/STORE001/page"))

    def test_changes_what_is_given(self) -> None:
        self.run_command(
            "page-set",
            ACCOUNT="STORE001",
            NAME=" Chai & Co ",
            LOGO="https://shop.example/l.svg?v=2",
            COLOUR="#0A7d33",
            LINKS="Help=https://shop.example/help,Call=tel:+911234567890",
            LANGUAGES="hi,en",
            ZONE="Asia/Kolkata",
        )
        expected = {
            "name": "Chai & Co",
            "logo_url": "https://shop.example/l.svg?v=2",
            "colour": "#0a7d33",
            "links": [
                {"text": "Help", "url": "https://shop.example/help"},
                {"text": "Call", "url": "tel:+911234567890"},
            ],
            "languages": ["hi", "en"],
            "zone": "Asia/Kolkata",
        }
        self.assertEqual(self.page(), expected)
        self.run_command("page-set", ACCOUNT="STORE001", COLOUR="none", ZONE="UTC")
        del expected["colour"]
        self.assertEqual(self.page(), expected | {"zone": "UTC"})
        self.run_command("page-remove", ACCOUNT="STORE001")
        self.assert_rejects("page-remove", "no settings", ACCOUNT="STORE001")

    def test_rejects_invalid_settings(self) -> None:
        self.assert_rejects("page-set", "ACCOUNT=… is missing", NAME="x")
        for option, text, message in [
            ("NAME", "a\nb", "one line"),
            ("NAME", "x" * 81, "1 to 80"),
            ("LOGO", "http://shop.example/l.png", "https URL"),
            ("COLOUR", "red", "colour such as"),
            ("LINKS", "Help=javascript:alert(1)", "https URL"),
            ("LINKS", "https://shop.example", "https URL"),
            ("LINKS", ",".join(["a=https://a.example"] * 6), "at most 5"),
            ("LANGUAGES", "fr", "expected one of"),
            ("ZONE", "Mars", "IANA"),
        ]:
            self.assert_rejects("page-set", message, ACCOUNT="STORE001", **{option: text})
        self.assert_rejects("page-set", "nothing to change", ACCOUNT="STORE001")

    def test_knows_the_languages_of_the_page(self) -> None:
        code = (ROOT / "functions/track/src/languages.rs").read_text()
        [listed] = re.findall(r"CODES: \[&str; 9\] = \[(.*?)\];", code, re.DOTALL)
        self.assertEqual(tuple(re.findall(r'"(\w+)"', listed)), pages.LANGUAGES)


if __name__ == "__main__":
    unittest.main()
