"""A program that follows `next` alone gets through a load, by either half of the answers."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.mcp_server.answers.next_call import LONGEST_REPEATED
from tests.support.follower import HALVES, Follower, Half
from tests.support.next_call import next_call, next_line
from tests.support.orgs import ERAS, Era, agent, call, refusal

INSERT = {"object": "Account", "operation": "insert"}
ROWS = {"csv": "Name,BillingCity\nFollowed,Oslo\n,Lyon\n"}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("half", HALVES)
async def test_a_program_that_follows_next_loads_rows_and_sends_the_failed_ones_again(
    half: Half, era: Era, org_url: str
) -> None:
    async with agent(org_url, era=era) as client:
        follower = Follower(client, half, {"<rows>": ROWS, '<Name for "">': "Unknown"})
        job = await call(client, "create-ingest-job", body=INSERT)
        sentence = job["next"]
        for _ in range(4):
            sentence = (await follower.follow(sentence)).next
        assert follower.path == [
            "upload-data-ingest-job",
            "close-abort-ingest-job",
            "get-failed-results-ingest-job",
            "create-ingest-job",
        ]
        _, arguments = next_call(sentence)
        assert (arguments["body"], arguments["waitSeconds"]) == ({"state": "UploadComplete"}, 45)


@pytest.mark.parametrize("half", HALVES)
async def test_a_dry_run_names_the_call_that_sends_the_same_rows(half: Half, org_url: str) -> None:
    async with agent(org_url) as client:
        follower = Follower(client, half, {"<the same rows>": "Name\nTried first\n"})
        sent = {"body": INSERT, "data": {"csv": "<the same rows>", "set": {"BillingCity": "Oslo"}}}
        checked = await follower.follow(f"create-ingest-job {json.dumps(sent | {'dryRun': True})}")
        tool, arguments = next_call(checked.next)
        of_rows = sha256(b"Name,BillingCity\nTried first,Oslo\n").hexdigest()
        assert (tool, arguments) == ("create-ingest-job", sent | {"sha256": of_rows})
        assert next_call((await follower.follow(checked.next)).next)[0] == "close-abort-ingest-job"


async def test_an_argument_that_is_too_long_to_be_repeated_is_a_gap(org_url: str) -> None:
    cities = {f"City {number}": "Oslo" for number in range(LONGEST_REPEATED // 10)}
    rows = {"csv": "Name,BillingCity\nLong,City 1\n", "values": {"BillingCity": cities}}
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data=rows, dryRun=True)
    again = {"csv": "<the same rows>", "values": {"BillingCity": "<the same BillingCity>"}}
    sent = {"body": INSERT, "data": again, "sha256": checked["sha256"]}
    assert next_call(checked["next"]) == ("create-ingest-job", sent)


async def test_after_an_error_the_wrong_arguments_are_gaps_and_the_others_stay(org_url: str) -> None:
    async with agent(org_url) as client:
        job = await call(client, "create-ingest-job", body=INSERT)
        wrong = {"jobId": job["id"], "body": {"csv": "Name\nA\n"}, "part": 2, "preflight": "off"}
        text = await refusal(client, "upload-data-ingest-job", **wrong)
    corrected = {
        "jobId": job["id"],
        "body": {"csv": "<the same rows>"},
        "part": "<part, corrected>",
        "preflight": "off",
    }
    assert next_call(next_line(text)) == ("upload-data-ingest-job", corrected)


WRONG_OF_ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"columns": {"Nam": "Name"}}, {"columns": "<columns, corrected>"}),
    ({"columns": {"Name": "Site", "Phone": "Site"}}, {"columns": "<columns, corrected>"}),
    ({"columns": {"#1": "Name", "Name": "Name"}}, {"columns": "<columns, corrected>"}),
    ({"values": {"Nam": {}}}, {"values": "<values, corrected>"}),
    ({"set": {"Site": "x"}, "values": {"Site": {}}}, {"set": {"Site": "x"}, "values": "<values, corrected>"}),
    ({"set": {"Site": "x"}, "formats": {"Site": "Y/N"}}, {"set": {"Site": "x"}}),
    ({"formats": {"Phone": "DD.MM"}}, {"formats": "<formats, corrected>"}),
    ({"only": ["Nam"]}, {"only": "<only, corrected>"}),
    (
        {"leaveOut": {"cells": {"Nam": [""]}, "notRows": True}},
        {"leaveOut": {"cells": "<cells, corrected>", "notRows": True}},
    ),
    ({"leaveOut": {"lines": "77"}}, {"leaveOut": {"lines": "<lines, corrected>"}}),
    ({"csv": " "}, {"csv": "<csv, corrected>"}),
    ({"csv": None, "file": "none.csv"}, {"csv": None, "file": "<file, corrected>"}),
    (
        {"csv": None, "file": "rows.csv", "encoding": "base64"},
        {"csv": None, "file": "rows.csv", "encoding": "<encoding, corrected>"},
    ),
]


NAMED_AS_IN_THE_SOURCE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"formats": {"Account Name": "Y/N"}}, {"formats": {"Name": "Y/N"}}),
    ({"values": {"#1": {"a": "b"}}}, {"values": {"Name": {"a": "b"}}}),
    ({"only": ["account name"]}, {"only": "<only, corrected>"}),
    ({"only": ["Account Name"]}, {"only": ["Name"]}),
    ({"columns": {"Name": "Account Name"}}, {"columns": {"Account Name": "Name"}}),
    ({"leaveOut": {"cells": {"Account_Name": "x"}}}, {"leaveOut": {"cells": {"Account Name": ["x"]}}}),
    ({"values": {"Account Name": {"a": "b" * 1_000}}}, {"values": "<values, corrected>"}),
    ({"set": {"Rateing": "Hot", "Site": "x"}}, {"set": {"Rating": "Hot", "Site": "x"}}),
    ({"set": {"Site": "x", "Billing City": "Oslo"}}, {"set": {"Site": "x", "BillingCity": "Oslo"}}),
    ({"set": {"Xyzzy": "1", "Site": "x"}}, {"set": {"<field in place of Xyzzy>": "1", "Site": "x"}}),
    ({"set": {"Ownr.Name": "1"}}, {"set": {"<field in place of Ownr.Name>": "1"}}),
]


async def test_after_an_error_about_a_name_the_next_call_has_the_one_that_is_meant(org_url: str) -> None:
    async with agent(org_url) as client:
        for wrong, corrected in NAMED_AS_IN_THE_SOURCE:
            given = {"columns": {"Account Name": "Name"}, **wrong}
            data = {"csv": "Account Name,Phone\nA,1\n", **given}
            text = await refusal(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
            again = {"csv": "<the same rows>", **given, **corrected}
            following = {"body": INSERT, "data": again, "dryRun": True}
            assert next_call(next_line(text)) == ("create-ingest-job", following), text


async def test_what_is_said_of_a_column_goes_with_it_to_the_proposed_field(org_url: str) -> None:
    csv = 'Account Name,Turnover\nAcme,"1.234,5"\n'
    given = {
        "formats": {"Turnover": "1.234,5"},
        "values": {"Account Name": {"Acme": "A"}},
        "only": ["Account Name", "Turnover"],
    }
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=INSERT, data={"csv": csv, **given}, dryRun=True)
        tool, arguments = next_call(checked["next"])
        arguments["data"]["csv"] = csv
        assert not (await call(client, tool, **arguments))["findings"]
    del arguments["data"]["csv"]
    assert arguments["data"] == snapshot(
        {
            "values": {"Name": {"Acme": "A"}},
            "formats": {"AnnualRevenue": "1.234,5"},
            "only": ["Name", "AnnualRevenue"],
            "columns": {"Account Name": "Name", "Turnover": "AnnualRevenue"},
        }
    )


async def test_after_an_error_about_the_rows_the_argument_at_fault_alone_is_a_gap(org_url: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("Name\nA\n")
    async with agent(org_url, upload_roots=[tmp_path]) as client:
        for wrong, corrected in WRONG_OF_ROWS:
            data = {"csv": "Name,Phone\nA,1\n", **wrong}
            text = await refusal(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
            again = {name: value for name, value in ({"csv": "<the same rows>"} | corrected).items() if value}
            following = {"body": INSERT, "data": again, "dryRun": True}
            assert next_call(next_line(text)) == ("create-ingest-job", following), text


@pytest.mark.parametrize(
    ("tool", "arguments", "following"),
    [
        ("list-all-ingest-jobs", {"queryLocator": "none"}, "list-all-ingest-jobs"),
        ("get-ingest-job-status", {"jobId": "750000000000001AAA"}, "list-all-ingest-jobs"),
        ("get-failed-results-ingest-job", {"jobId": "001000000000001AAA"}, "list-all-ingest-jobs"),
        ("delete-ingest-job", {"jobId": "750"}, "list-all-ingest-jobs"),
        ("create-ingest-job", {"body": {"object": "Account", "operation": "insert", "x": 1}}, "create-ingest-job"),
        ("create-ingest-job", {"body": {"object": "Acount", "operation": "insert"}}, "create-ingest-job"),
    ],
)
async def test_an_error_names_the_call_that_comes_next(
    tool: str, arguments: dict[str, Any], following: str, org_url: str
) -> None:
    async with agent(org_url) as client:
        assert next_call(next_line(await refusal(client, tool, **arguments)))[0] == following
