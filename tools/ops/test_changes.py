"""Commands that list, change and remove what others added."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from command_case import PREFIX, CommandCase

SECRET = "canary-secret"


class Changes(CommandCase):
    ENDPOINT: ClassVar = {
        "NAME": "crm",
        "URL": f"https://crm.example.com/{SECRET}",
        "FORMAT": "standard",
        "ACCOUNTS": "A",
    }

    def put(self, name: str, value: Any, kind: str = "SecureString") -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.ssm.values[f"{PREFIX}/{name}"] = (kind, text)

    def table(self, command: str) -> list[list[str]]:
        output = self.run_command(command)
        self.assertNotIn(SECRET, output)
        return [line.split() for line in output.splitlines()]

    def test_lists_users_and_vendors_without_their_secrets(self) -> None:
        for name, accounts in [("a", ["*"]), ("b", ["A", "B"]), ("c", ["A"])]:
            user = {"password_sha256": SECRET, "role": "partner", "accounts": accounts}
            self.put(f"users/{name}", user)
        self.put("users/d", "{")
        self.put("vendors/shop", {"secret": SECRET, "account": "A"})
        self.assertEqual(
            self.table("users"),
            [
                ["USER", "ROLE", "ACCOUNTS"],
                ["a", "partner", "*"],
                ["b", "partner", "A,B"],
                ["c", "partner", "A"],
                ["d", "unusable", "unusable"],
            ],
        )
        self.assertEqual(self.table("vendors"), [["VENDOR", "ACCOUNT"], ["shop", "A"]])

    def test_lists_sources_and_hooks_without_their_secrets(self) -> None:
        self.put("sources/shiprocket/settings", {"mode": "token", "account": "A"}, "String")
        self.put("sources/shiprocket/secret", f"{SECRET} {SECRET}2")
        self.put("sources/shiprocket/hooks/abcdefgh", {"account": "B", "secret": SECRET})
        self.put("sources/shiprocket/hooks/abxyefgh", {"account": "C"})
        self.put("sources/whatsapp/secret", {"app_secret": [SECRET], "verify_token": SECRET})
        self.put("accounts/B/shipway", {"email": "b@example.com", "license_key": SECRET})
        self.assertEqual(
            self.table("sources"),
            [
                ["SOURCE", "SETTINGS", "SECRETS"],
                ["shiprocket", '{"mode":"token","account":"A"}', "2"],
                ["whatsapp", "missing", "1"],
                ["shipway", "of", "B", "{}", "own"],
            ],
        )
        self.assertEqual(
            self.table("hooks"),
            [
                ["SOURCE", "HOOK", "ACCOUNT", "SECRET"],
                ["shiprocket", "abcd…", "B", "own"],
                ["shiprocket", "abxy…", "C", "the", "source's"],
            ],
        )

    def test_lists_endpoints_without_secrets_headers_and_paths(self) -> None:
        self.run_command("endpoint-add", **self.ENDPOINT)
        self.run_command("endpoint-set", NAME="crm", HEADER=f"x-token: {SECRET}")
        self.put("endpoints/half/settings", "[]", "String")
        self.assertEqual(
            self.table("endpoints"),
            [
                ["ENDPOINT", "HOST", "SETTINGS", "SECRETS"],
                [
                    *("crm", "crm.example.com"),
                    '{"format":"standard","accounts":["A"],"headers":{"x-token":"…"}}',
                    "1",
                ],
                ["half", "no", "URL", "unusable", "none"],
            ],
        )

    def test_lists_nothing_by_its_titles_alone(self) -> None:
        for command in ("users", "vendors", "sources", "hooks", "endpoints"):
            self.assertEqual(len(self.table(command)), 1, command)

    def test_changes_a_user_and_a_vendor_without_a_new_secret(self) -> None:
        self.run_command("user-add", NAME="shop", ROLE="partner", ACCOUNTS="A")
        before = json.loads(self.secret("users/shop"))
        self.assertEqual(self.run_command("user-set", NAME="shop", ACCOUNTS="A,B"), "")
        self.assertEqual(json.loads(self.secret("users/shop")), before | {"accounts": ["A", "B"]})
        self.run_command("user-set", NAME="shop", ROLE="viewer")
        after = json.loads(self.secret("users/shop"))
        self.assertEqual(after, before | {"accounts": ["A", "B"], "role": "viewer"})
        self.run_command("vendor-add", NAME="shop", ACCOUNT="A")
        before = json.loads(self.secret("vendors/shop"))
        self.run_command("vendor-set", NAME="shop", ACCOUNT="B")
        self.assertEqual(json.loads(self.secret("vendors/shop")), before | {"account": "B"})

    def test_changes_one_setting_of_an_endpoint(self) -> None:
        self.run_command("endpoint-add", **self.ENDPOINT)
        settings = {"format": "standard", "accounts": ["A"]}
        for option, value, field, expected in [
            ("FORMAT", "status_update", "format", "status_update"),
            ("ACCOUNTS", "A,B", "accounts", ["A", "B"]),
            ("EVENTS", "order.stalled,delivered", "events", ["order.stalled", "delivered"]),
            ("TIMEOUT_SECONDS", "9", "timeout_seconds", 9),
            ("BACKOFF", "5,60", "backoff", [5, 60]),
            ("RETRY_COUNT", "4", "retry_count", 4),
            ("RETRY_4XX", "false", "retry_4xx", False),
            ("MAX_IN_FLIGHT", "2", "max_in_flight", 2),
            ("LATEST_ONLY", "false", "latest_only", False),
            ("ENABLED", "false", "enabled", False),
            ("HEADER", "X-Tag: shop: 1", "headers", {"X-Tag": "shop: 1"}),
            ("HEADER", "x-tag:2", "headers", {"x-tag": "2"}),
            ("HEADER", "X-TAG:", "headers", {}),
        ]:
            with self.subTest(option):
                output = self.run_command("endpoint-set", **{"NAME": "crm", option: value})
                self.assertEqual((output, self.calls), ("", ["put endpoints/crm/settings"]))
                settings[field] = expected
                self.assertEqual(json.loads(self.value("endpoints/crm/settings")), settings)
        self.run_command("endpoint-set", NAME="crm", EVENTS="none", BACKOFF="none")
        del settings["events"], settings["backoff"]
        self.assertEqual(json.loads(self.value("endpoints/crm/settings")), settings)

    def test_changes_a_url_without_a_new_secret(self) -> None:
        self.run_command("endpoint-add", **self.ENDPOINT)
        secret, url = self.secret("endpoints/crm/secret"), "https://crm.example.com/new"
        self.assertEqual(self.run_command("endpoint-set", NAME="crm", URL=url), "")
        self.assertEqual(self.calls, ["put endpoints/crm/url"])
        self.assertEqual(self.value("endpoints/crm/url"), url)
        self.assertEqual(self.secret("endpoints/crm/secret"), secret)

    def test_sets_and_drops_a_legacy_secret(self) -> None:
        self.run_command("endpoint-add", **self.ENDPOINT)
        self.run_command("endpoint-set", f"{SECRET}\n", NAME="crm", LEGACY_SECRET="stdin")
        self.assertEqual(self.secret("endpoints/crm/legacy_secret"), SECRET)
        self.assertIn("1,", self.table("endpoints")[1])
        self.run_command("endpoint-set", NAME="crm", LEGACY_SECRET="none")
        self.assertNotIn(f"{PREFIX}/endpoints/crm/legacy_secret", self.ssm.values)

    def test_changes_one_option_of_a_source(self) -> None:
        self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A", MODE="hmac")
        secret = self.secret("sources/shiprocket/secret")
        self.run_command("source-set", SOURCE="shiprocket", ALLOWED_IPS="192.0.2.1", FORCE="1")
        self.assertEqual(
            json.loads(self.value("sources/shiprocket/settings")),
            {"mode": "hmac", "account": "A", "allowed_ips": ["192.0.2.1"]},
        )
        self.assertEqual(self.secret("sources/shiprocket/secret"), secret)

    def test_removes_an_option_of_a_source(self) -> None:
        shipway = {"SOURCE": "shipway", "FORCE": "1"}
        self.run_command(
            "source-set",
            "key\n",
            **shipway,
            **{"ACCOUNT": "A", "EMAIL": "a@example.com", "SECRET": "stdin"},
            **{"URL": "https://app.shipway.com", "CALLS_PER_SECOND": "2"},
        )
        self.run_command("source-set", **shipway, URL="none", ACCOUNT="none")
        self.assertEqual(
            json.loads(self.value("sources/shipway/settings")), {"calls_per_second": 2}
        )
        esahayak = {"SOURCE": "esahayak", "ALLOWED_CIDRS": "none", "FORCE": "1"}
        ranges = esahayak | {"ALLOWED_CIDRS": "52.66.123.0/24", "ACCOUNT": "A"}
        self.run_command("source-set", **ranges)
        self.assert_rejects("source-set", "the mode network checks only addresses", **esahayak)
        self.run_command("source-set", **esahayak, MODE="hmac")
        self.assertEqual(
            json.loads(self.value("sources/esahayak/settings")), {"mode": "hmac", "account": "A"}
        )
        whatsapp = {"SOURCE": "whatsapp", "FORCE": "1"}
        numbers = {"PHONE_NUMBERS": "1:A,2:B", "SECRET": "stdin"}
        self.run_command("source-set", "app\n", **whatsapp, **numbers)
        self.run_command("source-set", **whatsapp, PHONE_NUMBERS="1:none")
        self.assertEqual(
            json.loads(self.value("sources/whatsapp/settings")), {"phone_numbers": {"2": "B"}}
        )
        self.assert_rejects(
            "source-set", "PHONE_NUMBERS=.* is missing", **whatsapp, PHONE_NUMBERS="2:none"
        )

    def test_changes_a_hook(self) -> None:
        path = "sources/shiprocket/hooks/abcdefgh"
        self.put(path, {"account": "A", "secret": "old"})
        hook = {"SOURCE": "shiprocket", "HOOK": "abcd…"}
        self.run_command("hook-set", **hook, ACCOUNT="B")
        self.assertEqual(json.loads(self.secret(path)), {"account": "B", "secret": "old"})
        self.run_command("hook-set", "new\n", **hook, SECRET="stdin")
        self.assertEqual(json.loads(self.secret(path)), {"account": "B", "secret": "new"})
        self.run_command("hook-set", **hook, SECRET="none")
        self.assertEqual(json.loads(self.secret(path)), {"account": "B"})

    def test_keeps_the_verify_token_of_a_whatsapp_hook(self) -> None:
        path = "sources/whatsapp/hooks/abcdefgh"
        self.put(path, {"account": "A", "secret": {"app_secret": ["a"], "verify_token": "v"}})
        self.run_command("hook-set", "b\n", SOURCE="whatsapp", HOOK="abcdefgh", SECRET="stdin")
        expected = {"app_secret": ["b", "a"], "verify_token": "v"}
        self.assertEqual(json.loads(self.secret(path))["secret"], expected)

    def test_removes_what_was_added(self) -> None:
        self.run_command("user-add", NAME="shop", ROLE="partner", ACCOUNTS="A")
        self.run_command("vendor-add", NAME="shop", ACCOUNT="A")
        self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A")
        self.run_command("hook-add", SOURCE="shiprocket", ACCOUNT="B")
        (hook,) = [name for name in self.ssm.values if "/hooks/" in name]
        self.put("accounts/B/shipway", {"email": "b@example.com", "license_key": "k"})
        for command, options in [
            ("user-remove", {"NAME": "shop"}),
            ("vendor-remove", {"NAME": "shop"}),
            ("hook-remove", {"SOURCE": "shiprocket", "HOOK": hook.rpartition("/")[2][:5]}),
            ("source-remove", {"SOURCE": "shiprocket"}),
            ("shipway-remove", {"ACCOUNT": "B"}),
        ]:
            with self.subTest(command):
                self.assertEqual(self.run_command(command, **options), "")
                self.assertTrue(all(call.startswith("delete ") for call in self.calls))
                self.assert_rejects(command, "there is no|is not set up|no hook of", **options)
        self.assertEqual(self.ssm.values, {})

    def test_closes_a_source_by_its_settings_and_keeps_its_hooks(self) -> None:
        self.run_command("source-set", SOURCE="shiprocket", ACCOUNT="A")
        self.put("sources/shiprocket/hooks/abcdefgh", {"account": "B"})
        self.run_command("source-remove", SOURCE="shiprocket")
        folder = "sources/shiprocket"
        self.assertEqual(self.calls, [f"delete {folder}/settings", f"delete {folder}/secret"])
        self.assertEqual(list(self.ssm.values), [f"{PREFIX}/{folder}/hooks/abcdefgh"])

    def test_rejects_an_ambiguous_hook(self) -> None:
        for hook in ("abcdefgh", "abcdefxy", "abcd"):
            self.put(f"sources/shipway/hooks/{hook}", {"account": "A"})
        for given, problem in [("abcde", "2 hooks"), ("abc", "no hook"), ("zzzz", "no hook")]:
            self.assert_rejects("hook-remove", problem, SOURCE="shipway", HOOK=given)
        self.run_command("hook-remove", SOURCE="shipway", HOOK="abcd")
        self.assertNotIn(f"{PREFIX}/sources/shipway/hooks/abcd", self.ssm.values)

    def test_rejects_invalid_changes(self) -> None:
        self.run_command("endpoint-add", **self.ENDPOINT)
        self.put("users/broken", "{")
        new_url = "https://crm.example.com/new"
        for command, message, options in [
            ("endpoint-set", "no endpoint absent", {"NAME": "absent", "ENABLED": "true"}),
            ("endpoint-set", "nothing to change", {}),
            ("endpoint-set", "change it alone", {"URL": new_url, "ACCOUNTS": "B"}),
            ("endpoint-set", "must start with https", {"URL": "http://crm.example.com/"}),
            ("endpoint-set", "FORMAT=fax", {"FORMAT": "fax"}),
            ("endpoint-set", "EVENTS=lost_forever: expected some of", {"EVENTS": "lost_forever"}),
            ("endpoint-set", "BACKOFF=86401", {"BACKOFF": "5,86401"}),
            ("endpoint-set", "BACKOFF=", {"BACKOFF": "5,"}),
            ("endpoint-set", "at most 7 days", {"BACKOFF": "86400", "RETRY_COUNT": "8"}),
            ("endpoint-set", "RETRY_COUNT=51", {"RETRY_COUNT": "51"}),
            ("endpoint-set", "RETRY_4XX=yes", {"RETRY_4XX": "yes"}),
            ("endpoint-set", "MAX_IN_FLIGHT=0", {"MAX_IN_FLIGHT": "0"}),
            ("endpoint-set", "TIMEOUT_SECONDS=31", {"TIMEOUT_SECONDS": "31"}),
            ("endpoint-set", "LATEST_ONLY=yes", {"LATEST_ONLY": "yes"}),
            (
                "endpoint-set",
                "are batches",
                {"LATEST_ONLY": "true", "FORMAT": "status_update"},
            ),
            (
                "endpoint-set",
                "only the format standard has endpoint.paused",
                {"EVENTS": "endpoint.paused,lost", "FORMAT": "order.status_changed"},
            ),
            (
                "endpoint-set",
                "only the format standard has message.received",
                {"EVENTS": "message.received", "FORMAT": "status_update"},
            ),
            ("endpoint-set", "HEADER: expected", {"HEADER": "x-tag"}),
            ("endpoint-set", "Host is set by", {"HEADER": "Host: a"}),
            ("endpoint-set", "webhook-id is set by", {"HEADER": "webhook-id: a"}),
            ("endpoint-set", "is set by", {"HEADER": "Proxy-Authorization: Basic eDp5"}),
            ("endpoint-set", "is set by", {"HEADER": "traceparent: 00-1"}),
            ("endpoint-set", "is set by", {"HEADER": "content-encoding: gzip"}),
            ("endpoint-set", "visible ASCII", {"HEADER": "x-tag: é"}),
            ("endpoint-set", "LEGACY_SECRET=stdin", {"LEGACY_SECRET": "hunter2"}),
            ("user-set", "no user crm", {"ROLE": "admin"}),
            ("user-set", "not a JSON object", {"NAME": "broken", "ROLE": "admin"}),
            ("vendor-set", "ACCOUNT=… is missing", {}),
            ("hook-set", "no hook", {"SOURCE": "shipway", "HOOK": "abcdefgh", "ACCOUNT": "A"}),
            ("source-remove", "SOURCE=fax", {"SOURCE": "fax"}),
        ]:
            with self.subTest(options):
                named = {} if command in ("hook-set", "source-remove") else {"NAME": "crm"}
                self.assert_rejects(command, message, **named | options)
