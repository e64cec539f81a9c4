"""How values become text that is safe and pleasant to read."""

from typing import Any

from markupsafe import Markup

CELL_CHARACTERS = 40  # of a value in a table; its row's own page shows the whole

_UNSEEN = [
    *(code for code in range(0x20) if chr(code) not in "\t\n"),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200B, 0x2010),  # no width, or marks of direction
    *range(0x2028, 0x202F),  # separators, and overrides of direction that would rearrange what stands around them
    *range(0x2060, 0x2070),
    0xFEFF,
]
_VISIBLE = {code: f"⟨U+{code:04X}⟩" for code in _UNSEEN}


def printable(value: Any) -> Any:
    """Text with every character that can't be seen, or moves others, replaced by one that can; all else as it is."""
    return value.translate(_VISIBLE) if isinstance(value, str) and not isinstance(value, Markup) else value


def cell(text: str, characters: int = CELL_CHARACTERS) -> str:
    """The beginning of the text, on one line."""
    return text[:characters].replace("\n", "↵").replace("\t", "⇥")


def number(value: int) -> str:
    """With thousands apart."""
    return f"{value:,}"


def plural(count: int, noun: str) -> str:
    """The count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def time(text: str) -> str:
    """A date of the REST API, to the second, for people."""
    return text[:19].replace("T", " ")


def duration(milliseconds: int) -> str:
    """In the unit that fits."""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def size(count: int) -> str:
    """Bytes in the unit that fits, decimal as the limits of the API are."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
