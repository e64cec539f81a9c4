"""Marks that say where the behaviour in a test of the emulator comes from, and the table of all of them.

`python -m tests.salesforce_emulator.behaviours` prints the table for the emulator's BEHAVIOURS.md; a test compares the two.
"""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import pytest

from tests import salesforce_emulator


def doc(page: str) -> pytest.MarkDecorator:
    """Official documentation, on this page, states the behaviour."""
    return pytest.mark.behaviour(mark="doc", source=page)


def seen(where: str) -> pytest.MarkDecorator:
    """The behaviour was observed on a real org, or in public code, fixtures or threads."""
    return pytest.mark.behaviour(mark="seen", source=where)


def assumed(why: str, *, switch: str | None = None) -> pytest.MarkDecorator:
    """No source is conclusive.

    Args:
        why: what the choice rests on.
        switch: field of Assumptions that chooses another behaviour.
    """
    return pytest.mark.behaviour(mark="assumed", source=why, switch=switch)


own = pytest.mark.behaviour(mark="own", source="")
"""The behaviour belongs to the emulator; Salesforce has no counterpart."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A test with its marks.

    Attributes:
        area: first line of the docstring of the test's module.
        test: id of the test, as pytest prints it.
        says: name of the test as a sentence.
        marks: mark, source and switch of each of its marks; empty if the test has none.
    """

    area: str
    test: str
    says: str
    marks: tuple[tuple[str, str, str | None], ...]


def behaviours() -> list[Behaviour]:
    """All tests of the emulator, by module and line."""
    found = pkgutil.walk_packages(salesforce_emulator.__path__, f"{salesforce_emulator.__name__}.")
    modules = sorted(info.name for info in found if info.name.rpartition(".")[2].startswith("test_"))
    return [behaviour for name in modules for behaviour in _of(importlib.import_module(name))]


def _of(module: ModuleType) -> Iterator[Behaviour]:
    area = (module.__doc__ or module.__name__).strip().splitlines()[0].rstrip(".")
    for name, test in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(test):
            marks = [mark.kwargs for mark in getattr(test, "pytestmark", []) if mark.name == "behaviour"]
            claims = tuple((mark["mark"], mark["source"], mark.get("switch")) for mark in reversed(marks))
            file = module.__name__.removeprefix(f"{salesforce_emulator.__name__}.").replace(".", "/")
            yield Behaviour(area, f"{file}.py::{name}", name.removeprefix("test_").replace("_", " "), claims)


def table() -> str:
    """The tables of BEHAVIOURS.md."""
    lines: list[str] = []
    area = None
    for behaviour in behaviours():
        if behaviour.area != area:
            area = behaviour.area
            lines += ["", f"## {area}", "", "| behaviour | mark | source | test |", "|---|---|---|---|"]
        marks = ", ".join(mark for mark, _, _ in behaviour.marks)
        sources = "; ".join(f"{source}{_switch(switch)}" for _, source, switch in behaviour.marks if source)
        lines.append(f"| {behaviour.says} | {marks} | {sources} | `{behaviour.test}` |")
    return "\n".join(lines).strip() + "\n"


def _switch(name: str | None) -> str:
    return f" (switch: `{name}`)" if name else ""


if __name__ == "__main__":
    sys.stdout.write(table())
