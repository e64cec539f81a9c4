"""The call at the beginning of what an error says to do next is made here, for each kind of error that has one.

A case makes a call that is refused, and mends what only the user or time can mend. Then the call that the error names is made,
with its gaps filled, and succeeds. A kind of error without a case has a reason why no call follows it.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from mcp import Client

from salesforce_bulk_ingest.base import errors
from salesforce_bulk_ingest.operations import errors as errors_of_operations
from salesforce_bulk_ingest.salesforce import errors as errors_of_salesforce
from salesforce_emulator import EmulatorConfig, create_app
from tests.salesforce_emulator.caller import Caller, calling
from tests.support.asgi_server import running
from tests.support.next_call import next_call, next_line
from tests.support.orgs import UNKNOWN_JOB, agent, call, closed, refusal

Arguments = dict[str, Any]
Given = tuple[str, Arguments]

CREATE, UPLOAD, CLOSE = "create-ingest-job", "upload-data-ingest-job", "close-abort-ingest-job"
INSERT = {"object": "Account", "operation": "insert"}
CLOSED = {"state": "UploadComplete"}
ROWS = {"csv": "Name,Phone\nAdvice,1\n"}
FOREIGN_ROWS = {"csv": "Company,Phone\nAdvice,1\n"}
KEYED_ROWS = {"csv": "External_Id__c,Name\nA-1,Advice\n"}
WITH_A_WRONG_CELL = {"csv": "Name,NumberOfEmployees\nAdvice,many\nAdvice,1\n"}


async def open_job(client: Client, **arguments: Any) -> str:
    job = await call(client, CREATE, body=INSERT, **arguments)
    return str(job["id"])


async def failed_job(client: Client) -> str:
    """The id of a job of which one row failed."""
    job_id = await open_job(client, data=WITH_A_WRONG_CELL, preflight="off", loadAgain=True)
    await closed(client, job_id)
    return job_id


async def with_a_field_that_no_column_is_called_yet(client: Client, org: Caller) -> Given:
    return CREATE, {"body": INSERT, "data": {**FOREIGN_ROWS, "only": ["Name"]}}


async def with_a_name_that_no_column_has(client: Client, org: Caller) -> Given:
    return CREATE, {"body": INSERT, "data": {**ROWS, "only": ["Nmae"]}}


async def with_no_id_of_a_job(client: Client, org: Caller) -> Given:
    return "get-ingest-job-status", {"jobId": "7501"}


async def rows_of_an_open_job(client: Client, org: Caller) -> Given:
    job_id = await open_job(client, data=WITH_A_WRONG_CELL, preflight="off", loadAgain=True)
    return CREATE, {"body": INSERT, "data": {"rowsOf": {"jobs": [job_id]}}}


async def the_job_ends(client: Client, given: Arguments) -> Mapping[str, Any]:
    await closed(client, given["data"]["rowsOf"]["jobs"][0])
    return {}


async def rows_with_an_error_that_none_has(client: Client, org: Caller) -> Given:
    job_id = await failed_job(client)
    return CREATE, {"body": INSERT, "data": {"rowsOf": {"jobs": [job_id], "where": {"statusCode": ["NO_SUCH_CODE"]}}}}


async def all_failed_rows_are_asked_for(client: Client, given: Arguments) -> Mapping[str, Any]:
    return {"<rowsOf, corrected>": {"jobs": given["data"]["rowsOf"]["jobs"]}}


async def rows_that_were_retried(client: Client, org: Caller) -> Given:
    job_id = await failed_job(client)
    rows = {"rowsOf": {"jobs": [job_id]}, "values": {"NumberOfEmployees": {"many": "2"}}}
    await call(client, CREATE, body=INSERT, data=rows)
    return CREATE, {"body": {**INSERT, "assignmentRuleId": "01Q000000000001"}, "data": rows}


async def other_rows_than_were_checked(client: Client, org: Caller) -> Given:
    return CREATE, {"body": INSERT, "data": ROWS, "sha256": "0" * 64}


async def a_close_that_a_person_confirms(client: Client, org: Caller) -> Given:
    return CLOSE, {"jobId": await open_job(client, data=ROWS, loadAgain=True), "body": CLOSED}


async def other_rows_for_a_job_that_has_some(client: Client, org: Caller) -> Given:
    return UPLOAD, {"jobId": await open_job(client, data=ROWS, loadAgain=True), "body": {"csv": "Name\nOther\n"}}


async def rows_that_another_job_has(client: Client, org: Caller) -> Given:
    rows = {"csv": "Name,Phone\nLoaded before,1\n"}
    await closed(client, await open_job(client, data=rows))
    return CREATE, {"body": {**INSERT, "assignmentRuleId": "01Q000000000001"}, "data": rows}


async def rows_that_an_open_job_has(client: Client, org: Caller) -> Given:
    rows = {"csv": "Name,Phone\nNot loaded yet,1\n"}
    await open_job(client, data=rows)
    return CREATE, {"body": {**INSERT, "assignmentRuleId": "01Q000000000001"}, "data": rows}


async def a_close_whose_records_can_not_be_read(client: Client, org: Caller) -> Given:
    [row] = org.succeeded(org.load("Name\nUnread\n"))
    body = {"object": "Account", "operation": "update"}
    job = await call(client, CREATE, body=body, data={"csv": f"Id,Phone\n{row['sf__Id']},2\n"})
    org.go_wrong({"on": "query", "fault": "request-limit"})
    return CLOSE, {"jobId": job["id"], "body": CLOSED}


async def rows_chosen_by_records_that_can_not_be_read(client: Client, org: Caller) -> Given:
    org.go_wrong({"on": "query", "fault": "request-limit"})
    body = {"object": "Account", "operation": "upsert", "externalIdFieldName": "External_Id__c"}
    return CREATE, {"body": body, "data": {**KEYED_ROWS, "match": "createOnly"}}


async def rows_that_do_not_arrive(client: Client, org: Caller) -> Given:
    org.go_wrong({"on": "upload", "fault": "request-limit"})
    return CREATE, {"body": INSERT, "data": ROWS, "loadAgain": True}


async def a_create_without_an_answer(client: Client, org: Caller) -> Given:
    org.go_wrong({"on": "create", "fault": "server-error"})
    return CREATE, {"body": INSERT}


async def a_close_without_an_answer(client: Client, org: Caller) -> Given:
    job_id = await open_job(client, data=ROWS, loadAgain=True)
    org.go_wrong({"on": "close", "fault": "server-error"})
    return CLOSE, {"jobId": job_id, "body": CLOSED}


async def a_job_that_is_gone(client: Client, org: Caller) -> Given:
    return "get-ingest-job-status", {"jobId": UNKNOWN_JOB}


async def rows_for_an_aborted_job(client: Client, org: Caller) -> Given:
    job_id = await open_job(client)
    await call(client, CLOSE, jobId=job_id, body={"state": "Aborted"})
    return UPLOAD, {"jobId": job_id, "body": ROWS}


async def an_object_that_takes_no_jobs(client: Client, org: Caller) -> Given:
    return CREATE, {"body": {**INSERT, "object": "Nmae"}}


def at_a_time(**rule: Any) -> Callable[[Client, Caller], Awaitable[Given]]:
    """A list of jobs while the org answers in this way."""

    async def given(client: Client, org: Caller) -> Given:
        org.go_wrong({"on": "list", **rule})
        return "list-all-ingest-jobs", {}

    return given


@dataclass(frozen=True, slots=True)
class Case:
    """A call that is refused with an error, and the call that follows it.

    Attributes:
        kind: the kind of the error.
        given: makes ready, and returns the call.
        says: words of what to do next.
        leads_to: what the answer to the next call has.
        fills: what fills the gaps of the next call.
        settings: settings of the server.
        mends: does what has to be done before the next call, given the arguments of the call, and returns what fills gaps.
    """

    kind: type[Exception]
    given: Callable[[Client, Caller], Awaitable[Given]]
    says: str
    leads_to: Mapping[str, Any] = field(default_factory=dict)
    fills: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    mends: Callable[[Client, Arguments], Awaitable[Mapping[str, Any]]] | None = None


CORRECTED = "is the same call, corrected"
CASES = (
    Case(
        errors.NoSuchColumn,
        with_a_name_that_no_column_has,
        CORRECTED,
        {"rows": 1},
        fills={"<only, corrected>": ["Name"]},
    ),
    Case(
        errors.InvalidArgument,
        with_a_field_that_no_column_is_called_yet,
        CORRECTED,
        {"rows": 1},
        fills={"<the same rows>": FOREIGN_ROWS["csv"]},
    ),
    Case(errors.InvalidJobId, with_no_id_of_a_job, "current jobs with their ids"),
    Case(errors.JobNotEnded, rows_of_an_open_job, "for when the job has ended", {"rows": 1}, mends=the_job_ends),
    Case(
        errors.NoMatchingRows,
        rows_with_an_error_that_none_has,
        CORRECTED,
        {"rows": 1},
        mends=all_failed_rows_are_asked_for,
    ),
    Case(errors.SentAgain, rows_that_were_retried, "then close it, which loads them", {"status": "already uploaded"}),
    Case(errors.SourceChanged, other_rows_than_were_checked, "checks the rows anew", {"rows": 1}),
    Case(
        errors_of_operations.ConfirmationNeeded,
        a_close_that_a_person_confirms,
        "Show the user what it would do",
        {"state": "UploadComplete"},
        settings={"confirm": ("insert",)},
    ),
    Case(errors.UploadConflict, other_rows_for_a_job_that_has_some, "then create a new one", {"state": "Aborted"}),
    Case(errors.LoadedBefore, rows_that_another_job_has, "what became of that job", {"state": "JobComplete"}),
    Case(errors.LoadedBefore, rows_that_an_open_job_has, "loads the rows that job has", {"state": "JobComplete"}),
    Case(errors_of_operations.RecordsUnread, a_close_whose_records_can_not_be_read, "for later", {"object": "Account"}),
    Case(
        errors_of_operations.RecordsUnseen,
        rows_chosen_by_records_that_can_not_be_read,
        "for later",
        {"rows": 1},
        fills={"<the same rows>": KEYED_ROWS["csv"]},
    ),
    Case(errors_of_operations.FilledJobFailed, rows_that_do_not_arrive, "sends them there", {"status": "uploaded"}),
    Case(errors_of_operations.CreateUnanswered, a_create_without_an_answer, "makes a new job", {"state": "Open"}),
    Case(errors_of_operations.ChangeUnanswered, a_close_without_an_answer, "and safe", {"object": "Account"}),
    Case(errors_of_salesforce.NotFound, a_job_that_is_gone, "check the id"),
    Case(errors_of_salesforce.WrongState, rows_for_an_aborted_job, "what is possible next", {"state": "Aborted"}),
    Case(
        errors_of_salesforce.Rejected,
        an_object_that_takes_no_jobs,
        "takes another object",
        {"state": "Open"},
        fills={"<body, corrected>": INSERT},
    ),
    Case(errors_of_salesforce.LimitReached, at_a_time(fault="request-limit"), "for later"),
    Case(errors_of_salesforce.Unavailable, at_a_time(fault="unavailable", retryAfter=60), "reads again"),
)

OTHERS: Mapping[type[Exception], str] = {
    errors.TooLarge: "only the caller can choose fewer rows",
    errors.NoSuchRows: "the status of the job says which rows it has",
    errors.NoRowLeft: "nothing is left to be sent",
    errors.NothingToUndo: "nothing is left to be undone",
    errors.AllSentAgain: "the same call as after SentAgain follows it",
    errors_of_operations.RowsRefused: "its findings have advice of their own",
    errors.RecipeMistake: "those who review the recipe have to mend it",
    errors.NoRecipe: "it is about a resource, and there is none",
    errors.OutOfBounds: "the file, or the recipe, is to be mended",
    errors.RefusedByPolicy: "the operator has to allow it",
    errors_of_operations.NotConfirmed: "a person has said no",
    errors.NotConfigured: "the settings are to be mended",
    errors.UploadUnderWay: "the other call has to end",
    errors.UploadUnclear: "the other server has to end",
    errors.NoRecord: "the machine is to be mended",
    errors.StorageFailure: "the machine is to be mended",
    errors_of_salesforce.NoCredentials: "the user has to log in",
    errors_of_salesforce.SessionExpired: "the user has to log in",
    errors_of_salesforce.SessionRefused: "the user has to log in",
    errors_of_salesforce.LocalShortage: "the machine is to be mended",
    errors_of_salesforce.Unreachable: "the network is to be mended",
    errors_of_salesforce.TimedOut: "the org has to answer sooner",
    errors_of_salesforce.UnexpectedAnswer: "something else than the org answers",
    errors_of_salesforce.ShortResult: "the org has to give the whole result",
}
"""Why no call that a test can make follows these kinds."""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    app = create_app(EmulatorConfig(data_dir=tmp_path_factory.mktemp("org")))
    with running(app) as url, calling(url) as caller:
        yield caller


def filled(value: Any, fills: Mapping[str, Any]) -> Any:
    """An argument with its gaps filled."""
    if isinstance(value, dict):
        return {name: filled(each, fills) for name, each in value.items()}
    return fills.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind.__name__)
async def test_the_call_that_an_error_names_succeeds_once_what_it_says_is_mended(org: Caller, case: Case) -> None:
    async with agent(str(org.http.base_url), **case.settings) as client:
        tool, arguments = await case.given(client, org)
        said = next_line(await refusal(client, tool, **arguments))
        org.go_right()
        assert case.says in said, said
        next_tool, next_arguments = next_call(said)
        known = {
            "<the same rows>": ROWS["csv"],
            **case.fills,
            **(await case.mends(client, arguments) if case.mends else {}),
        }
        answer = await call(client, next_tool, **filled(next_arguments, known))
        assert {name: answer.get(name) for name in case.leads_to} == case.leads_to


def test_each_kind_of_error_has_a_case_or_a_reason_why_no_call_follows_it() -> None:
    kinds = {
        kind
        for module, root in (
            (errors, errors.IngestError),
            (errors_of_operations, errors.IngestError),
            (errors_of_salesforce, errors_of_salesforce.SalesforceError),
        )
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, root) and kind is not root
    } - {errors_of_salesforce.SalesforceError, errors.WentBefore}  # each is raised as one of its kinds
    cases = {case.kind for case in CASES}
    assert cases | OTHERS.keys() == kinds and not cases & OTHERS.keys()
