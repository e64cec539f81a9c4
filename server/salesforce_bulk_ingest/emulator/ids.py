"""Salesforce record ids: 15 case-sensitive characters, and 3 more that carry their case."""

import string
from functools import lru_cache

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase  # ascends as ASCII does, so ids sort by age
SUFFIXES = string.ascii_uppercase + "012345"
POD = "Em"
SERIAL_WIDTH = 10
FIRST_SERIALS = 62**6  # a new org starts its ids somewhere below this, so that ids of two orgs rarely meet


@lru_cache(maxsize=4096)
def _case_of(five: str) -> str:
    return SUFFIXES[sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")]


def to_18(id_15: str) -> str:
    """Append the three characters that hold which of the fifteen letters are upper-case."""
    return id_15 + _case_of(id_15[:5]) + _case_of(id_15[5:10]) + _case_of(id_15[10:])


@lru_cache(maxsize=4096)
def _base62(number: int, width: int) -> str:
    places = []
    for _ in range(width):
        number, place = divmod(number, 62)
        places.append(DIGITS[place])
    return "".join(reversed(places))


def make(prefix: str, serial: int) -> str:
    """The 18-character id of the record with this running number."""
    high, low = divmod(serial, 62**4)
    return to_18(prefix + POD + _base62(high, SERIAL_WIDTH - 4) + _base62(low, 4))


def normal(text: str) -> str | None:
    """The 18-character form of an id given with 15 or 18 characters; None if it is not an id."""
    if len(text) not in (15, 18) or not (text.isascii() and text.isalnum()):
        return None
    id_18 = to_18(text[:15])
    return id_18 if len(text) == 15 or text == id_18 else None
