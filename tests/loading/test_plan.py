"""Plans: what is known of an upload before it goes out, with and without a preflight."""

import gzip
import hashlib
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, SourceChanged, StorageFailure
from salesforce_bulk_ingest.base.findings import NamedRow
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    file_of,
    plan_of,
    sent_parts,
    uploading,
)
from tests.validation.describing import ACCOUNT


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfName\nAnn\n", b'Name\n"Ann\n', "Name\nÄ\n".encode("utf-16"), b"Name\rAnn\r", b"Name", b"\n\n"],
)
def test_without_a_preflight_anything_goes_out_as_it_is(content: bytes) -> None:
    planned = plan_of(Bytes(content), UNCHANGED, Destination(), preflight=False)
    assert (sent_parts(planned), planned.findings) == ([content], ())
    assert planned.sha256 == hashlib.sha256(content).hexdigest()


def test_without_a_preflight_what_is_no_csv_is_neither_cut_nor_mapped() -> None:
    for mapping, limit in ((UNCHANGED, 8), (ColumnMapping(only=("Name",)), 100)):
        with pytest.raises(InvalidArgument):
            plan_of(Bytes(b'Name\n"Ann\n'), mapping, Destination(limit=limit), preflight=False)


def test_a_gz_file_is_planned_and_sent_as_what_is_in_it(tmp_path: Path) -> None:
    content = b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000))
    packed = uploading(file_of(tmp_path, gzip.compress(content), "rows.csv.gz"))
    bare = uploading(file_of(tmp_path, content))
    small = Destination(limit=5_000)
    assert sent_parts(plan_of(packed, UNCHANGED, small)) == sent_parts(plan_of(bare, UNCHANGED, small))


@pytest.mark.parametrize("preflight", [True, False])
def test_a_file_that_grows_while_it_is_checked_is_refused(tmp_path: Path, preflight: bool) -> None:
    """The last row that was read may be half of one, which nothing shows."""
    path = file_of(tmp_path, b"Name\n" + b"".join(b"Account %d\n" % number for number in range(1000)))

    size = path.stat().st_size

    def append(read_bytes: int) -> None:
        if path.stat().st_size == size:
            with path.open("ab") as file:
                file.write(b"Acc")

    with pytest.raises(SourceChanged, match="while they were checked"):
        plan_of(uploading(path), UNCHANGED, Destination(), preflight=preflight, progress=append)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b'Name\n"never closed\n'])
def test_a_source_that_can_not_be_read_to_its_end_has_no_rows_and_no_part_to_send(content: bytes) -> None:
    planned = plan_of(Bytes(content), UNCHANGED, Destination())
    assert (planned.has_errors, planned.rows, planned.size, planned.sha256, planned.parts) == (True, 0, 0, "", ())


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:40] + b"\0\0\0\0" + data[44:]])
def test_a_broken_gz_file_is_refused(tmp_path: Path, spoil: object) -> None:
    data = gzip.compress(b"".join(b"Account %d\n" % number for number in range(1000)))
    with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged or cut off"):
        plan_of(uploading(file_of(tmp_path, spoil(data))), UNCHANGED, Destination())  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize(
    "mapping", [UNCHANGED, ColumnMapping(constants={"Type": "x"}, values={"Name": {"Ann": "Bob"}})]
)
def test_memory_does_not_grow_with_the_source(tmp_path: Path, mapping: ColumnMapping) -> None:
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for number in range(26):  # more keys than are held in memory
            out.write(b"Ext__c,Name\n" if not number else b"")
            out.write(b"".join(b"%d,Ann\n" % row for row in range(number * 10_000, number * 10_000 + 10_000)))
    tracemalloc.start()
    try:
        planned = plan_of(uploading(path), mapping, Destination("upsert", "Ext__c"))
        for _ in planned.content_of(1):
            pass
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert planned.rows == 260_000


def test_the_rows_of_findings_are_named_unless_their_source_has_changed(tmp_path: Path) -> None:
    content = b"Id,Name\n001000000000001AAA,Acme\nwrong,Duo\n,Trio\n"
    path = file_of(tmp_path, content)
    destination = Destination("update", describe=ACCOUNT)
    planned = plan_of(uploading(path), UNCHANGED, destination, profiled=True)
    rows = [finding.rows for finding in planned.with_named_rows(5).findings]
    assert rows == [(NamedRow("Trio", ""),), (NamedRow("Duo", "wrong"),)]
    path.write_bytes(content + b"more,Quattro\n")
    assert planned.with_named_rows(5) is planned
    without = plan_of(uploading(path), UNCHANGED, destination)
    rows = [finding.rows for finding in without.with_named_rows(5).findings]
    assert rows == [(NamedRow("Trio", ""),), (NamedRow("Duo", "wrong"), NamedRow("Quattro", "more"))]


class KeptBack(Bytes):
    """Rows that can't be read once there is an error."""

    error: IngestError | None = None

    def open(self, dialect: Dialect) -> BinaryIO:
        if self.error is not None:
            raise self.error
        return super().open(dialect)


@pytest.mark.parametrize(
    "error",
    [InvalidArgument("It is gone."), SourceChanged("It was changed."), StorageFailure("No file is free.", "Wait.")],
)
def test_rows_that_can_not_be_read_again_stay_unnamed(error: IngestError, caplog: pytest.LogCaptureFixture) -> None:
    source = KeptBack(b"Id,Name\n001000000000001AAA,Acme\nwrong,Duo\n")
    planned = plan_of(source, UNCHANGED, Destination("update", describe=ACCOUNT))
    source.error = error
    assert planned.with_named_rows(5) is planned
    assert caplog.messages == [f"the rows of findings can't be named: {error}"]
