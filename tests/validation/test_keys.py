"""Checks of keys that are blank or repeated."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.keys import MOST_IN_MEMORY, KeyChecks, KeyColumn, key_column
from tests.loading.making import findings_of
from tests.support.full_disk import posix_only, printed_on_a_full_disk
from tests.validation.describing import field, sobject


@pytest.mark.parametrize(
    ("content", "destination", "findings"),
    [
        (
            b"id,Name\n001000000000001,a\n,b\n001000000000001AAA,c\n#N/A,d\n",
            Destination("update"),
            snapshot(['warning id at 3, 5 (2): Rows without id fail. Fill it in, or leave these rows out: leaveOut {"cells": {"id": ["", "#N/A"]}}.', 'warning id at 4 (1): Rows have the id of an earlier row: the last may win, or they fail. Keep one row for each: leave the others out with leaveOut.']),
        ),
        (b"Ext__c,Name\nx,a\nX,b\n\"y\n\",c\nx,d\n", Destination("upsert", "Ext__c"), snapshot(["warning Ext__c at 3, 6 (2): Rows have the Ext__c of an earlier row, if case and the form of numbers don't count, which is not known without the describe: the last may win, or they fail. Keep one row for each: leave the others out with leaveOut."])),
        (b"Ext__c,Name\nK-1,a\n k-1 ,b\n \t,c\n007,d\n7.0,e\n", Destination("upsert", "Ext__c"), snapshot(['warning Ext__c at 4 (1): Rows without Ext__c fail. Fill it in, or leave these rows out: leaveOut {"cells": {"Ext__c": ["", "#N/A"]}}.', "warning Ext__c at 3, 6 (2): Rows have the Ext__c of an earlier row, if case and the form of numbers don't count, which is not known without the describe: the last may win, or they fail. Keep one row for each: leave the others out with leaveOut."])),
        (b"Id,Name\n,a\n,b\n", Destination("upsert", "Id"), snapshot([])),
        (b"Id,Name\nx,a\nx,b\n", Destination("insert"), snapshot([])),
        (b"Ext__c,Name\nx,a\nx,b\n", Destination("upsert", "Other__c"), snapshot([])),
    ],
)  # fmt: skip
def test_blank_and_repeated_keys_are_found_with_their_lines(
    content: bytes, destination: Destination, findings: list[str]
) -> None:
    assert findings_of(content, destination) == findings


UNIQUE = sobject(
    "Thing__c",
    field("Name"),
    field("Ext__c", externalId=True, unique=True),
    field("Code__c", unique=True),
    field("Exact__c", unique=True, caseSensitive=True),
)
CODES = b"Ext__c,Code__c,Exact__c,Name\n1,A,x,a\n2,a ,X,a\n3,,x,a\n4,,,a\n5,#N/A,,a\n6,B,,a\n7,A,,a\n"


@pytest.mark.parametrize(
    ("operation", "findings"),
    [
        ("insert", snapshot(['warning Code__c at 3, 8 (2): No two records may have the same Code__c: rows with that of an earlier row fail. Correct them, or keep one row for each: leave the others out with leaveOut.', 'warning Exact__c at 4 (1): No two records may have the same Exact__c: rows with that of an earlier row fail. Correct them, or keep one row for each: leave the others out with leaveOut.'])),
        ("upsert", snapshot(['warning Code__c at 3, 8 (2): No two records may have the same Code__c: rows with that of an earlier row fail, if their record is another. Correct them, or keep one row for each: leave the others out with leaveOut.', 'warning Exact__c at 4 (1): No two records may have the same Exact__c: rows with that of an earlier row fail, if their record is another. Correct them, or keep one row for each: leave the others out with leaveOut.'])),
        ("delete", snapshot([])),
    ],
)  # fmt: skip
def test_values_of_earlier_rows_are_found_where_no_two_records_may_have_the_same(
    operation: str, findings: list[str]
) -> None:
    found = findings_of(CODES, Destination(operation, "Ext__c" if operation == "upsert" else None, describe=UNIQUE))
    assert [line for line in found if "No two records" in line] == findings


@pytest.mark.parametrize(
    ("operation", "external_id_field", "index", "is_needed"),
    [("update", None, 1, True), ("delete", None, 1, True), ("upsert", "ext__C", 2, True), ("upsert", "Id", 1, False)],
)
def test_the_key_column_is_that_of_the_operation(
    operation: str, external_id_field: str | None, index: int, is_needed: bool
) -> None:
    column = key_column(["Name", "ID", "Ext__c"], operation, external_id_field)
    assert column is not None
    assert (column.index, column.is_needed) == (index, is_needed)


@pytest.mark.parametrize(
    ("header", "operation"), [(["Id"], "insert"), (["Name"], "update"), (["Name"], "upsert"), (["Id"], None)]
)
def test_there_is_no_key_column_where_rows_are_new_records_or_the_column_is_missing(
    header: list[str], operation: str | None
) -> None:
    assert key_column(header, operation, "Ext__c") is None


ON_A_FULL_DISK = """
import sys
import tempfile
from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.keys import MOST_IN_MEMORY, KeyChecks, KeyColumn
tempfile.tempdir = sys.argv[1]
limit_files(100_000)
findings = Findings()
with KeyChecks(KeyColumn(0, str, is_needed=True), "Ext__c", findings) as checks:
    for _ in range(3):
        keys = [*map(str, range(MOST_IN_MEMORY)), ""]
        checks.check(ParsedBlock(1, lambda: range(2, 2 + len(keys)), columns=[keys]))
    checks.finish()
for finding in findings.sorted():
    print(finding.level, finding.column, finding.count, finding.what.replace(sys.argv[1], "FOLDER"), finding.do)
"""


@posix_only
def test_keys_that_can_not_be_held_on_a_full_disk_are_told_as_unchecked(tmp_path: Path) -> None:
    assert printed_on_a_full_disk(ON_A_FULL_DISK, tmp_path) == snapshot(
        [
            'warning Ext__c 3 Rows without Ext__c fail. Fill it in, or leave these rows out: leaveOut {"cells": {"Ext__c": ["", "#N/A"]}}.',
            "warning Ext__c 1 Whether rows have the Ext__c of an earlier row was not checked. Keys can't be written to a temporary file (FOLDER): no file of this user may grow so large. Raise the limit of file sizes (ulimit -f).",
        ]
    )
    assert list(tmp_path.iterdir()) == []


def test_repeated_keys_are_found_when_the_first_of_them_are_no_longer_in_memory() -> None:
    findings = Findings()
    keys = [str(number) for number in range(MOST_IN_MEMORY + 1)]
    with KeyChecks(KeyColumn(0, str, is_needed=True), "Ext__c", findings) as checks:
        checks.check(ParsedBlock(1, lambda: range(2, 2 + len(keys)), columns=[keys]))
        again = [keys[0], "new", keys[-1], keys[1]]
        checks.check(ParsedBlock(1, lambda: range(900_001, 900_005), columns=[again]))
        checks.finish()
    [finding] = findings.sorted()
    assert (finding.lines, finding.count) == ((900_001, 900_003, 900_004), 3)


KEY = st.one_of(
    st.integers(8, 12).map(str), st.sampled_from(["K-1", "K-2", "K-10", "é", "\udcc3\udca9", "a\nb", "a", "b"])
)
"""A key; two bytes that are not UTF-8 stand for themselves, though together they would be a letter."""


@st.composite
def blocks_of_keys(draw: st.DrawFn) -> list[list[str]]:
    """Blocks of keys that ascend up to a place, or not at all."""
    keys = draw(st.lists(KEY, unique=True, max_size=9))
    keys.sort(key=lambda key: (len(key), key))
    keys += draw(st.lists(KEY, max_size=4))
    size = draw(st.integers(1, 6))
    return [keys[start : start + size] for start in range(0, len(keys), size)]


@given(blocks_of_keys())
def test_repeated_keys_are_found_wherever_keys_cease_to_ascend(blocks: list[list[str]]) -> None:
    findings, line, repeated, seen = Findings(), 2, list[int](), set[str]()
    with KeyChecks(KeyColumn(0, str, is_needed=True), "Ext__c", findings) as checks:
        for keys in blocks:
            checks.check(ParsedBlock(1, partial(range, line, line + len(keys)), columns=[keys]))
            for key in keys:
                repeated += [line] * (key in seen)
                seen.add(key)
                line += 1
        checks.finish()
    assert [line for finding in findings.sorted() for line in finding.lines] == repeated
