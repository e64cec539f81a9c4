"""What the emulator's README tells of faults and of logging in, held to its code."""

import json
import re
from pathlib import Path
from typing import get_args

import salesforce_emulator
from salesforce_emulator import config
from salesforce_emulator.faults.plan import AnyRule, Plan, ProcessingRule, RequestRule, Rule

README = Path(salesforce_emulator.__file__).with_name("README.md").read_text(encoding="utf-8")
COMMON = Rule.model_fields.keys() | RequestRule.model_fields.keys() | ProcessingRule.model_fields.keys()


def test_the_table_of_faults_names_each_with_its_parameters() -> None:
    table = README.partition("<!-- faults:")[2].partition("<!-- end -->")[0]
    named = [re.findall(r"`([A-Za-z-]+)`", cell) for row in table.splitlines()[3:] for cell in row.split("|")[1:3]]
    assert list(zip(named[::2], named[1::2], strict=True)) == [
        ([fault], [field.alias for name, field in kind.model_fields.items() if name not in COMMON])
        for kind in get_args(get_args(AnyRule)[0])
        for fault in get_args(kind.model_fields["fault"].annotation)
    ]


def test_the_table_of_faults_marks_what_has_to_be_told() -> None:
    table = README.partition("<!-- faults:")[2].partition("<!-- end -->")[0]
    assert set(re.findall(r"\*\*`([A-Za-z]+)`\*\*", table)) == {
        field.alias
        for kind in get_args(get_args(AnyRule)[0])
        for name, field in kind.model_fields.items()
        if name not in COMMON and field.is_required()
    }


def test_the_guide_names_every_operation_that_a_fault_can_be_on() -> None:
    named = README.partition("`on` is ")[2].partition(".")[0]
    assert re.findall(r"`([A-Za-z]+)`", named) == list(get_args(RequestRule.model_fields["on"].annotation))


def test_the_plan_in_the_guide_is_one() -> None:
    (example,) = re.findall(r"/emulator/faults .* -d '(.*?)'", README, re.DOTALL)
    assert len(Plan.read(json.loads(example)).rules) == 3


def test_the_guide_names_what_callers_log_in_with() -> None:
    way = README.partition("## Logging in")[2].partition("\n## ")[0]
    for name in (config.CLIENT_ID, config.CLIENT_SECRET, config.USERNAME, config.PASSWORD, config.REFRESH_TOKEN):
        assert f"`{name}`" in way
