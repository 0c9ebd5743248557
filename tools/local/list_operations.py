"""Prints each operation of openapi.yaml as a line of JSON, for the end-to-end tests."""

from __future__ import annotations

import json
from typing import Any

import contract
from contract import Contract

Json = Any


def described(document: Contract, method: str, path: str, operation: dict[str, Json]) -> Json:
    parameters = document.parameters(path, operation)
    body = document.request_body(operation)
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "parameters": [
            {"place": found["in"], "name": found["name"], "required": found.get("required", False)}
            for found in parameters
        ],
        "fields": list(body["schema"].get("properties", {})),
        "required_fields": body["schema"].get("required", []),
        "example": body.get("example"),
        "security": [name for way in operation["security"] for name in way],
        "successes": [int(status) for status in operation["responses"] if status < "300"],
    }


if __name__ == "__main__":
    openapi = contract.load()
    for found in openapi.operations():
        print(json.dumps(described(openapi, *found)))
