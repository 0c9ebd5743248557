"""`make sync-now`: starts a polling run beside the hourly ones, for recently updated orders too.

    STAGE=prod REGION=ap-south-1 python tools/ops/sync_now.py

Prints the run's id; `GET /api/sync/runs` shows its progress.
"""

from __future__ import annotations

import json
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

import installation
from config import ALIAS, StackError
from installation import Installation


def sync(where: Installation) -> str:
    """Starts a run and returns its id."""
    event = json.dumps({"kind": "manual"})
    answer = where.client("lambda").invoke(
        FunctionName=f"{where.stack_name}-sync", Qualifier=ALIAS, Payload=event
    )
    result = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise StackError(f"the function failed: {result.get('errorMessage')}")
    if result is None:
        raise StackError(
            "polling is off: shipway's settings have no base_url (make source-set … URL=…)"
        )
    return result["run"]


def main() -> int:
    try:
        stage = os.environ.get("STAGE")
        if not stage:
            raise StackError("STAGE=… is missing: local, or a deployed stage such as dev or prod")
        where = installation.find(stage, os.environ.get("REGION", ""))
        where.stack_parameters()  # fails if the stage is not deployed there
        print(sync(where))
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
