"""Runs the receiver samples of docs/receivers: they verify, reject and drop repeats."""

from __future__ import annotations

import base64
import itertools
import time
import unittest
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar

import samples
from signing import OTHER_SECRET, SECRET, sign

BODY = b'{"type": "order.status_changed", "data": {"orderId": "my-order-1"}}'
BODY_LIMIT = 1024 * 1024
numbers = itertools.count(1)


def new_id() -> str:
    return f"msg_{next(numbers)}"


@dataclass
class Delivery:
    """One attempt, correctly signed; a test changes fields or headers of it."""

    id: str = field(default_factory=new_id)
    body: bytes = BODY
    age: int = 0

    def __post_init__(self) -> None:
        self.timestamp = int(time.time()) - self.age
        self.signature = sign(SECRET, self.id, self.timestamp, self.body)

    def headers(self, **changes: str | bytes | None) -> list[tuple[str, bytes]]:
        """The headers, with replaced values; None leaves a header out."""
        values = {"id": self.id, "timestamp": str(self.timestamp), "signature": self.signature}
        pairs = [(f"webhook-{name}", value) for name, value in (values | changes).items()]
        return [(n, v.encode() if isinstance(v, str) else v) for n, v in pairs if v is not None]


def flip(signature: str, position: int) -> str:
    """The signature with one bit of its bytes changed."""
    mac = bytearray(base64.b64decode(signature.removeprefix("v1,")))
    mac[position] ^= 1
    return "v1," + base64.b64encode(mac).decode()


ACCEPTED: dict[str, Callable[[], Delivery]] = {
    "a good signature": Delivery,
    "an empty body": lambda: Delivery(body=b""),
    "a body that is not ASCII": lambda: Delivery(body='{"city": "मुंबई 🚚"}'.encode()),
    "a body that is not UTF-8": lambda: Delivery(body=b"\xff\xfe\x00\r\n"),
    "a body at the limit": lambda: Delivery(body=b"x" * BODY_LIMIT),
    "a timestamp just within the tolerance": lambda: Delivery(age=280),
    "a timestamp just ahead within the tolerance": lambda: Delivery(age=-280),
}

# Signature headers that must verify, made from a good signature and another secret's.
ROTATIONS: dict[str, Callable[[str, str], str]] = {
    "the good one first": lambda good, other: f"{good} {other}",
    "the good one last": lambda good, other: f"{other} {good}",
    "unknown versions beside it": lambda good, _: f"v2,{good[3:]} v1a,AAAA nonsense {good}",
    "broken ones beside it": lambda good, _: f"v1, v1,!!! v1,AAAA {good}",
}


def other_signature(delivery: Delivery) -> str:
    return sign(OTHER_SECRET, delivery.id, delivery.timestamp, delivery.body)


# Header changes that must be rejected, made from a good delivery.
REJECTED: dict[str, Callable[[Delivery], dict[str, str | bytes | None]]] = {
    "no id": lambda _: {"id": None},
    "no timestamp": lambda _: {"timestamp": None},
    "no signature": lambda _: {"signature": None},
    "no headers": lambda _: {"id": None, "timestamp": None, "signature": None},
    "empty signature": lambda _: {"signature": ""},
    "empty timestamp": lambda _: {"timestamp": ""},
    "another id": lambda d: {"id": d.id + "x"},
    "another timestamp": lambda d: {"timestamp": str(d.timestamp - 1)},
    "another secret's signature": lambda d: {"signature": other_signature(d)},
    "first byte changed": lambda d: {"signature": flip(d.signature, 0)},
    "last byte changed": lambda d: {"signature": flip(d.signature, 31)},
    "signature cut": lambda d: {"signature": d.signature[:-4]},
    "signature with more behind it": lambda d: {"signature": d.signature + "AAAA"},
    "signature without a version": lambda d: {"signature": d.signature[3:]},
    "signature of another version": lambda d: {"signature": "v2" + d.signature[2:]},
    "version alone": lambda _: {"signature": "v1,"},
    "signature that is no base64": lambda _: {"signature": "v1,invalid_signature"},
    "signatures separated by commas": lambda d: {"signature": f"{d.signature},{d.signature}"},
    "signature that is not ASCII": lambda _: {"signature": "v1,\xe9\u20ac".encode()},
    "signature that is not UTF-8": lambda _: {"signature": b"v1,\xff\xfe"},
    "id that is not ASCII": lambda _: {"id": b"msg_\xff"},
    "timestamp that is no number": lambda _: {"timestamp": "yesterday"},
    "timestamp that is not ASCII": lambda _: {"timestamp": "١٢٣"},
    "timestamp with a fraction": lambda d: {"timestamp": f"{d.timestamp}.5"},
    "timestamp with a sign": lambda d: {"timestamp": f"-{d.timestamp}"},
    "timestamp of 5,000 digits": lambda _: {"timestamp": "9" * 5000},
}

# Correctly signed, and yet too old or too far ahead.
STALE = {"a stale timestamp": 320, "a day-old timestamp": 86_400, "a future timestamp": -320}

# Timestamps that lenient parsers read as a number, or as none without failing.
MALFORMED_TIMESTAMPS: dict[str, Callable[[int], str]] = {
    "words": lambda _: "yesterday",
    "letters behind it": lambda now: f"{now}abc",
    "a fraction": lambda now: f"{now}.5",
    "an exponent": lambda now: f"{now}e0",
    "hexadecimal": hex,
}


class Signing(unittest.TestCase):
    def test_agrees_with_the_official_vector(self) -> None:
        """The vector of the test suites of standard-webhooks/standard-webhooks."""
        signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        self.assertEqual(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")


class Cases:
    """Every sample must pass these; the subclasses at the end name the samples."""

    command: ClassVar[Callable[[int], list[str]]]
    checks_secret_at_start = True

    @classmethod
    def setUpClass(cls) -> None:
        cls.sample = cls.start(SECRET)
        cls.sample.wait_until_accepting()

    @classmethod
    def start(cls, secret: str) -> samples.Running:
        running = samples.Running(cls.command, secret)
        cls.addClassCleanup(running.stop)
        return running

    def assert_handled(self, delivery: Delivery, headers: list[tuple[str, bytes]]) -> None:
        answer = self.sample.post(headers, delivery.body)
        self.assertEqual((answer.status, answer.body), (204, b""), self.sample.errors())
        self.assertEqual(self.sample.handled().count(delivery.id), 1)

    def assert_rejected(
        self, delivery: Delivery, headers: list[tuple[str, bytes]], body: bytes | None = None
    ) -> None:
        before = self.sample.handled()
        answer = self.sample.post(headers, delivery.body if body is None else body)
        self.assertEqual(answer.status, 400, self.sample.errors())
        self.assertEqual(self.sample.handled(), before)
        # The same delivery unchanged: the change alone was rejected, and it did not use up the id.
        if abs(delivery.age) <= 300:
            self.assert_handled(delivery, delivery.headers())

    def test_accepts_what_verifies(self) -> None:
        for name, make in ACCEPTED.items():
            with self.subTest(name):
                delivery = make()
                self.assert_handled(delivery, delivery.headers())

    def test_accepts_one_good_signature_among_several(self) -> None:
        for name, make in ROTATIONS.items():
            with self.subTest(name):
                delivery = Delivery()
                signatures = make(delivery.signature, other_signature(delivery))
                self.assert_handled(delivery, delivery.headers(signature=signatures))

    def test_rejects_changed_headers(self) -> None:
        for name, change in REJECTED.items():
            with self.subTest(name):
                delivery = Delivery()
                self.assert_rejected(delivery, delivery.headers(**change(delivery)))

    def test_rejects_stale_and_future_timestamps(self) -> None:
        for name, age in STALE.items():
            with self.subTest(name):
                delivery = Delivery(age=age)
                self.assert_rejected(delivery, delivery.headers())

    def test_rejects_malformed_headers_even_if_signed(self) -> None:
        for name, make in MALFORMED_TIMESTAMPS.items():
            with self.subTest(name):
                delivery = Delivery()
                timestamp = make(delivery.timestamp)
                signature = sign(SECRET, delivery.id, timestamp, BODY)
                headers = delivery.headers(timestamp=timestamp, signature=signature)
                self.assert_rejected(delivery, headers)
        with self.subTest("empty id"):
            delivery = Delivery()
            signature = sign(SECRET, "", delivery.timestamp, BODY)
            self.assert_rejected(delivery, delivery.headers(id="", signature=signature))

    def test_rejects_a_tampered_body(self) -> None:
        changes = {
            "changed": BODY.replace(b"1", b"2"),
            "re-encoded": BODY.replace(b": ", b":"),
            "longer": BODY + b"\n",
            "shorter": BODY[:-1],
            "empty": b"",
        }
        for name, body in changes.items():
            with self.subTest(name):
                delivery = Delivery()
                self.assert_rejected(delivery, delivery.headers(), body)

    def test_refuses_a_body_over_the_limit(self) -> None:
        # PHP has a limit of its own at 8 MiB.
        for size in (BODY_LIMIT + 1, 9 * BODY_LIMIT):
            with self.subTest(size):
                delivery = Delivery(body=b"x" * size)
                answer = self.sample.post(delivery.headers(), delivery.body)
                self.assertEqual(answer.status, 413)
                self.assertNotIn(delivery.id, self.sample.handled())

    def test_survives_a_body_cut_off(self) -> None:
        delivery = Delivery()
        self.sample.send_part(delivery.headers(), delivery.body[:10], len(delivery.body))
        self.assertNotIn(delivery.id, self.sample.handled())
        self.assert_handled(delivery, delivery.headers())
        self.assertIsNone(self.sample.process.poll())

    def test_never_answers_2xx_to_another_method(self) -> None:
        for method in ("GET", "PUT"):
            with self.subTest(method):
                delivery = Delivery(body=b"")
                answer = self.sample.post(delivery.headers(), b"", method)
                self.assertIn(answer.status, (405, 501))
                self.assertNotIn(delivery.id, self.sample.handled())

    def test_handles_a_repeat_once(self) -> None:
        first = Delivery(age=60)
        self.assert_handled(first, first.headers())
        self.assert_handled(first, first.headers())
        # Waypost's next attempt: the same id and body, signed anew.
        retry = Delivery(first.id)
        self.assertNotEqual(first.signature, retry.signature)
        self.assert_handled(retry, retry.headers())

    def test_handles_concurrent_repeats_once(self) -> None:
        delivery = Delivery()
        with ThreadPoolExecutor(8) as pool:
            attempts = [
                pool.submit(self.sample.post, delivery.headers(), delivery.body) for _ in range(16)
            ]
            self.assertEqual({attempt.result().status for attempt in attempts}, {204})
        self.assertEqual(self.sample.handled().count(delivery.id), 1)

    def test_does_not_run_without_a_usable_secret(self) -> None:
        short = "whsec_" + base64.b64encode(b"\x07" * 23).decode()
        stray = SECRET.replace("whsec_", "whsec_!")
        for secret in ("", "whsec_", SECRET.removeprefix("whsec_"), stray, short):
            with self.subTest(secret):
                running = self.start(secret)
                if self.checks_secret_at_start:
                    self.assertNotEqual(running.process.wait(timeout=samples.START_SECONDS), 0)
                else:
                    running.wait_until_accepting()
                    delivery = Delivery()
                    answer = running.post(delivery.headers(), delivery.body)
                    self.assertEqual(answer.status, 500)
                self.assertIn("WEBHOOK_SECRET must be", running.errors())


class Node(Cases, unittest.TestCase):
    command = staticmethod(samples.node)


class Python(Cases, unittest.TestCase):
    command = staticmethod(samples.python)


class Php(Cases, unittest.TestCase):
    command = staticmethod(samples.php)
    checks_secret_at_start = False  # PHP runs the script per request


class Rust(Cases, unittest.TestCase):
    command = staticmethod(samples.rust)


if __name__ == "__main__":
    unittest.main()
