"""A test case that runs the commands of manage.py against a double of SSM."""

from __future__ import annotations

import io
import unittest
from typing import Any

import manage
import options
from config import StackError
from parameters import Parameters

PREFIX = "/waypost/prod"


class FakeSsm:
    """A double of SSM for the calls of `Parameters`, which records the writes."""

    class exceptions:
        class ParameterAlreadyExists(Exception):
            pass

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}
        self.calls: list[str] = []

    def put_parameter(self, *, Name: str, Value: str, Type: str, Overwrite: bool) -> None:
        if Name in self.values and not Overwrite:
            raise self.exceptions.ParameterAlreadyExists
        self.values[Name] = (Type, Value)
        self.calls.append(f"put {Name}")

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> Any:
        assert WithDecryption
        found = [name for name in Names if name in self.values]
        return {"Parameters": [{"Name": name, "Value": self.values[name][1]} for name in found]}

    def get_parameters_by_path(
        self, *, Path: str, Recursive: bool, WithDecryption: bool, NextToken: str = "0"
    ) -> Any:
        """Two a page."""
        assert Recursive and WithDecryption
        names = [name for name in sorted(self.values) if name.startswith(f"{Path}/")]
        begin = int(NextToken)
        page = [{"Name": name, "Value": self.values[name][1]} for name in names[begin : begin + 2]]
        more = begin + 2 < len(names)
        return {"Parameters": page} | ({"NextToken": str(begin + 2)} if more else {})

    def delete_parameters(self, *, Names: list[str]) -> None:
        self.calls += [f"delete {name}" for name in Names if self.values.pop(name, None)]


class CommandCase(unittest.TestCase):
    def setUp(self) -> None:
        self.ssm = FakeSsm()

    def run_command(
        self, command: str, stdin: str = "", local: bool = False, **variables: str
    ) -> str:
        """Runs a command and returns its standard output."""
        output = io.StringIO()
        parameters = Parameters(self.ssm, PREFIX)
        request = manage.Request(variables, parameters, local, io.StringIO(stdin), output)
        options.check(command, variables)
        message = manage.COMMANDS[command](request)
        shown = [] if command in manage.LISTS else output.getvalue().splitlines()
        for line in shown:
            self.assertNotIn(line.split(": ")[1], message)
        self.calls, self.ssm.calls = [call.replace(f"{PREFIX}/", "") for call in self.ssm.calls], []
        return output.getvalue()

    def assert_rejects(self, command: str, message: str, **variables: str) -> None:
        before = dict(self.ssm.values)
        with self.assertRaisesRegex(StackError, message):
            self.run_command(command, **variables)
        self.assertEqual(self.ssm.values, before)

    def value(self, name: str, kind: str = "String") -> str:
        written = self.ssm.values[f"{PREFIX}/{name}"]
        self.assertEqual(written[0], kind)
        return written[1]

    def secret(self, name: str) -> str:
        return self.value(name, "SecureString")
