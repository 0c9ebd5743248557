"""Results and errors of `make sync-now`. `stack_tests.py` runs it on a real stack."""

from __future__ import annotations

import io
import unittest
from unittest.mock import MagicMock, patch

import sync_now
from config import StackError
from installation import Installation


class SyncNow(unittest.TestCase):
    def sync(self, payload: str, **answer: str) -> str:
        session = MagicMock()
        self.invoke = session.client.return_value.invoke
        self.invoke.return_value = {"Payload": io.BytesIO(payload.encode()), **answer}
        return sync_now.sync(Installation("prod", session))

    def test_starts_a_manual_run(self) -> None:
        self.assertEqual(self.sync('{"run":"manual-1"}'), "manual-1")
        self.invoke.assert_called_once_with(
            FunctionName="waypost-prod-sync", Qualifier="live", Payload='{"kind": "manual"}'
        )

    def test_reports_errors(self) -> None:
        with self.assertRaisesRegex(StackError, "no base_url"):
            self.sync("null")
        with self.assertRaisesRegex(StackError, "the function failed: Task timed out"):
            self.sync('{"errorMessage":"Task timed out"}', FunctionError="Unhandled")

    def test_rejects_a_missing_stage(self) -> None:
        with patch.dict("os.environ", clear=True), patch("sys.stderr", io.StringIO()) as stderr:
            self.assertEqual(sync_now.main(), 1)
        self.assertRegex(stderr.getvalue(), "^error: STAGE=… is missing.*\n$")


if __name__ == "__main__":
    unittest.main()
