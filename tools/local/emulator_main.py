"""The emulator's process: MiniStack with the permission checks of AWS, and numbers as parameters.

MiniStack 1.5.33 checks two permissions differently from AWS. It requires `sqs:SendMessageBatch` and
the other batch actions, which do not exist in IAM (SendMessage covers the batch), and it checks
`ssm:GetParameters` and `ssm:GetParametersByPath` on `*` instead of the named parameters. Both are
corrected here, so the roles of template.yaml stay those for AWS and a missing permission still
fails. It also keeps the value of a template's parameter as text where Lambda has a number. Of
aliases and versions it ignores the function's reserved concurrency and the destination of failed
invocations, and it keeps the processes of a version that a stack deleted. It answers
`OPTIONS` itself also for an HTTP API without a CORS configuration, where AWS has routes for it.
"""

from __future__ import annotations

import json
import socketserver
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners

SINGLE_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
SEPARATOR = " "  # never part of a parameter's ARN

ministack_action = iam_actions.extract_iam_action
ministack_resource = iam_actions.extract_resource_arn
ministack_enforce = iam_evaluator.enforce
ministack_concurrency = lambda_svc._sqs_esm_concurrency
ministack_reserved_concurrency = lambda_svc._reserved_concurrency
ministack_invoke_async = lambda_svc.invoke_async_with_retry
ministack_execute = apigateway._handle_execute_in_scope
version_handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Version"]
ministack_delete_version = version_handlers["delete"]


def action(*request: Any) -> str | None:
    """The IAM action of a request."""
    found = ministack_action(*request)
    return SINGLE_ACTIONS.get(found, found)


def resource(
    service: str,
    method: str,
    path: str,
    headers: Any,
    body: bytes,
    query: Any,
    region: str,
    account: str,
) -> str:
    """The ARNs of all parameters that a request names, or its one resource."""
    named = _parameters(body) if service == "ssm" else []
    if not named:
        return ministack_resource(service, method, path, headers, body, query, region, account)
    return SEPARATOR.join(
        f"arn:aws:ssm:{region}:{account}:parameter/{name.lstrip('/')}" for name in named
    )


def enforce(
    key: str, action: str, service: str, region: str, resource_arn: str = "*", **context: Any
) -> Any:
    """Returns the first denial, or None if every resource is allowed."""
    for arn in resource_arn.split(SEPARATOR) if service == "ssm" else [resource_arn]:
        denied = ministack_enforce(key, action, service, region, resource_arn=arn, **context)
        if denied:
            return denied
    return None


def concurrency(mapping: dict[str, Any], *others: Any, **named: Any) -> int:
    """The batches of a queue that an event source mapping has in flight at most."""
    scaling = mapping.get("ScalingConfig") or {}
    if "MaximumConcurrency" in scaling:
        scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
    return ministack_concurrency(mapping, *others, **named)


def reserved_concurrency(version: Any, config: dict[str, Any]) -> int | None:
    """That of the function, which is for all its versions together."""
    function = lambda_svc._functions.get(config.get("FunctionName"), version)
    return ministack_reserved_concurrency(function, config)


def invoke_async(version: dict[str, Any], event: Any) -> None:
    """Keeps an event that fails as its alias says."""
    name, _, qualifier = version["config"]["FunctionArn"].split(":function:")[1].partition(":")
    configs = lambda_svc._functions[name]["event_invoke_configs"]
    ministack_invoke_async(version | {"event_invoke_config": configs.get(qualifier)}, event)


async def execute(
    api: str,
    stage: str,
    path: str,
    method: str,
    headers: dict[str, str],
    body: bytes,
    query: Any,
    owner: str,
    region: str,
    raw_query: str | None = None,
) -> Any:
    """Sends a request of a route for `OPTIONS` to its function."""
    known = apigateway._match_route(api, method, path) if method == "OPTIONS" else None
    if known is None:
        rest = (headers, body, query, owner, region, raw_query)
        return await ministack_execute(api, stage, path, method, *rest)
    integration = apigateway._integrations[api][known["target"].split("/")[-1]]
    lower = {name.lower(): value for name, value in headers.items()}
    return await apigateway._invoke_lambda_proxy(
        integration,
        api,
        stage,
        path,
        method,
        lower,
        body,
        query,
        known["routeKey"],
        None,
        owner_account_id=owner,
        owner_region=region,
        raw_query_string=raw_query,
    )


def delete_version(arn: str, properties: dict[str, Any]) -> None:
    """Deletes a version of a stack, and ends its processes."""
    ministack_delete_version(arn, properties)
    name, version = arn.split(":")[-2:]
    lambda_runtime.invalidate_worker(name, qualifier=version)


def _parameters(body: bytes) -> list[str]:
    """Names in GetParameters and GetParametersByPath; MiniStack handles other requests itself."""
    request = json.loads(body or b"{}")
    if "Path" in request:
        return [request["Path"]]
    return request.get("Names", [])


if __name__ == "__main__":
    # It sends headers and body of an event apart: the body would wait 40 ms for an acknowledgement.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
    # app.py looks these functions up by name on every request.
    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_evaluator.enforce = enforce
    lambda_svc._sqs_esm_concurrency = concurrency
    lambda_svc._reserved_concurrency = reserved_concurrency
    lambda_svc.invoke_async_with_retry = invoke_async
    apigateway._handle_execute_in_scope = execute
    version_handlers["delete"] = delete_version
    app.main()
