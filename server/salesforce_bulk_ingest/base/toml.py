"""TOML as people save it."""

import codecs
import re
import tomllib

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_IN_QUOTES = 'texts stand in straight quotes, as in instance = "acme.my"'
_IN_SINGLE_QUOTES = r"paths with \ stand in single quotes, as in upload_roots = ['C:\data']"
_HINTS = {
    "Invalid value": _IN_QUOTES,
    "Expected newline": _IN_QUOTES,
    "Unescaped '\\'": _IN_SINGLE_QUOTES,
    "Invalid hex value": _IN_SINGLE_QUOTES,
}
"""What to do, by the beginning of the parser's message."""

_NAMES = re.compile(r" \(['\"].*\)(?= twice)| \(['\"].*\)(?= \(at )|(?<= key) ['\"].*(?= \(at )", re.DOTALL)
"""The names of tables and keys in the parser's messages, any of which may be a secret in the wrong place."""


def toml_values(data: bytes) -> dict[str, object]:
    """Return the values of a TOML file, which may begin with a byte order mark, as Notepad writes it.

    Raises:
        ValueError: the bytes are no TOML. The message is a part of a sentence, and shows nothing of the file.
    """
    if data.startswith(_UTF_16) or b"\0" in data:
        raise ValueError("it is saved as UTF-16 and has to be saved as UTF-8")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it has to be saved as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(_what_is_wrong(str(error))) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, a thousand brackets
        raise ValueError("a value is too long") from None


def _what_is_wrong(message: str) -> str:
    hint = next((f"; {hint}" for start, hint in _HINTS.items() if message.startswith(start)), "")
    return f"{_NAMES.sub('', message)}{hint}"
