"""Least privilege, tested: each function needs every permission of its role, and no other.

First each scenario runs with the function's whole policy; no call may be denied. Then each
statement, each of its actions and each of its resources is removed in turn; at least one scenario
must be denied a call and report it. Calls that AWS makes on behalf of a function (polling, logging,
keeping failed invocations) are not checked by the emulator; check_template.py covers those.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import describe
from check_result import print_problems
from check_template import FUNCTION, KEEP_FAILED, LOGGING, POLLING, Template, as_list
from config import TEMPLATE, function_name
from function_copies import Copies, Outcome, Statement
from scenarios import SCENARIOS, Scenario

WORKERS = 6
# On a busy machine the emulator ends an invocation before it has read the last line of its log.
TRIES = 3


@dataclass(frozen=True)
class Variant:
    """A function's policy with one part of a statement removed."""

    function: str
    statement: str
    removed: str
    statements: list[Statement]


def variants(function: str, statements: list[Statement]) -> Iterator[Variant]:
    """The policy without each statement about the function's own calls, and each part of one."""
    for statement in statements:
        if statement["Sid"] == KEEP_FAILED:
            continue
        others = [other for other in statements if other is not statement]
        for removed, rest in reductions(statement):
            kept = [*others, rest] if rest["Action"] and rest["Resource"] else others
            yield Variant(function, statement["Sid"], removed, kept)


def reductions(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """(removed part, rest of the statement)."""
    sid = statement["Sid"]
    actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
    allowed = actions if statement["Effect"] == "Allow" else []
    own = [action for action in allowed if action not in POLLING | LOGGING]
    # A folder and its contents count as one resource.
    folders = {resource.removesuffix("/*"): None for resource in resources}
    if own:
        yield sid, statement | {"Action": [action for action in actions if action not in own]}
    for action in own if len(own) > 1 else ():
        rest = [other for other in actions if other != action]
        yield f"{sid} {action}", statement | {"Action": rest}
    for folder in folders if own and len(folders) > 1 else ():
        rest = [resource for resource in resources if resource.removesuffix("/*") != folder]
        yield f"{sid} {folder}", statement | {"Resource": rest}


def run(copies: Copies, scenario: Scenario, statements: list[Statement]) -> Outcome:
    event = scenario.prepare(copies)
    with ExitStack() as undo:
        copy = copies.make(scenario.function, statements, scenario.environment, undo)
        return copies.invoke(copy, event)


def check_whole_policy(copies: Copies, scenario: Scenario) -> str | None:
    """The problem of a scenario with all permissions, if any."""
    outcome = run(copies, scenario, copies.functions[scenario.function].statements)
    where = f"{scenario.function}, {scenario.name}"
    if outcome.denied:
        return f"{where}: denied {', '.join(sorted(outcome.denied))}"
    if outcome.result != scenario.expected:
        return (
            f"{where}: ended with {outcome.result} instead of {scenario.expected}: "
            f"{outcome.answer} {outcome.log}"
        )
    return None


class Order:
    """The scenarios of a variant: first those that were denied a call of the same statement."""

    def __init__(self) -> None:
        self._denied: dict[tuple[str, str], list[Scenario]] = {}

    def of(self, variant: Variant) -> list[Scenario]:
        own = [scenario for scenario in SCENARIOS if scenario.function == variant.function]
        first = list(self._denied.get((variant.function, variant.statement), ()))
        return first + [scenario for scenario in own if scenario not in first]

    def was_denied(self, variant: Variant, scenario: Scenario) -> None:
        known = self._denied.setdefault((variant.function, variant.statement), [])
        if scenario not in known:
            known.append(scenario)


def check_variant(copies: Copies, variant: Variant, order: Order) -> str | None:
    """The problem if every scenario still works, or fails without naming the denied call."""
    failed: Outcome | None = None
    for scenario in order.of(variant) * TRIES:
        outcome = run(copies, scenario, variant.statements)
        if outcome.denied:
            order.was_denied(variant, scenario)
            return None
        failed = outcome if outcome.result != scenario.expected else failed
    where = f"{variant.function} without {variant.removed}"
    if failed:
        return f"{where}: fails without naming the denied call: {failed}"
    return f"{where}: no scenario fails"


def check(copies: Copies) -> list[str]:
    tried = {scenario.function for scenario in SCENARIOS}
    functions = {
        function_name(name) for name, _ in Template(TEMPLATE.read_text()).of_type(FUNCTION)
    }
    untried = [f"{function}: has no scenario" for function in sorted(functions - tried)]
    with ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(lambda scenario: check_whole_policy(copies, scenario), SCENARIOS)
        whole = [problem for problem in results if problem]
        if whole or untried:
            return whole + untried
        reduced = [
            variant
            for name, function in copies.functions.items()
            for variant in variants(name, function.statements)
        ]
        order = Order()
        found = list(pool.map(lambda variant: check_variant(copies, variant, order), reduced))
    print(f"{len(SCENARIOS)} scenarios with whole policies, {len(reduced)} reduced policies")
    return [problem for problem in found if problem]


def main() -> int:
    with Copies(describe.read()) as copies:
        problems = check(copies)
    return print_problems(problems)


if __name__ == "__main__":
    sys.exit(main())
