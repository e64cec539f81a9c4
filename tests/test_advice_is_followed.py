"""Each piece of advice on rows does what it says: it is followed word for word, and the rows arrive with every cell.

A case provokes a finding or a cause, takes the arguments that its advice names, and loads the same rows with them.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from salesforce_bulk_ingest.results import remedies
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.caller import Caller, calling
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed

_JSON = re.compile(r"values(?: beside rowsOf, such as)?:? (?=\{)")


@pytest.fixture(scope="module")
def org_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An org that refuses breaks in cells of another kind than the rows'."""
    config = EmulatorConfig(
        data_dir=tmp_path_factory.mktemp("org"), assumptions=Assumptions(embedded_line_endings="same")
    )
    with running(create_app(config)) as url:
        yield url


@pytest.fixture(scope="module")
def org(org_url: str) -> Iterator[Caller]:
    with calling(org_url) as caller:
        yield caller


@pytest.fixture
async def client(org_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with agent(org_url, upload_roots=[tmp_path]) as connected:
        yield connected


def values_in(advice: str) -> dict[str, dict[str, str]]:
    """The value of the argument `values` that advice names."""
    found = _JSON.search(advice)
    assert found, advice
    value, _ = json.JSONDecoder().raw_decode(advice, found.end())
    assert isinstance(value, dict)
    return value


def cells(org: Caller, where: str, *fields: str) -> list[tuple[Any, ...]]:
    """The cells of the accounts that a condition chooses, by name."""
    found = org.query(f"SELECT {', '.join(fields)} FROM Account WHERE {where} ORDER BY Name")["records"]
    return [tuple(record[field] for field in fields) for record in found]


def body(operation: str = "insert", **more: str) -> dict[str, str]:
    return {"object": "Account", "operation": operation, **more}


async def create(client: Client, body: dict[str, str], **data: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", body=body, data=data)


async def load(client: Client, body: dict[str, str], **data: Any) -> dict[str, Any]:
    """The ended job with these rows."""
    return await closed(client, (await create(client, body, **data))["id"])


@pytest.mark.parametrize(
    ("end", "in_cell", "named"), [("\r\n", "\n", "LF"), ("\n", "\r\n", "CRLF")], ids=["excel", "the reverse"]
)
async def test_breaks_in_cells_go_in_with_the_line_ending_that_is_named(
    client: Client, org: Caller, end: str, in_cell: str, named: str
) -> None:
    text = f'Name,Description{end}Breaks {named},"one{in_cell}two"{end}'
    answer = await create(client, body(), csv=text)
    [finding] = answer["findings"]
    assert f"lineEnding {named}:" in finding["do"]
    job = await closed(client, answer["id"])
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 0)
    tool, arguments = next_call(job["next"])  # what the finding says, and what follows the failed job, are the same
    assert arguments == {"body": body(lineEnding=named), "data": {"rowsOf": {"jobs": [job["id"]]}}}
    again = await call(client, tool, **arguments)
    assert "findings" not in again or again["findings"] == []
    assert (await closed(client, again["id"]))["state"] == "JobComplete"
    assert cells(org, f"Name = 'Breaks {named}'", "Description") == [(f"one{in_cell}two",)]


@pytest.mark.parametrize(("first", "second", "named"), [("\r\n", "\n", "LF"), ("\n", "\r\n", "CRLF")])
async def test_lines_that_end_in_two_ways_go_in_with_the_line_ending_that_is_named(
    client: Client, org: Caller, first: str, second: str, named: str
) -> None:
    text = f"Name,Site{first}Ends {named} 1,a{second}Ends {named} 2,b{first}"
    dry = await call(client, "create-ingest-job", body=body(), data={"csv": text}, dryRun=True)
    [finding] = dry["findings"]
    assert finding["level"] == "error" and f"lineEnding {named}:" in finding["do"]
    assert (await load(client, body(lineEnding=named), csv=text))["numberRecordsFailed"] == 0
    assert cells(org, f"Name LIKE 'Ends {named}%'", "Site") == [("a",), ("b",)]


async def test_cells_that_are_no_values_are_counted_and_emptied_by_the_values_that_are_named(
    client: Client, org: Caller
) -> None:
    await load(
        client, body(), csv="Name,External_Id__c,Site,Phone\nWords 1,W-1,x,1\nWords 2,W-2,y,2\nWords 3,W-3,z,3\n"
    )
    text = "Name,External_Id__c,Site,Phone\nWords 1,W-1,#N/A,NULL\nWords 2,W-2,#N/A,#BEZUG!\nWords 3,W-3,w,NULL\n"
    upsert = body("upsert", externalIdFieldName="External_Id__c")
    dry = await call(client, "create-ingest-job", body=upsert, data={"csv": text}, dryRun=True)
    found = {finding["column"]: finding for finding in dry["findings"]}
    assert {name: (each["level"], each["count"], each["lines"]) for name, each in found.items()} == {
        "Site": ("warning", 2, [2, 3]),
        "Phone": ("warning", 3, [2, 3, 4]),
    }
    assert "clears" in found["Site"]["what"] and "NULL (2), #BEZUG! (1)" in found["Phone"]["what"]
    values = {**values_in(found["Site"]["do"]), **values_in(found["Phone"]["do"])}
    answer = await create(client, upsert, csv=text, values=values)
    assert answer["findings"] == []
    await closed(client, answer["id"])
    assert cells(org, "Name LIKE 'Words%'", "Site", "Phone") == [("x", "1"), ("y", "2"), ("w", "3")]


CAUSES: dict[str, tuple[str, str, str]] = {
    "AnnualRevenue": ("$5", "5", "translate"),
    "NumberOfEmployees": ("25.5", "25", "translate"),
    "Parent.External_Id__c": ("no such key", "P-1", "{value}"),
}
"""Fields of an account: a cell that fails, what it is translated to, and a word of the advice."""


@pytest.mark.parametrize("field", CAUSES)
async def test_rows_of_a_cause_go_in_with_the_values_that_its_advice_names(
    client: Client, org: Caller, field: str
) -> None:
    wrong, right, _ = CAUSES[field]
    name = f"Cause {field}"
    await load(client, body("upsert", externalIdFieldName="External_Id__c"), csv="External_Id__c,Name\nP-1,Parent\n")
    job = await call(
        client,
        "create-ingest-job",
        body=body(),
        data={"csv": f"Name,Site,{field}\n{name},Oslo,{wrong}\n"},
        preflight="off",
    )
    await closed(client, job["id"])
    page = await call(client, "get-failed-results-ingest-job", jobId=job["id"])
    [cause] = page["causes"]
    assert "values beside rowsOf" in cause["advice"]
    tool, arguments = next_call(page["next"])
    arguments["data"]["values"] = {field: {wrong: right}}
    again = await call(client, tool, **arguments)
    assert (await closed(client, again["id"]))["numberRecordsFailed"] == 0
    stored = field.replace("External_Id__c", "Name")
    [found] = org.query(f"SELECT Site, {stored} FROM Account WHERE Name = '{name}'")["records"]
    value = found["Parent"]["Name"] if "." in stored else found[stored]
    assert (found["Site"], value) == ("Oslo", "Parent" if "." in stored else float(right))


def test_each_value_that_advice_on_causes_names_has_the_form_of_the_argument() -> None:
    """A field, and in it old cells with new ones; what stands as an example in advice is a call that can be made."""
    advice = [remedies.remedy_for(code, "").advice for code in sorted(remedies.known_codes())]
    advice += [remedies.remedy_for(code, text).advice for code, text in remedies.known_texts()]
    named = [values_in(each) for each in advice if _JSON.search(each)]
    assert len(named) >= 6
    for values in named:
        assert all(isinstance(new, str) for of_field in values.values() for new in of_field.values())
