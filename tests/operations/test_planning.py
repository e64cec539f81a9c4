"""Plans belong to the server: equal calls share one, and what is kept is little."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import anyio
import anyio.lowlevel
import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument, NoSuchColumn, SourceChanged
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.sources import CsvText, RowSource, UploadFile
from salesforce_bulk_ingest.operations.describes import KEPT_SECONDS, DescribeCache
from salesforce_bulk_ingest.operations.load import CREATE_SECONDS
from salesforce_bulk_ingest.operations.load_request import LoadRequest
from salesforce_bulk_ingest.operations.planning import MOST_KEPT, Planner
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import file_of, uploading
from tests.operations.test_describes import Answer, Clock, Org, plain, refusing
from tests.support.next_call import next_call
from tests.support.orgs import call, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}


@dataclass(frozen=True)
class Counted:
    """A source that notes each time it is read; equal to one with the same rows, as a caller's next call has it."""

    source: RowSource
    read: list[RowSource] = field(repr=False, compare=False)

    def open(self, dialect: Dialect) -> BinaryIO:
        self.read.append(self.source)
        return self.source.open(dialect)

    def version(self) -> object:
        return self.source.version()

    @property
    def has_lines(self) -> bool:
        return True

    @property
    def is_costly(self) -> bool:
        return self.source.is_costly


@asynccontextmanager
async def planner_of(
    limit: int = 1_000, org: SalesforceClient | None = None, clock: Clock | None = None
) -> AsyncIterator[Planner]:
    async with anyio.create_task_group() as task_group:
        tasks = SharedTasks(task_group)
        yield Planner(DescribeCache(org or Org(), tasks, clock or Clock()), tasks, limit)
        task_group.cancel_scope.cancel()


async def planned(
    planner: Planner,
    request: LoadRequest[RowSource],
    destination: Destination = Destination(),  # noqa: B008
    object_name: str | None = None,
    *,
    profiled: bool = False,
) -> Plan:
    with anyio.fail_after(20):
        return await (await planner.plan(request, object_name, destination, profiled=profiled)).finished()


async def test_equal_calls_at_the_same_time_share_one_plan() -> None:
    read: list[RowSource] = []
    request = LoadRequest(Counted(CsvText("Name\nAcme\n"), read))
    async with planner_of() as planner:
        both = [await planner.plan(request, None, Destination()) for _ in range(2)]
        assert await both[0].finished() is await both[1].finished()
    assert len(read) == 1


async def test_the_plan_of_a_file_is_kept_until_the_file_is_another(tmp_path: Path) -> None:
    read: list[RowSource] = []
    source = Counted(uploading(path := file_of(tmp_path, b"Name\nAcme\n")), read)
    async with planner_of() as planner:
        first = await planned(planner, LoadRequest(source))
        assert await planned(planner, LoadRequest(source, part=1, sha256=first.sha256)) is first
        path.write_bytes(b"Name\nAcme\nOther\n")
        assert (await planned(planner, LoadRequest(source))).rows == 2
    assert len(read) == 2


async def test_the_plan_of_a_dry_run_is_that_of_the_load_and_one_without_a_profile_is_not_that_of_a_dry_run(
    tmp_path: Path,
) -> None:
    read: list[RowSource] = []
    source = Counted(uploading(file_of(tmp_path, b"Name\nAcme\n")), read)
    async with planner_of() as planner:
        await planned(planner, LoadRequest(source))
        profiled = await planned(planner, LoadRequest(source), profiled=True)
        assert await planned(planner, LoadRequest(source)) is profiled
    assert profiled.profile is not None and len(read) == 2


@pytest.mark.parametrize(
    ("rows", "destination"),
    [
        ({"mapping": ColumnMapping(constants={"Site": "x"})}, Destination()),
        ({"preflight": False}, Destination()),
        ({}, Destination(operation="update")),
        ({}, Destination(line_ending="CRLF")),
    ],
)
async def test_another_mapping_or_job_has_a_plan_of_its_own(
    rows: dict[str, Any], destination: Destination, tmp_path: Path
) -> None:
    read: list[RowSource] = []
    source = Counted(uploading(file_of(tmp_path, b"Name\nAcme\n")), read)
    async with planner_of() as planner:
        await planned(planner, LoadRequest(source))
        await planned(planner, LoadRequest(source, **rows), destination)
    assert len(read) == 2


async def test_only_the_latest_plans_are_kept_and_none_of_rows_in_a_call(tmp_path: Path) -> None:
    read: list[RowSource] = []
    text = Counted(CsvText("Name\nAcme\n"), read)
    files = [Counted(uploading(file_of(tmp_path, b"Name\nAcme\n", f"{n}.csv")), read) for n in range(MOST_KEPT + 1)]
    async with planner_of() as planner:
        await planned(planner, LoadRequest(text))
        for source in files:
            await planned(planner, LoadRequest(source))
        read.clear()
        for source in files[1:]:
            await planned(planner, LoadRequest(source))
        assert read == []
        await planned(planner, LoadRequest(files[0]))
        await planned(planner, LoadRequest(text))
    assert read == [files[0].source, text.source]


async def test_what_ended_a_plan_reaches_its_callers_and_the_next_one_tries_again(tmp_path: Path) -> None:
    read: list[RowSource] = []
    source = Counted(uploading(file_of(tmp_path, b"\x1f\x8bdamaged")), read)
    async with planner_of() as planner:
        for _ in range(2):
            with pytest.raises(InvalidArgument, match=r"The \.gz file is damaged"):
                await planned(planner, LoadRequest(source))
    assert len(read) == 2


@dataclass
class Changing:
    """A file that is replaced after the first look at its version."""

    path: Path
    is_looked_at: bool = False

    def open(self, dialect: Dialect) -> BinaryIO:
        return uploading(self.path).open(dialect)

    def version(self) -> object:
        version = uploading(self.path).version()
        if not self.is_looked_at:
            self.is_looked_at = True
            self.path.write_bytes(b"Name\nAcme\nOth")
        return version

    is_costly = has_lines = True


async def test_a_file_that_changes_between_the_first_look_at_it_and_the_checks_is_refused_and_not_kept(
    tmp_path: Path,
) -> None:
    source = Changing(file_of(tmp_path, b"Name\nAcme\n"))
    async with planner_of() as planner:
        with pytest.raises(SourceChanged):
            await planned(planner, LoadRequest(source))
        assert (await planned(planner, LoadRequest(source))).rows == 2


CONTACTS = b"AccountId\n001000000000001AAA\n"


async def test_a_plan_without_its_describe_is_made_again_and_then_with_it(tmp_path: Path) -> None:
    request = LoadRequest(uploading(file_of(tmp_path, CONTACTS)))
    org = Org(refusing(Unreachable("gone")))
    async with planner_of(org=org) as planner:
        [finding] = (await planned(planner, request, object_name="Contact")).findings
        assert "could not be checked against the org: gone" in finding.what
        org.answer = plain
        second = await planned(planner, request, object_name="Contact")
        assert second.findings == ()
        assert await planned(planner, request, object_name="Contact") is second


async def test_a_plan_is_kept_no_longer_than_its_describe(tmp_path: Path) -> None:
    request, clock = LoadRequest(uploading(file_of(tmp_path, CONTACTS))), Clock()
    other = LoadRequest(CsvText(CONTACTS.decode()))
    async with planner_of(org=(org := Org()), clock=clock) as planner:
        await planned(planner, other, object_name="Contact")
        clock.now += KEPT_SECONDS - 1
        first = await planned(planner, request, object_name="Contact")
        assert await planned(planner, request, object_name="Contact") is first
        assert org.asked == {"Contact": 1}
        clock.now += 1
        assert await planned(planner, request, object_name="Contact") is not first
    assert org.asked == {"Contact": 2}


async def test_the_plan_of_a_job_that_is_made_of_it_is_that_of_calls_with_the_job(tmp_path: Path) -> None:
    request = LoadRequest(uploading(file_of(tmp_path, CONTACTS)))
    job = Job(id="750000000000001AAA", state="Open", object="Contact", operation="insert")
    async with planner_of() as planner:
        first = await planned(planner, request, Destination(operation="insert"), "Contact")
        await planner.keep_for_job(first, request, job)
        assert await planned(planner, request, Destination.of_job(job), "Contact") is first


@pytest.mark.parametrize("answer", [plain, refusing(Unreachable("gone"))])
async def test_a_plan_that_no_call_waited_for_is_there_for_the_next_one(answer: Answer, tmp_path: Path) -> None:
    """Else, a call that comes again and again would check the same rows again and again."""
    file, text = uploading(file_of(tmp_path, CONTACTS)), CsvText(CONTACTS.decode())
    async with planner_of(org=Org(answer)) as planner:
        for source in (file, text):
            task = await planner.plan(LoadRequest(source), "Contact", Destination())
            with anyio.fail_after(20):
                while not task.has_result:
                    await anyio.lowlevel.checkpoint()
            assert await planned(planner, LoadRequest(source), object_name="Contact") is task.result
        assert await planned(planner, LoadRequest(text), object_name="Contact") is not task.result


def content_of(tag: str, size: int = 600_000) -> bytes:
    row = f"{tag} with a name of some length,{'x' * 200}\n".encode()
    return b"Name,Description\n" + row * (size // len(row))


async def test_checks_and_uploads_that_outlast_their_calls_are_joined_by_the_same_call(
    org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Joined", 3_000_000)
    file_of(tmp_path, content)
    rows = {"file": "rows.csv"}
    # No time for the checks; time for them and the job, and none for the upload; then all the time.
    times = chain([0.0, 40.0, 40.0, 0.0], repeat(40.0))
    org.gate.close()
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        first = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (first["status"], first.get("id"), org.changes) == ("checking", None, [])
        assert next_call(first["next"]) == ("create-ingest-job", {"body": INSERT, "data": rows})
        second = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (second["status"], second["bytes"], second["rows"] > 0) == ("in progress", len(content), True)
        assert second["bytesDone"] < len(content) and "joins this upload" in second["next"]
        await org.upload_begins()
        org.gate.open()
        assert next_call(second["next"]) == ("upload-data-ingest-job", {"jobId": second["id"], "body": rows})
        await call(client, "upload-data-ingest-job", jobId=second["id"], body=rows)
        again = await call(client, "upload-data-ingest-job", jobId=second["id"], body=rows)
        assert again["status"] == "already uploaded"
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"] and org.uploads == [content]


@pytest.mark.parametrize("source", ["csv", "file"])
async def test_no_job_is_made_when_the_checks_leave_no_time_to_tell_of_it(
    source: str, org: WatchedOrg, tmp_path: Path
) -> None:
    content = content_of("Late")
    rows = {"file": str(file_of(tmp_path, content))} if source == "file" else {"csv": content.decode()}
    times = chain([CREATE_SECONDS], repeat(40.0))
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        first = await call(client, "create-ingest-job", body=INSERT, data=rows)
        assert (first["status"], first.get("id"), org.changes) == ("checking", None, [])
        assert (await call(client, "create-ingest-job", body=INSERT, data=rows))["status"] == "uploaded"
    assert org.changes == ["POST ingest", "PUT ingest/JOB/batches"]


async def test_a_file_is_checked_once_for_a_create_and_the_uploads_that_join_it(
    org: WatchedOrg, tmp_path: Path
) -> None:
    """After the create, no call has time for checks."""
    content = content_of("Once more")
    rows = {"file": str(file_of(tmp_path, content))}
    times = chain([40.0] * 3, repeat(0.0))
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data=rows)
        for _ in range(2):
            again = await call(client, "upload-data-ingest-job", jobId=job["id"], body=rows)
            assert again["status"] == "already uploaded"
    assert org.uploads == [content]


class WatchedFile(UploadFile):
    """A file that notes the encoding of each reading."""

    read: ClassVar[list[str]] = []

    def open(self, dialect: Dialect) -> BinaryIO:
        self.read.append(self.encoding)
        return super().open(dialect)


async def test_a_file_that_was_read_in_its_likely_encoding_is_not_read_again_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    WatchedFile.read.clear()
    file = WatchedFile(uploading(file_of(tmp_path, "Name\nCafé\n".encode("windows-1252"))).file)
    async with planner_of() as planner:
        given = await planned(planner, LoadRequest(file), profiled=True)
        assert given.encoding is not None and WatchedFile.read == ["utf-8", given.encoding.name]
        decoded = LoadRequest(replace(file, encoding=given.encoding.name))
        for _ in range(2):
            plan = await planned(planner, decoded, profiled=True)
            assert (plan.first_rows, plan.encoding, plan.has_errors) == ((("Café",),), None, False)
            assert given.has_errors and (await planned(planner, LoadRequest(file), profiled=True)) is given
    assert len(WatchedFile.read) == 2


@pytest.mark.parametrize("dry_run", [False, True])
async def test_rows_with_errors_are_named_only_where_the_call_has_time_left(
    dry_run: bool, org: WatchedOrg, tmp_path: Path
) -> None:
    file_of(tmp_path, b'Name,AnnualRevenue\nTimed,"1,5"\n')
    given = {
        "body": INSERT,
        "data": {
            "file": "rows.csv",
            "formats": {"AnnualRevenue": "1.234,5"},
            "values": {"AnnualRevenue": {"1,5": "1.5"}},
        },
        **({"dryRun": True} if dry_run else {}),
    }
    left, told = list[float](), list[str]()
    async with agent_keeping(org, tmp_path, seconds_left=lambda: left.pop(0) if left else 0.0) as client:
        for last in (20.0, 0.0):
            left[:] = [20.0, last]
            told.append(text_of(await client.call_tool("create-ingest-job", given)))
    assert ["- error, column AnnualRevenue, line 2" in text for text in told] == [True, True]
    assert ['("Timed"' in text for text in told] == [True, False]


async def test_a_dry_run_that_outlasts_its_call_is_joined_by_the_same_call(org: WatchedOrg, tmp_path: Path) -> None:
    file_of(tmp_path, content_of("Dry"))
    times = chain([0.0], repeat(20.0))
    async with agent_keeping(org, tmp_path, seconds_left=times.__next__) as client:
        statuses = [
            (await call(client, "create-ingest-job", body=INSERT, data={"file": "rows.csv"}, dryRun=True))["status"]
            for _ in range(2)
        ]
    assert statuses == ["checking", "checked"] and org.changes == []


async def test_a_wrong_name_is_what_a_call_is_refused_for_also_where_its_columns_have_another_mistake() -> None:
    columns = {"Firma": "LastName", "Nachname": "LastName"}
    request = LoadRequest(
        CsvText("Firma,Nachname\nAcme,Meier\n"), mapping=ColumnMapping(columns=columns, only=("Nmae",))
    )
    async with planner_of() as planner:
        with pytest.raises(NoSuchColumn, match='only names "Nmae"'):
            await planned(planner, request, Destination(operation="insert"), "Contact")
