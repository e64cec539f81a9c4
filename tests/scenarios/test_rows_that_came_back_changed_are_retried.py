"""Failed rows that came back in another form than they were sent in: each goes again, once, with every cell in its column."""

import csv
import gzip
import io
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.orgs import Recorder, agent, call, refusal

Change = Callable[[str], str]
INSERT = {"object": "Account", "operation": "insert"}


class Changing:
    """An org that changes the cells of its failed rows, as triggers do.

    Attributes:
        recorder: records the requests that reach the org.
        change: makes of the CSV of a result what the caller gets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.recorder = Recorder(app)
        self.change: Change = str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").endswith("/failedResults"):
            return await self.recorder(scope, receive, send)
        start, body = dict[str, Any](), bytearray()

        async def kept(message: Message) -> None:
            start.update(message if message["type"] == "http.response.start" else {})
            body.extend(message.get("body", b""))

        await self.recorder(scope, receive, kept)
        headers = MutableHeaders(scope=start)
        text = (gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else bytes(body)).decode()
        del headers["Content-Encoding"], headers["Content-Length"]
        await send({**start, "type": "http.response.start"})
        await send({"type": "http.response.body", "body": self.change(text).encode()})

    @property
    def uploads(self) -> list[str]:
        """The bodies of uploads since the test began."""
        return [body.decode() for call, body in self.recorder.bodies if call.startswith("PUT")]


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Changing, str]]:
    org = Changing(create_app(EmulatorConfig(data_dir=tmp_path_factory.mktemp("changing"))))
    with running(org) as url:
        yield org, url


@pytest.fixture
def org(_shared: tuple[Changing, str]) -> Changing:
    org, _ = _shared
    org.change = str
    org.recorder.bodies.clear()
    return org


@pytest.fixture
async def client(_shared: tuple[Changing, str], tmp_path: Path) -> AsyncIterator[Client]:
    async with agent(_shared[1], upload_roots=[tmp_path]) as connected:
        yield connected


async def load(client: Client, **data: Any) -> str:
    """The id of a job that has ended, with these rows."""
    job = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
    closing = {"jobId": job["id"], "body": {"state": "UploadComplete"}, "waitSeconds": 30}
    assert (await call(client, "close-abort-ingest-job", **closing))["state"] == "JobComplete"
    return str(job["id"])


async def retry(client: Client, job: str, **rows_of: Any) -> dict[str, Any]:
    data = {"rowsOf": {"jobs": [job], **rows_of}}
    return await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")


def file_text(path: str) -> str:
    return Path(path).read_text()


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


FOUR = "Site,Name,NumberOfEmployees\nOslo,A,many\nBergen,B,many\nLyon,,3\nRiga,C,4\n"


async def test_a_row_like_none_that_was_sent_goes_as_it_came_back_and_the_answer_says_so(
    org: Changing, client: Client
) -> None:
    org.change = lambda text: text.replace('"B"', '"B GmbH"')
    job = await load(client, csv=FOUR)
    answer = await retry(client, job)
    header, *rows = rows_of(org.uploads[-1])
    assert header == ["Site", "Name", "NumberOfEmployees"]
    assert sorted(rows) == [["Bergen", "B GmbH", "many"], ["Lyon", "", "3"], ["Oslo", "A", "many"]]
    assert answer["rows"] == 3
    [finding] = answer["findings"]
    assert finding["what"].replace(job, "JOB") == snapshot(
        "As Salesforce gave them back go 1 of the failed rows of job JOB, since they are like none that was sent."
    )


async def test_where_chooses_among_rows_like_none_that_was_sent_too(org: Changing, client: Client) -> None:
    org.change = lambda text: re.sub('"(Oslo|Bergen|Lyon)"', r'"\1 (moved)"', text)
    job = await load(client, csv=FOUR)
    answer = await retry(client, job, where={"statusCode": "REQUIRED_FIELD_MISSING"})
    assert (answer["rows"], rows_of(org.uploads[-1])[1:]) == (1, [["Lyon (moved)", "", "3"]])
    answer = await retry(client, job, where={"field": "NumberOfEmployees"})
    moved = [["Bergen (moved)", "B", "many"], ["Oslo (moved)", "A", "many"]]
    assert (answer["rows"], sorted(rows_of(org.uploads[-1])[1:])) == (2, moved)


MAPPED = "Kunde;Ort;intern;Mitarbeiter\nA;Oslo;x;viele\nB;Bergen;y;viele\n"
MAPPING = {
    "columns": {"Kunde": "Name", "Ort": "Site", "intern": None, "Mitarbeiter": "NumberOfEmployees"},
    "set": {"Industry": "Energy"},
}


async def test_rows_of_a_mapped_upload_are_put_under_the_columns_that_they_belong_to(
    org: Changing, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "kunden.csv").write_text(MAPPED)
    org.change = lambda text: text.replace('"Bergen"', '"Bergen Sentrum"')
    job = await load(client, file="kunden.csv", **MAPPING)
    answer = await retry(client, job)
    assert (answer["rows"], rows_of(org.uploads[-1], ";")) == (
        2,
        [
            ["Name", "Site", "NumberOfEmployees", "Industry"],
            ["A", "Oslo", "viele", "Energy"],
            ["B", "Bergen Sentrum", "viele", "Energy"],
        ],
    )
    page = await call(client, "get-failed-results-ingest-job", jobId=job)
    in_source_order = rows_of(file_text(page["sourceFile"]), ";")
    assert [[line, *cells] for line, _, _, *cells in in_source_order] == [
        ["sf__Line", "Kunde", "Ort", "intern", "Mitarbeiter"],
        ["2", "A", "Oslo", "x", "viele"],
        ["", "B", "Bergen Sentrum", "", "viele"],
    ]


async def test_columns_in_another_order_and_case_keep_their_cells(org: Changing, client: Client) -> None:
    def turned(text: str) -> str:
        out = io.StringIO(newline="")
        header, *rows = rows_of(text)
        rows = [[*row[:2], *reversed(row[2:])] for row in (["sf__Id", "sf__Error", *map(str.upper, header[2:])], *rows)]
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue().replace("Oslo", "Oslo sentrum")

    org.change = turned
    job = await load(client, csv=FOUR)
    await retry(client, job)
    header, *rows = rows_of(org.uploads[-1])
    assert header == ["Site", "Name", "NumberOfEmployees"]
    assert sorted(rows) == [["Bergen", "B", "many"], ["Lyon", "", "3"], ["Oslo sentrum", "A", "many"]]


async def test_a_row_that_came_back_without_its_last_cells_goes_with_blank_ones(org: Changing, client: Client) -> None:
    def without_last_cell(text: str) -> str:
        # Not in the last row, which would pass for one that was cut off.
        header, *rows = text.splitlines(keepends=True)
        rows.sort(key=lambda row: "Bergen" not in row)
        return "".join([header, *rows]).replace('"Bergen","B","many"', '"Bergen","B"')

    org.change = without_last_cell
    job = await load(client, csv=FOUR)
    await retry(client, job)
    assert ["Bergen", "B", ""] in rows_of(org.uploads[-1])


async def test_every_row_of_a_long_result_goes_once_though_none_is_like_one_that_was_sent(
    org: Changing, client: Client
) -> None:
    """Rows on both sides of each border between the blocks in which results are read."""
    names = [f"Row {number:04} {'x' * 60}" for number in range(3_000)]
    org.change = lambda text: text.replace('"Row ', '"Line ')
    job = await load(client, csv="Name,NumberOfEmployees\n" + "".join(f"{name},many\n" for name in names))
    answer = await retry(client, job)
    assert answer["rows"] == len(names)
    sent = [name for name, _ in rows_of(org.uploads[-1])[1:]]
    assert sorted(sent) == [name.replace("Row", "Line") for name in names]


@pytest.mark.parametrize("rows_of", [{}, {"where": {"statusCode": "REQUIRED_FIELD_MISSING"}}])
async def test_rows_that_came_back_without_their_outcome_are_not_sent(
    rows_of: dict[str, Any], org: Changing, client: Client
) -> None:
    """What answers so is not Salesforce, and nobody knows which of these rows failed."""
    org.change = lambda text: re.sub('(?m)^"(sf__Id)?","[^"]*",', "", text)
    job = await load(client, csv=FOUR)
    org.recorder.bodies.clear()
    data = {"rowsOf": {"jobs": [job], **rows_of}}
    text = await refusal(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
    assert "it is not one of Salesforce's" in text
    assert org.uploads == []


@pytest.mark.parametrize(
    "short", ["001Em0000tNq0hU", "a0BEm0000tNq0hU"], ids=["of a standard object", "of a custom one"]
)
async def test_rows_whose_ids_came_back_longer_go_as_they_were_sent(short: str, org: Changing, client: Client) -> None:
    long = {"001Em0000tNq0hU": "001Em0000tNq0hUIAR", "a0BEm0000tNq0hU": "a0BEm0000tNq0hUMAR"}[short]
    org.change = lambda text: text.replace(short, long)
    sent = f"Name,Site,NumberOfEmployees\nA,{short},many\nB,,many\n"
    job = await load(client, csv=sent)
    page = await call(client, "get-failed-results-ingest-job", jobId=job)
    assert long in str(page["rows"])
    answer = await retry(client, job)
    assert (org.uploads[-1], answer["findings"]) == (sent, [])
