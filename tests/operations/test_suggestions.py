"""Suggestions: asked for once by all, kept for some seconds, and no more than is known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client

from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.base.clock import Clock
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import agent, call, loaded, paths_in
from tests.support.watched_org import WatchedOrg

LIST = "GET /services/data/v63.0/jobs/ingest"
OBJECTS = "GET /services/data/v63.0/sobjects"


class Time:
    """A clock that goes forward when it is told to."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def services(org: WatchedOrg, folder: Path, time: Time, **settings: object) -> AsyncIterator[Services]:
    chosen = Settings.model_validate({"emulator": True, "allow_preflight_off": True, **settings})
    clock = Clock(time, time)
    async with open_services(chosen, paths_in(folder), EmbeddedOrg(org.url, folder), clock=clock) as opened:
        yield opened


async def test_the_list_of_jobs_is_asked_for_once_in_some_seconds(org: WatchedOrg, tmp_path: Path) -> None:
    time = Time()
    async with services(org, tmp_path, time) as opened:
        for _ in range(3):
            await opened.operations.suggestions.jobs()
        assert org.recorder.calls.count(LIST) == 1
        time.now += 10
        await opened.operations.suggestions.jobs()
        assert org.recorder.calls.count(LIST) == 2
        await opened.operations.suggestions.newest_jobs()
        assert org.recorder.calls.count(LIST) == 3


async def test_the_objects_are_asked_for_once_in_some_minutes(org: WatchedOrg, tmp_path: Path) -> None:
    time = Time()
    async with services(org, tmp_path, time) as opened:
        first = await opened.operations.suggestions.objects()
        time.now += 200
        assert await opened.operations.suggestions.objects() == first and "Account" in first
        assert org.recorder.calls.count(OBJECTS) == 1
        time.now += 200
        await opened.operations.suggestions.objects()
        assert org.recorder.calls.count(OBJECTS) == 2


@pytest.mark.parametrize(("is_kept", "kinds"), [(True, {"failedResults"}), (False, set())])
async def test_only_results_that_are_kept_are_told(
    is_kept: bool, kinds: set[str], org: WatchedOrg, tmp_path: Path
) -> None:
    async with (
        services(org, tmp_path, Time(), no_spool=not is_kept) as opened,
        Client(build_mcp(opened, None)) as client,
    ):
        job_id = await loaded(client, "Name\nAcme\n")
        await call(client, "get-failed-results-ingest-job", jobId=job_id)
        org.forget()
        jobs = await opened.operations.suggestions.newest_jobs()
        assert {result.kind for result in await opened.operations.suggestions.kept_results(jobs)} == kinds
        assert not any("Results" in called for called in org.recorder.calls)


async def test_what_is_no_job_id_is_not_asked_for(org: WatchedOrg, tmp_path: Path) -> None:
    async with services(org, tmp_path, Time()) as opened:
        assert await opened.operations.suggestions.columns("../limits", "failedResults") == ()
        assert await opened.operations.suggestions.error_fields("x") == ()
    assert org.recorder.calls == []


async def test_a_job_that_is_not_among_the_newest_is_read(org_url: str, tmp_path: Path) -> None:
    async with agent(org_url) as client:
        old = await loaded(client, "Name\nAcme\n")
        for _ in range(25):
            await call(client, "create-ingest-job", body={"object": "Contact", "operation": "insert"})
    async with (
        open_services(Settings(emulator=True), paths_in(tmp_path), EmbeddedOrg(org_url, tmp_path)) as opened,
    ):
        suggestions = opened.operations.suggestions
        assert old not in {job.id for job in await suggestions.jobs()}
        assert "NumberOfEmployees" in await suggestions.columns(old, "failedResults")
