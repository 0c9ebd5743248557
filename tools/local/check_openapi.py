"""openapi.yaml is valid, describes exactly the routes of template.yaml, and its examples match."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from openapi_spec_validator import OpenAPIV31SpecValidator
from samtranslator.yaml_helper import yaml_parse

import contract
from check_result import print_problems
from config import TEMPLATE

Route = tuple[str, str]


def routes_of_template() -> set[Route]:
    resources = yaml_parse(TEMPLATE.read_text())["Resources"].values()
    functions = [
        resource["Properties"]
        for resource in resources
        if resource["Type"] == "AWS::Serverless::Function"
    ]
    events = [event for function in functions for event in function.get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
    return {(route["Method"].lower(), route["Path"]) for route in routes}


def problems() -> Iterator[str]:
    document = contract.load()
    for error in OpenAPIV31SpecValidator(document.document).iter_errors():
        yield f"{error.json_path}: {error.message}"
    described = {(method, path) for method, path, _ in document.operations()}
    deployed = routes_of_template()
    for method, path in sorted(deployed - described):
        if not any(document.covers(known, path) for verb, known in described if verb == method):
            yield f"{method.upper()} {path}: not described"
    for method, path in sorted(described - deployed):
        yield f"{method.upper()} {path}: not a route of {TEMPLATE.name}"
    yield from document.examples()


def main() -> int:
    return print_problems(problems(), contract.OPENAPI.name)


if __name__ == "__main__":
    sys.exit(main())
