"""The prompts: what a user asks for most, as texts that name the tools to call.

A text is an order of the user to the model, so the user's own arguments stand in it as JSON, and nothing of the org does.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated

from mcp.server.mcpserver.prompts import Prompt
from mcp_types import Prompt as ListedPrompt
from pydantic import Field

from salesforce_bulk_ingest.base.text import quoted, quoted_names
from salesforce_bulk_ingest.mcp_server.answers.error import invalid_params
from salesforce_bulk_ingest.mcp_server.answers.next_call import (
    CREATE,
    call,
    close_call,
    list_call,
    result_call,
    rows_of,
    status_call,
    wait_call,
)
from salesforce_bulk_ingest.salesforce.job_ids import is_job_id

CAUSES_SHOWN = "how many rows, one example, and what would mend them"


@cache
def reading_prompts() -> Sequence[Prompt]:
    """Return the prompts whose tools only read, the same for every server of the process."""
    return (
        Prompt.from_function(
            _recent_jobs,
            name="recent-jobs",
            title="What happened lately",
            description="Say what the org's newest ingest jobs did, what failed, and what is left to do.",
        ),
    )


@cache
def writing_prompts() -> Sequence[Prompt]:
    """Return the prompts whose tools make, fill and close jobs, the same for every server of the process."""
    return (
        Prompt.from_function(
            _load_file,
            name="load-file",
            title="Load a file",
            description="Check a CSV file, show what would be loaded, load it once the user agrees, and report every row.",
        ),
        Prompt.from_function(
            _retry_failed_rows,
            name="retry-failed-rows",
            title="Explain and send again what failed",
            description="Explain why rows of a job failed, and send them again, corrected, in a new job.",
        ),
    )


def check_arguments(prompt: ListedPrompt, given: Mapping[str, str]) -> None:
    """Refuse arguments that the prompt lacks, and the want of one that it needs.

    Raises:
        MCPError: the arguments don't fit; the message names them.
    """
    arguments = prompt.arguments or []
    unknown = given.keys() - {argument.name for argument in arguments}
    if unknown:
        raise invalid_params(f"The prompt {prompt.name} has no argument {quoted_names(sorted(unknown))}.")
    missing = [argument.name for argument in arguments if argument.required and not given.get(argument.name)]
    if missing:
        raise invalid_params(f"The prompt {prompt.name} needs a value for {', '.join(missing)}.")


async def _load_file(
    file: Annotated[str, Field(description="Path of the CSV file, on the machine of the server")],
    object: Annotated[str, Field(description="API name of the object, such as Account")] = "",
    operation: Annotated[str, Field(description="insert, update, upsert or delete")] = "",
) -> str:
    body = {"object": object or "<object>", "operation": operation or "<operation>"}
    if operation == "upsert":
        body["externalIdFieldName"] = "<the field that matches rows>"
    check = call(CREATE, body=body, data={"file": file}, dryRun=True)
    return f"""\
Load this file into Salesforce.
1. Check it, which makes no job: {check}. Ask me for what stands in <>, unless it is plain. Map foreign headers \
with `columns` of data, leave out what is no row with `leaveOut`, as the answer proposes, and check again until there \
are no errors.
2. Show me the org, the number of rows, which column goes to which field, and the warnings. Wait until I agree.
3. Make the same call without dryRun. Then {close_call("<id>")}, and {wait_call("<id>")} until the job has ended.
4. Tell me how many rows are loaded. If some failed, {result_call("failedResults", "<id>")}: for each cause {CAUSES_SHOWN}. \
Send nothing again before I agree."""


async def _retry_failed_rows(
    jobId: Annotated[str, Field(description="Id of the job whose rows failed")],
    statusCode: Annotated[str, Field(description="Only rows with this error, such as REQUIRED_FIELD_MISSING")] = "",
) -> str:
    if not is_job_id(jobId):
        raise invalid_params(
            "jobId has to be the id of an ingest job: those begin with 750 and have 15 or 18 characters."
        )
    where = {"where": {"statusCode": [statusCode]}} if statusCode else {}
    again = call(
        CREATE,
        body={"object": "<that of the job>", "operation": "<that of the job>"},
        data=rows_of(jobId, **where),
        dryRun=True,
    )
    return f"""\
Explain what failed in a Salesforce ingest job, and send it again.
1. {status_call(jobId)}, then {result_call("failedResults", jobId, **where)}.
2. For each cause tell me in plain words {CAUSES_SHOWN}. Say which can't succeed unchanged. Ask me what to correct and \
what to leave out.
3. Check the rows that I choose: {again}, with `values` or `set` of data for corrections and `leaveOut` for rows \
that stay out; rowsOf sends them as they were sent, so don't write rows yourself. \
Show me the outcome, and wait until I agree.
4. Make the same call without dryRun. Then {close_call("<id>")}, {wait_call("<id>")}, and tell me what is in the org now \
and what still isn't."""


async def _recent_jobs(
    object: Annotated[str, Field(description="Only jobs of this object, such as Account")] = "",
) -> str:
    only = f" of the object {quoted(object)}" if object else ""
    return f"""\
Tell me what happened lately with Salesforce ingest jobs{only}. Change nothing.
1. {list_call()}, then {status_call("<id>")} for each of the newest, at most 10.
2. Show a table, the newest first: when, object, operation, state, rows loaded, rows failed.
3. Where rows failed, {result_call("failedResults", "<id>", limit=1)}: the causes, each with {CAUSES_SHOWN}.
4. End with what is left to do: jobs that are still open or running, failed rows worth sending again, and jobs that \
Salesforce removes soon (7 days after they ended)."""
