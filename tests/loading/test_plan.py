"""Plans: what is known of an upload before it goes out, with and without a preflight."""

import gzip
import hashlib
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
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
