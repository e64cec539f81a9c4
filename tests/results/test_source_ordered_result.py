"""A result in source order is read as it was stored, also by an earlier version."""

from array import array
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.file_cache import CachedFile
from salesforce_bulk_ingest.results.source_ordered_result import SourceOrderedResult

PATH = Path("failedResults.source.csv")
RESULT = SourceOrderedResult(
    made_from=("abc", "def"),
    path=PATH,
    matched=array("Q", [3, 1, 2]),
    unsure_outcomes=array("Q", [1, 2]),
    unmatched=array("Q", [0]),
    ambiguous=array("Q", [4, 5]),
    ambiguous_lines=(7, 8),
)
STORED_BY_AN_EARLIER_VERSION = (
    b'{"of":["abc","def"],"tied":3,"mixed":2,"untied":1,"unsure_lines":[7,8]}\n'
    + array("Q", [3, 1, 2, 1, 2, 0, 4, 5]).tobytes()
)


def test_what_an_earlier_version_stored_is_read_and_stored_the_same_way() -> None:
    assert SourceOrderedResult.read(CachedFile(PATH, STORED_BY_AN_EARLIER_VERSION)) == RESULT
    assert RESULT.label() == STORED_BY_AN_EARLIER_VERSION


@pytest.mark.parametrize("label", [b"", b"{}\n", b"\xff", STORED_BY_AN_EARLIER_VERSION + b"x"])
def test_what_is_no_label_is_refused(label: bytes) -> None:
    with pytest.raises(ValueError):
        SourceOrderedResult.read(CachedFile(PATH, label))
