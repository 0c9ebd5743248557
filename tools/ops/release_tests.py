"""The release binaries on a running local stack: they work, and they refuse to deliver to it.

RELEASE=1 python tools/local/stack.py with python tools/ops/release_tests.py
"""

from __future__ import annotations

import json
import unittest
from typing import Any

import order_client
import release
from build import STAGING
from config import client, function_names
from order_client import OrderClient, vendor


class Release(unittest.TestCase):
    def setUp(self) -> None:
        self.stack = order_client.stack()

    def test_stages_the_release_binaries(self) -> None:
        for name in function_names():
            staged = STAGING / "target" / "lambda" / name / "bootstrap"
            self.assertEqual(
                staged.read_bytes(), (release.OUTPUT / name / "bootstrap").read_bytes(), name
            )

    def test_builds_a_timeline_and_refuses_loopback_deliveries(self) -> None:
        order = OrderClient(vendor(self.stack["vendor_secret"]))
        self.assertEqual(order.create(), 201)
        for report in [
            (17, "OUT FOR DELIVERY", "13:00:00"),
            (42, "PICKED UP", "11:00:00"),
            (18, "IN TRANSIT", "12:00:00"),
        ]:
            self.assertEqual(order.report(*report), 200)
        seen = order.with_entries(3)
        self.assertEqual(seen["status"], "out_for_delivery")
        statuses = [entry["status"] for entry in seen["timeline"]]
        self.assertEqual(statuses, ["out_for_delivery", "in_transit", "picked_up"])

        rows = order_client.eventually(
            "three dead deliveries", lambda: self.dead(order.order_id, 3)
        )
        self.assertEqual(
            {row["endpoint"]["S"] for row in rows} >= set(self.stack["endpoints"]), True
        )
        for row in rows:
            self.assertEqual(row["reason"]["S"], "url_refused")
            self.assertIn("url_scheme", json.dumps(row["attempt_log"]))
        for name in self.stack["endpoints"]:
            self.assertEqual(order.received(f"/{name}"), [])

    def dead(self, order_id: str, count: int) -> list[Any] | None:
        """The order's delivery rows once `count` of them are dead."""
        pages = client("dynamodb", self.stack["endpoint_url"]).get_paginator("scan")
        table = self.stack["tables"]["deliveries"]
        items = [item for page in pages.paginate(TableName=table) for item in page["Items"]]
        rows = [item for item in items if item["order_id"].get("S") == order_id]
        dead = len(rows) >= count and all(row["state"]["S"] == "dead" for row in rows)
        return rows if dead else None


if __name__ == "__main__":
    unittest.main()
