"""Validation of names, accounts and URLs.

The functions validate settings again when they read them; here the operator learns at once.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

import idna

from config import StackError

STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")  # the parameter Stage of template.yaml
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
ROLES = ("admin", "viewer", "partner")
FORMATS = ("status_update", "order.status_changed", "standard")

MAX_TIMEOUT_SECONDS = 30
MAX_MESSAGES_PER_SECOND = 1000  # of a number of WhatsApp
GRAPH_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}")
SECRET_PREFIX = "whsec_"
URL_SAFE_TO_STANDARD = str.maketrans("-_", "+/")
MAX_ID_BYTES = 128
MAX_URL_BYTES = 2048
LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
# The last label must not be a number: URL parsers read 0x7f.1 and 2130706433 as IP addresses.
HOST_NAME = re.compile(rf"(?:{LABEL}\.)+(?![0-9]+$|0x)[a-z0-9-]*[a-z0-9]", re.IGNORECASE)

# Of `shared/egress/src/policy.rs`, which says why. Python's `is_global` knows fewer, and its answer
# depends on the version of Python.
SPECIAL = [
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
]
GLOBAL_V6 = ipaddress.ip_network("2000::/3")


def stage(text: str) -> str:
    _require(STAGE.fullmatch(text), f"STAGE={text}: lower-case letters, digits and -, at most 16")
    return text


def name(text: str) -> str:
    # A path of the API would lose a segment `.` or `..`.
    fits = NAME.fullmatch(text) and text not in (".", "..")
    _require(fits, f"NAME={text}: 1 to 64 of A-Z a-z 0-9 _ . -, but neither . nor ..")
    return text


def one_of(variable: str, text: str, known: tuple[str, ...]) -> str:
    _require(text in known, f"{variable}={text}: expected one of {', '.join(known)}")
    return text


def account(text: str) -> str:
    """An account code, normalised to NFC as in the functions."""
    normal = unicodedata.normalize("NFC", text)
    bad = any(unicodedata.category(letter) == "Cc" or letter in "/?%" for letter in normal)
    fits = 0 < len(normal.encode()) <= MAX_ID_BYTES and normal == normal.strip()
    _require(
        fits and not bad and normal != "*",
        f"account {text!r}: expected 1 to 128 bytes, no / ? % and no control characters",
    )
    return normal


def accounts(text: str) -> list[str]:
    """`A,B`, or `*` for all present and future accounts."""
    return ["*"] if text == "*" else [account(code) for code in text.split(",")]


def addresses(variable: str, text: str) -> list[str]:
    """IP addresses and CIDR ranges, separated by commas."""
    for part in text.split(","):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError as error:
            raise StackError(f"{variable}: {error}") from error
    return text.split(",")


def owners(variable: str, text: str) -> dict[str, str]:
    """`200000000000001:STORE001,…`: Meta's ids and their accounts."""
    pairs = [pair.partition(":") for pair in text.split(",") if text]
    _require(
        all(owned.isascii() and owned.isdecimal() and code for owned, _, code in pairs),
        f"{variable}: expected <id>:<account>,…; Meta's ids are digits",
    )
    return {owned: account(code) for owned, _, code in pairs}


def number(variable: str, text: str) -> float:
    """A positive number."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    _require(0 < value < float("inf"), f"{variable}={text}: expected a positive number")
    return int(value) if value == int(value) else value


def signing_secret(variable: str, text: str) -> str:
    """A secret of Standard Webhooks, in any variant of base64. Messages never quote it."""
    _require(
        text.startswith(SECRET_PREFIX),
        f"{variable}: must begin with {SECRET_PREFIX}, followed by base64",
    )
    encoded = text.removeprefix(SECRET_PREFIX).translate(URL_SAFE_TO_STANDARD)
    padding = "" if encoded.endswith("=") else "=" * (-len(encoded) % 4)
    try:
        key = base64.b64decode(encoded + padding, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    # The functions also refuse an end that no encoder writes.
    exact = base64.b64encode(key).decode() == encoded + padding
    _require(exact, f"{variable}: must be base64 after {SECRET_PREFIX}")
    _require(24 <= len(key) <= 64, f"{variable}: must be base64 of 24 to 64 bytes")
    return text


def timeout(variable: str, text: str) -> int:
    whole = text.isascii() and text.isdecimal() and len(text) <= 2
    _require(
        whole and 1 <= int(text) <= MAX_TIMEOUT_SECONDS,
        f"{variable}={text}: expected 1 to {MAX_TIMEOUT_SECONDS} seconds",
    )
    return int(text)


def days(variable: str, text: str) -> int:
    whole = text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0
    _require(whole, f"{variable}={text}: expected a whole number of days")
    return int(text)


def messages_per_second(text: str) -> int:
    whole = text.isascii() and text.isdecimal() and len(text) <= 4
    _require(
        whole and 2 <= int(text) <= MAX_MESSAGES_PER_SECOND,
        f"MESSAGES_PER_SECOND={text}: expected 2 to {MAX_MESSAGES_PER_SECOND}",
    )
    return int(text)


def graph_version(text: str) -> str:
    """Of the Graph API."""
    _require(GRAPH_VERSION.fullmatch(text), f"GRAPH_VERSION={text}: expected one such as v25.0")
    return text


def header_value(variable: str, text: str) -> str:
    """A secret that is sent in a header. Messages never quote it."""
    visible = text.isascii() and text.isprintable() and " " not in text
    _require(visible, f"{variable}: must be visible ASCII characters")
    return text


def base_url(variable: str, text: str, *, local: bool) -> str:
    """A URL to which the functions append a path."""
    try:
        url = endpoint_url(text, local=local)
        plain = not urlsplit(url).query and not urlsplit(url).fragment
        _require(plain, "URL: must not have a query or a fragment")
    except StackError as error:
        raise StackError(f"{variable}{str(error).removeprefix('URL')}") from error
    return url.rstrip("/")


def endpoint_url(text: str, *, local: bool) -> str:
    """An https URL of a public host; on the local stack also of this machine.

    Returns it with an internationalised host in punycode, as the functions dial it. Error messages
    never quote the URL, as it may contain a token.
    """
    visible = text.isprintable() and " " not in text and "\\" not in text
    _require(visible, "URL: no spaces, backslashes or invisible characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise StackError("URL: invalid host or port") from error
    ascii_but_host = text.replace(parts.netloc, "", 1).isascii()
    _require(ascii_but_host, "URL: only its host may have other letters than ASCII")
    anonymous = parts.username is None and parts.password is None
    _require(anonymous, "URL: must not contain a user name or password")
    if local and parts.scheme in ("http", "https") and parts.hostname in ("127.0.0.1", "localhost"):
        return text
    note = " (or http://127.0.0.1 on the local stack)" if local else ""
    _require(parts.scheme == "https", f"URL: must start with https://{note}")
    _require(port in (None, 443), "URL: the port must be 443")
    url = _in_punycode(text, parts)
    public = _is_public(urlsplit(url).hostname or "")
    _require(public, "URL: the host must be a full public DNS name or a public IPv4 address")
    _require(len(url) <= MAX_URL_BYTES, f"URL: longer than {MAX_URL_BYTES} bytes")
    return url


def readable_host(url: str) -> str:
    """Its host; of an internationalised one both forms, so that a look-alike shows."""
    host = urlsplit(url).hostname or ""
    return f"{idna.decode(host)} ({host})" if _has_punycode(host) else host


def _in_punycode(url: str, parts: SplitResult) -> str:
    host = parts.hostname or ""
    if host.isascii() and not _has_punycode(host):
        return url
    try:
        name = idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise StackError("URL: the host is not a valid internationalised name (IDNA)") from error
    return url.replace(parts.netloc, name + (f":{parts.port}" if parts.port else ""), 1)


def _has_punycode(host: str) -> bool:
    return any(label.startswith("xn--") for label in host.split("."))


def _is_public(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bool(HOST_NAME.fullmatch(host)) and not host.lower().endswith(".localhost")
    return is_public_address(address) and address.version == 4  # functions have no IPv6


def is_public_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """As `is_public` in `shared/egress/src/policy.rs`."""
    if address.version == 6 and address not in GLOBAL_V6:
        return False
    return not any(address in block for block in SPECIAL if block.version == address.version)


def _require(condition: object, message: str) -> None:
    if not condition:
        raise StackError(message)
