"""The settings of one installation, in SSM's parameter store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from config import StackError

MAX_NAMES = 10  # of one call


class Parameters:
    """Parameters by their path below the installation's prefix."""

    def __init__(self, ssm: Any, prefix: str) -> None:
        self.ssm = ssm
        self.prefix = prefix

    def read(self, *names: str) -> dict[str, str]:
        """Those that exist, decrypted."""
        assert len(names) <= MAX_NAMES
        answer = self.ssm.get_parameters(Names=[self._path(name) for name in names], WithDecryption=True)
        return {found["Name"].removeprefix(f"{self.prefix}/"): found["Value"] for found in answer["Parameters"]}

    def write(self, name: str, value: str | Mapping[str, Any], *, secret: bool = False, replace: bool = False) -> None:
        """Without `replace`, one that exists is never touched, not even if somebody made it a moment ago."""
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        kind = "SecureString" if secret else "String"
        try:
            self.ssm.put_parameter(Name=self._path(name), Value=text, Type=kind, Overwrite=replace)
        except self.ssm.exceptions.ParameterAlreadyExists as error:
            raise StackError(f"{self._path(name)} exists already: FORCE=1 replaces it") from error

    def delete(self, *names: str) -> None:
        """Those that exist."""
        assert len(names) <= MAX_NAMES
        self.ssm.delete_parameters(Names=[self._path(name) for name in names])

    def require_none(self, *names: str) -> None:
        """Refuses to go on where a new thing would take the place of one that is there."""
        there = self.read(*names)
        if there:
            raise StackError(f"{', '.join(map(self._path, there))} exists already: FORCE=1 replaces it")

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}"
