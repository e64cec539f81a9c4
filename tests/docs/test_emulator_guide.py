"""The tables of the emulator's guide, held to its code and its tests."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args

import salesforce_emulator
from salesforce_emulator import Assumptions, Limits
from tests.salesforce_emulator.behaviours import behaviours, table

FOLDER = Path(salesforce_emulator.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """What stands between a marker and the next `end`."""
    match = re.search(rf"<!-- {name}: held to .*? -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert match, f"the emulator's README has no section {name}"
    return match[1]


def cells(text: str) -> list[list[str]]:
    """The rows of a table, below its heading."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_the_table_of_limits_names_each_with_its_default() -> None:
    assert [row[:2] for row in cells(section("limits"))] == [
        [f"`{limit.name}`", f"{limit.default:,}"] for limit in fields(Limits)
    ]


def test_the_table_of_assumptions_names_each_with_its_choices_the_default_first() -> None:
    assert [row[:2] for row in cells(section("assumptions"))] == [
        [f"`{choice.name}`", ", ".join(f"`{value}`" for value in get_args(choice.type))]
        for choice in fields(Assumptions)
    ]
    for choice in fields(Assumptions):
        assert choice.default is not MISSING and choice.default == get_args(choice.type)[0]


def test_the_table_of_behaviours_is_that_of_the_tests() -> None:
    behaviours_page = (FOLDER / "BEHAVIOURS.md").read_text(encoding="utf-8")
    assert behaviours_page.endswith(f"\n\n{table()}"), "write it anew: python -m tests.salesforce_emulator.behaviours"


def test_every_test_of_the_emulator_says_how_sure_its_behaviour_is() -> None:
    assert [behaviour.test for behaviour in behaviours() if not behaviour.marks] == []


def test_every_switch_is_held_by_a_test_and_every_test_names_a_switch_there_is() -> None:
    named = {switch for behaviour in behaviours() for _, _, switch in behaviour.marks if switch}
    assert named == {choice.name for choice in fields(Assumptions)}
