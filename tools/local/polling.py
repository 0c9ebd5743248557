"""What asking the carrier is tried with: a shard to plan, and a batch of orders to ask about."""

from __future__ import annotations

import json
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any

from copies import Copies
from delivery import timestamp
from invocations import batch, http, user
from settings import ACCOUNT, OTHER_ACCOUNT

Json = Any
SHARDS = 16


def moment(**ago: float) -> str:
    return timestamp((datetime.now(timezone.utc) - timedelta(**ago)).timestamp())


def _polled(copies: Copies, account: str) -> Json:
    """The row of an order that the carrier is asked about."""
    order_id = copies.unique("order-")
    order = {"orderId": order_id, "accountCode": account, "awb": copies.unique("77"), "poll": "shipway"}
    copies.call("orders", http(copies, "POST", "/api/external/orders", user(copies, "admin"), order))
    rows = copies.aws["dynamodb"].scan(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        FilterExpression="order_id = :order AND begins_with(pk, :active)",
        ExpressionAttributeValues={":order": {"S": order_id}, ":active": {"S": "active:"}},
    )["Items"]
    return rows[0]


def _last_shard(copies: Copies, shard: int, **planned: Json) -> Json:
    """A run of which all shards but this one have come to their end."""
    run = {"id": copies.unique("manual-"), "started_at": moment(), "manual": True}
    rows = [
        {
            "pk": {"S": "runs"},
            "sk": {"S": f"{run['started_at']}/{run['id']}"},
            "id": {"S": run["id"]},
            "kind": {"S": "manual"},
            "started_at": {"S": run["started_at"]},
            "calls_per_second": {"S": "5"},
            "finished": {"SS": [f"{other:02}" for other in range(SHARDS) if other != shard]},
        },
        {"pk": {"S": f"run:{run['id']}"}, "sk": {"S": f"shard:{shard:02}"}, **planned},
    ]
    for row in rows:
        copies.aws["dynamodb"].put_item(TableName=copies.of(copies.stack["tables"]["state"]), Item=row)
    return run


def shard_to_plan(copies: Copies) -> Json:
    """One in which there is an order to ask about."""
    shard = int(_polled(copies, ACCOUNT)["pk"]["S"].removeprefix("active:"))
    message = {"v": 1, "run": _last_shard(copies, shard), "shard": shard, "calls_per_second": 5.0}
    return batch(copies, "shards", json.dumps(message))


def _asked(copies: Copies, row: Json, credential: str | None, unknown: Json = None) -> Json:
    """The last batch of a run, with this order."""
    ended = {"planning_done": {"BOOL": True}, "batches": {"N": "1"}}
    active = {name: row[name]["S"] for name in ("awb", "moved_at")} | {"unknown": unknown}
    message = {
        "v": 1,
        "run": _last_shard(copies, 0, **ended),
        "shard": 0,
        "k": 0,
        "not_before": moment(),
        "credential": credential,
        "orders": [{"account": row["account"]["S"], "order_id": row["order_id"]["S"], "active": active}],
    }
    return batch(copies, "batches", json.dumps(message))


def known_parcel(copies: Copies) -> Json:
    row = _polled(copies, ACCOUNT)
    item = {"tracking_details": {"shipment_status": "INT", "shipment_track_activities": []}}
    told = json.dumps({"awb": {row["awb"]["S"]: item}}).encode()
    urllib.request.urlopen(f"{copies.stack['shipway_url']}/_control", told).close()
    return _asked(copies, row, None)


def unknown_parcel(copies: Copies) -> Json:
    """For so long that it is the last time."""
    row = _polled(copies, OTHER_ACCOUNT)
    unknown = {"since": moment(days=8), "tries": 9, "ask_after": moment(hours=1), "run": "before"}
    copies.aws["dynamodb"].update_item(
        TableName=copies.of(copies.stack["tables"]["orders"]),
        Key={"pk": row["pk"], "sk": row["sk"]},
        UpdateExpression="SET #unknown = :unknown",
        ExpressionAttributeNames={"#unknown": "unknown"},
        ExpressionAttributeValues={":unknown": {"S": json.dumps(unknown, separators=(",", ":"))}},
    )
    return _asked(copies, row, OTHER_ACCOUNT, unknown)
