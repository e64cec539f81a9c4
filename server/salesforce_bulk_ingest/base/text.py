"""Text from the org or from files as a part of sentences: shortened, quoted, on one line."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

NAMES_SHOWN = 5
LONGEST_NAME_SHOWN = 60

_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters, line ends, and characters that are invisible or turn text around; JSON leaves them unescaped."""

_HALF = re.compile("[\ud800-\udfff]")

_NAME = re.compile(r"[A-Za-z][\w.:]*|…\[\+[0-9]+\]", re.ASCII)
"""An API name, or the mark that stands for names that were left out."""


def shorten(text: str, longest: int) -> str:
    """Return the text, or its first characters and an ellipsis."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def cut(text: str, longest: int) -> str:
    """Return the text, or its first characters and the number of characters that are left out."""
    return text if len(text) <= longest else f"{text[:longest]}…[+{len(text) - longest}]"


def quoted_names(names: Iterable[str], most: int = NAMES_SHOWN) -> str:
    """Return the first few names, each quoted, shortened and on one line, and the number of the other names."""
    listed = list(names)
    quoted = [f'"{_on_one_line(shorten(name, LONGEST_NAME_SHOWN))}"' for name in listed[:most]]
    more = len(listed) - most
    return ", ".join(quoted) + (f" and {more:,} more" if more > 0 else "")


def encodable(value: Any) -> Any:
    """Return a text, or texts in lists and dictionaries, with a replacement character for each half of a character.

    Such halves, which UTF-8 can't encode, stand for the bytes of a file that are not UTF-8 (surrogateescape).
    """
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, list | tuple) else value


def as_one_line(value: object) -> str:
    """Return the value as JSON on one line, with every invisible character escaped."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def as_name(text: str) -> str:
    """Return an API name as it is, and any other text quoted: the org may have put a sentence in place of a name."""
    return text if _NAME.fullmatch(text) else as_one_line(text)


def as_sentence(message: str) -> str:
    """Return the message with a full stop: Salesforce's own messages come with and without one."""
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _on_one_line(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name)
