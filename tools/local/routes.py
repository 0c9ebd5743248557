"""Creates the routes of the emulated HTTP API.

SAM writes the routes of an HttpApi into the API's OpenAPI body, which AWS imports and the emulator
ignores. This module creates them from the processed template, so template.yaml stays plain SAM.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from config import STACK_NAME, client

ALIAS_OF_URI = re.compile(r"/functions/\$\{(\w+)\}/")


def import_routes(endpoint_url: str, physical_ids: dict[str, str]) -> None:
    """Creates, updates and deletes routes until every HTTP API matches the template."""
    cloudformation = client("cloudformation", endpoint_url)
    template = cloudformation.get_template(StackName=STACK_NAME, TemplateStage="Processed")
    body = template["TemplateBody"]
    resources = (json.loads(body) if isinstance(body, str) else body)["Resources"]
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and "Body" in resource["Properties"]:
            routes = {
                route: physical_ids[alias]
                for route, alias in _routes(resource["Properties"]["Body"])
            }
            _reconcile(client("apigatewayv2", endpoint_url), physical_ids[logical_id], routes)


def _routes(openapi: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(route key, logical id of the function's alias) of each operation."""
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            alias = ALIAS_OF_URI.search(uri)
            assert alias, f"{uri} names no alias"
            yield f"{method.upper()} {path}", alias[1]


def _reconcile(api: Any, api_id: str, routes: dict[str, str]) -> None:
    found = api.get_routes(ApiId=api_id)["Items"]
    existing = {route["RouteKey"]: route["RouteId"] for route in found}
    for route_key in existing.keys() - routes.keys():
        api.delete_route(ApiId=api_id, RouteId=existing[route_key])
    known = api.get_integrations(ApiId=api_id)["Items"]
    integrations = {each["IntegrationUri"]: each["IntegrationId"] for each in known}
    for route_key, arn in routes.items():
        if arn not in integrations:
            integrations[arn] = api.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=arn,
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        target = f"integrations/{integrations[arn]}"
        if route_key in existing:
            api.update_route(ApiId=api_id, RouteId=existing[route_key], Target=target)
        else:
            api.create_route(ApiId=api_id, RouteKey=route_key, Target=target)
