"""House rules for template.yaml that no linter knows: what we promise of queues, functions and tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from config import ROOT, TEMPLATE

FUNCTION = "AWS::Serverless::Function"
PACE = ROOT / "shared" / "domain" / "src" / "poll" / "pace.rs"
FOURTEEN_DAYS = 14 * 24 * 3600
# What Lambda does with a queue in the function's name.
POLLING = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
Resource = dict[str, Any]
Allowed = set[tuple[str, str]]


class Template:
    """The template's resources, with the lookups the rules need."""

    def __init__(self, text: str) -> None:
        parsed = yaml_parse(text)
        self.defaults: Resource = parsed["Globals"]["Function"]
        self.resources: dict[str, Resource] = parsed["Resources"]

    def of_type(self, kind: str) -> Iterator[tuple[str, Resource]]:
        for name, resource in self.resources.items():
            if resource["Type"] == kind:
                yield name, resource.get("Properties", {})

    def dead_letter_queues(self) -> set[str]:
        """Where queues and schedules put what they could not get rid of."""
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
        return of_queues | of_schedules

    def allowed(self, role: Any) -> Allowed:
        """Each (action, resource) that a role may; `role` is a reference to it."""
        policies = self.resources[referred(role)]["Properties"]["Policies"]
        statements = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
        return {
            (action, referred(resource))
            for statement in statements
            if statement["Effect"] == "Allow"
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
    """The resource that a !Ref or !GetAtt names; of a !Sub, its text."""
    if "Ref" in value:
        return value["Ref"]
    if "Fn::Sub" in value:
        return value["Fn::Sub"]
    target = value["Fn::GetAtt"]
    return target.split(".")[0] if isinstance(target, str) else target[0]


def check_queues(template: Template) -> Iterator[str]:
    """Nothing that fails is lost: it waits 14 days in a DLQ."""
    dead = template.dead_letter_queues()
    for name, queue in template.of_type("AWS::SQS::Queue"):
        if "RedrivePolicy" not in queue and name not in dead:
            yield f"{name}: has no dead-letter queue"
        if name in dead and queue.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
            yield f"{name}: a dead-letter queue keeps messages for 14 days"


def check_event_sources(template: Template) -> Iterator[str]:
    """One bad message does not repeat its batch, and a message is not taken twice while it is worked on."""
    for name, event, function in template.events("SQS"):
        if event.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: does not report batch item failures"
        if "MaximumConcurrency" not in event.get("ScalingConfig", {}):
            yield f"{name}: has no maximum concurrency"
        queue = referred(event["Queue"])
        timeout = function.get("Timeout", template.defaults["Timeout"])
        visibility = template.resources[queue]["Properties"].get("VisibilityTimeout", 30)
        if visibility < 6 * timeout:
            yield f"{queue}: visibility {visibility} s is less than 6 × {timeout} s, the timeout of {name}"


def check_schedules(template: Template) -> Iterator[str]:
    """A fire that could not be delivered is seen, and runs under a role of its own.

    Without a name SAM would call it the same in every stage, and two stages of one account would have one between them.
    """
    for name, schedule, _ in template.events("ScheduleV2"):
        for wanted in ("Name", "RetryPolicy", "DeadLetterConfig", "RoleArn"):
            if wanted not in schedule:
                yield f"{name}: has no {wanted}"


def check_functions(template: Template) -> Iterator[str]:
    """SAM would give a function without a role one that may touch every queue and log group."""
    groups = dict(template.of_type("AWS::Logs::LogGroup"))
    for name, function in template.of_type(FUNCTION):
        if "Role" not in function:
            yield f"{name}: has no role of its own"
        group = function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if "RetentionInDays" not in groups.get(group, {}):
            yield f"{name}: has no log group with a retention"


def check_roles(template: Template) -> Iterator[str]:
    """Least privilege."""
    for name, role in template.of_type("AWS::IAM::Role"):
        if role.get("ManagedPolicyArns"):
            yield f"{name}: managed policies reach further than needed"
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement["Effect"] == "Deny":
                    continue
                where = f"{name}.{statement.get('Sid', policy['PolicyName'])}"
                if "*" in as_list(statement["Resource"]):
                    yield f"{where}: allows every resource"
                if any(action.endswith("*") for action in as_list(statement["Action"])):
                    yield f"{where}: allows a pattern of actions"


def check_polling(template: Template) -> Iterator[str]:
    """A function may be fed by its queues, and by no others."""
    fed: dict[str, set[str]] = {name: set() for name, _ in template.of_type(FUNCTION)}
    for name, event, _ in template.events("SQS"):
        fed[name.split(".")[0]].add(referred(event["Queue"]))
    for name, function in template.of_type(FUNCTION):
        polled = {pair for pair in template.allowed(function["Role"]) if pair[0] in POLLING}
        yield from differences(name, polled, {(action, queue) for queue in fed[name] for action in POLLING})


def check_logging(template: Template) -> Iterator[str]:
    """A function may write its own log."""
    for name, function in template.of_type(FUNCTION):
        logged = {pair for pair in template.allowed(function["Role"]) if pair[0].startswith("logs:")}
        group = referred(function["LoggingConfig"]["LogGroup"])
        yield from differences(name, logged, {(action, group) for action in LOGGING})


def check_firing(template: Template) -> Iterator[str]:
    """A schedule may start its function and keep a fire that it could not deliver."""
    wanted: dict[str, Allowed] = {}
    for name, schedule, _ in template.events("ScheduleV2"):
        fire = ("lambda:InvokeFunction", name.split(".")[0])
        keep = ("sqs:SendMessage", referred(schedule["DeadLetterConfig"]["Arn"]))
        wanted.setdefault(referred(schedule["RoleArn"]), set()).update({fire, keep})
    for role, pairs in wanted.items():
        yield from differences(role, template.allowed({"Ref": role}), pairs)


def differences(name: str, allowed: Allowed, wanted: Allowed) -> Iterator[str]:
    for action, resource in sorted(wanted - allowed):
        yield f"{name}: may not {action} on {resource}"
    for action, resource in sorted(allowed - wanted):
        yield f"{name}: need not {action} on {resource}"


def check_pace(template: Template) -> Iterator[str]:
    """Each of the workers that call the carrier leaves the others their share: there must be as many as it reckons."""
    reckoned = re.search(r"const WORKERS: f64 = (\d+)", PACE.read_text())
    for name, event, _ in template.events("SQS"):
        workers = event.get("ScalingConfig", {}).get("MaximumConcurrency")
        if name.startswith("Poll.") and (reckoned is None or workers != int(reckoned[1])):
            yield f"{name}: has {workers} workers, which is not what {PACE.name} reckons with"


def check_access_log(template: Template) -> Iterator[str]:
    """Ids of hooks in paths, and tokens in queries, are secrets."""
    for name, api in template.of_type("AWS::Serverless::HttpApi"):
        for variable in ("$context.path", "$context.httpPath", "queryString"):
            if variable.lower() in api["AccessLogSettings"]["Format"].lower():
                yield f"{name}: its access log has {variable}"


def check_tables(template: Template) -> Iterator[str]:
    """Data can be restored, and leaves when its time has come."""
    for name, table in template.of_type("AWS::DynamoDB::Table"):
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name}: has no point-in-time recovery"
        if not table.get("TimeToLiveSpecification", {}).get("Enabled"):
            yield f"{name}: has no time to live"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main() -> int:
    template = Template(TEMPLATE.read_text())
    rules = [
        *(check_queues, check_event_sources, check_schedules, check_functions, check_tables),
        *(check_roles, check_polling, check_logging, check_firing, check_access_log, check_pace),
    ]
    broken = [complaint for rule in rules for complaint in rule(template)]
    for complaint in broken:
        print(f"{TEMPLATE.name}: {complaint}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
