"""stack.json: addresses, names and demo credentials of the running stack, for other programs."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, STACK_FILE, STAGE
from deploy import Deployed
from processes import Processes
from settings import PHONE_NUMBER_ID, Settings


def describe(running: Processes, settings: Settings) -> dict[str, Any]:
    """The part that is fixed for the life of a stack."""
    return {
        "stage": STAGE,
        "region": REGION,
        "endpoint_url": running.endpoint_url,
        "aws": {"access_key_id": ACCESS_KEY_ID, "secret_access_key": SECRET_ACCESS_KEY},
        "receiver_url": running.receiver_url,
        "shipway_url": running.shipway_url,
        "graph_url": running.graph_url,
        "users": {
            name: {"name": name, "password": password} for name, password in settings.users.items()
        },
        "vendor_secret": settings.vendor_secret,
        "sources": {
            "shiprocket": {"api_key": settings.shiprocket_api_key},
            "shipway": {"hash": settings.shipway_hash()},
            "esahayak": {},
            "whatsapp": {
                "app_secret": settings.whatsapp_app_secret,
                "verify_token": settings.whatsapp_verify_token,
                "access_token": settings.whatsapp_access_token,
                "phone_number_id": PHONE_NUMBER_ID,
            },
        },
        "endpoints": {
            name: {
                "url": f"{running.receiver_url}/{name}",
                "secret": endpoint.secret,
                "format": endpoint.format,
            }
            for name, endpoint in settings.endpoints.items()
        },
    }


def describe_deployed(running: Processes, deployed: Deployed) -> dict[str, Any]:
    """The part that a deploy may change.

    Names derive from the outputs: EventsDlqUrl is the queue `events_dlq`.
    """
    outputs = deployed.outputs
    return {
        # Most HTTP clients do not resolve the emulator's <api id>.execute-api.localhost.
        "api_url": f"{running.endpoint_url}/_aws/execute-api/{outputs['ApiId']}",
        "functions": deployed.functions,
        "queues": {
            **_matching(outputs, r"(\w+)QueueUrl", "{}"),
            **_matching(outputs, r"(\w+)DlqUrl", "{}_dlq"),
        },
        "tables": _matching(outputs, r"(\w+)TableName", "{}"),
    }


def _matching(outputs: dict[str, str], pattern: str, name: str) -> dict[str, str]:
    matches = {re.fullmatch(pattern, key): value for key, value in outputs.items()}
    return {name.format(_snake_case(match[1])): value for match, value in matches.items() if match}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def write(stack: dict[str, Any]) -> None:
    """Writes the file atomically, readable only by its owner."""
    unfinished = STACK_FILE.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(stack, file, indent=2)
    unfinished.replace(STACK_FILE)


def read() -> dict[str, Any]:
    return json.loads(STACK_FILE.read_text())
