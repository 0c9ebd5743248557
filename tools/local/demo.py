"""The demo of `make run`: an order, its carrier's webhooks, and the signed deliveries that follow."""

from __future__ import annotations

import json
import shlex
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import emulator
from config import ROOT, STACK_FILE

Stack = dict[str, Any]

SAMPLES = ROOT / "events" / "shiprocket"
CARRIER_TIME = "%d %m %Y %H:%M:%S"
PAUSE_SECONDS = 1  # between webhooks, so that the deliveries can be read as a story
WAIT_SECONDS = 30

ORDER = {
    "orderId": "1370001_150870001",
    "awb": "19000000000501",
    "carrierName": "Delhivery Surface",
    "refs": {"shiprocket": 348450001},
    "customer": {"phone": "9000000001", "firstName": "Asha", "lastName": "Example"},
    "items": [{"title": "Enamel mug", "sku": "MUG-1", "qty": 2, "price": 249.0}],
}

# For the curl lines, since what was sent once has no effect a second time.
MY_ORDER = ORDER | {"orderId": "my-order-1", "awb": "19000000000999", "refs": {"shiprocket": 348450999}}
MY_WEBHOOK = {
    "awb": MY_ORDER["awb"],
    "order_id": MY_ORDER["orderId"],
    "sr_order_id": 348450999,
    "shipment_status": "IN TRANSIT",
    "shipment_status_id": 18,
    "current_status": "IN TRANSIT",
    "current_status_id": 20,
    "current_timestamp": "23 05 2023 11:43:52",
    "is_return": 0,
    "scans": [],
}


def show(stack: Stack) -> None:
    """Plays it, then says how to go on by hand. The receiver prints each delivery itself."""
    print("\nAn order, what its carrier reports, and the deliveries that follow:")
    _call("POST", f"{stack['api_url']}/api/external/orders", _vendor(stack), json.dumps(ORDER).encode())
    for sample in _samples():
        _call("POST", f"{stack['api_url']}/webhooks/carrier", _carrier(stack), sample.read_bytes(), sample.name)
        time.sleep(PAUSE_SECONDS)
    if _delivered(stack):
        print("\nEvery endpoint has a verified delivery.")
    else:
        print(f"\nNot every endpoint got a verified delivery within {WAIT_SECONDS} s. Where to look: `make logs`")
        print(f"(what the functions logged) and {emulator.LOG_FILE}.")
    print(_guide(stack), flush=True)


def _samples() -> list[Path]:
    """Those about the demo's order, as they happened."""
    bodies = {path: json.loads(path.read_bytes()) for path in SAMPLES.glob("*.json")}
    ours = [path for path, body in bodies.items() if body.get("awb") == ORDER["awb"]]
    return sorted(ours, key=lambda path: datetime.strptime(bodies[path]["current_timestamp"], CARRIER_TIME))


def _vendor(stack: Stack) -> dict[str, str]:
    return {"x-vendor-server-secret": stack["vendor_secret"]}


def _carrier(stack: Stack) -> dict[str, str]:
    return {"x-api-key": stack["sources"]["shiprocket"]["api_key"]}


def _call(method: str, url: str, credentials: dict[str, str], body: bytes, what: str = "") -> None:
    headers = credentials | {"content-type": "application/json"}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            outcome = str(response.status)
    except urllib.error.HTTPError as error:
        outcome = f"{error.code} {error.read().decode(errors='replace')}"
    print(f"{method} {request.selector} {what} → {outcome}", flush=True)


def _delivered(stack: Stack) -> bool:
    """Whether every endpoint got a delivery with a good signature in time."""
    wanted = {f"/{name}" for name in stack["endpoints"]}
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{stack['receiver_url']}/received") as response:
            requests = json.load(response)["requests"]
        if wanted <= {request["path"] for request in requests if request["verified"]}:
            return True
        time.sleep(0.2)
    return False


def _guide(stack: Stack) -> str:
    orders_url = f"{stack['api_url']}/api/external/orders"
    vendor, carrier, json_type = _vendor(stack), _carrier(stack), {"content-type": "application/json"}
    lines = [
        "",
        f"API        {stack['api_url']}",
        f"receiver   {stack['receiver_url']}/received",
        f"Shipway    {stack['shipway_url']}/_calls (a double)",
        f"emulator   {stack['endpoint_url']} (every AWS service)",
        f"all of it  {STACK_FILE}",
        "",
        "create an order",
        _curl("POST", orders_url, vendor | json_type, _json(MY_ORDER)),
        "read it with its timeline",
        _curl("GET", f"{orders_url}/{MY_ORDER['orderId']}", vendor),
        "send what its carrier reports",
        _curl("POST", f"{stack['api_url']}/webhooks/carrier", carrier | json_type, _json(MY_WEBHOOK)),
        "",
        "Stays up until Ctrl-C. After a code change: `make up` in another terminal.",
    ]
    return "\n".join(lines)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _curl(method: str, url: str, headers: dict[str, str], body: str | None = None) -> str:
    command = ["curl", "-sS", "-X", method, url]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if body:
        command += ["--data-binary", body]
    return "  " + shlex.join(command)
