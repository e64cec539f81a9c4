"""One pass over the rows: what it refuses without a preflight, and its progress."""

from dataclasses import replace
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import LeaveOut
from salesforce_bulk_ingest.loading.sources import RowSource
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import UNCHANGED, Bytes, file_of, plan_of, sent_parts, uploading


@pytest.mark.parametrize("mapping", [UNCHANGED, ColumnMapping(only=("Name",))])
@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"Name,City\nAnn,\x81x\n", "windows-1252"),
        (b"Name,\x81x\nAnn,1\n", "windows-1252"),
        ("Name,City\nAnn,1\n".encode("utf-16") + b"\x00", "utf-16"),
        (b'Name,City\nAnn,"1\n', "windows-1252"),
    ],
)
def test_without_a_preflight_what_can_not_be_read_in_its_encoding_is_refused(
    content: bytes, encoding: str, mapping: ColumnMapping, tmp_path: Path
) -> None:
    source = replace(uploading(file_of(tmp_path, content)), encoding=encoding)
    with pytest.raises(InvalidArgument):
        plan_of(source, mapping, Destination(), preflight=False)


@pytest.mark.parametrize("before", ["sep=;\n", "\n", ";;\n"])
def test_without_a_preflight_lines_before_the_header_are_refused_or_left_out(before: str) -> None:
    content = f"{before}Name;City\nAnn;1\n".encode()
    with pytest.raises(InvalidArgument, match="notRows"):
        plan_of(Bytes(content), UNCHANGED, Destination(), preflight=False)
    without = ColumnMapping(leave_out=LeaveOut(not_rows=True))
    assert sent_parts(plan_of(Bytes(content), without, Destination(), preflight=False)) == [b"Name;City\nAnn;1\n"]


def test_progress_is_reported_and_can_end_the_pass() -> None:
    class Cancelled(Exception):
        pass

    reported = []

    def progress(read_bytes: int) -> None:
        reported.append(read_bytes)
        raise Cancelled

    source: RowSource = Bytes(b"Name\nAnn\n")
    with pytest.raises(Cancelled):
        plan_of(source, UNCHANGED, Destination(), progress=progress)
    assert reported == [9]
