"""openapi.yaml is valid, describes exactly the routes of template.yaml, and its examples are what it says."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from openapi_spec_validator import OpenAPIV31SpecValidator
from samtranslator.yaml_helper import yaml_parse

import contract
from config import TEMPLATE

Route = tuple[str, str]


def routes_of_template() -> set[Route]:
    resources = yaml_parse(TEMPLATE.read_text())["Resources"].values()
    functions = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::Serverless::Function"]
    events = [event for function in functions for event in function.get("Events", {}).values()]
    routes = [event["Properties"] for event in events if event["Type"] == "HttpApi"]
    return {(route["Method"].lower(), route["Path"]) for route in routes}


def complaints() -> Iterator[str]:
    ours = contract.load()
    for error in OpenAPIV31SpecValidator(ours.document).iter_errors():
        yield f"{error.json_path}: {error.message}"
    described = {(method, path) for method, path, _ in ours.operations()}
    deployed = routes_of_template()
    for method, path in sorted(deployed - described):
        yield f"{method.upper()} {path}: is not described"
    for method, path in sorted(described - deployed):
        yield f"{method.upper()} {path}: is no route of {TEMPLATE.name}"
    yield from ours.examples()


def main() -> int:
    found = list(complaints())
    for complaint in found:
        print(f"{contract.OPENAPI.name}: {complaint}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
