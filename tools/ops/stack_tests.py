"""The commands of the Makefile on a running local stack, with the functions that read the settings.

python tools/local/stack.py with python tools/ops/stack_tests.py
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
import unittest
import unittest.mock
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

import order_client
import release
import rollout
from build import STAGING
from config import ALIAS, LOCAL, REGION, ROOT, TEMPLATE, aws_environment, client
from order_client import SETTINGS_SECONDS, OrderClient, basic, vendor

SPARE_STAGE = "opscheck"  # no function reads its settings; only this file deploys it
CERTIFICATE = f"arn:aws:acm:{REGION}:000000000000:certificate/example"
EMPTY_STACK = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'


def make(
    *arguments: str, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs make as from a shell, without the variables of an outer make."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    clean = {key: value for key, value in os.environ.items() if key not in outer} | (env or {})
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=clean, input=stdin, capture_output=True, text=True
    )


def secret_of(
    *arguments: str, stdin: str = "", stage: str = "local", env: dict[str, str] | None = None
) -> str:
    """Runs a command and returns the secret it printed, once the functions have reloaded."""
    done = make(*arguments, f"STAGE={stage}", stdin=stdin, env=env)
    assert done.returncode == 0, done.stderr
    secret = done.stdout.strip().partition(": ")[2]
    assert not secret or secret not in done.stderr
    if stage == "local":
        time.sleep(SETTINGS_SECONDS)
    return secret


def signed_with(secret: str, request: Any) -> bool:
    try:
        Webhook(secret).verify(request["body"].encode(), request["headers"])
    except WebhookVerificationError:
        return False
    return True


class Commands(unittest.TestCase):
    def test_delivers_to_an_endpoint_until_its_removal(self) -> None:
        name, order = (
            order_client.unique("ops-"),
            OrderClient(vendor(order_client.stack()["vendor_secret"])),
        )
        url = f"URL={order.stack['receiver_url']}/{name}"
        endpoint = ("endpoint-add", f"NAME={name}", url, "FORMAT=standard", "ACCOUNTS=STORE001")
        first = secret_of(*endpoint)
        self.assertEqual(order.create(), 201)
        order.report(18, "IN TRANSIT", "11:00:00")
        self.assertTrue(signed_with(first, order.delivered(f"/{name}", 1)))

        again = make(*endpoint, "STAGE=local")
        self.assertNotEqual(again.returncode, 0)
        self.assertIn(
            "already exist: FORCE=1 replaces the endpoint, with a new secret", again.stderr
        )

        second = secret_of("endpoint-rotate", f"NAME={name}")
        order.report(17, "OUT FOR DELIVERY", "12:00:00")
        request = order.delivered(f"/{name}", 2)
        self.assertEqual([signed_with(secret, request) for secret in (first, second)], [True, True])

        secret_of("endpoint-rotate", f"NAME={name}", "FINISH=1")
        order.report(21, "UNDELIVERED", "13:00:00")
        request = order.delivered(f"/{name}", 3)
        self.assertEqual(
            [signed_with(secret, request) for secret in (first, second)], [False, True]
        )

        secret_of("endpoint-remove", f"NAME={name}")
        order.report(7, "DELIVERED", "14:00:00")
        order.delivered("/demo-standard", 4)
        self.assertEqual(len(order.received(f"/{name}")), 3)

    def test_authenticates_new_users_and_vendors(self) -> None:
        name = order_client.unique("ops-")
        password = secret_of("user-add", f"NAME={name}", "ROLE=partner", "ACCOUNTS=STORE001")
        order = OrderClient(basic(name, password))
        self.assertEqual(order.create(), 201)
        order.caller = vendor(secret_of("vendor-add", f"NAME={name}", "ACCOUNT=STORE001"))
        self.assertEqual(order.read()[0], 200)
        order.caller = vendor(
            secret_of("vendor-add", f"NAME={name}", "ACCOUNT=ELSEWHERE", "FORCE=1")
        )
        self.assertEqual(order.read()[0], 404)
        user = ("user-add", f"NAME={name}", "ROLE=partner", "ACCOUNTS=STORE001")
        order.caller = basic(name, secret_of(*user, "FORCE=1"))
        self.assertEqual(order.read()[0], 200)
        order.caller = basic(name, password)
        self.assertIn(order.read()[0], (401, 429))  # 429 after many failures of other tests

    def test_changes_and_removes_a_user(self) -> None:
        name = order_client.unique("ops-")
        password = secret_of("user-add", f"NAME={name}", "ROLE=partner", "ACCOUNTS=STORE001")
        order = OrderClient(basic(name, password))
        self.assertEqual(order.create(), 201)
        listed = make("users", "STAGE=local").stdout
        self.assertRegex(listed, rf"{name} +partner +STORE001\n")
        self.assertNotIn(password, listed)
        self.assertEqual(secret_of("user-set", f"NAME={name}", "ACCOUNTS=ELSEWHERE"), "")
        self.assertEqual(order.read()[0], 404)
        self.assertEqual(secret_of("user-remove", f"NAME={name}"), "")
        self.assertIn(order.read()[0], (401, 429))
        self.assertNotIn(name, make("users", "STAGE=local").stdout)

    def test_moves_an_endpoint_to_another_url_with_its_secret(self) -> None:
        name = order_client.unique("ops-")
        order = OrderClient(vendor(order_client.stack()["vendor_secret"]))
        url = f"{order.stack['receiver_url']}/{name}"
        add = ("endpoint-add", f"NAME={name}", f"URL={url}", "FORMAT=standard")
        secret = secret_of(*add, "ACCOUNTS=STORE001")
        self.assertEqual(secret_of("endpoint-set", f"NAME={name}", f"URL={url}-moved"), "")
        self.assertEqual(order.create(), 201)
        order.report(18, "IN TRANSIT", "11:00:00")
        self.assertTrue(signed_with(secret, order.delivered(f"/{name}-moved", 1)))
        self.assertEqual(order.received(f"/{name}"), [])
        secret_of("endpoint-set", f"NAME={name}", "EVENTS=delivered")
        self.assertIn('"events":["delivered"]', make("endpoints", "STAGE=local").stdout)
        order.report(17, "OUT FOR DELIVERY", "12:00:00")
        order.report(7, "DELIVERED", "13:00:00")
        order.delivered(f"/{name}-moved", 2)
        order.delivered("/demo-standard", 3)
        self.assertEqual(len(order.received(f"/{name}-moved")), 2)
        secret_of("endpoint-remove", f"NAME={name}")

    def test_accepts_only_the_new_token_after_source_set(self) -> None:
        order = OrderClient(vendor(order_client.stack()["vendor_secret"]))
        token = order.stack["sources"]["shiprocket"]["api_key"]
        source = ("source-set", "SOURCE=shiprocket", "ACCOUNT=STORE001", "FORCE=1", "SECRET=stdin")
        try:
            secret_of(*source, stdin="another-token\n")
            self.assertEqual(order.report(18, "IN TRANSIT", "11:00:00", "another-token"), 200)
            self.assertEqual(order.report(18, "IN TRANSIT", "11:00:00", token), 401)
        finally:
            secret_of(*source, stdin=f"{token}\n")
        self.assertEqual(order.report(18, "IN TRANSIT", "11:00:00", token), 200)

    def test_accepts_webhooks_on_a_new_hook(self) -> None:
        order = OrderClient(vendor(order_client.stack()["vendor_secret"]))
        done = make("hook-add", "SOURCE=shiprocket", "ACCOUNT=STORE001", "STAGE=local")
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = dict(line.split(": ") for line in done.stdout.splitlines())
        name = shown["path"].rsplit("/", 1)[1]
        parameter = f"/waypost/local/sources/shiprocket/hooks/{name}"
        self.addCleanup(client("ssm", order.stack["endpoint_url"]).delete_parameter, Name=parameter)
        time.sleep(SETTINGS_SECONDS)
        self.assertEqual(order.create(), 201)
        self.assertEqual(
            order.report(18, "IN TRANSIT", "11:00:00", shown["secret"], shown["path"]), 200
        )
        self.assertEqual(order.with_entries(1)["status"], "in_transit")
        self.assertEqual(
            order.report(17, "OUT FOR DELIVERY", "12:00:00", "another", shown["path"]), 401
        )

    def test_finishes_a_run_after_sync_now(self) -> None:
        done = make("sync-now", "STAGE=local")
        self.assertEqual(done.returncode, 0, done.stderr)
        stack = order_client.stack()
        admin = basic("admin", stack["users"]["admin"]["password"])

        def run() -> Any:
            runs = order_client.call("GET", f"{stack['api_url']}/api/sync/runs", admin)[1]["items"]
            known = [run for run in runs if run["id"] == done.stdout.strip()]
            return known[0] if known and known[0]["state"] == "finished" else None

        self.assertEqual(order_client.eventually("end of the run", run)["kind"], "manual")

    def test_shows_deliveries_and_events_and_sends_dead_ones_again(self) -> None:
        name, order = (
            order_client.unique("ops-"),
            OrderClient(vendor(order_client.stack()["vendor_secret"])),
        )
        url = f"URL={order.stack['receiver_url']}/{name}"
        secret_of("endpoint-add", f"NAME={name}", url, "FORMAT=standard", "ACCOUNTS=STORE001")
        self.addCleanup(make, "endpoint-remove", f"NAME={name}", "STAGE=local")
        self.assertEqual(order.create(), 201)
        order.report(18, "IN TRANSIT", "11:00:00")
        order.delivered(f"/{name}", 1)

        def lines(*arguments: str) -> list[str]:
            done = make(*arguments, "STAGE=local")
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.splitlines()

        def listed() -> dict[str, str] | None:
            found = lines("deliveries", f"ENDPOINT={name}", "STATE=delivered")
            titles, *rows = (re.split(" {2,}", line) for line in found)
            return dict(zip(titles, rows[0], strict=True)) if rows else None

        shown = order_client.eventually("the delivery", listed)
        self.assertEqual([shown["STATE"], shown["ENDPOINT"]], ["delivered", name])
        self.assertEqual(shown["ORDER"], order.order_id)
        detail = json.loads("\n".join(lines("deliveries", f"ID={shown['ID']}")))
        self.assertEqual(detail["attempt_log"][0]["status"], 200)
        counted = lines("replay-dlq", f"ENDPOINT={name}")
        self.assertEqual(counted, ["0 deliveries match: START=1 begins them again"])
        job = json.loads("\n".join(lines("replay-dlq", f"ENDPOINT={name}", "START=1")))
        stopped = lines("replay-dlq", f"JOB={job['id']}", "STOP=1")
        self.assertIn(json.loads("\n".join(stopped))["state"], ("stopped", "finished"))
        self.assertEqual(len(lines("events", "SOURCE=shiprocket", "LIMIT=1")), 2)
        refused = make("deliveries", "STATE=sent", "STAGE=local")
        self.assertIn("the API answers 422: state (STATE=) must be one of pending", refused.stderr)

    def test_ignores_options_in_the_environment(self) -> None:
        done = make("user-add", "ROLE=viewer", "ACCOUNTS=*", "STAGE=local", env={"NAME": "laptop"})
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("NAME=… is missing", done.stderr)


class Build(unittest.TestCase):
    def test_rejects_binaries_built_with_the_loopback_feature(self) -> None:
        """The local stack runs such binaries of every function that calls other servers."""
        for name in ("deliver", "poll"):
            staged = (STAGING / "target" / "lambda" / name / "bootstrap").read_bytes()
            (problem, _) = release.check([release.Binary(name, staged)], release.DEFAULT_ARCH)
            self.assertIn(f"{name}: built with the loopback feature", problem)


class Account(unittest.TestCase):
    """Stages other than `local` are in the caller's AWS account: here in the emulator."""

    def setUp(self) -> None:
        self.endpoint_url = order_client.stack()["endpoint_url"]
        self.env = aws_environment(self.endpoint_url)

    def test_writes_settings_of_another_deployed_stage(self) -> None:
        source = ("source-set", "SOURCE=shiprocket", "ACCOUNT=A", "FORCE=1")
        refused = make(*source, f"STAGE={SPARE_STAGE}", env=self.env)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"there is no stack waypost-{SPARE_STAGE} in {REGION}", refused.stderr)
        name = f"waypost-{SPARE_STAGE}"
        cloudformation = client("cloudformation", self.endpoint_url)
        cloudformation.create_stack(StackName=name, TemplateBody=EMPTY_STACK)
        self.addCleanup(cloudformation.delete_stack, StackName=name)
        secret = secret_of(*source, stage=SPARE_STAGE, env=self.env)
        prefix = f"/waypost/{SPARE_STAGE}/sources/shiprocket"
        ssm = client("ssm", self.endpoint_url)
        found = ssm.get_parameters_by_path(Path=prefix, WithDecryption=True)["Parameters"]
        ssm.delete_parameters(Names=[parameter["Name"] for parameter in found])
        values = {parameter["Name"].removeprefix(f"{prefix}/"): parameter for parameter in found}
        stored = values["secret"]
        self.assertEqual((stored["Value"], stored["Type"]), (secret, "SecureString"))
        self.assertEqual(json.loads(values["settings"]["Value"]), {"mode": "token", "account": "A"})

    def test_deploys_a_second_stage_without_shared_names(self) -> None:
        """Deploys as `make deploy` does, with the binaries that are staged for the local stack."""
        first = self.names()
        with self.second_stage() as outputs:
            both = self.names()
            tracing = self.inbound()["TracingConfig"]
            subscribed = self.subscribed(outputs["AlarmTopicArn"])
        self.assertIn(f"https://{outputs['ApiId']}.execute-api.", rollout.summary(outputs))
        # Without parameters, a stage has neither a slow lane nor live updates.
        second = {name for name in first if not name.endswith(("-deliver-slow", "-push"))}
        self.assertEqual(len(both), len(first) + len(second), f"two stages share a name: {both}")
        self.assertEqual(self.names(), first)
        self.assertEqual(tracing, {"Mode": "PassThrough"})
        self.assertEqual(subscribed, [])

    def test_parameters_set_limits_traces_alarms_and_a_domain(self) -> None:
        domain = "hooks.example.com"
        given = {
            **{"ProcessConcurrency": "7", "Tracing": "Active"},
            **{"DomainName": domain, "CertificateArn": CERTIFICATE},
            **{"AlarmEmail": "ops@example.com", "DeadDeliveriesPerHour": "7"},
        }
        with self.second_stage(**given) as outputs:
            functions = client("lambda", self.endpoint_url)
            process = functions.list_event_source_mappings(
                FunctionName=f"waypost-{SPARE_STAGE}-process"
            )["EventSourceMappings"]
            inbound = self.inbound()
            role = inbound["Role"].rsplit("/", 1)[1]
            iam = client("iam", self.endpoint_url)
            policy = iam.get_role_policy(RoleName=role, PolicyName="inbound")["PolicyDocument"]
            api = client("apigatewayv2", self.endpoint_url)
            (mapping,) = api.get_api_mappings(DomainName=domain)["Items"]
            subscribed = self.subscribed(outputs["AlarmTopicArn"])
            cloudwatch = client("cloudwatch", self.endpoint_url)
            name = f"waypost-{SPARE_STAGE}-dead-deliveries"
            (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        self.assertEqual(
            [int(found["ScalingConfig"]["MaximumConcurrency"]) for found in process], [7]
        )
        self.assertEqual(inbound["TracingConfig"], {"Mode": "Active"})
        sids = [statement["Sid"] for statement in policy["Statement"]]
        self.assertEqual(sids[-2:], ["Log", "Trace"])
        self.assertEqual((mapping["ApiId"], mapping["Stage"]), (outputs["ApiId"], "$default"))
        self.assertEqual(outputs["ApiUrl"], f"https://{domain}")
        self.assertTrue(outputs["DomainTarget"])
        self.assertEqual(subscribed, [("email", "ops@example.com")])
        self.assertEqual(
            (alarm["Threshold"], alarm["AlarmActions"]), (7, [outputs["AlarmTopicArn"]])
        )

    def test_a_changed_parameter_reaches_the_version_that_serves(self) -> None:
        functions = client("lambda", self.endpoint_url)
        process = {"FunctionName": f"waypost-{SPARE_STAGE}-process"}

        def retention() -> str:
            serving = functions.get_function_configuration(**process, Qualifier=ALIAS)
            return serving["Environment"]["Variables"]["ORDER_RETENTION_DAYS"]

        with self.second_stage():
            before = retention()
            self.deploy(OrderRetentionDays="7")
            after = retention()
            versions = functions.list_versions_by_function(**process)["Versions"]
            (queue,) = functions.list_event_source_mappings(**process)["EventSourceMappings"]
            # Nothing has changed: no version can be published, and none has to be.
            self.deploy(OrderRetentionDays="7", LogRetentionDays="3")
            unchanged = functions.list_versions_by_function(**process)["Versions"]
        self.assertEqual((before, after), ("0", "7"))
        self.assertEqual([found["Version"] for found in versions], ["$LATEST", "2"])
        self.assertEqual([found["Version"] for found in unchanged], ["$LATEST", "2"])
        self.assertEqual(queue["FunctionArn"].rsplit(":", 1)[1], ALIAS)

    def subscribed(self, topic: str) -> list[tuple[str, str]]:
        sns = client("sns", self.endpoint_url)
        found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        return [(one["Protocol"], one["Endpoint"]) for one in found]

    @contextmanager
    def second_stage(self, **parameters: str) -> Iterator[dict[str, str]]:
        """Deploys it as `make deploy` does, and yields its outputs."""
        with unittest.mock.patch.dict("os.environ", self.env):
            where = rollout.target(SPARE_STAGE, "")
            try:
                yield self.deploy(**parameters)
            finally:
                where.client("cloudformation").delete_stack(StackName=where.stack_name)

    def deploy(self, **parameters: str) -> dict[str, str]:
        where, given = rollout.target(SPARE_STAGE, ""), {"Stage": SPARE_STAGE} | parameters
        with (LOCAL / "second-stage.log").open("w") as log:
            return rollout.deploy(where, STAGING / TEMPLATE.name, given, log)

    def inbound(self) -> Any:
        functions = client("lambda", self.endpoint_url)
        return functions.get_function_configuration(FunctionName=f"waypost-{SPARE_STAGE}-inbound")

    def names(self) -> set[str]:
        """Names of the functions and schedules of all stages."""
        functions = client("lambda", self.endpoint_url).list_functions()["Functions"]
        schedules = client("scheduler", self.endpoint_url).list_schedules()["Schedules"]
        return {found["FunctionName"] for found in functions} | {
            found["Name"] for found in schedules
        }

    def test_rejects_a_deploy_of_the_local_stage(self) -> None:
        done = make("deploy", "STAGE=local", env=self.env)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("STAGE=local is the local stack", done.stderr)


if __name__ == "__main__":
    unittest.main()
