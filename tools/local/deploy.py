"""Deploys template.yaml to the emulator with the SAM CLI, as to an AWS account."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import routes
import sam
from check_template import FUNCTION, Template
from config import (
    LOCAL,
    REGION,
    STACK_NAME,
    STAGE,
    StackError,
    aws_environment,
    client,
    function_name,
)

BUCKET = "waypost-local-code"
LOG_FILE = LOCAL / "deploy.log"
PARAMETERS = {
    **{"Stage": STAGE, "ConfigTtlSeconds": "1", "LogRetentionDays": "1"},
    **{"ProcessConcurrency": "20", "DeliverConcurrency": "50", "SyncConcurrency": "4"},
    **{"SlowDeliverConcurrency": "10", "PushConcurrency": "4"},
}


@dataclass(frozen=True)
class Deployed:
    """The template's outputs, and the names of the deployed functions by `function_name`."""

    outputs: dict[str, str]
    functions: dict[str, str]


def deploy(template: Path, endpoint_url: str) -> Deployed:
    """Creates or updates the stack."""
    s3 = client("s3", endpoint_url)
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    _sam_deploy(template, endpoint_url)
    cloudformation = client("cloudformation", endpoint_url)
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    physical_ids = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=STACK_NAME
        )
        for resource in page["StackResourceSummaries"]
    }
    routes.import_routes(endpoint_url, physical_ids)
    return Deployed(
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]},
        functions={
            function_name(logical_id): physical_ids[logical_id]
            for logical_id, _ in Template(template.read_text()).of_type(FUNCTION)
        },
    )


def _sam_deploy(template: Path, endpoint_url: str) -> None:
    parameters = PARAMETERS | {"EmulatorHost": endpoint_url.removeprefix("http://")}
    command = [
        *(sam.EXECUTABLE, "deploy", "--template-file", template.name, "--stack-name", STACK_NAME),
        *("--s3-bucket", BUCKET, "--region", REGION),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *(f"{key}={value}" for key, value in parameters.items())),
    ]
    env = sam.environment() | aws_environment(endpoint_url)
    with LOG_FILE.open("w") as log:
        done = subprocess.run(
            command, cwd=template.parent, env=env, stdout=log, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        print("", *LOG_FILE.read_text().splitlines()[-40:], sep="\n")
        raise StackError(f"sam deploy failed; the whole output is in {LOG_FILE}")
