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


def _no_csv(name: str, do: str) -> FileKind:
    return FileKind(f"It is {name}, not CSV.", do)


_BY_MAGIC = {
    b"\xd0\xcf\x11\xe0": _no_csv("an old Office file, such as an .xls workbook", _EXPORT),
    b"%PDF": _no_csv("a PDF", _EXPORT),
    b"{\\rtf": _no_csv("rich text (RTF)", _EXPORT),
    b"PAR1\x15": _no_csv("a Parquet file", _EXPORT),  # PAR1 alone may be the name of a column
    b"Obj\x01": _no_csv("an Avro file", _EXPORT),
    b"SQLite format 3": _no_csv("an SQLite database", _EXPORT),
    **dict.fromkeys((b"ID;PWXL", b"ID;PCALC", b"ID;PSCALC"), _no_csv("a SYLK sheet", _EXPORT)),
    b"MIME-Version:": _no_csv("a web archive (MHTML), as some programs name .xls", _EXPORT),
    b"\x89PNG": _no_csv("an image (PNG)", _ELSE),
    b"\xff\xd8\xff": _no_csv("an image (JPEG)", _ELSE),
    b"GIF8": _no_csv("an image (GIF)", _ELSE),
    b"-----BEGIN ": _no_csv("a key or a certificate", _ELSE),
    b"\x1f\x8b": FileKind("It is compressed with gzip twice.", "Unpack it once."),
    b"\x1f\x9d": _no_csv("compressed (.Z)", _UNPACK),
    b"BZh": _no_csv("compressed (bzip2)", _UNPACK),
    b"\xfd7zXZ": _no_csv("compressed (xz)", _UNPACK),
    b"(\xb5/\xfd": _no_csv("compressed (zstd)", _UNPACK),
    b"\x04\x22\x4d\x18": _no_csv("compressed (lz4)", _UNPACK),
    b"7z\xbc\xaf": _no_csv("a 7z archive", _UNPACK),
    b"Rar!": _no_csv("a rar archive", _UNPACK),
    b"version https://git-lfs": FileKind("It is a pointer of Git LFS in place of the file.", "Fetch it: git lfs pull."),
}
"""The kinds of files by the bytes that they begin with."""

_WORKBOOK = _no_csv("an Excel workbook", _EXPORT)
_OPEN_DOCUMENT = _no_csv("an OpenDocument sheet", _EXPORT)
_ZIP = _no_csv("a zip archive", _UNPACK)
_HTML = FileKind(
    "It is HTML, not CSV: a web page, perhaps one that asks for a login, or a report that is named .xls.", _EXPORT
)
_XML_SHEET = _no_csv("an Excel sheet in XML", _EXPORT)
_XML = _no_csv("XML", _EXPORT)
_JSON = _no_csv("JSON", "Give the objects as records, or write them as CSV.")

_HTML_START = re.compile(rb"(?i)<(!doctype\s+html|html|head|meta|body|table|style|script|title|div)\b")
_JSON_START = re.compile(rb'\{\s*("[^"]*"\s*:|$)|\[\s*([\[{"\d]|$)')
_ELEMENT = re.compile(rb"<[A-Za-z][\w:.-]*(\s+[\w:.-]+\s*=|\s*/?>\s*(<|$))")
_LONGEST_LOOKED_AT = 4_096


def kind_of(start: bytes) -> FileKind | None:
    """Return what a file is that begins with these bytes, or None if it may be CSV."""
    for magic, kind in _BY_MAGIC.items():
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
