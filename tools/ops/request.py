"""A command's input and output: options, secrets from standard input, and standard output."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TextIO

import rules
from config import StackError
from parameters import Parameters

FROM_STDIN = "stdin"


def token() -> str:
    """Generates a secret."""
    return secrets.token_urlsafe(24)


def require_known_options(environment: Mapping[str, str]) -> None:
    """Refuses an option of make's command line that no command has: it would have no effect."""
    known = environment.get("WAYPOST_OPTIONS", "").split()
    for name in environment.get("WAYPOST_GIVEN", "").split():
        if name not in known:
            meant = "".join(get_close_matches(name, known, 1))
            hint = f": did you mean {meant}=?" if meant else ""
            raise StackError(f"{name}= is no option{hint}")


@dataclass(frozen=True)
class Request:
    """Options, parameters and streams of one command."""

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
        """Generates a secret, or reads a line of standard input for `VARIABLE=stdin`."""
        given = self.get(variable)
        if not given:
            return new()
        if given != FROM_STDIN:
            raise StackError(
                f"{variable}: other users can see secrets in commands; use {variable}={FROM_STDIN}"
            )
        line = self.stdin.readline().strip()
        if not line:
            raise StackError(f"{variable}={FROM_STDIN}, but there is no line on standard input")
        return line

    def given_secret(self, variable: str, description: str) -> str:
        """Reads a secret that another system has generated."""

        def missing() -> str:
            raise StackError(
                f"{variable}={FROM_STDIN} is missing: {description}, as a line of standard input"
            )

        return self.secret(variable, missing)

    def print(self, line: str) -> None:
        print(line, file=self.stdout, flush=True)

    def show(self, title: str, secret: str) -> None:
        """Prints a secret; it is never shown again."""
        print(f"{title}: {secret}", file=self.stdout, flush=True)
