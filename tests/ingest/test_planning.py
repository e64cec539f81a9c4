"""Plans belong to the server: equal calls share one, and what is kept is little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from salesforce_bulk_ingest.ingest import planning
from salesforce_bulk_ingest.ingest.describes import Describes
from salesforce_bulk_ingest.ingest.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.ingest.planning import MOST_KEPT, Planner, Rows
from salesforce_bulk_ingest.ingest.rows_in.destination import Destination
from salesforce_bulk_ingest.ingest.rows_in.plan import Plan, plan
from salesforce_bulk_ingest.ingest.rows_in.shape import Shape
from salesforce_bulk_ingest.ingest.rows_in.sources import CsvText, RowSource
from salesforce_bulk_ingest.salesforce.auth import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from tests.ingest.rows_in.making import file_of, uploading


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[RowSource]:
    """The sources that were read for a plan."""
    sources: list[RowSource] = []

    def noted(source: RowSource, *arguments: Any, **options: Any) -> Plan:
        sources.append(source)
        return plan(source, *arguments, **options)

    monkeypatch.setattr(planning, "plan", noted)
    return sources


@asynccontextmanager
async def planner_of(limit: int = 1_000) -> AsyncIterator[Planner]:
    credentials = FixedCredentials(Credentials("http://127.0.0.1", SecretStr("A.TOKEN")))
    async with httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:
        yield Planner(Describes(SalesforceClient(http, credentials, "63.0")), tasks, limit)
        tasks.cancel_scope.cancel()


async def planned(planner: Planner, rows: Rows, destination: Destination = Destination()) -> Plan:  # noqa: B008
    finished = await (await planner.planning(rows, None, destination)).wait(20)
    assert finished is not None
    return finished


async def test_equal_calls_at_the_same_time_share_one_plan(made: list[RowSource]) -> None:
    rows = Rows(CsvText("Name\nAcme\n"))
    async with planner_of() as planner:
        both = [await planner.planning(rows, None, Destination()) for _ in range(2)]
        assert both[0] is both[1]
        assert await both[0].wait(20) is await both[1].wait(20) is not None
    assert len(made) == 1


async def test_the_plan_of_a_file_is_kept_until_the_file_is_another(made: list[RowSource], tmp_path: Path) -> None:
    source = uploading(path := file_of(tmp_path, b"Name\nAcme\n"))
    async with planner_of() as planner:
        first = await planned(planner, Rows(source))
        assert await planned(planner, Rows(source, part=1, sha256=first.sha256)) is first
        path.write_bytes(b"Name\nAcme\nOther\n")
        assert (await planned(planner, Rows(source))).rows == 2
    assert len(made) == 2


@pytest.mark.parametrize(
    ("rows", "destination"),
    [
        ({"shape": Shape(constants={"Site": "x"})}, Destination()),
        ({"preflight": False}, Destination()),
        ({}, Destination(operation="update")),
        ({}, Destination(line_ending="CRLF")),
    ],
)
async def test_another_shape_or_job_has_a_plan_of_its_own(
    rows: dict[str, Any], destination: Destination, made: list[RowSource], tmp_path: Path
) -> None:
    source = uploading(file_of(tmp_path, b"Name\nAcme\n"))
    async with planner_of() as planner:
        await planned(planner, Rows(source))
        await planned(planner, Rows(source, **rows), destination)
    assert len(made) == 2


async def test_only_the_latest_plans_are_kept_and_none_of_rows_in_a_call(made: list[RowSource], tmp_path: Path) -> None:
    files = [uploading(file_of(tmp_path, b"Name\nAcme\n", f"{n}.csv")) for n in range(MOST_KEPT + 1)]
    async with planner_of() as planner:
        await planned(planner, Rows(CsvText("Name\nAcme\n")))
        for source in files:
            await planned(planner, Rows(source))
        made.clear()
        for source in files[1:]:
            await planned(planner, Rows(source))
        assert made == []
        await planned(planner, Rows(files[0]))
        await planned(planner, Rows(CsvText("Name\nAcme\n")))
    assert made == [files[0], CsvText("Name\nAcme\n")]


async def test_what_ended_a_plan_reaches_its_callers_and_the_next_one_tries_again(
    made: list[RowSource], tmp_path: Path
) -> None:
    path = file_of(tmp_path, b"\x1f\x8bdamaged")
    async with planner_of() as planner:
        with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged"):
            await planned(planner, Rows(uploading(path)))
        with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged"):
            await planned(planner, Rows(uploading(path)))
    assert len(made) == 2


async def test_a_file_that_changes_between_the_first_look_at_it_and_the_checks_is_refused_and_not_kept(
    made: list[RowSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, b"Name\nAcme\n")

    def changed_first(source: RowSource, *arguments: Any, **options: Any) -> Plan:
        monkeypatch.setattr(planning, "plan", plan)
        path.write_bytes(b"Name\nAcme\nOth")
        return plan(source, *arguments, **options)

    monkeypatch.setattr(planning, "plan", changed_first)
    async with planner_of() as planner:
        with pytest.raises(SourceChanged):
            await planned(planner, Rows(uploading(path)))
        assert (await planned(planner, Rows(uploading(path)))).rows == 2
