"""Files in other encodings than UTF-8, as they are read."""

import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import LeaveOut
from salesforce_bulk_ingest.loading.sources import UploadFile
from salesforce_bulk_ingest.loading.transcoding import as_utf_8
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import UNCHANGED, as_line, file_of, plan_of, sent_parts, uploading

ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]


def in_encoding(path: Path, encoding: str) -> UploadFile:
    return UploadFile(uploading(path).file, encoding)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(ENCODINGS),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100)), max_size=5),
)
def test_a_transcoded_stream_is_the_text_in_utf_8_from_any_position(
    text: str, encoding: str, reads: list[tuple[int, int]]
) -> None:
    expected = text.encode()
    with as_utf_8(io.BytesIO(text.encode(encoding)), encoding) as stream:
        for offset, count in reads:
            stream.seek(offset)
            assert stream.read(count) == expected[offset:][:count]
        stream.seek(0)
        assert stream.read() == expected and stream.tell() == len(expected)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("mapping", [UNCHANGED, ColumnMapping(only=("Name", "Größe"))])
def test_parts_of_a_file_in_another_encoding_hold_its_rows(
    tmp_path: Path, compress: type[bytes], mapping: ColumnMapping
) -> None:
    text = "Name,Größe\n" + "".join(f"Müller {number},{number}\n" for number in range(200))
    source = in_encoding(file_of(tmp_path, compress(text.encode("windows-1252"))), "windows-1252")
    plan = plan_of(source, mapping, Destination(limit=1_000))
    parts = [part.decode() for part in sent_parts(plan)]
    assert not plan.findings and len(parts) > 3
    assert all(part.startswith("Name,Größe\n") for part in parts)
    assert "".join(part.removeprefix("Name,Größe\n") for part in parts) == text.removeprefix("Name,Größe\n")


@pytest.mark.parametrize(
    "mapping", [ColumnMapping({"Größe": "Size__c"}), ColumnMapping(leave_out=LeaveOut({"Größe": ("",)}))]
)
def test_a_mapping_that_names_a_column_as_another_encoding_reads_it_is_told_the_encoding(
    tmp_path: Path, mapping: ColumnMapping
) -> None:
    path = file_of(tmp_path, "Name,Größe\nMüller,1\n".encode("windows-1252"))
    plan = plan_of(uploading(path), mapping, Destination())
    assert plan.encoding is not None and plan.encoding.name == "windows-1252"
    assert list(map(as_line, plan.findings)) == snapshot(
        [
            'error at 1 (1): Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Give encoding "windows-1252", which reads "Größe". Look whether that is right, or save the file in UTF-8.'
        ]
    )
    plan = plan_of(in_encoding(path, "euc_jp"), mapping, Destination())
    assert list(map(as_line, plan.findings)) == snapshot(
        [
            'error at 1 (1): Bytes stand for no character in "euc_jp": they would be lost. Name the encoding that the file is in, or mend these rows.'
        ]
    )
    with pytest.raises(InvalidArgument, match='"Straße", which'):
        plan_of(in_encoding(path, "windows-1252"), ColumnMapping({"Straße": "Street__c"}), Destination())


def test_a_large_file_is_transcoded_in_constant_memory(tmp_path: Path) -> None:
    source = in_encoding(file_of(tmp_path, ("Name\n" + "Müller\n" * 1_000_000).encode("utf-16")), "utf-16")
    tracemalloc.start()
    with source.open(Dialect()) as file:
        size = sum(len(chunk) for chunk in iter(lambda: file.read(1 << 16), b""))
        file.seek(size - 8)
        assert file.read() == "Müller\n".encode()
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_bytes_that_the_encoding_lacks_are_found_with_their_lines(tmp_path: Path) -> None:
    content = b"Name\nM\xfcller\nx\x81y\n" + b"ok\n" * 3 + b"\x8d\x8f\xe9\n"
    plan = plan_of(in_encoding(file_of(tmp_path, content), "windows-1252"), UNCHANGED, Destination())
    assert list(map(as_line, plan.findings)) == snapshot(
        [
            'error at 3, 7 (2): Bytes stand for no character in "windows-1252": they would be lost. Name the encoding that the file is in, or mend these rows.'
        ]
    )
    assert plan.encoding is None


def test_a_file_in_utf_8_that_is_read_in_another_encoding_is_found(tmp_path: Path) -> None:
    source = in_encoding(file_of(tmp_path, "Name\nAnn\nMüller\n".encode()), "windows-1252")
    assert list(map(as_line, plan_of(source, UNCHANGED, Destination()).findings)) == snapshot(
        [
            'warning at 3 (1): Cells look like UTF-8 that is read in this encoding, such as "Ã¼" for "ü". Leave encoding out, and look whether the cells are right then.'
        ]
    )


def test_a_file_of_windows_that_is_read_in_iso_8859_is_found(tmp_path: Path) -> None:
    content = "Name\nAnn\nMüller 5 €\n".encode("windows-1252")
    plan = plan_of(in_encoding(file_of(tmp_path, content), "latin1"), UNCHANGED, Destination())
    assert list(map(as_line, plan.findings)) == snapshot(
        [
            'error at 3 (1): Bytes are control characters in "latin1": the letters and signs that are meant would be lost. Give encoding "windows-1252", which reads "Müller", "€", or "cp852", which reads "MŘller", "Ç". Look whether that is right, or save the file in UTF-8.'
        ]
    )
    assert plan.encoding is not None and plan.encoding.name == "windows-1252"
    right = in_encoding(file_of(tmp_path, "Name\nMüller\n".encode("latin1")), "latin1")
    assert not plan_of(right, UNCHANGED, Destination()).findings


def test_a_file_that_says_that_it_is_utf_8_is_not_read_in_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as refused:
        in_encoding(file_of(tmp_path, b"\xef\xbb\xbfName\nAnn\n"), "windows-1252").open(Dialect())
    assert str(refused.value) == snapshot(
        'The file begins with the mark of UTF-8, so it is not in "windows-1252": leave encoding out.'
    )


@pytest.mark.parametrize("encoding", ["UTF-16", "utf_32"])
@pytest.mark.parametrize("content", [b"Name\nAnn\n", "Name\nAnn\n".encode("utf-16-le"), b"N"])
def test_a_file_without_the_mark_that_its_encoding_needs_is_refused(
    tmp_path: Path, encoding: str, content: bytes
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        in_encoding(file_of(tmp_path, content), encoding).open(Dialect())
    order = encoding.lower().replace("_", "-")
    assert str(refused.value) == (
        f'The file does not begin with the mark that says the order of bytes in "{encoding}": give "{order}-le" or '
        f'"{order}-be", or leave encoding out to have one proposed.'
    )


def test_a_file_in_another_encoding_is_proposed_to_be_read_in_it(tmp_path: Path) -> None:
    content = b"Name\n" + b"Ann\n" * 100_000 + "Müller\nJosé\n".encode("windows-1252")
    plan = plan_of(uploading(file_of(tmp_path, content)), UNCHANGED, Destination())
    assert list(map(as_line, plan.findings)) == snapshot(
        [
            'error at 100002, 100003 (2): Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Give encoding "windows-1252", which reads "Müller", "José". Look whether that is right, or save the file in UTF-8.'
        ]
    )
    assert plan.encoding is not None and plan.encoding.name == "windows-1252"
    read = plan_of(in_encoding(file_of(tmp_path, content), "windows-1252"), UNCHANGED, Destination())
    assert not read.findings and read.version != plan.version
