"""A customer's server: records every delivery, verifies its signature, responds as scripted.

It records `POST /<endpoint>` and every other request. `GET /received` lists the requests,
`DELETE /received` clears the list, and `PUT /answers` scripts the next responses to a path. The
`standardwebhooks` package verifies signatures, independently of the signing code of this project.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import defaultdict, deque
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

import processes
from delivery import Request, describe, timestamp
from scripted_responses import InvalidScript, Response, parse_responses

SECRETS_VARIABLE = "WAYPOST_RECEIVER_SECRETS"


def start(port: int, secrets: dict[str, str], output: Path | None) -> processes.Process:
    """Starts the receiver. Secrets are in its environment, which only its user can read."""
    env = {SECRETS_VARIABLE: json.dumps(secrets)}
    return processes.start([sys.executable, str(Path(__file__).resolve()), str(port)], env, output)


class Receiver(ThreadingHTTPServer):
    """The server and the requests so far."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, secrets: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.verifiers = {f"/{name}": Webhook(secret) for name, secret in secrets.items()}
        self.lock = threading.Lock()
        self.requests: list[Request] = []
        self.scripted: dict[str, deque[Response]] = defaultdict(deque)

    def verify(self, path: str, headers: dict[str, str], body: bytes) -> bool | None:
        """True for a valid signature; None if the path is not an endpoint of the demo."""
        if path not in self.verifiers:
            return None
        try:
            self.verifiers[path].verify(body, headers)
        except (WebhookVerificationError, ValueError):
            return False
        return True

    def next_response(self, path: str) -> Response:
        with self.lock:
            scripted = self.scripted[path]
            return scripted.popleft() if scripted else Response(status=200)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Receiver
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1  # headers and body leave in one packet

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        path = urlsplit(self.path).path
        match self.command, path:
            case "GET", "/received":
                with self.server.lock:
                    requests = [asdict(request) for request in self.server.requests]
                    self.respond_json(200, {"requests": requests})
            case "DELETE", "/received":
                with self.server.lock:
                    self.server.requests.clear()
                self.respond(Response(status=204))
            case "PUT", "/answers":
                self.script_responses(body)
            case _:
                self.record(path, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_request

    def record(self, path: str, body: bytes) -> None:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = ", ".join(filter(None, [headers.get(name.lower()), value]))
        request = Request(
            method=self.command,
            path=self.path,
            headers=headers,
            body=body.decode(errors="replace"),
            received_at=timestamp(time.time()),
            verified=self.server.verify(path, headers, body),
        )
        with self.server.lock:
            self.server.requests.append(request)
        response = self.server.next_response(path)
        # One write, as other processes print to the same terminal.
        print(f"{describe(request, response.status)}\n", end="", flush=True)
        time.sleep(response.delay_ms / 1000)
        self.respond(response)

    def script_responses(self, body: bytes) -> None:
        try:
            scripted = parse_responses(body)
        except InvalidScript as error:
            self.respond_json(400, {"error": {"code": "invalid", "message": str(error)}})
            return
        with self.server.lock:
            for path, responses in scripted.items():
                self.server.scripted[path] = deque(responses)
        self.respond(Response(status=204))

    def respond_json(self, status: int, value: Any) -> None:
        headers = {"content-type": "application/json"}
        self.respond(Response(status=status, headers=headers, body=json.dumps(value)))

    def respond(self, response: Response) -> None:
        payload = response.body.encode()
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        """Silent: `record` prints one line per request."""


if __name__ == "__main__":
    Receiver(int(sys.argv[1]), json.loads(os.environ[SECRETS_VARIABLE])).serve_forever()
