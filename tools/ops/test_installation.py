"""Commands for a stage that is not deployed in the given region."""

from __future__ import annotations

import unittest
from unittest.mock import MagicMock

from botocore.exceptions import ClientError

from config import StackError
from installation import Installation


class StackParameters(unittest.TestCase):
    def setUp(self) -> None:
        self.session = MagicMock(region_name="eu-west-1")
        self.describe = self.session.client.return_value.describe_stacks
        self.prod = Installation("prod", self.session)

    def fail_with(self, code: str, message: str) -> None:
        error = {"Error": {"Code": code, "Message": message}}
        self.describe.side_effect = ClientError(error, "DescribeStacks")

    def test_returns_the_parameters_of_the_stack(self) -> None:
        parameter = {"ParameterKey": "ConfigTtlSeconds", "ParameterValue": "60"}
        self.describe.return_value = {"Stacks": [{"Parameters": [parameter]}]}
        self.assertEqual(self.prod.stack_parameters(), {"ConfigTtlSeconds": "60"})
        self.describe.assert_called_once_with(StackName="waypost-prod")

    def test_rejects_a_stage_that_is_not_deployed_in_the_region(self) -> None:
        self.fail_with("ValidationError", "Stack with id waypost-prod does not exist")
        with self.assertRaisesRegex(StackError, "no stack waypost-prod in eu-west-1"):
            self.prod.stack_parameters()

    def test_a_stage_before_its_first_deploy_has_no_parameters(self) -> None:
        self.fail_with("ValidationError", "Stack with id waypost-prod does not exist")
        self.assertIsNone(self.prod.deployed_parameters())

    def test_reports_other_errors_as_they_are(self) -> None:
        self.fail_with("AccessDenied", "not authorized to perform cloudformation:DescribeStacks")
        with self.assertRaisesRegex(ClientError, "not authorized"):
            self.prod.stack_parameters()


if __name__ == "__main__":
    unittest.main()
