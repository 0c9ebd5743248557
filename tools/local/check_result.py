"""The result of a check."""

from __future__ import annotations

from collections.abc import Iterable


def print_problems(problems: Iterable[str], subject: str | None = None) -> int:
    """Prints the problems, after the name of their subject. Returns the exit code."""
    found = [problem if subject is None else f"{subject}: {problem}" for problem in problems]
    for problem in found:
        print(problem)
    return 1 if found else 0
