"""Loading through the tools: rows from any source, under any headers, are checked, cut into parts and sent as they should be."""

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from salesforce_bulk_ingest.operations.load import CREATE_SECONDS
from tests.loading.making import AWKWARD, file_of
from tests.support.next_call import next_call, proposed_columns
from tests.support.orgs import ERAS, Era, agent, call, closed, refusal, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}
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
BOM = b"\xef\xbb\xbf"
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
DELETE = {"object": "Account", "operation": "delete"}
CONTACTS = {"object": "Contact", "operation": "insert"}
LIMIT = 2_000


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
    mapping = {
        "columns": COLUMNS,
        "set": {"Industry": "Energy", "Phone": None},
        "values": {"BillingCity": {"Kristiania": "Oslo"}},
    }
    async with agent(org.url, era=era, upload_roots=[tmp_path]) as client:
        job = await created(client, {"file": str(path), **mapping})
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
        assert proposed_columns(checked) == {"Account ID": "Id", **dict.fromkeys(others)}
        refused = await refusal(client, "create-ingest-job", body=delete, data={"file": "report.csv"})
        assert f'"columns": {json.dumps(proposed_columns(checked))}' in refused
        assert org.changes == []
        job = await created(client, {"file": "report.csv", "columns": proposed_columns(checked)}, body=delete)
        assert "columns" not in job
        done = await closed(client, job["id"])
        assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (29, 0)
    assert org.records(f"SELECT Id FROM Account WHERE Name LIKE '{tag}%'") == [{"Id": kept["Id"]}]


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


async def test_records_have_one_column_for_each_key_with_gaps_blank_and_null_as_null(org: WatchedOrg) -> None:
    """Peers took the header of the first record, or an order that changed."""
    records = [{"Name": "Union 1"}, {"Phone": None, "Name": "Union 2"}, {"Site": "x", "Name": "Union 3"}]
    async with agent(org.url) as client:
        for _ in range(3):
            await created(client, {"records": records})
    assert set(org.uploads) == {b'"Name","Phone","Site"\n"Union 1","",""\n"Union 2","#N/A",""\n"Union 3","","x"\n'}


@pytest.mark.parametrize(
    ("mapping", "complaint"),
    [
        ({"columns": {"Nme": "Name"}}, 'columns names "Nme", which is not a column here. Did you mean "Name"?'),
        ({"values": {"Phone": {"a": "b"}}}, 'values names "Phone", which is not a column here.'),
        ({"only": ["Id"]}, 'only names "Id", which is not a column here.'),
        ({"columns": {"Name": None}}, "The mapping leaves no column"),
        ({"colums": {"Name": "Name"}}, "data.colums: there is no such argument here"),
        ({"set": {"Name": {"secret": 1}}}, "data.set.Name: expected text, a number, true, false or null"),
    ],
)
async def test_a_mapping_that_does_not_fit_is_refused_and_nothing_is_made(
    mapping: dict[str, Any], complaint: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nAcme\n", **mapping})
    assert complaint in text and "secret" not in text and org.changes == []


FATAL: dict[str, tuple[dict[str, str], bytes, str]] = {
    "an unknown column": (INSERT, b"Name,Nme\nA,B\n", 'Account has no field "Nme"'),
    "a column without a name": (INSERT, b"Name,\nA,B\n", "A column has no name"),
    "a column that is there twice": (INSERT, b"Name,name\nA,B\n", "name"),
    "an unknown relationship": (CONTACTS, b"LastName,Acount.Name\nA,B\n", "Acount"),
    "a delete with more than ids": (DELETE, b"Id,Name\n001000000000001AAA,B\n", "Id"),
    "a delete without ids": (DELETE, b"Name\nA\n", "no column Id"),
    "a quote inside a value": (INSERT, b'Name,Site\n5" pipe,B\n', "A quote is opened in this row"),
    "text after a quote": (INSERT, b'Name\n"A" B\n', "quote"),
    "a quote that is open": (INSERT, b'Name,Site\n"A,B\nC,D\n', "quote"),
    "mixed line ends": (INSERT, b"Name\nA\nB\r\nC\n", "Lines end in more than one way"),
    "UTF-16": (INSERT, "Name\nA\n".encode("utf-16"), "UTF-16"),
    "a header that is too long": (
        INSERT, b"Name," + b",".join(b"Field_%d__c" % n for n in range(3_000)) + b"\n" + b"A" + b"," * 3_000 + b"\n",
        "32,000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=pytest.mark.slow if "too long" in what else ()) for what in FATAL]
)
async def test_what_fails_the_whole_job_in_the_org_is_refused_and_nothing_is_made(
    what: str, org: WatchedOrg, tmp_path: Path
) -> None:
    body, content, told = FATAL[what]
    file_of(tmp_path, content)
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        text = await refusal(client, "create-ingest-job", body=body, data={"file": "rows.csv"})
        assert "- error" in text and told in text and "\nNext: " in text
        assert org.changes == []
        job = await call(client, "create-ingest-job", body=body)
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"file": "rows.csv"})
        assert "- error" in text and org.uploads == []
        sent = {"jobId": job["id"], "body": {"file": "rows.csv"}, "preflight": "off"}
        assert (await call(client, "upload-data-ingest-job", **sent))["findings"] == []
        assert (await closed(client, job["id"]))["state"] == "Failed"
    assert org.uploads == [content]


UNSEEN = {
    "bytes that are not UTF-8": (b"Name\nM\xfcller\n", "not UTF-8", (1, ["M\ufffdller"])),
    "no rows": (b"Name\n", "no row", (0, [])),
}


@pytest.mark.parametrize("what", UNSEEN)
async def test_what_would_lose_values_without_a_row_that_fails_is_not_sent_unasked(
    what: str, org: WatchedOrg, tmp_path: Path
) -> None:
    content, told, (processed, names) = UNSEEN[what]
    file_of(tmp_path, content)
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"})
        assert "- error" in text and told in text and "no job was made" in text
        assert org.changes == []
        sent = {"body": INSERT, "data": {"file": "rows.csv"}, "preflight": "off"}
        job = await call(client, "create-ingest-job", **sent)
        done = await closed(client, job["id"])
        assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (
            "JobComplete",
            processed,
            0,
        )
    made = org.records("SELECT Name FROM Account WHERE Name LIKE 'M%ller'")
    assert {record["Name"] for record in made} >= set(names)


async def test_an_object_that_is_not_there_is_told_before_a_job_is_made(org: WatchedOrg) -> None:
    body, data = {"object": "Acount", "operation": "insert"}, {"csv": "Name\nA\n"}
    async with agent(org.url) as client:
        checked = await call(client, "create-ingest-job", body=body, data=data, dryRun=True)
        assert [finding["level"] for finding in checked["findings"]] == ["error"]
        text = await refusal(client, "create-ingest-job", body=body, data=data)
        assert "There is no object Acount that this user can see" in text and "no job was made" in text
        assert '"body": {"object": "<an object>", "operation": "insert"}, "data": {"csv": "<the same rows>"}' in text
    assert org.changes == []


HARMLESS: dict[str, tuple[dict[str, str], bytes, str, tuple[int, int]]] = {
    "ragged rows": (
        INSERT,
        b"Name,Site\nA,B\nC,D,E\n",
        'line 3 ("C"): Rows have more cells than the header\'s 2',
        (2, 1),
    ),
    "a blank required cell": (INSERT, b"Name,Site\nA,B\n,C\n", "line 3", (2, 1)),
    "a missing required column": (CONTACTS, b"FirstName\nA\n", "requires LastName", (1, 1)),
    "a read-only column": (INSERT, b"Name,CreatedDate\nA,2020-01-01T00:00:00Z\n", "CreatedDate", (1, 1)),
    "a number that is none": (INSERT, b"Name,NumberOfEmployees\nA,many\n", "line 2", (1, 1)),
    "a text that is too long": (INSERT, b"Name,BillingCity\nA," + b"x" * 41 + b"\n", "line 2", (1, 1)),
    "blank keys": (UPSERT, b"External_Id__c,Name\n,A\nK-1,B\n", "line 2", (2, 1)),
    "repeated keys": (UPSERT, b"External_Id__c,Name\nK-2,A\nK-3,B\nK-2,C\n", "line 4", (3, 1)),
    "line breaks of another kind in cells": (INSERT, b'Name,Description\nA,"B\r\nC"\n', "line", (1, 0)),
}


@pytest.mark.parametrize("what", HARMLESS)
async def test_what_costs_rows_and_not_the_job_is_a_warning_and_goes_through(
    what: str, org: WatchedOrg, tmp_path: Path
) -> None:
    body, content, told, (processed, failed) = HARMLESS[what]
    file_of(tmp_path, content)
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        result = await client.call_tool("create-ingest-job", {"body": body, "data": {"file": "rows.csv"}})
        assert result.structured_content is not None, text_of(result)
        assert {finding["level"] for finding in result.structured_content["findings"]} == {"warning"}
        assert told in text_of(result) and "1 warning." in text_of(result)
        done = await closed(client, result.structured_content["id"])
        assert (done["state"], done["numberRecordsProcessed"]) == ("JobComplete", processed)
        assert done["numberRecordsFailed"] == failed
    assert org.uploads == [content]


@pytest.mark.parametrize(
    "content", [BOM + b"Name\nA\n", b"PK\x03\x04\0", b"Name\rA\r", b'Name\n"A\n', b"\0\xff", b"\n"]
)
async def test_without_a_preflight_the_very_bytes_go_out(content: bytes, org: WatchedOrg, tmp_path: Path) -> None:
    file_of(tmp_path, content)
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"}, preflight="off")
    assert (job["bytes"], job["status"]) == (len(content), "uploaded")
    assert org.uploads == [content]
    assert not any("describe" in request for request in org.recorder.calls)


HEADER = b"Name,Description\n"


def content_of(tag: str, rows: int = 100) -> bytes:
    """Rows with line breaks and quotes in them, so that a cut at a line would show."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([f"{tag} {n:03}", f'first "{n}",\nsecond\n\n{"x" * (n % 37)}'] for n in range(rows))
    return HEADER + out.getvalue().encode()


@asynccontextmanager
async def small_agent(org: WatchedOrg, folder: Path, era: Era = "auto") -> AsyncIterator[Client]:
    async with agent(org.url, era=era, upload_roots=[folder], max_upload_bytes=LIMIT) as client:
        yield client


@pytest.mark.parametrize("era", ERAS)
async def test_parts_are_whole_uploads_under_the_limit_and_joined_they_are_the_file(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    tag = f"Part {era}"
    content = content_of(tag)
    rows = {"file": str(file_of(tmp_path, content))}
    async with small_agent(org, tmp_path, era) as client:
        result = await client.call_tool("create-ingest-job", {"body": INSERT, "data": rows, "dryRun": True})
        checked = result.structured_content
        assert checked is not None
        parts, sha256 = checked["of"], checked["sha256"]
        assert (checked["rows"], checked["bytes"]) == (100, len(content))
        assert sha256 == hashlib.sha256(content).hexdigest() and sha256 in text_of(result)
        sending = {"body": INSERT, "data": rows, "part": 1, "sha256": sha256}
        assert next_call(checked["next"]) == ("create-ingest-job", sending)
        assert f"sends part 1 of {parts}" in checked["next"] and f"sends part 1 of {parts}" in text_of(result)
        assert org.changes == []
        jobs = [
            await call(client, "create-ingest-job", body=INSERT, data=rows, part=number, sha256=sha256)
            for number in range(1, parts + 1)
        ]
        assert [(job["part"], job["of"], job["sha256"]) for job in jobs] == [
            (number, parts, sha256) for number in range(1, parts + 1)
        ]
        assert sum(job["rows"] for job in jobs) == 100
        assert next_call(jobs[0]["next"].partition("; then ")[2])[1] == {**sending, "part": 2}
        assert "create-ingest-job" not in jobs[-1]["next"]
        for job in jobs:
            await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"})
        for job in jobs:
            done = await call(client, "get-ingest-job-status", jobId=job["id"], waitSeconds=30)
            assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (job["rows"], 0)
    sent = org.uploads
    assert 1 < len(sent) == parts
    assert all(len(body) <= LIMIT and body.startswith(HEADER) for body in sent)
    assert [len(body) for body in sent] == [job["bytes"] for job in jobs]
    assert HEADER + b"".join(body.removeprefix(HEADER) for body in sent) == content
    names = org.records(f"SELECT Name FROM Account WHERE Name LIKE '{tag}%' ORDER BY Name")
    assert [record["Name"] for record in names] == [f"{tag} {n:03}" for n in range(100)]


async def test_parts_of_mapped_rows_are_measured_as_they_go_out(org: WatchedOrg, tmp_path: Path) -> None:
    """Peers counted neither the header nor the quotes."""
    content = b"Company;Text\n" + b"".join(b'Shaped %03d;"a,b ""%d"""\n' % (n, n) for n in range(100))
    file_of(tmp_path, content)
    rows = {"file": "rows.csv", "columns": {"Company": "Name", "Text": "Description"}, "set": {"Site": "Oslo"}}
    body = INSERT | {"columnDelimiter": "COMMA", "lineEnding": "CRLF"}
    async with small_agent(org, tmp_path) as client:
        checked = await call(client, "create-ingest-job", body=body, data=rows, dryRun=True)
        for number in range(1, checked["of"] + 1):
            part = {"part": number, "sha256": checked["sha256"]}
            await call(client, "create-ingest-job", body=body, data=rows, **part)
    header = b"Name,Description,Site\r\n"
    assert all(len(sent) <= LIMIT and sent.startswith(header) for sent in org.uploads)
    joined = b"".join(sent.removeprefix(header) for sent in org.uploads)
    assert hashlib.sha256(header + joined).hexdigest() == checked["sha256"]
    assert list(csv.reader(io.StringIO(joined.decode(), newline=""))) == [
        [f"Shaped {n:03}", f'a,b "{n}"', "Oslo"] for n in range(100)
    ]


async def test_a_file_is_checked_once_for_all_of_its_parts(org: WatchedOrg, tmp_path: Path) -> None:
    """Reading 1 GB again for each of its parts would take minutes; here, later calls have no time for checks at all."""
    content = content_of("Once")
    rows = {"file": str(file_of(tmp_path, content))}
    sha256 = hashlib.sha256(content).hexdigest()

    def seconds_left() -> float:
        return CREATE_SECONDS if org.uploads else 40.0

    async with agent_keeping(org, tmp_path, seconds_left=seconds_left, upload_limit=LIMIT) as client:
        for number in (1, 2, 3):
            job = await call(client, "create-ingest-job", body=INSERT, data=rows, part=number, sha256=sha256)
            assert job["status"] == "uploaded"
    assert len(org.uploads) == 3


@pytest.mark.parametrize("spoil", ["cut off", "damaged"])
async def test_a_broken_gz_file_is_told_and_no_job_made(spoil: str, org: WatchedOrg, tmp_path: Path) -> None:
    packed = gzip.compress(b"Name\n" + os.urandom(3_000).hex().encode() + b"\n")
    file_of(tmp_path, packed[:-20] if spoil == "cut off" else packed[:500] + b"\0" * 20 + packed[520:], "rows.csv.gz")
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv.gz"})
    assert "The .gz file is damaged or cut off" in text and "write it again" in text and org.changes == []


async def test_records_become_a_column_for_each_key_in_first_seen_order(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        records = [{"Name": "One", "NumberOfEmployees": 3}, {"BillingCity": "Oslo", "Name": "Two", "Phone": None}]
        await call(client, "upload-data-ingest-job", jobId=job["id"], body={"records": records})
        await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
        page = await call(client, "get-successful-results-ingest-job", jobId=job["id"])
        assert page["columns"] == ["sf__Id", "sf__Created", "Name", "NumberOfEmployees", "BillingCity", "Phone"]
        assert sorted(row[2:5] for row in page["rows"]) == [["One", "3", ""], ["Two", "", "Oslo"]]


async def test_records_are_written_with_the_jobs_delimiter_and_line_ending(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        body = {"object": "Account", "operation": "insert", "columnDelimiter": "PIPE", "lineEnding": "CRLF"}
        job = await call(client, "create-ingest-job", body=body)
        records = [{"Name": 'A|"B"', "Description": "two\nlines"}]
        await call(client, "upload-data-ingest-job", jobId=job["id"], body={"records": records})
        await call(client, "close-abort-ingest-job", jobId=job["id"], body={"state": "UploadComplete"}, waitSeconds=30)
        page = await call(client, "get-successful-results-ingest-job", jobId=job["id"])
        assert page["rows"][0][2:] == ['A|"B"', "two\nlines"]


async def test_a_file_that_changes_while_the_job_of_an_equal_call_is_looked_for_is_not_sent(
    org: WatchedOrg, tmp_path: Path
) -> None:
    data = {"file": str(path := file_of(tmp_path, b"External_Id__c,Name\nX-1,One\n")), "match": "createOnly"}
    async with agent(org.url, upload_roots=[tmp_path]) as client:
        await created(client, data, body=UPSERT)
        org.forget()
        org.gate.method = "GET"
        org.gate.close()
        async with anyio.create_task_group() as tasks:

            async def again() -> None:
                text = await refusal(client, "create-ingest-job", body=UPSERT, data=data)
                assert "The rows were changed before they were checked." in text

            tasks.start_soon(again)
            await org.gate.reaches()
            path.write_bytes(b"External_Id__c,Name\nX-1,One\nX-2,Two\n")
            org.gate.method = "PUT"
            org.gate.open()
    assert org.changes == []


async def test_rows_of_findings_are_named_once_the_rows_are_sent_and_only_where_time_is_left(
    org: WatchedOrg, tmp_path: Path
) -> None:
    file_of(tmp_path, b"Name,AnnualRevenue\nSlow,much\n")
    left = [40.0, 40.0, 0.0]
    org.gate.close()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        if message is not None and message.endswith("bytes sent"):  # the call waits for the upload
            org.gate.open()

    def seconds_left() -> float:
        return left.pop(0) if left else 40.0

    async with agent_keeping(org, tmp_path, seconds_left=seconds_left, report_seconds=0.01) as client:
        begun = await created(client, {"file": "rows.csv"})
        await org.upload_begins()
        upload = {"jobId": begun["id"], "body": {"file": "rows.csv"}}
        with anyio.fail_after(20):
            answer = await client.call_tool("upload-data-ingest-job", upload, progress_callback=on_progress)
        sent = answer.structured_content
        left += [0.0] * 9
        late = await call(client, "upload-data-ingest-job", **upload)
    assert sent is not None
    steps = [(each["status"], each["findings"][0].get("rows")) for each in (begun, sent, late)]
    assert steps == [("in progress", None), ("uploaded", ["Slow"]), ("already uploaded", None)]
