"""No function may do more than it does, or less: every Allow of its role is taken away once, and that shows.

Each function is tried with its whole policy, which has to do for every scenario without a refused call. Then each
statement, each of its actions and each of its resources is left out: a scenario must be refused a call and say which.
What AWS does in a function's name (polling, logging) it does here whatever the policy says: check_template.py has
those.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import describe
from check_template import FUNCTION, LOGGING, POLLING, Template, as_list
from config import TEMPLATE
from copies import Copies, Outcome, Statement
from scenarios import SCENARIOS, Scenario

WORKERS = 6
# On a busy machine the emulator ends an invocation before it has read the last line of its log.
TRIES = 3


@dataclass(frozen=True)
class Variant:
    """A function whose policy lacks something."""

    function: str
    lacking: str
    statements: list[Statement]


def variants(function: str, statements: list[Statement]) -> Iterator[Variant]:
    """Without each statement about the function's own calls, and without each part of one."""
    for statement in statements:
        others = [other for other in statements if other is not statement]
        for lacking, rest in lessened(statement):
            yield Variant(function, lacking, [*others, rest] if rest["Action"] and rest["Resource"] else others)


def lessened(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """(what is taken away, the rest)."""
    sid, actions, resources = statement["Sid"], as_list(statement["Action"]), as_list(statement["Resource"])
    own = [action for action in actions if statement["Effect"] == "Allow" and action not in POLLING | LOGGING]
    # A folder and what is in it are one thing.
    things = {resource.removesuffix("/*"): None for resource in resources}
    if own:
        yield sid, statement | {"Action": [action for action in actions if action not in own]}
    for action in own if len(own) > 1 else ():
        yield f"{sid} {action}", statement | {"Action": [other for other in actions if other != action]}
    for thing in things if own and len(things) > 1 else ():
        rest = [resource for resource in resources if resource.removesuffix("/*") != thing]
        yield f"{sid} {thing}", statement | {"Resource": rest}


def run(copies: Copies, scenario: Scenario, statements: list[Statement]) -> Outcome:
    event = scenario.prepare(copies)
    with ExitStack() as undo:
        copy = copies.make(scenario.function, statements, scenario.environment, undo)
        return copies.invoke(copy, event)


def with_whole_policy(copies: Copies, scenario: Scenario) -> str | None:
    """What is wrong if the function has all its permissions."""
    outcome = run(copies, scenario, copies.functions[scenario.function].statements)
    where = f"{scenario.function}, {scenario.name}"
    if outcome.denied:
        return f"{where}: may not {', '.join(sorted(outcome.denied))}"
    if outcome.result != scenario.expected:
        return f"{where}: ended with {outcome.result} instead of {scenario.expected}: {outcome.answer} {outcome.log}"
    return None


def without_something(copies: Copies, variant: Variant) -> str | None:
    """What is wrong if nobody notices what is missing."""
    failed: Outcome | None = None
    scenarios = [scenario for scenario in SCENARIOS if scenario.function == variant.function]
    for scenario in scenarios * TRIES:
        outcome = run(copies, scenario, variant.statements)
        if outcome.denied:
            return None
        failed = outcome if outcome.result != scenario.expected else failed
    without = f"{variant.function} without {variant.lacking}"
    return f"{without} fails and does not say why: {failed}" if failed else f"{without} does all it has to do"


def check(copies: Copies) -> list[str]:
    tried = {scenario.function for scenario in SCENARIOS}
    functions = {name.lower() for name, _ in Template(TEMPLATE.read_text()).of_type(FUNCTION)}
    untried = [f"{function}: has no scenario" for function in sorted(functions - tried)]
    with ThreadPoolExecutor(WORKERS) as pool:
        whole = [found for found in pool.map(lambda scenario: with_whole_policy(copies, scenario), SCENARIOS) if found]
        if whole or untried:
            return whole + untried
        lacking = [
            variant for name, function in copies.functions.items() for variant in variants(name, function.statements)
        ]
        found = list(pool.map(lambda variant: without_something(copies, variant), lacking))
    print(f"{len(SCENARIOS)} scenarios with whole policies, {len(lacking)} times with a part of one missing")
    return [complaint for complaint in found if complaint]


def main() -> int:
    with Copies(describe.read()) as copies:
        complaints = check(copies)
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
