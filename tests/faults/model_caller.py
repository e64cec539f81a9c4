"""A caller of the tools that persists as a model does, and remembers what it was told about its rows."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from mcp import Client

from tests.support.follower import Follower, Half, Heard, UnknownGap
from tests.support.next_call import next_call

MOST_STEPS = 25
MOST_EQUAL_ANSWERS = 3
WAIT_SECONDS = 1
INSERT = {"object": "Account", "operation": "insert"}

_JOB = re.compile(r"\b750\w{15}\b")
_NUMBER = r"([\d,]+)"
_COUNTED = re.compile(
    rf"ob (?P<id>750\w{{15}}) [^\n]*? is (?P<state>\w+)(?:: {_NUMBER} rows? processed(?:, (?:none failed|and it failed|{_NUMBER} of them failed))?)?"
)
_SUCCEEDED = re.compile(
    rf"{_NUMBER} rows?(?: of {_NUMBER})?, from offset 0 on, in the successful results of job (750\w{{15}})"
)


Asking = Literal["status", "list", "the same call"]
Told = Literal["told_loaded", "told_not_loaded", "told_unclear"]


class Stuck(AssertionError):
    """The caller did all that it was told, and did not get there."""


class ModelCaller:
    """A program in place of a model: it makes calls, does what `next` says, and adds up what it is told.

    Args:
        client: of the nine tools.
        half: the half of the answers that it reads.
        data: the rows that it has to load, as the argument `data`.
        patience: how often it gets the same answer before it drops a job that may still be filled.

    Attributes:
        job_id: the job that it was told about last.
        states: the last state that it was told of each job.
        loaded: how many rows it was told are in the org, by job.
        answered: the tools that answered without an error.
        story: its calls, and what it heard.
    """

    def __init__(self, client: Client, half: Half, data: dict[str, Any], *, patience: int = MOST_EQUAL_ANSWERS) -> None:
        rows = ("<rows>", "<the same rows>", "<these rows>", "<the corrected rows>", "<the same data>")
        self._follower = Follower(client, half, dict.fromkeys(rows, data))
        self._data = data
        self._sent = data
        self._patience = patience
        self._answers: Counter[str] = Counter()
        self._begins_anew = False
        self._last: tuple[str, dict[str, Any]] = ("create-ingest-job", {"body": INSERT, "data": data})
        self.job_id: str | None = None
        self.states: dict[str, str] = {}
        self.loaded: dict[str, int] = {}
        self.answered: set[str] = set()
        self.story: list[str] = []

    def reconnect(self, client: Client) -> None:
        """Go on with another server."""
        self._follower.client = client

    def learn_from(self, other: "ModelCaller") -> None:
        """Know the job that another caller knows."""
        if other.job_id is not None:
            self._know_job(other.job_id)
        self.states, self.loaded = dict(other.states), dict(other.loaded)

    async def ask(self, way: Asking) -> Heard:
        """Ask how things are, after a call that was not answered; without a job to ask for, make the call again."""
        if way == "list":
            return await self.call("list-all-ingest-jobs")
        if way == "status" and self.job_id is not None:
            return await self.call("get-ingest-job-status", jobId=self.job_id)
        tool, arguments = self._last
        return await self.call(tool, **arguments)

    async def call(self, tool: str, **arguments: Any) -> Heard:
        """Make a call, and remember what is told."""
        if "waitSeconds" in arguments:
            arguments["waitSeconds"] = WAIT_SECONDS
        self._last = tool, arguments
        rows = arguments.get("body" if tool == "upload-data-ingest-job" else "data")
        self._sent = rows or self._sent
        self.story.append(f"> {tool} {arguments}")
        heard = await self._follower.call(tool, arguments)
        self.story.append(f"< {'error: ' if heard.is_error else ''}{heard.text or dict(heard.structure)}")
        self._answers[f"{tool} {arguments} {heard.text or heard.structure.get('summary')}"] += 1
        self._follower.known |= {f"<{name}, corrected>": value for name, value in arguments.items()}
        self._remember(tool, heard)
        if not heard.is_error:
            self.answered.add(tool)
        return heard

    def told(self, heard: Heard) -> Told:
        """Where the rows are by all that it was told until this answer."""
        if self.loaded:
            return "told_loaded"
        is_refused_close = heard.is_error and "UploadComplete" in self.story[-2]
        if set(self.states.values()) <= {"Open", "Aborted"} and not is_refused_close:
            return "told_not_loaded"
        return "told_unclear"

    async def begin_anew(self) -> Heard:
        """Create a job with all rows."""
        return await self.call("create-ingest-job", body=INSERT, data=self._data)

    async def persist(self, heard: Heard, reached: Callable[[], bool], at_step: Callable[[int], object] = int) -> int:
        """Do what is told, step by step, until the end is reached; return the number of steps.

        Args:
            heard: the answer to begin with.
            reached: whether the caller was told what it wants to hear.
            at_step: called before each step with its number.

        Raises:
            Stuck: the end was not reached within the most steps.
        """
        for step in range(MOST_STEPS + self._patience):
            if reached():
                return step
            at_step(step)
            heard = await self._step(heard)
        raise Stuck("\n".join(self.story))

    async def _step(self, heard: Heard) -> Heard:
        sentence = heard.next
        if self._begins_anew:
            # A job was dropped as told, before which nothing of it was loaded.
            self._begins_anew = False
            if self.job_id is not None and self.states.get(self.job_id) == "Aborted":
                return await self.call("create-ingest-job", body=INSERT, data=self._sent)
        if max(self._answers.values()) >= self._patience and "abort this job" in sentence:
            self._answers.clear()
            self._begins_anew = True
            return await self.call("close-abort-ingest-job", jobId=self.job_id, body={"state": "Aborted"})
        try:
            tool, arguments = next_call(sentence)
            arguments = self._follower.filled(arguments)
        except (AssertionError, UnknownGap):
            return await self._look()
        if arguments.get("body") == {"state": "Aborted"}:
            self._begins_anew = "create" in sentence
        return await self.call(tool, **arguments)

    async def _look(self) -> Heard:
        """Look at the job where no call is told; without a job, nothing was loaded, and the caller begins."""
        if self.job_id is None:
            return await self.begin_anew()
        return await self.call("get-ingest-job-status", jobId=self.job_id)

    def _remember(self, tool: str, heard: Heard) -> None:
        if tool == "list-all-ingest-jobs":
            return  # its jobs are of all callers
        told = heard.structure
        if told:
            job_id = told.get("id") or told.get("jobId")
            self._remember_job(
                job_id, told.get("state"), told.get("numberRecordsProcessed"), told.get("numberRecordsFailed")
            )
            if tool == "get-successful-results-ingest-job" and told["total"] is not None:
                self.loaded[str(job_id)] = told["total"]
            return
        if named := _JOB.findall(heard.text):
            self._know_job(named[0])
            self._follower.known["<that job>"] = named[-1]
        if not heard.is_error and (counted := _COUNTED.search(heard.text)):
            processed, failed = (None if number is None else _number(number) for number in counted.groups()[2:])
            if "and it failed" in counted[0]:
                failed = 1
            self._remember_job(counted["id"], counted["state"], processed, failed)
        if succeeded := _SUCCEEDED.search(heard.text):
            self.loaded[succeeded[3]] = _number(succeeded[2] or succeeded[1])

    def _remember_job(self, job_id: str | None, state: str | None, processed: int | None, failed: int | None) -> None:
        if job_id is None or state is None:
            return
        self._know_job(job_id)
        self.states[job_id] = state
        if state in ("JobComplete", "Failed", "Aborted") and processed is not None:
            self.loaded[job_id] = processed - (failed or 0)

    def _know_job(self, job_id: str) -> None:
        self.job_id = job_id
        self._follower.known |= {"<jobId>": job_id, "<id>": job_id}


def _number(text: str) -> int:
    return int(text.replace(",", ""))
