"""Causes the condition of every alarm on the local stack: it must go off then, and not before.

The states come from what the stack really logged, by template.yaml's own filters, dimensions and
rules for missing data (alarms.py). Three conditions cannot be caused here, and are written down
instead: 80,000 messages in flight of two queues, and throttling by API Gateway. One alarm goes all
the way to a subscriber of the topic.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import describe
from alarm_watch import Watch
from alarms import Point
from check_result import print_problems
from config import SETTINGS_PREFIX, STAGE
from delivery import timestamp

Json = Any
Cause = Callable[[Watch], str]

HOUR = 3600
SLIDE = 1.1  # seconds: the emulator tells Lambda's metrics by the second


def unique(prefix: str) -> str:
    return f"{prefix}{time.time_ns() // 1000 % 10**12}"


def basic(name: str, password: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {credentials}"}


def admin(watch: Watch) -> dict[str, str]:
    user = watch.stack["users"]["admin"]
    return basic(user["name"], user["password"])


def invoke(watch: Watch, function: str, event: Json, kind: str = "RequestResponse") -> Json:
    return watch.aws["lambda"].invoke(
        FunctionName=watch.stack["functions"][function],
        Payload=json.dumps(event),
        InvocationType=kind,
    )


@contextmanager
def broken(watch: Watch, function: str) -> Iterator[None]:
    """The function cannot start: it has no environment."""
    name, functions = watch.stack["functions"][function], watch.aws["lambda"]
    kept = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": kept})


@contextmanager
def stopped(watch: Watch, function: str) -> Iterator[None]:
    """The function's queue waits."""
    functions = watch.aws["lambda"]
    name = watch.stack["functions"][function]
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    time.sleep(2)  # a poll that has begun may still take a message
    try:
        yield
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def endpoint(watch: Watch, **parts: str) -> Iterator[str]:
    """An endpoint with these parameters."""
    name, ssm = unique("alarm-"), watch.aws["ssm"]
    paths = {part: f"{SETTINGS_PREFIX}/endpoints/{name}/{part}" for part in parts}
    for part, value in parts.items():
        ssm.put_parameter(Name=paths[part], Value=value, Type="String")
    try:
        yield name
    finally:
        ssm.delete_parameters(Names=[*paths.values()])


def unreadable(queue: str, function: str) -> Cause:
    """The function puts an unreadable message into the dead-letter queue."""

    def cause(watch: Watch) -> str:
        sqs, queues = watch.aws["sqs"], watch.stack["queues"]
        sqs.send_message(QueueUrl=queues[queue], MessageBody="?")
        name = f"{function}-dlq"
        watch.eventually(f"{name} is in alarm", lambda: watch.state(name) == "ALARM")
        return watch.state(name)

    return cause


def failed_invocation(watch: Watch) -> str:
    with broken(watch, "sweep"):
        invoke(watch, "sweep", {}, "Event")
        name = "failed-invocations"
        watch.eventually("a failed invocation is kept", lambda: watch.state(name) == "ALARM")
    return watch.state(name)


def dead_deliveries(watch: Watch) -> str:
    message = {"v": 1, "run": 1, "endpoint": unique("gone-"), "format": "standard"}
    message |= {"account": "STORE001", "order_id": "O-1", "version": 2, "body": "{}"}
    for _ in range(int(watch.alarms["dead-deliveries"]["Threshold"])):
        body = json.dumps(message | {"id": unique("msg_")})
        watch.aws["sqs"].send_message(
            QueueUrl=watch.stack["queues"]["deliveries"], MessageBody=body
        )
    watch.eventually("dead deliveries", lambda: watch.state("dead-deliveries") == "ALARM")
    return watch.state("dead-deliveries")


def webhook(watch: Watch) -> int:
    body = {"awb": unique("77"), "current_status": "IN TRANSIT", "shipment_status_id": 18}
    body |= {"shipment_status": "IN TRANSIT", "current_status_id": 20, "is_return": 0}
    body |= {"current_timestamp": "23 05 2023 11:43:52", "order_id": unique("A-"), "scans": []}
    key = {"x-api-key": watch.stack["sources"]["shiprocket"]["api_key"]}
    return watch.request("POST", "/webhooks/carrier", key, body)


def old_event(watch: Watch) -> str:
    with stopped(watch, "process"):
        assert webhook(watch) == 200
        sent = watch.oldest("events")
        assert sent, "the event waits in the queue"
        url, metric = watch.stack["queues"]["events"], "ApproximateAgeOfOldestMessage"

        def after(seconds: float) -> str:
            at = sent + seconds
            point = watch.of_queue(url, metric, at - sent, at)
            return watch.state("events-age", [point], at - time.time())

        assert after(299) == "OK", "younger than five minutes"
        return after(300)


def in_flight(queue: str) -> Cause:
    def cause(watch: Watch) -> str:
        url = watch.stack["queues"][queue]

        def state(count: int) -> str:
            metric = "ApproximateNumberOfMessagesNotVisible"
            return watch.state(f"{queue}-in-flight", [watch.of_queue(url, metric, count)])

        assert state(80_000) == "OK"
        return state(80_001)

    return cause


def server_errors(watch: Watch) -> str:
    with broken(watch, "messages"):
        for _ in range(5):
            assert watch.state("api-5xx") == "OK", "fewer than five"
            status = watch.request("GET", "/api/orders/o/messages", admin(watch))
            assert status >= 500, status
    return watch.state("api-5xx")


def wrong_tokens(watch: Watch) -> str:
    for _ in range(50):
        assert watch.state("api-401", [*watch.of_access_log()]) == "OK", "fewer than fifty"
        status = watch.request("POST", "/webhooks/carrier", {"x-api-key": "canary-wrong"}, {})
        assert status == 401, status
    return watch.state("api-401")


def throttled_requests(watch: Watch) -> str:
    for _ in range(50):
        assert watch.state("api-429", [*watch.of_access_log()]) == "OK", "fewer than fifty"
        watch.access(429)
    return watch.state("api-429")


def throttled_invocation(watch: Watch) -> str:
    functions, name = watch.aws["lambda"], watch.stack["functions"]["messages"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        invoke(watch, "messages", {})
        raise AssertionError("the invocation was not throttled")
    except functions.exceptions.TooManyRequestsException:
        time.sleep(SLIDE)
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    return watch.state("throttles")


def crash(function: str) -> Cause:
    def cause(watch: Watch) -> str:
        name = f"{function}-errors"
        with broken(watch, function):
            answer = invoke(watch, function, {})
            assert "FunctionError" in answer, f"{function} works without its environment"
        time.sleep(SLIDE)
        return watch.state(name)

    return cause


def wrong_setting(watch: Watch) -> str:
    url = f"{watch.stack['receiver_url']}/wrong"
    with endpoint(watch, url=url, settings='{"format":"fax"}') as name:
        message = {"v": 1, "id": unique("msg_"), "run": 1, "endpoint": name, "version": 2}
        message |= {"format": "standard", "account": "STORE001", "order_id": "O", "body": "{}"}
        watch.aws["sqs"].send_message(
            QueueUrl=watch.stack["queues"]["deliveries"], MessageBody=json.dumps(message)
        )
        watch.eventually("a wrong setting", lambda: watch.state("wrong-settings") == "ALARM")
    return watch.state("wrong-settings")


def no_runs(watch: Watch) -> str:
    points = watch.points()
    assert watch.state("sync-missing", points, later=HOUR) == "OK", "one hour is no alarm"
    return watch.state("sync-missing", points, later=2 * HOUR + 60)


def hours_ago() -> int:
    """An hour that most likely had no run yet, as most likely the next hour had none."""
    return 24 + 2 * (int(time.time() / 10) % 500)


def hourly_run(watch: Watch, hours: int) -> None:
    at = timestamp(time.time() - hours * HOUR)
    assert "FunctionError" not in invoke(watch, "sync", {"kind": "hourly", "at": at})


def open_run(watch: Watch) -> str:
    with stopped(watch, "sync"):
        first = hours_ago()
        hourly_run(watch, first)
        assert watch.state("sync-unfinished") == "OK"

        def is_noticed() -> bool:
            # Again, as the emulator may show the last lines of a run only after the next one.
            hourly_run(watch, first - 1)
            return watch.state("sync-unfinished") == "ALARM"

        watch.eventually("an open run", is_noticed)
    return watch.state("sync-unfinished")


def backlog(watch: Watch) -> str:
    points = watch.points()
    assert watch.state("sweep-backlog", points, later=20 * 60) == "ALARM", "sweep does not run"
    row = {"pk": unique("msg_"), "endpoint": "gone", "format": "standard", "account": "STORE001"}
    row |= {"event": "order.status_changed", "order_id": "O-1", "state": "retrying", "due": "0"}
    row |= {"due_at": timestamp(time.time() - HOUR)}
    numbers = {"run": {"N": "1"}, "version": {"N": "2"}}
    watch.aws["dynamodb"].put_item(
        TableName=watch.stack["tables"]["deliveries"],
        Item={name: {"S": text} for name, text in row.items()} | numbers,
    )
    invoke(watch, "sweep", {})
    late: list[Point] = []

    def is_noticed() -> bool:
        found = [one for one in watch.points() if one.name == "OverdueDeliveries"]
        late.extend(one for one in found if one.value >= 1)
        if not late:
            invoke(watch, "sweep", {})
        return bool(late)

    watch.eventually("a late delivery", is_noticed)
    # The same in each of the next runs, as if the queue could not take it.
    again = [replace(late[-1], at=late[-1].at + minutes * 60) for minutes in range(16)]
    return watch.state("sweep-backlog", again, later=again[-1].at - time.time())


def paused_endpoint(watch: Watch) -> str:
    with endpoint(watch, url=f"{watch.stack['receiver_url']}/paused") as name:
        time.sleep(2)  # ConfigTtlSeconds
        path = f"/api/endpoints/{name}"
        assert watch.request("POST", f"{path}/pause", admin(watch)) == 200

        def is_noticed() -> bool:
            invoke(watch, "sweep", {})
            return watch.state("paused-endpoints") == "ALARM"

        watch.eventually("a pause", is_noticed)
        assert watch.request("POST", f"{path}/enable", admin(watch)) == 200
    return watch.state("paused-endpoints")


CAUSES: dict[str, Cause] = {
    "events-age": old_event,
    "events-in-flight": in_flight("events"),
    "deliveries-in-flight": in_flight("deliveries"),
    "api-401": wrong_tokens,
    "api-429": throttled_requests,
    "dead-deliveries": dead_deliveries,
    "wrong-settings": wrong_setting,
    "paused-endpoints": paused_endpoint,
    "sync-unfinished": open_run,
    "events-dlq": unreadable("events", "events"),
    "shards-dlq": unreadable("shards", "shards"),
    "batches-dlq": unreadable("batches", "batches"),
    "api-5xx": server_errors,
    "throttles": throttled_invocation,
    **{f"{name}-errors": crash(name) for name in ("process", "deliver", "poll", "sync", "sweep")},
    "failed-invocations": failed_invocation,
    "sync-missing": no_runs,
    "sweep-backlog": backlog,
}


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

    def are_off() -> bool:
        invoke(watch, "sweep", {})
        points = watch.points()
        return all(watch.state(name, points) == "OK" for name in watch.alarms)

    watch.eventually("all alarms are off", are_off)


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
