"""The filters of the templates: they turn values into text that is safe and easy to read."""

from typing import Any

from markupsafe import Markup

CELL_CHARACTERS = 40  # of a value in a table; the page of the row shows the whole value

_INVISIBLE = [
    *(code for code in range(0x20) if chr(code) not in "\t\n"),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200B, 0x2010),  # zero width, and marks of direction
    *range(0x2028, 0x202F),  # separators, and overrides of direction, which would reorder the text around them
    *range(0x2060, 0x2070),
    0xFEFF,
]
_REPLACEMENTS = {code: f"⟨U+{code:04X}⟩" for code in _INVISIBLE}


def printable(value: Any) -> Any:
    """Return a text with every invisible or reordering character replaced by its code point; other values unchanged."""
    return value.translate(_REPLACEMENTS) if isinstance(value, str) and not isinstance(value, Markup) else value


def cell(text: str, characters: int = CELL_CHARACTERS) -> str:
    """Return the first characters of the text, on one line."""
    return text[:characters].replace("\n", "↵").replace("\t", "⇥")


def number(value: int) -> str:
    """Return the number with thousands separators."""
    return f"{value:,}"


def plural(count: int, noun: str) -> str:
    """Return the count with its noun, in the plural unless the count is 1."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def time(text: str) -> str:
    """Return a time of the REST API to the second, without its offset."""
    return text[:19].replace("T", " ")


def duration(milliseconds: int) -> str:
    """Return a duration in ms, s, or min and s, whichever suits its length."""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def size(count: int) -> str:
    """Return a number of bytes in B, kB, MB or GB; decimal, as the limits of the API are."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
