"""Installs interpreters and the browser of the tests, if it runs as root on Debian.

Standard library only.
"""

from __future__ import annotations

import os
import shutil
import sys

import progress
from paths import LOCAL

PACKAGES = {"node": "nodejs", "npm": "npm", "php": "php-cli", "chromium": "chromium"}


def missing() -> list[str]:
    """The Debian packages of the programs that are not on the PATH."""
    return [package for program, package in PACKAGES.items() if not shutil.which(program)]


def main() -> int:
    packages = missing()
    if not packages:
        return 0
    names = " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"error: install {names} (Debian: sudo apt-get install {names})", file=sys.stderr)
        return 1
    install = f"apt-get -q update && apt-get -q install -y --no-install-recommends {names}"
    env = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        progress.run(f"installing {names}", ["sh", "-c", install], LOCAL / "packages.log", env)
    except progress.StepFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
