"""`make deploy`: builds, checks and deploys template.yaml to an AWS account.

    STAGE=prod REGION=ap-south-1 ARCH=x86_64 python tools/ops/rollout.py [check]

It deploys the same template as the local stack, with other parameters. `check` only validates
options, region and credentials.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError

import callback
import capacity
import installation
import release
import sam
from config import STAGE as LOCAL_STAGE
from config import TEMPLATE, StackError
from installation import Installation

WEBHOOK_PATH = "/webhooks/carrier"
POLL_SECONDS = "0.5"  # CloudFormation throttles more frequent polls


def deploy(
    where: Installation, template: Path, parameters: dict[str, str], output: IO[str] | None = None
) -> dict[str, str]:
    """Creates or updates the stack and returns its outputs. Other parameters keep their values."""
    command = [
        *(
            sam.EXECUTABLE,
            "deploy",
            "--template-file",
            template.name,
            "--stack-name",
            where.stack_name,
        ),
        *("--resolve-s3", "--s3-prefix", where.stack_name, "--region", where.region),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *map(override, parameters.items())),
    ]
    env = sam.environment() | {"SAM_CLI_POLL_DELAY": POLL_SECONDS}
    done = subprocess.run(
        command,
        cwd=template.parent,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )
    if done.returncode != 0:
        raise StackError("sam deploy failed; see above")
    stack = where.client("cloudformation").describe_stacks(StackName=where.stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def target(stage: str, region: str) -> Installation:
    """The target of the deploy; fails before the build if the account cannot be reached."""
    if stage == LOCAL_STAGE:
        raise StackError("STAGE=local is the local stack: deploy it with make up [RELEASE=1]")
    where = installation.find(stage, region)
    where.client("sts").get_caller_identity()  # fails if the credentials are not valid
    return where


def override(parameter: tuple[str, str]) -> str:
    """As sam reads it: an empty value needs quotes."""
    name, value = parameter
    return f"{name}={value}" if value else f'{name}=""'


def extra_parameters(text: str) -> dict[str, str]:
    """Parses `LogRetentionDays=90 AlarmEmail=`. A name without a value means the default again."""
    defaults, found = capacity.defaults(), {}
    for pair in text.split():
        name, equals, value = pair.partition("=")
        given = value or defaults.get(name)
        if given is None or not (name.isalnum() and equals):
            raise StackError(f"PARAMETERS={text}: expected Name=value, several separated by spaces")
        found[name] = given
    return found


def limits(where: Installation, parameters: dict[str, str]) -> list[str]:
    """What the account's limits mean for the parameters of this deploy."""
    found = capacity.read_limits(where.client("lambda"))
    if found is None:
        return ["no permission lambda:GetAccountSettings: the account's limits are not known"]
    deployed = where.deployed_parameters() or {}
    current = capacity.defaults() | deployed | parameters
    reserved = int(deployed.get(capacity.RESERVED, 0))
    return capacity.advice(where.stage, found, current, reserved)


def summary(outputs: dict[str, str]) -> str:
    lines = [f"{key:<20} {value}" for key, value in sorted(outputs.items())]
    return "\n".join([*lines, "", callback.advice(outputs["ApiUrl"], WEBHOOK_PATH)])


def main(check_only: bool) -> int:
    stage, region = os.environ.get("STAGE", ""), os.environ.get("REGION", "")
    arch = os.environ.get("ARCH") or release.DEFAULT_ARCH
    try:
        if not stage:
            raise StackError("STAGE=… is missing, for example make deploy STAGE=dev")
        parameters = extra_parameters(os.environ.get("PARAMETERS", ""))
        parameters |= {"Stage": stage, "Architecture": arch}
        where = target(stage, region)
        if check_only:
            return 0
        account = where.client("sts").get_caller_identity()["Account"]
        print(f"==> {where.stack_name} in account {account}, {where.region}", flush=True)
        print(*limits(where, parameters), sep="\n", flush=True)
        release.build(arch)
        print("==> sam deploy", flush=True)
        outputs = deploy(where, TEMPLATE, parameters)
    except (StackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(summary(outputs))
    return 0


if __name__ == "__main__":
    sys.exit(main(check_only=sys.argv[1:] == ["check"]))
