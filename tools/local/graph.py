"""A double of WhatsApp's Cloud API (Meta's Graph API).

`POST /{version}/{phone number id}/messages` sends a template message: it is checked, answered, and
followed by statuses like those of Meta. Nothing is random. Tests script it:

`POST /_control` sets its state; every part is optional:

    {"rule": {"to"?, "template"?, "number"?, "times"?, …}}
        what happens to messages to a recipient, of a template, from a number:
        "error" (a code), "details", "http_status", "headers", "body": answered instead
        "delay_ms": before the answer, after the message is accepted
        "connection": "refused" (closed without accepting), "lost" (accepted, closed unanswered)
        "message_status": "accepted", "held_for_quality_assessment" or "paused"
        "statuses": the statuses that follow, e.g. ["sent", "read"], [], or
            [{"status", "after_ms", "at_ms"?, "error"?, "times"?, "fields"?}, …]
        "pricing", "free_entry_point": of the statuses (all: cloud_api/rules.py)
        `times` limits it, 0 ends it; a recipient's rule precedes a template's and a number's
    {"templates": {"<name>": {"<language>": {"body", "header", "buttons", "status", "category"}}}}
        further templates (cloud_api/templates.py); null removes one
    {"numbers": {"<phone number id>": {"messages_per_second"?, "display_phone_number"?, …}}}
    {"users": {"<digits of a phone number>": "<user id>"}}; null: a user without one
    {"access_tokens": ["…"]}, {"webhook_url": "…"}
    {"batch": 1}
        how many webhooks that are due together are sent as one, up to 1000

`POST /_statuses` {"message" or "callback_data", "statuses"} sends statuses of a message now.
`POST /_reply` {"message" or "callback_data", "text" or "button" or …} answers it as the shopper
    (cloud_api/shopper.py), and returns the {"id"} of the answer.
`POST /_notify` {"field", …} sends what else Meta says (cloud_api/notices.py).

`GET /_messages` lists the accepted messages, `GET /_calls` all requests to send, both with the
filters `number`, `recipient`, `template` and `callback_data`. `GET /_webhooks` lists what was sent
back, with the filters `message` and `state` (pending, delivered, given_up).
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import processes
from cloud_api import outbox, records
from cloud_api.errors import Refused
from cloud_api.outbox import Outbox
from cloud_api.reading import InvalidControl, is_integer, require
from cloud_api.records import Outgoing, Response
from cloud_api.state import CloudApi

SETTINGS_VARIABLE = "WAYPOST_GRAPH_SETTINGS"
MESSAGES = re.compile(r"/v\d+\.\d+/([^/]+)/messages")


def start(port: int, settings: dict[str, Any], output: Path | None) -> processes.Process:
    """Starts the double with `access_token`, `app_secret` and `numbers`.

    They are in its environment, which only its user can read.
    """
    env = {SETTINGS_VARIABLE: json.dumps(settings)}
    return processes.start([sys.executable, str(Path(__file__).resolve()), str(port)], env, output)


def connect(graph_url: str, api_url: str) -> None:
    """Tells the double where its webhooks go."""
    control = json.dumps({"webhook_url": f"{api_url}/webhooks/whatsapp"}).encode()
    request = urllib.request.Request(f"{graph_url}/_control", control, method="POST")
    urllib.request.urlopen(request, timeout=60).close()


class Graph(ThreadingHTTPServer):
    """The server and its state."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, settings: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.lock = threading.Lock()
        self.api = CloudApi(settings["access_token"], settings["numbers"])
        self.outbox = Outbox(settings["app_secret"])
        self.outbox.start()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Graph
    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1  # headers and body leave in one packet

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        url = urlsplit(self.path)
        sends = MESSAGES.fullmatch(url.path)
        if sends and self.command == "POST":
            self.send(sends[1], body)
            return
        try:
            answer = self.answer(url.path, dict(parse_qsl(url.query)), body)
        except Refused as refused:
            self.respond_json(refused.http_status, refused.body())
        except (ValueError, InvalidControl) as error:
            self.respond_json(400, {"message": str(error)})
        else:
            self.respond_json(200, answer)

    do_GET = do_POST = handle_request

    def send(self, number: str, body: bytes) -> None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        token = token if scheme.lower() == "bearer" else ""
        with self.server.lock:
            response, webhooks = self.server.api.send(number, token, body, time.time())
        self.post_back(webhooks)
        time.sleep(response.delay_ms / 1000)
        if response.connection == "kept":
            self.respond(response)
            return
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def answer(self, path: str, query: dict[str, str], body: bytes) -> dict[str, Any]:
        """The answer of a route for tests."""
        now = time.time()
        with self.server.lock:
            api = self.server.api
            match self.command, path:
                case "GET", "/_messages":
                    return {"messages": api.listed(_filters(query, records.FILTERS))}
                case "GET", "/_calls":
                    return {"calls": api.listed_calls(_filters(query, records.FILTERS))}
                case "GET", "/_webhooks":
                    filters = _filters(query, outbox.FILTERS)
                    return {"webhooks": self.server.outbox.listed(filters)}
                case "POST", "/_control":
                    return self.control(json.loads(body))
                case "POST", "/_statuses":
                    self.post_back(api.report(json.loads(body), now))
                    return {}
                case "POST", "/_reply":
                    identifier, webhook = api.reply(json.loads(body), now)
                    self.post_back([webhook])
                    return {"id": identifier}
                case "POST", "/_notify":
                    self.post_back([api.notify(json.loads(body), now)])
                    return {}
        raise Refused(2500, f"Unknown path components: {path}")

    def control(self, message: Any) -> dict[str, Any]:
        require(isinstance(message, dict), "control must be an object")
        url = message.pop("webhook_url", None)
        require(url is None or isinstance(url, str), "webhook_url must be a text")
        batch = message.pop("batch", self.server.outbox.batch)
        require(is_integer(batch, 1, 1000), "batch must be 1 to 1000")
        self.server.api.control(message)
        self.server.outbox.url = url or self.server.outbox.url
        self.server.outbox.batch = batch
        return {}

    def post_back(self, webhooks: list[Outgoing]) -> None:
        for webhook in webhooks:
            self.server.outbox.add(webhook.body, webhook.after_seconds, webhook.message)

    def respond_json(self, status: int, value: Any) -> None:
        self.respond(Response(status, json.dumps(value).encode()))

    def respond(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in {"content-type": "application/json", **response.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        """Silent: `/_calls` lists the calls."""


def _filters(query: dict[str, str], known: tuple[str, ...]) -> dict[str, str]:
    require(query.keys() <= set(known), f"filters are {', '.join(known)}")
    return query


if __name__ == "__main__":
    Graph(int(sys.argv[1]), json.loads(os.environ[SETTINGS_VARIABLE])).serve_forever()
