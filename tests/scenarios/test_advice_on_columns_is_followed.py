"""Advice on columns, followed as it stands: no cell of the rows is lost."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.follower import Follower, Heard
from tests.support.next_call import proposed_columns
from tests.support.orgs import agent, call, closed, loaded, refusal
from tests.support.watched_org import WatchedOrg

SAME_ROWS = "<the same rows>"


async def follow_to_the_end(client: Client, object_name: str, csv: str, known: Mapping[str, Any]) -> Heard:
    """The answer about the closed job, after a check, the call that it advises, and so on."""
    follower = Follower(client, "structure", {SAME_ROWS: csv, **known})
    first = {"body": {"object": object_name, "operation": "insert"}, "data": {"csv": csv}, "dryRun": True}
    heard = await follower.call("create-ingest-job", first)
    for _ in range(5):
        heard = await follower.follow(heard.next)
        if heard.structure.get("state") == "JobComplete":
            return heard
    raise AssertionError(heard)


@pytest.mark.parametrize(
    ("object_name", "csv", "records"),
    [
        ("Account", "Name,Phone,Phone\nA,,1\nB,2,2\n", [{"Name": "A", "Phone": "1"}, {"Name": "B", "Phone": "2"}]),
        ("Account", "Name,,\nTrailing,,\n", [{"Name": "Trailing"}]),
        ("Account", "Firma;Telefon;Telefon;Ort;;\nA;1;1;Ulm;;\n", [{"Name": "A", "Phone": "1", "BillingCity": "Ulm"}]),
        ("Account", "Company,Symbol\nA,AAA\n", [{"Name": "A", "TickerSymbol": "AAA"}]),
        (
            "Contact",
            "Given Name,Family Name,E-mail Address,Mobile Phone,Zip,Country/Region\nA,B,a@b.example,1,2,Chad\n",
            [{"FirstName": "A", "LastName": "B", "Email": "a@b.example", "MobilePhone": "1"}
             | {"MailingPostalCode": "2", "MailingCountry": "Chad"}],
        ),
        ("Contact", "Name;Vorname;Tel.\nLast;First;1\n", [{"LastName": "Last", "FirstName": "First", "Phone": "1"}]),
        (
            "Contact",
            "Nachname,Vorname,Account External ID\nB,A,Columns 1\n",
            [{"LastName": "B", "FirstName": "A", "Account.Name": "Parent"}],
        ),
    ],
)  # fmt: skip
async def test_the_next_call_after_a_check_loads_every_cell(
    org: WatchedOrg, object_name: str, csv: str, records: list[dict[str, str]]
) -> None:
    async with agent(org.url) as client:
        await loaded(client, "Name,External_Id__c\nParent,Columns 1\n", operation="upsert", externalIdFieldName="External_Id__c")  # fmt: skip
        heard = await follow_to_the_end(client, object_name, csv, {})
    assert heard.structure["numberRecordsFailed"] == 0
    for record in records:
        where = " AND ".join(f"{name} = '{cell}'" for name, cell in record.items())
        assert len(org.records(f"SELECT Id FROM {object_name} WHERE {where}")) == 1, record


async def test_columns_whose_cells_differ_are_given_fields_of_their_own(org: WatchedOrg) -> None:
    csv = "Nachname,Telefon,Telefon,\nChosen,1,2,3\n"
    body = {"object": "Contact", "operation": "insert"}
    async with agent(org.url) as client:
        checked = await call(client, "create-ingest-job", body=body, data={"csv": csv}, dryRun=True)
        assert proposed_columns(checked) == {"Nachname": "LastName"}
        columns, fields = dict(proposed_columns(checked) or {}), {"#2": "Phone", "#3": "MobilePhone", "#4": "Fax"}
        advice = [finding["do"] for finding in checked["findings"] if "{" in finding["do"]]
        assert advice == snapshot(
            [
                'Set {"#3": "<another field>"} in columns, or {"#3": null} there to leave its cells out.',
                'Set {"#4": "<its field>"} in columns, or null there to leave its cells out.',
            ]
        )
        for sentence in advice:
            advised, _ = json.JSONDecoder().raw_decode(sentence, sentence.index("{"))
            columns |= {address: fields[address] for address in advised}
        answered = await refusal(client, "create-ingest-job", body=body, data={"csv": csv, "columns": columns})
        assert 'columns names "Telefon"' not in answered and 'no field "Telefon"' in answered
        columns["Telefon"] = fields["#2"]
        job = await call(client, "create-ingest-job", body=body, data={"csv": csv, "columns": columns})
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    [record] = org.records("SELECT Phone, MobilePhone, Fax FROM Contact WHERE LastName = 'Chosen'")
    assert record == {"Phone": "1", "MobilePhone": "2", "Fax": "3"}


async def test_a_delimiter_that_is_doubtful_is_settled_with_the_job(org: WatchedOrg) -> None:
    data = {"csv": "Account Name;Site, old;Phone, main\nDoubtful, Inc;Main, 1;5\n"}
    async with agent(org.url) as client:
        body = {"object": "Account", "operation": "insert"}
        checked = await call(client, "create-ingest-job", body=body, data=data, dryRun=True)
        [advice] = [finding["do"] for finding in checked["findings"] if "columnDelimiter" in finding["do"]]
        names = re.findall("columnDelimiter ([A-Z]+)", advice)
        assert names == ["SEMICOLON", "COMMA"]
        columns = {"Account Name": "Name", "Site, old": "Site", "Phone, main": "Phone"}
        settled = body | {"columnDelimiter": names[0]}
        job = await call(client, "create-ingest-job", body=settled, data=data | {"columns": columns})
        assert job["findings"] == [] and (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    [record] = org.records("SELECT Name, Site, Phone FROM Account WHERE Name LIKE 'Doubtful%'")
    assert record == {"Name": "Doubtful, Inc", "Site": "Main, 1", "Phone": "5"}


async def test_ids_that_are_there_twice_are_deleted_by_one_of_the_columns(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        await loaded(client, "Name\nTwice\n", load_again=True)
        [record] = org.records("SELECT Id FROM Account WHERE Name = 'Twice'")
        csv = f"Id,Id,Name\n{record['Id']},{record['Id']},Twice\n"
        body = {"object": "Account", "operation": "delete"}
        checked = await call(client, "create-ingest-job", body=body, data={"csv": csv}, dryRun=True)
        assert proposed_columns(checked) == {"#2": None, "Name": None}
        job = await call(
            client, "create-ingest-job", body=body, data={"csv": csv, "columns": proposed_columns(checked)}
        )
        await closed(client, job["id"])
    assert org.records("SELECT Id FROM Account WHERE Name = 'Twice'") == []


async def test_a_field_that_is_proposed_is_not_told_as_missing(org: WatchedOrg) -> None:
    upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    async with agent(org.url) as client:
        data = {"csv": "Firma,External ID,Kundennr\nA,1,7\n"}
        with_key = await call(client, "create-ingest-job", body=upsert, data=data, dryRun=True)
        assert proposed_columns(with_key) == {
            "Firma": "Name",
            "External ID": "External_Id__c",
            "Kundennr": "AccountNumber",
        }
        (found,) = with_key["findings"]
        assert 'no fields "Firma", "External ID", "Kundennr"' in found["what"] and found["count"] == 3
        data = {"csv": "Firma,Kundennr\nA,7\n"}
        without = await call(client, "create-ingest-job", body=upsert, data=data, dryRun=True)
        assert (
            proposed_columns(without) == {"Firma": "Name"} and '"Kundennr": "<its field, or null>"' in without["next"]
        )
        assert without["fields"][0].startswith("External_Id__c")
        assert without["findings"][-1]["what"] == "There is no column External_Id__c, without which every row fails."
