"""Plans belong to the server: equal calls share one, and what is kept is little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument, SourceChanged
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan, make_plan
from salesforce_bulk_ingest.loading.sources import CsvText, RowSource
from salesforce_bulk_ingest.operations import planning
from salesforce_bulk_ingest.operations.describes import KEPT_SECONDS, DescribeCache
from salesforce_bulk_ingest.operations.planning import MOST_KEPT, LoadRequest, Planner
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import file_of, uploading
from tests.operations.test_describes import Answer, Clock, Org, plain, refusing


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[RowSource]:
    """The sources that were read for a plan."""
    sources: list[RowSource] = []

    def noted(source: RowSource, *arguments: Any, **options: Any) -> Plan:
        sources.append(source)
        return make_plan(source, *arguments, **options)

    monkeypatch.setattr(planning, "make_plan", noted)
    return sources


@asynccontextmanager
async def planner_of(
    limit: int = 1_000, org: SalesforceClient | None = None, clock: Clock | None = None
) -> AsyncIterator[Planner]:
    async with anyio.create_task_group() as tasks:
        yield Planner(DescribeCache(org or Org(), clock or Clock()), tasks, limit)
        tasks.cancel_scope.cancel()


async def planned(
    planner: Planner,
    rows: LoadRequest[RowSource],
    destination: Destination = Destination(),  # noqa: B008
    object_name: str | None = None,
) -> Plan:
    finished = await (await planner.planning(rows, object_name, destination)).wait(20)
    assert finished is not None
    return finished


async def test_equal_calls_at_the_same_time_share_one_plan(made: list[RowSource]) -> None:
    rows = LoadRequest(CsvText("Name\nAcme\n"))
    async with planner_of() as planner:
        both = [await planner.planning(rows, None, Destination()) for _ in range(2)]
        assert both[0] is both[1]
        assert await both[0].wait(20) is await both[1].wait(20) is not None
    assert len(made) == 1


async def test_the_plan_of_a_file_is_kept_until_the_file_is_another(made: list[RowSource], tmp_path: Path) -> None:
    source = uploading(path := file_of(tmp_path, b"Name\nAcme\n"))
    async with planner_of() as planner:
        first = await planned(planner, LoadRequest(source))
        assert await planned(planner, LoadRequest(source, part=1, sha256=first.sha256)) is first
        path.write_bytes(b"Name\nAcme\nOther\n")
        assert (await planned(planner, LoadRequest(source))).rows == 2
    assert len(made) == 2


@pytest.mark.parametrize(
    ("rows", "destination"),
    [
        ({"shape": ColumnMapping(constants={"Site": "x"})}, Destination()),
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
        await planned(planner, LoadRequest(source))
        await planned(planner, LoadRequest(source, **rows), destination)
    assert len(made) == 2


async def test_only_the_latest_plans_are_kept_and_none_of_rows_in_a_call(made: list[RowSource], tmp_path: Path) -> None:
    files = [uploading(file_of(tmp_path, b"Name\nAcme\n", f"{n}.csv")) for n in range(MOST_KEPT + 1)]
    async with planner_of() as planner:
        await planned(planner, LoadRequest(CsvText("Name\nAcme\n")))
        for source in files:
            await planned(planner, LoadRequest(source))
        made.clear()
        for source in files[1:]:
            await planned(planner, LoadRequest(source))
        assert made == []
        await planned(planner, LoadRequest(files[0]))
        await planned(planner, LoadRequest(CsvText("Name\nAcme\n")))
    assert made == [files[0], CsvText("Name\nAcme\n")]


async def test_what_ended_a_plan_reaches_its_callers_and_the_next_one_tries_again(
    made: list[RowSource], tmp_path: Path
) -> None:
    path = file_of(tmp_path, b"\x1f\x8bdamaged")
    async with planner_of() as planner:
        with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged"):
            await planned(planner, LoadRequest(uploading(path)))
        with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged"):
            await planned(planner, LoadRequest(uploading(path)))
    assert len(made) == 2


async def test_a_file_that_changes_between_the_first_look_at_it_and_the_checks_is_refused_and_not_kept(
    made: list[RowSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, b"Name\nAcme\n")

    def changed_first(source: RowSource, *arguments: Any, **options: Any) -> Plan:
        monkeypatch.setattr(planning, "make_plan", make_plan)
        path.write_bytes(b"Name\nAcme\nOth")
        return make_plan(source, *arguments, **options)

    monkeypatch.setattr(planning, "make_plan", changed_first)
    async with planner_of() as planner:
        with pytest.raises(SourceChanged):
            await planned(planner, LoadRequest(uploading(path)))
        assert (await planned(planner, LoadRequest(uploading(path)))).rows == 2


async def test_a_plan_without_its_describe_is_made_again_and_then_with_it(
    made: list[RowSource], tmp_path: Path
) -> None:
    rows = LoadRequest(uploading(file_of(tmp_path, b"AccountId\n001000000000001AAA\n")))
    org = Org(refusing(Unreachable("gone")))
    async with planner_of(org=org) as planner:
        [finding] = (await planned(planner, rows, object_name="Contact")).findings
        assert "could not be checked against the org: gone" in finding.what
        org.answer = plain
        for _ in range(2):
            assert (await planned(planner, rows, object_name="Contact")).findings == ()
    assert len(made) == 2


async def test_a_plan_is_kept_no_longer_than_its_describe(made: list[RowSource], tmp_path: Path) -> None:
    rows, clock = LoadRequest(uploading(file_of(tmp_path, b"AccountId\n001000000000001AAA\n"))), Clock()
    other = LoadRequest(CsvText("AccountId\n001000000000001AAA\n"))
    async with planner_of(org=(org := Org()), clock=clock) as planner:
        await planned(planner, other, object_name="Contact")
        clock.now += KEPT_SECONDS - 1
        for _ in range(2):
            await planned(planner, rows, object_name="Contact")
        assert (len(made), org.asked) == (2, {"Contact": 1})
        clock.now += 1
        await planned(planner, rows, object_name="Contact")
    assert (len(made), org.asked) == (3, {"Contact": 2})


async def test_the_plan_of_a_job_that_is_made_of_it_is_that_of_calls_with_the_job(
    made: list[RowSource], tmp_path: Path
) -> None:
    rows = LoadRequest(uploading(file_of(tmp_path, b"AccountId\n001000000000001AAA\n")))
    job = Job(id="750000000000001AAA", state="Open", object="Contact", operation="insert")
    async with planner_of() as planner:
        planning = await planner.planning(rows, "Contact", Destination(operation="insert"))
        first = await planning.wait(20)
        await planner.keep_for(planning, rows, job)
        assert await planned(planner, rows, Destination.of_job(job), "Contact") is first
    assert len(made) == 1


@pytest.mark.parametrize("answer", [plain, refusing(Unreachable("gone"))])
async def test_a_plan_that_no_call_waited_for_is_there_for_the_next_one(
    answer: Answer, made: list[RowSource], tmp_path: Path
) -> None:
    """Else, a call that comes again and again would check the same rows again and again."""
    file = uploading(file_of(tmp_path, b"AccountId\n001000000000001AAA\n"))
    text = CsvText("AccountId\n001000000000001AAA\n")
    async with planner_of(org=Org(answer)) as planner:
        for source in (file, text):
            planning = await planner.planning(LoadRequest(source), "Contact", Destination())
            while planning.plan is None:
                await anyio.lowlevel.checkpoint()
            assert await planned(planner, LoadRequest(source), object_name="Contact") is planning.plan
        await planned(planner, LoadRequest(text), object_name="Contact")
    assert made == [file, text, text]
