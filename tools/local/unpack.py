"""The text of a packed attribute: `state`, `facts` or `scans` of an order, or `body` of a delivery
or an event.

    aws dynamodb get-item … --query Item.state.B --output text | python3 tools/local/unpack.py

DynamoDB's tools print the attribute in base64; this reads it from standard input.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
import zlib

from config import ROOT, StackError

TABLES = ROOT / "shared" / "aws" / "src" / "tables"
ORDERS = TABLES / "packed.rs"
DELIVERIES = TABLES / "deliveries" / "body" / "dictionary.rs"
# The first byte of a delivery's body that was compressed after a dictionary.
MARK = 0b111
# DEFLATE without a header.
RAW = -15


def dictionary(source: str) -> bytes:
    """The dictionary in the text of a Rust module."""
    found = re.search(r"DICTIONARY: [^=]*= concat!\((.*?)\)[;.]", source, re.DOTALL)
    if not found:
        raise StackError("the module has no dictionary")
    return "".join(re.findall(r'r#"(.*?)"#', found[1], re.DOTALL)).encode()


def unpack(packed: bytes) -> str:
    """A text that was compressed without a dictionary reads with any."""
    is_delivery = packed[:1] == bytes([MARK])
    module, content = (DELIVERIES, packed[1:]) if is_delivery else (ORDERS, packed)
    reader = zlib.decompressobj(RAW, zdict=dictionary(module.read_text()))
    try:
        text = reader.decompress(content).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise StackError(f"no packed attribute: {error}") from None
    if not reader.eof:
        raise StackError("no packed attribute: it has no end")
    return text


def main() -> int:
    try:
        packed = base64.b64decode(sys.stdin.read().strip(), validate=True)
        print(unpack(packed))
    except (binascii.Error, StackError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
