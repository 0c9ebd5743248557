"""The double of Shipway: its responses, and the faults that tests inject."""

from __future__ import annotations

import json
import unittest
from typing import Any

from tracking import SHAPES, InvalidControl, Tracking

SHOP, OTHER = "shop@example.invalid:key", "other@example.invalid:key"


class Double(unittest.TestCase):
    def setUp(self) -> None:
        self.tracking = Tracking([SHOP])
        self.tracking.control({"awb": {"A1": {"tracking_details": {}}, "A2": {"awb": 2}, "B1": {}}})

    def ask(self, *awbs: str, user: str = SHOP) -> Any:
        response = self.tracking.respond(user, list(awbs))
        return (
            [item["awb"] for item in json.loads(response.body)]
            if response.status == 200
            else response.status
        )

    def test_leaves_out_unknown_parcels(self) -> None:
        self.assertEqual(self.ask("A1", "A3", "A2"), ["A1", 2])
        self.tracking.control({"awb": {"A1": None}})
        self.assertEqual(self.ask("A1"), [])

    def test_shows_parcels_by_credentials(self) -> None:
        self.assertEqual(self.ask("A1", user=OTHER), 401)
        self.tracking.control({"credentials": {OTHER: ["B"]}})
        self.assertEqual(self.ask("A1", "B1", user=OTHER), ["B1"])
        self.assertEqual(self.ask("A1", "B1"), ["A1", "B1"])

    def test_fails_for_the_given_parcels_and_times_only(self) -> None:
        self.tracking.control({"mode": {"asking": "A", "status": 500, "times": 2}})
        self.assertEqual(
            [self.ask("B1"), self.ask("B1", "A1"), self.ask("A1"), self.ask("A1")],
            [["B1"], 500, 500, ["A1"]],
        )
        self.tracking.control({"mode": {"status": 429}})
        self.assertEqual([self.ask("B1"), self.ask("A1")], [429, 429])
        self.tracking.control({"mode": {"times": 0}})
        self.assertEqual(self.ask("B1"), ["B1"])

    def test_answers_in_every_shape(self) -> None:
        whole = json.dumps([{"awb": "A1", "tracking_details": {}}, {"awb": 2}]).encode()
        for shape in SHAPES:
            with self.subTest(shape):
                self.tracking.control({"mode": {"shape": shape}})
                self.assertEqual(
                    self.tracking.respond(SHOP, ["A1", "A2"]).body == whole, shape == "whole"
                )
        self.tracking.control({"mode": {"body": "x", "headers": {"retry-after": "7"}}})
        response = self.tracking.respond(SHOP, ["A1"])
        self.assertEqual((response.body, response.headers), (b"x", {"retry-after": "7"}))

    def test_rejects_malformed_controls_as_a_whole(self) -> None:
        for wrong in (
            [],
            {"awbs": {}},
            {"awb": []},
            {"awb": {"A1": None, "A2": 7}},
            {"awb": {"A1": None}, "mode": {"shape": "round"}},
            {"mode": {"status": "500"}},
            {"mode": {"wait": 1}},
        ):
            with self.subTest(wrong), self.assertRaises(InvalidControl):
                self.tracking.control(wrong)
        self.assertEqual(self.ask("A1"), ["A1"])


if __name__ == "__main__":
    unittest.main()
