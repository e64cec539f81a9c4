"""A reader of the org's records by key: lists of keys in queries, as many keys in each as the length of a URI allows.

What can't be read is left out and told, and is no error: a look into the org is for information.
"""

import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import quote

import anyio
from pydantic import JsonValue

from salesforce_bulk_ingest.base.text import as_sentence, counted
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.comparison.cell_equality import UNSEEN_TYPES
from salesforce_bulk_ingest.salesforce.client import SAFE_IN_QUERY, SalesforceClient, query_of
from salesforce_bulk_ingest.salesforce.errors import Rejected, SalesforceError, UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe
from salesforce_bulk_ingest.validation.cells import BLANK_CELLS, LIMITS_OF_WHOLE_NUMBERS, NUMBER, NUMBER_TYPES
from salesforce_bulk_ingest.validation.key_forms import KeyForm, key_form, same_id, trimmed
from salesforce_bulk_ingest.validation.record_ids import in_its_case

MOST_QUERY_BYTES = 13_000
"""The maximum length of a query as it stands in a URI: URI and headers, an access token among them, may have 16,384 bytes
together (REST API guide, Status Codes and Error Responses)."""

MOST_BYTES_OF_FIELDS = 5_000
"""The maximum length of the names of fields in a query, so that there is room for keys."""

MOST_BYTES_OF_KEY_FIELDS = 100
"""Room for the names of the fields that each query has: the id, and the key of the records."""

MOST_KEYS = 2_000
"""The maximum number of keys in a query: a page has 2,000 records."""

QUERIES_AT_ONCE = 4
"""Few, since the org has other callers: it runs some 25 long requests at once (Salesforce Help, API Request Limits)."""

JsonRecord = Mapping[str, JsonValue]

_ESCAPED = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
_NO_KEYS = frozenset({"boolean", "date", "datetime", "time", "multipicklist", *UNSEEN_TYPES})
_NO_FIELD = re.compile(r"No such column '([^']+)' on |Didn't understand relationship '([^']+)'")


@dataclass(frozen=True, slots=True)
class KeyField:
    """The field whose values name records.

    Attributes:
        sobject: the API name of the object.
        name: the API name of the field.
        describe: the describe of the field; None if it is not known.
    """

    sobject: str
    name: str
    describe: FieldDescribe | None

    @property
    def form(self) -> KeyForm:
        """The function that gives all spellings of a key the same form."""
        return same_id if self.name == ID_FIELD else key_form(self.describe)

    @property
    def can_find(self) -> bool:
        """Whether a query can ask for values of the field as for keys."""
        return self.describe is None or self.describe.type not in _NO_KEYS

    def literal(self, key: str) -> str | None:
        """Return a key, without spaces around it, as a query has it; None for what can't be the key of a record."""
        kind = "" if self.describe is None else self.describe.type
        if self.name == ID_FIELD or kind == "reference":
            record_id = in_its_case(key)
            return None if record_id is None else f"'{record_id}'"
        if kind in NUMBER_TYPES or kind in LIMITS_OF_WHOLE_NUMBERS:
            return f"{Decimal(repr(float(key))):f}" if NUMBER.fullmatch(key) else None
        is_too_long = self.describe is not None and 0 < self.describe.length < len(key)
        return None if is_too_long else f"'{key.translate(_ESCAPED)}'"


@dataclass(slots=True)
class RecordsFound:
    """What a look for records by their keys found.

    Attributes:
        by_key: the records of each key, by its form.
        asked: the forms of the keys that were looked for to the end.
        unseen: the names of fields that could not be read.
        failure: a sentence about why not all keys were looked for; None if all were.
    """

    by_key: dict[str, list[JsonRecord]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)
    failure: str | None = None


class RecordReader:
    """Reads records of one org by their keys.

    Args:
        client: the client of the org.
        most_calls: the maximum number of calls to the org, for all that is read.
        until: the time, on the clock of anyio, at which nothing more is asked.

    Attributes:
        calls: the number of calls so far.
    """

    def __init__(self, client: SalesforceClient, most_calls: int, until: float) -> None:
        self._client = client
        self._most_calls = most_calls
        self._until = until
        self.calls = 0

    async def find(self, key: KeyField, cells: Iterable[str], fields: Sequence[str] = ()) -> RecordsFound:
        """Return the records that have the keys in these cells.

        Args:
            key: the field of the keys.
            cells: the cells, of which some may be blank, alike or no keys.
            fields: the names of the fields that are read beside Id and the key.
        """
        reading = _Reading(key, fields)
        await run_in_thread(reading.look_for, cells)
        await self._read(reading)
        return reading.found

    async def has_any(self, key: KeyField) -> bool:
        """Return whether the org is known to have a record with a key in this field."""
        soql = f"SELECT {ID_FIELD} FROM {key.sobject} WHERE {key.name} != null LIMIT 1"
        try:
            with anyio.fail_after(self._until - anyio.current_time()):
                return any([page async for page in self._pages(soql)])
        except (SalesforceError, TimeoutError, _NoMoreCalls):
            return False

    async def _read(self, reading: "_Reading") -> None:
        # The first query shows which fields can be read; the others go side by side.
        while reading.goes_on and not reading.found.asked:
            await self._read_next(reading)
        async with anyio.create_task_group() as tasks:
            for _ in range(QUERIES_AT_ONCE):
                tasks.start_soon(self._read_rest, reading)

    async def _read_rest(self, reading: "_Reading") -> None:
        while reading.goes_on:
            await self._read_next(reading)

    async def _read_next(self, reading: "_Reading") -> None:
        chunk, soql = reading.next_query()
        try:
            with anyio.fail_after(self._until - anyio.current_time()):
                records = [record async for page in self._pages(soql) for record in page]
        except SalesforceError as error:
            reading.go_on_after(error, chunk)
        except TimeoutError:
            reading.found.failure = "Salesforce did not answer in time."
        except _NoMoreCalls:
            reading.found.failure = f"It would take more than {counted(self._most_calls, 'API call')}."
        else:
            reading.add(chunk, records)

    async def _pages(self, soql: str) -> AsyncIterator[Sequence[JsonRecord]]:
        self._count_call()
        page = await self._client.query(soql)
        given, total = len(page.records), page.total_size
        yield page.records
        while page.locator is not None:
            self._count_call()
            page = await self._client.query_more(page.locator)
            given += len(page.records)
            yield page.records
        if total not in (None, given):
            raise UnexpectedAnswer(f"Salesforce gave {given:,} of the {total:,} records that a query found.")

    def _count_call(self) -> None:
        if self.calls == self._most_calls:
            raise _NoMoreCalls
        self.calls += 1


def by_query(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield names of fields in as few groups as can each be read by one query."""
    group, size = list[str](), 0
    for name in names:
        size += len(name) + 1
        if group and size > MOST_BYTES_OF_FIELDS - MOST_BYTES_OF_KEY_FIELDS:
            yield group
            group, size = [], len(name) + 1
        group.append(name)
    yield group


class _NoMoreCalls(Exception):
    """The calls that may be made are used up."""


Keys = Mapping[str, str]
"""Keys as a query has them, by their forms."""


class _Reading:
    """A look for records by keys, of which some are still to be asked for.

    Args:
        key: the field of the keys.
        fields: the names of the fields to read.
    """

    def __init__(self, key: KeyField, fields: Sequence[str]) -> None:
        self._key = key
        self.found = RecordsFound()
        named = {ID_FIELD: None, key.name: None}
        self._names = list(dict.fromkeys((*named, *fields)))
        while len(self._names) > len(named) and len(",".join(self._names)) > MOST_BYTES_OF_FIELDS:
            self.found.unseen.append(self._names.pop())
        self._to_ask = deque[tuple[str, str]]()

    @property
    def goes_on(self) -> bool:
        """Whether there is something to ask."""
        return bool(self._to_ask) and self.found.failure is None

    def look_for(self, cells: Iterable[str]) -> None:
        """Add keys to ask for."""
        literals = dict[str, str]()
        for key in trimmed(list(cells)):
            if key in BLANK_CELLS:
                continue
            form, literal = self._key.form(key), self._key.literal(key)
            if literal is None:
                self.found.asked.add(form)
            else:
                literals[form] = literal
        self._to_ask.extend(literals.items())

    def next_query(self) -> tuple[Keys, str]:
        """Return the next keys to ask for, which are no longer to be asked for, and their query."""
        before = f"SELECT {','.join(self._names)} FROM {self._key.sobject} WHERE {self._key.name} IN ("
        keys, room = dict[str, str](), MOST_QUERY_BYTES - len(query_of(before))
        while self._to_ask and len(keys) < MOST_KEYS:
            form, literal = self._to_ask[0]
            room -= len(quote(literal, safe=SAFE_IN_QUERY)) + 1
            if room < 0 and keys:
                break
            keys[form] = literal
            self._to_ask.popleft()
        return keys, f"{before}{','.join(keys.values())})"

    def add(self, keys: Keys, records: Iterable[JsonRecord]) -> None:
        """Add the records of keys."""
        for record in records:
            value = record.get(self._key.name)
            self.found.by_key.setdefault(self._key.form(str(value)), []).append(record)
        self.found.asked.update(keys)

    def go_on_after(self, error: SalesforceError, keys: Keys) -> None:
        """Ask for keys without the field that the org says it has not, or give up."""
        lost = self._lost_field(error)
        if lost is None:
            # What Salesforce says quotes the query, which has cells: a code has none.
            told = f"Salesforce answered {error.code}." if isinstance(error, Rejected) else as_sentence(str(error))
            self.found.failure = told
            return
        self._names.remove(lost)
        self.found.unseen.append(lost)
        self._to_ask.extendleft(keys.items())

    def _lost_field(self, error: SalesforceError) -> str | None:
        """Return the name of the field that can be left out of the query after an error; None if there is none."""
        named = _NO_FIELD.search(str(error)) if isinstance(error, Rejected) else None
        if named is None:
            return None
        missing = (named[1] or named[2]).lower()
        others = [name for name in self._names if name not in (ID_FIELD, self._key.name)]
        return next((name for name in others if missing in (name.lower(), *name.lower().split("."))), None)
