"""Tests of unpack.py."""

import unittest
import zlib

from config import StackError
from unpack import DELIVERIES, MARK, ORDERS, RAW, dictionary, unpack


def deflate(text: str, preset: bytes) -> bytes:
    writer = zlib.compressobj(wbits=RAW, zdict=preset)
    return writer.compress(text.encode()) + writer.flush()


class Unpack(unittest.TestCase):
    def test_reads_what_the_functions_wrote(self) -> None:
        # As in the test of shared/aws/src/tables/packed.rs.
        packed = "7dd1a10900000844d15d1cc141dcc16415c124ee6e942bd77ff8f086a6bfa2406b1ed9257b"
        expected = '{"status":"out_for_delivery","attempts":2,"location":"Nagpur"}'
        self.assertEqual(unpack(bytes.fromhex(packed)), expected)

    def test_reads_each_kind(self) -> None:
        text = '{"orderId":"किताब","status":"in_transit"}'
        orders, deliveries = (dictionary(it.read_text()) for it in (ORDERS, DELIVERIES))
        self.assertEqual(unpack(deflate(text, orders)), text)
        self.assertEqual(unpack(bytes([MARK]) + deflate(text, deliveries)), text)
        self.assertEqual(unpack(deflate(text, b"")), text)

    def test_refuses_what_is_not_packed(self) -> None:
        for bad in (b"", b"\xff\xff", b"in_transit", bytes([MARK])):
            with self.assertRaises(StackError):
                unpack(bad)


if __name__ == "__main__":
    unittest.main()
