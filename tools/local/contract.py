"""Validates exchanges with the API, and deliveries, against openapi.yaml.

As a program it reads one case per line, `{"exchange": {…}}` or `{"delivery": {…}}`, and answers
with one line per case: the list of problems, empty if there are none. The end-to-end tests validate
every response and delivery with it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker

from config import ROOT

OPENAPI = ROOT / "openapi.yaml"
METHODS = {"get", "head", "put", "post", "delete", "patch", "options"}
JSON_TYPE = "application/json"
TEXT_TYPES = "text/"
# Beside JSON_TYPE: a body that is not a JSON object is accepted too.
ANY_TYPE = "*/*"
Json = Any


class Contract:
    """The document, with the lookups that validation needs."""

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self.validators: dict[int, Draft202012Validator] = {}

    def operations(self) -> Iterator[tuple[str, str, dict[str, Json]]]:
        """(method, path, operation) of each route."""
        for path, item in self.document["paths"].items():
            for method in METHODS & item.keys():
                yield method, path, item[method]

    def parameters(self, path: str, operation: dict[str, Json]) -> list[dict[str, Json]]:
        shared = self.document["paths"][path].get("parameters", [])
        own = operation.get("parameters", [])
        return [self._resolved(parameter) for parameter in [*shared, *own]]

    def request_body(self, operation: dict[str, Json]) -> dict[str, Json]:
        """The JSON body with its schema, which is empty if there is no body."""
        media = operation.get("requestBody", {}).get("content", {}).get(JSON_TYPE, {})
        return media | {"schema": self._resolved(media.get("schema", {}))}

    def exchange(
        self, method: str, path: str, request: str | None, answer: dict[str, Json]
    ) -> Iterator[str]:
        """Problems of a response, and of the request, unless None, if it was accepted."""
        operation = self._operation(method.lower(), path)
        if not operation:
            yield "no such operation"
            return
        response = self._response(operation, answer["status"])
        if not response:
            yield f"status {answer['status']} is not declared"
            return
        yield from self._headers(response.get("headers", {}), answer["headers"])
        if "content" not in response:
            if answer["body"]:
                yield "body: not declared"
            return
        media_type = answer["headers"].get("content-type", "").split(";")[0]
        if media_type not in response["content"]:
            yield f"header content-type: {media_type!r} is not declared"
        yield from self._body("body", response, answer["body"], media_type)
        if request is not None and answer["status"] < 300 and "requestBody" in operation:
            yield from self._body("request", operation["requestBody"], request)

    def delivery(self, format: str, headers: dict[str, str], body: str) -> Iterator[str]:
        """Problems of a delivery in this format."""
        operation = self.document["webhooks"][format]["post"]
        parameters = [self._resolved(parameter) for parameter in operation["parameters"]]
        yield from self._headers(
            {parameter["name"]: parameter for parameter in parameters}, headers
        )
        yield from self._body("body", operation["requestBody"], body)

    def examples(self) -> Iterator[str]:
        """Problems of the document's own examples."""
        for where, media in self._media_types(self.document, "#"):
            if "example" in media:
                yield from self._validate(f"{where}: example", media["schema"], media["example"])

    def covers(self, path: str, route: str) -> bool:
        """True if a route is a described path with values in place of some of its variables: values
        that the document lists. Such a route has a throttle of its own, and the same contract.
        """
        parts, values = path.split("/"), route.split("/")
        parameters = self.document["paths"][path].get("parameters", [])
        listed = {
            f"{{{parameter['name']}}}": parameter["schema"].get("enum", [])
            for parameter in map(self._resolved, parameters)
        }
        return len(parts) == len(values) and all(
            part == value or value in listed.get(part, [])
            for part, value in zip(parts, values, strict=True)
        )

    def has_route(self, method: str, path: str) -> bool:
        return self._operation(method.lower(), path) is not None

    def _operation(self, method: str, path: str) -> dict[str, Json] | None:
        matching = [
            (template.count("{"), operation)
            for known, template, operation in self.operations()
            if known == method and _matches(template, path)
        ]
        return min(matching, key=lambda match: match[0], default=(0, None))[1]

    def _response(self, operation: dict[str, Json], status: int) -> dict[str, Json] | None:
        responses = operation["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        return found and self._resolved(found)

    def _headers(self, declared: dict[str, Json], headers: dict[str, str]) -> Iterator[str]:
        for name, header in declared.items():
            rule = self._resolved(header)
            if name in headers:
                yield from self._validate(f"header {name}", rule["schema"], headers[name])
            elif rule.get("required"):
                yield f"header {name}: missing"

    def _body(
        self, part: str, described: dict[str, Json], body: str, media_type: str = JSON_TYPE
    ) -> Iterator[str]:
        content = described["content"]
        is_text = media_type.startswith(TEXT_TYPES) and media_type in content
        if JSON_TYPE not in content or is_text:
            text = content.get(media_type, {"schema": {}})
            yield from self._validate(part, text["schema"], body)
            return
        try:
            value = json.loads(body)
        except ValueError:
            value = None
            if ANY_TYPE not in content:
                yield f"{part}: not JSON"
                return
        if isinstance(value, dict) or ANY_TYPE not in content:
            yield from self._validate(part, content[JSON_TYPE]["schema"], value)

    def _validate(self, part: str, schema: dict[str, Json], value: Json) -> Iterator[str]:
        for error in self._validator(schema).iter_errors(value):
            yield f"{part}{error.json_path[1:]}: {error.message}"

    def _validator(self, schema: dict[str, Json]) -> Draft202012Validator:
        """Cached by identity, as schemas live as long as the document."""
        if id(schema) not in self.validators:
            # References in the schema resolve to the components beside it.
            whole = schema | {"components": self.document["components"]}
            checker = FormatChecker(["date-time"])
            self.validators[id(schema)] = Draft202012Validator(whole, format_checker=checker)
        return self.validators[id(schema)]

    def _resolved(self, value: dict[str, Json]) -> dict[str, Json]:
        if "$ref" not in value:
            return value
        found: Json = self.document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found

    def _media_types(self, value: Json, where: str) -> Iterator[tuple[str, dict[str, Json]]]:
        parts = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        for key, part in parts:
            if key == JSON_TYPE:
                yield where, part
            yield from self._media_types(part, f"{where}/{key}")


def load() -> Contract:
    return Contract(yaml.safe_load(OPENAPI.read_text()))


def _matches(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        (part.startswith("{") and other) or part == other
        for part, other in zip(wanted, given, strict=True)
    )


def _problems(contract: Contract, case: dict[str, Json]) -> list[str]:
    if "exchange" in case:
        return list(contract.exchange(**case["exchange"]))
    return list(contract.delivery(**case["delivery"]))


if __name__ == "__main__":
    openapi = load()
    for line in sys.stdin:
        print(json.dumps(_problems(openapi, json.loads(line))), flush=True)
