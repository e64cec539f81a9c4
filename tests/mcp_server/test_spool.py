"""Results are fetched once: pages come from what is kept, for as long as it is that job's."""

import re
from pathlib import Path

from mcp import Client
from mcp_types import ReadResourceResult, TextResourceContents

from tests.support.orgs import agent, call, loaded, refusal, text_of
from tests.support.watched_org import WatchedOrg

ROWS = "Name,BillingCity\n" + "".join(f'"Row {n:03}","City, ""{n}"""\n' for n in range(300))


def results_of(org: WatchedOrg) -> list[str]:
    """The calls for results since the last look."""
    return [name for name in org.recorder.calls if re.search(r"(?i)results|records", name)]


def content_of(path: str) -> bytes | None:
    """What the file holds; None where there is none."""
    return Path(path).read_bytes() if Path(path).exists() else None


async def csv_of(client: Client, uri: str) -> str:
    read: ReadResourceResult = await client.read_resource(uri)
    (content,) = read.contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_any_number_of_pages_through_tools_and_resources_cost_one_download(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        org.forget()
        first = await call(client, "get-successful-results-ingest-job", jobId=job)
        assert (len(first["rows"]), first["total"], first["nextOffset"]) == (50, 300, 50)
        last = await call(client, "get-successful-results-ingest-job", jobId=job, offset=299)
        assert (len(last["rows"]), last["nextOffset"]) == (1, None)
        assert (content_of(first["file"]) or b"").count(b"\n") == 301
        assert first["file"] in text_of(await client.call_tool("get-successful-results-ingest-job", {"jobId": job}))
        await csv_of(client, f"salesforce-bulk://jobs/{job}/successful-results?offset=100")
        assert len(results_of(org)) == 1


async def test_pages_of_a_resource_joined_are_the_result_byte_for_byte(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        path = (await call(client, "get-successful-results-ingest-job", jobId=job))["file"]
        uri, offset = f"salesforce-bulk://jobs/{job}/successful-results", 0
        header, joined = "", ""
        while True:
            page = await csv_of(client, f"{uri}?offset={offset}&limit=37")
            header, _, some = page.partition("\n")
            if not some:
                break
            joined += some
            offset += some.count("\n")
        assert f"{header}\n{joined}".encode() == content_of(path)
        chosen = await csv_of(client, f"{uri}?limit=1&columns=BillingCity,Name")
        assert re.fullmatch(r'BillingCity,Name\n"City, ""\d+""",Row \d+\n', chosen)


async def test_failed_rows_are_shown_by_cause_and_column(org: WatchedOrg) -> None:
    rows = "Name,NumberOfEmployees\n" + "A,many\n" * 3 + ",5\n" * 2 + "B,7\n"
    async with agent(org.url) as client:
        job = await loaded(client, rows, preflight="off")
        where = {"statusCode": "REQUIRED_FIELD_MISSING"}
        page = await call(
            client, "get-failed-results-ingest-job", jobId=job, columns=["NumberOfEmployees"], where=where
        )
        assert (page["columns"], page["rows"], page["total"]) == (["NumberOfEmployees"], [["5"], ["5"]], 5)
        assert "2 rows of 5 that were asked for" in page["summary"]
        page = await call(client, "get-failed-results-ingest-job", jobId=job, where={"field": "numberofemployees"})
        assert len(page["rows"]) == 3
        page = await call(client, "get-failed-results-ingest-job", jobId=job, where={"statusCode": "OTHER"})
        assert page["rows"] == [] and page["summary"].startswith("No such rows in the failed results")
        text = await refusal(client, "get-failed-results-ingest-job", jobId=job, columns=["Town"])
        assert "columns names 'Town'" in text and "NumberOfEmployees" in text
        text = await refusal(client, "get-failed-results-ingest-job", jobId=job, where={"code": "X"})
        assert "where.code: there is no such argument here" in text


async def test_a_deleted_job_takes_its_results_along(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job = await loaded(client, ROWS)
        path = (await call(client, "get-successful-results-ingest-job", jobId=job))["file"]
        assert content_of(path)
        await call(client, "delete-ingest-job", jobId=job)
        assert content_of(path) is None


async def test_without_a_spool_nothing_is_kept_and_pages_are_the_same(org: WatchedOrg) -> None:
    async with agent(org.url) as client, agent(org.url, no_spool=True) as other:
        job = await loaded(client, ROWS)
        kept = await call(client, "get-successful-results-ingest-job", jobId=job, offset=250)
        org.forget()
        page = await call(other, "get-successful-results-ingest-job", jobId=job, offset=250)
        assert page.get("file") is None
        assert page["rows"] == kept["rows"] and (page["total"], page["nextOffset"]) == (300, None)
        await call(other, "get-successful-results-ingest-job", jobId=job, offset=250)
        assert len(results_of(org)) == 2


async def test_a_folder_that_can_not_be_used_costs_nobody_a_page(org: WatchedOrg, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    async with agent(org.url, folder=tmp_path) as client:
        job = await loaded(client, ROWS)
        page = await call(client, "get-successful-results-ingest-job", jobId=job)
        assert (len(page["rows"]), page.get("file")) == (50, None)
