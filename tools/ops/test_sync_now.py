"""What `make sync-now` says. On a real stack: `on_stack.py`."""

from __future__ import annotations

import io
import unittest
from unittest.mock import MagicMock, patch

import sync_now
from config import StackError
from installation import Installation


class Sync(unittest.TestCase):
    def ask(self, payload: str, **answer: str) -> str:
        session = MagicMock()
        self.invoke = session.client.return_value.invoke
        self.invoke.return_value = {"Payload": io.BytesIO(payload.encode()), **answer}
        return sync_now.sync(Installation("prod", session))

    def test_a_run_by_hand(self) -> None:
        self.assertEqual(self.ask('{"run":"manual-1"}'), "manual-1")
        self.invoke.assert_called_once_with(FunctionName="waypost-prod-sync", Payload='{"kind": "manual"}')

    def test_what_goes_wrong_is_said(self) -> None:
        with self.assertRaisesRegex(StackError, "no base_url"):
            self.ask("null")
        with self.assertRaisesRegex(StackError, "the function failed: Task timed out"):
            self.ask('{"errorMessage":"Task timed out"}', FunctionError="Unhandled")

    def test_a_stage_has_to_be_named(self) -> None:
        with patch.dict("os.environ", clear=True), patch("sys.stderr", io.StringIO()) as stderr:
            self.assertEqual(sync_now.main(), 1)
        self.assertRegex(stderr.getvalue(), "^error: STAGE=… is missing.*\n$")


if __name__ == "__main__":
    unittest.main()
