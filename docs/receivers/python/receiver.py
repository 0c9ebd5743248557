"""Receives Waypost's webhooks: verifies the signature and drops repeats.

Needs Python 3.10, no packages.
"""

import base64
import hashlib
import hmac
import os
import re
import sys
import threading
import time
from collections import deque
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_LIMIT = 1024 * 1024
TOLERANCE_SECONDS = 5 * 60
REMEMBERED_IDS = 10_000

# This memory is lost on a restart and belongs to one process. In production, insert the id into a
# table with a unique key, in the transaction that applies the event, and keep it for 30 days.
handled: deque[str] = deque(maxlen=REMEMBERED_IDS)
lock = threading.Lock()


def read_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or len(key) < 24:
        sys.exit("WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes")
    return key


def verify(headers: Message, body: bytes) -> str | None:
    """Returns the verified webhook-id, or None."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not webhook_id or not re.fullmatch("[0-9]{1,12}", timestamp):
        return None
    # Limits how long a recorded request can be replayed.
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return None

    mac = hmac.digest(KEY, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(mac)
    # During a rotation the header carries one signature per secret, separated by spaces.
    # `==` would leak by its timing how many characters match. compare_digest gets bytes, because
    # it raises TypeError for text that is not ASCII.
    matches = [hmac.compare_digest(each.encode(), expected) for each in signatures.split(" ")]
    return webhook_id if any(matches) else None


def handle_once(webhook_id: str, body: bytes) -> None:
    with lock:
        if webhook_id in handled:
            return
        handle(webhook_id, body)
        # Recorded after handling: if handle raises, no answer goes out and Waypost sends it again.
        handled.append(webhook_id)


def handle(webhook_id: str, body: bytes) -> None:
    """Your code. Waypost waits only seconds for the answer: queue slow work."""
    print("handled", webhook_id, flush=True)  # json.loads(body) gives the event


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds; a client that stops sending must not keep its thread

    def do_POST(self) -> None:
        self.send_response(self.receive())
        self.end_headers()

    def receive(self) -> int:
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            return 400
        if int(length) > BODY_LIMIT:
            return 413
        # The signature covers the bytes as sent; parsed and re-encoded JSON does not verify.
        body = self.rfile.read(int(length))
        webhook_id = verify(self.headers, body)
        if webhook_id is None:
            return 400
        handle_once(webhook_id, body)
        return 204


KEY = read_key(os.environ.get("WEBHOOK_SECRET", ""))
ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()
