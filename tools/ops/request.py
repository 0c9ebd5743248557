"""What somebody typed: variables of make's command line, secrets by standard input, and where answers go."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

import rules
from config import StackError
from parameters import Parameters

FROM_STDIN = "stdin"


def token() -> str:
    """A new secret."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Request:
    """What was asked for, and where it goes."""

    variables: Mapping[str, str]
    parameters: Parameters
    local: bool
    stdin: TextIO
    stdout: TextIO

    def get(self, variable: str) -> str:
        return self.variables.get(variable, "")

    def need(self, variable: str) -> str:
        value = self.get(variable)
        if not value:
            raise StackError(f"{variable}=… is missing")
        return value

    @property
    def name(self) -> str:
        return rules.name(self.need("NAME"))

    @property
    def force(self) -> bool:
        return self.get("FORCE") == "1"

    def secret(self, variable: str, new: Callable[[], str]) -> str:
        """A new one, unless `VARIABLE=stdin` says that it comes as a line of standard input."""
        given = self.get(variable)
        if not given:
            return new()
        if given != FROM_STDIN:
            raise StackError(f"{variable}: a secret in a command can be seen by others; say {variable}={FROM_STDIN}")
        line = self.stdin.readline().strip()
        if not line:
            raise StackError(f"{variable}={FROM_STDIN}, but there is no line on standard input")
        return line

    def given_secret(self, variable: str, what: str) -> str:
        """One that nobody can make here."""

        def nobody() -> str:
            raise StackError(f"{variable}={FROM_STDIN} is missing: {what}, as a line of standard input")

        return self.secret(variable, nobody)

    def show(self, what: str, secret: str) -> None:
        """The one time that it can be seen."""
        print(f"{what}: {secret}", file=self.stdout, flush=True)
