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

from salesforce_bulk_ingest.mcp_server.arguments import DataBody
from salesforce_bulk_ingest.results import remedies
from salesforce_bulk_ingest.validation.formats import format_of
from salesforce_bulk_ingest.validation.misfits import CORRECT_THEM
from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.caller import Caller, calling
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed


def _example(argument: str) -> re.Pattern[str]:
    return re.compile(rf"\b{argument}(?: beside rowsOf)?(?:, such as|:)? (?=\{{)")


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


def example_of(argument: str, advice: str) -> dict[str, Any]:
    """The value of an argument that advice names."""
    found = _example(argument).search(advice)
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
    assert "would be cleared in 2 of 3" in found["Site"]["what"] and "NULL (2), #BEZUG! (1)" in found["Phone"]["what"]
    values = example_of("values", found["Site"]["do"]) | example_of("values", found["Phone"]["do"])
    answer = await create(client, upsert, csv=text, values=values)
    assert answer["findings"] == []
    await closed(client, answer["id"])
    assert cells(org, "Name LIKE 'Words%'", "Site", "Phone") == [("x", "1"), ("y", "2"), ("w", "3")]


CAUSES: dict[str, tuple[str, str, str, str, object]] = {
    "an amount": ("Account", "AnnualRevenue", "$5", "formats", 5.0),
    "zeros behind a point": ("Account", "NumberOfEmployees", "25.0", "formats", 25),
    "decimals": ("Account", "NumberOfEmployees", "25.5", "values", 26),
    "a day": ("Contact", "Birthdate", "31.1.2026", "formats", "2026-01-31"),
    "a switch": ("Contact", "DoNotCall", "yes", "formats", True),
}
"""An object, a field of it, a cell that fails, the argument that the advice names, and what is stored."""


async def failed_page(client: Client, body: dict[str, str], csv: str) -> dict[str, Any]:
    """The page of the failed rows of an unchecked job."""
    job = await call(client, "create-ingest-job", body=body, data={"csv": csv}, preflight="off")
    await closed(client, job["id"])
    return await call(client, "get-failed-results-ingest-job", jobId=job["id"])


@pytest.mark.parametrize("name", CAUSES)
async def test_rows_of_a_cause_go_in_with_the_argument_that_its_advice_names(
    client: Client, org: Caller, name: str
) -> None:
    sobject, field, cell, argument, stored = CAUSES[name]
    label = "LastName" if sobject == "Contact" else "Name"
    rows = {"object": sobject, "operation": "insert"}
    page = await failed_page(client, rows, f"{label},Description,{field}\n{name},Oslo,{cell}\n")
    [cause] = page["causes"]
    [example] = example_of(argument, cause["advice"]).values()
    tool, arguments = next_call(page["next"])
    arguments["data"][argument] = {field: example}
    again = await call(client, tool, **arguments)
    assert (await closed(client, again["id"]))["numberRecordsFailed"] == 0
    [found] = org.query(f"SELECT Description, {field} FROM {sobject} WHERE {label} = '{name}'")["records"]
    assert (found["Description"], found[field]) == ("Oslo", stored)


async def test_rows_without_a_parent_go_in_with_the_keys_that_are_corrected(client: Client, org: Caller) -> None:
    await load(client, body("upsert", externalIdFieldName="External_Id__c"), csv="External_Id__c,Name\nP-1,Parent\n")
    page = await failed_page(client, body(), "Name,Parent.External_Id__c\nChild,no such key\n")
    [cause] = page["causes"]
    assert example_of("values", cause["advice"]) == {"Account.Ext__c": {"old": "new"}}
    tool, arguments = next_call(page["next"])
    arguments["data"]["values"] = {"Parent.External_Id__c": {"no such key": "P-1"}}
    again = await call(client, tool, **arguments)
    assert (await closed(client, again["id"]))["numberRecordsFailed"] == 0
    [found] = org.query("SELECT Parent.Name FROM Account WHERE Name = 'Child'")["records"]
    assert found["Parent"]["Name"] == "Parent"


async def test_rows_that_fail_are_left_out_by_the_cells_that_advice_names(client: Client, org: Caller) -> None:
    contact = {"object": "Contact", "operation": "insert"}
    page = await failed_page(client, contact, "LastName,Birthdate\n ,2026-01-31\nFilled,31.1.2026\n")
    advice = {cause["statusCode"]: cause["advice"] for cause in page["causes"]}
    left_out = example_of("leaveOut", advice["REQUIRED_FIELD_MISSING"])
    formats = example_of("formats", advice["INVALID_FIELD"])
    tool, arguments = next_call(page["next"])
    arguments["data"] |= {"values": {}, "leaveOut": left_out, "formats": formats}
    again = await call(client, tool, **arguments)
    assert again["findings"] == []
    assert (await closed(client, again["id"]))["numberRecordsProcessed"] == 1


async def test_cells_that_do_not_fit_a_format_are_corrected_or_left_out(client: Client, org: Caller) -> None:
    text = 'Name,AnnualRevenue\nMisfit 1,"1,5"\nMisfit 2,2.5\nMisfit 3,viel\n'
    read: dict[str, Any] = {"csv": text, "formats": {"AnnualRevenue": "1.234,5"}}
    dry = await call(client, "create-ingest-job", body=body(), data=read, dryRun=True)
    assert {finding["do"] for finding in dry["findings"] if "do not fit" in finding["what"]} == {CORRECT_THEM}
    corrected = {"values": {"AnnualRevenue": {"2.5": "2,5"}}, "leaveOut": {"cells": {"AnnualRevenue": ["viel"]}}}
    answer = await create(client, body(), **read, **corrected)
    assert answer["findings"] == []
    await closed(client, answer["id"])
    assert cells(org, "Name LIKE 'Misfit%'", "AnnualRevenue") == [(1.5,), (2.5,)]


async def test_booleans_in_capitals_go_in_with_the_format_that_is_named(client: Client, org: Caller) -> None:
    """Excel writes them so, and no source says whether Salesforce takes them."""
    contact, text = (
        {"object": "Contact", "operation": "insert"},
        "LastName,DoNotCall\nCapitals 1,TRUE\nCapitals 2,FALSE\n",
    )
    dry = await call(client, "create-ingest-job", body=contact, data={"csv": text}, dryRun=True)
    [finding] = dry["findings"]
    assert finding["do"] == 'Read them in the format "true/false" with formats.'
    answer = await create(client, contact, csv=text, formats={"DoNotCall": "true/false"})
    assert answer["findings"] == []
    await closed(client, answer["id"])
    found = org.query("SELECT DoNotCall FROM Contact WHERE LastName LIKE 'Capitals%' ORDER BY LastName")["records"]
    assert [record["DoNotCall"] for record in found] == [True, False]


def test_each_example_in_the_advice_on_causes_is_an_argument_that_can_be_given() -> None:
    advice = [remedies.remedy_for(code, "").advice for code in sorted(remedies.known_codes())]
    advice += [remedies.remedy_for(code, text).advice for code, text in remedies.known_texts()]
    examples = [
        DataBody.model_validate({"csv": "A\n1\n", argument: example_of(argument, each)})
        for each in advice
        for argument in ("values", "formats", "leaveOut")
        if _example(argument).search(each)
    ]
    assert len(examples) >= 8
    for text in (text for example in examples for text in (example.formats or {}).values()):
        format_of(text)
