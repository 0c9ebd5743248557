"""Where things are in the checkout. Standard library only: some tools run before .venv exists."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Always in the checkout's own target/: other programs look for stack.json there, whatever
# CARGO_TARGET_DIR says.
LOCAL = ROOT / "target" / "local"
