"""Sources and hooks: the parameters of the commands, and the settings that they keep."""

from __future__ import annotations

import json
import unittest
from typing import Any
from unittest import mock

import callback
import sources
from command_case import CommandCase
from config import StackError


class Sources(CommandCase):
    def test_sets_a_source_once(self) -> None:
        shown = self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A")
        self.assertEqual(
            self.calls, ["put sources/shiprocket/secret", "put sources/shiprocket/settings"]
        )
        self.assertEqual(shown, f"secret: {self.secret('sources/shiprocket/secret')}\n")
        self.assertEqual(
            json.loads(self.value("sources/shiprocket/settings")), {"mode": "token", "account": "A"}
        )
        self.assert_rejects(
            "source-set", "/secret already exist: FORCE=1", SOURCE="shiprocket", ACCOUNT="A"
        )

    def test_keeps_unnamed_settings_of_a_source(self) -> None:
        first = {"SOURCE": "shiprocket", "ACCOUNT": "A", "ALLOWED_IPS": "203.0.113.0/24"}
        self.run_command("source-set", **first)
        given = {
            "SOURCE": "shiprocket",
            "ACCOUNT": "B",
            "MODE": "hmac",
            "FORCE": "1",
            "SECRET": "stdin",
        }
        self.assertEqual(self.run_command("source-set", stdin="key-from-the-proxy\n", **given), "")
        expected = {"mode": "hmac", "account": "B", "allowed_ips": ["203.0.113.0/24"]}
        self.assertEqual(json.loads(self.value("sources/shiprocket/settings")), expected)
        self.assertEqual(self.secret("sources/shiprocket/secret"), "key-from-the-proxy")
        given = {
            "SOURCE": "shiprocket",
            "ACCOUNT": "B",
            "FORCE": "1",
            "ALLOWED_IPS": "198.51.100.0/24",
        }
        self.assertEqual(self.run_command("source-set", **given), "")
        self.assertEqual(self.calls, ["put sources/shiprocket/settings"])
        expected = {"mode": "hmac", "account": "B", "allowed_ips": ["198.51.100.0/24"]}
        self.assertEqual(json.loads(self.value("sources/shiprocket/settings")), expected)
        self.assertEqual(self.secret("sources/shiprocket/secret"), "key-from-the-proxy")
        # The old secret belongs to the other mode.
        self.assertNotEqual(self.run_command("source-set", MODE="token", **given), "")
        self.assertNotEqual(self.secret("sources/shiprocket/secret"), "key-from-the-proxy")

    def test_keeps_the_mode_of_a_source_after_an_update(self) -> None:
        signs = {"SOURCE": "esahayak", "ACCOUNT": "A", "MODE": "hmac", "SECRET": "stdin"}
        self.run_command("source-set", stdin="the-key\n", **signs)
        self.run_command(
            "source-set", SOURCE="esahayak", FORCE="1", ALLOWED_CIDRS="198.51.100.0/24"
        )
        expected = {"mode": "hmac", "account": "A", "allowed_cidrs": ["198.51.100.0/24"]}
        self.assertEqual(json.loads(self.value("sources/esahayak/settings")), expected)
        self.assertEqual(self.secret("sources/esahayak/secret"), "the-key")

    def test_sets_and_updates_shipway(self) -> None:
        given = {"SOURCE": "shipway", "ACCOUNT": "A", "EMAIL": "a@b", "SECRET": "stdin"}
        self.assertEqual(self.run_command("source-set", "the key\n", **given), "")
        self.assertEqual(self.calls, ["put sources/shipway/secret", "put sources/shipway/settings"])
        credentials = {"email": "a@b", "license_key": "the key"}
        self.assertEqual(json.loads(self.secret("sources/shipway/secret")), credentials)
        self.assertEqual(json.loads(self.value("sources/shipway/settings")), {"account": "A"})
        polls = {
            "URL": "https://app.shipway.com/",
            "CALLS_PER_SECOND": "0.5",
            "STALLED_AFTER_DAYS": "5",
        }
        self.assert_rejects("source-set", "already exist: FORCE=1", SOURCE="shipway", **polls)
        self.run_command("source-set", SOURCE="shipway", FORCE="1", **polls)
        self.assertEqual(self.calls, ["put sources/shipway/settings"])
        expected = {
            "base_url": "https://app.shipway.com",
            "calls_per_second": 0.5,
            "stalled_after_days": 5,
        }
        self.assertEqual(
            json.loads(self.value("sources/shipway/settings")), {"account": "A", **expected}
        )
        self.run_command("source-set", SOURCE="shipway", FORCE="1", CALLS_PER_SECOND="10")
        self.assertEqual(json.loads(self.value("sources/shipway/settings"))["calls_per_second"], 10)
        self.assert_rejects(
            "source-set", "license key", SOURCE="shipway", FORCE="1", EMAIL="other@b"
        )
        self.assertEqual(json.loads(self.secret("sources/shipway/secret")), credentials)

    def test_shares_shipways_credentials_with_listed_accounts(self) -> None:
        given = {"SOURCE": "shipway", "ACCOUNT": "A", "EMAIL": "a@b", "SECRET": "stdin"}
        self.run_command("source-set", "the key\n", **given, SHARED_WITH="B,C")
        for shared, expected in [("", ["B", "C"]), ("D", ["D"]), ("none", [])]:
            self.run_command("source-set", SOURCE="shipway", FORCE="1", SHARED_WITH=shared)
            settings = json.loads(self.value("sources/shipway/settings"))
            self.assertEqual(settings, {"account": "A", "shared_with": expected})
        self.assert_rejects(
            "source-set", "account '\\*'", SOURCE="shipway", FORCE="1", SHARED_WITH="*"
        )

    def test_rotates_the_license_key_of_shipway(self) -> None:
        given = {"SOURCE": "shipway", "ACCOUNT": "A", "EMAIL": "a@b", "SECRET": "stdin"}
        self.run_command("source-set", "first\n", **given)
        for key, email, expected in [
            ("second", "a@b", ["second", "first"]),
            ("second", "a@b", ["second", "first"]),
            ("third", "a@b", ["third", "second"]),
        ]:
            with self.subTest(key=key, email=email):
                self.run_command("source-set", f"{key}\n", **given | {"EMAIL": email}, FORCE="1")
                credentials = {"email": email, "license_key": expected}
                self.assertEqual(json.loads(self.secret("sources/shipway/secret")), credentials)

    def test_rotates_the_pair_of_shipway(self) -> None:
        given = {"SOURCE": "shipway", "ACCOUNT": "A", "EMAIL": "a@b", "SECRET": "stdin"}
        self.run_command("source-set", "one\n", **given)
        other = given | {"EMAIL": "other@b", "FORCE": "1"}
        for key, emails, keys in [
            ("one", ["other@b", "a@b"], "one"),
            ("two", "other@b", ["two", "one"]),
        ]:
            self.run_command("source-set", f"{key}\n", **other)
            pair = {"email": emails, "license_key": keys}
            self.assertEqual(json.loads(self.secret("sources/shipway/secret")), pair)
        self.run_command("source-set", "three\n", **given, FORCE="1")
        pair = {"email": ["a@b", "other@b"], "license_key": ["three", "two"]}
        self.assertEqual(json.loads(self.secret("sources/shipway/secret")), pair)
        self.run_command("source-rotate", SOURCE="shipway", FINISH="1")
        pair = {"email": "a@b", "license_key": "three"}
        self.assertEqual(json.loads(self.secret("sources/shipway/secret")), pair)
        self.run_command("source-rotate", "four\n", SOURCE="shipway", SECRET="stdin")
        pair = {"email": "a@b", "license_key": ["four", "three"]}
        self.assertEqual(json.loads(self.secret("sources/shipway/secret")), pair)

    def test_rotates_a_plain_secret(self) -> None:
        self.assert_rejects("source-rotate", "has no secret", SOURCE="shiprocket")
        self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A")
        name = "sources/shiprocket/secret"
        first = self.secret(name)
        self.assert_rejects("source-rotate", "no rotation", SOURCE="shiprocket", FINISH="1")
        shown = self.run_command("source-rotate", SOURCE="shiprocket")
        second = shown.removeprefix("secret: ").strip()
        self.assertEqual(self.secret(name), f"{second} {first}")
        self.assertEqual(self.calls, [f"put {name}"])
        self.assert_rejects("source-rotate", "two secrets", SOURCE="shiprocket")
        self.run_command("source-rotate", "third\n", SOURCE="shiprocket", SECRET="stdin", FORCE="1")
        self.assertEqual(self.secret(name), f"third {first}")
        self.run_command("source-rotate", SOURCE="shiprocket", FINISH="1")
        self.assertEqual(self.secret(name), "third")
        given = {"SOURCE": "shiprocket", "ACCOUNT": "A", "SECRET": "stdin", "FORCE": "1"}
        self.run_command("source-set", "fourth\n", **given)
        self.assertEqual(self.secret(name), "fourth")
        with self.assertRaisesRegex(StackError, "spaces"):
            self.run_command("source-set", "two words\n", **given)

    def test_rotates_the_app_secret_of_whatsapp(self) -> None:
        given = {"SOURCE": "whatsapp", "PHONE_NUMBERS": "10:A", "SECRET": "stdin"}
        self.run_command("source-set", "first\n", **given)
        before = self.whatsapp_secret()
        rotate = {"SOURCE": "whatsapp", "SECRET": "stdin"}
        self.assertEqual(self.run_command("source-rotate", "second\n", **rotate), "")
        self.assertEqual(self.whatsapp_secret(), before | {"app_secret": ["second", "first"]})
        self.run_command("source-rotate", SOURCE="whatsapp", FINISH="1")
        self.assertEqual(self.whatsapp_secret(), before | {"app_secret": "second"})

    def test_adds_shipway_credentials_of_an_account(self) -> None:
        given = {"ACCOUNT": "A", "EMAIL": "a@b", "SECRET": "stdin"}
        self.assertEqual(self.run_command("shipway-add", "the key\n", **given), "")
        expected = {"email": "a@b", "license_key": "the key"}
        self.assertEqual(json.loads(self.secret("accounts/A/shipway")), expected)
        with self.assertRaisesRegex(StackError, "FORCE=1 replaces it"):
            self.run_command("shipway-add", "another\n", **given)
        self.run_command("shipway-add", "another\n", **given, FORCE="1")
        self.assertEqual(json.loads(self.secret("accounts/A/shipway"))["license_key"], "another")

    def test_sets_esahayak_and_switches_its_mode(self) -> None:
        given = {"SOURCE": "esahayak", "ACCOUNT": "A", "ALLOWED_CIDRS": "192.0.2.0/24,198.51.100.7"}
        self.assertEqual(self.run_command("source-set", **given), "")
        self.assertEqual(self.calls, ["put sources/esahayak/settings"])
        cidrs = ["192.0.2.0/24", "198.51.100.7"]
        expected = {"mode": "network", "account": "A", "allowed_cidrs": cidrs}
        self.assertEqual(json.loads(self.value("sources/esahayak/settings")), expected)
        for opened in (True, False):
            text = "true" if opened else "false"
            self.run_command("source-set", SOURCE="esahayak", PLAIN_PATH=text, FORCE="1")
            settings = json.loads(self.value("sources/esahayak/settings"))
            self.assertEqual(settings, expected | {"plain_path": opened})
        self.assert_rejects(
            "source-set", "PLAIN_PATH=1", SOURCE="esahayak", PLAIN_PATH="1", FORCE="1"
        )
        shown = self.run_command("source-set", SOURCE="esahayak", MODE="hmac", FORCE="1")
        self.assertEqual(shown, f"secret: {self.secret('sources/esahayak/secret')}\n")
        expected = {"mode": "hmac", "account": "A", "allowed_cidrs": cidrs, "plain_path": False}
        self.assertEqual(json.loads(self.value("sources/esahayak/settings")), expected)

    def test_adds_phone_numbers_and_rotates_the_app_secret(self) -> None:
        given = {"SOURCE": "whatsapp", "PHONE_NUMBERS": "10:A,20:B", "SECRET": "stdin"}
        verify_token = (
            self.run_command("source-set", "first\n", **given)
            .removeprefix("verify_token: ")
            .strip()
        )
        self.assertGreaterEqual(len(verify_token), 32)
        self.assertEqual(
            self.calls, ["put sources/whatsapp/secret", "put sources/whatsapp/settings"]
        )
        self.assertEqual(
            self.whatsapp_secret(), {"verify_token": verify_token, "app_secret": ["first"]}
        )
        self.assertEqual(self.numbers(), {"10": "A", "20": "B"})
        self.assertEqual(
            self.run_command("source-set", SOURCE="whatsapp", PHONE_NUMBERS="30:B", FORCE="1"), ""
        )
        self.assertEqual(self.calls, ["put sources/whatsapp/settings"])
        self.assertEqual(self.numbers(), {"10": "A", "20": "B", "30": "B"})
        for line, app_secrets in [
            ("second", ["second", "first"]),
            ("third", ["third", "second"]),
            ("third", ["third", "second"]),
        ]:
            again = {"SOURCE": "whatsapp", "SECRET": "stdin", "FORCE": "1"}
            self.assertEqual(self.run_command("source-set", f"{line}\n", **again), "")
            self.assertEqual(
                self.whatsapp_secret(), {"verify_token": verify_token, "app_secret": app_secrets}
            )

    def test_adds_and_removes_business_accounts(self) -> None:
        given = {"SOURCE": "whatsapp", "PHONE_NUMBERS": "10:A", "SECRET": "stdin"}
        self.run_command("source-set", "first\n", BUSINESS_ACCOUNTS="7:A,8:B", **given)
        again = {"SOURCE": "whatsapp", "FORCE": "1"}
        self.run_command("source-set", BUSINESS_ACCOUNTS="8:none,9:B", **again)
        settings = json.loads(self.value("sources/whatsapp/settings"))
        expected = {"phone_numbers": {"10": "A"}, "business_accounts": {"7": "A", "9": "B"}}
        self.assertEqual(settings, expected)
        for accounts, problem in [
            ("10:B", "10 is the id of a phone number"),
            ("+7:A", "Meta's ids are digits"),
        ]:
            self.assert_rejects("source-set", problem, BUSINESS_ACCOUNTS=accounts, **again)

    def test_sets_how_whatsapp_sends(self) -> None:
        given = {"SOURCE": "whatsapp", "PHONE_NUMBERS": "10:A", "SECRET": "stdin"}
        given |= {"ACCESS_TOKEN": "stdin", "MESSAGES_PER_SECOND": "20", "GRAPH_VERSION": "v26.0"}
        self.run_command("source-set", "app\nEAAtoken\n", **given)
        secret = self.whatsapp_secret()
        self.assertEqual((secret["app_secret"], secret["access_token"]), (["app"], "EAAtoken"))
        settings = {"phone_numbers": {"10": "A"}, "messages_per_second": 20}
        self.assertEqual(
            json.loads(self.value("sources/whatsapp/settings")),
            settings | {"graph_version": "v26.0"},
        )
        again = {"SOURCE": "whatsapp", "FORCE": "1"}
        url = "https://proxy.example.com/graph"
        self.run_command("source-set", GRAPH_VERSION="none", GRAPH_URL=f"{url}/", **again)
        self.assertEqual(self.calls, ["put sources/whatsapp/settings"])
        self.assertEqual(
            json.loads(self.value("sources/whatsapp/settings")), settings | {"graph_url": url}
        )
        self.run_command("source-set", "EAAother\n", ACCESS_TOKEN="stdin", **again)
        self.assertEqual(self.whatsapp_secret(), secret | {"access_token": "EAAother"})
        self.run_command("source-rotate", "new\n", SOURCE="whatsapp", SECRET="stdin")
        self.run_command("source-rotate", SOURCE="whatsapp", FINISH="1")
        self.run_command("source-set", ACCESS_TOKEN="none", **again)
        self.assertEqual(
            self.whatsapp_secret(), {"verify_token": secret["verify_token"], "app_secret": "new"}
        )

    def test_rejects_what_the_functions_would_not_read(self) -> None:
        given = {"SOURCE": "whatsapp", "PHONE_NUMBERS": "10:A", "SECRET": "stdin"}
        self.run_command("source-set", "app\n", **given)
        for option, texts in {
            "MESSAGES_PER_SECOND": ("1", "1001", "80.5", "-2", "٨٠"),
            "GRAPH_VERSION": ("25.0", "v25", "v25.0/", "V25.0", "v1234.0"),
            "GRAPH_URL": ("http://graph.facebook.com", "https://127.0.0.1", "https://a.example/?b"),
            "ACCESS_TOKEN": ("EAAtoken",),
        }.items():
            for text in texts:
                with self.subTest(option, text=text):
                    changed = {"SOURCE": "whatsapp", "FORCE": "1", option: text}
                    self.assert_rejects("source-set", f"^{option}[=:]", **changed)
        for line in ("two words", "tök", "\x07bell"):
            with self.subTest(line), self.assertRaisesRegex(StackError, "visible ASCII") as caught:
                self.run_command(
                    "source-set", f"{line}\n", SOURCE="whatsapp", FORCE="1", ACCESS_TOKEN="stdin"
                )
            self.assertNotIn(line, str(caught.exception))

    def whatsapp_secret(self) -> Any:
        return json.loads(self.secret("sources/whatsapp/secret"))

    def numbers(self) -> Any:
        return json.loads(self.value("sources/whatsapp/settings"))["phone_numbers"]

    def test_adds_hooks_with_and_without_secrets(self) -> None:
        for source, variables, stdin, titles in [
            ("shiprocket", {}, "", ["path", "secret"]),
            ("shiprocket", {"SECRET": "stdin"}, "own\n", ["path"]),
            ("shiprocket", {"SECRET": "none"}, "", ["path"]),
            ("shipway", {}, "", ["path"]),
            ("shipway", {"SECRET": "stdin"}, "own\n", ["path"]),
            ("esahayak", {}, "", ["path"]),
            ("whatsapp", {}, "", ["path"]),
            ("whatsapp", {"SECRET": "stdin"}, "own\n", ["path", "verify_token"]),
        ]:
            with self.subTest(source=source, **variables):
                shown = self.run_command("hook-add", stdin, SOURCE=source, ACCOUNT="A", **variables)
                lines = dict(line.split(": ") for line in shown.splitlines())
                self.assertEqual(list(lines), titles)
                folder, name = lines["path"].rsplit("/", 1)
                self.assertEqual(
                    folder, f"/webhooks/{'carrier' if source == 'shiprocket' else source}"
                )
                self.assertRegex(name, "^[a-z]{24}$")
                self.assertEqual(callback.rejected_words(f"https://a.example/{name}"), [])
                hook = json.loads(self.secret(f"sources/{source}/hooks/{name}"))
                own = lines.get("secret", "own" if stdin else None)
                if "verify_token" in lines:
                    own = {"verify_token": lines["verify_token"], "app_secret": ["own"]}
                self.assertEqual(hook, {"account": "A"} | ({"secret": own} if own else {}))

    def test_sets_a_source_without_a_command_of_its_own(self) -> None:
        names = {"SOURCE": "bluebird", "ACCOUNT": "A", "ALLOWED_IPS": "203.0.113.0/24"}
        with mock.patch.object(sources, "SOURCES", ("bluebird",)):
            shown = self.run_command("source-set", **names)
            self.assertEqual(shown, f"secret: {self.secret('sources/bluebird/secret')}\n")
            expected = {"account": "A", "allowed_ips": ["203.0.113.0/24"]}
            settings = "sources/bluebird/settings"
            self.assertEqual(json.loads(self.value(settings)), expected)
            # A repeat keeps the secret.
            self.assertEqual(self.run_command("source-set", FORCE="1", **names), "")
            shown = self.run_command("hook-add", SOURCE="bluebird", ACCOUNT="A")
            self.assertRegex(shown, "^path: /webhooks/bluebird/[a-z]{24}\nsecret: ")

    def test_generates_unique_hooks(self) -> None:
        paths = {self.run_command("hook-add", SOURCE="shipway", ACCOUNT="A") for _ in range(50)}
        self.assertEqual(len(paths), 50)


if __name__ == "__main__":
    unittest.main()
