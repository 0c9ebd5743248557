"""Validation of settings, and callback URLs that Shiprocket's panel accepts."""

from __future__ import annotations

import ipaddress
import re
import unittest
from urllib.parse import urlsplit

import callback
import rules
from config import ROOT, TEMPLATE, StackError


class EndpointUrls(unittest.TestCase):
    def test_accepts_public_https_urls(self) -> None:
        for url in (
            "https://example.com",
            "https://hooks.example.co.in:443/a/b?token=x%20y",
            "https://xn--bcher-kva.example/hook",
            "https://under_score.example.com/",
            "https://8.8.8.8/hook",
            "https://1.example.com1/",
        ):
            with self.subTest(url):
                self.assertEqual(rules.endpoint_url(url, local=False), url)

    def test_rejects_other_urls_without_quoting_passwords(self) -> None:
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
            "https://[2606:4700::1111]/hook",
            "https://192.88.99.1/",
            "https://0x7f.1/",
            "https://example.0x7f/",
            "https://2130706433/",
            "https://127.1/",
            "https://1.2.3.256/",
            "https://example.com\\@127.0.0.1/",
            "https://exam ple.com/",
            "https://example.com/bücher",
            "https://example.com/?q=ü",
            "https://xn--a.example/",
            "https://xn--abc.example/",
            "https://xn--localhost-.example/",
            "https://a\u0300.\u0300/",
            "https://loc\u00adalhost/",
            "https://x.\u24dbocalhost/",
            "https://x\u3002localhost/",
            "https://\uff11\uff12\uff17.0.0.1/",
            "https://127\u30020\u30020\u30021/",
            "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
            "https://user:password@bücher.example/",
            "https://bücher.example:8443/",
            "https://" + "ü" * 64 + ".example/",
            "https://example.com/\x00",
            "https://example.com/" + "a" * 2048,
        ):
            with self.subTest(url), self.assertRaises(StackError) as caught:
                rules.endpoint_url(url, local=False)
            self.assertNotIn("password", str(caught.exception).replace("user name or password", ""))

    def test_writes_internationalised_hosts_in_punycode(self) -> None:
        for text, url, host in (
            (
                "https://दुकान.भारत/hook?a=1#b",
                "https://xn--11b7ah1gn.xn--h2brj9c/hook?a=1#b",
                "दुकान.भारत",
            ),
            ("https://Bücher.example", "https://xn--bcher-kva.example", "bücher.example"),
            ("https://straße.example:443/", "https://xn--strae-oqa.example:443/", "straße.example"),
            (
                "https://XN--bcher-kva.example/A",
                "https://xn--bcher-kva.example/A",
                "bücher.example",
            ),
        ):
            with self.subTest(text):
                self.assertEqual(rules.endpoint_url(text, local=False), url)
                self.assertEqual(rules.endpoint_url(url, local=False), url)
                ascii_host = urlsplit(url).hostname
                self.assertEqual(rules.readable_host(url), f"{host} ({ascii_host})")
        self.assertEqual(rules.readable_host("https://crm.example.com/in"), "crm.example.com")

    def test_accepts_loopback_urls_on_the_local_stack_only(self) -> None:
        for url in ("http://127.0.0.1:4599/a", "https://localhost/a", "http://localhost:1/"):
            with self.subTest(url):
                self.assertEqual(rules.endpoint_url(url, local=True), url)
                with self.assertRaises(StackError):
                    rules.endpoint_url(url, local=False)
        for url in (
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
            "https://127.0.0.2/",
        ):
            with self.subTest(url), self.assertRaises(StackError):
                rules.endpoint_url(url, local=True)


class Addresses(unittest.TestCase):
    def test_agrees_with_egress(self) -> None:
        table = (ROOT / "shared/egress/src/policy/addresses.txt").read_text()
        lines = [line.split() for line in table.splitlines() if not line.startswith("#")]
        self.assertGreater(len(lines), 60)
        for kind, text in lines:
            with self.subTest(text):
                is_public = rules.is_public_address(ipaddress.ip_address(text))
                self.assertEqual(is_public, kind == "public")
                if "." in text and ":" not in text and kind == "special":
                    with self.assertRaises(StackError):
                        rules.endpoint_url(f"https://{text}/", local=False)

    def test_has_the_blocks_of_egress(self) -> None:
        source = (ROOT / "shared/egress/src/policy.rs").read_text()
        self.assertEqual(
            len(rules.SPECIAL), sum(map(int, re.findall(r"const SPECIAL_V.*Net; ([0-9]+)", source)))
        )


class Names(unittest.TestCase):
    def test_accepts_and_rejects_names(self) -> None:
        for name in ("a", "shop-1", "A.b_C-9", "x" * 64):
            self.assertEqual(rules.name(name), name)
        for name in ("", ".", "..", "a b", "a/b", "ä", "x" * 65, "a\n", "$(id)"):
            with self.subTest(name), self.assertRaises(StackError):
                rules.name(name)

    def test_accepts_the_stages_of_the_template(self) -> None:
        self.assertIn(f'AllowedPattern: "{rules.STAGE.pattern}"', TEMPLATE.read_text())
        for stage in ("Prod", "1a", "", "a" * 17, "dev/x", "dev\n"):
            with self.subTest(stage), self.assertRaises(StackError):
                rules.stage(stage)

    def test_normalises_and_rejects_accounts(self) -> None:
        self.assertEqual(rules.accounts("STORE001,Shop 2"), ["STORE001", "Shop 2"])
        self.assertEqual(rules.accounts("*"), ["*"])
        self.assertEqual(rules.accounts("Cafe\u0301"), ["Caf\u00e9"])
        for text in ("", "A,", "A, B", "A,*", "a/b", "a?b", "100%", "a\tb", "é" * 65):
            with self.subTest(text), self.assertRaises(StackError):
                rules.accounts(text)

    def test_accepts_and_rejects_addresses(self) -> None:
        self.assertEqual(
            rules.addresses("ALLOWED_IPS", "203.0.113.7,2001:db8::/32"),
            ["203.0.113.7", "2001:db8::/32"],
        )
        for text in ("", "203.0.113", "203.0.113.7,", "example.com"):
            with self.subTest(text), self.assertRaises(StackError):
                rules.addresses("ALLOWED_IPS", text)


class SigningSecrets(unittest.TestCase):
    def test_accepts_every_variant_of_base64(self) -> None:
        for text in ("QUJD" * 8, "QUJD" * 8 + "RA==", "QUJD" * 8 + "RA", "-_+/" * 8):
            with self.subTest(text):
                self.assertEqual(rules.signing_secret("SECRET", f"whsec_{text}"), f"whsec_{text}")

    def test_rejects_others_without_quoting_them(self) -> None:
        for text, message in (
            ("QUJD" * 8, "must begin with whsec_"),
            ("WHSEC_" + "QUJD" * 8, "must begin with whsec_"),
            ("", "must begin with whsec_"),
            ("whsec_", "24 to 64 bytes"),
            ("whsec_" + "QUJD" * 7, "must be base64 of 24"),
            ("whsec_" + "QUJD" * 22, "24 to 64 bytes"),
            ("whsec_" + "QUJD" * 8 + "RA=", "must be base64"),
            ("whsec_" + "QUJD" * 8 + "R", "must be base64"),
            ("whsec_" + "QUJD" * 8 + "RB==", "must be base64"),
            ("whsec_" + "QU D" * 8, "must be base64"),
            ("whsec_" + "é" * 32, "must be base64"),
        ):
            with self.subTest(text), self.assertRaisesRegex(StackError, message) as caught:
                rules.signing_secret("SECRET", text)
            self.assertNotIn("QUJD", str(caught.exception))


class Callbacks(unittest.TestCase):
    def test_finds_words_that_shiprocket_rejects(self) -> None:
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
                self.assertEqual(callback.rejected_words(url), words)

    def test_advises_a_custom_domain_when_the_url_is_rejected(self) -> None:
        self.assertEqual(
            callback.advice("https://a1.example", "/webhooks/carrier"),
            "Callback URL for Shiprocket: https://a1.example/webhooks/carrier",
        )
        rejected = callback.advice("https://ukraine.example", "/webhooks/carrier")
        self.assertIn(
            "WARNING: Shiprocket will reject https://ukraine.example/webhooks/carrier", rejected
        )
        self.assertIn("it contains 'kr'", rejected)
        self.assertIn("custom domain", rejected)


if __name__ == "__main__":
    unittest.main()
