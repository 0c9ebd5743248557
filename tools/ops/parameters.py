"""The settings of one installation, in SSM Parameter Store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from config import StackError

MAX_NAMES = 10  # SSM's limit per call


class Parameters:
    """Parameters by their path below the installation's prefix."""

    def __init__(self, ssm: Any, prefix: str) -> None:
        self.ssm = ssm
        self.prefix = prefix

    def read(self, *names: str) -> dict[str, str]:
        """The existing ones of these parameters, decrypted."""
        assert len(names) <= MAX_NAMES
        answer = self.ssm.get_parameters(
            Names=[self._path(name) for name in names], WithDecryption=True
        )
        return {
            found["Name"].removeprefix(f"{self.prefix}/"): found["Value"]
            for found in answer["Parameters"]
        }

    def below(self, folder: str) -> dict[str, str]:
        """All parameters below a folder, by their path in it, decrypted."""
        path, found, token = self._path(folder), {}, {}
        while True:
            page = self.ssm.get_parameters_by_path(
                Path=path, Recursive=True, WithDecryption=True, **token
            )
            for parameter in page["Parameters"]:
                found[parameter["Name"].removeprefix(f"{path}/")] = parameter["Value"]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def write(
        self,
        name: str,
        value: str | Mapping[str, Any],
        *,
        secret: bool = False,
        replace: bool = False,
    ) -> None:
        """Without `replace` it fails if the parameter exists, even after a concurrent write."""
        text = value if isinstance(value, str) else _json(value)
        kind = "SecureString" if secret else "String"
        try:
            self.ssm.put_parameter(Name=self._path(name), Value=text, Type=kind, Overwrite=replace)
        except self.ssm.exceptions.ParameterAlreadyExists as error:
            raise StackError(f"{self._path(name)} already exists: FORCE=1 replaces it") from error

    def delete(self, *names: str) -> None:
        """Deletes the existing ones of these parameters."""
        assert len(names) <= MAX_NAMES
        self.ssm.delete_parameters(Names=[self._path(name) for name in names])

    def require_none(self, *names: str, force: str) -> None:
        """Fails if any of these parameters exists, and says what FORCE=1 does."""
        existing = self.read(*names)
        if existing:
            paths, verb = ", ".join(map(self._path, existing)), "exist" + "s" * (len(existing) == 1)
            raise StackError(f"{paths} already {verb}: FORCE=1 {force}")

    def _path(self, name: str) -> str:
        return f"{self.prefix}/{name}"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
