"""Causes the condition of every alarm on the local stack: it must go off then, and not before.

The states come from what the stack really logged, by template.yaml's own filters, dimensions and
rules for missing data (alarms.py). alarm_causes.py says which conditions are written down instead.
One alarm goes all the way to a subscriber of the topic.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import describe
from alarm_causes import CAUSES, hourly_run, hours_ago, invoke, unique
from alarm_watch import Watch
from check_result import print_problems
from config import STAGE

Json = Any
CALM_SECONDS = 1000


def calm(watch: Watch) -> None:
    """A stack on which nothing is wrong: earlier tests leave dead letters and paused endpoints."""
    for name, url in watch.stack["queues"].items():
        if name.endswith("_dlq"):
            watch.aws["sqs"].purge_queue(QueueUrl=url)
    table, dynamodb = watch.stack["tables"]["state"], watch.aws["dynamodb"]
    rows = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "endpoints"}},
    )["Items"]
    for row in rows:
        dynamodb.delete_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})
    hourly_run(watch, hours_ago())
    invoke(watch, "sweep", {})

    still_on: list[str] = []

    def are_off() -> bool:
        invoke(watch, "sweep", {})
        if "sync-missing" in still_on:
            # The hour had a run, or the emulator shows the last lines of a run after the next one.
            hourly_run(watch, hours_ago())
        points = watch.points()
        on = [name for name in watch.alarms if watch.state(name, points) != "OK"]
        if on != still_on:
            print(f"still on: {', '.join(on) or 'none'}", flush=True)
        still_on[:] = on
        return not on

    try:
        # An alarm that was caused just before lasts for its period.
        watch.eventually("all alarms are off", are_off, CALM_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}, still on: {', '.join(still_on)}") from error


def check_notification(watch: Watch) -> None:
    """Hands the points of an alarm to the emulator's CloudWatch: a subscriber gets its message."""
    alarm, cloudwatch = watch.alarms["dead-deliveries"], watch.aws["cloudwatch"]
    sqs, (topic,) = watch.aws["sqs"], alarm["AlarmActions"]
    url = sqs.create_queue(QueueName=unique("alarms-"))["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attributes["QueueArn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    subscription = watch.aws["sns"].subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=attributes["QueueArn"],
        ReturnSubscriptionArn=True,
    )
    try:
        cloudwatch.set_alarm_state(
            AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="before the check"
        )
        sqs.purge_queue(QueueUrl=url)
        points = [point for point in watch.points() if point.name == alarm["MetricName"]]
        for point in points:
            dimensions = [{"Name": name, "Value": value} for name, value in point.dimensions]
            data = {"MetricName": point.name, "Dimensions": dimensions, "Value": point.value}
            cloudwatch.put_metric_data(Namespace=point.namespace, MetricData=[data])
        received: list[Json] = []

        def has_come() -> bool:
            found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
            received.extend(json.loads(json.loads(one["Body"])["Message"]) for one in found)
            # The emulator evaluates the other alarms too.
            own = (one for one in received if one["AlarmName"] == alarm["AlarmName"])
            return any(message["NewStateValue"] == "ALARM" for message in own)

        watch.eventually("the topic told its subscriber", has_come)
    finally:
        watch.aws["sns"].unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)


def problems(stack: dict[str, Json]) -> Iterator[str]:
    watch = Watch(stack)
    yield from (f"{name}: no cause is known" for name in sorted({*watch.alarms} - {*CAUSES}))
    yield from (f"{name}: no such alarm" for name in sorted({*CAUSES} - {*watch.alarms}))
    calm(watch)
    for name, cause in CAUSES.items():
        begin = time.monotonic()
        found = cause(watch)
        print(f"{name}: {found} after {time.monotonic() - begin:.0f} s", flush=True)
        if found != "ALARM":
            yield f"waypost-{STAGE}-{name} is {found} though its condition is there"
    check_notification(watch)


def main() -> int:
    return print_problems(problems(describe.read()))


if __name__ == "__main__":
    sys.exit(main())
