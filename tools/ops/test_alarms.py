"""The evaluation of alarms and metrics, by the documentation of CloudWatch."""

from __future__ import annotations

import json
import unittest
from typing import Any

import alarms
from alarms import BadMetric, Point

STAGE = frozenset({("Stage", "dev")})
SHOP = STAGE | {("Endpoint", "shop")}


def line(**fields: Any) -> str:
    directive = {
        "Namespace": "Waypost",
        "Dimensions": [["Stage"], ["Stage", "Endpoint"]],
        "Metrics": [{"Name": "Attempts", "Unit": "Count"}, {"Name": "Time"}],
    }
    aws = {"Timestamp": 5000, "CloudWatchMetrics": [directive]}
    values = {"Stage": "dev", "Endpoint": "shop", "Attempts": 2, "Time": [3, 4]}
    return json.dumps({"_aws": aws} | values | fields)


def alarm(**changes: Any) -> dict[str, Any]:
    return {
        "Namespace": "Waypost",
        "MetricName": "Attempts",
        "Dimensions": [{"Name": "Stage", "Value": "dev"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 3.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    } | changes


def point(at: float, value: float, dimensions: frozenset[tuple[str, str]] = STAGE) -> Point:
    return Point("Waypost", "Attempts", dimensions, at, value)


class Lines(unittest.TestCase):
    def test_a_line_has_a_point_for_each_value_and_set_of_dimensions(self) -> None:
        points = set(alarms.emf(line()))
        expected = {
            Point("Waypost", name, dimensions, 5, value)
            for dimensions in (STAGE, SHOP)
            for name, value in (("Attempts", 2), ("Time", 3), ("Time", 4))
        }
        self.assertEqual(points, expected)
        self.assertEqual(list(alarms.emf('{"message": "no metrics"}')), [])

    def test_refuses_a_line_that_cloudwatch_ignores(self) -> None:
        for wrong in ({"Endpoint": ""}, {"Endpoint": 7}, {"Attempts": None}, {"Time": [1] * 101}):
            with self.subTest(wrong), self.assertRaises(BadMetric):
                list(alarms.emf(line(**wrong)))

    def test_a_filter_compares_one_field_and_takes_dimensions_from_the_line(self) -> None:
        made = {
            "metricNamespace": "Waypost",
            "metricName": "Denied",
            "metricValue": "1",
            "dimensions": {"ApiId": "$.apiId"},
        }
        known = {"filterPattern": '{ $.status = "401" }', "metricTransformations": [made]}
        expected = Point("Waypost", "Denied", frozenset({("ApiId", "a")}), 7, 1)
        found = list(alarms.filtered(known, 7, '{"status": "401", "apiId": "a"}'))
        self.assertEqual(found, [expected])
        for other in ('{"status": "200", "apiId": "a"}', '{"status": 401, "apiId": "a"}'):
            self.assertEqual(list(alarms.filtered(known, 7, other)), [])
        with self.assertRaises(BadMetric):
            list(alarms.filtered(known | {"filterPattern": "ERROR"}, 7, "{}"))


class States(unittest.TestCase):
    def state(self, points: list[Point], now: float = 100, **changes: Any) -> str:
        return alarms.state(alarm(**changes), points, now)

    def test_compares_the_statistic_of_the_period(self) -> None:
        self.assertEqual(self.state([point(50, 1), point(100, 2)]), "ALARM")
        self.assertEqual(self.state([point(40, 1), point(100, 2)]), "OK", "40 is in the one before")
        self.assertEqual(self.state([point(50, 1), point(100, 2)], Statistic="Maximum"), "OK")
        over = {"ComparisonOperator": "GreaterThanThreshold"}
        self.assertEqual(self.state([point(100, 3)], **over), "OK")
        self.assertEqual(self.state([point(100, 4)], **over), "ALARM")

    def test_other_dimensions_are_other_metrics(self) -> None:
        self.assertEqual(self.state([point(100, 9, SHOP)]), "OK")
        self.assertEqual(self.state([point(100, 9, frozenset())]), "OK")

    def test_all_periods_have_to_breach(self) -> None:
        two = {"EvaluationPeriods": 2}
        self.assertEqual(self.state([point(30, 3), point(100, 3)], **two), "ALARM")
        self.assertEqual(self.state([point(100, 9)], **two), "OK")
        self.assertEqual(self.state([point(100, 9)], **two, DatapointsToAlarm=1), "ALARM")

    def test_missing_data_count_as_the_alarm_says(self) -> None:
        self.assertEqual(self.state([]), "OK")
        self.assertEqual(self.state([], TreatMissingData="breaching"), "ALARM")


if __name__ == "__main__":
    unittest.main()
