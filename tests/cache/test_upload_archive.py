"""An archived upload gives each row as it was sent, and the row of the source that it was made from."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import assume, given

from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, DamagedUpload, UploadOrigin
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES
from salesforce_bulk_ingest.loading.mapping import AppliedMapping, ColumnMapping, MappedColumn
from tests.cache.making import archived, content_of
from tests.loading.making import COMMA_LF, csv_bytes, read_rows, tables

MAPPING = ColumnMapping(
    columns={"Kunde": "Name", "intern": None}, constants={"Site": "Köln"}, values={"Name": {"A": "B"}}
)


def uploaded_rows(upload: ArchivedUpload) -> list[list[str]]:
    return [list(row) for block in upload.blocks() for row in block.uploaded.rows[: block.row_count]]


def source_rows(upload: ArchivedUpload) -> list[list[str]]:
    return [list(row) for block in upload.blocks() for row in block.source.rows[: block.row_count]]


@given(tables())
def test_the_rows_are_those_that_were_sent(tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]) -> None:
    assume(len(table) > 1)
    content = content_of(csv_bytes(table, COMMA_LF))
    upload = archived(tmp_path_factory.mktemp("archive"), content)
    assert [list(upload.uploaded_header()), *uploaded_rows(upload)] == read_rows(b"".join(content))
    assert source_rows(upload) == table[1:]


def test_rows_of_a_mapping_are_made_again_from_the_source(tmp_path: Path) -> None:
    content = content_of(b"Kunde,intern\nA,1\nC,2\n", MAPPING)
    upload = archived(tmp_path, content)
    assert list(upload.uploaded_header()) == ["Name", "Site"]
    assert uploaded_rows(upload) == [["B", "Köln"], ["C", "Köln"]]
    assert source_rows(upload) == [["A", "1"], ["C", "2"]]
    (block,) = upload.blocks()
    assert list(block.lines) == [2, 3]
    assert [list(column) for column in block.uploaded_columns(2)] == [["B", "C"], ["Köln", "Köln"]]


def test_rows_that_were_read_in_formats_are_read_so_again(tmp_path: Path) -> None:
    mapping = ColumnMapping(
        columns={"Tag": "Start__c", "Betrag": ("Amount", "Budget__c")},
        values={"Start__c": {"heute": "31.1.2026"}},
        formats={"Start__c": "DD.MM.YYYY", "Amount": "1.234,5", "Budget__c": "1.234,5"},
    )
    content = content_of(b'Tag;Betrag\n1.2.2026;"1.000,5"\nheute;x\n', mapping)
    upload = archived(tmp_path, content)
    rows = [["2026-02-01", "1000.5", "1000.5"], ["2026-01-31", "x", "x"]]
    assert uploaded_rows(upload) == rows == read_rows(b"".join(content), upload.origin.upload_dialect)[1:]


@pytest.mark.parametrize("mapping", [ColumnMapping(), ColumnMapping(only=("Name",))])
def test_a_part_has_its_own_rows_and_the_lines_of_the_source(mapping: ColumnMapping, tmp_path: Path) -> None:
    rows = [f'"Row\n{number:03}",x' for number in range(100)]
    source = ("Name,Site\n" + "\n".join(rows) + "\n").encode()
    content = content_of(source, mapping, limit=500, part=2)
    upload = archived(tmp_path, content)
    names = [row[0] for row in read_rows(b"".join(content))[1:]]
    assert [row[0] for row in uploaded_rows(upload)] == names and len(names) == content.rows
    lines = [line for block in upload.blocks() for line in block.lines]
    assert [source.decode().split("\n")[line - 1] for line in lines] == [f'"{name.splitlines()[0]}' for name in names]


def test_rows_of_many_blocks_are_counted_on(tmp_path: Path) -> None:
    source = b"Name\n" + b"".join(b"%050d\n" % number for number in range(3 * BLOCK_BYTES // 50))
    upload = archived(tmp_path, content_of(source))
    blocks = list(upload.blocks())
    assert len(blocks) > 2
    assert [block.first_row for block in blocks[1:]] == [before.first_row + before.row_count for before in blocks[:-1]]


@pytest.mark.parametrize("damage", ["cut", "rows missing", "not gzip"])
def test_a_damaged_upload_is_refused(damage: str, tmp_path: Path) -> None:
    upload = archived(tmp_path, content_of(b"Name\nA\nB\n"))
    whole = upload.path.read_bytes()
    damaged = {"cut": whole[:-9], "rows missing": gzip.compress(b"Name\nA\n"), "not gzip": b"Name\nA\nB\n"}
    upload.path.write_bytes(damaged[damage])
    with pytest.raises(DamagedUpload):
        list(upload.blocks())


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


def test_a_format_of_another_version_is_refused() -> None:
    stored = STORED_BY_AN_EARLIER_VERSION.replace(b'"values": {}', b'"values": {}, "format": "of another version"')
    with pytest.raises(ValueError, match="of another version"):
        UploadOrigin.from_json(stored)


def test_a_header_that_is_not_utf_8_is_stored() -> None:
    origin = UploadOrigin("abc", ("N\udcfcme",), 1, 2, Dialect(), Dialect(), None)
    assert UploadOrigin.from_json(origin.as_json()) == origin


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b"\xff", b'{"sha256": "abc"}'])
def test_what_is_no_origin_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError):
        UploadOrigin.from_json(stored)
