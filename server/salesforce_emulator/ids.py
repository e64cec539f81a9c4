"""Salesforce record ids: 15 case-sensitive characters, and a suffix of 3 that encodes which of them are upper-case."""

import string
from functools import lru_cache

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase  # in ASCII order, so that ids sort by age
SUFFIXES = string.ascii_uppercase + "012345"
POD = "Em"
JOB_PREFIX = "750"
FIRST_SERIALS = 62**6  # a new org starts its serial numbers at random below this, so that two orgs rarely share an id

_PAIRS = [high + low for high in DIGITS for low in DIGITS]  # all numbers of two digits, to convert two at a time
_CASE = {ord(letter): "1" if letter.isupper() else "0" for letter in DIGITS}


def _suffix_character(five: str) -> str:
    """Return the character of the suffix that encodes which of five characters are upper-case."""
    return SUFFIXES[int(five[::-1].translate(_CASE), 2)]


def to_18(id_15: str) -> str:
    """Return the 18-character form of a 15-character id."""
    return id_15 + _suffix_character(id_15[:5]) + _suffix_character(id_15[5:10]) + _suffix_character(id_15[10:])


def make(prefix: str, serial: int) -> str:
    """Return the 18-character id of the record with this serial number.

    Args:
        prefix: the key prefix of the record's object, three characters.
        serial: the serial number, below 62**10.
    """
    high, low = divmod(serial, 62**5)
    first_ten, suffix_start = _first_ten(prefix, high)
    last_five = _five_digits(low)
    return f"{first_ten}{last_five}{suffix_start}{_suffix_character(last_five)}"


@lru_cache(maxsize=100)
def _first_ten(prefix: str, high: int) -> tuple[str, str]:
    """Return the first ten characters of an id, and the two characters of its suffix that encode their case.

    62**5 consecutive serial numbers share both, hence the cache.
    """
    first, second = prefix + POD, _five_digits(high)
    return first + second, _suffix_character(first) + _suffix_character(second)


def _five_digits(number: int) -> str:
    """Return a number below 62**5 in base 62, with leading zeros."""
    pairs, last = divmod(number, 62)
    high, low = divmod(pairs, 3844)
    return f"{_PAIRS[high]}{_PAIRS[low]}{DIGITS[last]}"


def normal(text: str) -> str | None:
    """Return the 18-character form of an id of 15 or 18 characters, or None if the text is not an id."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    id_18 = to_18(text[:15])
    return id_18 if len(text) == 15 or text == id_18 else None


def in_its_case(text: str) -> str | None:
    """Return the 18-character form of an id whose letters may have lost their case, which the suffix tells.

    None if the text is not an id.
    """
    if len(text) != 18 or not (text.isascii() and text.isalnum()):
        return normal(text)
    positions = [SUFFIXES.find(letter) for letter in text[15:].upper()]
    if -1 in positions:
        return None
    is_upper = "".join(f"{position:05b}"[::-1] for position in positions)
    letters = (
        letter.upper() if upper == "1" else letter.lower() for letter, upper in zip(text, is_upper, strict=False)
    )
    return normal("".join(letters) + text[15:].upper())
