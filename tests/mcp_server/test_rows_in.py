"""Rows on their way in: from any source, under any headers, in any form."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app import build_mcp
from salesforce_bulk_ingest.settings_sources import load_settings
from salesforce_emulator import ACCESS_TOKEN
from tests.loading.making import AWKWARD, file_of
from tests.support.orgs import ERAS, Era, agent, call, closed, refusal, services_of
from tests.support.watched_org import WatchedOrg

INSERT = {"object": "Account", "operation": "insert"}
REST_URL = "http://127.0.0.1:8080/v1"

CITIES = (
    "Oslo",
    "Kristiania",
    "東京",
    'Quote "City"',
    "Two\nLines",
    "Semi;Colon",
    "Comma,City",
    "A\u2028B",
    "#N/A",
    "",
)


def foreign_rows(tag: str, count: int) -> list[list[str]]:
    """Rows as another system writes them, with a number in each name to find them by."""
    return [
        [f"{tag} {n:04}", CITIES[n % len(CITIES)], str(n), f"Note {AWKWARD[n % 12]} {n}", "internal"]
        for n in range(count)
    ]


FOREIGN_HEADER = ["Company", "City (billing)", "Head count", "Remarks", "Row hash"]
COLUMNS = {
    "Company": "Name",
    "City (billing)": "BillingCity",
    "Head count": "NumberOfEmployees",
    "Remarks": "Description",
    "Row hash": None,
}


def text_of_rows(rows: list[list[str]], delimiter: str = ",", newline: str = "\n") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue()


async def created(client: Client, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await call(client, "create-ingest-job", body=more.pop("body", INSERT), data=data, **more)


@pytest.mark.parametrize("era", ERAS)
async def test_every_cell_under_foreign_headers_arrives_in_the_field_it_was_mapped_to(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    tag = f"Foreign {era}"
    rows = foreign_rows(tag, 500)
    path = file_of(tmp_path, text_of_rows([FOREIGN_HEADER, *rows], ";", "\r\n").encode(), "export.csv")
    shape = {
        "columns": COLUMNS,
        "set": {"Industry": "Energy", "Phone": None},
        "values": {"BillingCity": {"Kristiania": "Oslo"}},
    }
    async with agent(org.url, era=era, upload_roots=[tmp_path]) as client:
        job = await created(client, {"file": str(path), **shape})
        assert (job["rows"], job["status"], job["state"]) == (500, "uploaded", "Open")
        assert (job["columnDelimiter"], job["lineEnding"]) == ("SEMICOLON", "CRLF")
        done = await closed(client, job["id"])
        assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (500, 0)
    found = org.records(
        "SELECT Name, BillingCity, NumberOfEmployees, Description, Industry, Phone FROM Account "
        f"WHERE Name LIKE '{tag}%' ORDER BY Name"
    )
    assert found == [
        {
            "Name": name,
            "BillingCity": {"Kristiania": "Oslo", "#N/A": None, "": None}.get(city, city),
            "NumberOfEmployees": int(staff),
            "Description": note,
            "Industry": "Energy",
            "Phone": None,
        }
        for name, city, staff, note, _ in rows
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_a_report_with_ten_other_columns_deletes_by_its_account_ids(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    tag = f"Report {era}"
    others = [
        "Account Name", "Billing City", "Billing State/Province", "Industry", "Employees",
        "Account Owner", "Last Modified Date", "Type", "Website", "Phone",
    ]  # fmt: skip
    async with agent(org.url, era=era, upload_roots=[tmp_path]) as client:
        job = await created(client, {"records": [{"Name": f"{tag} {n}"} for n in range(30)]})
        await closed(client, job["id"])
        kept, *found = org.records(f"SELECT Id, Name FROM Account WHERE Name LIKE '{tag}%' ORDER BY Name")
        report = [["Account ID", *others], *([record["Id"], record["Name"], *["x"] * 9] for record in found)]
        file_of(tmp_path, b"\xef\xbb\xbf" + text_of_rows(report, newline="\r\n").encode(), "report.csv")
        delete = {"object": "Account", "operation": "delete"}
        org.forget()
        checked = await created(client, {"file": "report.csv"}, body=delete, dryRun=True)
        assert checked["status"] == "checked" and "id" not in checked and org.changes == []
        assert checked["columns"] == {"Account ID": "Id", **dict.fromkeys(others)}
        refused = await refusal(client, "create-ingest-job", body=delete, data={"file": "report.csv"})
        assert f"Proposed columns: {json.dumps(checked['columns'])}" in refused
        assert org.changes == []
        job = await created(client, {"file": "report.csv", "columns": checked["columns"]}, body=delete)
        assert "columns" not in job
        done = await closed(client, job["id"])
        assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (29, 0)
    assert org.records(f"SELECT Id FROM Account WHERE Name LIKE '{tag}%'") == [{"Id": kept["Id"]}]


async def test_what_is_settled_already_is_not_proposed_again(
    org: WatchedOrg,
) -> None:
    rows = {"csv": "Account Name,Billing City\nSettled,Oslo\n"}
    async with agent(org.url) as client:

        async def proposed(**shape: Any) -> object:
            return (await created(client, rows | shape, dryRun=True)).get("columns")

        assert await proposed() == {"Account Name": "Name", "Billing City": "BillingCity"}
        assert await proposed(columns={"Account Name": "Site"}) == {"Billing City": "BillingCity"}
        assert await proposed(columns={"Account Name": "Name", "Billing City": None}) is None
        assert await proposed(columns={"Account Name": "Name"}, only=["Name"]) is None


async def test_all_sources_of_the_same_rows_make_the_same_records(org: WatchedOrg, tmp_path: Path) -> None:
    header = ["Name", "BillingCity", "NumberOfEmployees", "Description"]
    rows = [["Same {}", city, str(n), f"Note {n} {AWKWARD[n]}"] for n, city in enumerate(CITIES)]

    def named(source: str) -> list[list[str]]:
        return [header, *([f"Same {source} {number}", *row[1:]] for number, row in enumerate(rows))]

    file_of(tmp_path, text_of_rows(named("file")).encode(), "rows.csv")
    file_of(tmp_path, gzip.compress(text_of_rows(named("gz"), "\t").encode()), "rows.csv.gz")
    sources: dict[str, dict[str, Any]] = {
        "records": {"records": [dict(zip(header, row, strict=True)) for row in named("records")[1:]]},
        "csv": {"csv": text_of_rows(named("csv"), "|", "\r\n")},
        "file": {"file": "rows.csv"},
        "gz": {"file": "rows.csv.gz"},
    }
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        made = {}
        for source, data in sources.items():
            job = await created(client, data)
            done = await closed(client, job["id"])
            assert done["numberRecordsFailed"] == 0
            made[source] = [
                [record["Name"].replace(source, "{}"), *list(record.values())[1:]]
                for record in org.records(
                    f"SELECT {', '.join(header)} FROM Account WHERE Name LIKE 'Same {source} %' ORDER BY Name"
                )
            ]
    assert made["records"] == made["csv"] == made["file"] == made["gz"]
    assert len(made["csv"]) == len(rows)
    assert [record[1] for record in made["csv"]] == [{"#N/A": None, "": None}.get(city, city) for city in CITIES]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("name", "mark"), [("COMMA", ","), ("SEMICOLON", ";"), ("TAB", "\t"), ("PIPE", "|")])
async def test_a_job_is_made_in_the_form_of_its_data(name: str, mark: str, newline: str, org: WatchedOrg) -> None:
    rows = text_of_rows([["Name", "BillingCity"], [f"Form {name}", 'a,b;c\td|"e"']], mark, newline)
    async with agent(org.url) as client:
        job = await created(client, {"csv": rows})
        assert (job["columnDelimiter"], job["lineEnding"]) == (name, "CRLF" if newline == "\r\n" else "LF")
        assert "findings" not in job or job["findings"] == []
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    assert org.uploads == [rows.encode()]


async def test_a_form_that_create_names_holds_and_other_data_is_refused(org: WatchedOrg) -> None:
    rows = {"csv": "Name;Phone\nNamed form;1\n"}
    pipes = INSERT | {"columnDelimiter": "PIPE"}
    async with agent(org.url) as client:
        text = await refusal(client, "create-ingest-job", body=pipes, data=rows)
        assert "columnDelimiter SEMICOLON, and the job's is PIPE: the job fails" in text and org.changes == []
        job = await created(client, rows | {"only": ["Name", "Phone"]}, body=pipes)
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
    assert org.uploads == [b"Name|Phone\nNamed form|1\n"]


async def test_records_have_one_column_for_each_key_with_gaps_blank_and_null_as_null(org: WatchedOrg) -> None:
    """Peers took the header of the first record, or an order that changed."""
    records = [{"Name": "Union 1"}, {"Phone": None, "Name": "Union 2"}, {"Site": "x", "Name": "Union 3"}]
    async with agent(org.url) as client:
        for _ in range(3):
            await created(client, {"records": records})
    assert set(org.uploads) == {b'"Name","Phone","Site"\n"Union 1","",""\n"Union 2","#N/A",""\n"Union 3","","x"\n'}


async def test_nested_arguments_that_come_as_json_text_are_read(org: WatchedOrg) -> None:
    data = {
        "records": json.dumps([{"Company": "Json text"}]),
        "columns": json.dumps({"Company": "Name"}),
        "set": json.dumps({"Phone": 1}),
        "values": json.dumps({"Name": {"Json text": "Json Text"}}),
        "only": json.dumps(["Name", "Phone"]),
    }
    async with agent(org.url) as client:
        await call(client, "create-ingest-job", body=json.dumps(INSERT), data=json.dumps(data))
    assert org.uploads == [b"Name,Phone\nJson Text,1\n"]


@pytest.mark.parametrize(
    ("shape", "complaint"),
    [
        ({"columns": {"Nme": "Name"}}, "columns names 'Nme', which is not a column here. Did you mean 'Name'?"),
        ({"values": {"Phone": {"a": "b"}}}, "values names 'Phone', which is not a column here."),
        ({"only": ["Id"]}, "only names 'Id', which is not a column here."),
        ({"columns": {"Name": None}}, "The mapping leaves no column"),
        ({"colums": {"Name": "Name"}}, "data.colums: there is no such argument here"),
        ({"set": {"Name": {"secret": 1}}}, "data.set.Name: expected text, a number, true, false or null"),
    ],
)
async def test_a_shape_that_does_not_fit_is_refused_and_nothing_is_made(
    shape: dict[str, Any], complaint: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nAcme\n", **shape})
    assert complaint in text and "secret" not in text and org.changes == []


async def test_numbers_that_a_float_may_have_changed_are_refused_and_all_others_go_out_as_they_are(
    org: WatchedOrg,
) -> None:
    async with agent(org.url) as client:
        for data in (
            {"records": [{"Name": "Acme", "AnnualRevenue": 1234567890123456.78}]},
            {"csv": "Name\nAcme\n", "set": {"AnnualRevenue": 1234567890123456.78}},
        ):
            text = await refusal(client, "create-ingest-job", body=INSERT, data=data)
            assert (
                "AnnualRevenue: a number of more than 15 digits may have changed on the way: write it in quotes" in text
            )
        assert org.changes == []
        exact = [{"Name": "Acme", "AnnualRevenue": 12345678901234567890}, {"Name": "Other", "AnnualRevenue": 0.1}]
        await call(client, "create-ingest-job", body=INSERT, data={"records": exact})
    assert org.uploads == [b'"Name","AnnualRevenue"\n"Acme","12345678901234567890"\n"Other","0.1"\n']


async def test_a_proposal_stands_on_one_line_whatever_the_header_is(org: WatchedOrg) -> None:
    rows = "Name,Billing\u2028\x85City\nAcme,Oslo\n"
    async with agent(org.url) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": rows})
    assert [line for line in text.splitlines() if "Proposed" in line] == snapshot(
        ['Proposed columns: {"Billing\\u2028\\u0085City": "BillingCity"}']
    )


async def test_a_dry_run_without_rows_is_refused(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        for argument in ({"dryRun": True}, {"part": 1}, {"sha256": "0" * 64}):
            assert "give data too" in await refusal(client, "create-ingest-job", body=INSERT, **argument)
    assert org.changes == []


async def test_what_the_operator_does_not_allow_is_not_allowed_with_rows_either_and_no_way_around_is_shown(
    org: WatchedOrg,
) -> None:
    settings = load_settings({}, {"SALESFORCE_INSTANCE_URL": org.url, "SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN})
    delete = {"object": "Account", "operation": "delete"}
    async with services_of(settings) as services, Client(build_mcp(services, REST_URL)) as client:
        rows = {"csv": "Id\n001000000000001AAA\n"}
        text = await refusal(client, "create-ingest-job", body=delete, data=rows)
        assert "--allow-operation delete" in text and "curl" not in text
        assert (await created(client, rows, body=delete, dryRun=True))["status"] == "checked"
    assert org.changes == []


async def test_a_read_only_server_takes_no_rows_and_keeps_its_reading_tools(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await created(client, {"csv": "Name\nRead only\n"})
    org.forget()
    async with agent(org.url, read_only=True, rest_url=REST_URL) as client:
        for tool, arguments in {
            "create-ingest-job": {"body": INSERT, "data": {"csv": "Name\nAcme\n"}},
            "upload-data-ingest-job": {"jobId": job["id"], "body": {"file": "/etc/passwd"}},
        }.items():
            text = await refusal(client, tool, **arguments)
            assert "This server is read-only" in text and "curl" not in text
        assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["state"] == "Open"
    assert org.changes == []
