"""Plans: what is loaded by whom, and what goes wrong meanwhile, all from one seed."""

import csv
import io
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.faults.alterations import WRONG
from tests.faults.org import Alteration, OrgAnswer
from tests.support.orgs import ERAS, Era

Temper = Literal["follows", "forgets", "repeats", "exports anew", "meddles"]
TEMPERS: tuple[Temper, ...] = ("follows", "forgets", "repeats", "exports anew", "meddles")

Source = Literal["csv", "records", "file"]
SOURCES: tuple[Source, ...] = ("csv", "csv", "records", "file")

MOST_CALLERS = 4
MOST_MISHAPS = 10
RENAMED_KEY = "Number of it"
SMALL_UPLOAD_BYTES = 1_000
REQUESTS_OF_A_PLAN = 60
STEPS_OF_A_LIFE = 120

TEXTS = (
    "Oslo",
    "Oslo, N",
    'the "best"',
    "two\nlines",
    "Ærøskøbing",
    "東京",
    "a;b|c\td",
    "=1+1",
    "'",
    "#",
    "O'Hara & Sons",
    "x" * 40,
)

OFTEN_HIT = (
    *("create", "create", "upload", "upload", "upload", "close", "close", "close", "status", "status"),
    *("successfulResults", "failedResults", "unprocessedrecords", "delete"),
)
"""The operations that mishaps happen to; one that matters more stands here more often."""

SEEN_THROUGH = "another-id"
"""A wrong answer that the server has to see through, as each of its answers is about one job."""

ROW_FAULTS: tuple[Mapping[str, Any], ...] = (
    {"fault": "locked-rows", "times": 1},
    {"fault": "locked-rows", "times": 3},
    {"fault": "locked-rows", "after": 1, "times": 4},
    {"fault": "too-many-lock-failures", "times": 1},
    {"fault": "retries-exhausted", "after": 1, "times": 1},
    {"fault": "stuck-job", "times": 1},
)

RULES: tuple[Mapping[str, Any], ...] = (
    {"on": "any", "fault": "unavailable", "times": 2},
    {"on": "any", "fault": "server-error", "times": 2},
    {"on": "any", "fault": "too-many-requests", "times": 2},
    {"on": "any", "fault": "expired-session", "times": 1},
    {"on": "any", "fault": "reset", "when": "before", "times": 2},
    {"on": "any", "fault": "reset", "when": "during", "bytes": 30, "times": 2},
    {"on": "any", "fault": "reset", "when": "after", "times": 2},
    {"on": "any", "fault": "error-page", "status": 502, "times": 1},
    {"on": "upload", "fault": "reset", "when": "after", "times": 1},
    {"on": "create", "fault": "reset", "when": "after", "times": 1},
    {"on": "close", "fault": "reset", "when": "after", "times": 1},
    {"on": "close", "fault": "server-error", "times": 3},
    {"on": "upload", "fault": "unavailable", "times": 1},
    {"on": "failedResults", "fault": "blank-results", "times": 1},
    {"on": "successfulResults", "fault": "no-content", "times": 1},
)


@dataclass
class Mishap:
    """Something that happens to requests of one operation.

    Attributes:
        operation: the operation.
        kind: `held` before it takes effect, `late` after that, `cut off` after that instead of an answer, or `wrong`, with an
            answer that is altered or lost.
        spares: how many requests are spared before.
        times: how many requests it happens to.
        seconds: how long a request is held or an answer is late.
        name: what is wrong with the answer.
        alter: alters the answer.
        lies: whether a wrong answer can't be seen to be wrong.
    """

    operation: str
    kind: Literal["held", "late", "cut off", "wrong"]
    spares: int
    times: int
    seconds: float = 0.0
    name: str = ""
    alter: Alteration | None = None
    lies: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name or f'{self.seconds:g} s'}" if self.kind != "cut off" else self.kind


@dataclass(frozen=True)
class Row:
    """A row that is to be loaded.

    Attributes:
        key: its key, which a record has in the field of keys.
        cells: its values by field, as records have them.
        fails: whether Salesforce refuses it, however often it comes.
    """

    key: str
    cells: Mapping[str, str]
    fails: bool = False


@dataclass(frozen=True)
class Load:
    """Rows that a caller has to load.

    Attributes:
        sobject: the object.
        operation: insert, upsert, update or delete.
        key_field: the field that has the key of each row.
        rows: the rows, of which some may be equal.
        source: how the rows are given.
        columns: the header of the source by field, where they differ.
        constants: fields that every row gets, which the source lacks.
        values: changes of cells, by field.
    """

    sobject: str
    operation: str
    key_field: str
    rows: tuple[Row, ...]
    source: Source
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]

    @property
    def body(self) -> dict[str, str]:
        """The body of the create call."""
        key = {"externalIdFieldName": self.key_field} if self.operation == "upsert" else {}
        return {"object": self.sobject, "operation": self.operation, **key}

    @property
    def allowed(self) -> Counter[str]:
        """How often each key may be in the org after the rows went in once."""
        good = [row.key for row in self.rows if not row.fails]
        return Counter(good) if self.operation == "insert" else Counter(set(good))

    def given(self, order: Sequence[int] | None = None, *, quoted: bool = False) -> tuple[list[str], list[list[str]]]:
        """The header and the rows of the source, in an order."""
        back = {field: {new: old for old, new in changes.items()} for field, changes in self.values.items()}
        fields = [field for field in self.rows[0].cells if field not in self.constants]
        rows = [self.rows[number] for number in order or range(len(self.rows))]
        cells = [[back.get(field, {}).get(row.cells[field], row.cells[field]) for field in fields] for row in rows]
        return [self.columns.get(field, field) for field in fields], cells

    def as_csv(self, order: Sequence[int] | None = None, *, quoted: bool = False) -> str:
        """The source as CSV."""
        header, rows = self.given(order)
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        return text.getvalue()

    @property
    def mapping(self) -> dict[str, Any]:
        """The arguments that map the source to fields."""
        columns = {header: field for field, header in self.columns.items()}
        asked = {
            "columns": columns,
            "set": dict(self.constants),
            "values": {f: dict(v) for f, v in self.values.items()},
        }
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class CallerPlan:
    """A caller.

    Attributes:
        temper: how it behaves.
        server: the number of the server that it calls, from 0.
        load: what it has to load.
        page: how many rows it asks for in a page.
        steps: how many calls it makes while things go wrong.
        starts: when it starts, in seconds.
        begins_empty: whether it makes its job without rows, and uploads them then.
    """

    temper: Temper
    server: int
    load: Load
    page: int
    steps: int
    starts: float
    begins_empty: bool


@dataclass(frozen=True)
class WorldPlan:
    """What goes wrong.

    Attributes:
        settings: the settings of the servers.
        era: the generation of the protocol.
        lives: for each server what happens at its steps, for each of its lives.
        mishaps: what happens to requests.
        rules: the faults that the org has from a request on.
    """

    settings: Mapping[str, Any]
    era: Era
    lives: tuple[tuple[Mapping[int, str], ...], ...]
    mishaps: tuple[Mishap, ...]
    rules: Mapping[int, tuple[Mapping[str, Any], ...]]


@dataclass(frozen=True)
class Plan:
    """A plan.

    Attributes:
        seed: the seed that it was made from.
        callers: the callers.
        world: what goes wrong.
    """

    seed: int
    callers: tuple[CallerPlan, ...]
    world: WorldPlan

    @property
    def lies(self) -> bool:
        """Whether the org tells what can't be seen to be wrong."""
        return any(mishap.lies for mishap in self.world.mishaps)


def plan_of(seed: int) -> Plan:
    """The plan of a seed."""
    chance = random.Random(f"{seed} plan")
    servers = chance.choice((1, 1, 2))
    count = chance.choice((1, 1, 2, 2, 3, MOST_CALLERS))
    callers = list[CallerPlan]()
    for number in range(count):
        shared = chance.choice(callers).load if callers and chance.random() < 0.4 else None
        callers.append(_caller(chance, f"{seed}-{number}", servers, shared))
    return Plan(seed, tuple(callers), _world(chance, servers))


def _caller(chance: random.Random, name: str, servers: int, shared: Load | None) -> CallerPlan:
    return CallerPlan(
        temper=chance.choice(TEMPERS),
        server=chance.randrange(servers),
        load=shared or _load(chance, name),
        page=chance.choice((2, 3, 5, 50)),
        steps=chance.randrange(2, 14),
        starts=chance.choice((0.0, 0.0, 0.3, 2.0, 40.0)),
        begins_empty=chance.random() < 0.4,
    )


def _load(chance: random.Random, name: str) -> Load:
    sobject = chance.choice(("Account", "Account", "Contact"))
    operation = chance.choice(("insert", "insert", "insert", "upsert"))
    size = chance.choice((1, 2, 4, 7, 7, 12, 25, 40))
    is_account = sobject == "Account"
    key_field = "External_Id__c" if operation == "upsert" else ("AccountNumber" if is_account else "Department")
    constants = {"Description": chance.choice(TEXTS)} if chance.random() < 0.3 else {}
    rows = list[Row]()
    for number in range(size):
        if rows and operation == "insert" and chance.random() < 0.1:
            rows.append(chance.choice(rows))
            continue
        fails = chance.random() < 0.12
        rows.append(_row(chance, is_account, key_field, f"K{name}-{number}", constants, fails=fails))
    name_field = "Name" if is_account else "LastName"
    renamed = {name_field: "Who", key_field: RENAMED_KEY} if chance.random() < 0.3 else {}
    values = {"Rating": {"A": "Hot", "B": "Warm"}} if is_account and chance.random() < 0.4 else {}
    return Load(sobject, operation, key_field, tuple(rows), chance.choice(SOURCES), renamed, constants, values)


def _row(
    chance: random.Random, is_account: bool, key_field: str, key: str, constants: Mapping[str, str], *, fails: bool
) -> Row:
    # A row without its name is refused by the org (REQUIRED_FIELD_MISSING), and by no check before.
    name = "" if fails else f"{chance.choice(TEXTS)} {chance.randrange(100)}"
    if is_account:
        cells = {
            "Name": name,
            key_field: key,
            "BillingCity": chance.choice(TEXTS),
            "Rating": chance.choice(("Hot", "Warm", "Cold")),
            "NumberOfEmployees": str(chance.randrange(1, 5_000)),
        }
    else:
        cells = {
            key_field: key,
            "LastName": name,
            "FirstName": chance.choice(TEXTS),
            "MailingCity": chance.choice(TEXTS),
            "Birthdate": f"19{chance.randrange(30, 99)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}",
        }
    return Row(key, {**cells, **constants}, fails)


def _world(chance: random.Random, servers: int) -> WorldPlan:
    is_calm = chance.random() < 0.1
    settings: dict[str, Any] = {
        "max_upload_bytes": chance.choice((100_000_000, 100_000_000, SMALL_UPLOAD_BYTES)),
        "spool_max_bytes": chance.choice((2_000_000_000, 2_000_000_000, 20_000, 3_000)),
    }
    return WorldPlan(
        settings=settings,
        era=chance.choice(ERAS),
        lives=tuple(() if is_calm else _lives(chance) for _ in range(servers)),
        mishaps=() if is_calm else tuple(_mishap(chance) for _ in range(chance.randrange(MOST_MISHAPS))),
        rules={} if is_calm else _rules(chance),
    )


def _lives(chance: random.Random) -> tuple[Mapping[int, str], ...]:
    kinds = ("kill", "kill", "kill", "cancel", "cancel", "cancel", "-7200", "7200", "86400")
    return tuple(
        {chance.randrange(1, STEPS_OF_A_LIFE): chance.choice(kinds) for _ in range(chance.choice((0, 1, 1, 2, 3)))}
        for _ in range(chance.choice((1, 2, 3)))
    )


def _mishap(chance: random.Random) -> Mishap:
    spares, times = chance.choice((0, 0, 1, 2, 3)), chance.choice((1, 1, 2, 4))
    kind = chance.choice(("held", "late", "cut off", "out of order", "wrong", "wrong"))
    operation = chance.choice(OFTEN_HIT)
    if kind == "wrong":
        wrong = chance.choice(WRONG[operation])
        return Mishap(
            operation,
            "wrong",
            spares,
            times,
            name=wrong.name,
            alter=wrong.alter,
            lies=wrong.lies and wrong.name != SEEN_THROUGH,
        )
    if kind == "out of order":
        return Mishap(operation, "wrong", spares, times, name="out-of-order", alter=_out_of_order)
    if kind == "cut off":
        return Mishap(operation, "cut off", spares, times)
    seconds = chance.choice((0.3, 3.0, 31.0, 50.0, 320.0))
    return Mishap(operation, "held" if kind == "held" else "late", spares, times, seconds)


def _out_of_order(answer: OrgAnswer) -> OrgAnswer:
    """The request took effect, and yet is answered with an error."""
    return replace(answer.with_body(b"", content_type="text/plain"), status=503)


def _rules(chance: random.Random) -> dict[int, tuple[Mapping[str, Any], ...]]:
    """Faults of the org: most often some of rows from the start, and some of requests later, which replace those."""
    rules: dict[int, tuple[Mapping[str, Any], ...]] = {1: (chance.choice(ROW_FAULTS),)} if chance.random() < 0.6 else {}
    for _ in range(chance.randrange(3)):
        rules[chance.randrange(1, REQUESTS_OF_A_PLAN)] = (chance.choice(RULES), chance.choice(ROW_FAULTS))
    return rules
