"""The syntax of SOQL: parses a query into dataclasses, without a look at the objects and fields of the org."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from salesforce_emulator.errors import ApiError

MAX_DEPTH = 20
"""The greatest depth of nested conditions. SQLite's parser follows some thirty levels; Salesforce's limit is not known."""

FUNCTIONS = (
    r"AVG|CALENDAR_\w+|CONVERTCURRENCY|CONVERTTIMEZONE|COUNT|COUNT_DISTINCT|DAY_\w+|DISTANCE|FISCAL_\w+|FORMAT|GROUPING"
    r"|HOUR_IN_DAY|MAX|MIN|SUM|TOLABEL|WEEK_\w+"
)
CLAUSES = r"GROUP\s+BY|HAVING|FOR\s+(?:UPDATE|VIEW|REFERENCE)|USING\s+SCOPE|WITH\s+\w+|ALL\s+ROWS"
AFTER_ALIAS = r"$|,|(?:WHERE|ORDER|LIMIT|OFFSET|FOR|USING|WITH|GROUP|HAVING)\b"
UNSUPPORTED = (
    (r"", r"\(\s*SELECT\b", "a query within a query"),
    (r"\(\s*", r"SELECT\b", "a query within a query"),
    (rf"\b(?:{FUNCTIONS})\s*", r"\(", "functions other than FIELDS() and a lone COUNT()"),
    (r"\bTYPEOF\s+", r"", "TYPEOF"),
    (r"", rf"(?:{CLAUSES})\b", None),
    (r"\bFROM\s+\w+\s+", rf"(?:AS\s+)?\w+\s*(?:{AFTER_ALIAS})", "an alias of the object"),
    (r"", r"\w+_FISCAL_|N_FISCAL_", "fiscal periods"),
)
"""The parts of SOQL that the emulator does not support.

Each part has a pattern of the text before it, a pattern of its beginning, and a name; None if its beginning is its name.
"""

EXCERPT_CHARACTERS = 40
"""The number of characters of the query that an error shows on either side of the mistake."""


class QueryError(ApiError):
    """A refused query (400).

    The message shows the position of the mistake as the platform does (seen in many threads: an excerpt, a caret, row
    and column).

    Attributes:
        reason: the message without the excerpt and the position.
        column: the column of the mistake in its line, from 1.
    """

    def __init__(self, code: str, reason: str, text: str, position: int) -> None:
        lines = text[:position].split("\n")
        self.reason = reason
        self.column = len(lines[-1]) + 1
        start = max(0, self.column - 1 - EXCERPT_CHARACTERS)
        excerpt = text.split("\n")[len(lines) - 1][start : self.column + EXCERPT_CHARACTERS]
        location = f"\n{excerpt}\n{' ' * (self.column - 1 - start)}^\nERROR at Row:{len(lines)}:Column:{self.column}\n"
        super().__init__(400, code, location + reason, platform=True)


class SoqlError(Exception):
    """A mistake in a query; `locating_errors` turns it into a QueryError.

    Attributes:
        code: the errorCode of the platform.
        reason: the message of the platform.
        position: the index of the character where the mistake begins.
    """

    def __init__(self, code: str, reason: str, position: int) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.position = position


@contextmanager
def locating_errors(text: str) -> Iterator[None]:
    """Turn a SoqlError of the block into a QueryError that shows its position in this text."""
    try:
        yield
    except SoqlError as refusal:
        raise QueryError(refusal.code, refusal.reason, text, refusal.position) from None


def malformed(reason: str, position: int) -> SoqlError:
    """Return the error of a text that is not SOQL."""
    return SoqlError("MALFORMED_QUERY", reason, position)


def position(token: Token) -> int:
    """Return the index of the token's first character in the query."""
    return token.start_pos or 0


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """A date literal such as LAST_N_DAYS:7.

    Attributes:
        token: the name of the literal.
        count: the number in the literal; 0 for a literal without a number.
    """

    token: Token
    count: int


Value = Token | DateLiteral


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value.

    Attributes:
        name: the path of the field.
        operator: a comparator or LIKE, in upper case.
        value: the value.
    """

    name: Token
    operator: str
    value: Value
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """A field compared with a list of values: IN, or NOT IN if `negated`."""

    name: Token
    negated: bool
    values: tuple[Value, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Includes:
    """A multi-select picklist compared with a list of selections: INCLUDES, or EXCLUDES if `negated`."""

    name: Token
    negated: bool
    values: tuple[Value, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Negation:
    """A condition after NOT."""

    condition: "Condition"
    depth: int


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more conditions joined by AND or OR; a part is never a junction with the same operator."""

    operator: str
    parts: tuple["Condition", ...]
    depth: int


Condition = Comparison | Membership | Includes | Negation | Junction


@dataclass(frozen=True, slots=True)
class Ordering:
    """One term of ORDER BY."""

    name: Token
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Count:
    """COUNT(), or COUNT(field) with its name in the answer."""

    name: Token | None = None
    alias: str = "expr0"


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    kind: Token


@dataclass(frozen=True, slots=True)
class Select:
    """A parsed query."""

    selection: Count | tuple[Token | FieldsOf, ...]
    sobject: Token
    where: Condition | None
    ordering: tuple[Ordering, ...]
    limit: int | None
    offset: int


def parse_query(text: str) -> Select:
    """Parse a query.

    Raises:
        SoqlError: the text is not SOQL, or uses a part of SOQL that the emulator does not support.
    """
    select: Select = _parse(text, "query")
    return select


def parse_condition(text: str) -> Condition:
    """Parse a condition, as it may stand after WHERE.

    Raises:
        SoqlError: the text is not SOQL, or uses a part of SOQL that the emulator does not support.
    """
    condition: Condition = _parse(text, "condition")
    return condition


def _parse(text: str, start: str) -> Any:
    try:
        return _parser().parse(text, start=start)
    except UnexpectedInput as error:
        raise _unexpected(error, text) from None


def _unexpected(error: UnexpectedInput, text: str) -> SoqlError:
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return malformed("unexpected token: '<EOF>'", len(text.rstrip()))
    position: int = getattr(error, "pos_in_stream", 0)
    word = re.match(r"\w[\w.]*|.", text[position:], re.DOTALL)
    unsupported = _unsupported(text[:position], text[position:])
    reason = f". The embedded org does not support {unsupported}" if unsupported else ""
    return malformed(f"unexpected token: '{word[0] if word else '<EOF>'}'{reason}", position)


def _unsupported(before: str, after: str) -> str | None:
    """Return the name of the unsupported part of SOQL that begins after `before`; None if none does."""
    for end, start, name in UNSUPPORTED:
        if re.search(rf"(?:{end})$", before, re.IGNORECASE) and (found := re.match(start, after, re.IGNORECASE)):
            return name or " ".join(found[0].upper().split())
    return None


@cache
def _parser() -> Lark:
    return Lark.open(
        "grammar.lark", rel_to=__file__, parser="lalr", start=["query", "condition"], transformer=_TreeBuilder()
    )


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Select]):
    """Builds the dataclasses above, with one method for each rule of the grammar."""

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

    def nulls(self, position: Token) -> Token:
        return position

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
        return Includes(name, operator.upper() != "INCLUDES", values)

    def values(self, *values: Value) -> tuple[Value, ...]:
        return values

    def value(self, value: Value) -> Value:
        return value

    def date_range(self, name: Token, count: Token | None = None) -> DateLiteral:
        return DateLiteral(name, 0 if count is None else _whole(count))


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
