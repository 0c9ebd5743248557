"""What the rules of template.yaml accept: parameters that work, alone and together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CERTIFICATE = "arn:aws:acm:example"
DEFAULTS = {"DomainName": "", "CertificateArn": "", "SlowDeliverConcurrency": "0"}
DEFAULTS |= {"PushConcurrency": "0"}
CASES: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"DomainName": "hooks.example.com", "CertificateArn": CERTIFICATE}, True),
    ({"DomainName": "hooks.example.com"}, False),
    ({"CertificateArn": CERTIFICATE}, False),
    ({"SlowDeliverConcurrency": "1"}, False),
    ({"SlowDeliverConcurrency": "2"}, True),
    ({"PushConcurrency": "1"}, False),
    ({"PushConcurrency": "2"}, True),
]


def check_rules(rules: dict[str, Any]) -> Iterator[str]:
    """CloudFormation refuses a wrong value before it changes the stack."""
    for given, expected in CASES:
        passes = all(
            holds(assertion["Assert"], DEFAULTS | given)
            for rule in rules.values()
            for assertion in rule["Assertions"]
        )
        if passes != expected:
            yield f"Rules: {'accept' if passes else 'refuse'} {given}"


def holds(condition: Any, parameters: dict[str, str]) -> bool:
    """Evaluates a condition of a rule."""
    ((function, parts),) = condition.items()
    match function:
        case "Fn::Equals":
            left, right = (parameters[it["Ref"]] if isinstance(it, dict) else it for it in parts)
            return left == right
        case "Fn::Not":
            return not holds(parts[0], parameters)
        case "Fn::And":
            return all(holds(part, parameters) for part in parts)
        case "Fn::Or":
            return any(holds(part, parameters) for part in parts)
    raise ValueError(f"{function} in a rule")
