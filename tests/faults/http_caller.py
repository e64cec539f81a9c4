"""A careful client of `/v1`, which goes by statuses alone, looks before it repeats a change, and never uploads twice."""

import csv
import io
from collections import Counter
from typing import Any

import anyio
import httpx2

from tests.faults.model_caller import INSERT
from tests.faults.org import FaultyOrg

MOST_TRIES = 60
MOST_SECONDS = 60
READINGS_OF_A_STUCK_JOB = 10
CSV = {"Content-Type": "text/csv"}
RESULTS = ("successfulresults", "failedresults", "unprocessedrecords")
UNSEEN = "unseen"
UNCLEAR = 500
"""From this status on, or without a status, it is not known whether a request took effect."""


class HttpCaller:
    """A program that loads rows through `/v1`; after each answer it asks the org whether things are as it was told.

    Args:
        rest: a client of `/v1/jobs/ingest`.
        org: the org, for the checks alone.
        checks_states: whether it asks the org for the state of its job after each change.

    Attributes:
        loaded: how often it was told that a row is in the org, by the row's name.
        tries: how many requests it has made.
        told: how many answers to changes told that they took effect, that they did not, or neither.
    """

    def __init__(self, rest: httpx2.AsyncClient, org: FaultyOrg, *, checks_states: bool = True) -> None:
        self._rest = rest
        self._org = org
        self._checks_states = checks_states
        self.loaded: Counter[str] = Counter()
        self.tries = 0
        self.told: Counter[str] = Counter()

    async def load(self, names: list[str]) -> str:
        """Load rows, and those again that did not get in, in as many jobs as it takes; return the last job."""
        while True:
            job_id = await self.filled_job(names)
            await self.change(job_id, "UploadComplete")
            await self.end_of(job_id)
            succeeded, failed, unprocessed = [await self.rows(job_id, result) for result in RESULTS]
            assert Counter(succeeded + failed + unprocessed) == Counter(names)
            self.loaded.update(succeeded)
            names = failed + unprocessed
            if not names:
                return job_id

    async def filled_job(self, names: list[str]) -> str:
        """A job that has the rows for certain; one that may have them is dropped."""
        while True:
            job_id = await self.create()
            body = "".join(f"{name}\n" for name in ["Name", *names])
            while (answer := await self._try("PUT", f"/{job_id}/batches", content=body, headers=CSV)) is not None:
                if answer.status_code == 201:
                    self.told["took effect"] += 1
                    return job_id
                if answer.status_code >= UNCLEAR:
                    break
                self.told["took no effect"] += 1
            self.told["unclear"] += 1
            await self.change(job_id, "Aborted")

    async def create(self) -> str:
        """A new job; one that was made without an answer stays empty."""
        while True:
            answer = await self._try("POST", "", json=INSERT)
            if answer is not None and answer.status_code == 200:
                job_id = str(answer.json()["id"])
                assert self._state(job_id) in ("Open", UNSEEN)
                return job_id

    async def change(self, job_id: str, state: str) -> None:
        """Close or abort a job, and look at it where that is not answered."""
        while True:
            before = self._state(job_id)
            answer = await self._try("PATCH", f"/{job_id}", json={"state": state})
            now = self._state(job_id)
            if answer is not None and answer.status_code == 200:
                self.told["took effect"] += 1
                assert now != "Open"
                return
            if answer is not None and answer.status_code < UNCLEAR:
                self.told["took no effect"] += 1
                assert now == before
            else:
                self.told["unclear"] += 1
            if (await self.status(job_id))["state"] != "Open":
                return

    async def delete(self, job_id: str) -> None:
        """Delete a job; one that is gone was deleted by a request without an answer."""
        while True:
            answer = await self._try("DELETE", f"/{job_id}")
            if answer is not None and answer.status_code in (204, 404):
                if self._state(job_id) in (None, UNSEEN):
                    return
                assert answer.status_code == 404

    async def end_of(self, job_id: str) -> None:
        """Wait until a job has ended; how often it is read meanwhile depends on the machine, and is no try."""
        readings = 0
        with anyio.fail_after(MOST_SECONDS):
            while (await self.status(job_id))["state"] not in ("JobComplete", "Failed", "Aborted"):
                self.tries -= 1
                readings += 1
                if readings == READINGS_OF_A_STUCK_JOB:
                    self._org.free_stuck_jobs()

    async def status(self, job_id: str) -> dict[str, Any]:
        """A job as `/v1` gives it."""
        return dict((await self._read(f"/{job_id}")).json())

    async def rows(self, job_id: str, result: str) -> list[str]:
        """The names of the rows in a result."""
        text = ""
        while not text:  # an answer without even a header is no result
            text = (await self._read(f"/{job_id}/{result}")).text
        return [row["Name"] for row in csv.DictReader(io.StringIO(text, newline=""))]

    async def listed(self) -> list[str]:
        """The ids of the jobs of the first page of the list."""
        return [job["id"] for job in (await self._read("")).json()["records"]]

    async def _read(self, path: str) -> httpx2.Response:
        while True:
            answer = await self._try("GET", path)
            if answer is not None and answer.status_code in (200, 204):
                return answer

    async def _try(self, method: str, path: str, **options: Any) -> httpx2.Response | None:
        """The whole answer to a request; None where the connection broke."""
        self.tries += 1
        if self.tries == MOST_TRIES // 2:
            self._org.go_right()
        assert self.tries < MOST_TRIES
        try:
            return await self._rest.request(method, path, **options)
        except httpx2.TransportError:
            return None

    def _state(self, job_id: str) -> str | None:
        """The state of a job in the org; None if the job is gone, and UNSEEN where states are not checked."""
        if not self._checks_states:
            return UNSEEN
        answer = self._org.caller.http.get(f"/services/data/v63.0/jobs/ingest/{job_id}")
        return str(answer.json()["state"]) if answer.is_success else None
