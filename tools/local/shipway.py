"""A double of Shipway's tracking API.

`POST /_control` sets its state; every part is optional:

    {"awb": {"<awb>": {…an item of the response…}}}
        known parcels; null removes one
    {"credentials": {"<email>:<license key>": ["<AWB prefix>", …]}}
        further credentials and the AWBs they can see; null: all
    {"mode": {"asking": "<AWB prefix>", "status"?, "headers"?, "body"?, "shape"?, "delay_ms"?,
              "times"?}}
        a fault for calls that ask for such an AWB; `times` limits it, 0 ends it

`GET /_calls` lists the calls so far, oldest first: `{"calls": [{at, user, awbs, status}]}`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import processes
from delivery import timestamp
from tracking import Call, InvalidControl, Response, Tracking

CREDENTIALS_VARIABLE = "WAYPOST_SHIPWAY_CREDENTIALS"


def start(port: int, credentials: list[str], output: Path | None) -> processes.Process:
    """Starts the double. Credentials are in its environment, which only its user can read."""
    env = {CREDENTIALS_VARIABLE: json.dumps(credentials)}
    return processes.start([sys.executable, str(Path(__file__).resolve()), str(port)], env, output)


class Shipway(ThreadingHTTPServer):
    """The server and its state."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, credentials: list[str]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.lock = threading.Lock()
        self.tracking = Tracking(credentials)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Shipway
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1  # headers and body leave in one packet

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        match self.command, urlsplit(self.path).path:
            case "GET", "/api/tracking":
                self.track()
            case "GET", "/_calls":
                with self.server.lock:
                    calls = [asdict(call) for call in self.server.tracking.calls]
                    self.respond_json(200, {"calls": calls})
            case "POST", "/_control":
                self.control(body)
            case _:
                self.respond_json(404, {"message": "no such route"})

    do_GET = do_POST = handle_request

    def track(self) -> None:
        at = timestamp(time.time())
        query = parse_qs(urlsplit(self.path).query)
        awbs = [awb for awb in query.get("awb_numbers", [""])[0].split(",") if awb]
        user = self.credentials()
        with self.server.lock:
            response = self.server.tracking.respond(user, awbs)
            call = Call(at, user.partition(":")[0], awbs, response.status)
            self.server.tracking.calls.append(call)
        time.sleep(response.delay_ms / 1000)
        self.respond(response)

    def credentials(self) -> str:
        """`email:license key` of the Authorization header, empty without one."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        try:
            return base64.b64decode(encoded, validate=True).decode() if scheme == "Basic" else ""
        except ValueError:
            return ""

    def control(self, body: bytes) -> None:
        try:
            with self.server.lock:
                self.server.tracking.control(json.loads(body))
        except (ValueError, InvalidControl) as error:
            self.respond_json(400, {"message": str(error)})
            return
        self.respond_json(200, {})

    def respond_json(self, status: int, value: Any) -> None:
        self.respond(Response(status, {}, json.dumps(value).encode()))

    def respond(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in {"content-type": "application/json", **response.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        """Silent: `/_calls` lists the calls."""


if __name__ == "__main__":
    Shipway(int(sys.argv[1]), json.loads(os.environ[CREDENTIALS_VARIABLE])).serve_forever()
