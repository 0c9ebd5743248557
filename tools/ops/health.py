"""What a new endpoint inherits from an earlier one of its name.

The health of that one stays for two hours after its settings: deliveries may be parked under the
name.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from installation import Installation


def of_new_endpoint(where: Installation, name: str) -> str:
    """Clears what an active one has left. A sentence if the endpoint gets no deliveries."""
    try:
        state = _cleared(where.client("dynamodb"), where.output("StateTableName"), name)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return f" Whether an earlier endpoint of this name was paused is unknown ({code})."
    if state not in ("paused", "disabled"):
        return ""
    return (
        f" It is {state}, as an earlier endpoint of this name was: "
        f"`POST /api/endpoints/{name}/enable` ends that."
    )


def _cleared(dynamodb: Any, table: str, name: str) -> str | None:
    """The state; None once the row is deleted, which only a row of an active endpoint can be."""
    key = {"pk": {"S": "endpoints"}, "sk": {"S": name}}
    row = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    if "state" in row:
        return row["state"]["S"]
    if row:
        dynamodb.delete_item(
            TableName=table,
            Key=key,
            ConditionExpression="attribute_not_exists(#state)",
            ExpressionAttributeNames={"#state": "state"},
        )
    return None
