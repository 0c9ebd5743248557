"""CloudWatch's alarms and metrics, as far as template.yaml uses them.

The emulator stores metric filters and alarms, but makes no metrics of log lines and knows no
dimensions or missing data. This module does, by the documentation of CloudWatch: `emf` and
`filtered` make data points of log lines, `state` decides about an alarm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = Any

MAX_VALUES = 100  # of one metric in a line
PATTERN = re.compile(r'\{ \$\.(\w+) = "([^"]*)" \}')
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": float.__ge__,
    "GreaterThanThreshold": float.__gt__,
    "LessThanThreshold": float.__lt__,
}
STATISTICS = {"Sum": sum, "Maximum": max, "Minimum": min}
MISSING = {"breaching": True, "notBreaching": False}


@dataclass(frozen=True)
class Point:
    """A value of a metric. `at` is in seconds since 1970."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    at: float
    value: float


class BadMetric(Exception):
    """A line or a filter that CloudWatch would not make a metric of."""


def emf(line: str) -> Iterator[Point]:
    """The points of a log line in the embedded metric format; none of any other line."""
    if '"_aws"' not in line:
        return
    fields = json.loads(line)
    for directive in fields["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, _text(fields, name)) for name in names)
            for metric in directive["Metrics"]:
                for value in _values(fields, metric["Name"]):
                    at = fields["_aws"]["Timestamp"] / 1000
                    yield Point(directive["Namespace"], metric["Name"], dimensions, at, value)


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value or len(value) > 1024:
        raise BadMetric(f"the dimension {name} is {value!r}")
    return value


def _values(fields: Json, name: str) -> list[float]:
    found = fields.get(name)
    values = found if isinstance(found, list) else [found]
    numbers = [float(value) for value in values if isinstance(value, (int, float))]
    if len(numbers) != len(values) or not 0 < len(values) <= MAX_VALUES:
        raise BadMetric(f"the metric {name} is {found!r}")
    return numbers


def filtered(metric_filter: Json, at: float, line: str) -> Iterator[Point]:
    """The points that a metric filter, as CloudWatch Logs describes it, makes of a line."""
    pattern = PATTERN.fullmatch(metric_filter["filterPattern"])
    if not pattern:
        raise BadMetric(f"this pattern is not supported: {metric_filter['filterPattern']}")
    fields = json.loads(line)
    if fields.get(pattern[1]) != pattern[2]:
        return
    for made in metric_filter["metricTransformations"]:
        dimensions = frozenset(
            (name, _text(fields, selector.removeprefix("$.")))
            for name, selector in made.get("dimensions", {}).items()
        )
        name, value = made["metricName"], float(made["metricValue"])
        yield Point(made["metricNamespace"], name, dimensions, at, value)


def state(alarm: Json, points: Iterable[Point], now: float) -> str:
    """OK or ALARM at this time, of an alarm as CloudWatch describes it."""
    dimensions = frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"])
    metric = (alarm["Namespace"], alarm["MetricName"], dimensions)
    own = [point for point in points if (point.namespace, point.name, point.dimensions) == metric]
    periods = range(alarm["EvaluationPeriods"])
    is_breaching = [_is_breaching(alarm, own, now - alarm["Period"] * n) for n in periods]
    needed = alarm.get("DatapointsToAlarm", len(periods))
    return "ALARM" if sum(is_breaching) >= needed else "OK"


def _is_breaching(alarm: Json, points: list[Point], end: float) -> bool:
    values = [point.value for point in points if end - alarm["Period"] < point.at <= end]
    if not values:
        return MISSING[alarm["TreatMissingData"]]
    value = float(STATISTICS[alarm["Statistic"]](values))
    return COMPARISONS[alarm["ComparisonOperator"]](value, float(alarm["Threshold"]))
