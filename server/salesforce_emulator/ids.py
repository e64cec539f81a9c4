"""Salesforce record ids: 15 case-sensitive characters, and 3 more that carry their case."""

import string
from functools import lru_cache

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase  # ascends as ASCII does, so ids sort by age
SUFFIXES = string.ascii_uppercase + "012345"
POD = "Em"
JOB_PREFIX = "750"
FIRST_SERIALS = 62**6  # a new org starts its ids somewhere below this, so that ids of two orgs rarely meet

_PAIRS = [high + low for high in DIGITS for low in DIGITS]  # two digits at a time, for speed
_CASE = {ord(letter): "1" if letter.isupper() else "0" for letter in DIGITS}


def _case_of(five: str) -> str:
    return SUFFIXES[int(five[::-1].translate(_CASE), 2)]


def to_18(id_15: str) -> str:
    """Append the three characters that hold which of the fifteen letters are upper-case."""
    return id_15 + _case_of(id_15[:5]) + _case_of(id_15[5:10]) + _case_of(id_15[10:])


def make(prefix: str, serial: int) -> str:
    """The 18-character id of the record with this running number, which must be below 62**10."""
    high, low = divmod(serial, 62**5)
    head, case = _head(prefix, high)
    tail = _five(low)
    return f"{head}{tail}{case}{_case_of(tail)}"


@lru_cache(maxsize=100)
def _head(prefix: str, high: int) -> tuple[str, str]:
    """What the ids of a million records in a row have in common: ten characters, and the case of them."""
    first, second = prefix + POD, _five(high)
    return first + second, _case_of(first) + _case_of(second)


def _five(number: int) -> str:
    pairs, last = divmod(number, 62)
    high, low = divmod(pairs, 3844)
    return f"{_PAIRS[high]}{_PAIRS[low]}{DIGITS[last]}"


def normal(text: str) -> str | None:
    """The 18-character form of an id given with 15 or 18 characters; None if it is not an id."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    id_18 = to_18(text[:15])
    return id_18 if len(text) == 15 or text == id_18 else None
