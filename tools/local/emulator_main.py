"""The emulator's process: MiniStack, asking functions for the permissions that AWS asks for.

MiniStack 1.5.33 wants two things that no policy for AWS can sensibly grant. It asks for `sqs:SendMessageBatch` and its
like, which are no IAM actions (SendMessage covers the batch), and it checks `ssm:GetParameters` and
`ssm:GetParametersByPath` on `*` instead of the parameters that are named. Both are put right here, so that
template.yaml's roles say what they say for AWS and a missing permission still fails.
"""

from __future__ import annotations

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator

SINGLE_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
SEPARATOR = " "  # in no ARN of a parameter

ministack_action = iam_actions.extract_iam_action
ministack_resource = iam_actions.extract_resource_arn
ministack_enforce = iam_evaluator.enforce


def action(*request: Any) -> str | None:
    """The IAM action a request needs."""
    found = ministack_action(*request)
    return SINGLE_ACTIONS.get(found, found)


def resource(
    service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
) -> str:
    """The resources a request names: several, where it names several parameters."""
    named = _parameters(body) if service == "ssm" else []
    if not named:
        return ministack_resource(service, method, path, headers, body, query, region, account)
    return SEPARATOR.join(f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}" for name in named)


def enforce(key: str, action: str, service: str, region: str, resource_arn: str = "*", **context: Any) -> Any:
    """None if every resource is allowed, else the first denial."""
    for arn in resource_arn.split(SEPARATOR) if service == "ssm" else [resource_arn]:
        denied = ministack_enforce(key, action, service, region, resource_arn=arn, **context)
        if denied:
            return denied
    return None


def _parameters(body: bytes) -> list[str]:
    """Of GetParameters and GetParametersByPath; every other request names one, which MiniStack sees."""
    request = json.loads(body or b"{}")
    if "Path" in request:
        return [request["Path"]]
    return request.get("Names", [])


if __name__ == "__main__":
    # app.py looks these up by name at every request.
    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_evaluator.enforce = enforce
    app.main()
