"""How an upload was made is stored under keys that later versions read."""

import json

import pytest

from salesforce_bulk_ingest.cache.upload_origin import UploadOrigin
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, MappedColumn

STORED_BY_AN_EARLIER_VERSION = (
    b'{"sha256": "abc", "columns": ["Kunde", "intern"], "rows": 3, "line": 2, '
    b'"read_as": {"delimiter": "SEMICOLON", "line_ending": "LF"}, '
    b'"sent_as": {"delimiter": "COMMA", "line_ending": "CRLF"}, "shaped": {"columns": ['
    b'{"name": "Name", "place": 0, "constant": "", "values": {"a": "b"}}, '
    b'{"name": "Site", "place": null, "constant": "x", "values": {}}], "width": 2}}'
)
ORIGIN = UploadOrigin(
    sha256="abc",
    source_columns=("Kunde", "intern"),
    rows=3,
    first_line=2,
    source_dialect=Dialect("SEMICOLON", "LF"),
    upload_dialect=Dialect("COMMA", "CRLF"),
    mapping=AppliedMapping((MappedColumn("Name", 0, "", {"a": "b"}), MappedColumn("Site", None, "x", {})), 2),
)


def test_what_an_earlier_version_stored_is_read() -> None:
    assert UploadOrigin.from_json(STORED_BY_AN_EARLIER_VERSION) == ORIGIN


def test_what_is_stored_now_has_the_same_keys() -> None:
    assert json.loads(ORIGIN.as_json()) == json.loads(STORED_BY_AN_EARLIER_VERSION)


def test_a_header_that_is_not_utf_8_is_stored() -> None:
    origin = UploadOrigin("abc", ("N\udcfcme",), 1, 2, Dialect(), Dialect(), None)
    assert UploadOrigin.from_json(origin.as_json()) == origin


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b"\xff", b'{"sha256": "abc"}'])
def test_what_is_no_origin_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):
        UploadOrigin.from_json(stored)
