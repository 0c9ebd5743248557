"""What may be written into settings, and what Shiprocket's panel takes."""

from __future__ import annotations

import unittest

import callback
import rules
from config import TEMPLATE, StackError


class Urls(unittest.TestCase):
    def test_good_ones(self) -> None:
        for url in (
            "https://example.com",
            "https://hooks.example.co.in:443/a/b?token=x%20y",
            "https://xn--bcher-kva.example/hook",
            "https://under_score.example.com/",
            "https://8.8.8.8/hook",
            "https://[2606:4700::1111]/hook",
            "https://1.example.com1/",
        ):
            with self.subTest(url):
                self.assertEqual(rules.endpoint_url(url, local=False), url)

    def test_bad_ones(self) -> None:
        for url in (
            "",
            "example.com/hook",
            "http://example.com/hook",
            "ftp://example.com",
            "https://",
            "https://localhost/hook",
            "https://intranet/hook",
            "https://example.com./hook",
            "https://app.localhost/hook",
            "https://user:password@example.com/",
            "https://@example.com/",
            "https://example.com:8443/",
            "https://example.com:port/",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://224.0.0.1/",
            "https://[::1]/",
            "https://[fe80::1]/",
            "https://0x7f.1/",
            "https://example.0x7f/",
            "https://2130706433/",
            "https://127.1/",
            "https://1.2.3.256/",
            "https://example.com\\@127.0.0.1/",
            "https://exam ple.com/",
            "https://bücher.example/",
            "https://example.com/\x00",
            "https://example.com/" + "a" * 2048,
        ):
            with self.subTest(url), self.assertRaises(StackError) as caught:
                rules.endpoint_url(url, local=False)
            self.assertNotIn("password", str(caught.exception).replace("user name or password", ""))

    def test_this_machine_is_one_only_on_the_local_stack(self) -> None:
        for url in ("http://127.0.0.1:4599/a", "https://localhost/a", "http://localhost:1/"):
            with self.subTest(url):
                self.assertEqual(rules.endpoint_url(url, local=True), url)
                with self.assertRaises(StackError):
                    rules.endpoint_url(url, local=False)
        for url in ("http://example.com/", "http://127.0.0.1.example.com/", "http://10.0.0.1/", "https://127.0.0.2/"):
            with self.subTest(url), self.assertRaises(StackError):
                rules.endpoint_url(url, local=True)


class Names(unittest.TestCase):
    def test_names(self) -> None:
        for name in ("a", "shop-1", "A.b_C-9", "x" * 64):
            self.assertEqual(rules.name(name), name)
        for name in ("", "a b", "a/b", "ä", "x" * 65, "a\n", "$(id)"):
            with self.subTest(name), self.assertRaises(StackError):
                rules.name(name)

    def test_stages_are_those_of_the_template(self) -> None:
        self.assertIn(f'AllowedPattern: "{rules.STAGE.pattern}"', TEMPLATE.read_text())
        for stage in ("Prod", "1a", "", "a" * 17, "dev/x", "dev\n"):
            with self.subTest(stage), self.assertRaises(StackError):
                rules.stage(stage)

    def test_accounts(self) -> None:
        self.assertEqual(rules.accounts("STORE001,Shop 2"), ["STORE001", "Shop 2"])
        self.assertEqual(rules.accounts("*"), ["*"])
        self.assertEqual(rules.accounts("Cafe\u0301"), ["Caf\u00e9"])
        for text in ("", "A,", "A, B", "A,*", "a/b", "a\tb", "é" * 65):
            with self.subTest(text), self.assertRaises(StackError):
                rules.accounts(text)

    def test_addresses(self) -> None:
        self.assertEqual(rules.addresses("ALLOWED_IPS", "203.0.113.7,2001:db8::/32"), ["203.0.113.7", "2001:db8::/32"])
        for text in ("", "203.0.113", "203.0.113.7,", "example.com"):
            with self.subTest(text), self.assertRaises(StackError):
                rules.addresses("ALLOWED_IPS", text)


class Callbacks(unittest.TestCase):
    def test_what_shiprocket_refuses(self) -> None:
        aws = "execute-api.ap-south-1.amazonaws.com/webhooks/carrier"
        for url, words in {
            f"https://a1b2c3d4e5.{aws}": [],
            f"https://abkrcd1234.{aws}": ["kr"],
            f"https://sr00000000.{aws}": ["sr"],
            f"https://a1s.r2.{aws}": [],
            "https://hooks.example.com/webhooks/carrier": [],
            "https://news.room.example/": [],
            "https://newsroom.example/": ["sr"],
            "https://UKRAINE.example/": ["kr"],
            "https://api.example.com/SRV": ["sr"],
            "https://api.example.com/%73r": ["sr"],
            "https://api.example.com/api/webhooks/shiprocket": ["shiprocket"],
            "https://kartrocket.example/": ["kartrocket"],
            "https://sr:kr@example.com/?sr=kr#sr": [],
        }.items():
            with self.subTest(url):
                self.assertEqual(callback.refused_words(url), words)

    def test_the_advice_says_what_to_do(self) -> None:
        self.assertEqual(
            callback.advice("https://a1.example", "/webhooks/carrier"),
            "Callback URL for Shiprocket: https://a1.example/webhooks/carrier",
        )
        refused = callback.advice("https://ukraine.example", "/webhooks/carrier")
        self.assertIn("WARNING: Shiprocket will refuse https://ukraine.example/webhooks/carrier", refused)
        self.assertIn("it contains 'kr'", refused)
        self.assertIn("custom domain", refused)


if __name__ == "__main__":
    unittest.main()
