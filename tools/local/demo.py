"""The demo of `make run`: an order, its carrier's webhooks, and the signed deliveries."""

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


def show(stack: Stack) -> None:
    """Plays the demo and prints how to continue. The receiver prints each delivery itself."""
    print("\nAn order, its carrier's webhooks, and the deliveries to three endpoints:\n")
    orders_url = f"{stack['api_url']}/api/external/orders"
    vendor = {"x-vendor-server-secret": stack["vendor_secret"]}
    _post(orders_url, vendor, json.dumps(ORDER).encode(), "create the order")
    carrier = {"x-api-key": stack["sources"]["shiprocket"]["api_key"]}
    for sample in _samples():
        _post(f"{stack['api_url']}/webhooks/carrier", carrier, sample.read_bytes(), sample.name)
        time.sleep(PAUSE_SECONDS)
    if _delivered(stack):
        print("\nEvery endpoint has received a verified delivery.")
    else:
        print(f"\nNot every endpoint received a verified delivery within {WAIT_SECONDS} s.")
        print(f"See `make logs` for the functions, and {emulator.LOG_FILE}.")
    print(_guide(stack), flush=True)


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
        f"AWS        {stack['endpoint_url']}  (the emulator)",
        f"settings   {STACK_FILE}",
        "",
        "The stack runs until Ctrl-C. `make up` in another terminal deploys code changes.",
        "Paste these lines there; then every example of the docs runs as it is:",
        "",
        export_lines(stack),
    ]
    return "\n".join(lines)
