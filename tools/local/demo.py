"""The demo of `make run`: an order, its carrier's webhooks, and the signed deliveries."""

from __future__ import annotations

import json
import shlex
import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import demo_message
import emulator
from config import ROOT, STACK_FILE

Stack = dict[str, Any]

SAMPLES = ROOT / "events" / "shiprocket"
CARRIER_TIME = "%d %m %Y %H:%M:%S"
PAUSE_SECONDS = 1  # between webhooks, so that the output stays readable
WAIT_SECONDS = 30

ORDER = {
    "orderId": "1370001_150870001",
    "awb": "19000000000501",
    "carrierName": "Delhivery Surface",
    "refs": {"shiprocket": 348450001},
    "customer": {"phone": "9000000001", "firstName": "Asha", "lastName": "Example"},
    "items": [{"title": "Enamel mug", "sku": "MUG-1", "qty": 2, "price": 249.0}],
}


# Shiprocket's ids of its statuses.
STATUS_IDS = {"PICKED UP": 42, "IN TRANSIT": 18, "OUT FOR DELIVERY": 17, "DELIVERED": 7}


def show(stack: Stack) -> None:
    """Plays the demo and prints how to continue. The receiver prints each delivery itself."""
    print("\nAn order, its carrier's webhooks, and the deliveries to three endpoints:\n")
    _create(stack, ORDER)
    for sample in _samples():
        _carrier(stack, sample.read_bytes(), sample.name)
    _split_shipment(stack)
    _reassigned_awb(stack)
    demo_message.show(stack)
    if _delivered(stack):
        print("\nEvery endpoint has received a verified delivery.")
    else:
        print(f"\nNot every endpoint received a verified delivery within {WAIT_SECONDS} s.")
        print(f"See `make logs` for the functions, and {emulator.LOG_FILE}.")
    print(_guide(stack), flush=True)


def _split_shipment(stack: Stack) -> None:
    """The order is where its slowest parcel is."""
    print("\nA split shipment: the order is where its slower parcel is. While the second one")
    print("waits for its pickup, the order counts as picked up:\n")
    order, first, second = "demo-split", "19000000000511", "19000000000512"
    _create(stack, {"orderId": order, "awb": first, "carrierName": "Delhivery Surface"})
    shipments = f"{_orders_url(stack)}/{order}/shipments"
    parcel = json.dumps({"awb": second, "carrierName": "Blue Dart"}).encode()
    _post(shipments, _vendor(stack), parcel, "add a parcel")
    time.sleep(PAUSE_SECONDS)
    for awb, status in [
        (first, "IN TRANSIT"),
        (second, "IN TRANSIT"),
        (first, "DELIVERED"),
        (second, "DELIVERED"),
    ]:
        _carrier(stack, _webhook(order, awb, status), f"{awb} {status}")
    _show_order(stack, order, "delivered")


def _reassigned_awb(stack: Stack) -> None:
    """The carrier's new AWB names the order, and Waypost learns it."""
    print("\nThe carrier ships under another AWB than the shop was given; Waypost learns it:\n")
    order, given, used = "demo-reassigned", "19000000000521", "19000000000522"
    _create(stack, {"orderId": order, "awb": given, "carrierName": "Delhivery Surface"})
    for status in ["PICKED UP", "OUT FOR DELIVERY", "DELIVERED"]:
        _carrier(stack, _webhook(order, used, status), f"{used} {status}")
    _show_order(stack, order, "delivered")


def _webhook(order: str, awb: str, status: str) -> bytes:
    """Shiprocket's webhook at this moment, in its local time."""
    now = datetime.now(timezone(timedelta(hours=5, minutes=30)))
    body = {
        "awb": awb,
        "order_id": order,
        "is_return": 0,
        "shipment_status": status,
        "shipment_status_id": STATUS_IDS[status],
        "current_timestamp": now.strftime(CARRIER_TIME),
        "scans": [],
    }
    return json.dumps(body).encode()


def _show_order(stack: Stack, order: str, status: str) -> None:
    """Prints the order and its parcels once the order has this status."""
    request = urllib.request.Request(f"{_orders_url(stack)}/{order}", headers=_vendor(stack))
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        with urllib.request.urlopen(request, timeout=60) as response:
            shown = json.load(response)
        if shown["status"] == status or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    print(f"order {order}: {shown['status']}")
    if shown["trackingUrl"]:
        print(f"  the shopper's page: {shown['trackingUrl']}")
    for parcel in shown["shipments"]:
        marks = "".join(f", {mark}" for mark in ("learnt", "replaced") if parcel[mark])
        print(f"  parcel {parcel['awb']}: {parcel['status']}{marks}", flush=True)


def exports(stack: Stack) -> dict[str, str]:
    """Shell variables of the docs' examples: a vendor's secret, an admin, Shiprocket's token."""
    admin = stack["users"]["admin"]
    return {
        "API": stack["api_url"],
        "SECRET": stack["vendor_secret"],
        "NAME": admin["name"],
        "PASSWORD": admin["password"],
        "TOKEN": stack["sources"]["shiprocket"]["api_key"],
    }


def export_lines(stack: Stack) -> str:
    """The variables as commands of a shell."""
    return "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in exports(stack).items()
    )


def _samples() -> list[Path]:
    """The webhooks about the demo's order, in order of time."""
    bodies = {path: json.loads(path.read_bytes()) for path in SAMPLES.glob("*.json")}
    ours = [path for path, body in bodies.items() if body.get("awb") == ORDER["awb"]]
    return sorted(ours, key=lambda path: _carrier_time(bodies[path]["current_timestamp"]))


def _carrier_time(text: str) -> datetime:
    return datetime.strptime(text, CARRIER_TIME)


def _orders_url(stack: Stack) -> str:
    return f"{stack['api_url']}/api/external/orders"


def _vendor(stack: Stack) -> dict[str, str]:
    return {"x-vendor-server-secret": stack["vendor_secret"]}


def _create(stack: Stack, order: dict[str, Any]) -> None:
    _post(_orders_url(stack), _vendor(stack), json.dumps(order).encode(), "create the order")


def _carrier(stack: Stack, webhook: bytes, title: str) -> None:
    """Posts a webhook of the carrier, and leaves time to read what follows."""
    credentials = {"x-api-key": stack["sources"]["shiprocket"]["api_key"]}
    _post(f"{stack['api_url']}/webhooks/carrier", credentials, webhook, title)
    time.sleep(PAUSE_SECONDS)


def _post(url: str, credentials: dict[str, str], body: bytes, title: str) -> None:
    headers = credentials | {"content-type": "application/json"}
    request = urllib.request.Request(url, data=body, method="POST", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            outcome = str(response.status)
    except urllib.error.HTTPError as error:
        outcome = f"{error.code} {error.read().decode(errors='replace')}"
    path = request.selector.partition("/_aws/execute-api/")[2].partition("/")[2]
    print(f"POST /{path}  {title} → {outcome}", flush=True)


def _delivered(stack: Stack) -> bool:
    """True once every endpoint has received a delivery with a valid signature; False on timeout."""
    endpoints = {f"/{name}" for name in stack["endpoints"]}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{stack['receiver_url']}/received") as response:
            requests = json.load(response)["requests"]
        if endpoints <= {request["path"] for request in requests if request["verified"]}:
            return True
        time.sleep(0.2)
    return False


def _guide(stack: Stack) -> str:
    lines = [
        "",
        f"receiver   {stack['receiver_url']}/received  (your server: all deliveries)",
        f"Shipway    {stack['shipway_url']}/_calls  (a double of the carrier's API)",
        f"WhatsApp   {stack['graph_url']}/_messages  (a double of its Cloud API)",
        f"AWS        {stack['endpoint_url']}  (the emulator)",
        f"settings   {STACK_FILE}",
        "",
        "The stack runs until Ctrl-C. `make up` in another terminal deploys code changes.",
        "Paste these lines there; then every example of the docs runs as it is:",
        "",
        export_lines(stack),
    ]
    return "\n".join(lines)
