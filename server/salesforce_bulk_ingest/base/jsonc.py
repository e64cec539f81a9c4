"""Edits of JSON with comments and trailing commas, as editors keep their settings: all that is not edited stays as it is.

The syntax is that of JSON and, beyond it, `//` and `/* */` comments and a comma after the last item (VS Code, "JSON with
Comments").
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|(?P<blank>//[^\r\n]*|/\*.*?\*/)", re.DOTALL)
_BLANKS = " \t\r\n"
_SPACES = rf"[{_BLANKS}]*"
# A comma that no item is before is none of these, and stays for the reader to refuse.
_TRAILING_COMMA = re.compile(rf"{_STRING}|[{{\[,]{_SPACES},|(?P<blank>,)(?={_SPACES}[}}\]])", re.DOTALL)
_VISIBLE = re.compile(r"[^\r\n]")
_SPACE = re.compile(_SPACES)
_INDENT = re.compile(r"[ \t]*")
# As VS Code has it, a carriage return ends a line by itself, and so a comment, too.
_LINE_END = re.compile(r"\r\n?|\n")

DEFAULT_UNIT = "  "
"""One step of indentation, where the text shows none."""


class NotJson(Exception):
    """A text is not JSON, or has something else where an object is expected; the message is part of a sentence."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object: its key, its value, and where key and value stand in the text."""

    key: str
    value: Any
    start: int
    value_start: int
    value_end: int


@dataclass(frozen=True, slots=True)
class _Object:
    """An object: where its braces stand in the text, and its members in their order."""

    opening: int
    closing: int
    members: tuple[_Member, ...]

    def find(self, key: str) -> _Member | None:
        """Return the member with this key: of several, readers take the last."""
        return next((member for member in reversed(self.members) if member.key == key), None)


def value_at(text: str, *keys: str) -> object:
    """Return the value under the keys, one inside the other; None where there is none.

    Raises:
        NotJson: the text is not JSON, or has no object where one is expected.
    """
    value: object = _parsed(_plain(text)) if text.strip() else {}
    for number, key in enumerate(keys):
        if not isinstance(value, dict):
            raise NotJson(f"{_place(keys[:number])} is no object")
        value = value.get(key)
        if value is None:
            return None
    return value


def with_value(text: str, value: object, *keys: str) -> str:
    """Return the text with a value under the keys, one inside the other; an earlier value there is replaced.

    Args:
        text: JSON with comments, or nothing but blanks.
        value: the value.
        keys: the keys, at least one; an object that is missing on the way, or is null, is made.

    Raises:
        NotJson: the text is not JSON, or has no object where one is expected.
    """
    if not text.strip():
        return _dumped(_nested(value, keys), "", DEFAULT_UNIT, "\n") + "\n"
    value_at(text, *keys)
    return _Edit(text).set(value, keys)


class _Edit:
    """The edit of a text that is JSON and has objects where they are expected."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._uncommented = _COMMENT.sub(_blanked, text)
        self._plain = _plain(text)
        found = _LINE_END.search(text)
        self._newline = found[0] if found else "\n"
        self._root = _object_at(self._plain, _skip(self._plain, 0))
        self._unit = self._indentation_unit()

    def set(self, value: object, keys: tuple[str, ...]) -> str:
        """Return the text with a value under the keys."""
        parent = self._root
        for number, key in enumerate(keys[:-1]):
            found = parent.find(key)
            if found is None or found.value is None:
                return self._with_member(parent, key, _nested(value, keys[number + 1 :]))
            parent = _object_at(self._plain, found.value_start)
        return self._with_member(parent, keys[-1], value)

    def _with_member(self, parent: _Object, key: str, value: object) -> str:
        found = parent.find(key)
        if found is not None:
            written = self._written(value, self._indent(found.start), on_one_line=self._is_on_one_line(parent))
            return self._text[: found.value_start] + written + self._text[found.value_end :]
        if not parent.members:
            return self._with_first_member(parent, key, value)
        return self._with_last_member(parent, key, value)

    def _with_first_member(self, parent: _Object, key: str, value: object) -> str:
        indent = self._indent(parent.opening)
        before, after = self._parted_at_end_of(parent)
        if not _LINE_END.search(after, 0, parent.closing - len(before)):
            after = self._newline + indent + after.lstrip(" \t")
        written = self._written(value, indent + self._unit)
        return f"{before}{self._newline}{indent}{self._unit}{json.dumps(key)}: {written}{after}"

    def _with_last_member(self, parent: _Object, key: str, value: object) -> str:
        last = parent.members[-1]
        before, after = self._parted_at_end_of(parent)
        comma = "" if self._uncommented[_skip(self._uncommented, last.value_end)] == "," else ","
        before = self._text[: last.value_end] + comma + before[last.value_end :]
        if self._is_on_one_line(parent):
            return f"{before} {json.dumps(key)}: {self._written(value, '', on_one_line=True)}{after}"
        indent = self._indent(last.start)
        return f"{before}{self._newline}{indent}{json.dumps(key)}: {self._written(value, indent)}{after}"

    def _parted_at_end_of(self, parent: _Object) -> tuple[str, str]:
        """Return the text up to the end of what stands in an object, comments too, and the rest."""
        end = len(self._text[: parent.closing].rstrip(_BLANKS))
        return self._text[:end], self._text[end:]

    def _is_on_one_line(self, parent: _Object) -> bool:
        return not _LINE_END.search(self._text, parent.opening, parent.closing)

    def _written(self, value: object, indent: str, *, on_one_line: bool = False) -> str:
        return json.dumps(value) if on_one_line else _dumped(value, indent, self._unit, self._newline)

    def _indent(self, position: int) -> str:
        """Return the blanks at the begin of the line of a position."""
        before = max(self._text.rfind(end, 0, position) for end in "\r\n")
        found = _INDENT.match(self._text, before + 1)
        return found[0] if found else ""

    def _indentation_unit(self) -> str:
        members = self._root.members
        first = self._indent(members[0].start) if members else ""
        return first.removeprefix(self._indent(self._root.opening)) or DEFAULT_UNIT


def _nested(value: object, keys: tuple[str, ...]) -> object:
    for key in reversed(keys):
        value = {key: value}
    return value


def _dumped(value: object, indent: str, unit: str, newline: str) -> str:
    return json.dumps(value, indent=unit).replace("\n", newline + indent)


def _plain(text: str) -> str:
    """Return the text with blanks in place of comments and trailing commas, so that positions and lines stay."""
    return _TRAILING_COMMA.sub(_blanked, _COMMENT.sub(_blanked, text))


def _blanked(found: re.Match[str]) -> str:
    return _VISIBLE.sub(" ", found[0]) if found["blank"] else found[0]


def _parsed(plain: str) -> object:
    try:
        return _DECODER.decode(plain)
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None


def _refuse(constant: str) -> NoReturn:
    raise NotJson(f"{constant} is no value of JSON")


# A whole number may have more digits than Python reads.
_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_refuse)


def _place(keys: tuple[str, ...]) -> str:
    return f"what stands in {'.'.join(keys)}" if keys else "what stands in it"


def _object_at(plain: str, opening: int) -> _Object:
    """Return the object whose opening brace stands at a position of a text that is JSON."""
    members = tuple(_members(plain, opening))
    return _Object(opening, _skip(plain, members[-1].value_end if members else opening + 1), members)


def _members(plain: str, opening: int) -> Iterator[_Member]:
    start = _skip(plain, opening + 1)
    while plain[start] != "}":
        key, end = _DECODER.raw_decode(plain, start)
        value_start = _skip(plain, _skip(plain, end) + 1)
        value, value_end = _DECODER.raw_decode(plain, value_start)
        yield _Member(key, value, start, value_start, value_end)
        start = _skip(plain, value_end)
        if plain[start] == ",":
            start = _skip(plain, start + 1)


def _skip(plain: str, position: int) -> int:
    found = _SPACE.match(plain, position)
    return found.end() if found else position
