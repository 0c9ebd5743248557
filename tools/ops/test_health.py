"""The health that an earlier endpoint has left to one of its name."""

from __future__ import annotations

import unittest
from typing import Any
from unittest.mock import MagicMock, patch

from botocore.exceptions import ClientError

import health
from installation import Installation


def of(row: dict[str, str]) -> tuple[str, Any]:
    session = MagicMock()
    dynamodb = session.client.return_value
    item = {field: {"S": text} for field, text in row.items()}
    dynamodb.get_item.return_value = {"Item": item} if item else {}
    where = Installation("prod", session)
    with patch.object(Installation, "output", return_value="state-table"):
        return health.of_new_endpoint(where, "crm"), dynamodb


class Health(unittest.TestCase):
    def test_says_that_the_endpoint_gets_no_deliveries(self) -> None:
        for state in ("paused", "disabled"):
            note, dynamodb = of({"sk": "crm", "state": state})
            self.assertIn(f"It is {state}, as an earlier endpoint", note)
            self.assertIn("POST /api/endpoints/crm/enable", note)
            dynamodb.delete_item.assert_not_called()

    def test_clears_the_counts_of_an_active_endpoint(self) -> None:
        note, dynamodb = of({"sk": "crm", "slow_since": "2026-01-20T00:00:00.000Z"})
        self.assertEqual(note, "")
        [call] = dynamodb.delete_item.mock_calls
        self.assertEqual(call.kwargs["Key"], {"pk": {"S": "endpoints"}, "sk": {"S": "crm"}})
        self.assertEqual(call.kwargs["ConditionExpression"], "attribute_not_exists(#state)")

    def test_leaves_a_recovery_to_sweep_and_a_new_name_alone(self) -> None:
        for row in ({}, {"sk": "crm", "state": "recovering"}):
            note, dynamodb = of(row)
            self.assertEqual(note, "")
            dynamodb.delete_item.assert_not_called()

    def test_the_endpoint_is_added_also_without_access_to_the_table(self) -> None:
        denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")
        with patch.object(Installation, "output", side_effect=denied):
            note = health.of_new_endpoint(Installation("prod", MagicMock()), "crm")
        self.assertIn("unknown (AccessDeniedException)", note)


if __name__ == "__main__":
    unittest.main()
