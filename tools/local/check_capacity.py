"""The tables of docs/capacity.md, computed from docs/budget.md, docs/prices.json and the template.

    python tools/local/check_capacity.py [--write]

Fails if the page has other tables; with --write it replaces them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass, replace
from fractions import Fraction

from samtranslator.yaml_helper import yaml_parse

from check_result import print_problems
from config import ROOT, TEMPLATE, StackError

PAGE = ROOT / "docs" / "capacity.md"
BUDGET = ROOT / "docs" / "budget.md"
PRICES = ROOT / "docs" / "prices.json"

MILLION = 1_000_000
DAY = 86_400
# The busiest second of a day, as a multiple of the average one.
PEAK = 5
# The batch size of the queues, which a busy queue fills, and of the budget's rows about ten.
BATCH = 10
# Counters of an invocation: that of its source in `process`, that of its endpoint in `deliver`.
COUNTERS = 2
# A call of DynamoDB or SQS from the same region.
CALL_MS = 5
# The customer's server, and how many requests an instance has there at the same time.
RECEIVER_MS = 100
IN_FLIGHT = 5
# docs/benchmarks.md, "Warm functions", at 50 a second: processor time in ms.
CPU_MS = {"inbound": Fraction("1.1"), "process": Fraction("2.0"), "deliver": Fraction("1.2")}
# The section `warm` with other values of MemorySize in template.yaml: webhook to POST at 200 a
# second, p50 / p95 / p99 in ms, by MB.
OWN_MS = {
    128: "11.5 / 26 / 37",
    256: "4.3 / 16 / 20",
    512: "2.7 / 3.1 / 4.3",
    1024: "2.6 / 3.0 / 3.9",
}
# Lambda: the memory with the share of one whole core.
CORE_MB = 1769
# Calls of an event or delivery, one after another.
CALLS = {"inbound": 2, "process": 7, "deliver": 3}
# Lines of the log, by the messages of an invocation, and a body with its headers, in bytes.
LOG_BYTES = {BATCH: 750, 1: 1_450}
SENT_BYTES = 2_500
# Rows with their indexes, and for how many months they are kept.
ROWS = {"inbound": (1_300, 3), "deliveries": (1_400, 1)}
BACKED_UP = ("inbound",)


@dataclass(frozen=True)
class Change:
    """What one status change costs: a webhook, its effect and one delivery."""

    reads: Fraction
    writes: Fraction
    sqs_requests: Fraction
    memory_mb: int
    # Messages of an invocation.
    batch: int = BATCH

    @property
    def invocations(self) -> Fraction:
        """`inbound` has one for each webhook, the workers one for each batch."""
        return 1 + Fraction(2, self.batch)

    def alone(self) -> Change:
        """The same with one message an invocation."""
        writes = self.writes + COUNTERS - Fraction(COUNTERS, BATCH)
        requests = self.sqs_requests - lambda_requests(BATCH) + lambda_requests(1)
        return replace(self, writes=writes, sqs_requests=requests, batch=1)

    def busy_ms(self, function: str) -> Fraction:
        """Time of an instance for one event. A batch waits for its calls once, and shares a CPU."""
        cpu = CPU_MS[function] * CORE_MB / self.memory_mb
        if function == "inbound":
            return CALLS[function] * CALL_MS + cpu
        waiting = Fraction(CALLS[function] * CALL_MS, self.batch)
        if function == "deliver":
            waiting += Fraction(RECEIVER_MS, min(IN_FLIGHT, self.batch))
        return waiting + cpu

    def gb_seconds(self) -> Fraction:
        busy = sum(self.busy_ms(function) for function in CPU_MS)
        return busy / 1000 * self.memory_mb / 1024


def lambda_requests(batch: int) -> Fraction:
    """Lambda receives and deletes the messages of a batch with one request each, of two queues."""
    return Fraction(4, batch)


def rows() -> dict[str, list[str]]:
    """The budget's cells, by operation."""
    lines = [line for line in BUDGET.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def change() -> Change:
    budget = rows()
    parts = [
        (budget["accept a webhook"], 1),
        (budget["apply ten status changes of two orders"], BATCH),
        (budget["deliver ten"], BATCH),
    ]
    reads, writes, requests = (
        sum(Fraction(row[column]) / events for row, events in parts) for column in (1, 2, 3)
    )
    template = yaml_parse(TEMPLATE.read_text())
    memory = template["Globals"]["Function"]["MemorySize"]
    return Change(reads, writes, requests + lambda_requests(BATCH), memory)


def dollars(one: Change) -> dict[str, Fraction]:
    """Of a million changes, by service."""
    known = json.loads(PRICES.read_text())
    million = {name: Fraction(price) for name, price in known["dollars_per_million"].items()}
    logs = Fraction(known["dollars_per_gb"]["logs"])
    return {
        "DynamoDB, writes": one.writes * million["dynamodb_write_unit"],
        "DynamoDB, reads": one.reads * million["dynamodb_read_unit"],
        "API Gateway": million["api_gateway_request"],
        "SQS": one.sqs_requests * million["sqs_request"],
        "Lambda": one.invocations * million["lambda_request"]
        + one.gb_seconds() * million["lambda_gb_second"],
        "CloudWatch Logs": Fraction(LOG_BYTES[one.batch], 1000) * logs,
    }


def storage() -> Fraction:
    """Dollars for keeping the rows of a million changes until they expire."""
    known = json.loads(PRICES.read_text())["dollars_per_gb"]
    plain, backup = Fraction(known["dynamodb_month"]), Fraction(known["dynamodb_backup_month"])
    total = Fraction(0)
    for table, (size, months) in ROWS.items():
        each = plain + (backup if table in BACKED_UP else 0)
        total += Fraction(size * MILLION, 10**9) * months * each
    return total


def data_out() -> Fraction:
    known = json.loads(PRICES.read_text())["dollars_per_gb"]
    return Fraction(SENT_BYTES, 1000) * Fraction(known["data_out"])


def cost_table(one: Change) -> str:
    busy, alone = dollars(one), dollars(one.alone())
    lines = ["| a million status changes | ten messages at once | one at a time |", "|---|--:|--:|"]
    lines += [f"| {name} | {price(busy[name])} | {price(alone[name])} |" for name in busy]
    both = [price(sum(services.values())) for services in (busy, alone)]
    lines.append(f"| **all** | **{both[0]}** | **{both[1]}** |")
    for name, same in (
        ("data to your customers' servers", data_out()),
        ("rows until they expire", storage()),
    ):
        lines.append(f"| {name} | {price(same)} | {price(same)} |")
    return "\n".join(lines)


def price(dollars: Fraction) -> str:
    return f"${float(dollars):.2f}"


def number(value: Fraction) -> str:
    """Two digits that count, rounded up; small numbers whole."""
    whole = -(-value.numerator // value.denominator)
    unit = 10 ** max(len(str(whole)) - 2, 0)
    return f"{-(-whole // unit) * unit:,}"


def size_table(one: Change) -> str:
    days = [1, 10, 100]
    total = sum(dollars(one).values())
    peaks = [Fraction(millions * MILLION * PEAK, DAY) for millions in days]
    measured = {
        "dollars a day": [total * millions for millions in days],
        "changes a second, on average": [peak / PEAK for peak in peaks],
        "changes in the busiest second": peaks,
        "instances of `inbound` then": [peak * one.busy_ms("inbound") / 1000 for peak in peaks],
        "instances of `process`": [peak * one.busy_ms("process") / 1000 for peak in peaks],
        "instances of `deliver`": [peak * one.busy_ms("deliver") / 1000 for peak in peaks],
        "write units a second": [peak * one.writes for peak in peaks],
        "messages a second of each queue": peaks,
        "writes a second of the counters": [peak * COUNTERS / BATCH for peak in peaks],
    }
    head = " | ".join(f"{millions} M a day" for millions in days)
    lines = [f"| | {head} |", "|---|" + "--:|" * len(days)]
    for name, values in measured.items():
        cells = " | ".join(number(Fraction(value)) for value in values)
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def memory_table(one: Change) -> str:
    lines = [
        "| memory | webhook → POST at 200 a second, ms | Lambda, ten at once | one at a time |",
        "|--:|--:|--:|--:|",
    ]
    for memory, own in OWN_MS.items():
        each = replace(one, memory_mb=memory)
        costs = " | ".join(price(dollars(it)["Lambda"]) for it in (each, each.alone()))
        lines.append(f"| {memory} MB | {own} | {costs} |")
    return "\n".join(lines)


def expected(page: str) -> str:
    one = change()
    tables = {"cost": cost_table(one), "memory": memory_table(one), "size": size_table(one)}
    for name, table in tables.items():
        place = re.compile(rf"(<!-- {name} -->\n)(?:(?!<!--).)*?(<!-- end -->)", re.DOTALL)
        page, found = place.subn(rf"\g<1>{table}\n\g<2>", page)
        if found != 1:
            raise StackError(f"{PAGE.name} has no place for the table {name}")
    return page


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the tables")
    write = parser.parse_args().write
    try:
        page = PAGE.read_text()
        new = expected(page)
    except StackError as error:
        return print_problems([str(error)])
    if write:
        PAGE.write_text(new)
        return 0
    problems = []
    if new != page:
        problems.append(
            "docs/capacity.md has other figures than docs/budget.md, docs/prices.json and the"
            " template give: python tools/local/check_capacity.py --write"
        )
    return print_problems(problems)


if __name__ == "__main__":
    sys.exit(main())
