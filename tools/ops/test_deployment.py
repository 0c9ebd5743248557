"""The rules of `check_deployment.py` find what breaks a deployment."""

from __future__ import annotations

import unittest

import check_deployment
from config import TEMPLATE

DEPLOYED = TEMPLATE.read_text()
CANARY = "Canary10Percent10Minutes"


def edit(*pairs: str) -> str:
    """The template with every second text in place of the one before it."""
    text = DEPLOYED
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text, old
        text = text.replace(old, new)
    return text


class Deployment(unittest.TestCase):
    def assertFound(self, text: str, *expected: str, preference: str = CANARY) -> None:
        found = [*check_deployment.problems(text, preference)]
        for problem in expected:
            self.assertIn(problem, found)

    def test_the_template_keeps_the_rules(self) -> None:
        self.assertEqual([*check_deployment.problems(DEPLOYED, "AllAtOnce", CANARY)], [])

    def test_all_at_once_is_the_default_and_needs_no_resource_of_its_own(self) -> None:
        by_default = check_deployment.translate(DEPLOYED)
        gradual = check_deployment.translate(DEPLOYED, DeploymentPreference=CANARY)
        more = {name: gradual[name]["Type"] for name in gradual.keys() - by_default.keys()}
        self.assertEqual(by_default.keys() - gradual.keys(), set())
        self.assertEqual(
            more.pop("ServerlessDeploymentApplication"), "AWS::CodeDeploy::Application"
        )
        self.assertEqual({*more.values()}, {"AWS::CodeDeploy::DeploymentGroup"})
        functions = check_deployment.functions(gradual)
        self.assertEqual({*more}, {f"{function}DeploymentGroup" for function in functions})

    def test_finds_what_invokes_a_function_without_its_alias(self) -> None:
        without = edit(
            *("    AutoPublishAlias: live\n    AutoPublishAliasAllProperties: true\n", ""),
            *("    VersionDeletionPolicy: Delete\n", ""),
        )
        self.assertFound(
            without,
            "SweepEveryMinute: names Sweep without its alias",
            "ProcessQueue: names Process without its alias",
            "InboundHealthPermission: names Inbound without its alias",
            "Api: names Orders without its alias",
            "SyncEventInvokeConfig: names Sync without its alias",
            "Deliver: has no alias live",
            preference="AllAtOnce",
        )
        self.assertFound(
            edit("AutoPublishAlias: live", "AutoPublishAlias: other"),
            "SyncEventInvokeConfig: names Sync without its alias",
            "Deliver: has no alias live",
        )

    def test_finds_a_parameter_that_would_not_reach_the_functions(self) -> None:
        self.assertFound(
            edit(" OrderRetentionDays=${OrderRetentionDays}", ""),
            "Process: a change of OrderRetentionDays publishes no version",
        )
        self.assertFound(
            edit(" SlowDeliverConcurrency=${", " ProcessConcurrency=${ProcessConcurrency}${"),
            "Deliver: a change of ProcessConcurrency publishes a version, and changes nothing",
        )
        self.assertFound(
            edit("VersionDescription: *parametersOfInbound", "VersionDescription: *parameters"),
            "Inbound: its version has another description",
        )

    def test_finds_versions_that_pile_up(self) -> None:
        resources = check_deployment.translate(edit("VersionDeletionPolicy: Delete", "Timeout: 20"))
        (found, *_) = check_deployment.check_versions(resources)
        self.assertRegex(found, r"^\w+Version\w+: stays after its release$")

    def test_finds_an_alarm_that_closes_a_circle(self) -> None:
        text = edit(
            "        - !Sub waypost-${Stage}-api-5xx\n", "        - !Ref ApiServerErrorsAlarm\n"
        )
        resources = check_deployment.translate(text, DeploymentPreference=CANARY)
        (found,) = check_deployment.check_circles(resources)
        self.assertRegex(found, "^resources: in a circle: .*ApiServerErrorsAlarm")

    def test_finds_alarms_that_cannot_stop_a_bad_release(self) -> None:
        self.assertFound(
            edit(
                "        - !Sub waypost-${Stage}-api-5xx\n",
                "        - !Sub waypost-${Stage}-api\n",
            ),
            "InboundAliaslive: there is no alarm waypost-${Stage}-api",
        )
        self.assertFound(
            edit("      Period: 300\n", "      Period: 900\n"),
            f"OpsAliaslive: {CANARY} ends before waypost-${{Stage}}-sweep-errors begins",
        )

    def test_finds_a_role_with_other_permissions(self) -> None:
        self.assertFound(
            edit('                  - !Sub "${Ops.Arn}:live"\n', ""),
            "DeploymentRole: lacks lambda:UpdateAlias on ${Ops.Arn}:live",
        )
        self.assertFound(
            edit("lambda:GetAlias, lambda:UpdateAlias", "lambda:DeleteAlias, lambda:UpdateAlias"),
            "DeploymentRole: lacks lambda:GetAlias on Ops",
            "DeploymentRole: does not need lambda:DeleteAlias on Ops",
        )

    def test_finds_a_value_that_does_not_do_what_it_says(self) -> None:
        self.assertFound(
            edit('AllAtOnce: {Shifts: "false"}', 'AllAtOnce: {Shifts: "true"}'),
            "OpsAliaslive: needs CodeDeploy in AllAtOnce",
            "ServerlessDeploymentApplication: needs CodeDeploy in AllAtOnce",
            preference="AllAtOnce",
        )
        self.assertFound(
            edit(f'{CANARY}: {{Shifts: "true"}}', f'{CANARY}: {{Shifts: "false"}}'),
            f"OpsAliaslive: takes over at once in {CANARY}",
        )
        self.assertFound(
            edit("PassthroughCondition: true", "PassthroughCondition: false"),
            "DeliverSlowAliaslive: its deployment group has another condition",
        )
        self.assertFound(
            edit("      Role: !GetAtt DeploymentRole.Arn\n", ""),
            "OpsAliaslive: CodeDeploy shifts it with another role",
        )
        self.assertFound(
            edit("      - Linear10PercentEvery1Minute\n", "      - LinearSometimes\n"),
            "DeploymentPreference: LinearSometimes is no deployment of CodeDeploy",
        )
        self.assertFound(
            edit("Default: AllAtOnce", f"Default: {CANARY}"),
            "DeploymentPreference: the default has to be AllAtOnce",
        )


if __name__ == "__main__":
    unittest.main()
