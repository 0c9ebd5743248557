"""Fails for a snapshot file that no test has compared, as `cargo insta --unreferenced=reject` does.

    python3 tools/local/check_snapshots.py <references> <folder>…

`references` is the file that insta writes for INSTA_SNAPSHOT_REFERENCES_FILE: one path a line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from paths import ROOT


def unreferenced(references: Path, folders: list[str], root: Path = ROOT) -> list[Path]:
    lines = references.read_text().splitlines() if references.exists() else []
    compared = {Path(line).resolve() for line in lines}
    found = (path for folder in folders for path in (root / folder).rglob("*.snap"))
    return sorted(path.relative_to(root) for path in found if path.resolve() not in compared)


def main(references: str, *folders: str) -> int:
    orphans = unreferenced(Path(references), list(folders))
    for path in orphans:
        print(f"{path}: no test compares this snapshot")
    return 1 if orphans else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
