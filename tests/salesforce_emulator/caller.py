"""A client of the embedded org for tests: plain HTTP, with a method for each request that many tests send."""

import csv
import io
import json
import re
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.support.asgi_server import running

DATA = "/services/data/v63.0"
INGEST = f"{DATA}/jobs/ingest"
FAULTS = "/emulator/faults"
JOURNAL = "/emulator/journal"
TERMINAL = ("JobComplete", "Failed", "Aborted")
DEADLINE_SECONDS = 30
DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}

HALF, REST = b"Name\nhalf\n", b"rest\n"

Job = dict[str, Any]


class Caller:
    """A client of one org.

    Attributes:
        http: HTTP client with the token of the org, for requests that have no method here.
    """

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http

    def create(self, object_: str = "Account", operation: str = "insert", **more: str) -> str:
        answer = self.http.post(INGEST, json={"object": object_, "operation": operation, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def create_in(self, version: str, object_: str = "Account", operation: str = "insert") -> str:
        """Create a job through another version of the API, which the job then keeps."""
        body = {"object": object_, "operation": operation}
        return str(self.http.post(f"/services/data/v{version}/jobs/ingest", json=body).json()["id"])

    def upload(self, job_id: str, data: bytes) -> None:
        answer = self.http.put(f"{INGEST}/{job_id}/batches", content=data, headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.content) == (201, b"")

    def patch(self, job_id: str, state: str) -> httpx2.Response:
        return self.http.patch(f"{INGEST}/{job_id}", json={"state": state})

    def get(self, job_id: str) -> Job:
        body: Job = self.http.get(f"{INGEST}/{job_id}").json()
        return body

    def until(self, job_id: str, *states: str) -> Job:
        """Poll until the job is in one of these states, by default in a terminal one."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (job := self.get(job_id))["state"] not in (states or TERMINAL):
            assert time.monotonic() < deadline, job
        return job

    def until_some_are_processed(self, job_id: str) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self.get(job_id).get("numberRecordsProcessed"):
            assert time.monotonic() < deadline

    def go_wrong(self, *rules: Mapping[str, Any], **plan: Any) -> None:
        """Put a plan with these rules in force."""
        answer = self.http.post(FAULTS, json={"rules": rules, **plan})
        assert answer.status_code == 200, answer.text

    def go_right(self) -> None:
        """Remove the plan in force."""
        assert self.http.delete(FAULTS).status_code == 204

    def hold_jobs(self, after: int) -> None:
        """Stop each job once this many chunks of 200 rows have been saved."""
        self.go_wrong({"fault": "stuck-job", "after": after})

    def until_held(self, job_id: str, after: int) -> Job:
        """Poll until the job has stopped where `hold_jobs` stops it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (job := self.get(job_id)).get("numberRecordsProcessed") != 200 * after:
            assert time.monotonic() < deadline, job
        assert job["state"] == "InProgress"
        return job

    def submit(self, data: bytes | str, object_: str = "Account", operation: str = "insert", **more: str) -> str:
        """Create a job, upload its data and close it."""
        return self.fill(self.create(object_, operation, **more), data)

    def fill(self, job_id: str, data: bytes | str) -> str:
        """Upload the data of a job and close it."""
        self.upload(job_id, data.encode() if isinstance(data, str) else data)
        assert self.patch(job_id, "UploadComplete").status_code == 200
        return job_id

    def load(self, data: bytes | str, object_: str = "Account", operation: str = "insert", **more: str) -> Job:
        """Create a job, upload its data, close it and wait for its end."""
        return self.until(self.submit(data, object_, operation, **more))

    def result(self, job: Job, segment: str) -> str:
        answer = self.http.get(f"{INGEST}/{job['id']}/{segment}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def rows(self, job: Job, segment: str) -> list[dict[str, str]]:
        """The rows of a result, by column name."""
        text = io.StringIO(self.result(job, segment), newline="")
        return list(csv.DictReader(text, delimiter=DELIMITERS[job["columnDelimiter"]]))

    def succeeded(self, job: Job) -> list[dict[str, str]]:
        return self.rows(job, "successfulResults")

    def errors(self, job: Job) -> list[str]:
        return [row["sf__Error"] for row in self.rows(job, "failedResults")]

    def query(self, soql: str) -> Job:
        body: Job = self.http.get(f"{DATA}/query", params={"q": soql}).json()
        return body

    def pages(self, first: Job) -> list[Job]:
        """All pages of a query, of which this is the first."""
        found = [first]
        while not found[-1]["done"]:
            found.append(self.http.get(found[-1]["nextRecordsUrl"]).json())
        return found

    def records(self, soql: str) -> list[Job]:
        """All records that a query selects, as their fields alone."""
        found = (record for page in self.pages(self.query(soql)) for record in page["records"])
        return [{name: record[name] for name in record if name != "attributes"} for record in found]

    def count(self, where: str, object_: str = "Account") -> int:
        return int(self.query(f"SELECT COUNT() FROM {object_} WHERE {where}")["totalSize"])

    @property
    def organization_id(self) -> str:
        """The id of the org, as its Organization record has it."""
        organization_id: str = self.query("SELECT Id FROM Organization")["records"][0]["Id"]
        return organization_id

    def record(self, record_id: str, object_: str = "Account") -> Job:
        body: Job = self.http.get(f"{DATA}/sobjects/{object_}/{record_id}").json()
        return body


@contextmanager
def calling(url: str) -> Iterator[Caller]:
    """A client of the org at this URL."""
    # Certificates are not verified, since loading those of this machine takes 20 ms.
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=30, verify=False) as http:
        yield Caller(http)


@contextmanager
def an_org(data_dir: Path, **config: Any) -> Iterator[Caller]:
    """A client of a new org in this folder, with these settings."""
    with running(create_app(EmulatorConfig(data_dir=data_dir, **config))) as url, calling(url) as caller:
        yield caller


@contextmanager
def an_org_with(schema: str, folder: Path, **config: Any) -> Iterator[Caller]:
    """A client of a new org with the objects, fields and rules of this schema file."""
    with running(app_with(schema, folder, **config)) as url, calling(url) as caller:
        yield caller


def app_with(schema: str, folder: Path, **config: Any) -> Starlette:
    """The application of a new org with the objects, fields and rules of this schema file, for tests that put something before it."""
    file = folder / "schema.yaml"
    file.write_text(schema)
    return create_app(EmulatorConfig(data_dir=folder / "org", schema_file=file, **config))


@contextmanager
def half_an_upload(org: Caller, job_id: str, folder: Path) -> Iterator[socket.socket]:
    """A connection on which HALF of an upload was sent, and has reached the disk of the org; the REST of it is not sent."""
    url = org.http.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=DEADLINE_SECONDS) as wire:
        wire.sendall(
            f"PUT {INGEST}/{job_id}/batches HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n"
            f"Content-Type: text/csv\r\nContent-Length: {len(HALF + REST)}\r\n\r\n".encode()
            + HALF
        )
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not list(folder.glob("jobs/*.part")):
            assert time.monotonic() < deadline
        yield wire


def held_in_upload_complete(org: Caller, folder: Path) -> str:
    """The id of a closed job that stays UploadComplete, because a trigger keeps the worker from changing its state."""
    with closing(sqlite3.connect(folder / "org.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER IF NOT EXISTS held UPDATE OF state ON job WHEN new.state IN ('InProgress', 'Failed')"
            " BEGIN SELECT RAISE(ABORT, 'held by a test'); END"
        )
    return org.submit(HALF + REST)


def shown(answer: httpx2.Response) -> str:
    """The JSON of a response in its order, with ids, dates and durations replaced by names."""
    text = json.dumps(answer.json(), indent=2)
    text = re.sub(r"\b([0-9A-Za-z]{3})Em[0-9A-Za-z]{13}\b", r"<\1 id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", "<date>", text)
    return re.sub(r'(Time": )\d+', r"\1<ms>", text)


def csv_text(rows: Sequence[Sequence[str]], *, delimiter: str = ",", line_ending: str = "\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_ending, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
