"""Calls in `next`: each is the name of a tool and its arguments as JSON, so that a program can follow it, too.

An argument that only the caller has stands in the JSON as a named gap, a text in angle brackets: `"<the same data>"`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

from pydantic import BaseModel

from salesforce_bulk_ingest.base.errors import LEFT_OUT
from salesforce_bulk_ingest.base.findings import LINES_SHOWN
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.loading.row_filter import ALL_BUT
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.salesforce.models import Job, Operation, ResultKind

CREATE = "create-ingest-job"
UPLOAD = "upload-data-ingest-job"

RESULT_TOOLS: Mapping[ResultKind, str] = {
    "failedResults": "get-failed-results-ingest-job",
    "successfulResults": "get-successful-results-ingest-job",
    "unprocessedrecords": "get-unprocessed-records-ingest-job",
}
"""The tool that gives the pages of each result."""

LONGEST_REPEATED = 1_000
"""The maximum number of characters of an argument that is repeated in `next`; a longer one becomes a gap."""

LONGEST_CHANGE = 200
"""The maximum number of characters of a change of an argument that is a gap; a longer one is named alone."""

ROWS = "<rows>"
SAME_ROWS = "<the same rows>"
THESE_ROWS = "<these rows>"
CORRECTED_ROWS = "<the corrected rows>"


CELL_GAP = re.compile('<[^<>"]+ for (?:".*"|every row)>', re.DOTALL)
"""A gap for the cells of a field, as `cell_gap` and `constant_gap` write it."""

_API_NAME = re.compile("[0-9A-Za-z_]{1,255}")

_NEVER_WRONG = frozenset(
    {"jobId", "waitSeconds", "limit", "dryRun", "preflight", "loadAgain", "linesShown", "compare", "withoutUndo"}
)
"""Arguments that no operation refuses once their form is right; a wrong job id has an error of its own."""

OF_CHECKED_ROWS = ("part", "sha256")
"""Arguments that hold a call to rows as they were checked before."""

_OF_ROWS = (*OF_CHECKED_ROWS, "preflight", "loadAgain")
"""Arguments about rows, beside the rows."""

_WITH_ROWS = ("data", "body")
"""Arguments that may have rows in them; the body of a create or a close, which has none, is never long."""

_TEXTS_OF_ROWS = ("csv", "records")

_FORM_OF_ROWS = ("columnDelimiter", "lineEnding")
"""Properties of a job that say how its rows are written."""

_WITH_CELLS = ("set", "values", "cells")
"""Arguments about rows that have cells in them, which no record keeps."""

DEFAULTS = {
    "offset": 0,
    "waitSeconds": 0,
    "dryRun": False,
    "preflight": "on",
    "loadAgain": False,
    "withoutUndo": False,
    "linesShown": LINES_SHOWN,
    "columns": (),
    "compare": True,
}
"""What arguments stand for without being given; all others have no value then."""


def cell_gap(field: str, cell: str) -> str:
    """Return the gap for what a field gets in place of a cell."""
    return f"<{field} for {quoted(cell)}>"


def constant_gap(field: str) -> str:
    """Return the gap for what a field gets in every row."""
    return f"<{field} for every row>"


def call(tool: str, **arguments: object) -> str:
    """Return a call as it stands in `next`."""
    return f"{tool} {json.dumps(arguments)}"


def list_call() -> str:
    """Return the call that lists the newest jobs."""
    return call("list-all-ingest-jobs")


def status_call(job_id: str) -> str:
    """Return the call that reads a job once."""
    return call("get-ingest-job-status", jobId=job_id)


def wait_call(job_id: str) -> str:
    """Return the call that waits until a job has ended, as long as a call may take."""
    return call("get-ingest-job-status", jobId=job_id, waitSeconds=CALL_SECONDS)


def job_call(job: Job) -> str:
    """Return the call that reads a job: once it has ended, where it goes on to that by itself."""
    return status_call(job.id) if job.is_terminal or job.state == "Open" else wait_call(job.id)


def close_call(job_id: str) -> str:
    """Return the call that closes a job, and waits until it has ended, as long as a call may take."""
    return call("close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"}, waitSeconds=CALL_SECONDS)


def abort_call(job_id: str) -> str:
    """Return the call that aborts a job."""
    return call("close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})


def upload_call(job_id: str, rows: object = SAME_ROWS, **options: object) -> str:
    """Return the call that uploads rows to a job."""
    return call(UPLOAD, jobId=job_id, body=rows, **options)


def result_call(kind: ResultKind, job_id: str, **options: object) -> str:
    """Return the call that gives the first page of a result."""
    return call(RESULT_TOOLS[kind], jobId=job_id, **options)


def new_job_call(job: Job, data: object, *, form: Mapping[str, object] | None = None, **options: object) -> str:
    """Return the call that loads rows in a new job like this one.

    Args:
        job: the job.
        data: the rows.
        form: the form of the rows, as properties of the job; that of the rows themselves, if there is none.
        options: further arguments of the call.
    """
    return call(CREATE, body=_body_like(job) | dict(form or {}), data=data, **options)


def rows_of(*job_ids: str, **chosen: object) -> dict[str, object]:
    """Return the argument `data` that sends rows of jobs again: all, or those that `which` or `where` choose."""
    return {"rowsOf": {"jobs": job_ids, **chosen}}


def _body_like(job: Job) -> dict[str, object]:
    body = {
        "object": _named("object", job.object or ""),
        "operation": job.operation if job.operation in get_args(Operation) else "<operation>",
        "externalIdFieldName": job.external_id_field_name and _named("externalIdFieldName", job.external_id_field_name),
        "assignmentRuleId": job.assignment_rule_id and _named("assignmentRuleId", job.assignment_rule_id),
    }
    return {name: value for name, value in body.items() if value}


def _named(argument: str, name: str) -> str:
    """Return the name that the org gives, or a gap where the org gives no name that a call takes."""
    return name if _API_NAME.fullmatch(name) else f"<{argument}>"


Place = tuple[str, ...]
"""The names that lead to an argument from the arguments of a call."""


@dataclass(frozen=True, slots=True)
class GivenCall:
    """The call that is being answered: what comes next may be the same call again, or an altered one.

    Attributes:
        tool: the name of the tool.
        arguments: the arguments as JSON values, in their order; rows that the caller gave as text are a gap.
    """

    tool: str
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, tool: str, **arguments: object) -> Self:
        """Return the call of a tool with these arguments; those that have no value, or their default, are left out."""
        given = {name: value for name, value in arguments.items() if value is not None and value != DEFAULTS.get(name)}
        return cls(tool, {name: repeated(name, value) for name, value in given.items()})

    @property
    def job_id(self) -> str | None:
        """The id of the job that the call is about; None for a call about no job, or about many."""
        return self.arguments.get("jobId")

    @property
    def is_read(self) -> bool:
        """Whether the call changes nothing."""
        return self.tool.startswith(("get-", "list-"))

    @property
    def is_by_recipe(self) -> bool:
        """Whether the rows go by a recipe, so that the caller can change nothing but their file."""
        return isinstance(self.rows, dict) and "recipe" in self.rows

    @property
    def is_of_known_rows(self) -> bool:
        """Whether the rows were looked at before: a dry run gave their SHA-256, a recipe is reviewed, or a job had them."""
        is_of_jobs = isinstance(self.rows, dict) and "rowsOf" in self.rows
        return "sha256" in self.arguments or self.is_by_recipe or is_of_jobs

    @property
    def makes_a_job(self) -> bool:
        """Whether the call makes a job, whose attributes it names."""
        return self.tool == CREATE

    def again(self, changes: Mapping[str, object] | None = None, *, without: tuple[str, ...] = ()) -> str:
        """Return the same call, with some arguments changed or left out."""
        kept = {name: value for name, value in self.arguments.items() if name not in without}
        return call(self.tool, **{**kept, **(changes or {})})

    def checked(self) -> str:
        """Return the same call as a dry run, of the rows as they are now."""
        return self.again({"dryRun": True}, without=OF_CHECKED_ROWS)

    def corrected(self, argument: Sequence[str] = (), value: object = None) -> str:
        """Return the same call with gaps in place of what is to be corrected.

        Args:
            argument: the names that lead to the wrong argument, among those of the call or of its rows; none if any may be
                wrong.
            value: the value that it is meant to have, which takes the place of a gap, or `LEFT_OUT`; None if that is not
                known.
        """
        if argument:
            is_of_call = argument[0] in (*self.arguments, self._rows_argument)
            place = tuple(argument) if is_of_call else (self._rows_argument, *argument)
            if value is LEFT_OUT:
                return call(self.tool, **_without(self.arguments, [place]))
            with_gap = with_gaps(self.arguments, [place])
            is_short = value is not None and repeated(argument[-1], value) == value
            return call(self.tool, **(_put(with_gap, value, *place) if is_short else with_gap))
        return self.again({name: f"<{name}, corrected>" for name in self.arguments if name not in _NEVER_WRONG})

    def with_argument(self, name: str, value: object) -> Self:
        """Return the same call with one more argument."""
        return replace(self, arguments={**self.arguments, name: value})

    def with_rows(self, rows: object) -> Self:
        """Return the same call with other rows."""
        return self._changed(self._rows_argument, rows)

    def with_corrected_rows(self) -> Self:
        """Return the same call for corrected rows: a gap stands for them, or for the path of their file."""
        rows = self.rows
        if not isinstance(rows, dict):
            return self.with_rows(CORRECTED_ROWS)
        if "file" in rows:
            return self.with_rows({**rows, "file": f"<{rows['file']}, corrected>"})
        gaps = {name: CORRECTED_ROWS for name in _TEXTS_OF_ROWS if name in rows}
        return self.with_rows({**rows, **gaps} if gaps else CORRECTED_ROWS)

    def with_changes(self, changes: Mapping[str, object]) -> Self:
        """Return the same call with other arguments of the rows, such as `columns`; an object is added to the given one.

        What the call says of a column goes with the column to its new field.
        """
        columns = changes.get("columns")
        rows = _renamed(self.rows, columns) if isinstance(self.rows, dict) and isinstance(columns, dict) else self.rows
        return self.with_rows(_changed(rows, changes))

    def for_job(self, body: BaseModel) -> Self:
        """Return the same call for the job that a recipe names."""
        return replace(self, arguments={"body": repeated("body", body), **_without(self.arguments, [("body",)])})

    def with_job(self, changes: Mapping[str, str]) -> Self:
        """Return the same call that makes a job with other attributes."""
        return self._changed("body", _changed(self.arguments.get("body"), changes))

    def leaving_out(self, changes: Mapping[str, object]) -> Self:
        """Return the same call in which more rows are left out.

        Args:
            changes: arguments of `leaveOut`; lines are added to those of the call.
        """
        given = self.rows.get("leaveOut") if isinstance(self.rows, dict) else None
        asked = given if isinstance(given, dict) else {}
        lines = [str(each["lines"]) for each in (asked, changes) if each.get("lines")]
        lines.sort(key=lambda text: ALL_BUT in text.lower())  # the lines that follow it are kept
        return self.with_changes({"leaveOut": {**changes, **({"lines": ", ".join(lines)} if lines else {})}})

    def into(self, job_id: str) -> str:
        """Return the call that uploads the same rows, checked in the same way, to a job."""
        options = {name: self.arguments[name] for name in _OF_ROWS if name in self.arguments}
        return upload_call(job_id, self.rows, **options)

    def for_new_job(self) -> dict[str, object]:
        """Return the arguments that give the same rows to a new job.

        Without `body`, the rows have the form of the job that they were uploaded to.
        """
        options = {name: self.arguments[name] for name in ("preflight", "loadAgain") if name in self.arguments}
        if self.tool == UPLOAD:
            return {"data": self.rows, **options}
        body = self.arguments["body"]
        form = {name: body[name] for name in _FORM_OF_ROWS if body.get(name)}
        return {"body": form, "data": self.rows, **options}

    def kept(self) -> dict[str, object]:
        """Return the arguments that give the same rows to a new job as a record keeps them: with gaps in place of cells."""
        arguments = self.for_new_job()
        return {**arguments, "data": _without_cells(arguments["data"])}

    @property
    def rows(self) -> object:
        """The rows of the call, or the gap for them."""
        return self.arguments.get(self._rows_argument, SAME_ROWS)

    def rows_unlike(self, other: Self) -> dict[str, object]:
        """Return the argument that has the rows, with what of it is other than in another call with rows."""
        rows, others = self.rows, other.rows
        if isinstance(rows, dict) and isinstance(others, dict):
            rows = {name: value for name, value in rows.items() if others.get(name) != value}
        return {self._rows_argument: rows}

    @property
    def _rows_argument(self) -> str:
        return "body" if self.tool == UPLOAD else "data"

    def _changed(self, argument: str, value: object) -> Self:
        """Return the same call with another value of an argument on which parts and SHA-256 of the rows depend."""
        kept = {name: given for name, given in self.arguments.items() if name not in OF_CHECKED_ROWS}
        return replace(self, arguments={**kept, argument: value})

    def look(self) -> str:
        """Return the call that shows whether this call took effect; a call that only reads is made again."""
        if self.is_read:
            return self.again()
        return list_call() if self.job_id is None else status_call(self.job_id)


def _without_cells(rows: object) -> object:
    """Return arguments of rows with a gap in place of each that has cells in it."""
    if not isinstance(rows, dict):
        return rows
    return {
        name: f"<the same {name}>" if name in _WITH_CELLS else _without_cells(value) for name, value in rows.items()
    }


def with_gaps(arguments: Mapping[str, Any], wrong: Iterable[Place]) -> dict[str, Any]:
    """Return arguments as `next` repeats them, with a gap for each wrong or missing one.

    Args:
        arguments: the arguments as JSON values.
        wrong: the place of each wrong argument.
    """
    corrected = {name: repeated(name, value) for name, value in arguments.items()}
    for place in wrong:
        _put_gap(corrected, *place)
    return corrected


def moved(arguments: Mapping[str, Any], places: Mapping[Place, Place | None]) -> dict[str, Any]:
    """Return arguments with those that are in a wrong place, or have a wrong name, as gaps where they belong.

    Args:
        arguments: the arguments as JSON values.
        places: the place of each such argument, and where it belongs; None for one that belongs nowhere and is left out.
    """
    result = _without(arguments, places)
    for place, to in places.items():
        if to is not None:
            result = _with(result, f"<the same {place[-1]}>", *to)
    return result


def with_one_of(arguments: Mapping[str, Any], place: Place, names: Sequence[str]) -> dict[str, Any]:
    """Return arguments with a gap for the one that is to be given of several, in the place of the first, if none is there.

    Args:
        arguments: the arguments as `next` repeats them.
        place: the place of the object that the argument belongs in.
        names: the names of the arguments.
    """
    holder: Any = arguments
    for name in place:
        holder = holder.get(name, {}) if isinstance(holder, dict) else {}
    if any(name in holder for name in names):
        return dict(arguments)
    *others, last = names
    either = f"{', '.join(others)} or {last}" if others else last
    return _with(dict(arguments), f"<{either}, corrected>", *place, names[0])


def _without(holder: Mapping[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    here, inside = set[str](), defaultdict[str, list[Place]](list)
    for name, *rest in places:
        if rest:
            inside[name].append(tuple(rest))
        else:
            here.add(name)
    return {
        name: _without(value, inside[name]) if name in inside else value
        for name, value in holder.items()
        if name not in here
    }


def _with(holder: dict[str, Any], gap: str, name: str, *rest: str) -> dict[str, Any]:
    """Return an object with a gap in it, if the place of the gap is free."""
    inner = holder.get(name, {} if rest else gap)
    return {**holder, name: _with(inner, gap, *rest) if rest and isinstance(inner, dict) else inner}


def _put_gap(holder: dict[str, Any], name: str, *rest: str) -> None:
    inner = holder.get(name)
    if rest and isinstance(inner, dict) and (rest[0] in inner or len(rest) == 1):
        _put_gap(inner, *rest)
    else:
        holder[name] = f"<{name}, corrected>"


def _put(holder: dict[str, Any], value: object, name: str, *rest: str) -> dict[str, Any]:
    """Return an object with a value at a place in it; without it where a gap stands for what leads there."""
    inner = holder.get(name)
    if not rest:
        return {**holder, name: value}
    return {**holder, name: _put(inner, value, *rest)} if isinstance(inner, dict) else holder


def _renamed(rows: Mapping[str, Any], columns: Mapping[str, str | None]) -> dict[str, Any]:
    """Return arguments of rows in which those about cells name the fields that columns get; columns left out have none."""

    def field_of(name: str) -> str | None:
        return columns.get(name, name)

    renamed = dict(rows)
    for argument in ("values", "formats"):
        if isinstance(rows.get(argument), dict):
            renamed[argument] = {field: each for name, each in rows[argument].items() if (field := field_of(name))}
    if isinstance(rows.get("only"), list):
        renamed["only"] = [field for name in rows["only"] if (field := field_of(name))]
    return renamed


def _changed(value: object, changes: Mapping[str, object]) -> object:
    """Return an argument with changes of its members, or the gap for it with words about them."""
    if not isinstance(value, dict):
        what = json.dumps(changes)
        shown = what if len(what) <= LONGEST_CHANGE else " and ".join(changes)
        return f"{str(value)[:-1]}, with {shown}>"
    added = {name: _added(value.get(name), change) for name, change in changes.items()}
    return {**value, **added}


def _added(given: object, change: object) -> object:
    """Return what is asked for and what is changed in it, where that is an object; else the change."""
    return _changed(given, change) if given and isinstance(change, dict) else change


def repeated(name: str, value: object) -> Any:
    """Return the value of an argument as `next` repeats it: without rows, and a gap where it is long."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, dict):
        texts = _TEXTS_OF_ROWS if name in _WITH_ROWS else ()
        value = {key: SAME_ROWS if key in texts else repeated(key, inner) for key, inner in value.items()}
    if len(json.dumps(value)) <= LONGEST_REPEATED:
        return value
    return SAME_ROWS if name in _WITH_ROWS else f"<the same {name}>"
