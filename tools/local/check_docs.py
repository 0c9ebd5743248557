"""Runs the examples of README.md and docs/*.md on the local stack, as pasted, and follows links.

A block marked `sh` runs here: all of a document in one shell, in order, so that later blocks use
the variables of earlier ones. A block marked `console` needs AWS or a terminal of its own and does
not run. Curl has to fail on an HTTP error status.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import demo
import describe
from check_result import print_problems
from config import ROOT

TIMEOUT_SECONDS = 120
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PLACEHOLDER = re.compile(r"…|<[a-z][^>\n]*>")
CURL = re.compile(r"\bcurl\b(?! -fsS)")
# An outer make hands these down; a reader's shell has none of them.
OUTER_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    place: str
    info: str
    text: str


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path) -> list[Block]:
    text = document.read_text()
    lines = ((text.count("\n", 0, it.start()) + 1, it) for it in FENCE.finditer(text))
    return [Block(f"{name(document)}:{line}", it[1], it[2]) for line, it in lines]


def malformed(block: Block) -> Iterator[str]:
    """Yields the problems of a block."""
    if block.info in ("bash", "shell"):
        yield f"{block.place}: mark it sh (runs on the local stack) or console (does not)"
    if block.info == "sh" and (found := PLACEHOLDER.search(block.text)):
        yield f"{block.place}: {found[0]} cannot be pasted"
    if block.info == "sh" and CURL.search(block.text):
        yield f"{block.place}: curl without -fsS hides an error status"


def environment(stack: dict[str, Any]) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key not in OUTER_MAKE}
    return inherited | demo.exports(stack)


def run(document: Path, env: dict[str, str]) -> Iterator[str]:
    examples = [block for block in blocks(document) if block.info == "sh"]
    if not examples:
        return
    script = "".join(f"echo '==> {block.place}'\n{block.text}echo\n" for block in examples)
    command = ["timeout", str(TIMEOUT_SECONDS), "bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=-1, stderr=-2, text=True
    )
    print(f"{name(document)}: {len(examples)} blocks", flush=True)
    if done.returncode != 0:
        last = done.stdout.rpartition("==> ")[2].strip()
        yield f"exit code {done.returncode} in the block at {last}"


def anchors(document: Path) -> set[str]:
    """Returns the anchors that the public host derives from headings."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def broken_links(document: Path) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        path, _, fragment = target.partition("#")
        if ":" in path:
            continue
        file = document if not path else document.parent / path
        if not file.exists():
            yield f"{name(document)}: {target} does not exist"
        elif fragment and fragment not in anchors(file):
            yield f"{name(document)}: {target} names no heading"


def problems(stack: dict[str, Any]) -> Iterator[str]:
    for pattern in ("*.md", "docs/**/*.md"):
        yield from (link for found in sorted(ROOT.glob(pattern)) for link in broken_links(found))
    env = environment(stack)
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        wrong = [problem for block in blocks(document) for problem in malformed(block)]
        yield from wrong or run(document, env)


def main() -> int:
    return print_problems(problems(describe.read()))


if __name__ == "__main__":
    sys.exit(main())
