"""Conditions of alarms, each with how to cause it on the running local stack.

80,000 messages in flight of two queues, ages of messages, and throttling by API Gateway cannot be
caused here, and are written down instead.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from alarm_watch import Watch
from alarms import Point
from config import ALIAS, SETTINGS_PREFIX
from delivery import timestamp
from settings import BUSINESS_ACCOUNTS

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
        Qualifier=ALIAS,
        Payload=json.dumps(event),
        InvocationType=kind,
    )


@contextmanager
def broken(watch: Watch, function: str) -> Iterator[None]:
    """The alias has a version that cannot start: it has no environment."""
    name, functions = watch.stack["functions"][function], watch.aws["lambda"]
    kept = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    serving = functions.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=serving)
        functions.delete_function(FunctionName=name, Qualifier=version)
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
    for _ in range(int(watch.alarms["dead-deliveries"]["Threshold"])):
        send_delivery("deliveries")(watch)
    watch.eventually("dead deliveries", lambda: watch.state("dead-deliveries") == "ALARM")
    return watch.state("dead-deliveries")


def webhook(watch: Watch) -> int:
    body = {"awb": unique("77"), "current_status": "IN TRANSIT", "shipment_status_id": 18}
    body |= {"shipment_status": "IN TRANSIT", "current_status_id": 20, "is_return": 0}
    body |= {"current_timestamp": "23 05 2023 11:43:52", "order_id": unique("A-"), "scans": []}
    key = {"x-api-key": watch.stack["sources"]["shiprocket"]["api_key"]}
    return watch.request("POST", "/webhooks/carrier", key, body)


def age(queue: str, function: str, limit: int, send: Callable[[Watch], None]) -> Cause:
    """A message of the queue waits for `limit` seconds."""

    def cause(watch: Watch) -> str:
        with stopped(watch, function):
            send(watch)
            sent = watch.oldest(queue)
            assert sent, f"no message waits in {queue}"
            url, metric = watch.stack["queues"][queue], "ApproximateAgeOfOldestMessage"
            alarm = f"{queue.replace('_', '-')}-age"

            def after(seconds: float) -> str:
                at = sent + seconds
                point = watch.of_queue(url, metric, at - sent, at)
                return watch.state(alarm, [point], at - time.time())

            assert after(limit - 1) == "OK", f"younger than {limit} s"
            return after(limit)

    return cause


def accept_webhook(watch: Watch) -> None:
    assert webhook(watch) == 200


def send_delivery(queue: str) -> Callable[[Watch], None]:
    """A delivery to an endpoint that does not exist."""

    def send(watch: Watch) -> None:
        message = {"v": 1, "id": unique("msg_"), "run": 1, "endpoint": unique("gone-")}
        message |= {"format": "standard", "account": "STORE001", "order_id": "O-1", "version": 2}
        body = json.dumps(message | {"body": "{}"})
        watch.aws["sqs"].send_message(QueueUrl=watch.stack["queues"][queue], MessageBody=body)

    return send


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


def restricted_account(watch: Watch) -> str:
    """WhatsApp says that a business account violated a policy."""
    value = {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SPAM"}}
    change = {"field": "account_update", "value": value}
    entry = {"id": next(iter(BUSINESS_ACCOUNTS)), "time": int(time.time()), "changes": [change]}
    body = {"object": "whatsapp_business_account", "entry": [entry]}
    key = watch.stack["sources"]["whatsapp"]["app_secret"].encode()
    digest = hmac.new(key, json.dumps(body).encode(), hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={digest}"}
    assert watch.request("POST", "/webhooks/whatsapp", headers, body) == 200
    name = "whatsapp-restricted"
    watch.eventually("a restriction", lambda: watch.state(name) == "ALARM")
    return watch.state(name)


def process_unreadable_row(watch: Watch) -> None:
    """An event whose row is not as the code writes it."""
    event_id, aws = unique("evt_"), watch.aws
    row = {"pk": {"S": event_id}, "sk": {"S": "event"}, "state": {"S": "received"}}
    aws["dynamodb"].put_item(TableName=watch.stack["tables"]["inbound"], Item=row)
    message = json.dumps({"v": 1, "event_id": event_id})
    aws["sqs"].send_message(QueueUrl=watch.stack["queues"]["events"], MessageBody=message)


def bug(watch: Watch) -> str:
    process_unreadable_row(watch)
    watch.eventually("a bug", lambda: watch.state("bugs") == "ALARM")
    return watch.state("bugs")


def failing_record(watch: Watch) -> str:
    process_unreadable_row(watch)
    failed: list[Point] = []

    def is_noticed() -> bool:
        failed.extend(one for one in watch.points() if one.name == "RecordsFailed")
        return bool(failed)

    watch.eventually("a failure", is_noticed)

    def for_minutes(minutes: int) -> str:
        again = [replace(failed[-1], at=failed[-1].at + at * 60) for at in range(minutes)]
        return watch.state("failing-records", again, later=again[-1].at - time.time())

    assert for_minutes(9) == "OK", "not for a quarter of an hour"
    return for_minutes(16)


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


FUNCTIONS = ("process", "deliver", "deliver-slow", "poll", "sync", "sweep", "realtime", "push")
CAUSES: dict[str, Cause] = {
    "events-age": age("events", "process", 300, accept_webhook),
    "deliveries-age": age("deliveries", "deliver", 600, send_delivery("deliveries")),
    "slow-deliveries-age": age(
        "slow_deliveries", "deliver-slow", 900, send_delivery("slow_deliveries")
    ),
    "failing-records": failing_record,
    "events-in-flight": in_flight("events"),
    "deliveries-in-flight": in_flight("deliveries"),
    "api-401": wrong_tokens,
    "api-429": throttled_requests,
    "dead-deliveries": dead_deliveries,
    "wrong-settings": wrong_setting,
    "whatsapp-restricted": restricted_account,
    "bugs": bug,
    "paused-endpoints": paused_endpoint,
    "sync-unfinished": open_run,
    "events-dlq": unreadable("events", "events"),
    "shards-dlq": unreadable("shards", "shards"),
    "batches-dlq": unreadable("batches", "batches"),
    "api-5xx": server_errors,
    "throttles": throttled_invocation,
    **{f"{name}-errors": crash(name) for name in FUNCTIONS},
    "failed-invocations": failed_invocation,
    "sync-missing": no_runs,
    "sweep-backlog": backlog,
}
