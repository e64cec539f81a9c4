"""What a refusal says of the ways beside the tools for whole files."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.loading.making import file_of
from tests.mcp_server.rooted import INSERT
from tests.support.orgs import (
    ERAS,
    Era,
    agent,
    call,
    refusal,
    steady,
)
from tests.support.watched_org import WatchedOrg

REST_URL = "http://127.0.0.1:8080/v1"


def plainly(text: str, folder: Path) -> list[str]:
    """The lines of a refusal, with the folders of this run named by their kind."""
    kinds = text.replace(str(folder.resolve()), "FOLDER")
    return str(steady(kinds)).splitlines()


@pytest.mark.parametrize("era", ERAS)
async def test_a_file_elsewhere_is_refused_with_the_line_to_add_and_the_way_past_the_tools(
    era: Era, org: WatchedOrg, tmp_path: Path
) -> None:
    (root := tmp_path / "exports").mkdir()
    outside = file_of(tmp_path, b"Name\nOutside\n", "outside.csv")
    async with agent(org.url, era=era, upload_roots=[root], rest_url=REST_URL) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        text = await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"file": str(outside)})
        assert plainly(text, tmp_path) == snapshot(
            [
                "INSUFFICIENT_ACCESS: This server reads files under FOLDER/exports only; relative paths begin there. To allow \"FOLDER\", the operator starts it with --upload-root FOLDER/exports --upload-root FOLDER among its arguments. Or have the user send the file: curl -T FILE.csv -H 'Content-Type: text/csv' http://127.0.0.1:PORT/v1/jobs/ingest/JOB/batches.",
                "Next: Tell the user. Don't look for another way around.",
            ]
        )
    async with agent(org.url, era=era, upload_roots=[root]) as client:
        # Over stdio nothing else serves the embedded org.
        assert "curl" not in await refusal(client, "upload-data-ingest-job", jobId=job_id, body={"file": str(outside)})
    assert org.uploads == []


async def test_rows_over_4_mb_are_refused_with_the_way_to_go_instead(org_url: str, tmp_path: Path) -> None:
    too_much = "Name\n" + "x" * 4_000_000
    async with agent(org_url, rest_url="http://127.0.0.1:8080/v1") as client:
        job = await call(client, "create-ingest-job", body=INSERT)
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": too_much})
        assert steady(text).splitlines() == snapshot(
            [
                "REQUEST_ENTITY_TOO_LARGE: These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent. Have the user send a file: curl -T FILE.csv -H 'Content-Type: text/csv' http://127.0.0.1:PORT/v1/jobs/ingest/JOB/batches.",
                'Next: upload-data-ingest-job {"jobId": "JOB", "body": "<rows>"} takes fewer rows, or a file: do what the message says, or split the rows over several jobs.',
            ]
        )
        assert (await call(client, "get-ingest-job-status", jobId=job["id"]))["state"] == "Open"
    async with agent(org_url) as client:
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body={"csv": too_much})
        assert steady(text).splitlines() == snapshot(
            [
                "REQUEST_ENTITY_TOO_LARGE: These rows are over 4,000,000 bytes, the most that a tool call takes. Nothing was sent. Send fewer rows in a call.",
                'Next: upload-data-ingest-job {"jobId": "JOB", "body": "<rows>"} takes fewer rows, or a file: do what the message says, or split the rows over several jobs.',
            ]
        )
    async with agent(org_url, upload_roots=[tmp_path]) as client:
        for body in ({"csv": too_much}, {"records": [{"Name": too_much}]}):
            text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=body)
            assert f"Put them in a file under {tmp_path}, and give file." in text
