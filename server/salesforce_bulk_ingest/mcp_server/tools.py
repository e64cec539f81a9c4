"""The nine tools."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, TypedDict

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ContentBlock, InputRequiredResult, ResourceLink, TextContent

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, OutOfBounds, RefusedByPolicy, TooLarge
from salesforce_bulk_ingest.base.findings import LINES_SHOWN
from salesforce_bulk_ingest.base.shared_task import ReportBytes
from salesforce_bulk_ingest.base.text import as_name, counted
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.cache.load_parts import LoadOrigin
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.mcp_server.answers.answer import RESULT_NAMES, Answer, result_uri
from salesforce_bulk_ingest.mcp_server.answers.created_job import CreatedJobAnswer
from salesforce_bulk_ingest.mcp_server.answers.deleted_job import DeletedJobAnswer
from salesforce_bulk_ingest.mcp_server.answers.error import other_job_text, unseen_look_text
from salesforce_bulk_ingest.mcp_server.answers.job import JobAnswer
from salesforce_bulk_ingest.mcp_server.answers.job_list import JobListAnswer
from salesforce_bulk_ingest.mcp_server.answers.next_call import CREATE, DEFAULTS, RESULT_TOOLS, ROWS, UPLOAD, GivenCall
from salesforce_bulk_ingest.mcp_server.answers.result_page import FailedPageAnswer, PageAnswer
from salesforce_bulk_ingest.mcp_server.answers.upload import UploadAnswer
from salesforce_bulk_ingest.mcp_server.arguments import (
    NAMED,
    Compare,
    Confirm,
    CreateBody,
    DataBody,
    DryRun,
    FailedWhere,
    FieldsToCompare,
    JobId,
    JobTypeFilter,
    Limit,
    LinesShown,
    LoadAgain,
    Offset,
    Part,
    PkChunking,
    PreflightSwitch,
    QueryLocator,
    SaveAs,
    Sha256,
    ShownColumns,
    StateBody,
    UploadBody,
    WaitSeconds,
    Where,
    WithoutUndo,
)
from salesforce_bulk_ingest.mcp_server.dialogs import ask, can_ask, given_answer
from salesforce_bulk_ingest.mcp_server.recipes import Recipe, Recipes, errors_of
from salesforce_bulk_ingest.mcp_server.tool_errors import errors_for_models
from salesforce_bulk_ingest.mcp_server.tool_schema import closed_tool
from salesforce_bulk_ingest.mcp_server.view.job_view import VIEW_URI
from salesforce_bulk_ingest.mcp_server.whole_files import WholeFiles
from salesforce_bulk_ingest.operations.audit import Action
from salesforce_bulk_ingest.operations.confirmation import NO_CONSENT, Consent
from salesforce_bulk_ingest.operations.errors import ConfirmationNeeded
from salesforce_bulk_ingest.operations.jobs import JobStatus
from salesforce_bulk_ingest.operations.load_outcome import ReportLoad
from salesforce_bulk_ingest.operations.load_request import AnySource, LoadRequest
from salesforce_bulk_ingest.operations.operations import Operations
from salesforce_bulk_ingest.operations.waiting import Report
from salesforce_bulk_ingest.results.page_size import default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import PageRequest
from salesforce_bulk_ingest.results.save_roots import SaveRoots
from salesforce_bulk_ingest.salesforce.models import Job, ResultKind

_ACTIONS: Mapping[str, Action] = {
    CREATE: "create",
    UPLOAD: "upload",
    "close-abort-ingest-job": "close",
    "delete-ingest-job": "delete",
}
"""What each tool that is not a reading one changes."""


class _Hints(TypedDict):
    read_only: bool
    destructive: bool
    idempotent: bool


READING: _Hints = {"read_only": True, "destructive": False, "idempotent": True}


class IngestTools:
    """The nine tools over the operations on one org.

    Args:
        operations: the operations that the tools call.
        roots: the folders that files may be uploaded from.
        save_roots: the folders that rows may be saved in.
        rest_url: the address of `/v1`, such as `http://127.0.0.1:8080/v1`; None on stdio.
        recipes: the recipes that rows may be loaded by.
    """

    def __init__(
        self,
        operations: Operations,
        roots: UploadRoots,
        save_roots: SaveRoots,
        rest_url: str | None,
        recipes: Recipes | None = None,
    ) -> None:
        self._operations = operations
        self.recipes = recipes or Recipes()
        self._roots = roots
        self._save_roots = save_roots
        self._whole_files = WholeFiles(roots, rest_url, operations.jobs.org)
        self.policy = operations.policy

    def as_list(self) -> list[Tool]:
        """Return all nine tools, in the order of the contract."""
        return [
            closed_tool(self.list_jobs, name="list-all-ingest-jobs", title="List ingest jobs", **READING),
            closed_tool(
                self.create, name=CREATE, title="Create an ingest job",
                read_only=False, destructive=False, idempotent=False, required=("body",),
            ),
            closed_tool(
                self.status, name="get-ingest-job-status", title="Get an ingest job's status", view=VIEW_URI, **READING
            ),
            closed_tool(
                self.change_state, name="close-abort-ingest-job", title="Close or abort an ingest job",
                read_only=False, destructive=False, idempotent=True,
            ),
            closed_tool(
                self.delete, name="delete-ingest-job", title="Delete an ingest job",
                read_only=False, destructive=True, idempotent=True,
            ),
            closed_tool(
                self.upload, name=UPLOAD, title="Upload an ingest job's rows",
                read_only=False, destructive=False, idempotent=True,
            ),
            closed_tool(
                self.failed, name=RESULT_TOOLS["failedResults"], title="Get failed rows", view=VIEW_URI, **READING
            ),
            closed_tool(self.successful, name=RESULT_TOOLS["successfulResults"], title="Get successful rows", **READING),
            closed_tool(
                self.unprocessed, name=RESULT_TOOLS["unprocessedrecords"], title="Get unprocessed rows", **READING
            ),
        ]  # fmt: skip

    async def check_write(self, tool: str) -> None:
        """Raise RefusedByPolicy where the tool may change nothing."""
        await self._operations.jobs.check_write(_ACTIONS[tool])

    async def list_jobs(
        self,
        isPkChunkingEnabled: PkChunking = None,
        jobType: JobTypeFilter = None,
        queryLocator: QueryLocator = None,
    ) -> Annotated[CallToolResult, JobListAnswer]:
        """List the org's ingest jobs, of all users and tools: the 25 newest of one page (up to 1,000 jobs) with counts by
        state, to find a job whose id is lost. The ten newest have row counters."""
        with errors_for_models(
            GivenCall.of(
                "list-all-ingest-jobs",
                isPkChunkingEnabled=isPkChunkingEnabled,
                jobType=jobType,
                queryLocator=queryLocator,
            )
        ):
            listing = await self._operations.jobs.list(
                pk_chunking=isPkChunkingEnabled, job_type=jobType, query_locator=queryLocator, with_counters=True
            )
            return _result(JobListAnswer.of(listing))

    async def create(
        self,
        ctx: Context,
        body: CreateBody | None = None,
        data: DataBody | None = None,
        part: Part = None,
        sha256: Sha256 = None,
        dryRun: DryRun = False,
        preflight: PreflightSwitch = "on",
        loadAgain: LoadAgain = False,
        linesShown: LinesShown = LINES_SHOWN,
        compare: Compare = None,
    ) -> Annotated[CallToolResult, CreatedJobAnswer]:
        """Create an ingest job for one object and operation, first step of a load; with data, also check and upload its
        rows, or only check them (dryRun: no job is made). Nothing is loaded before the job is closed. Without data, each
        call makes another job; with data, an equal call within 10 minutes gets the first one's. update needs an Id
        column (by another key: upsert with match updateOnly); upsert matches on externalIdFieldName; delete and
        hardDelete take an Id column alone, if the operator allows them. data.rowsOf retries or undoes earlier jobs."""
        options = {
            "part": part, "sha256": sha256, "dryRun": dryRun, "preflight": preflight, "loadAgain": loadAgain,
            "linesShown": linesShown, "compare": compare,
        }  # fmt: skip
        is_by_recipe = data is not None and data.recipe is not None
        given = GivenCall.of(CREATE, body=body or (None if is_by_recipe else "<body>"), data=data, **options)
        with errors_for_models(given):
            recipe = await self._recipe(data, preflight, loadAgain)
        if recipe is not None:
            asked, given, body = body, given.for_job(recipe.body), recipe.body
            if asked is not None and not recipe.is_for(asked):
                raise ToolError(other_job_text(recipe.name, given))
        with errors_for_models(given):
            if body is None:
                raise InvalidArgument("body is missing: it says of which object the job is, and what it does.")
            if data is None:
                _check_no_option_is_about_rows(options)
                return _result(CreatedJobAnswer.of_job(await self._operations.jobs.create(body.create_request)))
            request = await self._load_request(data, recipe, part, sha256, preflight, loadAgain, given)
            request = replace(request, compare=_compared(compare, given, dry_run=dryRun))
            try:
                with errors_of(recipe):
                    outcome = await self._operations.load.create_with_rows(
                        body.create_request, request, dry_run=dryRun, lines=linesShown, report=_load_progress(ctx)
                    )
            except TooLarge as error:
                raise await self._whole_files.for_large_rows(error, None) from error
            return _result(CreatedJobAnswer.of_outcome(outcome, given))

    async def status(
        self, jobId: JobId, ctx: Context, waitSeconds: WaitSeconds = 0
    ) -> Annotated[CallToolResult, JobAnswer]:
        """Get a job's state and row counters; with waitSeconds, wait until it is done or the time is up, with progress.
        numberRecordsProcessed includes failed rows. JobComplete with numberRecordsFailed above 0: call
        get-failed-results-ingest-job. Failed: errorMessage says why the whole job stopped. If the wait ends first, call
        again; the job goes on by itself."""
        with errors_for_models(GivenCall.of("get-ingest-job-status", jobId=jobId, waitSeconds=waitSeconds)):
            status = await self._operations.jobs.status(jobId, wait_seconds=waitSeconds, report=_progress(ctx))
            return _result(await self._held_to_recipe(JobAnswer.of(status), status))

    async def change_state(
        self,
        jobId: JobId,
        body: StateBody,
        ctx: Context,
        waitSeconds: WaitSeconds = 0,
        confirm: Confirm = "",
        withoutUndo: WithoutUndo = False,
    ) -> Annotated[CallToolResult, JobAnswer] | InputRequiredResult:
        """Close a job (state UploadComplete): Salesforce then loads its rows, or deletes records; the answer says if that
        can be undone. Or abort it (Aborted): loaded rows stay. Call it after upload-data-ingest-job. A repeat
        changes nothing."""
        given = GivenCall.of(
            "close-abort-ingest-job", jobId=jobId, body=body, waitSeconds=waitSeconds, withoutUndo=withoutUndo
        )
        change = partial(
            self._operations.jobs.change_state,
            jobId,
            body.state,
            without_undo=withoutUndo,
            wait_seconds=waitSeconds,
            report=_progress(ctx),
        )
        with errors_for_models(given):
            asks = can_ask(ctx)
            consent = given_answer(ctx) if asks else Consent(confirm)
            try:
                status = await change(consent=consent or NO_CONSENT)
            except ConfirmationNeeded as needed:
                if not asks or not needed.dialog_counts:
                    raise
                answer = await ask(ctx, needed)
                if isinstance(answer, InputRequiredResult):
                    return answer
                status = await change(consent=answer)
            return _result(await self._held_to_recipe(JobAnswer.of_change(status, body.state), status))

    async def delete(self, jobId: JobId) -> Annotated[CallToolResult, DeletedJobAnswer]:
        """Delete a job's metadata, rows and results from Salesforce, for good; records in the org stay. Use it only when
        asked to: its failed rows can't be read afterwards, and Salesforce removes jobs itself after 7 days. An open or
        running job must be aborted first. A repeat changes nothing."""
        with errors_for_models(GivenCall.of("delete-ingest-job", jobId=jobId)):
            return _result(DeletedJobAnswer.of(jobId, await self._operations.jobs.delete(jobId)))

    async def upload(
        self,
        jobId: JobId,
        body: UploadBody,
        ctx: Context,
        part: Annotated[Part, NAMED] = None,
        sha256: Annotated[Sha256, NAMED] = None,
        dryRun: DryRun = False,
        preflight: PreflightSwitch = "on",
        loadAgain: Annotated[LoadAgain, NAMED] = False,
        linesShown: LinesShown = LINES_SHOWN,
        compare: Annotated[Compare, NAMED] = None,
    ) -> Annotated[CallToolResult, UploadAnswer]:
        """Check the rows for an open job and upload them, once: CSV text or records up to 4 MB, or a file of any size on
        the server's machine. Columns are named by field API name; columns, set, values, formats and only change data on
        the way. An empty cell leaves a field as it is; null or #N/A clears it. The same data again sends nothing; other
        data is refused (abort, then create a new job). Next: close-abort-ingest-job."""
        options = {
            "part": part, "sha256": sha256, "dryRun": dryRun, "preflight": preflight, "loadAgain": loadAgain,
            "linesShown": linesShown, "compare": compare,
        }  # fmt: skip
        given = GivenCall.of(UPLOAD, jobId=jobId, body=body, **options)
        with errors_for_models(given):
            recipe = await self._recipe(body, preflight, loadAgain)
            request = await self._load_request(body, recipe, part, sha256, preflight, loadAgain, given)
            request = replace(request, compare=_compared(compare, given, dry_run=dryRun))
            try:
                with errors_of(recipe):
                    outcome = await self._operations.load.upload(
                        jobId, request, dry_run=dryRun, lines=linesShown, report=_load_progress(ctx)
                    )
            except TooLarge as error:
                raise await self._whole_files.for_large_rows(error, jobId) from error
            return _result(UploadAnswer.of_outcome(outcome, given))

    async def failed(
        self,
        jobId: JobId,
        ctx: Context,
        offset: Offset = 0,
        limit: Limit = None,
        columns: ShownColumns = (),
        where: FailedWhere = None,
        saveAs: SaveAs = None,
    ) -> Annotated[CallToolResult, FailedPageAnswer]:
        """Get a page of the rows that failed, with the reason in sf__Error, and the causes of all of them, with counts,
        examples and advice. Call it when numberRecordsFailed is above 0. Next: create-ingest-job with data rowsOf sends
        them again as they were sent, by status code, corrected with values or set. Rows have no fixed order."""
        request = PageRequest(offset, columns, (where or Where()).error_filter)
        given = GivenCall.of(
            RESULT_TOOLS["failedResults"], jobId=jobId, offset=offset, limit=limit, columns=columns, where=where
        )
        return await self._page(ctx, given, jobId, "failedResults", request, limit, saveAs)

    async def successful(
        self,
        jobId: JobId,
        ctx: Context,
        offset: Offset = 0,
        limit: Limit = None,
        columns: ShownColumns = (),
        saveAs: SaveAs = None,
    ) -> Annotated[CallToolResult, PageAnswer]:
        """Get a page of the rows that succeeded, with the record's id in sf__Id and whether it is new in sf__Created. Call
        it after JobComplete when the ids are needed. Rows have no fixed order; numbers and dates have Salesforce's form."""
        given = GivenCall.of(
            RESULT_TOOLS["successfulResults"], jobId=jobId, offset=offset, limit=limit, columns=columns
        )
        return await self._page(ctx, given, jobId, "successfulResults", PageRequest(offset, columns), limit, saveAs)

    async def unprocessed(
        self,
        jobId: JobId,
        ctx: Context,
        offset: Offset = 0,
        limit: Limit = None,
        columns: ShownColumns = (),
        saveAs: SaveAs = None,
    ) -> Annotated[CallToolResult, PageAnswer]:
        """Get a page of the rows that Salesforce never tried since the job was aborted or failed, as they were uploaded.
        Call it after Aborted or Failed. Next: create-ingest-job with data rowsOf loads them, and rows in no result."""
        given = GivenCall.of(
            RESULT_TOOLS["unprocessedrecords"], jobId=jobId, offset=offset, limit=limit, columns=columns
        )
        return await self._page(ctx, given, jobId, "unprocessedrecords", PageRequest(offset, columns), limit, saveAs)

    async def _page(
        self,
        ctx: Context,
        given: GivenCall,
        job_id: str,
        kind: ResultKind,
        request: PageRequest,
        limit: int | None,
        save_as: str | None,
    ) -> CallToolResult:
        size = default_page_size() if limit is None else requested_page_size(limit)
        rest_url = self._whole_files.result_url(job_id, kind)
        saving = given if save_as is None else given.with_argument("saveAs", save_as)
        with errors_for_models(saving):
            file = None if save_as is None else self._save_roots.find(save_as)
            job, page, accounting = await self._operations.results.page(
                job_id,
                kind,
                request=request,
                page_size=size,
                source_order=rest_url is None,
                save_in=file,
                report=_download_progress(ctx),
            )
            # Further pages need not save the rows once more.
            given = given if page.saved is None or page.saved.is_done else saving
            name = f"{job_id} {RESULT_NAMES[kind]}"
            link = ResourceLink(type="resource_link", uri=result_uri(job.id, kind), name=name, mime_type="text/csv")
            return _result(PageAnswer.of(job, kind, page, accounting, rest_url, given), link)

    async def _held_to_recipe(self, answer: JobAnswer, status: JobStatus) -> JobAnswer:
        """Return the answer about a job that also says so where more rows failed than its recipe allows."""
        job, part = status.job, None if status.load is None else status.load.part
        if part is None or part.origin.recipe is None or not job.is_terminal:
            return answer
        try:
            recipe = await run_in_thread(self.recipes.read, part.origin.recipe)
        except IngestError:
            return answer  # it was taken away, or is being changed
        out = recipe.out_of_bounds(job.number_records_failed or 0, job.number_records_processed or 0)
        return answer.model_copy(update={"summary": answer.summary + out})

    async def _recipe(self, data: DataBody | None, preflight: PreflightSwitch, load_again: bool) -> Recipe | None:
        """Return the recipe that the rows are loaded by; None for rows without one.

        Raises:
            InvalidArgument: the call asks for more than a recipe and a file.
            RefusedByPolicy, RecipeMistake: see `Recipes.read`.
        """
        if data is None or data.recipe is None:
            return None
        if preflight == "off" or load_again:
            raise InvalidArgument("A recipe is loaded as it was reviewed: leave out preflight and loadAgain.")
        return await run_in_thread(self.recipes.read, data.recipe)

    async def _load_request(
        self,
        body: DataBody,
        recipe: Recipe | None,
        part: int | None,
        sha256: str | None,
        preflight: PreflightSwitch,
        load_again: bool,
        given: GivenCall,
    ) -> LoadRequest[AnySource]:
        try:
            # Finding a file looks at its folder, which may be a slow share.
            if recipe is None:
                source = await run_in_thread(body.source, self._roots)
            else:
                source = await run_in_thread(recipe.source, self._roots, body.file or "")
        except OutOfBounds:
            raise
        except RefusedByPolicy as error:
            raise await self._whole_files.for_refused_file(error, given.job_id) from error
        return LoadRequest(
            source,
            body.mapping if recipe is None else recipe.bounded_mapping,
            preflight == "on",
            part,
            sha256,
            load_again,
            origin=LoadOrigin.of(body.source_name, given.kept()),
            bounds=None if recipe is None else recipe.load_bounds,
        )


def _check_no_option_is_about_rows(options: Mapping[str, object]) -> None:
    """Raise InvalidArgument where an option is set of a call that has no rows."""
    # compare: true is what holds with rows where it is not given, and asks for something without them, too.
    given = [name for name, value in options.items() if value is True or (value and value != DEFAULTS.get(name))]
    if given:
        are = "is" if len(given) == 1 else "are"
        raise InvalidArgument(f"{' and '.join(given)} {are} about rows: give data too.", ("data",), ROWS)


def _compared(compare: FieldsToCompare | None, given: GivenCall, *, dry_run: bool) -> tuple[str, ...] | None:
    """Return the fields to look for in the org; None for all.

    Raises:
        ToolError: they are asked for where the answer would not say what was found.
    """
    if compare and not dry_run:
        raise ToolError(unseen_look_text(given))
    return None if compare is True or not dry_run else compare


def _result(answer: Answer, *links: ContentBlock) -> CallToolResult:
    """Return the result of a tool from both halves of an answer, with links to resources after the text."""
    return CallToolResult(
        content=[TextContent(type="text", text=answer.text()), *links], structured_content=answer.structure()
    )


def _progress(ctx: Context) -> Report:
    """Return a function that reports the number of processed rows, and of all, to the host, whenever the first grows."""
    last = -1

    async def report(job: Job, rows: int | None) -> None:
        nonlocal last
        processed = job.number_records_processed or 0
        if processed > last:
            last = processed
            total = rows if rows is not None and rows >= processed else None
            counted_rows = counted(processed, "row") if total is None else f"{processed:,} of {counted(total, 'row')}"
            await ctx.report_progress(processed, total, f"{as_name(job.state)}: {counted_rows} processed")

    return report


def _load_progress(ctx: Context) -> ReportLoad:
    """Return a function that reports the bytes of a load to the host, whenever there are more: read ones, then sent ones."""
    last = read = 0

    async def report(done_bytes: int, to_send: int | None) -> None:
        nonlocal last, read
        if to_send is None:
            read = done_bytes
        progress, total = (read, None) if to_send is None else (read + done_bytes, read + to_send)
        if progress > last:
            last = progress
            told = f"{done_bytes:,} bytes checked" if to_send is None else f"{done_bytes:,} of {to_send:,} bytes sent"
            await ctx.report_progress(progress, total, told)

    return report


def _download_progress(ctx: Context) -> ReportBytes:
    """Return a function that reports the bytes of a download to the host, whenever there are more."""
    last = 0

    async def report(done_bytes: int) -> None:
        nonlocal last
        if done_bytes > last:
            last = done_bytes
            await ctx.report_progress(done_bytes, None, f"{done_bytes:,} bytes of the result fetched")

    return report
