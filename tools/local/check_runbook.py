"""The alarms and the dashboard of template.yaml and docs/runbook.md belong together.

Each alarm has a section of the runbook, each metric is written by the code, made by a metric filter
or a known one of AWS with these dimensions, and each `make` target exists.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from check_result import print_problems
from check_template import Template, referred
from config import ROOT, TEMPLATE

Json = Any
Metric = tuple[str, str, frozenset[str]]

RUNBOOK = ROOT / "docs" / "runbook.md"
METRICS = ROOT / "docs" / "metrics.md"
NAMESPACE = "Waypost"
STAGE = frozenset({"Stage"})
# Metrics of AWS, by namespace, with the sets of dimensions that the services document.
OF_AWS = {
    "AWS/SQS": (
        {frozenset({"QueueName"})},
        {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateAgeOfOldestMessage",
        },
    ),
    "AWS/Lambda": ({frozenset({"FunctionName"}), frozenset()}, {"Errors", "Throttles"}),
    "AWS/ApiGateway": (
        {frozenset({"ApiId"})},
        {"Count", "4xx", "5xx", "Latency", "IntegrationLatency"},
    ),
}
WRITTEN = re.compile(r'\.(?:count|gauge|milliseconds)\(\s*"(\w+)"')
DIMENSION = re.compile(r'Metrics::by\(\s*"(\w+)"')
SEARCH = re.compile(r"SEARCH\('\{(\w+),([\w,]+)\} .*MetricName=\"(\w+)\"'")
SECTION = re.compile(r"^### (\S+)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)\b")
TARGET = re.compile(r"^([a-z][a-z0-9 -]*):", re.MULTILINE)
REFERENCE = re.compile(r"\$\{([A-Z]\w+)(?:\.(\w+))?\}")


def written() -> set[Metric]:
    """The metrics of the code. A file writes metrics of at most one dimension besides the stage."""
    found = set()
    for file in [*ROOT.glob("functions/*/src/**/*.rs"), *ROOT.glob("shared/aws/src/**/*.rs")]:
        source = file.read_text().partition("#[cfg(test)]")[0]
        sets = [STAGE, *(STAGE | {name} for name in DIMENSION.findall(source))]
        found |= {(NAMESPACE, name, names) for name in WRITTEN.findall(source) for names in sets}
    return found


def made_by_filters(template: Template) -> set[Metric]:
    return {
        (
            made["MetricNamespace"],
            made["MetricName"],
            frozenset(one["Key"] for one in made.get("Dimensions", [])),
        )
        for _, known in template.of_type("AWS::Logs::MetricFilter")
        for made in known["MetricTransformations"]
    }


def is_of_aws(metric: Metric) -> bool:
    namespace, name, dimensions = metric
    sets, names = OF_AWS.get(namespace, (set(), set()))
    return name in names and dimensions in sets


def of_alarm(alarm: Json) -> Metric:
    dimensions = frozenset(one["Name"] for one in alarm.get("Dimensions", []))
    return alarm["Namespace"], alarm["MetricName"], dimensions


def of_dashboard(body: str) -> Iterator[Metric]:
    for widget in json.loads(body)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            match metric:
                case [{"expression": expression}]:
                    found = SEARCH.match(expression)
                    assert found, expression
                    yield found[1], found[3], frozenset(found[2].split(","))
                case [namespace, name, *rest]:
                    texts = [part for part in rest if isinstance(part, str)]
                    yield namespace, name, frozenset(texts[::2])


def check_metrics(template: Template) -> Iterator[str]:
    known = written() | made_by_filters(template)
    used = {
        f"{name}, {metric[1]}": metric
        for name, alarm in template.of_type("AWS::CloudWatch::Alarm")
        for metric in [of_alarm(alarm)]
    }
    for name, dashboard in template.of_type("AWS::CloudWatch::Dashboard"):
        metrics = of_dashboard(dashboard["DashboardBody"]["Fn::Sub"])
        used |= {f"{name}, {metric[1]} {sorted(metric[2])}": metric for metric in metrics}
    for where, metric in used.items():
        if metric not in known and not is_of_aws(metric):
            yield f"{where}: nothing makes this metric with these dimensions"
    described = METRICS.read_text()
    for _, name, _ in sorted(written(), key=str):
        if f"`{name}`" not in described:
            yield f"{METRICS.name}: does not say what {name} means"


def check_dashboard(template: Template) -> Iterator[str]:
    """Every resource that it names exists, and it has every alarm."""
    for name, dashboard in template.of_type("AWS::CloudWatch::Dashboard"):
        named = {found[0] for found in REFERENCE.findall(dashboard["DashboardBody"]["Fn::Sub"])}
        yield from (
            f"{name}: there is no {other}"
            for other in sorted(named - {*template.resources, "Stage"})
            if other != "AWS"
        )
        for alarm, _ in template.of_type("AWS::CloudWatch::Alarm"):
            if alarm not in named:
                yield f"{name}: does not show {alarm}"


def check_alarms(template: Template) -> Iterator[str]:
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm"):
        for actions in ("AlarmActions", "OKActions"):
            if [referred(one) for one in alarm.get(actions, [])] != ["AlarmTopic"]:
                yield f"{name}: {actions} has to be the topic of alarms"
        if alarm.get("TreatMissingData") not in ("breaching", "notBreaching"):
            yield f"{name}: say what missing data mean"
    watched = {
        referred(one["Value"])
        for _, alarm in template.of_type("AWS::CloudWatch::Alarm")
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for one in alarm["Dimensions"]
    }
    # Dead deliveries have an alarm by their number in an hour.
    for queue in sorted(template.dead_letter_queues() - watched - {"DeliveriesDlq"}):
        yield f"{queue}: has no alarm"


def check_sections(template: Template) -> Iterator[str]:
    sections = {found[1]: found[2] for found in SECTION.finditer(RUNBOOK.read_text())}
    named = {
        alarm["AlarmName"]["Fn::Sub"].removeprefix("waypost-${Stage}-")
        for _, alarm in template.of_type("AWS::CloudWatch::Alarm")
    }
    yield from (f"{RUNBOOK.name}: no section {name}" for name in sorted(named - {*sections}))
    yield from (f"{RUNBOOK.name}: no alarm {name}" for name in sorted({*sections} - named))
    for name, text in sections.items():
        if "```" not in text and "](#" not in text:
            yield f"{RUNBOOK.name}: {name} has no command"


def check_commands() -> Iterator[str]:
    lines = TARGET.findall((ROOT / "Makefile").read_text())
    targets = {target for line in lines for target in line.split()}
    for name in sorted({*MAKE.findall(RUNBOOK.read_text())} - targets):
        yield f"{RUNBOOK.name}: there is no make {name}"


def check_parameters(template: Template) -> Iterator[str]:
    outputs = yaml_parse(TEMPLATE.read_text())["Outputs"]
    for name in sorted({*re.findall(r"<(\w+(?:Url|Name))>", RUNBOOK.read_text())} - {*outputs}):
        yield f"{RUNBOOK.name}: there is no output {name}"
    for name in sorted({*re.findall(r"\b([A-Z]\w+)=", RUNBOOK.read_text())}):
        if not name.isupper() and name not in template.parameters:
            yield f"{RUNBOOK.name}: there is no parameter {name}"


def problems() -> Iterator[str]:
    template = Template(TEMPLATE.read_text())
    for check in (check_metrics, check_dashboard, check_alarms, check_sections, check_parameters):
        yield from check(template)
    yield from check_commands()


def main() -> int:
    return print_problems(problems())


if __name__ == "__main__":
    sys.exit(main())
