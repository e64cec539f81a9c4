"""Encodings of files other than UTF-8: their names, and which one a file without a name for its own is likely to be in.

Nothing in a file says that it is in windows-1252, so an encoding is only proposed, with words as it reads them. Most wrong
encodings show themselves: they read letters as signs or as capitals within words, or as letters of another script. Where
several encodings read a sample without such words, windows-1252 goes first, since that is what Excel writes as "CSV" in the
Americas and western Europe; between others, charset-normalizer counts how much the letters are those of a language.
"""

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from encodings.aliases import aliases
from functools import lru_cache
from itertools import pairwise

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, quoted, quoted_names

UTF_8 = "utf-8"

UTF_8_NAMES = frozenset({UTF_8, "utf-8-sig", "ascii"})
"""The encodings, as codecs name them, whose bytes are UTF-8 already."""

MARKS: Mapping[str, tuple[bytes, ...]] = {
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
"""The byte order marks of each encoding, as codecs name it, that is read by them alone. A mark of UTF-32 begins with one of
UTF-16."""

LONGEST_MARK = 4

CANDIDATES = (
    "windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
    "windows-1257", "koi8-r", "cp932", "gb18030", "big5", "cp949", "euc_jp", "mac-roman", "cp850", "cp852", "cp866",
)  # fmt: skip
"""The encodings that are proposed, in the order in which they are preferred: those that Excel writes as "CSV", by the
language of Windows; that of Russian Unix systems; those of East Asia; those of Excel's "CSV (Macintosh)" and "(MS-DOS)"."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "ansi": ("windows-1252",), "windows": ("windows-1252",), "excel": ("windows-1252",), "western": ("windows-1252",),
    "westerneuropean": ("windows-1252",), "centraleuropean": ("windows-1250",), "easterneuropean": ("windows-1250",),
    "cyrillic": ("windows-1251", "iso-8859-5"), "greek": ("windows-1253", "iso-8859-7"), "turkish": ("windows-1254",),
    "hebrew": ("windows-1255", "iso-8859-8"), "arabic": ("windows-1256", "iso-8859-6"), "baltic": ("windows-1257",),
    "latin": ("windows-1252", "iso-8859-1"), "iso": ("iso-8859-1", "iso-8859-15"), "unicode": ("utf-16",),
    "unicodetext": ("utf-16",), "mac": ("mac-roman",), "utf8bom": ("utf-8",), "utf8withbom": ("utf-8",),
    "dos": ("cp850", "cp437"), "msdos": ("cp850", "cp437"), "oem": ("cp850", "cp437"), "japanese": ("cp932",),
    "korean": ("cp949",), "simplifiedchinese": ("gb18030",), "traditionalchinese": ("big5",),
}  # fmt: skip
"""What programs call encodings in their menus, as `_plain` spells it, with the names of the encodings that are meant: "ANSI"
and "Unicode" are Notepad's, "MS-DOS" and "Unicode Text" Excel's (Microsoft, "File formats that are supported in Excel"), and
"Western European (Windows)" is one of the file origins of its import. Some are names of ISO encodings, too, which hardly
any program writes, and whose letters would be other ones unseen."""

_NO_TEXT = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"""Encodings of Python's in which nobody writes files."""

LEAST_NULS = 8
"""The number of bytes among which UTF-16 has at least one NUL byte, that is one Latin letter or sign in four."""

ALTERNATIVES_SHOWN = 2
AS_LIKELY = 0.1
"""How much less the letters may be those of a language, of 1, for an encoding that is as likely as the proposed one."""

WORDS_SHOWN = 5

_WORD = re.compile(r"[^\W\d_](?:[^\s\x00-\x7f]|[^\W\d_])*")
_LEAST_LETTERS = 4
"""The length of a word from which on it is odd if most of its letters have accents."""

_INSIDE_WORDS = frozenset("\u2018\u2019-\u2013")
"""Signs that words have: apostrophes and hyphens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A sample of a file as an encoding reads it.

    Attributes:
        encoding: the name of the encoding.
        words: a few words with letters that other encodings read otherwise.
    """

    encoding: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{quoted(self.encoding)}{f', which reads {quoted_names(self.words)}' if self.words else ''}"


def codec_name(name: str) -> str:
    """Return the name under which Python has an encoding.

    Raises:
        InvalidArgument: there is no encoding of text with this name.
    """
    meant = _meant_by_word(name)
    codec = None if meant else _codec_of_text(name)
    if codec is not None:
        return codec
    meant = meant or _spelled_alike(name)
    near = meant or get_close_matches(name[:LONGEST_NAME_SHOWN].lower(), _known_names(), 3)
    hint = (
        f"Did you mean {quoted_names(near)}?"
        if near
        else f'Name one such as {quoted_names(CANDIDATES[:3])} or "utf-16".'
    )
    what = "can be one of several" if meant and _codec_of_text(name) else "is not known"
    message = f"encoding {quoted(name, LONGEST_NAME_SHOWN)} {what}. {hint}"
    raise InvalidArgument(message, ("encoding",), meant[0] if len(meant) == 1 else None)


def is_utf_8(name: str) -> bool:
    """Return whether text in an encoding is UTF-8 as it is.

    Raises:
        InvalidArgument: see `codec_name`.
    """
    return codec_name(name) in UTF_8_NAMES


def utf_16_or_32(start: bytes) -> str | None:
    """Return the name of the encoding if a file that begins with these bytes is in UTF-16 or UTF-32, else None."""
    for name, marks in MARKS.items():
        if start.startswith(marks):
            return name
    # Without a mark, delimiters and line ends show it: one byte of each is NUL, always the first or always the second.
    nul_first, nul_second = (b"\0" in start[place::2] for place in (0, 1))
    if nul_first == nul_second or start.count(0) * LEAST_NULS < len(start):
        return None
    name = "utf-16-be" if nul_first else "utf-16-le"
    text = start[: len(start) // 2 * 2].decode(name, "replace")
    return name if all(character.isprintable() or character.isspace() for character in text) else None


def reading_of(start: bytes, encoding: str) -> Reading:
    """Return the first words of a file as an encoding reads them: those of its first line, since cells may be hidden."""
    text = start.decode(encoding, "ignore").removeprefix("\ufeff").strip().partition("\n")[0]
    return Reading(encoding, tuple(dict.fromkeys(re.findall(r"\w+", text)))[:WORDS_SHOWN])


def likely_readings(sample: bytes) -> Sequence[Reading]:
    """Return the likeliest readings of bytes that are not UTF-8, the one to propose first; empty if no encoding fits.

    Args:
        sample: lines of the file, each with such bytes.
    """
    texts = {name: text for name in CANDIDATES if (text := _decoded(sample, name)) is not None}
    odd = {name: _odd_words(text) for name, text in texts.items()}
    least = min(odd.values(), default=0)
    names = _different([name for name in texts if odd[name] == least], texts)
    if len(names) > 1:
        names = _ranked(names, sample)
    return [Reading(name, _words(texts[name])) for name in names]


def _codec_of_text(name: str) -> str | None:
    try:
        codec = codecs.lookup(name).name
        "".encode(name)  # refuses codecs that are not of text, such as base64
    except (LookupError, ValueError):
        return None
    return None if codec.replace("_", "-") in _NO_TEXT else codec


def _plain(name: str) -> str:
    return re.sub("[^0-9a-z]", "", name.lower())


def _meant_by_word(name: str) -> Sequence[str]:
    """Return the encodings that are meant by a word of a menu, with or without Windows or ANSI beside it."""
    plain = _plain(name)
    beside = re.sub("^(windows|ansi)|(windows|ansi)$", "", plain)
    return WORDS.get(plain) or WORDS.get(beside or plain[-4:]) or ()


def _spelled_alike(name: str) -> Sequence[str]:
    """Return the known name with the same letters and digits, as "cp-1252" has those of "cp1252"; `win` is Windows."""
    plain = re.sub("^win(?=[0-9])", "windows", _plain(name))
    alike = [known for known in _known_names() if _plain(known) == plain]
    return alike[-1:]


@lru_cache(maxsize=1)
def _known_names() -> list[str]:
    names = {name.replace("_", "-") for name in (*aliases, *aliases.values())} | set(CANDIDATES)
    return sorted(filter(_codec_of_text, names))


def _decoded(sample: bytes, name: str) -> str | None:
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return None
    is_text = not any(unicodedata.category(character) in ("Cc", "Co", "Cn") for character in set(text) - set("\r\n\t"))
    return text if is_text else None


def _different(names: Sequence[str], texts: dict[str, str]) -> list[str]:
    """Return the names without those that read the sample as an earlier one does."""
    first_with = dict[str, str]()
    return [name for name in names if first_with.setdefault(texts[name], name) == name]


def _ranked(names: Sequence[str], sample: bytes) -> list[str]:
    """Return the name to propose and those that are as likely."""
    # Loaded only here: hardly any file needs it, and each start would wait for it.
    from charset_normalizer import from_bytes

    coherence, mess = dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0)
    by_codec = {codecs.lookup(name).name.replace("-", "_"): name for name in names}
    for match in from_bytes(sample, cp_isolation=list(by_codec), threshold=1.0, enable_fallback=False):
        for codec in match.could_be_from_charset:
            if codec in by_codec:
                coherence[by_codec[codec]], mess[by_codec[codec]] = match.coherence, match.chaos
    first = names[0] if names[0] == CANDIDATES[0] else max(names, key=lambda name: (coherence[name], -mess[name]))
    least = max(coherence[first] - AS_LIKELY, 0.0)
    is_known = any(coherence.values())
    others = [name for name in names if name != first and (coherence[name] > least or not is_known)]
    return [first, *sorted(others, key=lambda name: (-coherence[name], mess[name]))[:ALTERNATIVES_SHOWN]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in re.findall(r"[^\s,;\t|\"]+", text) if not word.isascii()))[:WORDS_SHOWN]


def _odd_words(text: str) -> int:
    """Return the number of words that hardly any language has."""
    return sum(not word.isascii() and _is_odd(word) for word in _WORD.findall(text))


def _is_odd(word: str) -> bool:
    letters = [character for character in word if character.isalpha()]
    inside = word.rstrip("".join(set(word) - set(letters)))
    if any(not character.isalpha() and character not in _INSIDE_WORDS for character in inside):
        return True
    if any(a.islower() and b.isupper() and not b.isascii() for a, b in pairwise(word)):
        return True
    scripts = {_script(character) for character in letters}
    if len(scripts) > 1:
        return True
    accented = sum(not character.isascii() for character in letters)
    return scripts == {"LATIN"} and len(letters) >= _LEAST_LETTERS and accented * 2 > len(letters)


@lru_cache(maxsize=4_096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return "CJK" if name in ("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH", "KATAKANA-HIRAGANA") else name
