"""Parts: where rows are cut, and what a part holds."""

import hashlib
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    findings_of,
    plan_of,
    quotings,
    sent_parts,
    tables,
)


@settings(deadline=None)
@given(tables(), dialects, quotings, st.integers(1, 60), st.booleans())
def test_parts_joined_are_the_source_and_none_is_over_the_limit(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, room: int, ended: bool
) -> None:
    content = csv_bytes(table, dialect, quoting)
    header = csv_bytes(table[:1], dialect, quoting)
    if not ended and len(table) > 1 and table[-1][-1]:
        content = content.removesuffix(dialect.newline.encode())
    rows = [csv_bytes([row], dialect, quoting) for row in table[1:]]
    limit = len(header) + max(room, 1, *map(len, rows))
    planned = plan_of(Bytes(content), UNCHANGED, Destination(delimiter=dialect.delimiter, limit=limit))
    sent = sent_parts(planned)
    assert header + b"".join(part.removeprefix(header) for part in sent) == content
    assert all(part.startswith(header) and len(part) <= limit for part in sent)
    assert [(len(part), hashlib.sha256(part).hexdigest()) for part in sent] == [
        (part.size, part.sha256) for part in planned.parts
    ]
    assert (planned.rows, planned.size) == (len(table) - 1, len(content))
    assert planned.sha256 == hashlib.sha256(content).hexdigest()
    assert sum(part.rows for part in planned.parts) == planned.rows
    for part, following in pairwise(sent):
        first = next(iter(_records(following.removeprefix(header), rows)))
        assert len(part) + len(first) > limit, "another row would have fitted"


def _records(content: bytes, rows: list[bytes]) -> list[bytes]:
    return [row for row in rows if content.startswith(row)] or [content]


@settings(deadline=None)
@given(tables(), dialects, quotings, st.integers(0, 60))
def test_parts_of_mapped_rows_joined_are_the_mapped_rows(
    table: list[list[str]], dialect: Dialect, quoting: Quoting, room: int
) -> None:
    source = Bytes(csv_bytes(table, dialect, quoting))
    mapping = ColumnMapping(constants={"Constant__c": "1"})
    job = Destination(delimiter=dialect.delimiter)
    whole = plan_of(source, mapping, job)
    (at_once,) = sent_parts(whole)
    header, *rows = [csv_bytes([[*row, "1"]], dialect, 0) for row in table]
    header = csv_bytes([[*table[0], "Constant__c"]], dialect, 0)
    assert header + b"".join(rows) == at_once
    cut = plan_of(source, mapping, replace(job, limit=len(header) + max(room, 1, *map(len, rows))))
    assert header + b"".join(part.removeprefix(header) for part in sent_parts(cut)) == at_once
    assert cut.sha256 == whole.sha256 == hashlib.sha256(at_once).hexdigest()


def test_a_row_that_does_not_fit_a_part_is_an_error_with_its_line() -> None:
    content = b"Name\na\n" + b"b" * 50 + b"\nc\n"
    destination = Destination(limit=40)
    assert findings_of(content, destination) == snapshot(
        ["error at 3 (1): A row and the header are more than the 40 bytes of an upload. Shorten it."]
    )
    with pytest.raises(InvalidArgument) as raised:
        plan_of(Bytes(content), UNCHANGED, destination, preflight=False)
    assert str(raised.value) == snapshot(
        "Line 3: A row and the header are more than the 40 bytes of an upload. Shorten it."
    )
