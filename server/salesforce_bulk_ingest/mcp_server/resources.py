"""Jobs and their results as resources: the same pages as the tools', for hosts that read resources."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Annotations, Resource

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, InvalidJobId, NoRecipe, RecipeMistake
from salesforce_bulk_ingest.base.text import as_name, counted, cut, without_hidden
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.mcp_server.answers.answer import (
    RESULT_NAMES,
    job_recipe_uri,
    job_uri,
    recipe_uri,
    result_uri,
)
from salesforce_bulk_ingest.mcp_server.answers.error import after_error, code_and_message, invalid_params
from salesforce_bulk_ingest.mcp_server.answers.job import bounded, kind_of
from salesforce_bulk_ingest.mcp_server.answers.next_call import RESULT_TOOLS, GivenCall
from salesforce_bulk_ingest.mcp_server.answers.row_counts import RowCountsAnswer
from salesforce_bulk_ingest.mcp_server.job_recipe import recipe_of
from salesforce_bulk_ingest.mcp_server.recipes import Recipes
from salesforce_bulk_ingest.operations.limits import CALL_SECONDS
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.suggestions import KeptResult, Suggestions
from salesforce_bulk_ingest.results.page_size import DEFAULT_ROWS, MOST_ROWS, default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import PageRequest
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.results.source_order import LINE_COLUMN
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

MOST_DIGITS = 15
"""The maximum number of digits of an offset or a limit."""

RECIPE_TYPE = "application/yaml"
"""The media type of a recipe (RFC 9512), also of one in JSON, which is YAML."""

RECIPES_LISTED = 100
LONGEST_TITLE = 200

RESULT_DESCRIPTION = (
    f"A page of CSV: the header, then rows from offset on; {DEFAULT_ROWS} rows or about 4,000 tokens by default, at most "
    f"{MOST_ROWS}. columns={LINE_COLUMN} puts the line of the source before each row, where it is known. The next offset "
    "is this one plus the rows of the page; a page with the header alone is the end."
)


def add_resources(server: MCPServer[None], operations: Operations, recipes: Recipes) -> None:
    """Register the templates of the resources: a job, its results, its load as a recipe, and a recipe."""

    @server.resource(job_uri("{jobId}"), name="job", title="Ingest job", mime_type="application/json")
    async def job(jobId: str) -> str:
        """State and counters of one ingest job, under Salesforce's field names."""
        with _errors_for_hosts(GivenCall("get-ingest-job-status", {"jobId": jobId})):
            status = await operations.jobs.status(jobId, report=_silently)
            shown = bounded(status.job).model_dump(mode="json", by_alias=True, exclude_none=True)
            counts = RowCountsAnswer.of(status.accounting)
            if counts is not None:
                shown["rowCounts"] = counts.model_dump(mode="json", by_alias=True, exclude_none=True)
            return json.dumps(shown, indent=2)

    for kind in RESULT_NAMES:
        _add_result(server, operations, kind)

    @server.resource(job_recipe_uri("{jobId}"), name="job-recipe", title="Recipe of a job", mime_type=RECIPE_TYPE)
    async def job_recipe(jobId: str) -> str:
        """How a job was loaded by hand, as a recipe to review and to save; cells are not kept, and are gaps."""
        with _errors_for_hosts(GivenCall("get-ingest-job-status", {"jobId": jobId})):
            return recipe_of(*await operations.jobs.read_with_load(jobId))

    @server.resource(recipe_uri("{name}"), name="recipe", title="Recipe", mime_type=RECIPE_TYPE)
    async def recipe(name: str) -> str:
        """A load that people have reviewed, as its file says it."""
        try:
            return await run_in_thread(recipes.text, name)
        except IngestError as error:
            raise ResourceNotFoundError(code_and_message(error)) from error


def _add_result(server: MCPServer[None], operations: Operations, kind: ResultKind) -> None:
    name = RESULT_NAMES[kind]

    @server.resource(
        result_uri("{jobId}", kind) + "{?offset,limit,columns,statusCode,field}",
        name=name,
        title=name.replace("-", " ").capitalize(),
        description=RESULT_DESCRIPTION,
        mime_type="text/csv",
    )
    async def result(
        jobId: str, offset: str = "0", limit: str = "", columns: str = "", statusCode: str = "", field: str = ""
    ) -> str:
        request = PageRequest(
            _number("offset", offset, 0), _names(columns), ErrorFilter(_names(statusCode), _names(field))
        )
        size = requested_page_size(_number("limit", limit, 1)) if limit else default_page_size()
        with _errors_for_hosts(GivenCall(RESULT_TOOLS[kind], {"jobId": jobId, "offset": request.offset})):
            _, page, _ = await operations.results.page(jobId, kind, request=request, page_size=size)
        if page.is_cut_off:
            # A page with the header alone would say that the result ends here.
            raise ResourceError(f"Time ran out before the row at offset {page.offset} came in: read this page again.")
        if page.is_short:
            raise ResourceError(
                f"Salesforce gave {page.completeness}: there may be more, so read this page again later."
            )
        return page.as_csv()


async def listed_resources(suggestions: Suggestions, recipes: Recipes) -> list[Resource]:
    """Return the recipes, the newest jobs of the org, and those of their results that are kept on this machine."""
    return [*await run_in_thread(_listed_recipes, recipes), *await _listed_jobs(suggestions)]


def _listed_recipes(recipes: Recipes) -> list[Resource]:
    try:
        names = recipes.names()[:RECIPES_LISTED]
    except RecipeMistake:
        return []  # reading one tells the mistake
    return [
        Resource(uri=recipe_uri(name), name=name, title=_title_of(recipes, name), mime_type=RECIPE_TYPE)
        for name in names
    ]


def _title_of(recipes: Recipes, name: str) -> str:
    try:
        return cut(without_hidden(recipes.read(name).title), LONGEST_TITLE)
    except IngestError:
        return "Recipe with a mistake"


async def _listed_jobs(suggestions: Suggestions) -> list[Resource]:
    jobs = await suggestions.newest_jobs()
    kept = await suggestions.kept_results(jobs)
    return [
        resource
        for job in jobs
        for resource in (_listed_job(job), *(_listed_result(result) for result in kept if result.job is job))
    ]


def _listed_job(job: Job) -> Resource:
    return Resource(
        uri=job_uri(job.id),
        name=job.id,
        title=f"{kind_of(job)}: {as_name(job.state)}",
        mime_type="application/json",
        annotations=_changed(job),
    )


def _listed_result(result: KeptResult) -> Resource:
    name = RESULT_NAMES[result.kind]
    return Resource(
        uri=result_uri(result.job.id, result.kind),
        name=f"{result.job.id} {name}",
        title=f"{kind_of(result.job)}: {name.replace('-', ' ')}, {counted(result.rows, 'row')}",
        mime_type="text/csv",
        size=result.size,
        annotations=_changed(result.job),
    )


def _changed(job: Job) -> Annotations | None:
    """Return when the job last changed; its results don't change after that."""
    at = job.changed_at
    return None if at is None else Annotations(last_modified=at.isoformat())


async def _silently(job: Job, rows: int | None) -> None:
    """Report nothing: a host that reads a resource gets no progress."""


def _names(given: str) -> tuple[str, ...]:
    """Return the names that a parameter of an address holds, with commas between them."""
    return tuple(filter(None, given.split(",")))


def _number(name: str, given: str, least: int) -> int:
    """Return the number that a parameter of an address holds.

    Raises:
        MCPError: the parameter is no whole number, or is less than `least`.
    """
    # With typed parameters, the SDK reports an internal error and logs a traceback (seen with mcp 2.3.0).
    if not given.isascii() or not given.isdecimal() or len(given) > MOST_DIGITS or int(given) < least:
        raise invalid_params(f"{name} has to be a whole number of at least {least}.")
    return int(given)


@contextmanager
def _errors_for_hosts(given: GivenCall) -> Iterator[None]:
    """Turn the errors of an operation, and a call that lasts too long, into errors of the protocol.

    Args:
        given: the call of a tool that gives the same as the resource.

    Raises:
        MCPError: a parameter of the address does not fit.
        ResourceError: in place of any other SalesforceError or IngestError; a ResourceNotFoundError where the job does not
            exist.
    """
    try:
        with anyio.fail_after(CALL_SECONDS):
            yield
    except TimeoutError:
        raise ResourceError(f"Salesforce did not answer within {CALL_SECONDS} s: read again.") from None
    except NoRecipe as error:
        raise ResourceNotFoundError(code_and_message(error)) from error
    except (NotFound, InvalidJobId) as error:
        raise ResourceNotFoundError(f"{code_and_message(error)}\n{after_error(error, given)}") from error
    except InvalidArgument as error:
        raise invalid_params(str(error)) from error
    except (SalesforceError, IngestError) as error:
        raise ResourceError(f"{code_and_message(error)}\n{after_error(error, given)}") from error
