"""The recipe of a load that was done by hand, as far as this machine recorded it: to be reviewed, and saved."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from salesforce_bulk_ingest.base.errors import NoRecipe
from salesforce_bulk_ingest.base.text import visible, without_hidden
from salesforce_bulk_ingest.mcp_server.arguments import MappingBody
from salesforce_bulk_ingest.mcp_server.recipes import BOUNDS_BY_RECORDS
from salesforce_bulk_ingest.operations.upload_once import JobLoad
from salesforce_bulk_ingest.salesforce.models import Job

WIDTH = 100

GAP = "<not kept: fill it in, or leave it out>"
"""What stands for cells and long arguments, which no record keeps: a recipe with a gap is refused."""


def recipe_of(job: Job, load: JobLoad | None) -> str:
    """Return the recipe of a job's load as text, with a gap for each thing that is not kept.

    Raises:
        NoRecipe: it is not known how the rows were loaded, or they were loaded by a recipe, or are those of earlier jobs.
    """
    import yaml  # no start needs it

    part = None if load is None else load.part
    if load is None or part is None:
        raise NoRecipe("This server has no record of how the rows of this job were loaded.")
    rows = part.origin.arguments.get("data")
    if part.origin.recipe is not None:
        raise NoRecipe(f"This job was loaded by the recipe {part.origin.recipe}.")
    if isinstance(rows, Mapping) and "rowsOf" in rows:
        raise NoRecipe("The rows of this job are those of earlier jobs, which no file has.")
    said = _said(job, load, rows if isinstance(rows, Mapping) and rows else {"columns": GAP})
    lines = [
        f"How job {job.id} was loaded{_from(part.origin.source)}: to be reviewed, and kept under the name of the load.",
        f"The job had {part.rows:,} rows in all: bounds may say rows: {{min: ..., max: ...}}, and {_shares(job)}.",
    ]
    if isinstance(lines_out := _left_out(rows).get("lines"), str):
        lines.append(
            f'Rows of that file were left out by their lines ("lines": "{lines_out}"): name them if every file has them.'
        )
    head = "".join(f"# {visible(line)}\n" for line in lines)
    return head + yaml.safe_dump(without_hidden(said), sort_keys=False, allow_unicode=True, width=WIDTH)


def _shares(job: Job) -> str:
    """Return the other bounds that a recipe of such jobs can have, in words."""
    by_records = [name for name, operations in BOUNDS_BY_RECORDS.items() if job.operation in operations]
    return f"{', '.join([*by_records, 'cleared'])} and failed"


def _from(source: str) -> str:
    return f" from {PurePath(source).name}" if source else ""


def _said(job: Job, load: JobLoad, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known, under the keys of a recipe, with a gap for each argument that is not kept."""
    body = {} if load.part is None else load.part.origin.arguments.get("body", {})
    file = given.get("file")
    mapping = {name: _with_gaps(given[name]) for name in MappingBody.model_fields if name in given}
    left_out = {name: value for name, value in _left_out(mapping).items() if name != "lines"}  # lines are of one file
    said = {
        "object": job.object,
        "operation": job.operation,
        "externalIdFieldName": job.external_id_field_name if job.operation == "upsert" else None,
        "assignmentRuleId": job.assignment_rule_id,
        **(body if isinstance(body, dict) else {}),
        "file": PurePath(file).name if isinstance(file, str) and not _is_gap(file) else None,
        **mapping,
        "leaveOut": left_out,
        "fields": list(load.columns or ()),
        # Which columns are not among these is not known.
        "bounds": {"newHeaders": "allow"} if "only" in mapping else None,
    }
    return {name: value for name, value in said.items() if value not in (None, [], {})}


def _left_out(rows: object) -> Mapping[str, Any]:
    given = rows.get("leaveOut") if isinstance(rows, Mapping) else None
    return given if isinstance(given, Mapping) else {}


def _with_gaps(value: Any) -> Any:
    """Return an argument with our gap in place of each that the record has."""
    if isinstance(value, dict):
        return {name: _with_gaps(inner) for name, inner in value.items()}
    return GAP if _is_gap(value) else value


def _is_gap(value: object) -> bool:
    return isinstance(value, str) and value.startswith("<")
