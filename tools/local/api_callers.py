"""Callers of every kind for check_api.py, with an account and orders of their own."""

from __future__ import annotations

import base64
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from config import SETTINGS_PREFIX, client
from settings import user

Stack = dict[str, Any]
Json = Any

ACCOUNT = "APICHECK"  # has no endpoints, so its changes are told to nobody
NAME = "api-check"
HOOK = "apichecks"
ROTATED = "api-check-rotated"  # an endpoint whose secret changes; it is told about no account
SOURCES = ("shiprocket", "shipway", "esahayak", "whatsapp")
PUSHER = "realtime/pusher"
# Nobody listens there: the requests are about the signatures of channels.
PUSHER_APP = {
    **{"app_id": "1", "key": "api-check", "secret": "canary-secret"},
    **{"host": "127.0.0.1", "port": 1, "tls": False},
}
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Caller:
    """A caller, and the tags of routes that it asks thoroughly. Each tag has one such caller."""

    name: str
    headers: dict[str, str]
    thorough: tuple[str, ...] = ()
    # Sends a provider's credentials to the webhook routes.
    signs: bool = False


@dataclass(frozen=True)
class Existing:
    """What a part of the requests is about, so that they get past 404."""

    account: str
    hook_id: str
    order_id: str
    erased_order_id: str
    report_id: str
    id: str  # of an event
    delivery_id: str
    job_id: str
    token: str  # of the order's tracking page


class Api:
    """The deployed API, and settings of the account."""

    def __init__(self, stack: Stack) -> None:
        self.url, self.sources = stack["api_url"], stack["sources"]
        self.ssm = client("ssm", stack["endpoint_url"])
        self.sqs = client("sqs", stack["endpoint_url"])
        self.deliveries_queue = stack["queues"]["deliveries"]
        demo = stack["users"]
        self.admin = basic("admin", demo["admin"]["password"])
        self.viewer = basic("viewer", demo["viewer"]["password"])
        self.password, self.secret = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
        self.partner = basic(NAME, self.password)
        self.vendor = {"x-vendor-server-secret": self.secret}

    def call(self, method: str, path: str, headers: dict[str, str], body: Json = None) -> Json:
        """The JSON of a successful answer; None if it is an error."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"content-type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError:
            return None

    def prepare(self) -> None:
        """Stores the account's user, vendor and hooks, and waits until they are accepted."""
        self._store(f"users/{NAME}", user(self.password, "partner", ACCOUNT))
        self._store(f"vendors/{NAME}", _json({"secret": self.secret, "account": ACCOUNT}))
        for source in SOURCES:
            self._store(f"sources/{source}/hooks/{HOOK}", _json({"account": ACCOUNT}))
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self._store(f"endpoints/{ROTATED}/secret", secret)
        self._store(f"endpoints/{ROTATED}/url", "https://shop.example.com/")
        self._store(PUSHER, _json(PUSHER_APP))
        deadline = time.monotonic() + WAIT_SECONDS
        for caller in (self.vendor, self.partner):
            while self.call("GET", "/api/external/orders", caller) is None:
                if time.monotonic() > deadline:
                    raise TimeoutError("the functions do not read the new settings")
                time.sleep(0.1)

    def remove(self) -> None:
        """Removes the settings: another run has other secrets."""
        hooks = [f"sources/{source}/hooks/{HOOK}" for source in SOURCES]
        rotated = [f"endpoints/{ROTATED}/{part}" for part in ("url", "secret")]
        names = [f"users/{NAME}", f"vendors/{NAME}", PUSHER, *hooks, *rotated]
        self.ssm.delete_parameters(Names=[f"{SETTINGS_PREFIX}/{name}" for name in names])

    def existing(self, count: int) -> list[Existing]:
        """New orders, each with a report, and one beside each that may be erased."""
        begin = time.time_ns() // 1000
        orders = [f"{NAME}-{begin}-{number}" for number in range(count)]
        reports = [self._order(order_id) for order_id in orders]
        erased = [f"{order_id}-erased" for order_id in orders]
        for order_id in erased:
            self._order(order_id)
        path = f"/api/webhooks/logs?account_code={ACCOUNT}&limit=100"
        events = [item["id"] for item in self.call("GET", path, self.admin)["items"]]
        deliveries = [self._delivery(order_id) for order_id in orders]
        redrive = {"account_code": ACCOUNT, "endpoint": "nobody"}
        job = self.call("POST", "/api/dlq/deliveries/replay", self.admin, redrive)["id"]
        tokens = [self._token(order_id) for order_id in orders]
        return [
            Existing(
                *(ACCOUNT, HOOK, *found, events[number % len(events)]),
                *(deliveries[number], job, tokens[number]),
            )
            for number, found in enumerate(zip(orders, erased, reports, strict=True))
        ]

    def _token(self, order_id: str) -> str:
        order = self.call("GET", f"/api/external/orders/{order_id}", self.vendor)
        return order["trackingUrl"].partition("?t=")[2]

    def _order(self, order_id: str) -> str:
        order = {"orderId": order_id, "awb": f"awb-{order_id}", "customer": {"phone": "9000000009"}}
        self.call("POST", "/api/external/orders", self.vendor, order)
        path, report = f"/api/external/orders/{order_id}/status", {"status": "assigned"}
        return self.call("POST", path, self.vendor, report)["reportId"]

    def _delivery(self, order_id: str) -> str:
        """A delivery that is dead, as there is no such endpoint."""
        message = {
            "v": 1,
            "id": f"msg_{order_id}",
            "run": 1,
            "endpoint": NAME,
            "format": "standard",
            "account": ACCOUNT,
            "order_id": order_id,
            "version": 1,
            "body": "{}",
        }
        self.sqs.send_message(QueueUrl=self.deliveries_queue, MessageBody=_json(message))
        deadline = time.monotonic() + WAIT_SECONDS
        path = f"/api/deliveries/{message['id']}"
        while (self.call("GET", path, self.admin) or {}).get("state") != "dead":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{message['id']} is not dead")
            time.sleep(0.1)
        return f"msg_{order_id}"

    def events(self, query: str, since: str) -> list[Json]:
        """The newest events that the query finds, received since then."""
        path = f"/api/webhooks/logs?limit=100&{query}"
        items = self.call("GET", path, self.admin)["items"]
        return [item for item in items if item["received_at"] >= since]

    def _store(self, name: str, value: str) -> None:
        self.ssm.put_parameter(
            Name=f"{SETTINGS_PREFIX}/{name}", Value=value, Type="SecureString", Overwrite=True
        )


def callers(api: Api) -> Iterator[Caller]:
    """Every kind of caller."""
    wrong = {"x-vendor-server-secret": "canary-secret", "x-api-key": "canary-secret"}
    yield Caller("partner", api.partner, ("orders", "messages", "live"))
    yield Caller("provider", {}, ("carriers",), signs=True)
    yield Caller("admin", api.admin, ("operations",))
    yield Caller("viewer", api.viewer)
    yield Caller("vendor", api.vendor)
    yield Caller("no credentials", {}, ("pages",))
    yield Caller("wrong password", basic("admin", "canary-password"))
    yield Caller("wrong secret", wrong)


def environment(api: Api, caller: Caller, existing: Existing, answers: str) -> str:
    """What api_hooks.py needs, as JSON."""
    sources = api.sources if caller.signs else {}
    values = {"headers": caller.headers, "sources": sources, "existing": asdict(existing)}
    return _json(values | {"answers": answers})


def basic(name: str, password: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {credentials}"}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
