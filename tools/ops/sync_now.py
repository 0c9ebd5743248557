"""`make sync-now`: a run of asking the carrier, about fresh orders too, beside the hourly ones.

    STAGE=prod REGION=ap-south-1 python tools/ops/sync_now.py

Prints the run's id; `GET /api/sync/runs` shows what comes of it.
"""

from __future__ import annotations

import json
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

import installation
from config import StackError
from installation import Installation


def sync(where: Installation) -> str:
    """The id of the new run."""
    event = json.dumps({"kind": "manual"})
    answer = where.client("lambda").invoke(FunctionName=f"{where.stack_name}-sync", Payload=event)
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise StackError(f"the function failed: {said.get('errorMessage')}")
    if said is None:
        raise StackError("nobody is asked: the settings of shipway have no base_url (make source-set … URL=…)")
    return said["run"]


def main() -> int:
    try:
        stage = os.environ.get("STAGE")
        if not stage:
            raise StackError("STAGE=… is missing: local, or one that was deployed, as dev or prod")
        print(sync(installation.find(stage, os.environ.get("REGION", ""))))
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
