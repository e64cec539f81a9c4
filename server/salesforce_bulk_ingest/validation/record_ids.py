"""Record ids: 15 letters and digits whose case counts, and often a suffix of 3 that says which of them are in upper case.

How the suffix is made: Salesforce Help, "Convert 15-digit IDs to 18-digit IDs" (each of its characters stands for five, the
first of which counts 1, the last 16).
"""

import string
from collections.abc import Sequence

SUFFIXES = string.ascii_uppercase + "012345"
SHORT, LONG = 15, 18

_LENGTHS = frozenset({0, SHORT, LONG})
_UPPER_TO_ONE = bytes(1 if chr(code).isascii() and chr(code).isupper() else 0 for code in range(256))
_SUFFIX_OF_CASES = SUFFIXES.encode().ljust(256, b"?")


def in_its_case(text: str) -> str | None:
    """Return an id with its letters in the case that its suffix tells; None if the text is no id."""
    if len(text) not in (SHORT, LONG) or not (text.isascii() and text.isalnum()):
        return None
    if len(text) == SHORT:
        return text
    suffix = text[SHORT:].upper()
    cases = [SUFFIXES.find(character) for character in suffix]
    if -1 in cases:
        return None
    is_upper = [case >> place & 1 for case in cases for place in range(5)]
    letters = [letter.upper() if upper else letter.lower() for letter, upper in zip(text, is_upper, strict=False)]
    are_letters = all(letter.isupper() for letter, upper in zip(letters, is_upper, strict=True) if upper)
    return "".join(letters) + suffix if are_letters else None


def prefix_of(text: str) -> str | None:
    """Return the first three characters of an id, which tell its object; None if the text is no id."""
    record_id = in_its_case(text)
    return None if record_id is None else record_id[:3]


def is_likely_id(text: str) -> bool:
    """Return whether a text is an id, and no word or name of the same length, which hardly ever has two digits."""
    return in_its_case(text) is not None and sum(map(str.isdigit, text)) > 1


def are_record_ids(cells: Sequence[str], prefix: str) -> bool:
    """Return whether each cell is empty or an id in its own case that begins with the prefix."""
    lengths = set(map(len, cells))
    if not lengths <= _LENGTHS:
        return False
    joined = "".join(cells).encode(errors="replace")
    if joined and not joined.isalnum():  # `isalnum` of bytes is true for ASCII alone
        return False
    if prefix and "\n".join(("", *cells)).count(f"\n{prefix}") != len(cells) - cells.count(""):
        return False
    if LONG not in lengths:
        return True
    return _have_right_suffixes(
        joined if lengths <= {0, LONG} else "".join(cell for cell in cells if len(cell) == LONG).encode()
    )


def _have_right_suffixes(ids: bytes) -> bool:
    """Return whether all ids of 18 characters, one after the other, have the suffix that their case makes.

    The cases of all ids are added up as large numbers, in which each id has one byte: that takes no step for each id.
    """
    upper, count = ids.translate(_UPPER_TO_ONE), len(ids) // LONG
    for place in range(3):
        of_five = sum(int.from_bytes(upper[5 * place + offset :: LONG]) << offset for offset in range(5))
        if of_five.to_bytes(count).translate(_SUFFIX_OF_CASES) != ids[SHORT + place :: LONG]:
            return False
    return True
