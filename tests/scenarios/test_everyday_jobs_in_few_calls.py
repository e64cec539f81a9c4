"""Everyday jobs by a program that only follows `next`, and fills its gaps from a table of what the user said.

It reads one half of each answer alone, as a model does whose host shows it no more.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.salesforce_emulator.caller import Caller, an_org_with
from tests.support.follower import HALVES, Follower, Half, Heard, UnknownGap
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, loaded

MOST_CALLS = 6
MOST_CHARACTERS = 8_000
"""The most that a job may cost: the calls, and the characters that are read in the half of the answers."""

SCHEMA = """
objects:
  Account:
    fields:
      Erp_Id__c: {type: string, label: ERP Id, length: 20, externalId: true, unique: true}
      Code__c: {type: string, length: 40, unique: true}
      Tier__c: {type: picklist, picklist: [Gold, Silver, Bronze], restricted: true}
"""


@dataclass
class Org:
    """An embedded org, the direct way to it, and the folder of the user's files."""

    url: str
    direct: Caller
    folder: Path

    def records(self, soql: str) -> list[tuple[Any, ...]]:
        """The values of all records that a query selects, sorted."""
        return sorted(tuple(map(str, record.values())) for record in self.direct.records(soql))

    def count(self, name: str) -> int:
        """The number of all records of an object."""
        return int(self.direct.query(f"SELECT COUNT() FROM {name}")["totalSize"])

    def write(self, name: str, rows: str) -> None:
        """Write one of the user's files."""
        (self.folder / name).write_text(rows)

    def writes(self) -> int:
        """The number of jobs that were made."""
        return len(self.direct.http.get("/services/data/v63.0/jobs/ingest").json()["records"])


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Org]:
    (tmp_path / "files").mkdir()
    with an_org_with(SCHEMA, tmp_path) as direct:
        yield Org(str(direct.http.base_url), direct, tmp_path / "files")


@asynccontextmanager
async def agent_of(org: Org, **settings: Any) -> AsyncIterator[Client]:
    """An agent whose server reads the user's files."""
    async with agent(org.url, upload_roots=[org.folder], **settings) as client:
        yield client


Known = Mapping[str, Any]
Done = Callable[[Heard], bool]


@dataclass
class Spent:
    """What a job cost."""

    calls: int = 0
    characters: int = 0
    path: list[str] = field(default_factory=list)


class Program:
    """Follows `next` until a job is done, and counts what it costs.

    Args:
        client: of the nine tools.
        half: the half of the answers that is read.
        known: what the user said, by the name of the gap.
    """

    def __init__(self, client: Client, half: Half, known: Known) -> None:
        self._half = half
        self._follower = Follower(client, half, dict(known))
        self.spent = Spent()

    async def begin(self, tool: str, **arguments: Any) -> Heard:
        """Make the first call, which the user asked for."""
        return self._counted(await self._follower.call(tool, arguments))

    async def follow(self, heard: Heard) -> Heard:
        """Make the call at the beginning of `next`."""
        return await self._make(heard.next)

    async def undo(self, heard: Heard) -> Heard:
        """Make the call that an answer names for whom the user asks to undo a job."""
        return await self._make(heard.undo)

    async def _make(self, sentence: str) -> Heard:
        tool, arguments = next_call(sentence)
        return self._counted(await self._follower.call(tool, self._follower.filled(arguments)))

    async def until(self, heard: Heard, is_done: Done) -> Heard:
        """Follow until an answer is the last one."""
        while not is_done(heard):
            heard = await self.follow(heard)
        return heard

    def _counted(self, heard: Heard) -> Heard:
        self.spent.calls += 1
        self.spent.characters += len(heard.text or _on_the_wire(heard.structure))
        self.spent.path = self._follower.path
        shown = heard.text or json.dumps(heard.structure, ensure_ascii=False, indent=1)
        print(f"--- {self._follower.path[-1]}\n{shown}")  # noqa: T201  what is read, shown where a job fails
        return heard


def _on_the_wire(structure: Mapping[str, Any]) -> str:
    return json.dumps(structure, ensure_ascii=False, separators=(",", ":"))


def all_loaded(heard: Heard) -> bool:
    """Whether an answer says that a job is done, and none of its rows failed."""
    if heard.structure:
        return heard.structure.get("state") == "JobComplete" and heard.structure.get("numberRecordsFailed") == 0
    return "is JobComplete" in heard.text and "none failed" in heard.text


def within_the_price(name: str, half: Half, spent: Spent, most_calls: int = MOST_CALLS) -> None:
    """Print what a job cost, and hold it to the most that it may cost."""
    print(f"{name}, {half}: {spent.calls} calls, {spent.characters:,} characters: {' '.join(spent.path)}")  # noqa: T201  asked for
    assert spent.calls <= most_calls and spent.characters <= MOST_CHARACTERS, spent


INSERT = {"object": "Account", "operation": "insert"}

FOREIGN = """\
Firmenname,Ort,Telefon,ERP Id,Kundenberater
Müller,Köln,0221 1,E-1,Frau Schmidt
Bäcker,Bonn,0228 2,E-2,Herr Maier
"""


@pytest.mark.parametrize("half", HALVES)
async def test_foreign_headers(half: Half, crm: Org) -> None:
    crm.write("kunden.csv", FOREIGN)
    async with agent_of(crm) as client:
        program = Program(client, half, {"<its field, or null>": None})
        heard = await program.begin(
            "create-ingest-job",
            body={"object": "Account", "operation": "insert"},
            data={"file": "kunden.csv"},
            dryRun=True,
        )
        await program.until(heard, all_loaded)
    assert crm.records("SELECT Name, BillingCity, Phone, Erp_Id__c FROM Account") == [
        ("Bäcker", "Bonn", "0228 2", "E-2"),
        ("Müller", "Köln", "0221 1", "E-1"),
    ]
    within_the_price("foreign headers", half, program.spent)


FAILING = """\
Name,Code__c,Tier__c,Phone
Acme,C-1,Gold,1
Duo,C-0,Gold,2
Trio,C-3,gold!,3
,C-4,Silver,4
Penta,C-5,Bronze,5
"""


@pytest.mark.parametrize("half", HALVES)
async def test_four_kinds_of_failure(half: Half, crm: Org) -> None:
    crm.write("rows.csv", FAILING)
    async with agent_of(crm) as client:
        await loaded(client, "Name,Code__c\nThere already,C-0\n")
        crm.direct.go_wrong({"fault": "locked-rows", "times": 1})
        program = Program(client, half, {'<Tier__c for "gold!">': "Gold", '<Name for "">': "Unknown"})
        heard = await program.begin("create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        await program.until(heard, all_loaded)
    names = [name for (name,) in crm.records("SELECT Name FROM Account")]
    assert names == ["Acme", "Penta", "There already", "Trio", "Unknown"]
    assert crm.records("SELECT Tier__c FROM Account WHERE Name = 'Trio'") == [("Gold",)]
    within_the_price("four kinds of failure", half, program.spent)


MESSAGE = [
    {"Erp_Id__c": "E-1", "Name": "Müller", "Phone": "1"},
    {"Erp_Id__c": "E-2", "Name": "Bäcker", "Phone": "2"},
]


@pytest.mark.parametrize("half", HALVES)
async def test_an_upsert_from_a_message(half: Half, crm: Org) -> None:
    async with agent_of(crm) as client:
        program = Program(client, half, {"<the same rows>": {"records": MESSAGE}})
        heard = await program.begin(
            "create-ingest-job",
            body={"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"},
            data={"records": MESSAGE},
            dryRun=True,
        )
        await program.until(heard, all_loaded)
    assert crm.records("SELECT Erp_Id__c, Phone FROM Account") == [("E-1", "1"), ("E-2", "2")]
    within_the_price("an upsert from a message", half, program.spent)


@pytest.mark.parametrize("half", HALVES)
async def test_children_by_their_parents_key(half: Half, crm: Org) -> None:
    crm.write("people.csv", "Vorname,Nachname,Account ERP Id\nAda,Lovelace,E-1\nAlan,Turing,E-2\n")
    async with agent_of(crm) as client:
        await loaded(client, "Name,Erp_Id__c\nMüller,E-1\nBäcker,E-2\n")
        program = Program(client, half, {})
        heard = await program.begin(
            "create-ingest-job",
            body={"object": "Contact", "operation": "insert"},
            data={"file": "people.csv"},
            dryRun=True,
        )
        await program.until(heard, all_loaded)
    assert crm.records("SELECT LastName, Account.Name FROM Contact WHERE LastName = 'Turing'")
    assert crm.count("Contact") == 2
    within_the_price("children by their parents' key", half, program.spent)


@pytest.mark.parametrize("half", HALVES)
async def test_an_aborted_load_continued(half: Half, crm: Org) -> None:
    crm.write("rows.csv", "Name\n" + "".join(f"Company {n}\n" for n in range(300)))
    async with agent_of(crm) as client:
        made = await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        await call(client, "close-abort-ingest-job", jobId=made["id"], body={"state": "Aborted"})
        program = Program(client, half, {})
        heard = await program.begin("get-ingest-job-status", jobId=made["id"])
        await program.until(heard, all_loaded)
    assert crm.count("Account") == 300
    within_the_price("an aborted load continued", half, program.spent)


@pytest.mark.parametrize("half", HALVES)
async def test_an_undo(half: Half, crm: Org) -> None:
    async with agent_of(crm, allow_operation=("delete",), confirm=()) as client:
        made = await loaded(client, "Name\nWrong 1\nWrong 2\n")
        program = Program(client, half, {})
        heard = await program.begin("get-ingest-job-status", jobId=made)
        await program.until(await program.undo(heard), all_loaded)
    assert crm.count("Account") == 0
    within_the_price("an undo", half, program.spent)


@pytest.mark.parametrize("half", HALVES)
async def test_a_question_without_a_write(half: Half, crm: Org) -> None:
    async with agent_of(crm) as client:
        made = await loaded(client, "Name,Tier__c\nAcme,gold!\nDuo,Gold\n")
        before = crm.writes()
        program = Program(client, half, {"<id>": made})
        heard = await program.begin("list-all-ingest-jobs")
        await program.until(
            heard,
            lambda heard: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" in (heard.text or json.dumps(heard.structure)),
        )
    assert crm.writes() == before
    within_the_price("a question without a write", half, program.spent)


@pytest.mark.parametrize("half", HALVES)
async def test_a_file_over_the_limit(half: Half, crm: Org) -> None:
    crm.write("rows.csv", "Name,Description\n" + "".join(f"Company {n},{'x' * 400}\n" for n in range(600)))
    async with agent_of(crm, max_upload_bytes=100_000) as client:
        program = Program(client, half, {})
        heard = await program.begin("create-ingest-job", body=INSERT, data={"file": "rows.csv"}, dryRun=True)
        for _ in range(3):
            heard = await program.follow(heard)
            heard = await program.follow(heard)
    assert crm.count("Account") == 600
    within_the_price("a file over the limit", half, program.spent, 2 + 2 * 3)


BAD = """\
Berg,Höhe,Erstbesteigung
Zugspitze,2962,1820
Watzmann,2713,1800
"""


@pytest.mark.parametrize("half", HALVES)
async def test_a_bad_file_stops_the_program(half: Half, crm: Org) -> None:
    crm.write("berge.csv", BAD)
    async with agent_of(crm) as client:
        program = Program(client, half, {})
        heard = await program.begin("create-ingest-job", body=INSERT, data={"file": "berge.csv"}, dryRun=True)
        with pytest.raises(UnknownGap):
            await program.until(heard, all_loaded)
    assert crm.writes() == 0
    within_the_price("a bad file", half, program.spent)


RECIPE = """
object: Account
operation: upsert
externalIdFieldName: Erp_Id__c
columns: {Kundennr: Erp_Id__c, Firma: Name, Telefon: Phone}
bounds: {new: 20%}
"""


@pytest.mark.parametrize("half", HALVES)
async def test_a_reviewed_load_by_its_recipe(half: Half, crm: Org) -> None:
    (crm.folder / "accounts-weekly.yaml").write_text(RECIPE)
    crm.write("kunden-07.csv", "Kundennr,Firma,Telefon\n" + "".join(f"E-{n},Firma {n},{n}\n" for n in range(11)))
    crm.direct.load("Erp_Id__c,Name\n" + "".join(f"E-{n},Alt {n}\n" for n in range(10)), "Account")
    async with agent_of(crm, recipes=crm.folder) as client:
        program = Program(client, half, {})
        data = {"recipe": "accounts-weekly", "file": "kunden-07.csv"}
        await program.until(await program.begin("create-ingest-job", data=data), all_loaded)
    assert crm.count("Account") == 11
    within_the_price("a reviewed load by its recipe", half, program.spent, 2)


THERE = [[f"E-{n}", f"Company {n}", f"0221 {n}", f"City {n % 5}", f"{n} Main Street"] for n in range(100)]
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}
HEADER = "Erp_Id__c,Name,Phone,BillingCity,BillingStreet"
NEW_PHONES = [[key, name, f"{phone}-0", *others] for key, name, phone, *others in THERE]


def as_csv(rows: list[list[str]], header: str = HEADER) -> str:
    """The rows of a file."""
    return "\n".join([header, *map(",".join, rows)])


WRONG_FILES: dict[str, tuple[dict[str, str], str]] = {
    "a file shifted by one row, its phones cleared": (
        UPSERT,
        as_csv([[row[0], other[1], "#N/A", *row[3:]] for row, other in zip(THERE, THERE[1:] + THERE[:1], strict=True)]),
    ),
    "a file of another object": (
        {"object": "Account", "operation": "update"},
        as_csv([[f"003000000{n:06}", f"0221 {n}"] for n in range(100)], "Id,Phone"),
    ),
    "a file of last year's keys": (UPSERT, as_csv([[f"L{row[0]}", *row[1:]] for row in THERE])),
    "a file with two columns swapped": (UPSERT, as_csv([[*row[:3], row[4], row[3]] for row in THERE])),
}


@pytest.mark.parametrize("half", HALVES)
async def test_wrong_files_stop_the_program_and_the_right_one_goes_in(half: Half, crm: Org) -> None:
    crm.direct.load(as_csv(THERE), "Account")
    before, jobs = crm.records("SELECT Erp_Id__c, Name, Phone, BillingCity FROM Account"), crm.writes()
    async with agent_of(crm) as client:
        for name, (body, rows) in WRONG_FILES.items():
            crm.write("accounts.csv", rows)
            program = Program(client, half, {})
            heard = await program.begin("create-ingest-job", body=body, data={"file": "accounts.csv"}, dryRun=True)
            with pytest.raises(UnknownGap, match=r"<accounts\.csv, corrected>"):
                await program.until(heard, all_loaded)
            within_the_price(name, half, program.spent)
        assert crm.records("SELECT Erp_Id__c, Name, Phone, BillingCity FROM Account") == before
        assert crm.writes() == jobs
        crm.write("accounts.csv", as_csv(NEW_PHONES[:20] + THERE[20:]))
        program = Program(client, half, {})
        heard = await program.begin("create-ingest-job", body=UPSERT, data={"file": "accounts.csv"}, dryRun=True)
        await program.until(heard, all_loaded)
        within_the_price("the right file", half, program.spent)
    assert crm.records("SELECT Phone FROM Account WHERE Erp_Id__c = 'E-7'") == [("0221 7-0",)]
