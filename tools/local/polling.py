"""Events for polling: a planner with one shard, and a batch of orders to poll."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any

from delivery import timestamp
from function_copies import Copies
from invocations import batch, http, user
from settings import ACCOUNT, OTHER_ACCOUNT

Json = Any
PLANNERS = 16  # as many as shards, so that each has one


def moment(**ago: float) -> str:
    return timestamp((datetime.now(timezone.utc) - timedelta(**ago)).timestamp())


def _polled_order(copies: Copies, account: str) -> Json:
    """The poll row of a new order."""
    order_id = copies.unique("order-")
    awb = copies.unique("77")
    order = {"orderId": order_id, "accountCode": account, "awb": awb, "poll": "shipway"}
    admin = user(copies, "admin")
    copies.call("orders", http(copies, "POST", "/api/external/orders", admin, order))
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND begins_with(pk, :active)",
        ExpressionAttributeValues={":order": {"S": order_id}, ":active": {"S": "active:"}},
    )["Items"]
    return rows[0]


def _run_with_last_planner(copies: Copies, planner: int, **planned: Json) -> Json:
    """A run whose other planners are all finished."""
    run = {"id": copies.unique("manual-"), "started_at": moment(), "manual": True}
    rows = [
        {
            "pk": {"S": "runs"},
            "sk": {"S": f"{run['started_at']}/{run['id']}"},
            "id": {"S": run["id"]},
            "kind": {"S": "manual"},
            "started_at": {"S": run["started_at"]},
            "calls_per_second": {"S": "5"},
            "planners": {"N": str(PLANNERS)},
            "finished": {"SS": [f"{other:02}" for other in range(PLANNERS) if other != planner]},
        },
        {"pk": {"S": f"run:{run['id']}"}, "sk": {"S": f"planner:{planner:02}"}, **planned},
    ]
    for row in rows:
        table = copies.of(copies.stack["tables"]["state"])
        copies.aws["dynamodb"].put_item(TableName=table, Item=row)
    return run


def shard_to_plan(copies: Copies) -> Json:
    """A shard with at least one active order."""
    shard = int(_polled_order(copies, ACCOUNT)["pk"]["S"].removeprefix("active:"))
    run = _run_with_last_planner(copies, shard)
    message = {
        "v": 1,
        "run": run,
        "planner": shard,
        "planners": PLANNERS,
        "calls_per_second": 5.0,
    }
    return batch(copies, "shards", json.dumps(message))


def _last_batch(copies: Copies, row: Json, credential: str | None, unknown: Json = None) -> Json:
    """The last batch of a run, with this order only."""
    ended = {"planning_done": {"BOOL": True}, "batches": {"N": "1"}}
    active = {name: row[name]["S"] for name in ("awb", "moved_at")} | {"unknown": unknown}
    message = {
        "v": 1,
        "run": _run_with_last_planner(copies, 0, **ended),
        "planner": 0,
        "k": 0,
        "not_before": moment(),
        "credential": credential,
        "orders": [
            {"account": row["account"]["S"], "order_id": row["order_id"]["S"], "active": active}
        ],
    }
    return batch(copies, "batches", json.dumps(message))


def known_parcel(copies: Copies) -> Json:
    row = _polled_order(copies, ACCOUNT)
    item = {"tracking_details": {"shipment_status": "INT", "shipment_track_activities": []}}
    control = json.dumps({"awb": {row["awb"]["S"]: item}}).encode()
    urllib.request.urlopen(f"{copies.stack['shipway_url']}/_control", control).close()
    return _last_batch(copies, row, None)


def unknown_parcel(copies: Copies) -> Json:
    """An AWB unknown for more than seven days, so that this poll marks the order stale."""
    row = _polled_order(copies, OTHER_ACCOUNT)
    unknown = {"since": moment(days=8), "tries": 9, "ask_after": moment(hours=1), "run": "before"}
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        Key={"pk": row["pk"], "sk": row["sk"]},
        UpdateExpression="SET #unknown = :unknown",
        ExpressionAttributeNames={"#unknown": "unknown"},
        ExpressionAttributeValues={":unknown": {"S": json.dumps(unknown, separators=(",", ":"))}},
    )
    return _last_batch(copies, row, OTHER_ACCOUNT, unknown)
