"""Rules for template.yaml that linters do not have: queues, functions, roles and tables."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from check_result import print_problems
from config import ALIAS, ROOT, TEMPLATE
from template_rules import check_rules

FUNCTION = "AWS::Serverless::Function"
JSON_LOGS = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}
# Concurrent executions of a new AWS account, those for the API and `sweep`, and the least of SQS.
NEW_ACCOUNT = 10
SPARE = 2
MIN_CONCURRENCY = 2
THROTTLE = {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
# SAM writes a statement into the function's policy for each route: the longest of `inbound` with
# a stage of 16 characters, and Lambda's limit for all of an alias.
ROUTE_PERMISSION_BYTES = 435
FUNCTION_POLICY_BYTES = 20_480
# Tables of deliveries, polling runs and sockets, whose rows live for 30 days or less.
REMADE = {"DeliveriesTable", "StateTable", "ConnectionsTable"}
# The constant of the code that divides the carrier's rate limit.
WORKERS = re.compile(r"const WORKERS: f64 = (\d+)")
FOURTEEN_DAYS = 14 * 24 * 3600
# Updates for sockets: best effort, and of no use a minute later.
SHORT_LIVED = {"LiveQueue": 60}
# Lambda makes these calls with the function's role.
DEPTH = "sqs:GetQueueAttributes"
POLLING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", DEPTH}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
# X-Ray knows no resources.
TRACE = (
    "Traces",
    {
        "Sid": "Trace",
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        "Resource": "*",
    },
)
# The statement by which Lambda writes a failed asynchronous invocation to its destination.
KEEP_FAILED = "KeepFailedInvocations"
Resource = dict[str, Any]
Allowed = set[tuple[str, str]]


class Template:
    """The template's resources, with the lookups the rules need."""

    def __init__(self, text: str) -> None:
        parsed = yaml_parse(text)
        self.defaults: Resource = parsed["Globals"]["Function"]
        self.resources: dict[str, Resource] = parsed["Resources"]
        self.parameters: dict[str, Resource] = parsed["Parameters"]
        self.conditions: dict[str, Resource] = parsed["Conditions"]
        self.rules: dict[str, Resource] = parsed.get("Rules", {})

    def of_type(self, kind: str) -> Iterator[tuple[str, Resource]]:
        for name, resource in self.resources.items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})

    def dead_letter_queues(self) -> set[str]:
        """The dead-letter queues of queues and schedules, and the destinations of failures."""
        of_queues = {
            referred(queue["RedrivePolicy"]["deadLetterTargetArn"])
            for _, queue in self.of_type("AWS::SQS::Queue")
            if "RedrivePolicy" in queue
        }
        of_schedules = {
            referred(schedule["DeadLetterConfig"]["Arn"])
            for _, schedule, _ in self.events("ScheduleV2")
            if "DeadLetterConfig" in schedule
        }
        of_functions = {
            referred(destination)
            for _, function in self.of_type(FUNCTION)
            if (destination := failure_destination(function))
        }
        return of_queues | of_schedules | of_functions

    def allowed(self, role: Any, sid: str | None = None) -> Allowed:
        """Each (action, resource) that a role allows; `role` is a reference to it. With `sid` only
        those of this statement.
        """
        return {
            (action, referred(resource))
            for statement in statements(self.resources[referred(role)]["Properties"])
            if statement["Effect"] == "Allow" and sid in (None, statement["Sid"])
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def events(self, kind: str) -> Iterator[tuple[str, Resource, Resource]]:
        """(event's name, its properties, its function) of each event source of a kind."""
        for name, function in self.of_type(FUNCTION):
            for event_name, event in function.get("Events", {}).items():
                if event["Type"] == kind:
                    yield f"{name}.{event_name}", event["Properties"], function


def referred(value: Any) -> str:
    """The resource that a !Ref or !GetAtt names; the text of a !Sub. What a condition can leave out
    counts.
    """
    if "Fn::If" in value:
        return referred(value["Fn::If"][1])
    if "Ref" in value:
        return value["Ref"]
    if "Fn::Sub" in value:
        return value["Fn::Sub"]
    target = value["Fn::GetAtt"]
    return target.split(".")[0] if isinstance(target, str) else target[0]


def statements(role: Resource) -> list[Resource]:
    """The statements of a role in every stage."""
    return [statement for statement in _all_statements(role) if "Fn::If" not in statement]


def conditional_statements(role: Resource) -> list[tuple[str, Resource]]:
    """(condition, statement) of those that hold only under a condition."""
    conditional = [found["Fn::If"] for found in _all_statements(role) if "Fn::If" in found]
    return [(condition, statement) for condition, statement, _ in conditional]


def _all_statements(role: Resource) -> list[Resource]:
    policies = role.get("Policies", [])
    return [found for policy in policies for found in policy["PolicyDocument"]["Statement"]]


def failure_destination(function: Resource) -> Any:
    """Where Lambda writes an asynchronous invocation that failed, if anywhere."""
    config = function.get("EventInvokeConfig", {}).get("DestinationConfig", {})
    return config.get("OnFailure", {}).get("Destination")


def check_queues(template: Template) -> Iterator[str]:
    """Every queue has a dead-letter queue, and every message is kept for 14 days, SQS's maximum.

    A message may be the only copy of a report or a delivery, and a function may be broken for days.
    Nobody could do anything with a dead letter of the short-lived ones.
    """
    dead = template.dead_letter_queues()
    for name, queue in template.of_type("AWS::SQS::Queue"):
        has_dead_letters = "RedrivePolicy" in queue or name in dead
        if has_dead_letters == (name in SHORT_LIVED):
            yield f"{name}: has {'a' if has_dead_letters else 'no'} dead-letter queue"
        seconds = SHORT_LIVED.get(name, FOURTEEN_DAYS)
        if queue.get("MessageRetentionPeriod") != seconds:
            yield f"{name}: must keep messages for {seconds} s"


def check_event_sources(template: Template) -> Iterator[str]:
    """One failed message does not repeat its batch, and no message is received twice at a time."""
    for name, event, function in template.events("SQS"):
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: does not report batch item failures"
        if "MaximumConcurrency" not in event.get("ScalingConfig", {}):
            yield f"{name}: has no maximum concurrency"
        queue = referred(event["Queue"])
        timeout = function.get("Timeout", template.defaults["Timeout"])
        visibility = template.resources[queue]["Properties"].get("VisibilityTimeout", 30)
        if visibility < 6 * timeout:
            yield (
                f"{queue}: visibility timeout {visibility} s is less than "
                f"6 × {timeout} s, the timeout of {name}"
            )


def check_capacity(template: Template) -> Iterator[str]:
    """By default the queues' functions leave a new account concurrency for the others. A missing
    concurrency is a finding of `check_event_sources`.
    """
    total = 0
    for name, event, _ in template.events("SQS"):
        concurrency = event.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
        if isinstance(concurrency, dict):
            parameter = template.parameters[referred(concurrency)]
            # A function that a stage can leave out has the default 0.
            if parameter["Default"] != 0 and parameter.get("MinValue") != MIN_CONCURRENCY:
                yield f"{name}: SQS takes no concurrency below {MIN_CONCURRENCY}"
            concurrency = parameter["Default"]
        total += concurrency
    if total > NEW_ACCOUNT - SPARE:
        yield f"queues: their functions take {total} of the {NEW_ACCOUNT} of a new account"
    reserved = [
        function["ReservedConcurrentExecutions"]
        for _, function in template.of_type(FUNCTION)
        if "ReservedConcurrentExecutions" in function
    ]
    if not all(isinstance(value, dict) and "Fn::If" in value for value in reserved):
        yield "functions: a new account has nothing to reserve"


def check_schedules(template: Template) -> Iterator[str]:
    """Each schedule has its own name, role, retry policy and dead-letter queue.

    Without a name SAM generates the same one in every stage, so two stages of an account would
    share one schedule.
    """
    for name, schedule, _ in template.events("ScheduleV2"):
        for required in ("Name", "RetryPolicy", "DeadLetterConfig", "RoleArn"):
            if required not in schedule:
                yield f"{name}: has no {required}"


def check_failed_invocations(template: Template) -> Iterator[str]:
    """A schedule invokes asynchronously: its retries and its dead-letter queue end once Lambda has
    accepted the event. Lambda itself has to keep what the function then fails, with its role.
    """
    for event, _, function in template.events("ScheduleV2"):
        config, name = function.get("EventInvokeConfig", {}), event.split(".")[0]
        for limit in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
            if limit not in config:
                yield f"{name}: has no {limit} for the invocations of its schedule"
        destination = failure_destination(function)
        if not destination:
            yield f"{name}: nothing keeps its schedule's invocations that fail"
            continue
        kept = template.allowed(function["Role"], KEEP_FAILED)
        yield from differences(name, kept, {("sqs:SendMessage", referred(destination))})


def check_functions(template: Template) -> Iterator[str]:
    """Without a role SAM generates one that may use every queue and log group. A line that is not
    JSON is no line for a query of fields; a system log at INFO has three lines an invocation.
    """
    groups = dict(template.of_type("AWS::Logs::LogGroup"))
    for name, function in template.of_type(FUNCTION):
        logging = template.defaults.get("LoggingConfig", {}) | function.get("LoggingConfig", {})
        for setting, value in JSON_LOGS.items():
            if logging.get(setting) != value:
                yield f"{name}: its {setting} is not {value}"
        if "Role" not in function:
            yield f"{name}: has no role of its own"
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if "RetentionInDays" not in groups.get(group, {}):
            yield f"{name}: has no log group with a retention period"


def check_roles(template: Template) -> Iterator[str]:
    """No managed policies, no wildcards."""
    for name, role in template.of_type("AWS::IAM::Role"):
        if role.get("ManagedPolicyArns"):
            yield f"{name}: managed policies allow more than needed"
        for statement in statements(role):
            if statement["Effect"] == "Deny":
                continue
            where = f"{name}.{statement['Sid']}"
            if "*" in as_list(statement["Resource"]):
                yield f"{where}: allows every resource"
            if any(action.endswith("*") for action in as_list(statement["Action"])):
                yield f"{where}: allows a wildcard of actions"
        for condition, statement in conditional_statements(role):
            if (condition, statement) != TRACE:
                yield f"{name}: allows {statement['Sid']} in some stages only"


def check_tracing(template: Template) -> Iterator[str]:
    """Every function may write traces, where the stage traces."""
    for name, function in template.of_type(FUNCTION):
        role = template.resources[referred(function["Role"])]["Properties"]
        if TRACE not in conditional_statements(role):
            yield f"{name}: its role does not allow tracing if the stage traces"


def check_polling(template: Template) -> Iterator[str]:
    """A function may receive from the queues of its event sources, and from no others."""
    sources: dict[str, set[str]] = {name: set() for name, _ in template.of_type(FUNCTION)}
    for name, event, _ in template.events("SQS"):
        sources[name.split(".")[0]].add(referred(event["Queue"]))
    for name, function in template.of_type(FUNCTION):
        allowed = template.allowed(function["Role"])
        required = {(action, queue) for queue in sources[name] for action in POLLING}
        # Whoever knows a queue may count its messages.
        variables = function.get("Environment", {}).get("Variables", {}).values()
        depths = {(DEPTH, value["Ref"]) for value in variables if "Ref" in value}
        polled = {pair for pair in allowed if pair[0] in POLLING} - (depths - required)
        yield from differences(name, polled, required)


def check_logging(template: Template) -> Iterator[str]:
    """A function may write its own log and no other."""
    for name, function in template.of_type(FUNCTION):
        logged = {
            pair for pair in template.allowed(function["Role"]) if pair[0].startswith("logs:")
        }
        group = referred(function["LoggingConfig"]["LogGroup"])
        yield from differences(name, logged, {(action, group) for action in LOGGING})


def check_schedule_roles(template: Template) -> Iterator[str]:
    """A schedule may invoke its function's alias and write to its dead-letter queue."""
    required: dict[str, Allowed] = {}
    for name, schedule, _ in template.events("ScheduleV2"):
        alias = f"${{{name.split('.')[0]}.Arn}}:{ALIAS}"
        invoke = ("lambda:InvokeFunction", alias)
        send = ("sqs:SendMessage", referred(schedule["DeadLetterConfig"]["Arn"]))
        required.setdefault(referred(schedule["RoleArn"]), set()).update({invoke, send})
    for role, pairs in required.items():
        yield from differences(role, template.allowed({"Ref": role}), pairs)


def differences(name: str, allowed: Allowed, required: Allowed) -> Iterator[str]:
    for action, resource in sorted(required - allowed):
        yield f"{name}: lacks {action} on {resource}"
    for action, resource in sorted(allowed - required):
        yield f"{name}: does not need {action} on {resource}"


def check_rate_limit(template: Template) -> Iterator[str]:
    """The carrier's rate limit is divided by the number of workers, so both must agree on it."""
    code = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.rs"))
    declared = WORKERS.findall(code)
    if len(declared) != 1:
        yield f"shared: {len(declared)} constants named WORKERS, expected one"
        return
    for name, event, _ in template.events("SQS"):
        workers = event.get("ScalingConfig", {}).get("MaximumConcurrency")
        if name.startswith("Poll.") and workers != int(declared[0]):
            yield f"{name}: its {workers} workers differ from WORKERS in the code"


def check_access_log(template: Template) -> Iterator[str]:
    """Hook ids in paths and tokens in query strings are secrets."""
    for name, api in template.of_type("AWS::Serverless::HttpApi"):
        for variable in ("$context.path", "$context.httpPath", "queryString"):
            if variable.lower() in api["AccessLogSettings"]["Format"].lower():
                yield f"{name}: its access log contains {variable}"


def check_routes(template: Template) -> Iterator[str]:
    """Every route has a throttle. A throttle without a route fails the deploy, as do more routes
    than the policy of their function may name.
    """
    routes = {
        f"{event['Method']} {event['Path']}": name for name, event, _ in template.events("HttpApi")
    }
    for name, api in template.of_type("AWS::Serverless::HttpApi"):
        for limit in THROTTLE - api.get("DefaultRouteSettings", {}).keys():
            yield f"{name}: routes without limits of their own have no {limit}"
        for route, limits in api["RouteSettings"].items():
            if route not in routes:
                yield f"{name}: the throttle of {route} has no route"
            if limits.keys() != THROTTLE:
                yield f"{name}: {route} needs both limits, or none"
    for name, count in Counter(name.split(".")[0] for name in routes.values()).items():
        if count * ROUTE_PERMISSION_BYTES > FUNCTION_POLICY_BYTES:
            yield f"{name}: {count} routes need more than the 20 KiB of a function's policy"


def check_tables(template: Template) -> Iterator[str]:
    """What cannot be remade can be restored, no table is deleted by mistake, and rows expire."""
    for name, table in template.of_type("AWS::DynamoDB::Table"):
        recovery = table.get("PointInTimeRecoverySpecification", {})
        restorable = recovery.get("PointInTimeRecoveryEnabled", False)
        if name in REMADE and restorable:
            yield f"{name}: pays for point-in-time recovery of rows that can be remade"
        if name not in REMADE and not restorable:
            yield f"{name}: has no point-in-time recovery"
        if table.get("DeletionProtectionEnabled") != {"Fn::If": ["IsLocal", False, True]}:
            yield f"{name}: has no deletion protection in every stage but local"
        if not table.get("TimeToLiveSpecification", {}).get("Enabled"):
            yield f"{name}: has no TTL"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main() -> int:
    template = Template(TEMPLATE.read_text())
    rules = [
        *(check_queues, check_event_sources, check_schedules, check_functions, check_tables),
        *(
            check_roles,
            check_tracing,
            check_polling,
            check_logging,
            check_schedule_roles,
            check_access_log,
        ),
        *(check_failed_invocations, check_rate_limit, check_routes, check_capacity),
    ]
    problems = (problem for rule in rules for problem in rule(template))
    return print_problems(chain(problems, check_rules(template.rules)), TEMPLATE.name)


if __name__ == "__main__":
    sys.exit(main())
