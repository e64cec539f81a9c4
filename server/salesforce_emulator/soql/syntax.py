"""What a query says, before anyone asks whether its objects and fields are there."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from salesforce_emulator.errors import ApiError

MAX_DEPTH = (
    20  # of parentheses that matter; SQLite's parser can follow some thirty, Salesforce's own limit is not known
)
FUNCTIONS = (
    r"AVG|CALENDAR_\w+|CONVERTCURRENCY|CONVERTTIMEZONE|COUNT|COUNT_DISTINCT|DAY_\w+|DISTANCE|FISCAL_\w+|FORMAT|GROUPING"
    r"|HOUR_IN_DAY|MAX|MIN|SUM|TOLABEL|WEEK_\w+"
)
CLAUSES = r"GROUP\s+BY|HAVING|FOR\s+(?:UPDATE|VIEW|REFERENCE)|USING\s+SCOPE|WITH\s+\w+|ALL\s+ROWS"
AFTER_ALIAS = r"$|,|(?:WHERE|ORDER|LIMIT|OFFSET|FOR|USING|WITH|GROUP|HAVING)\b"
NOT_HERE = (
    (r"", r"\(\s*SELECT\b", "a query within a query"),
    (r"\(\s*", r"SELECT\b", "a query within a query"),
    (rf"\b(?:{FUNCTIONS})\s*", r"\(", "functions other than FIELDS() and a lone COUNT()"),
    (r"\bTYPEOF\s+", r"", "TYPEOF"),
    (r"", rf"(?:{CLAUSES})\b", None),
    (r"\bFROM\s+\w+\s+", rf"(?:AS\s+)?\w+\s*(?:{AFTER_ALIAS})", "an alias of the object"),
    (r"", r"\w+_FISCAL_|N_FISCAL_", "fiscal periods"),
)
"""What Salesforce knows of SOQL and this org does not: what is before it, how it begins, and its name, if not that."""
EXCERPT = 40  # characters of the query on either side of a mistake


class QueryError(ApiError):
    """A query that can't be answered; `reason` and `column` (from 1) are for who shows it in another form.

    The message shows the place as the platform does (seen in many threads: an excerpt, a caret, row and column).
    """

    def __init__(self, code: str, reason: str, text: str, position: int) -> None:
        lines = text[:position].split("\n")
        self.reason = reason
        self.column = len(lines[-1]) + 1
        start = max(0, self.column - 1 - EXCERPT)
        excerpt = text.split("\n")[len(lines) - 1][start : self.column + EXCERPT]
        place = f"\n{excerpt}\n{' ' * (self.column - 1 - start)}^\nERROR at Row:{len(lines)}:Column:{self.column}\n"
        super().__init__(400, code, place + reason, platform=True)


class Refusal(Exception):
    """What is wrong at which character; becomes a QueryError where the text of the query is known."""

    def __init__(self, code: str, reason: str, position: int) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.position = position


@contextmanager
def explaining(text: str) -> Iterator[None]:
    """Turn what is refused inside into a QueryError that shows the place in this text."""
    try:
        yield
    except Refusal as refusal:
        raise QueryError(refusal.code, refusal.reason, text, refusal.position) from None


def malformed(reason: str, position: int) -> Refusal:
    """The refusal of what is not SOQL."""
    return Refusal("MALFORMED_QUERY", reason, position)


def position(token: Token) -> int:
    """Where the token begins, in characters of the query."""
    return token.start_pos or 0


@dataclass(frozen=True, slots=True)
class Days:
    """A date literal such as LAST_N_DAYS:7; `token` is its name, `count` its number."""

    token: Token
    count: int


Value = Token | Days


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is a comparator or LIKE, in upper case."""

    name: Token
    operator: str
    value: Value
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """IN, or NOT IN."""

    name: Token
    negated: bool
    values: tuple[Value, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """INCLUDES, or EXCLUDES: what is chosen in a multi-select picklist."""

    name: Token
    negated: bool
    values: tuple[Value, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT."""

    condition: "Condition"
    depth: int


@dataclass(frozen=True, slots=True)
class Junction:
    """AND or OR of two or more; a part is never a junction of the same kind."""

    operator: str
    parts: tuple["Condition", ...]
    depth: int


Condition = Comparison | Membership | Choice | Negation | Junction


@dataclass(frozen=True, slots=True)
class Ordering:
    """One term of ORDER BY."""

    name: Token
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Count:
    """COUNT(), or COUNT(field) with the name that the answer gives it."""

    name: Token | None = None
    alias: str = "expr0"


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    kind: Token


@dataclass(frozen=True, slots=True)
class Select:
    """A whole query."""

    selection: Count | tuple[Token | FieldsOf, ...]
    sobject: Token
    where: Condition | None
    ordering: tuple[Ordering, ...]
    limit: int | None
    offset: int


def parse_query(text: str) -> Select:
    """Understand a query.

    Raises:
        Refusal: it is not SOQL, or more of it than the org knows.
    """
    select: Select = _parse(text, "query")
    return select


def parse_condition(text: str) -> Condition:
    """Understand what may stand after WHERE.

    Raises:
        Refusal: it is not SOQL, or more of it than the org knows.
    """
    condition: Condition = _parse(text, "condition")
    return condition


def _parse(text: str, start: str) -> Any:
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise _unexpected(error, text) from None


def _unexpected(error: UnexpectedInput, text: str) -> Refusal:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return malformed("unexpected token: '<EOF>'", len(text.rstrip()))
    position: int = getattr(error, "pos_in_stream", 0)
    word = re.match(r"\w[\w.]*|.", text[position:], re.DOTALL)
    unsupported = _unsupported(text[:position], text[position:])
    reason = f". The embedded org does not support {unsupported}" if unsupported else ""
    return malformed(f"unexpected token: '{word[0] if word else '<EOF>'}'{reason}", position)


def _unsupported(before: str, after: str) -> str | None:
    """The name of what begins here and is SOQL all the same."""
    for end, start, name in NOT_HERE:
        if re.search(rf"(?:{end})$", before, re.IGNORECASE) and (found := re.match(start, after, re.IGNORECASE)):
            return name or " ".join(found[0].upper().split())
    return None


@cache
def _parser() -> Lark:
    return Lark.open(
        "grammar.lark", rel_to=__file__, parser="lalr", start=["query", "condition"], transformer=_Reader()
    )


@v_args(inline=True)
class _Reader(Transformer[Token, Select]):
    """Builds the classes above, one method per rule of the grammar."""

    def query(self, selection: Count | tuple[Token | FieldsOf, ...], sobject: Token, *clauses: Any) -> Select:
        given = dict(clauses)
        return Select(
            selection,
            sobject,
            given.get("where"),
            given.get("order_by", ()),
            given.get("limit"),
            given.get("offset", 0),
        )

    def count_all(self) -> Count:
        return Count()

    def count_of(self, name: Token, alias: Token | None) -> Count:
        return Count(name, str(alias or "expr0"))

    def select_list(self, *names: Token | FieldsOf) -> tuple[Token | FieldsOf, ...]:
        return names

    def fields_of(self, kind: Token) -> FieldsOf:
        return FieldsOf(kind)

    def where(self, condition: Condition) -> tuple[str, Condition]:
        return "where", condition

    def order_by(self, *terms: Ordering) -> tuple[str, tuple[Ordering, ...]]:
        return "order_by", terms

    def ordering(self, name: Token, direction: Token | None, nulls: Token | None) -> Ordering:
        # documented: null values come first by default, whatever the direction
        return Ordering(name, (direction or "").upper() == "DESC", (nulls or "").upper() == "LAST")

    def nulls(self, place: Token) -> Token:
        return place

    def limit(self, number: Token) -> tuple[str, int]:
        return "limit", _whole(number)

    def offset(self, number: Token) -> tuple[str, int]:
        return "offset", _whole(number)

    def condition(self, condition: Condition) -> Condition:
        return condition

    def all_of(self, *parts: Condition) -> Condition:
        return _junction("AND", parts)

    def any_of(self, *parts: Condition) -> Condition:
        return _junction("OR", parts)

    def negation(self, condition: Condition) -> Condition:
        return condition.condition if isinstance(condition, Negation) else Negation(condition, condition.depth + 1)

    def compared(self, name: Token, operator: Token, value: Value) -> Condition:
        return Comparison(name, {"<>": "!="}.get(operator, operator.upper()), value)

    def listed(self, name: Token, operator: Token, values: tuple[Value, ...]) -> Condition:
        return Membership(name, operator.upper() != "IN", values)

    def chosen(self, name: Token, operator: Token, values: tuple[Value, ...]) -> Condition:
        return Choice(name, operator.upper() != "INCLUDES", values)

    def values(self, *values: Value) -> tuple[Value, ...]:
        return values

    def value(self, value: Value) -> Value:
        return value

    def date_range(self, name: Token, count: Token | None = None) -> Days:
        return Days(name, 0 if count is None else _whole(count))


def _junction(operator: str, parts: Sequence[Condition]) -> Condition:
    flat: list[Condition] = []
    for part in parts:
        same = isinstance(part, Junction) and part.operator == operator
        flat.extend(part.parts if same and isinstance(part, Junction) else [part])
    return Junction(operator, tuple(flat), max(part.depth for part in flat) + 1)


def _whole(number: Token) -> int:
    if not number.isdigit() or len(number) > 9:
        raise malformed(f"unexpected token: '{number}'", position(number))
    return int(number)
