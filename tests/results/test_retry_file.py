"""A retry file is read as it was stored, also by an earlier version."""

from array import array
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.cache.file_cache import CachedFile
from salesforce_bulk_ingest.results.retry_file import RetryFile, RetryOrigin

PATH = Path("rows.csv")
FILE = RetryFile(
    PATH,
    (
        RetryOrigin("750000000000001AAA", "failedResults", "abc", array("Q", [4, 0, 9])),
        RetryOrigin("750000000000001AAA", "unprocessedrecords", "def", array("Q", [1])),
    ),
    (Finding("warning", "What.", "Do.", lines=(2,), count=1),),
)
STORED_BY_AN_EARLIER_VERSION = (
    b'{"taken":[{"from_job":"750000000000001AAA","result":"failedResults","sha256":"abc","rows":3},'
    b'{"from_job":"750000000000001AAA","result":"unprocessedrecords","sha256":"def","rows":1}],'
    b'"notes":[{"level":"warning","what":"What.","do":"Do.","column":null,"lines":[2],"count":1}]}\n'
    + array("Q", [4, 0, 9, 1]).tobytes()
)


def test_what_an_earlier_version_stored_is_read_and_so_is_what_is_stored_now() -> None:
    assert RetryFile.read(CachedFile(PATH, STORED_BY_AN_EARLIER_VERSION)) == FILE
    assert RetryFile.read(CachedFile(PATH, FILE.label())) == FILE


@pytest.mark.parametrize("label", [b"", b"{}\n", b"\xff", STORED_BY_AN_EARLIER_VERSION + b"x"])
def test_what_is_no_label_is_refused(label: bytes) -> None:
    with pytest.raises(ValueError):
        RetryFile.read(CachedFile(PATH, label))


def test_the_bits_of_rows_are_those_of_their_numbers_in_the_result() -> None:
    origin = FILE.origins[0]
    assert origin.bits(range(3)) == 1 << 4 | 1 << 0 | 1 << 9
    assert origin.bits([1]) == 1
    assert origin.bits([]) == 0
