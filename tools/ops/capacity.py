"""What an AWS account's limit of concurrent executions allows, as values of template parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from config import TEMPLATE

# The maximum concurrencies of the queues' functions.
CONCURRENCIES = (
    "ProcessConcurrency",
    "DeliverConcurrency",
    "SlowDeliverConcurrency",
    "SyncConcurrency",
    "PushConcurrency",
)
RESERVED = "InboundReservedConcurrency"
# `poll` has a fixed concurrency of 2; the functions of the API and `sweep` need some too.
OTHERS = 4
# AWS refuses a reservation that leaves less to the functions without one.
UNRESERVED = 100
# Below, the template's defaults are all that fits.
SMALL = 50


@dataclass(frozen=True)
class Limits:
    """Concurrent executions of all functions of an account in a region."""

    total: int
    # Of them not reserved for single functions.
    unreserved: int


def read_limits(client: Any) -> Limits | None:
    """None without the permission `lambda:GetAccountSettings`: a deploy does not need it."""
    try:
        limit = client.get_account_settings()["AccountLimit"]
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return None
        raise
    return Limits(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"])


def defaults() -> dict[str, str]:
    """The template's parameters with a default."""
    parameters = yaml_parse(TEMPLATE.read_text())["Parameters"].items()
    return {name: str(known["Default"]) for name, known in parameters if "Default" in known}


def recommended(limits: Limits) -> dict[str, int]:
    """The parameters with which one installation uses the account well; none for a small one."""
    if limits.total < SMALL:
        return {}
    values = {
        "ProcessConcurrency": min(20, limits.total // 5),
        "DeliverConcurrency": min(50, limits.total // 4),
        "SlowDeliverConcurrency": min(20, limits.total // 10),
        "SyncConcurrency": 4,
        "PushConcurrency": min(10, limits.total // 20),
        "RouteRateLimit": min(200, limits.total * 2),
        "RouteBurstLimit": min(400, limits.total),
    }
    reserved = min(50, limits.unreserved - UNRESERVED)
    return values | ({RESERVED: reserved} if reserved > 0 else {})


def advice(stage: str, limits: Limits, current: Mapping[str, str], deployed: int) -> list[str]:
    """What to set. `current` are the parameters of the coming deploy, `deployed` is the concurrency
    that the stack has reserved for `inbound` so far.
    """
    lines = [f"this account runs {limits.total} functions at a time, in all its stacks"]
    needed = sum(int(current[name]) for name in CONCURRENCIES) + OTHERS
    reserved = int(current[RESERVED])
    if needed + reserved > limits.total:
        lines.append(
            f"warning: {', '.join(CONCURRENCIES)} and {RESERVED} need {needed + reserved} with the "
            "other functions: lower them, or ask AWS for a higher limit"
        )
    if reserved and limits.unreserved + deployed - reserved < UNRESERVED:
        lines.append(
            f"warning: AWS refuses {RESERVED}={reserved}: {UNRESERVED} must stay unreserved"
        )
    more = {
        name: value for name, value in recommended(limits).items() if int(current[name]) < value
    }
    if more:
        values = " ".join(f"{name}={value}" for name, value in more.items())
        lines.append(f"it allows more: make deploy STAGE={stage} PARAMETERS='{values}'")
    return lines
