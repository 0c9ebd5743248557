"""Runs the SAM CLI without telemetry and update checks.

python tools/local/sam.py validate --lint …
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from config import LOCAL

EXECUTABLE = str(Path(sys.executable).with_name("sam"))


def environment() -> dict[str, str]:
    """The environment with telemetry and update checks of `sam` turned off."""
    settings = LOCAL / "sam"
    settings.mkdir(parents=True, exist_ok=True)
    # The weekly version check has no switch: a recent check in the metadata prevents it.
    (settings / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time()}))
    return os.environ | {
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(settings),
        "SAM_CLI_POLL_DELAY": "0.1",
    }


if __name__ == "__main__":
    os.execve(EXECUTABLE, ["sam", *sys.argv[1:]], environment())
