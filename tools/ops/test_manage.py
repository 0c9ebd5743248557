"""Users, vendors and endpoints: the parameters of the commands, their order, and rejected options.

`stack_tests.py` runs the commands on a real stack.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import unittest
from typing import ClassVar
from unittest.mock import patch

from samcli.cli.types import CfnParameterOverridesType

import manage
import rollout
from command_case import PREFIX, CommandCase
from config import StackError


class Commands(CommandCase):
    ENDPOINT: ClassVar = {
        "NAME": "crm",
        "URL": "https://crm.example.com/in",
        "FORMAT": "standard",
        "ACCOUNTS": "A",
    }

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

    def test_takes_a_given_signing_secret(self) -> None:
        unpadded = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWQ"
        both = {"SECRET": "stdin", "LEGACY_SECRET": "stdin"}
        self.assertEqual(self.add_endpoint(stdin=f"{unpadded}\nlegacy\n", **both), "")
        self.assertEqual(self.secret("endpoints/crm/secret"), unpadded)
        self.assertEqual(self.secret("endpoints/crm/legacy_secret"), "legacy")
        url_safe = "whsec_-_-_QUJDREVGR0hJSktMTU5PUFFSU1RV"
        shown = self.run_command("endpoint-rotate", f"{url_safe}\n", NAME="crm", SECRET="stdin")
        self.assertEqual(shown, "")
        self.assertEqual(self.secret("endpoints/crm/secret"), f"{url_safe} {unpadded}")

    def test_rejects_a_legacy_secret_that_is_not_ascii(self) -> None:
        given = self.ENDPOINT | {"LEGACY_SECRET": "stdin"}
        with self.assertRaisesRegex(StackError, "^LEGACY_SECRET: must be visible ASCII$"):
            self.run_command("endpoint-add", "gehéim\n", **given)
        self.assertEqual(self.ssm.values, {})
        self.add_endpoint()
        with self.assertRaisesRegex(StackError, "^LEGACY_SECRET: must be visible ASCII$"):
            self.run_command("endpoint-set", "gehéim\n", NAME="crm", LEGACY_SECRET="stdin")

    def test_rejects_a_signing_secret_without_its_prefix(self) -> None:
        given = self.ENDPOINT | {"SECRET": "stdin"}
        with self.assertRaises(StackError) as caught:
            self.run_command("endpoint-add", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWQ==\n", **given)
        self.assertEqual(
            str(caught.exception), "SECRET: must begin with whsec_, followed by base64"
        )
        self.assertEqual(self.ssm.values, {})

    def test_writes_a_timeout_of_its_own(self) -> None:
        for seconds in ("1", "30"):
            self.add_endpoint(TIMEOUT_SECONDS=seconds, FORCE="1")
            settings = json.loads(self.value("endpoints/crm/settings"))
            self.assertEqual(settings["timeout_seconds"], int(seconds))
        for seconds in ("0", "31", "60", "-1", "1.5", "9" * 5000, "x"):
            with self.subTest(seconds):
                self.assert_rejects(
                    "endpoint-add",
                    "TIMEOUT_SECONDS=.*: expected 1 to 30 seconds",
                    **self.ENDPOINT | {"FORCE": "1", "TIMEOUT_SECONDS": seconds},
                )

    def test_writes_every_setting_of_a_new_endpoint(self) -> None:
        self.add_endpoint(EVENTS="delivered", ENABLED="false", RETRY_COUNT="3", HEADER="x-tag: a")
        settings = json.loads(self.value("endpoints/crm/settings"))
        others = {"events": ["delivered"], "enabled": False, "retry_count": 3}
        expected = {"format": "standard", "accounts": ["A"], "headers": {"x-tag": "a"}}
        self.assertEqual(settings, expected | others)
        invalid = {**self.ENDPOINT, "FORCE": "1", "LATEST_ONLY": "true", "FORMAT": "status_update"}
        self.assert_rejects("endpoint-add", "are batches", **invalid)

    def test_rejects_an_endpoint_when_any_part_exists(self) -> None:
        self.add_endpoint()
        for part in ("url", "secret", "settings"):
            with self.subTest(part):
                self.assert_rejects("endpoint-add", "already exist.*new secret", **self.ENDPOINT)
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
            ("endpoint-add", "SECRET=stdin", {**endpoint, "SECRET": "hunter2"}),
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


class Effect(unittest.TestCase):
    def test_names_the_delay_of_the_stage(self) -> None:
        for template, delay in [
            ({"ConfigTtlSeconds": "1"}, "about 1 second "),
            ({"ConfigTtlSeconds": "60"}, "about 60 seconds "),
            ({}, "about 300 seconds "),
        ]:
            self.assertIn(delay, manage._effect(template))


class Deploying(unittest.TestCase):
    def test_parses_and_rejects_template_parameters(self) -> None:
        self.assertEqual(rollout.extra_parameters(""), {})
        self.assertEqual(rollout.extra_parameters("A=1  B=x=y"), {"A": "1", "B": "x=y"})
        for text in ("A", "A=", "=1", "--guided=1", "AlarmEmail"):
            with self.subTest(text), self.assertRaises(StackError):
                rollout.extra_parameters(text)

    def test_a_parameter_without_a_value_gets_its_default_again(self) -> None:
        found = rollout.extra_parameters("AlarmEmail= ProcessConcurrency= Stage=a")
        self.assertEqual(found, {"AlarmEmail": "", "ProcessConcurrency": "2", "Stage": "a"})
        overrides = tuple(map(rollout.override, found.items()))
        self.assertEqual(CfnParameterOverridesType().convert(overrides, None, None), found)


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
