"""Callers: each makes calls after its temper, and everything that it is told is kept."""

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp_types import CallToolResult

from tests.simulation.plan import CallerPlan
from tests.simulation.world import World
from tests.support.next_call import next_call, next_line
from tests.support.orgs import text_of

CREATE, UPLOAD = "create-ingest-job", "upload-data-ingest-job"
STATUS, CHANGE, DELETE, LIST = (
    "get-ingest-job-status",
    "close-abort-ingest-job",
    "delete-ingest-job",
    "list-all-ingest-jobs",
)
KINDS = {
    "get-failed-results-ingest-job": "failedResults",
    "get-successful-results-ingest-job": "successfulResults",
    "get-unprocessed-records-ingest-job": "unprocessedrecords",
}
FAILED, SUCCESSFUL, _ = KINDS

MOST_STEPS = 60
MOST_EQUAL_ANSWERS = 4
JOB = re.compile(r"\b750\w{12}(?:\w{3})?\b")
PARTS = re.compile(r"name part \(1 to (?P<of>\d+)\) and sha256 (?P<sha256>[0-9a-f]{64})")
PARTLY = re.compile(r"DUPLICATE_VALUE: ([\d,]+) of ([\d,]+) rows went")
ENDED = re.compile(r"job (750\w{15}) \((?:JobComplete|Failed|Aborted)\)")
OF_OTHER_ROWS = "are not those that this sha256 was given for"
GAPS = {
    "<rows>",
    "<the same rows>",
    "<these rows>",
    "<the corrected rows>",
    "<the same data>",
    "<the same values>",
    "<the same set>",
}
PERMANENT = {"REQUIRED_FIELD_MISSING", "DUPLICATE_VALUE"}


@dataclass(frozen=True)
class Told:
    """A call, and its answer.

    Attributes:
        caller: the name of the caller.
        tool: the tool.
        arguments: the arguments.
        result: the answer; None where it never came.
        source_file: the content of the file in source order that the answer names; None where it names none.
    """

    caller: str
    tool: str
    arguments: Mapping[str, Any]
    result: CallToolResult | None
    source_file: str | None = None

    @property
    def structure(self) -> Mapping[str, Any]:
        """The structure of the answer; empty where there is none."""
        if self.result is None or self.result.is_error:
            return {}
        return self.result.structured_content or {}

    @property
    def text(self) -> str:
        """The text of the answer."""
        return "" if self.result is None else text_of(self.result)

    @property
    def jobs(self) -> list[str]:
        """The ids of the jobs that the answer names, of 15 characters."""
        return [job[:15] for job in JOB.findall(f"{self.text} {self.structure}")]


@dataclass
class Record:
    """All that was told, to whomever."""

    told: list[Told] = field(default_factory=list)

    @property
    def jobs(self) -> list[str]:
        """The ids of all jobs that were named, each once, in their order."""
        return list(dict.fromkeys(job for told in self.told for job in told.jobs))


class Caller:
    """A caller.

    Args:
        name: its name.
        plan: what it is to do.
        world: the world that it is in.
        record: takes up all that it is told.

    Attributes:
        has_arrived: whether it was told what became of all of its rows.
        asked_again: whether it asked for rows to go twice.
    """

    def __init__(self, name: str, plan: CallerPlan, world: World, record: Record) -> None:
        self.name = name
        self.plan = plan
        self.has_arrived = False
        self.asked_again = False
        self._world = world
        self._record = record
        self._chance = random.Random(f"{world.plan.seed} {name}")
        self._job: str | None = None
        self._last: Told | None = None
        self._equal = 0
        self._parts: dict[str, Any] = {}
        self._records: dict[str, str] = {}
        self._was_refused_partly = False
        self._to_read: list[str] = []

    async def misbehave(self) -> None:
        """Make calls after the temper, while things go wrong."""
        await anyio.sleep(self.plan.starts)
        await self._begin()
        for _ in range(self.plan.steps):
            if self.has_arrived:
                return
            await anyio.sleep(self._chance.choice((0.0, 0.0, 0.1, 5.0)))
            await self._step_of_temper()

    async def persist(self) -> None:
        """Do what is told until it was told what became of all of its rows."""
        if not self.has_arrived:
            await self._begin()
        for _ in range(MOST_STEPS):
            if self.has_arrived:
                return
            await self._follow()

    async def _step_of_temper(self) -> None:
        temper = self.plan.temper
        dice = self._chance.random()
        if temper == "forgets" and dice < 0.35:
            self._job = None
            await (self._begin() if dice < 0.2 else self.call(LIST))
        elif temper == "repeats" and dice < 0.4 and self._last is not None:
            await self.call(self._last.tool, **self._last.arguments)
        elif temper == "exports anew" and dice < 0.3:
            await self._begin()
        elif temper == "meddles" and dice < 0.4:
            await self._meddle()
        else:
            await self._follow()

    async def _meddle(self) -> None:
        jobs = self._record.jobs
        if not jobs:
            return
        job = self._chance.choice(jobs)
        match self._chance.randrange(5):
            case 0:
                await self.call(CHANGE, jobId=job, body={"state": "UploadComplete"})
            case 1:
                await self.call(CHANGE, jobId=job, body={"state": "Aborted"})
            case 2:
                await self.call(DELETE, jobId=job)
            case 3:
                await self.call(UPLOAD, jobId=job, body=self._data())
            case _:
                await self.call(CREATE, body=self.plan.load.body, data={"rowsOf": {"jobs": [job]}})

    async def call(self, tool: str, **arguments: Any) -> Told:
        """Make a call, and keep its answer."""
        story = self._world.story
        story.tell(f"{self.name} > {tool} {_short(arguments)}", "calls")
        result = await self._world.servers[self.plan.server].call(tool, arguments)
        told = Told(self.name, tool, arguments, result, _source_file(result))
        story.tell(f"{self.name} < {_answer(told)}")
        self._record.told.append(told)
        if result is None:
            story.counts["calls without an answer"] += 1
        self._equal = self._equal + 1 if self._last is not None and self._last.text == told.text else 0
        self._last = told
        self._remember_parts(told)
        self._remember_keys(told)
        if tool != LIST and told.jobs:
            self._job = told.jobs[0]
        return told

    def _remember_parts(self, told: Told) -> None:
        """Remember which part of its rows the caller sends, where they are more than one job takes."""
        rows = told.arguments.get("body" if told.tool == UPLOAD else "data")
        if "part" in told.arguments and self._parts:
            self._parts["part"] = told.arguments["part"]
        elif told.tool in (CREATE, UPLOAD) and (found := PARTS.search(told.text)):
            self._parts = {"part": 0, "of": int(found["of"]), "sha256": found["sha256"], "data": rows}

    def _remember_keys(self, told: Told) -> None:
        """Remember which rows are in the org, and whether rows were refused of which only some are."""
        if told.tool == SUCCESSFUL and {"sf__Id", self.plan.load.key_field} <= set(told.structure.get("columns", ())):
            id_and_key = [told.structure["columns"].index(name) for name in ("sf__Id", self.plan.load.key_field)]
            rows = [row for row in told.structure["rows"] if len(row) > max(id_and_key)]  # a row may be cut
            self._records.update(tuple(row[place] for place in id_and_key) for row in rows)
        if told.tool in (CREATE, UPLOAD) and (found := PARTLY.search(told.text)):
            is_partly = found[1] != found[2]
            self._was_refused_partly = self._was_refused_partly or is_partly
            # A job that has not ended is to be brought to its end first, as `next` says.
            goes_on = "(Open" in told.text or "wait for it" in told.text
            self._to_read = [] if goes_on or not is_partly else list(dict.fromkeys(ENDED.findall(told.text)))

    async def _begin(self) -> None:
        self._parts = {}
        body, data = self.plan.load.body, self._data()
        if not self.plan.begins_empty:
            await self.call(CREATE, body=body, data=data)
            return
        made = await self.call(CREATE, body=body)
        if made.structure:
            await self.call(UPLOAD, jobId=made.structure["id"], body=data)

    def _data(self, numbers: Sequence[int] = ()) -> dict[str, Any]:
        """The rows with these numbers, or all rows, as an argument."""
        load, anew = self.plan.load, self.plan.temper == "exports anew"
        order = list(numbers or range(len(load.rows)))
        if anew:
            self._chance.shuffle(order)
        if load.source == "records":
            header, rows = load.given(order)
            return {"records": [dict(zip(header, row, strict=True)) for row in rows], **load.mapping}
        text = load.as_csv(order, quoted=anew and self._chance.random() < 0.5)
        if load.source == "csv":
            return {"csv": text, **load.mapping}
        path = self._world.folder / f"{self.name}.csv"
        path.write_text(text, encoding="utf-8")
        return {"file": str(path), **load.mapping}

    async def _follow(self) -> None:
        """Make the call that the last answer names; look at the job where it names none that can be made."""
        last = self._last
        if self._parts and not self._parts["part"]:
            await self._send_part(1)
            return
        if self._to_read and last is not None and last.tool in (CREATE, UPLOAD):
            await self.call(SUCCESSFUL, jobId=self._to_read.pop(0), limit=self.plan.page)
            return
        if last is None or last.result is None or self._equal >= MOST_EQUAL_ANSWERS:
            await self._look()
            return
        if last.structure and last.tool in KINDS:
            await self._read_on(last)
            return
        if self._was_refused_partly and self._job is not None and OF_OTHER_ROWS in last.text:
            # The part was one of other rows, of which a job has some of these: the rest of these goes alone.
            self._parts = {}
            await self.call(SUCCESSFUL, jobId=self._job, limit=self.plan.page)
            return
        if (
            "status" in last.structure
            and last.structure.get("state") == "Open"
            and last.structure["status"] != "in progress"
        ):
            await self.call(CHANGE, jobId=last.jobs[0], body={"state": "UploadComplete"}, waitSeconds=30)
            return
        try:
            sentence = next_line(last.text)
            tool, arguments = next_call(sentence)
            arguments = self._filled(arguments)
        except (AssertionError, LookupError):
            await self._look()
            return
        if tool in KINDS:
            arguments["limit"] = self.plan.page
        await self.call(tool, **arguments)

    async def _look(self) -> None:
        last = self._last
        self._equal = 0
        if self._job is None:
            await self._begin()
            return
        if last is not None and "abort this job" in last.text:
            await self.call(CHANGE, jobId=self._job, body={"state": "Aborted"})
            await self._begin()
            return
        await self.call(STATUS, jobId=self._job, waitSeconds=30)

    async def _read_on(self, last: Told) -> None:
        """Read the pages of a result to their end; then send again what may go in, and then read the successful rows."""
        page, kind = last.structure, KINDS[last.tool]
        if "fetches the result anew" in page["next"] or "is the same call again" in page["next"]:
            await anyio.sleep(1)
            await self.call(last.tool, **last.arguments)
        elif page["nextOffset"] is not None:
            await self.call(last.tool, **{**last.arguments, "offset": page["nextOffset"]})
        elif kind == "failedResults":
            codes = [cause["statusCode"] for cause in page["causes"]]
            retryable = [code for code in codes if code not in PERMANENT]
            if retryable:
                rows = {"rowsOf": {"jobs": [page["jobId"]], "which": ["failed"], "where": {"statusCode": retryable[0]}}}
                await self.call(CREATE, body=self.plan.load.body, data=rows)
            elif "create-ingest-job" in page["next"] and not codes:
                tool, arguments = next_call(page["next"])
                await self.call(tool, **self._filled(arguments))
            else:
                await self.call(SUCCESSFUL, jobId=page["jobId"], limit=self.plan.page)
        elif kind == "unprocessedrecords" and "create-ingest-job" in page["next"]:
            tool, arguments = next_call(page["next"])
            await self.call(tool, **self._filled(arguments))
        elif self._parts and self._parts["part"] < self._parts["of"]:
            await self._send_part(self._parts["part"] + 1)
        elif self._to_read:
            await self.call(SUCCESSFUL, jobId=self._to_read.pop(0), limit=self.plan.page)
        elif rest := self._rest():
            await self.call(CREATE, body=self.plan.load.body, data=self._data(rest))
        else:
            self.has_arrived = True

    def _rest(self) -> list[int]:
        """The numbers of the rows that are not in the org yet, where a load was refused because some of its rows are."""
        if not self._was_refused_partly:
            return []
        self._was_refused_partly, self._parts = False, {}
        loaded, rest = Counter(self._records.values()), list[int]()
        for number, row in enumerate(self.plan.load.rows):
            if loaded[row.key]:
                loaded[row.key] -= 1
            else:
                rest.append(number)
        return rest

    async def _send_part(self, part: int) -> None:
        options = {"part": part, "sha256": self._parts["sha256"]}
        await self.call(CREATE, body=self.plan.load.body, data=self._parts["data"], **options)

    def _filled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with what is known in place of their gaps.

        Raises:
            LookupError: there is nothing for a gap.
        """
        return {name: self._value(name, value) for name, value in arguments.items()}

    def _value(self, name: str, value: Any) -> Any:
        inner = value.values() if isinstance(value, dict) else [value]
        gaps = [item for item in inner if isinstance(item, str) and item.startswith("<")]
        if not gaps:
            return value
        if name == "jobId" and self._job is not None:
            return self._job
        if gaps[0] in GAPS:
            return self._parts["data"] if self._parts else self._data()
        raise LookupError(gaps[0])


def _short(arguments: Mapping[str, Any]) -> str:
    text = repr(dict(arguments))
    return text if len(text) < 400 else f"{text[:400]} ..."


def _source_file(result: CallToolResult | None) -> str | None:
    named = ((result and result.structured_content) or {}).get("sourceFile")
    path = Path(named) if named else None
    return path.read_text(encoding="utf-8") if path is not None and path.exists() else None


def _answer(told: Told) -> str:
    if told.result is None:
        return "(no answer)"
    first = told.text.partition("\n")[0]
    return f"{'error: ' if told.result.is_error else ''}{first}"
