"""The answer that lists jobs."""

import json
from pathlib import Path

from inline_snapshot import snapshot

from tests.mcp_server.answers.halves import TOKEN_BUDGET, sized_halves, steady_halves
from tests.mcp_server.answers.hostile_org import hostile_org
from tests.support.orgs import (
    agent,
    agent_over,
    call,
    emulator,
    loaded,
)
from tests.support.watched_org import WatchedOrg


async def test_a_list_of_1_000_jobs_shows_25_with_counts_and_the_locator() -> None:
    async with agent_over(hostile_org([], [], jobs=1_000)) as client:
        structure, text = await sized_halves(client, "list-all-ingest-jobs")
        assert max(len(structure), len(text)) / 4 <= TOKEN_BUDGET
        listing = json.loads(structure)
        assert (len(listing["jobs"]), listing["states"], listing["queryLocator"]) == (25, {"JobComplete": 1_000}, "L")


async def test_an_org_without_jobs_is_told_as_one_and_what_to_begin_with(tmp_path: Path) -> None:
    with emulator(tmp_path) as url:
        async with agent(url) as client:
            assert await steady_halves(client, "list-all-ingest-jobs") == snapshot(
                (
                    {
                        "summary": "There are no jobs to list in embedded org.",
                        "next": 'create-ingest-job {"body": {"object": "<object>", "operation": "<operation>"}, "data": "<rows>"} begins a load.',
                        "jobs": [],
                        "states": {},
                        "queryLocator": None,
                        "org": "embedded org",
                    },
                    [
                        "There are no jobs to list in embedded org.",
                        'Next: create-ingest-job {"body": {"object": "<object>", "operation": "<operation>"}, "data": "<rows>"} begins a load.',
                        "",
                        "id,state,object,operation,jobType,createdDate,createdById,numberRecordsProcessed,numberRecordsFailed",
                    ],
                )
            )


async def test_the_newest_jobs_have_counters_and_their_user_and_the_list_says_how_it_is_sorted(tmp_path: Path) -> None:
    with emulator(tmp_path) as url:
        async with agent(url) as client:
            first = await loaded(client, 'Name\nAcme\n""\n', preflight="off")
            second = await call(
                client,
                "create-ingest-job",
                body={"object": "Account", "operation": "upsert", "externalIdFieldName": "Id"},
            )
            structure, text = await sized_halves(client, "list-all-ingest-jobs")
    listing = json.loads(structure)
    assert [job["id"] for job in listing["jobs"]] == [second["id"], first]
    counters = [(job.get("numberRecordsProcessed"), job.get("numberRecordsFailed")) for job in listing["jobs"]]
    assert counters == [(None, None), (2, 1)]
    user = listing["jobs"][0]["createdById"]
    assert listing["summary"].endswith(
        f"; the 2 newest by createdDate shown, the newest first. Yours have createdById {user}."
    )
    assert f",{user},2,1" in text and f",{user},,\n" in text.replace("\r", "")


async def test_of_many_jobs_only_the_newest_ten_are_read_and_none_that_is_open(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        made = [
            (await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"}))["id"]
            for _ in range(12)
        ]
        for job in made[:-1]:
            await call(client, "close-abort-ingest-job", jobId=job, body={"state": "Aborted"})
        org.forget()
        await call(client, "list-all-ingest-jobs")
    reads = [each for each in org.recorder.calls if "/jobs/ingest/750" in each]
    assert len(reads) == len(set(reads)) == 9


async def test_a_job_that_cannot_be_read_stays_as_it_is_in_the_list() -> None:
    async with agent_over(hostile_org([], [], jobs=3)) as client:
        listing = await call(client, "list-all-ingest-jobs")
    assert len(listing["jobs"]) == 3
