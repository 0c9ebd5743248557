from __future__ import annotations

import unittest
from unittest.mock import MagicMock

from botocore.exceptions import ClientError

import capacity
import rollout
from capacity import Limits

NEW_ACCOUNT = Limits(10, 10)


def client(error: str | None = None, total: int = 10) -> MagicMock:
    lambda_client = MagicMock()
    limit = {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": total - 3}
    lambda_client.get_account_settings.return_value = {"AccountLimit": limit}
    if error:
        failure = ClientError({"Error": {"Code": error, "Message": ""}}, "GetAccountSettings")
        lambda_client.get_account_settings.side_effect = failure
    return lambda_client


class ReadLimits(unittest.TestCase):
    def test_reads_the_limits_of_the_account(self) -> None:
        self.assertEqual(capacity.read_limits(client(total=1000)), Limits(1000, 997))

    def test_needs_no_permission_for_it(self) -> None:
        self.assertIsNone(capacity.read_limits(client("AccessDeniedException")))
        with self.assertRaises(ClientError):
            capacity.read_limits(client("ServiceException"))


class Advice(unittest.TestCase):
    def advice(self, limits: Limits, deployed: int = 0, **given: int) -> list[str]:
        current = capacity.defaults() | {name: str(value) for name, value in given.items()}
        first, *others = capacity.advice("prod", limits, current, deployed)
        self.assertIn(f"{limits.total} functions", first)
        return others

    def test_the_defaults_fit_into_a_new_account(self) -> None:
        self.assertEqual(self.advice(NEW_ACCOUNT), [])
        self.assertEqual(capacity.recommended(NEW_ACCOUNT), {})

    def test_warns_of_more_than_the_account_has(self) -> None:
        (line,) = self.advice(NEW_ACCOUNT, DeliverConcurrency=3)
        self.assertIn("need 11", line)
        self.assertEqual(self.advice(Limits(49, 49), DeliverConcurrency=41), [])
        (line,) = self.advice(Limits(49, 49), DeliverConcurrency=42)
        self.assertIn("need 50", line)

    def test_names_what_a_larger_account_allows(self) -> None:
        (line,) = self.advice(Limits(1000, 1000))
        self.assertIn("make deploy STAGE=prod PARAMETERS='ProcessConcurrency=20 ", line)
        for value in (
            "DeliverConcurrency=50",
            "SlowDeliverConcurrency=20",
            "RouteRateLimit=200",
            "InboundReservedConcurrency=50",
        ):
            self.assertIn(value, line)
        (line,) = self.advice(Limits(1000, 1000), ProcessConcurrency=20, SyncConcurrency=4)
        self.assertNotIn("ProcessConcurrency", line)

    def test_its_recommendation_needs_no_further_advice(self) -> None:
        for total in (10, 49, 50, 51, 100, 101, 150, 200, 400, 1000, 5000):
            limits = Limits(total, total)
            with self.subTest(total=total):
                self.assertEqual(self.advice(limits, **capacity.recommended(limits)), [])

    def test_warns_of_a_reservation_that_aws_refuses(self) -> None:
        warning = "AWS refuses InboundReservedConcurrency=20"
        wide = capacity.recommended(Limits(1000, 110)) | {"InboundReservedConcurrency": 20}
        (line,) = self.advice(Limits(1000, 110), **wide)
        self.assertIn(warning, line)
        # What the stack has reserved already is free for its own reservation.
        self.assertEqual(self.advice(Limits(1000, 110), deployed=10, **wide), [])


class Rollout(unittest.TestCase):
    """`make deploy` compares what it will set with what the account has."""

    def lines(self, deployed: dict[str, str] | None, **given: str) -> str:
        where = MagicMock(stage="prod")
        where.client.return_value = client(total=1000)
        where.deployed_parameters.return_value = deployed
        return "\n".join(rollout.limits(where, given))

    def test_knows_what_is_given_what_is_deployed_and_the_defaults(self) -> None:
        self.assertIn("ProcessConcurrency=20", self.lines(None))
        kept = {"ProcessConcurrency": "20", "DeliverConcurrency": "50"}
        self.assertNotIn("ProcessConcurrency", self.lines(kept))
        self.assertIn("warning", self.lines(kept, ProcessConcurrency="990"))
        self.assertIn("ProcessConcurrency=20", self.lines(kept, ProcessConcurrency="5"))

    def test_deploys_without_the_permission(self) -> None:
        where = MagicMock()
        where.client.return_value = client("AccessDeniedException")
        (line,) = rollout.limits(where, {})
        self.assertIn("lambda:GetAccountSettings", line)


if __name__ == "__main__":
    unittest.main()
