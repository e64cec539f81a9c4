"""The answer that lists jobs."""

import json
from pathlib import Path

from inline_snapshot import snapshot

from tests.mcp_server.answers.halves import TOKEN_BUDGET, sized_halves, steady_halves
from tests.mcp_server.answers.hostile_org import hostile_org
from tests.support.orgs import (
    agent,
    agent_over,
    emulator,
)


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
                        "id,state,object,operation,jobType,createdDate",
                    ],
                )
            )
