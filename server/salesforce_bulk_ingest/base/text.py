"""Text of others (of the org, of files, of callers), which may say anything, in our answers and messages.

In a sentence it is quoted, escaped and cut, on one line (`quoted`, `as_name`). In a structure it is data without hidden
characters (`without_hidden`). A terminal and the log show hidden characters escaped (`visible`). Rows alone stay exact.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

NAMES_SHOWN = 5
LONGEST_NAME_SHOWN = 60
LONGEST_QUOTED = 200

_HIDDEN = re.compile(
    "[\0-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
"""Characters that are not seen, end a line, turn text around, or change a terminal: Unicode's categories Cc, Cf, Cs, Zl and
Zp, and its block of tags and variation selectors."""

_HALF = re.compile("[\ud800-\udfff]")

_encode = json.JSONEncoder(ensure_ascii=False).encode
"""Kept, since `json.dumps` makes an encoder for each text, and a wide header is quoted name by name."""

_NAME = re.compile(r"[A-Za-z][\w.:]*|…\[\+[0-9]+\]", re.ASCII)
"""An API name, or the mark that stands for names that were left out."""


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names with commas between them, and the number of the others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def cut(text: str, longest: int) -> str:
    """Return the text, or its first characters and the number of characters that are left out."""
    return text if len(text) <= longest else f"{text[:longest]}…[+{len(text) - longest}]"


def quoted(text: str, longest: int = LONGEST_QUOTED) -> str:
    """Return a text of others as a part of a sentence: a string of JSON on one line, its hidden characters escaped.

    Args:
        text: the text.
        longest: the maximum number of characters between the quotes; the number of those left out is added to a cut text.
    """

    def length(count: int) -> int:
        return len(as_json(text[:count])) - 2

    most = min(len(text), longest)
    if length(most) > longest:
        most = bisect_right(range(most), longest, key=length) - 1
    return as_json(cut(text, most))


def as_name(text: str) -> str:
    """Return an API name as it is, and any other text quoted: the org may have put a sentence in place of a name."""
    return text if len(text) <= LONGEST_QUOTED and _NAME.fullmatch(text) else quoted(text)


def quoted_names(names: Iterable[str], most: int = NAMES_SHOWN) -> str:
    """Return the first few names, each quoted, and the number of the other names."""
    listed = list(names)
    more = len(listed) - most
    return ", ".join(quoted(name, LONGEST_NAME_SHOWN) for name in listed[:most]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def as_json(value: object) -> str:
    """Return the value as JSON on one line, its hidden characters escaped."""
    return visible(_encode(value))


def visible(text: str) -> str:
    """Return the text on one line, with an escape of JSON in place of each hidden character."""
    return text if _is_plain(text) else _HIDDEN.sub(lambda found: json.dumps(found[0])[1:-1], text)


def without_hidden(value: Any) -> Any:
    """Return a text, or texts in lists and dictionaries, as data for a structure: without hidden characters.

    A line break or a tab becomes a space, half of a character becomes a replacement character.
    """
    return _with_each_text(value, lambda text: text if _is_plain(text) else _HIDDEN.sub(_in_structure, text))


def encodable(value: Any) -> Any:
    """Return a text, or texts in lists and dictionaries, with a replacement character for each half of a character.

    Such halves, which UTF-8 can't encode, stand for the bytes of a file that are not UTF-8 (surrogateescape).
    """
    return _with_each_text(value, _without_halves)


def as_sentence(message: str) -> str:
    """Return the message with a full stop: Salesforce's own messages come with and without one."""
    return message if message.removesuffix('"').endswith((".", "!", "?")) else f"{message}."


def _is_plain(text: str) -> bool:
    """Return whether the text has no hidden characters, in the fastest way for nearly all texts."""
    return text.isascii() and text.isprintable()


def _in_structure(hidden: re.Match[str]) -> str:
    character = hidden[0]
    if character.isspace():
        return " "
    return "\ufffd" if _HALF.match(character) else ""


def _without_halves(text: str) -> str:
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def _with_each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_with_each_text(key, change): _with_each_text(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):  # the texts of a row are changed in this loop, since a page has thousands
        return [change(item) if isinstance(item, str) else _with_each_text(item, change) for item in value]
    return value
