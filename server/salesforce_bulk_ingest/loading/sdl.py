"""Data Loader's mapping files (.sdl): Java properties, from a column of the source to a field, or to several.

The form is that of the Data Loader Guide, "Map Columns": a name that nothing stands behind fills no field, and a name in
double quotes is no column but a constant.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_SPACE = " \t\f"
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_KEY = re.compile(r"((?:[^\\=: \t\f]|\\.)*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LoaderMapping:
    """What a mapping file says.

    Attributes:
        columns: the names of columns to the field that each fills, the fields, or None for none.
        constants: names of fields to the cell that every row gets.
    """

    columns: Mapping[str, str | list[str] | None]
    constants: Mapping[str, str]


def loader_mapping(text: str) -> LoaderMapping:
    """Return what the text of a mapping file says."""
    columns, constants = dict[str, str | list[str] | None](), dict[str, str]()
    for line in _lines(text):
        found = _KEY.fullmatch(line)
        assert found is not None  # the form takes every text
        source, target = _unescaped(found[1]), _unescaped(found[2])
        # A field of a parent is Parent:Key__c for Data Loader, and Parent.Key__c in the header of an upload (Bulk API 2.0
        # guide, "Relationship Fields in a Header Row").
        fields = [name.strip().replace(":", ".") for name in target.split(",") if name.strip()]
        if len(source) > 1 and source[0] == source[-1] == '"':
            constants |= dict.fromkeys(fields, source[1:-1])
        else:
            columns[source] = fields[0] if len(fields) == 1 else fields or None
    return LoaderMapping(columns, constants)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with something on them, each with the lines that go on with it (Java, `Properties.load`)."""
    whole = ""
    for each in re.split(r"\r\n|\n|\r", text):
        line = each.lstrip(_SPACE)
        if not whole and (not line or line[0] in "#!"):
            continue
        if _CONTINUED.search(line):
            whole += line[:-1]
            continue
        yield whole + line
        whole = ""
    if whole:
        yield whole


def _unescaped(text: str) -> str:
    def character(escape: re.Match[str]) -> str:
        what = escape[1]
        return chr(int(what[1:], 16)) if len(what) > 1 else _CONTROLS.get(what, what)

    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
