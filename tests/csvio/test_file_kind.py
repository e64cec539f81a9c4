"""Files that are no CSV are named as what they are, and CSV is not taken for them."""

import io
import zipfile

import pytest

from salesforce_bulk_ingest.csvio.file_kind import kind_of


def archive_of(name: str, content: bytes = b"") -> bytes:
    """A zip archive of one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"<!DOCTYPE html>\n<html>", "HTML"),
        (b'\xef\xbb\xbf\r\n <html xmlns:x="urn:schemas-microsoft-com:office:excel">', "HTML"),
        (b"<table><tr><td>Name</td></tr></table>", "HTML"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "Excel sheet in XML"),
        (b'<?xml version="1.0"?>\n<rows>', "XML"),
        (b"<Error><Code>AccessDenied</Code></Error>", "XML"),
        (b'{"Name": "Ann"}\n{"Name": "Bob"}', "JSON"),
        (b'[\n  {"Name": "Ann"}\n]', "JSON"),
        (b"{\n", "JSON"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (archive_of("[Content_Types].xml"), "Excel workbook"),
        (archive_of("xl/workbook.xml"), "Excel workbook"),
        (archive_of("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), "OpenDocument"),
        (archive_of("rows.csv", b"Name,Phone"), "zip archive"),
        (b"\x1f\x8b\x08", "gzip twice"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"(\xb5/\xfd", "zstd"),
        (b"7z\xbc\xaf'\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"ID;PWXL;N;E", "SYLK"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"MIME-Version: 1.0", "MHTML"),
    ],
)
def test_a_file_that_is_no_csv_is_named(start: bytes, word: str) -> None:
    kind = kind_of(start)
    assert kind is not None and word in kind.what and kind.do.endswith(".")


@pytest.mark.parametrize(
    "start",
    [
        b"", b"ID;Priority;Name", b"ID,Name", b"Name",
        b'"<b>Name</b>",Phone', b"<Name>,Phone", b"[Name],[Phone]", b"{Name},{Phone}",
        b"PAR1,PAR2", b"PK,Name", b"BZ,Name", b"MIME,Name", b"< 5,Name", b"%,Name",
    ],
)  # fmt: skip
def test_a_header_of_csv_is_no_other_file(start: bytes) -> None:
    assert kind_of(start) is None
