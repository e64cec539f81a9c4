"""An update and an upsert are undone: by query, every field of every record holds what it held, or what others wrote since."""

import csv
import io
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.caller import DATA, Caller, an_org_with
from tests.support.next_call import next_call
from tests.support.orgs import agent, call

SCHEMA = """
objects:
  Region__c:
    fields:
      Code__c: {type: string, length: 20, externalId: true, unique: true}
  Thing__c:
    fields:
      Key__c: {type: string, length: 20, externalId: true, unique: true}
      Number_Key__c: {type: double, precision: 10, scale: 0, externalId: true, unique: true}
      Text__c: {type: string, length: 80}
      Area__c: {type: textarea, length: 255}
      Long__c: {type: textarea, length: 2000}
      Phone__c: {type: phone}
      Url__c: {type: url}
      Email__c: {type: email}
      Number__c: {type: double, precision: 16, scale: 2}
      Whole__c: {type: double, precision: 12, scale: 0}
      Int__c: {type: int}
      Money__c: {type: currency, precision: 18, scale: 2}
      Percent__c: {type: percent, precision: 5, scale: 2}
      Flag__c: {type: boolean}
      Day__c: {type: date}
      Moment__c: {type: datetime}
      Opens__c: {type: time}
      Level__c: {type: picklist, picklist: [Low, Very High], restricted: true}
      Free__c: {type: picklist, picklist: [Low, Very High]}
      Colours__c: {type: multipicklist, picklist: [Red, Dark Blue, Green], restricted: true}
      Tags__c: {type: multipicklist, picklist: [Red, Dark Blue]}
      Region__c: {type: reference, referenceTo: Region__c}
      Other_Region__c: {type: reference, referenceTo: Region__c}
      Untouched__c: {type: string, length: 20}
"""
REGIONS = 5
FEW, MANY = 120, 10_000
TEXTS = (
    'say "x"', "a,b;c\td", "two\nlines", "two\r\nlines", "=1+1", "'", "#", "#REF!", "NULL", "Ærø", "東京", "😀 x", "\u00a0x\u00a0",
    " spaces ", " ", "0012", "true", "1e3", "-", "\\", "\x01", "x" * 80,
)  # fmt: skip
LONG = ('"\n"\n', "x,\r\n" * 300, *TEXTS)

Chance = random.Random
Cell = Callable[[Chance, "Regions"], str]


@dataclass(frozen=True)
class Regions:
    """The records that lookups lead to.

    Attributes:
        ids: their ids, of 18 characters.
    """

    ids: tuple[str, ...]


def among(*cells: str) -> Cell:
    """Return what chooses one of the cells."""
    return lambda chance, _: chance.choice(cells)


def numbers(*forms: str, most: int = 999_999) -> Cell:
    """Return what writes a number in one of these forms."""
    return lambda chance, _: chance.choice(forms).format(chance.uniform(-most, most))


def _moment(chance: Chance, _: Regions) -> str:
    day = f"20{chance.randrange(10, 30)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
    clock = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
    return f"{day}T{clock}{chance.choice(('', '.000', '.987'))}{chance.choice(('Z', '+00:00', '-08:00', '+05:30'))}"


def _id(chance: Chance, regions: Regions) -> str:
    record_id = chance.choice(regions.ids)
    return chance.choice((record_id, record_id[:15]))


CELLS: Mapping[str, Cell] = {
    "Name": among(*TEXTS[:3], "Ærø", "東京"),
    "Text__c": among(*TEXTS),
    "Area__c": among(*TEXTS),
    "Long__c": among(*LONG),
    "Phone__c": among("+49 (0)30 1234", "ask Ann", "0001"),
    "Url__c": among("www.acme.example", "https://acme.example/?a=1,2"),
    "Email__c": among("Ann@Acme.example", "ann@acme.example", "o'hara+x@acme.example"),
    "Number__c": numbers("{:.2f}", "{:.7f}", "{:.3e}", "{:+.1f}", "{:.0f}.", most=9_999_999_999),
    "Whole__c": numbers("{:.0f}", "{:.1f}", "{:.2e}"),
    "Int__c": numbers("{:.0f}"),
    "Money__c": numbers("{:.2f}", "{:.2E}", "{:.4f}"),
    "Percent__c": numbers("{:.2f}", "{:.1e}", most=900),
    "Flag__c": among("true", "false", "1", "0", "TRUE"),
    "Day__c": lambda chance, regions: _moment(chance, regions)[:10] + chance.choice(("", "Z")),
    "Moment__c": _moment,
    "Opens__c": among("08:30:00.000Z", "23:59:59Z", "00:00:00.001Z"),
    "Level__c": among("Low", "low", "Very High"),
    "Free__c": among("Low", "low", "Very High", "another"),
    "Colours__c": among("Red", "Dark Blue;Red", "red;Green", "Green;Dark Blue;Red"),
    "Tags__c": among("Red", "Dark Blue;Red", "Red;Dark Blue", "new"),
    "Region__c": _id,
    "Other_Region__r.Code__c": lambda chance, _: chance.choice(("R-{}", "r-{}")).format(chance.randrange(REGIONS)),
}
BY_OTHERS = {"Name": "mine", "Text__c": "mine", "Number__c": "123456.789", "Day__c": "1999-12-31", "Flag__c": "#N/A"}
"""What others write of some records between a load and its undo, by field."""


def csv_of(rows: list[dict[str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


class Org:
    """An org with things of every type of field.

    Attributes:
        regions: what the lookups of things lead to.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        caller.load("Code__c,Name\n" + "".join(f"R-{n},Region\n" for n in range(REGIONS)), "Region__c")
        self.regions = Regions(tuple(row["Id"] for row in caller.records("SELECT Id FROM Region__c")))
        described = caller.http.get(f"{DATA}/sobjects/Thing__c/describe").raise_for_status().json()
        self._fields = [
            each["name"] for each in described["fields"] if not each["name"].startswith(("System", "LastMod"))
        ]

    def fill(self, chance: Chance, size: int) -> None:
        """Insert things, of which a third of the fields are blank."""
        rows = [
            {"Key__c": f"Key-{n}", "Number_Key__c": str(n), "Untouched__c": f"u{n}", **self.cells(chance, blank="")}
            for n in range(size)
        ]
        made = self.caller.load(csv_of(rows), "Thing__c")
        assert (made["numberRecordsProcessed"], made["numberRecordsFailed"]) == (size, 0), self.caller.errors(made)[:3]

    def cells(self, chance: Chance, blank: str) -> dict[str, str]:
        """A row of cells, of which some are blank."""
        made = {name: cell(chance, self.regions) for name, cell in CELLS.items()}
        return {name: chance.choice((cell, cell, blank)) if name != "Name" else cell for name, cell in made.items()}

    def records(self) -> dict[str, dict[str, Any]]:
        """Every field of every thing, but those that tell of the last change, by its id."""
        found = self.caller.records(f"SELECT {', '.join(self._fields)} FROM Thing__c")
        return {record["Id"]: record for record in found}


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    with an_org_with(SCHEMA, tmp_path, assumptions=Assumptions(unsettled_cells="taken")) as caller:
        yield Org(caller)


def keyed(chance: Chance, way: str, record: Mapping[str, Any]) -> dict[str, str]:
    """The key of a record as a row has it, in one of its spellings."""
    if way == "Id":
        return {"Id": chance.choice((record["Id"], record["Id"][:15], f" {record['Id']}"))}
    if way == "Number_Key__c":
        number = int(record["Number_Key__c"])
        return {"Number_Key__c": chance.choice((f"{number}", f"{number}.0", f"{number:e}"))}
    return {"Key__c": chance.choice((record["Key__c"], record["Key__c"].upper(), f" {record['Key__c']} "))}


async def update(org: Org, rows: str) -> None:
    """Update things, as another program does."""
    job = await anyio.to_thread.run_sync(org.caller.load, rows, "Thing__c", "update")
    assert job["numberRecordsFailed"] == 0


async def made_by(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer to a create with rows, once these are uploaded."""
    while (made := await call(client, tool, **arguments))["status"] != "uploaded":
        pass
    return made


async def ended(client: Client, job_id: str) -> dict[str, Any]:
    """The status of a job that this function closes, once it has ended; its summary is that of the close."""
    closing = await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"})
    job = closing
    while job["state"] != "JobComplete":
        job = await call(client, "get-ingest-job-status", jobId=job_id, waitSeconds=45)
    return job | {"summary": closing["summary"]}


@pytest.mark.parametrize(
    ("way", "size"),
    [
        ("Id", FEW),
        ("Key__c", FEW),
        ("Number_Key__c", FEW),
        pytest.param("Id", MANY, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
        pytest.param("Key__c", MANY, marks=[pytest.mark.slow, pytest.mark.timeout(600)]),
    ],
)
async def test_every_cell_is_as_before_or_as_others_left_it(way: str, size: int, org: Org, tmp_path: Path) -> None:
    chance = Chance(f"{way} {size}")
    org.fill(chance, size)
    before = org.records()
    ids = sorted(before)
    new = size // 20 if way != "Id" else 0
    loaded = ids[new:]
    updates = {record_id: org.cells(chance, chance.choice(("", "#N/A", "#N/A"))) for record_id in loaded}
    rows = [{**keyed(chance, way, before[record_id]), **cells} for record_id, cells in updates.items()]
    rows += [{way: f"9{n:07}", **org.cells(chance, "")} for n in range(new)]
    chance.shuffle(rows)
    (tmp_path / "rows.csv").write_text(csv_of(rows), newline="")
    upsert = {"operation": "upsert", "externalIdFieldName": way}
    body = {"object": "Thing__c", **(upsert if new else {"operation": "update"})}
    url = str(org.caller.http.base_url)
    async with agent(url, upload_roots=(tmp_path,), allow_operation=("delete",), compare_rows=0) as client:
        load = {"body": body, "data": {"file": "rows.csv"}, "preflight": "off"}
        made = await made_by(client, "create-ingest-job", load)
        answer = await ended(client, made["id"])
        assert (answer["numberRecordsProcessed"], answer["numberRecordsFailed"]) == (len(rows), 0)
        assert "It can be undone." in answer["summary"]
        after = await anyio.to_thread.run_sync(org.records)
        assert sum(after[record_id] != before[record_id] for record_id in loaded) == len(loaded)

        by_others = dict(zip(chance.sample(loaded, size // 40), cycle(BY_OTHERS), strict=False))
        for field, cell in BY_OTHERS.items():
            theirs = [record_id for record_id in by_others if by_others[record_id] == field]
            await update(org, f"Id,{field}\n" + "".join(f"{record_id},{cell}\n" for record_id in theirs))
        changed = await anyio.to_thread.run_sync(org.records)

        ways = (await call(client, "get-ingest-job-status", jobId=made["id"]))["undo"].split(" Only if the user asks.")
        undo = await made_by(client, *next_call(ways[0]))
        assert (await ended(client, undo["id"]))["numberRecordsFailed"] == 0
        if new:
            deleting = await made_by(client, *next_call(ways[1].strip()))
            assert (await ended(client, deleting["id"]))["numberRecordsProcessed"] == new
    now = await anyio.to_thread.run_sync(org.records)
    kept, expected = set[str](), dict(before)
    for record_id, field in by_others.items():
        was, left, found = (state[record_id][field] for state in (before, after, changed))
        if updates[record_id][field] and found not in (was, left):
            kept.add(record_id)
            expected[record_id] = changed[record_id]
        elif not updates[record_id][field]:  # the load did not write it
            expected[record_id] = before[record_id] | {field: found}
    differing = {
        record_id: {
            name: (expected[record_id][name], now[record_id][name], after[record_id][name])
            for name in now[record_id]
            if now[record_id][name] != expected[record_id][name]
        }
        for record_id in ids
        if now[record_id] != expected[record_id]
    }
    assert now.keys() == expected.keys() and not differing, (len(differing), list(differing.items())[:3])
    assert undo["findings"][0]["what"].startswith("The rows give")
    [left] = [each for each in undo["findings"] if each["what"].startswith("Left out")]
    assert left["count"] == len(kept)
