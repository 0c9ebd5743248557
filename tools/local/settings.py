"""The demo's settings in SSM: users, vendors, sources, and one endpoint for each format."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from config import SETTINGS_PREFIX, client
from processes import Processes

ACCOUNT = "STORE001"
# An account with its own credentials at Shipway.
OTHER_ACCOUNT = "STORE002"
# WhatsApp phone number id → account.
PHONE_NUMBER_ID = "106540352242922"
PHONE_NUMBERS = {PHONE_NUMBER_ID: ACCOUNT, "106540352242933": OTHER_ACCOUNT}
# An account whose orders send messages by rules, and those of end-to-end tests with other rules.
RULES_ACCOUNT, RULES_NUMBER = "STORE003", "106540352242944"
PHONE_NUMBERS |= {RULES_NUMBER: RULES_ACCOUNT}
PHONE_NUMBERS |= {f"10654035224296{n}": f"RULES{n}" for n in range(8)}
PHONE_NUMBERS |= {"106540352242950": "ISOLATED-OWN", "106540352242951": "ISOLATED-FOREIGN"}
PHONE_NUMBERS |= {"106540352242955": "APICHECK"}
RULES = {
    "phone_number_id": RULES_NUMBER,
    "rules": [
        {
            "on": "out_for_delivery",
            "template": "order_update",
            "language": "en",
            "components": [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": text}
                        for text in ("{first_name}", "{order_id}", "{status}")
                    ],
                }
            ],
        }
    ],
}
# The tracking pages of the demo's shop.
PAGE = {
    "name": "Enamel & Co",
    "colour": "#0a5d23",
    "zone": "Asia/Kolkata",
    "links": [{"text": "Contact the shop", "url": "mailto:shop@example.invalid"}],
}
GRAPH_VERSION = "v26.0"
# WhatsApp business account id → account, for what names no phone number.
BUSINESS_ACCOUNTS = {"102290129340398": ACCOUNT, "102290129340399": OTHER_ACCOUNT}
# eSahayak is authenticated by its addresses: locally its requests come from this machine, which
# nobody else can rent, so the plain path is open.
LOOPBACK = ["127.0.0.0/8", "::1/128"]


@dataclass(frozen=True)
class Endpoint:
    """A demo endpoint. The legacy secret is only for `order.status_changed`."""

    format: str
    secret: str
    legacy_secret: str | None = None


@dataclass(frozen=True)
class Credentials:
    """A shop's credentials at Shipway."""

    email: str
    license_key: str

    def pair(self) -> str:
        return f"{self.email}:{self.license_key}"


@dataclass(frozen=True)
class Settings:
    """All secrets of one stack. Each start generates new ones, so none is in the repository."""

    users: dict[str, str]
    vendor_secret: str
    shiprocket_api_key: str
    shipway: Credentials
    other_shipway: Credentials
    whatsapp_app_secret: str
    whatsapp_verify_token: str
    whatsapp_access_token: str
    tracking_key: str
    endpoints: dict[str, Endpoint]

    def shipway_hash(self) -> str:
        """The `hash` in the body of Shipway's webhooks."""
        return hashlib.md5(self.shipway.pair().encode(), usedforsecurity=False).hexdigest()

    def shipway_credentials(self) -> list[str]:
        """The credentials that the double of Shipway accepts."""
        return [self.shipway.pair(), self.other_shipway.pair()]

    def graph_settings(self) -> dict[str, Any]:
        """What the double of WhatsApp's Cloud API knows of us."""
        return {
            "access_token": self.whatsapp_access_token,
            "app_secret": self.whatsapp_app_secret,
            "numbers": list(PHONE_NUMBERS),
        }


def new() -> Settings:
    return Settings(
        users={name: secrets.token_urlsafe(18) for name in ("admin", "viewer", "partner")},
        vendor_secret=secrets.token_urlsafe(24),
        shiprocket_api_key=secrets.token_urlsafe(24),
        shipway=Credentials("merchant@example.invalid", secrets.token_urlsafe(18)),
        other_shipway=Credentials("other-merchant@example.invalid", secrets.token_urlsafe(18)),
        whatsapp_app_secret=secrets.token_hex(16),
        whatsapp_verify_token=secrets.token_urlsafe(18),
        whatsapp_access_token=secrets.token_urlsafe(48),
        tracking_key=secrets.token_urlsafe(32),
        endpoints={
            "demo-status-update": Endpoint("status_update", _signing_secret()),
            "demo-order-status-changed": Endpoint(
                "order.status_changed", _signing_secret(), legacy_secret=secrets.token_urlsafe(24)
            ),
            "demo-standard": Endpoint("standard", _signing_secret()),
        },
    )


def _signing_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def store(settings: Settings, stack: Processes, api_url: str) -> None:
    """Writes all settings; idempotent."""
    ssm = client("ssm", stack.endpoint_url)
    tracking = {"keys": [settings.tracking_key], "public_url": api_url}
    _put_secret(ssm, "tracking", _json(tracking))
    _put(ssm, f"accounts/{ACCOUNT}/page", _json(PAGE))
    _put_secret(ssm, "users/admin", user(settings.users["admin"], "admin", "*"))
    _put_secret(ssm, "users/viewer", user(settings.users["viewer"], "viewer", "*"))
    _put_secret(ssm, "users/partner", user(settings.users["partner"], "partner", ACCOUNT))
    _put_secret(ssm, "vendors/demo", _json({"secret": settings.vendor_secret, "account": ACCOUNT}))
    _store_sources(ssm, settings, stack)
    for name, endpoint in settings.endpoints.items():
        _put_secret(ssm, f"endpoints/{name}/secret", endpoint.secret)
        if endpoint.legacy_secret:
            _put_secret(ssm, f"endpoints/{name}/legacy_secret", endpoint.legacy_secret)
        settings_json = _json({"format": endpoint.format, "accounts": [ACCOUNT]})
        _put(ssm, f"endpoints/{name}/settings", settings_json)
        # Last: an endpoint exists once it has a URL, so no delivery sees half of one.
        _put(ssm, f"endpoints/{name}/url", f"{stack.receiver_url}/{name}")


def _store_sources(ssm: Any, settings: Settings, stack: Processes) -> None:
    _put(ssm, "sources/shiprocket/settings", _json({"mode": "token", "account": ACCOUNT}))
    _put_secret(ssm, "sources/shiprocket/secret", settings.shiprocket_api_key)
    shipway = {"base_url": stack.shipway_url, "account": ACCOUNT}
    _put(ssm, "sources/shipway/settings", _json(shipway))
    _put_secret(ssm, "sources/shipway/secret", _json(asdict(settings.shipway)))
    _put_secret(ssm, f"accounts/{OTHER_ACCOUNT}/shipway", _json(asdict(settings.other_shipway)))
    esahayak = {"mode": "network", "account": ACCOUNT, "allowed_cidrs": LOOPBACK}
    esahayak["plain_path"] = True
    _put(ssm, "sources/esahayak/settings", _json(esahayak))
    numbers = {"phone_numbers": PHONE_NUMBERS, "business_accounts": BUSINESS_ACCOUNTS}
    graph = {"graph_url": stack.graph_url, "graph_version": GRAPH_VERSION}
    _put(ssm, "sources/whatsapp/settings", _json(numbers | graph))
    _put(ssm, f"accounts/{RULES_ACCOUNT}/messages", _json(RULES))
    secret = {
        "app_secret": [settings.whatsapp_app_secret],
        "verify_token": settings.whatsapp_verify_token,
        "access_token": settings.whatsapp_access_token,
    }
    _put_secret(ssm, "sources/whatsapp/secret", _json(secret))


def user(password: str, role: str, account: str) -> str:
    digest = hashlib.sha256(password.encode()).hexdigest()
    return _json({"password_sha256": digest, "role": role, "accounts": [account]})


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _put(ssm: Any, name: str, value: str, kind: str = "String") -> None:
    ssm.put_parameter(Name=f"{SETTINGS_PREFIX}/{name}", Value=value, Type=kind, Overwrite=True)


def _put_secret(ssm: Any, name: str, value: str) -> None:
    _put(ssm, name, value, "SecureString")
