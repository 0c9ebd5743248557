"""One installation of Waypost: a stage in an AWS account or on the local stack."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

import rules
from config import STACK_FILE, StackError
from config import STAGE as LOCAL_STAGE

PREFIX = "/waypost"


@dataclass(frozen=True)
class Installation:
    """A stage and its AWS session; `endpoint_url` is set for the local stack only."""

    stage: str
    session: boto3.Session
    endpoint_url: str | None = None

    @property
    def is_local(self) -> bool:
        return self.stage == LOCAL_STAGE

    @property
    def stack_name(self) -> str:
        return f"waypost-{self.stage}"

    @property
    def prefix(self) -> str:
        """The path of its settings in SSM."""
        return f"{PREFIX}/{self.stage}"

    @property
    def region(self) -> str:
        return self.session.region_name

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url)

    def stack_parameters(self) -> dict[str, str]:
        """The stack's template parameters. Fails if it is not deployed in this account and region:
        settings written there would have no effect.
        """
        parameters = self.deployed_parameters()
        if parameters is None:
            raise StackError(
                f"there is no stack {self.stack_name} in {self.region}: "
                "give its region (REGION=… or AWS_REGION), or run make deploy first"
            )
        return parameters

    def api_url(self) -> str:
        if self.is_local:
            # Most HTTP clients do not resolve the host of the emulator's ApiUrl.
            return local_stack()["api_url"]
        self.stack_parameters()
        return self.output("ApiUrl")

    def output(self, name: str) -> str:
        stack = self.client("cloudformation").describe_stacks(StackName=self.stack_name)
        outputs = stack["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}[name]

    def deployed_parameters(self) -> dict[str, str] | None:
        """The stack's template parameters; None before its first deploy."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stack_name)
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None
        given = answer["Stacks"][0].get("Parameters", [])
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in given}


def find(stage: str, region: str = "") -> Installation:
    """The local stack for `local`, else a stage in the account of the caller's AWS settings."""
    rules.stage(stage)
    return _local() if stage == LOCAL_STAGE else _in_account(stage, region)


def local_stack() -> dict[str, Any]:
    """What tools/local wrote about the running stack."""
    try:
        return json.loads(STACK_FILE.read_text())
    except FileNotFoundError as error:
        raise StackError("no local stack is running: start one with make run or make up") from error


def _local() -> Installation:
    stack = local_stack()
    session = boto3.Session(
        aws_access_key_id=stack["aws"]["access_key_id"],
        aws_secret_access_key=stack["aws"]["secret_access_key"],
        region_name=stack["region"],
    )
    return Installation(stack["stage"], session, stack["endpoint_url"])


def _in_account(stage: str, region: str) -> Installation:
    # All other SDKs read AWS_REGION; boto3 does not.
    session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
    if not session.region_name:
        raise StackError("no region: give REGION=…, or set AWS_REGION")
    if not session.get_credentials():
        raise StackError(
            "no AWS credentials: log in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"
        )
    return Installation(stage, session)
