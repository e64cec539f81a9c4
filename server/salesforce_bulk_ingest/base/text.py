"""Text of others in our sentences: shortened, quoted, on one line."""

from collections.abc import Iterable

NAMES_SHOWN = 5
LONGEST_NAME_SHOWN = 60


def shorten(text: str, longest: int) -> str:
    """Return the text, or its first characters and an ellipsis."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def cut(text: str, longest: int) -> str:
    """Return the text, or its first characters and the number of characters that are left out."""
    return text if len(text) <= longest else f"{text[:longest]}…[+{len(text) - longest}]"


def quoted_names(names: Iterable[str], most: int = NAMES_SHOWN) -> str:
    """Return the first few names, each quoted, on one line and not long, and how many more there are."""
    listed = list(names)
    quoted = [f'"{_on_one_line(shorten(name, LONGEST_NAME_SHOWN))}"' for name in listed[:most]]
    more = len(listed) - most
    return ", ".join(quoted) + (f" and {more:,} more" if more > 0 else "")


def as_sentence(message: str) -> str:
    """Return the message with a full stop: Salesforce's own messages come with and without one."""
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _on_one_line(name: str) -> str:
    return "".join(character if character.isprintable() else " " for character in name)
