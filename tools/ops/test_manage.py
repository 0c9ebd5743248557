"""Parameters that the commands write, their order, and rejected options.

`on_stack.py` runs the commands on a real stack.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import unittest
from typing import Any, ClassVar
from unittest.mock import patch

import callback
import manage
import rollout
from config import StackError
from parameters import Parameters

PREFIX = "/waypost/prod"


class FakeSsm:
    """A double of SSM for the calls of `Parameters`, which records the writes."""

    class exceptions:
        class ParameterAlreadyExists(Exception):
            pass

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}
        self.calls: list[str] = []

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool) -> None:
        if Name in self.values and not Overwrite:
            raise self.exceptions.ParameterAlreadyExists
        self.values[Name] = (Type, Value)
        self.calls.append(f"put {Name}")

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> Any:
        assert WithDecryption
        found = [name for name in Names if name in self.values]
        return {"Parameters": [{"Name": name, "Value": self.values[name][1]} for name in found]}

    def delete_parameters(self, *, Names: list[str]) -> None:
        self.calls += [f"delete {name}" for name in Names if self.values.pop(name, None)]


class Commands(unittest.TestCase):
    ENDPOINT: ClassVar = {
        "NAME": "crm",
        "URL": "https://crm.example.com/in",
        "FORMAT": "standard",
        "ACCOUNTS": "A",
    }

    def setUp(self) -> None:
        self.ssm = FakeSsm()

    def run_command(
        self, command: str, stdin: str = "", local: bool = False, **variables: str
    ) -> str:
        """Runs a command and returns its standard output."""
        output = io.StringIO()
        parameters = Parameters(self.ssm, PREFIX)
        request = manage.Request(variables, parameters, local, io.StringIO(stdin), output)
        message = manage.COMMANDS[command](request)
        for line in output.getvalue().splitlines():
            self.assertNotIn(line.split(": ")[1], message)
        self.calls, self.ssm.calls = [call.replace(f"{PREFIX}/", "") for call in self.ssm.calls], []
        return output.getvalue()

    def assert_rejects(self, command: str, message: str, **variables: str) -> None:
        before = dict(self.ssm.values)
        with self.assertRaisesRegex(StackError, message):
            self.run_command(command, **variables)
        self.assertEqual(self.ssm.values, before)

    def value(self, name: str, kind: str = "String") -> str:
        written = self.ssm.values[f"{PREFIX}/{name}"]
        self.assertEqual(written[0], kind)
        return written[1]

    def secret(self, name: str) -> str:
        return self.value(name, "SecureString")

    def test_adds_and_replaces_a_user(self) -> None:
        shown = self.run_command("user-add", NAME="shop", ROLE="partner", ACCOUNTS="A,B")
        password = shown.removeprefix("password: ").removesuffix("\n")
        self.assertGreaterEqual(len(password), 32)
        digest = hashlib.sha256(password.encode()).hexdigest()
        expected = {"password_sha256": digest, "role": "partner", "accounts": ["A", "B"]}
        self.assertEqual(json.loads(self.secret("users/shop")), expected)
        self.assert_rejects(
            "user-add", "FORCE=1 replaces it", NAME="shop", ROLE="partner", ACCOUNTS="A"
        )
        self.assertNotEqual(
            self.run_command("user-add", NAME="shop", ROLE="admin", ACCOUNTS="*", FORCE="1"), shown
        )
        self.assertEqual(json.loads(self.secret("users/shop"))["accounts"], ["*"])

    def test_adds_a_vendor_once(self) -> None:
        shown = self.run_command("vendor-add", NAME="shop", ACCOUNT="A")
        self.assertEqual(
            json.loads(self.secret("vendors/shop")), {"secret": shown[8:-1], "account": "A"}
        )
        self.assert_rejects("vendor-add", "FORCE=1 replaces it", NAME="shop", ACCOUNT="B")

    def test_adds_an_endpoint_with_its_url_last(self) -> None:
        shown = self.add_endpoint()
        self.assertEqual(
            self.calls, [f"put endpoints/crm/{part}" for part in ("settings", "secret", "url")]
        )
        self.assertEqual(
            json.loads(self.value("endpoints/crm/settings")),
            {"format": "standard", "accounts": ["A"]},
        )
        self.assertEqual(self.value("endpoints/crm/url"), "https://crm.example.com/in")
        self.assertEqual(shown, f"secret: {self.secret('endpoints/crm/secret')}\n")
        self.assertEqual(
            len(base64.b64decode(shown[8:-1].removeprefix("whsec_"), validate=True)), 32
        )

    def test_rejects_an_endpoint_when_any_part_exists(self) -> None:
        self.add_endpoint()
        for part in ("url", "secret", "settings"):
            with self.subTest(part):
                self.assert_rejects("endpoint-add", "already exists", **self.ENDPOINT)
                del self.ssm.values[f"{PREFIX}/endpoints/crm/{part}"]
        self.add_endpoint()

    def test_replaces_an_endpoint_with_its_url_removed_first(self) -> None:
        old = self.add_endpoint(stdin="legacy\n", LEGACY_SECRET="stdin")
        self.assertEqual(self.secret("endpoints/crm/legacy_secret"), "legacy")
        self.assertNotEqual(self.add_endpoint(FORCE="1", URL="https://other.example.com/"), old)
        self.assertEqual(self.calls[0], "delete endpoints/crm/url")
        self.assertEqual(self.calls[-1], "put endpoints/crm/url")
        self.assertNotIn(f"{PREFIX}/endpoints/crm/legacy_secret", self.ssm.values)

    def test_rotates_a_signing_secret(self) -> None:
        old = self.add_endpoint()[8:-1]
        new = self.run_command("endpoint-rotate", NAME="crm")[8:-1]
        self.assertEqual(self.secret("endpoints/crm/secret"), f"{new} {old}")
        self.assert_rejects("endpoint-rotate", "FINISH=1 drops the old one", NAME="crm")
        newer = self.run_command("endpoint-rotate", NAME="crm", FORCE="1")[8:-1]
        self.assertEqual(self.secret("endpoints/crm/secret"), f"{newer} {old}")
        self.assertEqual(self.run_command("endpoint-rotate", NAME="crm", FINISH="1"), "")
        self.assertEqual(self.secret("endpoints/crm/secret"), newer)
        self.assert_rejects("endpoint-rotate", "no rotation to finish", NAME="crm", FINISH="1")
        self.assert_rejects("endpoint-rotate", "no endpoint absent", NAME="absent")

    def test_removes_an_endpoint_url_first(self) -> None:
        self.add_endpoint()
        self.assertEqual(self.run_command("endpoint-remove", NAME="crm"), "")
        self.assertEqual(self.calls[0], "delete endpoints/crm/url")
        self.assertEqual(self.ssm.values, {})
        self.assert_rejects("endpoint-remove", "no endpoint crm", NAME="crm")

    def test_sets_a_source_once(self) -> None:
        shown = self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A")
        self.assertEqual(
            self.calls, ["put sources/shiprocket/secret", "put sources/shiprocket/settings"]
        )
        self.assertEqual(shown, f"secret: {self.secret('sources/shiprocket/secret')}\n")
        self.assertEqual(
            json.loads(self.value("sources/shiprocket/settings")), {"mode": "token", "account": "A"}
        )
        self.assert_rejects("source-set", "already exists", SOURCE="shiprocket", ACCOUNT="A")

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
        self.assertEqual(self.run_command("source-set", stdin="key from the proxy\n", **given), "")
        expected = {"mode": "hmac", "account": "B", "allowed_ips": ["203.0.113.0/24"]}
        self.assertEqual(json.loads(self.value("sources/shiprocket/settings")), expected)
        self.assertEqual(self.secret("sources/shiprocket/secret"), "key from the proxy")
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
        self.assertEqual(self.secret("sources/shiprocket/secret"), "key from the proxy")
        # The old secret belongs to the other mode.
        self.assertNotEqual(self.run_command("source-set", MODE="token", **given), "")
        self.assertNotEqual(self.secret("sources/shiprocket/secret"), "key from the proxy")

    def test_keeps_the_mode_of_a_source_after_an_update(self) -> None:
        signs = {"SOURCE": "esahayak", "ACCOUNT": "A", "MODE": "hmac", "SECRET": "stdin"}
        self.run_command("source-set", stdin="the key\n", **signs)
        self.run_command(
            "source-set", SOURCE="esahayak", FORCE="1", ALLOWED_CIDRS="198.51.100.0/24"
        )
        expected = {"mode": "hmac", "account": "A", "allowed_cidrs": ["198.51.100.0/24"]}
        self.assertEqual(json.loads(self.value("sources/esahayak/settings")), expected)
        self.assertEqual(self.secret("sources/esahayak/secret"), "the key")

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
        self.assert_rejects("source-set", "already exists", SOURCE="shipway", **polls)
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
        shown = self.run_command("source-set", SOURCE="esahayak", MODE="hmac", FORCE="1")
        self.assertEqual(shown, f"secret: {self.secret('sources/esahayak/secret')}\n")
        expected = {"mode": "hmac", "account": "A", "allowed_cidrs": cidrs}
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

    def test_generates_unique_hooks(self) -> None:
        paths = {self.run_command("hook-add", SOURCE="shipway", ACCOUNT="A") for _ in range(50)}
        self.assertEqual(len(paths), 50)

    def test_rejects_invalid_options(self) -> None:
        endpoint = self.ENDPOINT
        user = {"NAME": "a", "ROLE": "admin", "ACCOUNTS": "*"}
        for command, message, variables in [
            ("user-add", "NAME=… is missing", {**user, "NAME": ""}),
            ("user-add", "NAME=a/b", {**user, "NAME": "a/b"}),
            ("user-add", "ROLE=root", {**user, "ROLE": "root"}),
            ("user-add", "ACCOUNTS=… is missing", {"NAME": "a", "ROLE": "admin"}),
            ("vendor-add", "account", {"NAME": "a", "ACCOUNT": "*"}),
            ("endpoint-add", "FORMAT=xml", {**endpoint, "FORMAT": "xml"}),
            ("endpoint-add", "must start with https", {**endpoint, "URL": "http://127.0.0.1/"}),
            ("endpoint-add", "LEGACY_SECRET=stdin", {**endpoint, "LEGACY_SECRET": "hunter2"}),
            ("endpoint-add", "no line on standard input", {**endpoint, "LEGACY_SECRET": "stdin"}),
            ("source-set", "SOURCE=fax", {"SOURCE": "fax", "ACCOUNT": "A"}),
            ("source-set", "MODE=none", {"SOURCE": "shiprocket", "ACCOUNT": "A", "MODE": "none"}),
            ("source-set", "ACCOUNT=… is missing", {"SOURCE": "shiprocket"}),
            (
                "source-set",
                "SECRET=stdin is missing: the license key",
                {"SOURCE": "shipway", "EMAIL": "a@b"},
            ),
            (
                "source-set",
                "SECRET=stdin",
                {"SOURCE": "shipway", "EMAIL": "a@b", "SECRET": "hunter2"},
            ),
            (
                "source-set",
                "URL: must start with https",
                {"SOURCE": "shipway", "URL": "http://127.0.0.1/"},
            ),
            (
                "source-set",
                "URL: must not have a query",
                {"SOURCE": "shipway", "URL": "https://a.example/?b"},
            ),
            ("source-set", "CALLS_PER_SECOND=0", {"SOURCE": "shipway", "CALLS_PER_SECOND": "0"}),
            (
                "source-set",
                "CALLS_PER_SECOND=nan",
                {"SOURCE": "shipway", "CALLS_PER_SECOND": "nan"},
            ),
            (
                "source-set",
                "STALLED_AFTER_DAYS=1.5",
                {"SOURCE": "shipway", "STALLED_AFTER_DAYS": "1.5"},
            ),
            ("source-set", "ALLOWED_CIDRS=… is missing", {"SOURCE": "esahayak", "ACCOUNT": "A"}),
            (
                "source-set",
                "ALLOWED_CIDRS: ",
                {"SOURCE": "esahayak", "ALLOWED_CIDRS": "example.com"},
            ),
            (
                "source-set",
                "has none",
                {"SOURCE": "esahayak", "ALLOWED_CIDRS": "192.0.2.1", "SECRET": "stdin"},
            ),
            (
                "source-set",
                "PHONE_NUMBERS=.* is missing",
                {"SOURCE": "whatsapp", "SECRET": "stdin"},
            ),
            (
                "source-set",
                "Meta's ids are digits",
                {"SOURCE": "whatsapp", "PHONE_NUMBERS": "+91:A"},
            ),
            (
                "source-set",
                "SECRET=stdin is missing: the app",
                {"SOURCE": "whatsapp", "PHONE_NUMBERS": "91:A"},
            ),
            ("shipway-add", "EMAIL=… is missing", {"ACCOUNT": "A", "SECRET": "stdin"}),
            ("hook-add", "SOURCE=api", {"SOURCE": "api", "ACCOUNT": "A"}),
            ("hook-add", "account", {"SOURCE": "shipway", "ACCOUNT": "*"}),
        ]:
            with self.subTest(variables):
                self.assert_rejects(command, message, **variables)

    def test_accepts_loopback_urls_on_the_local_stack(self) -> None:
        variables = self.ENDPOINT | {"URL": "http://127.0.0.1:4599/crm"}
        self.run_command("endpoint-add", local=True, **variables)
        self.assertEqual(self.value("endpoints/crm/url"), "http://127.0.0.1:4599/crm")

    def add_endpoint(self, stdin: str = "", **variables: str) -> str:
        return self.run_command("endpoint-add", stdin, **self.ENDPOINT | variables)


class Deploying(unittest.TestCase):
    def test_parses_and_rejects_template_parameters(self) -> None:
        self.assertEqual(rollout.extra_parameters(""), {})
        self.assertEqual(rollout.extra_parameters("A=1  B=x=y"), {"A": "1", "B": "x=y"})
        for text in ("A", "A=", "=1", "--guided=1"):
            with self.subTest(text), self.assertRaises(StackError):
                rollout.extra_parameters(text)


class Main(unittest.TestCase):
    def test_prints_errors_as_one_line(self) -> None:
        for variables, message in [
            ({}, "STAGE=… is missing"),
            ({"STAGE": "Prod"}, "STAGE=Prod: lower-case letters"),
            ({"STAGE": "prod", "AWS_CONFIG_FILE": "/dev/null"}, "no region: give REGION="),
        ]:
            with (
                self.subTest(variables),
                patch.dict("os.environ", variables, clear=True),
                patch("sys.stderr", io.StringIO()) as stderr,
            ):
                self.assertEqual(manage.main("user-add"), 1)
                self.assertRegex(stderr.getvalue(), f"^error: .*{message}.*\n$")


if __name__ == "__main__":
    unittest.main()
