"""Names and paths of the local stack."""

from __future__ import annotations

import os
import re
from typing import Any

import boto3

from paths import LOCAL, ROOT
from ports import StackError as StackError

TEMPLATE = ROOT / "template.yaml"
STACK_FILE = LOCAL / "stack.json"

STAGE = "local"
REGION = "ap-south-1"
STACK_NAME = f"waypost-{STAGE}"
SETTINGS_PREFIX = f"/waypost/{STAGE}"
# Of the version of a function that serves.
ALIAS = "live"

# The emulator's root user. IAM is enforced: each function gets the keys of its own role.
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"


def aws_environment(endpoint_url: str) -> dict[str, str]:
    """Directs any AWS client to the emulator, and never to a real account."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(service: str, endpoint_url: str) -> Any:
    """A boto3 client of the emulator's root user."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


def function_name(logical_id: str) -> str:
    """`deliver-slow` of `DeliverSlow`."""
    return re.sub("(?<!^)(?=[A-Z])", "-", logical_id).lower()


def function_names() -> list[str]:
    """The folders of functions/; the crate and binary in each have the same name."""
    return sorted(manifest.parent.name for manifest in (ROOT / "functions").glob("*/Cargo.toml"))
