"""What a file is that is no CSV, as its first bytes show it."""

import re
from dataclasses import dataclass

_EXPORT = "Export it as CSV in UTF-8."
_UNPACK = "Unpack it, and name the CSV in it; of compressed files, only .gz is read."
_ELSE = "Look whether the right file is named."


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that is no CSV.

    Attributes:
        what: a sentence about what the file is.
        do: a sentence about what to do instead.
    """

    what: str
    do: str


_BY_MAGIC: tuple[tuple[bytes, FileKind], ...] = (
    (b"\xd0\xcf\x11\xe0", FileKind("It is an old Office file, such as an .xls workbook, not CSV.", _EXPORT)),
    (b"%PDF", FileKind("It is a PDF, not CSV.", _EXPORT)),
    (b"{\\rtf", FileKind("It is rich text (RTF), not CSV.", _EXPORT)),
    (b"\x89PNG", FileKind("It is an image (PNG), not CSV.", _ELSE)),
    (b"\xff\xd8\xff", FileKind("It is an image (JPEG), not CSV.", _ELSE)),
    (b"GIF8", FileKind("It is an image (GIF), not CSV.", _ELSE)),
    (b"\x1f\x8b", FileKind("It is compressed with gzip twice.", "Unpack it once.")),
    (b"\x1f\x9d", FileKind("It is compressed (.Z), not CSV.", _UNPACK)),
    (b"BZh", FileKind("It is compressed (bzip2), not CSV.", _UNPACK)),
    (b"\xfd7zXZ", FileKind("It is compressed (xz), not CSV.", _UNPACK)),
    (b"(\xb5/\xfd", FileKind("It is compressed (zstd), not CSV.", _UNPACK)),
    (b"\x04\x22\x4d\x18", FileKind("It is compressed (lz4), not CSV.", _UNPACK)),
    (b"7z\xbc\xaf", FileKind("It is a 7z archive, not CSV.", _UNPACK)),
    (b"Rar!", FileKind("It is a rar archive, not CSV.", _UNPACK)),
    (b"PAR1", FileKind("It is a Parquet file, not CSV.", _EXPORT)),
    (b"Obj\x01", FileKind("It is an Avro file, not CSV.", _EXPORT)),
    (b"SQLite format 3", FileKind("It is an SQLite database, not CSV.", _EXPORT)),
    (b"ID;PWXL", FileKind("It is a SYLK sheet, not CSV.", _EXPORT)),
    (b"ID;PCALC", FileKind("It is a SYLK sheet, not CSV.", _EXPORT)),
    (b"ID;PSCALC", FileKind("It is a SYLK sheet, not CSV.", _EXPORT)),
    (b"version https://git-lfs", FileKind("It is a pointer of Git LFS in place of the file.", "Fetch it: git lfs pull.")),
    (b"MIME-Version:", FileKind("It is a web archive (MHTML), as some programs name .xls, not CSV.", _EXPORT)),
    (b"-----BEGIN ", FileKind("It is a key or a certificate, not CSV.", _ELSE)),
)  # fmt: skip

_WORKBOOK = FileKind("It is an Excel workbook, not CSV.", _EXPORT)
_OPEN_DOCUMENT = FileKind("It is an OpenDocument sheet, not CSV.", _EXPORT)
_ZIP = FileKind("It is a zip archive, not CSV.", _UNPACK)
_HTML = FileKind(
    "It is HTML, not CSV: a web page, perhaps one that asks for a login, or a report that is named .xls.", _EXPORT
)
_XML_SHEET = FileKind("It is an Excel sheet in XML, not CSV.", _EXPORT)
_XML = FileKind("It is XML, not CSV.", _EXPORT)
_JSON = FileKind("It is JSON, not CSV.", "Give the objects as records, or write them as CSV.")

_HTML_START = re.compile(rb"(?i)<(!doctype\s+html|html|head|meta|body|table|style|script|title|div)\b")
_JSON_START = re.compile(rb'\{\s*("[^"]*"\s*:|$)|\[\s*([\[{"\d]|$)')
_ELEMENT = re.compile(rb"<[A-Za-z][\w:.-]*(\s+[\w:.-]+\s*=|\s*/?>\s*(<|$))")
_LONGEST_LOOKED_AT = 4_096


def kind_of(start: bytes) -> FileKind | None:
    """Return what a file is that begins with these bytes, or None if it may be CSV."""
    for magic, kind in _BY_MAGIC:
        if start.startswith(magic):
            return kind
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_kind(start)
    text = start[:_LONGEST_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").strip()
    if _HTML_START.match(text):
        return _HTML
    if text.startswith((b"<?xml", b"<?mso", b"<!DOCTYPE", b"<!--")) or _ELEMENT.match(text):
        is_sheet = b"Excel.Sheet" in start or b"office:spreadsheet" in start
        return _XML_SHEET if is_sheet else _XML
    return _JSON if _JSON_START.match(text) else None


def _archive_kind(start: bytes) -> FileKind:
    if b"opendocument" in start:
        return _OPEN_DOCUMENT
    # The first members of a workbook, as Excel and others order them.
    return (
        _WORKBOOK if any(name in start for name in (b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/")) else _ZIP
    )
