"""Rows of an org are sent again once, by whatever name its host is called; what one org did is no matter of another."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import open_services
from salesforce_bulk_ingest.cache.job_files import retry_name
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce_emulator.caller import Caller, an_org
from tests.support.asgi_server import running
from tests.support.orgs import ERAS, Era, call, loaded, paths_in, refusal
from tests.support.wire import USERINFO, pass_lifespan, read_body, start, tell_no_user

INSERT = {"object": "Account", "operation": "insert"}
WITHOUT_NAME = 7


def rows_from(first: int) -> str:
    """21 rows, of which 7 have no name, without which Salesforce refuses them."""
    phones = range(first, first + 21)
    return "Name,Phone\n" + "".join(f"{'' if n % 3 == 0 else f'Row {n}'},{n}\n" for n in phones)


ROWS = rows_from(1)


@asynccontextmanager
async def server(url: str, folder: Path, era: Era = "auto") -> AsyncIterator[Client]:
    """A client of a server for the org at this URL, whose records and cached files are in the folder."""
    settings = Settings(instance_url=url, access_token=SecretStr(ACCESS_TOKEN), allow_preflight_off=True)
    async with open_services(settings, paths_in(folder)) as services:
        async with Client(build_mcp(services, None), mode=era) as client:
            yield client


def named(job: str, **more: Any) -> dict[str, Any]:
    """The arguments of a create that sends the failed rows of a job again, with a name."""
    rows_of = {"jobs": [job], "which": ["failed"], **more}
    return {"body": INSERT, "data": {"rowsOf": rows_of, "set": {"Name": "Named"}}, "preflight": "off"}


async def send_again(client: Client, job: str, **more: Any) -> str:
    """The id of a new job that has loaded the failed rows of a job."""
    again = await call(client, "create-ingest-job", **named(job, **more))
    closing = {"jobId": again["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    assert (await call(client, "close-abort-ingest-job", **closing))["state"] == "JobComplete"
    return str(again["id"])


def localhost(url: str) -> str:
    return url.replace("127.0.0.1", "localhost")


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Caller]:
    with an_org(tmp_path / "org") as caller:
        yield caller


def url_of(org: Caller) -> str:
    return str(org.http.base_url).rstrip("/")


@pytest.mark.parametrize("era", ERAS)
async def test_rows_that_went_by_one_name_of_the_host_do_not_go_by_another(
    org: Caller, tmp_path: Path, era: Era
) -> None:
    async with server(url_of(org), tmp_path, era) as client:
        job = await loaded(client, ROWS, preflight="off")
        await send_again(client, job)
    async with server(localhost(url_of(org)), tmp_path, era) as client:
        assert f"{WITHOUT_NAME} of job {job}" in await refusal(client, "create-ingest-job", **named(job))
    assert org.count("Name = 'Named'") == WITHOUT_NAME


async def test_what_an_earlier_version_recorded_by_the_host_counts_for_the_organization(
    org: Caller, tmp_path: Path
) -> None:
    async with server(url_of(org), tmp_path) as client:
        job, other = [await loaded(client, rows, preflight="off") for rows in (ROWS, rows_from(22))]
        await send_again(client, job)
    _record_by_host(tmp_path, url_of(org))
    async with server(url_of(org), tmp_path) as client:
        assert "Some of these rows were sent again before" in await refusal(client, "create-ingest-job", **named(job))
    async with server(localhost(url_of(org)), tmp_path) as client:
        assert "Some of these rows were sent again before" in await refusal(client, "create-ingest-job", **named(job))
        # The upload that was kept by the host is at hand, so that the rows go out as they were sent.
        await send_again(client, other)
    sent = org.query("SELECT Phone FROM Account WHERE Name = 'Named'")["records"]
    assert sorted(int(record["Phone"]) for record in sent) == list(range(3, 43, 3))


def _record_by_host(folder: Path, url: str) -> None:
    """Change what was recorded by the organization to what version 0.1.0 recorded: by the host."""
    host = url.removeprefix("http://")
    with closing(sqlite3.connect(folder / "state" / "uploads.sqlite3")) as database, database:
        for table in ("uploads", "rows_sent_again"):
            database.execute(f"UPDATE {table} SET org = ?", (host,))
        database.execute("DROP TABLE organizations")
        database.execute("PRAGMA user_version = 0")
    [cached] = [path for path in (folder / "spool").iterdir() if path.is_dir()]
    cached.rename(folder / "spool" / retry_name(host).partition("/")[0])


async def test_records_by_one_host_are_found_by_each_org_that_was_there(tmp_path: Path) -> None:
    """A port of this machine may have had another org when an earlier version recorded by it."""
    with one_port() as port:
        with an_org(tmp_path / "one") as one, port.leads_to(one):
            async with server(port.url, tmp_path) as client:
                job = await loaded(client, ROWS, preflight="off")
                await send_again(client, job)
            _record_by_host(tmp_path, port.url)
            with an_org(tmp_path / "two") as two, port.leads_to(two):
                async with server(port.url, tmp_path) as client:
                    await send_again(client, await loaded(client, ROWS, preflight="off"))
            async with server(port.url, tmp_path) as client:
                assert "were sent again before" in await refusal(client, "create-ingest-job", **named(job))


async def test_what_one_org_did_stops_nothing_in_another_that_takes_its_port(tmp_path: Path) -> None:
    """Both orgs have the same seed, so that the ids of their jobs are the same, and differ as organizations."""
    with an_org(tmp_path / "two", seed=7):
        pass
    with closing(sqlite3.connect(tmp_path / "two" / "org.sqlite")) as database, database:
        database.execute("UPDATE Organization SET Id = '00D000000000002EAA'")
    with one_port() as port, an_org(tmp_path / "one", seed=7) as one, an_org(tmp_path / "two", seed=7) as two:
        jobs = []
        for org in (one, two):
            with port.leads_to(org):
                async with server(port.url, tmp_path) as client:
                    jobs.append(await loaded(client, ROWS, preflight="off"))
                    await send_again(client, jobs[-1])
            assert org.count("Name = 'Named'") == WITHOUT_NAME
        assert jobs[0] == jobs[1]
        for org in (one, two):
            with port.leads_to(org):
                async with server(port.url, tmp_path) as client:
                    assert "were sent again before" in await refusal(client, "create-ingest-job", **named(jobs[0]))


@pytest.mark.parametrize("told", [(False, True, False), (True, False, True)])
async def test_rows_go_once_whether_or_not_a_login_tells_the_organization(
    org: Caller, tmp_path: Path, told: tuple[bool, ...]
) -> None:
    with one_port() as port, port.leads_to(org):
        port.tells_user = told[0]
        async with server(port.url, tmp_path) as client:
            job = await loaded(client, ROWS, preflight="off")
            await send_again(client, job)
        for number, tells in enumerate(told):
            port.tells_user = tells
            async with server(port.url, tmp_path) as client:
                refused = await refusal(client, "create-ingest-job", **named(job))
                assert "were sent again before" in refused
                by_host = "The login does not tell the organization, so only rows sent again under the host name"
                assert (by_host in refused) == (number == 0 and not tells)
    assert org.count("Name = 'Named'") == WITHOUT_NAME


TRANSIENT: list[dict[str, Any]] = [
    {"fault": "unavailable", "retryAfter": None},
    {"fault": "too-many-requests", "retryAfter": None},
    {"fault": "no-route"},
    {"fault": "request-limit"},
    {"fault": "error-page", "status": 502},
    {"fault": "reset", "when": "before"},
    {"fault": "expired-session"},
]


@pytest.mark.parametrize("fault", TRANSIENT, ids=[str(rule["fault"]) for rule in TRANSIENT])
async def test_while_the_organization_can_not_be_told_nothing_is_made_or_changed(
    org: Caller, tmp_path: Path, fault: dict[str, Any]
) -> None:
    async with server(url_of(org), tmp_path) as client:
        job = await loaded(client, ROWS, preflight="off")
        opened = (await call(client, "create-ingest-job", body=INSERT))["id"]
    before = [(job["id"], job["state"]) for job in org.http.get("/services/data/v63.0/jobs/ingest").json()["records"]]
    async with server(url_of(org), tmp_path) as client:
        org.go_wrong({"on": "userinfo", **fault})
        for tool, arguments in (
            ("create-ingest-job", {"body": INSERT}),
            ("create-ingest-job", {"body": INSERT, "data": {"csv": "Name\nA\n"}}),
            ("create-ingest-job", named(job)),
            ("upload-data-ingest-job", {"jobId": opened, "body": {"csv": "Name\nA\n"}}),
            ("close-abort-ingest-job", {"jobId": opened, "body": {"state": "UploadComplete"}}),
            ("close-abort-ingest-job", {"jobId": opened, "body": {"state": "Aborted"}}),
            ("delete-ingest-job", {"jobId": job}),
        ):
            assert "Next: " in await refusal(client, tool, **arguments)
        org.go_right()
        jobs = org.http.get("/services/data/v63.0/jobs/ingest").json()["records"]
        assert [(job["id"], job["state"]) for job in jobs] == before
        await send_again(client, job)
    assert org.count("Name = 'Named'") == WITHOUT_NAME


class Port:
    """An address that leads to one org and then to another, and may keep back who the user is.

    Attributes:
        url: the URL of the address.
        tells_user: whether userinfo is answered, or refused as to a login without the scope for it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.tells_user = True
        self._org_url = ""

    @contextmanager
    def leads_to(self, org: Caller) -> Iterator[None]:
        """Lead to this org for the time of the block."""
        before, self._org_url = self._org_url, url_of(org)
        yield
        self._org_url = before

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        if scope["path"] == USERINFO and not self.tells_user:
            return await tell_no_user(send)
        body, _ = await read_body(receive)
        target = f"{self._org_url}{scope['path']}?{scope['query_string'].decode()}"
        async with httpx2.AsyncClient(verify=False, timeout=30) as http:
            answer = await http.request(scope["method"], target, headers=scope["headers"], content=body)
        headers = [
            (name, value) for name, value in answer.headers.multi_items() if name in ("content-type", "retry-after")
        ]
        await start(send, answer.status_code, headers)
        await send({"type": "http.response.body", "body": answer.content})


@contextmanager
def one_port() -> Iterator[Port]:
    port = Port()
    with running(port) as port.url:
        yield port
