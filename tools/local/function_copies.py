"""Copies of the deployed functions, to run them with other policies.

A copy runs the deployed code with its own role. Its policy and environment name copies of the
tables and queues, so it is isolated from the deployed stack.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from config import STACK_NAME, STAGE, client

Json = Any
Statement = dict[str, Json]

LAMBDA = "AWS::Lambda::Function"
TRUST: Statement = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
# Logs and errors of the functions name a denied call like this.
DENIED = re.compile(r"(\w+:\w+) is not available: AccessDenied")


@dataclass(frozen=True)
class Outcome:
    """The result of one invocation."""

    answer: Json
    log: str

    @property
    def result(self) -> str:
        """The HTTP status, or the number of failed records of a batch, or `error` or `done`."""
        match self.answer:
            case {"statusCode": status}:
                return str(status)
            case {"batchItemFailures": failures}:
                return f"{len(failures)} failed"
            case {"errorMessage": _}:
                return "error"
        return "done"

    @property
    def denied(self) -> set[str]:
        """The denied calls that log and answer name."""
        return set(DENIED.findall(self.log + json.dumps(self.answer)))

    @property
    def body(self) -> Json:
        return json.loads(self.answer["body"])


@dataclass(frozen=True)
class Function:
    """The configuration that copies are made from."""

    properties: dict[str, Json]
    environment: dict[str, str]
    statements: list[Statement]


class Copies:
    """Makes copies, and deletes them all on exit."""

    def __init__(self, stack: dict[str, Json]) -> None:
        self.stack = stack
        services = ("cloudformation", "dynamodb", "iam", "lambda", "logs", "sqs", "ssm")
        self.aws = {service: client(service, stack["endpoint_url"]) for service in services}
        self.started = time.time_ns() // 1_000_000
        self.count = itertools.count()
        self.undo = ExitStack()
        self.names: dict[str, str] = {}

    def __enter__(self) -> Copies:
        with self.undo:
            for table in self.stack["tables"].values():
                self._copy_table(table)
            for url in self.stack["queues"].values():
                self._copy_queue(url.rsplit("/", 1)[1])
            self.functions = self._read_functions()
            self.whole = {
                name: self.make(name, function.statements)
                for name, function in self.functions.items()
            }
            self.undo = self.undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.undo.close()

    def unique(self, prefix: str) -> str:
        """A name that no other row, copy or event has."""
        return f"{prefix}{self.started}{next(self.count):04}"

    def of(self, value: Json) -> Json:
        """The value with the names of tables and queues replaced by those of their copies."""
        text = json.dumps(value)
        for name, copy in self.names.items():
            text = text.replace(name, copy)
        return json.loads(text)

    def make(
        self,
        function: str,
        statements: list[Statement],
        environment: dict[str, str] | None = None,
        undo: ExitStack | None = None,
    ) -> str:
        """Creates a copy with these permissions and returns its name."""
        original, undo = self.functions[function], undo or self.undo
        name = self.unique(f"{function}-copy-")
        iam, functions, logs = self.aws["iam"], self.aws["lambda"], self.aws["logs"]
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([TRUST]))["Role"]
        undo.callback(iam.delete_role, RoleName=name)
        iam.put_role_policy(RoleName=name, PolicyName=function, PolicyDocument=_policy(statements))
        undo.callback(iam.delete_role_policy, RoleName=name, PolicyName=function)
        variables = original.environment | (environment or {})
        functions.create_function(
            FunctionName=name,
            Role=role["Arn"],
            Environment={"Variables": variables},
            **original.properties,
        )
        undo.callback(
            _if_exists, partial(logs.delete_log_group, logGroupName=f"/aws/lambda/{name}")
        )
        undo.callback(functions.delete_function, FunctionName=name)
        return name

    def invoke(self, copy: str, event: Json) -> Outcome:
        answer = self.aws["lambda"].invoke(
            FunctionName=copy, Payload=json.dumps(event), LogType="Tail"
        )
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        return Outcome(json.loads(answer["Payload"].read()), log)

    def call(self, function: str, event: Json) -> Outcome:
        """Invokes the copy with the whole policy, which must succeed."""
        outcome = self.invoke(self.whole[function], event)
        assert outcome.result in ("200", "201", "202", "0 failed"), f"{function}: {outcome}"
        return outcome

    def _read_functions(self) -> dict[str, Function]:
        template = self.aws["cloudformation"].get_template(
            StackName=STACK_NAME, TemplateStage="Processed"
        )
        body = template["TemplateBody"]
        resources = (json.loads(body) if isinstance(body, str) else body)["Resources"].values()
        functions = [known["Properties"] for known in resources if known["Type"] == LAMBDA]
        code = {
            known["FunctionName"]["Fn::Sub"].replace("${Stage}", STAGE): known["Code"]
            for known in functions
        }
        return {
            name: self._read(function, code[function])
            for name, function in self.stack["functions"].items()
        }

    def _read(self, function: str, code: dict[str, str]) -> Function:
        known = self.aws["lambda"].get_function_configuration(FunctionName=function)
        role = known["Role"].rsplit("/", 1)[1]
        policies = self.aws["iam"].list_role_policies(RoleName=role)["PolicyNames"]
        statements: list[Statement] = []
        for policy in policies:
            found = self.aws["iam"].get_role_policy(RoleName=role, PolicyName=policy)
            statements += found["PolicyDocument"]["Statement"]
        kept = {key: known[key] for key in ("Runtime", "Handler", "Timeout", "MemorySize")}
        environment = self.of(known["Environment"]["Variables"])
        return Function(kept | {"Code": code}, environment, self.of(statements))

    def _copy_table(self, name: str) -> None:
        known = self.aws["dynamodb"].describe_table(TableName=name)["Table"]
        copy = self.unique(f"{name}-copy-")
        indexes = [
            {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
            for index in known.get("GlobalSecondaryIndexes", [])
        ]
        self.aws["dynamodb"].create_table(
            TableName=copy,
            KeySchema=known["KeySchema"],
            AttributeDefinitions=known["AttributeDefinitions"],
            BillingMode="PAY_PER_REQUEST",
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )
        self.undo.callback(self.aws["dynamodb"].delete_table, TableName=copy)
        self.names[name] = copy

    def _copy_queue(self, name: str) -> None:
        copy = self.unique(f"{name}-copy-")
        # No message becomes visible again during the check.
        attributes = {"VisibilityTimeout": "3600"}
        url = self.aws["sqs"].create_queue(QueueName=copy, Attributes=attributes)["QueueUrl"]
        self.undo.callback(self.aws["sqs"].delete_queue, QueueUrl=url)
        self.names[name] = copy


def _policy(statements: list[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _if_exists(delete: Callable[[], object]) -> None:
    try:
        delete()
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
