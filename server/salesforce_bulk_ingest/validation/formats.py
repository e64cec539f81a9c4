"""The formats of foreign cells: dates, numbers and booleans as spreadsheets and exports of many countries write them.

A format is a text that looks like the cells: `DD.MM.YYYY`, `1.234,5`, `Ja/Nein`. It reads a cell as the form that Salesforce
takes, or says that the cell does not fit; it never guesses.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.text import LONGEST_NAME_SHOWN, quoted

EXAMPLES = '"DD.MM.YYYY", "MM/DD/YYYY hh:mm", "1.234,5" or "Yes/No"'

LAST_OF_2000 = 29
"""The last year of two digits that is in this century: Excel takes 00 to 29 for 2000 to 2029 (Microsoft, "Change the date
system, format, or two-digit year interpretation")."""

LONGEST_NUMBER = 60
"""The maximum number of characters of a number; the pattern of numbers would take long for a cell of many spaces."""

MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber mrz",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan feb mrt",
)
"""The names of the months in English, German, French, Spanish, Italian, Dutch and Portuguese, and abbreviations that no name
begins with. Any beginning of at least three letters stands for its month."""

SPACES_IN_NUMBERS = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
MINUS = r"\-\u2212"
"""Signs of negative numbers, for a set of characters in a pattern."""

_ALIKE = dict.fromkeys(SPACES_IN_NUMBERS, SPACES_IN_NUMBERS) | dict.fromkeys(APOSTROPHES, APOSTROPHES)


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the cells of a column.

    Attributes:
        text: the format as the caller writes it.
        read: returns what a cell without spaces around it says, in the form that Salesforce takes; None if the cell does not
            fit.
        reads_blank: whether a blank cell says something, too.
        is_of_numbers: whether the cells are numbers, of which one that does not fit may be another number for Salesforce.
    """

    text: str
    read: Callable[[str], str | None]
    reads_blank: bool = False
    is_of_numbers: bool = False


@lru_cache(maxsize=256)
def format_of(text: str) -> Format:
    """Return the format that a text stands for.

    Raises:
        InvalidArgument: the text is no format, or one that can be meant in two ways.
    """
    made = _date_format(text) or _number_format(text) or _boolean_format(text)
    if made is None:
        raise _refusal(text, f"is none: write it as the cells are, such as {EXAMPLES}")
    return made


def _refusal(text: str, why: str) -> InvalidArgument:
    return InvalidArgument(f"The format {quoted(text, LONGEST_NAME_SHOWN)} {why}.", ("formats",))


# Dates and times

MIDNIGHT = r"00?:00(?::00(?:[.,]0+)?)?|12:00(?::00)?\s?AM"
"""A time that exports write after days; a format that has it as it is says that the cells are days alone."""

_TOKEN = re.compile(rf"{MIDNIGHT}|YYYY|YY|M{{1,4}}|D{{1,2}}|h{{1,2}}|s{{1,3}}|am/pm|[^a-z0-9]+|T(?=h)", re.IGNORECASE)
_ZONE = re.compile(
    r"\s*(?:(?P<utc>Z|UTC)|(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)|"
    r"(?<= )(?P<name>(?!am/pm)[A-Z][\w+-]*/[\w/+-]+))\Z",
    re.IGNORECASE,
)
_PATTERNS = {
    "year": r"(?P<year>\d{4})",
    "short": r"(?P<short>\d{2})",
    "month": r"(?P<month>\d{1,2})",
    "name": r"(?P<name>[^\W\d_]+)\.?",
    "day": r"(?P<day>\d{1,2})",
    "hour": r"(?P<hour>\d{1,2})",
    "minute": r"(?P<minute>\d{2})",
    "second": r"(?P<second>\d{2})",
    "fraction": r"(?P<fraction>\d{1,9})",
    "half": r"(?P<half>[ap])\.?\s?m\.?",
}


def _date_format(text: str) -> Format | None:
    zone_text = _ZONE.search(text)
    tokens = _TOKEN.findall(body := text[: zone_text.start()] if zone_text else text)
    parts = [_part(tokens, place) for place in range(len(tokens))]
    named = [part for part in parts if part in _PATTERNS]
    if "".join(tokens) != body or not named or not body.strip():
        return None
    missing = [
        what
        for what, names in (("day", {"day"}), ("month", {"month", "name"}), ("year", {"year", "short"}))
        if not names & set(named)
    ]
    if missing or len(set(named)) < len(named):
        lacks = f"has no {' and no '.join(missing)}" if missing else "names a part twice"
        raise _refusal(text, f"is one of dates and {lacks}: write it as DD.MM.YYYY or MM/DD/YYYY hh:mm:ss")
    if zone_text and "hour" not in named:
        raise _refusal(text, "has a time zone and no time")
    pattern = re.compile("".join(_pattern(parts, place) for place in range(len(parts))), re.IGNORECASE)
    zone = _zone_of(text, zone_text) if zone_text else None
    return Format(text, lambda cell: _read_date(pattern.fullmatch(cell), zone, cell))


def _part(tokens: list[str], place: int) -> str:
    """Return the name of the part that a token stands for, else the token; `mm` beside hours or seconds is minutes."""
    token = tokens[place].upper()
    before, behind = (
        [other.upper() for other in nearby]
        for nearby in (tokens[max(place - 2, 0) : place], tokens[place + 1 : place + 3])
    )
    if token in ("M", "MM") and ({"H", "HH"} & set(before) or {"S", "SS"} & set(behind)):
        return "minute"
    names = {
        "YYYY": "year", "YY": "short", "M": "month", "MM": "month", "MMM": "name", "MMMM": "name", "D": "day", "DD": "day",
        "H": "hour", "HH": "hour", "S": "second", "SS": "second", "SSS": "fraction", "AM/PM": "half",
    }  # fmt: skip
    return names.get(token, tokens[place])


def _pattern(parts: list[str], place: int) -> str:
    part = parts[place]
    if part not in _PATTERNS:
        return r"\s+" if part.isspace() else re.sub(r"(?:\\\s)+", r"\\s+", re.escape(part))
    beside = parts[max(place - 1, 0) : place] + parts[place + 1 : place + 2]
    pattern = _PATTERNS[part]
    return (
        pattern.replace("{1,2}", "{2}") if any(other in _PATTERNS and other != "half" for other in beside) else pattern
    )


def _read_date(found: re.Match[str] | None, zone: tzinfo | None, cell: str) -> str | None:
    if found is None:
        return cell if _ISO_DATE.fullmatch(cell) and _is_day(cell) else None
    named = found.groupdict()
    try:
        day = date(_year(named), _month(named), int(named["day"]))
        if "hour" not in named:
            return day.isoformat()
        minute, second = int(named.get("minute") or 0), int(named.get("second") or 0)
        moment = datetime(day.year, day.month, day.day, _hour(named), minute, second)
    except ValueError:
        return None
    fraction = named.get("fraction")
    offset = _offset(moment, zone)
    return None if offset is None else f"{moment.isoformat()}{f'.{fraction:.3}' if fraction else ''}{offset}"


_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _is_day(cell: str) -> bool:
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def _year(named: dict[str, str]) -> int:
    if "year" in named:
        return int(named["year"])
    short = int(named["short"])
    return short + (2000 if short <= LAST_OF_2000 else 1900)


def _month(named: dict[str, str]) -> int:
    return int(named["month"]) if "month" in named else month_of(named["name"])


def month_of(name: str) -> int:
    """Return the number of the month with a name, or an abbreviation of it; 0 if it is no name, or may be of two months."""
    plain = _without_accents(name)
    found = {
        number
        for names in MONTHS
        for number, month in enumerate(names.split(), 1)
        if len(plain) >= 3 and _without_accents(month).startswith(plain)
    }
    return found.pop() if len(found) == 1 else 0


def _without_accents(text: str) -> str:
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(letter)
    )


def _hour(named: dict[str, str]) -> int:
    hour = int(named["hour"])
    if "half" not in named:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("there is no such hour of a half day")
    return hour % 12 + (12 if named["half"].lower() == "p" else 0)


def _offset(moment: datetime, zone: tzinfo | None) -> str | None:
    """Return the offset of a moment as Salesforce takes it; None where clocks were set, and it may have two."""
    if zone is None:
        return ""
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        return None
    return first.isoformat()[-6:] if first.utcoffset() else "Z"


def _zone_of(text: str, zone: re.Match[str]) -> tzinfo:
    if zone["utc"]:
        return timezone.utc  # noqa: UP017
    if zone["name"]:
        try:
            return ZoneInfo(zone["name"])
        except (LookupError, OSError, ValueError):
            raise _refusal(text, "names a time zone that is not known") from None
    offset = timedelta(hours=int(zone["hours"]), minutes=int(zone["minutes"]))
    if offset >= timedelta(days=1):
        raise _refusal(text, "has a time zone that there is not")
    return timezone(-offset if zone["sign"] == "-" else offset)


# Numbers


_WITHOUT_MARKS = str.maketrans("", "", f".,{SPACES_IN_NUMBERS}{APOSTROPHES}")


def _number_format(text: str) -> Format | None:
    body = re.search(r"\d(?:.*\d)?", text)
    if body is None or "/" in text:
        return None
    marks = re.findall(r"\D", body[0])
    if any(mark not in f".,{SPACES_IN_NUMBERS}{APOSTROPHES}" for mark in marks):
        return None
    decimal, group = _marks(text, marks, body[0])
    signs = text[: body.start()] + text[body.end() :]
    sign = re.escape(re.sub(rf"[\s()+{MINUS}]", "", signs))
    whole = r"\d+"
    if group:
        between = f"[{_ALIKE.get(group, re.escape(group))}]"
        first, middle = (r"\d{1,2}", rf"(?:{between}\d{{2}})*") if _is_indian(body[0], group) else (r"\d{1,3}", "")
        again = "" if middle else f"(?:{between}\\d{{3}})*"
        whole = rf"(?:{first}{middle}{between}\d{{3}}{again}|\d+)"
    part = rf"(?:{re.escape(decimal)}(?P<part>\d*))?" if decimal else "(?P<part>)"
    only = rf"|{re.escape(decimal)}(?P<only>\d+)" if decimal else "|(?P<only>(?!))"
    currency = rf"(?:{sign})?\s*" if sign else ""
    form = (
        rf"(?P<open>\()?\s*(?P<before>[+{MINUS}])?\s*{currency}(?P<inner>[+{MINUS}])?\s*"
        rf"(?:(?P<whole>{whole}){part}{only})(?P<exponent>E[+-]?\d{{1,3}})?"
        rf"\s*{currency}(?P<after>[{MINUS}])?\s*(?P<close>\))?"
    )
    # Salesforce takes no other digits than these.
    pattern = re.compile(form.replace(r"\d", "[0-9]"), re.IGNORECASE)

    def read(cell: str) -> str | None:
        return _read_number(pattern.fullmatch(cell)) if len(cell) <= LONGEST_NUMBER else None

    return Format(text, read, is_of_numbers=True)


def _marks(text: str, marks: list[str], body: str) -> tuple[str, str]:
    """Return the decimal mark and the mark between groups of digits; each is empty if the sample has none."""
    if not marks:
        return "", ""
    last, before = marks[-1], set(marks[:-1])
    behind = len(body) - body.rindex(last) - 1
    is_group = last in before or last not in ".,"
    if len(before) > 1 or (is_group and (before - {last} or behind != 3)):
        raise _refusal(text, "has marks of more than one kind between groups of digits: write it as 1.234,5 or 1,234.5")
    if is_group:
        return "", last
    if before:
        return last, before.pop()
    if behind == 3:
        raise _refusal(text, f"can be meant in two ways: write 1{last}234{'.,'.replace(last, '')}5 or 1234{last}5")
    return last, ""


def _is_indian(body: str, group: str) -> bool:
    """Return whether a sample has groups of two digits before the last of three, as 1,23,456.7 has."""
    groups = [len(re.match(r"\d*", digits)[0]) for digits in body.split(group)]  # type: ignore[index]  # it matches nothing
    return len(groups) > 2 and set(groups[1:-1]) == {2}


def _read_number(found: re.Match[str] | None) -> str | None:
    if found is None:
        return None
    opened, before, inner, whole, part, only, exponent, after, closed = found.groups()
    negatives = [sign for sign in (opened, before, inner, after) if sign]
    if len(negatives) > 1 or bool(opened) != bool(closed):
        return None
    minus = "-" if negatives and negatives[0] != "+" else ""
    fraction = part or only or ""
    # A fraction of zeros says nothing, and a field of whole numbers takes none.
    behind = f".{fraction}" if fraction.strip("0") else ""
    return f"{minus}{whole.translate(_WITHOUT_MARKS) if whole else '0'}{behind}{exponent or ''}"


# Booleans


def _boolean_format(text: str) -> Format | None:
    if text.count("/") != 1:
        return None
    true, false = (word.strip().casefold() for word in text.split("/"))
    if true == false:
        raise _refusal(text, "has the same word for true and for false")
    words = {"true": "true", "false": "false", true: "true", false: "false"}
    return Format(text, lambda cell: words.get(cell.casefold()), reads_blank="" in (true, false))
