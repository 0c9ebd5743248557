"""What CloudWatch would know of the local stack since a moment: data points of its metrics.

Log lines give those of the functions, the access log those of its metric filters. The emulator has
the metrics of Lambda; those of SQS are read from the queues. It writes no access log, so requests
are written down here in the format of the template, with the status that the client got.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from samtranslator.yaml_helper import yaml_parse

import alarms
from alarms import Point
from config import STAGE, TEMPLATE, client

Json = Any

WAIT_SECONDS = 120
VARIABLE = re.compile(r"\$context\.(\w+(?:\.\w+)?)")
QUEUE_METRICS = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}


class Watch:
    """The stack, and everything that happened since it was made."""

    def __init__(self, stack: dict[str, Json]) -> None:
        self.stack = stack
        services = ("cloudwatch", "dynamodb", "lambda", "logs", "sns", "sqs", "ssm")
        self.aws = {service: client(service, stack["endpoint_url"]) for service in services}
        self.begin = time.time()
        self.access_lines: list[tuple[float, str]] = []
        self.alarms: dict[str, Json] = {
            alarm["AlarmName"].removeprefix(f"waypost-{STAGE}-"): alarm
            for alarm in self.aws["cloudwatch"].describe_alarms()["MetricAlarms"]
            if alarm["AlarmName"].startswith(f"waypost-{STAGE}-")
        }
        api = yaml_parse(TEMPLATE.read_text())["Resources"]["Api"]["Properties"]
        self.access_format: str = api["AccessLogSettings"]["Format"]

    def state(self, name: str, points: list[Point] | None = None, later: float = 0) -> str:
        """The state of an alarm now, or in some seconds if nothing happens until then."""
        points = self.points() if points is None else points
        return alarms.state(self.alarms[name], points, time.time() + later)

    def points(self) -> list[Point]:
        return [
            *self._of_functions(),
            *self.of_access_log(),
            *self._of_lambda(),
            *self._of_queues(),
        ]

    def _of_functions(self) -> Iterator[Point]:
        for function in self.stack["functions"].values():
            for event in self._events(f"/aws/lambda/{function}"):
                yield from alarms.emf(event["message"])

    def _events(self, group: str) -> Iterator[Json]:
        logs, since = self.aws["logs"], int(self.begin * 1000)
        try:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=since
            )
            yield from (event for page in pages for event in page["events"])
        except logs.exceptions.ResourceNotFoundException:
            return

    def of_access_log(self) -> Iterator[Point]:
        group = f"/aws/apigateway/waypost-{STAGE}"
        filters = self.aws["logs"].describe_metric_filters(logGroupName=group)["metricFilters"]
        for at, line in self.access_lines:
            for metric_filter in filters:
                yield from alarms.filtered(metric_filter, at, line)
            fields = json.loads(line)
            if fields["status"].startswith("5"):
                dimensions = frozenset({("ApiId", fields["apiId"])})
                yield Point("AWS/ApiGateway", "5xx", dimensions, at, 1)

    def _of_lambda(self) -> Iterator[Point]:
        """Those of the stack's own functions; `Throttles` also of all functions together."""
        for function in self.stack["functions"].values():
            own = frozenset({("FunctionName", function)})
            for name, sets in (("Errors", [own]), ("Throttles", [own, frozenset()])):
                for at, value in self._statistics(name, function):
                    yield from (Point("AWS/Lambda", name, dims, at, value) for dims in sets)

    def _statistics(self, name: str, function: str) -> Iterator[tuple[float, float]]:
        found = self.aws["cloudwatch"].get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function}],
            StartTime=datetime.fromtimestamp(self.begin, timezone.utc),
            EndTime=datetime.now(timezone.utc) + timedelta(seconds=60),
            Period=1,
            Statistics=["Sum"],
        )
        for one in found["Datapoints"]:
            # A period is named by its beginning, which may be before the watch began.
            if one["Timestamp"].timestamp() >= int(self.begin) + 1:
                yield one["Timestamp"].timestamp(), one["Sum"]

    def _of_queues(self) -> Iterator[Point]:
        for url in self.stack["queues"].values():
            attributes = self.aws["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            for metric, attribute in QUEUE_METRICS.items():
                value = float(attributes["Attributes"][attribute])
                yield self.of_queue(url, metric, value)

    def of_queue(self, url: str, metric: str, value: float, at: float | None = None) -> Point:
        dimensions = frozenset({("QueueName", url.rsplit("/", 1)[1])})
        return Point("AWS/SQS", metric, dimensions, time.time() if at is None else at, value)

    def oldest(self, queue: str) -> float | None:
        """When the queue's first message was sent, without taking it."""
        received = self.aws["sqs"].receive_message(
            QueueUrl=self.stack["queues"][queue],
            AttributeNames=["SentTimestamp"],
            VisibilityTimeout=0,
            MaxNumberOfMessages=1,
        )
        sent = [
            int(one["Attributes"]["SentTimestamp"]) / 1000 for one in received.get("Messages", [])
        ]
        return min(sent, default=None)

    def request(self, method: str, path: str, headers: dict[str, str], body: Json = None) -> int:
        """Sends a request and writes it down as the access log would. Returns the status."""
        request = urllib.request.Request(
            f"{self.stack['api_url']}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status = response.status
        except urllib.error.HTTPError as error:
            status = error.code
        self.access(status)
        return status

    def access(self, status: int) -> None:
        """Writes down a request that ended with this status."""
        known = {"apiId": self.stack["api_url"].rsplit("/", 1)[1], "status": str(status)}
        line = VARIABLE.sub(lambda found: known.get(found[1], "-"), self.access_format)
        self.access_lines.append((time.time(), line))

    def eventually(
        self, what: str, is_there: Callable[[], bool], seconds: float = WAIT_SECONDS
    ) -> None:
        deadline = time.monotonic() + seconds
        while not is_there():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.3)
