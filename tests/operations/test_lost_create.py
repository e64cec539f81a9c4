"""A create whose answer is lost: the open jobs that it may have made are named, and none of them is taken for it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from salesforce_bulk_ingest.operations.errors import CreateUnanswered
from salesforce_bulk_ingest.operations.lost_create import create_job
from salesforce_bulk_ingest.salesforce.models import Job
from tests.salesforce.upstream import client_of, fixed
from tests.support.asgi_server import running
from tests.support.next_call import next_call, next_line
from tests.support.orgs import ERAS, Era, agent, agent_over, call, refusal
from tests.support.watched_org import WatchedOrg
from tests.support.wire import pass_lifespan

INSERT = {"object": "Account", "operation": "insert"}
ROWS = {"csv": "Name\nAcme\n"}
USER, OTHER_USER = "005000000000001AAA", "005000000000002AAA"

LOST: dict[str, dict[str, Any]] = {
    "503": {"fault": "unavailable", "retryAfter": 0},
    "500": {"fault": "server-error"},
    "502 with a page": {"fault": "error-page"},
    "reset before": {"fault": "reset", "when": "before"},
    "reset during": {"fault": "reset", "when": "during", "bytes": 5},
    "reset after": {"fault": "reset", "when": "after"},
    "reset in the answer": {"fault": "reset", "when": "download", "bytes": 5},
}
NOT_DONE: dict[str, dict[str, Any]] = {
    "401": {"fault": "expired-session"},
    "the day's requests": {"fault": "request-limit"},
    "400": {"fault": "answer", "status": 400, "errorCode": "API_ERROR", "message": "No."},
}
REPEATED: dict[str, dict[str, Any]] = {
    "420": {"fault": "no-route"},
    "429": {"fault": "too-many-requests", "retryAfter": 0},
}


def with_rows(has_rows: bool, tag: str) -> dict[str, Any]:
    return {"body": INSERT, **({"data": {"csv": f"Name\n{tag}\n"}} if has_rows else {})}


@pytest.mark.parametrize("has_rows", [False, True], ids=["without rows", "with rows"])
@pytest.mark.parametrize("fault", LOST)
async def test_a_create_without_an_answer_names_the_job_that_it_may_have_made(
    fault: str, has_rows: bool, org: WatchedOrg
) -> None:
    given = with_rows(has_rows, f"Lost {fault} {has_rows}")
    async with agent(org.url) as client:
        known = await open_jobs(client)
        org.go_wrong({"on": "create", "times": 1, **LOST[fault]})
        text = await refusal(client, "create-ingest-job", **given)
        org.go_right()
        made = await open_jobs(client) - known
        tool, arguments = next_call(next_line(text))
        second = await call(client, "create-ingest-job", **given)
    assert len(made) == (fault in ("reset after", "reset in the answer"))
    assert "The create was sent, so it may have made a job." in text and all(job_id in text for job_id in made)
    assert "nothing is loaded before a job is closed" in text
    assert (tool, arguments["body"]) == ("create-ingest-job", INSERT)
    assert second["id"] not in made  # no job is adopted


async def open_jobs(client: Any) -> set[str]:
    listing = await call(client, "list-all-ingest-jobs", jobType="V2Ingest")
    return {job["id"] for job in listing["jobs"] if job["state"] == "Open"}


@pytest.mark.parametrize("has_rows", [False, True], ids=["without rows", "with rows"])
@pytest.mark.parametrize("fault", NOT_DONE)
async def test_a_create_that_was_refused_is_not_searched_for(fault: str, has_rows: bool, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        org.go_wrong({"on": "create", "times": 1, **NOT_DONE[fault]})
        text = await refusal(client, "create-ingest-job", **with_rows(has_rows, f"Refused {fault} {has_rows}"))
    assert "may have made a job" not in text
    assert not any("jobType" in request for request in org.recorder.calls)


@pytest.mark.parametrize("fault", REPEATED)
async def test_a_create_that_nobody_began_is_sent_again(fault: str, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        org.go_wrong({"on": "create", "times": 2, **REPEATED[fault]})
        org.forget()
        assert (await call(client, "create-ingest-job", body=INSERT))["state"] == "Open"
    assert org.changes == ["POST ingest"] * 3


class ListedJobs:
    """An org that answers creates with a page, and lists jobs in pages of two.

    Args:
        jobs: the jobs.
        user: the answer about the user.
        broken_page: the number of the page that fails, from 0.
    """

    def __init__(
        self, jobs: list[Mapping[str, Any]], user: Response | None = None, broken_page: int | None = None
    ) -> None:
        about = {"organization_id": "00D000000000009EAA", "user_id": USER}
        self.user, self.jobs, self.broken_page, self.queries = (
            user or JSONResponse(about),
            jobs,
            broken_page,
            list[str](),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        request = Request(scope, receive)
        if request.url.path.endswith("userinfo"):
            answer = self.user
        elif request.method == "POST":
            answer = Response("<html>Setting things up</html>", 503)
        else:
            self.queries.append(str(request.url.query))
            answer = self._page(int(request.query_params.get("queryLocator", "0")))
        await answer(scope, receive, send)

    def _page(self, number: int) -> Response:
        if number == self.broken_page:
            return Response(status_code=500)
        rest = self.jobs[2 * number + 2 :]
        url = f"https://elsewhere.example/x?queryLocator={number + 1}" if rest else None
        return JSONResponse(
            {
                "records": list(map(dated, self.jobs[2 * number : 2 * number + 2])),
                "done": not rest,
                "nextRecordsUrl": url,
            }
        )


def listed(number: int, **different: Any) -> dict[str, Any]:
    """A job of the list that a create of this user may have made, unless something about it is different.

    `ago` is how many seconds before its listing it was made, in place of `createdDate`.
    """
    job = {
        "id": f"750{number:012}AAA",
        "state": "Open",
        "object": "Account",
        "operation": "insert",
        "createdById": USER,
    }
    return {**job, **different}


def dated(job: Mapping[str, Any]) -> dict[str, Any]:
    """The job as it is listed now."""
    made = datetime.now(UTC) - timedelta(seconds=job.get("ago", 0))
    return {"createdDate": made.strftime("%Y-%m-%dT%H:%M:%S.000+0000"), **job}


@pytest.mark.parametrize("era", ERAS)
async def test_only_open_jobs_of_this_user_and_kind_made_since_the_call_began_are_named_from_all_pages(
    era: Era,
) -> None:
    org = ListedJobs(
        [
            listed(1),
            listed(2, ago=60),
            listed(3, state="UploadComplete"),
            listed(4, object="Contact"),
            listed(5, operation="update"),
            listed(6, createdById=OTHER_USER),
            listed(7, object="account", createdById=USER[:15]),
        ]
    )
    async with agent_over(org, era=era) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT)
    assert text.splitlines() == snapshot(
        [
            "SERVER_UNAVAILABLE: Salesforce answered with status 503 and no explanation. The create was sent, so it may have made a job. Open jobs of this user for insert Account, made since the call began: 750000000000001AAA, 750000000000007AAA; any of them may be another call's.",
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}} makes a new job, which is safe: nothing is loaded before a job is closed. Leave the jobs named above, or abort those that no other call works on.',
        ]
    )
    assert org.queries == snapshot(
        [
            "jobType=V2Ingest",
            "jobType=V2Ingest&queryLocator=1",
            "jobType=V2Ingest&queryLocator=2",
            "jobType=V2Ingest&queryLocator=3",
        ]
    )


async def test_a_few_of_many_jobs_are_named_and_the_others_counted() -> None:
    async with agent_over(ListedJobs([listed(number) for number in range(9)])) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data=ROWS)
    assert "750000000000004AAA and 4 more; any of them may be another call's." in text
    assert "750000000000005AAA" not in text


@pytest.mark.parametrize(
    ("org", "told"),
    [
        (
            ListedJobs([], broken_page=0),
            "The list of jobs could not be read to its end (Salesforce answered with status 500 and no explanation). "
            "No such job was found.",
        ),
        (
            ListedJobs([listed(1), listed(2), listed(3)], broken_page=1),
            "Open jobs of this user for insert Account, made since the call began: 750000000000001AAA, 750000000000002AAA;",
        ),
        (
            ListedJobs([listed(1, createdById=OTHER_USER)], JSONResponse([{"errorCode": "NO", "message": "No"}], 403)),
            "Open jobs of all users for insert Account, made since the call began: 750000000000001AAA;",
        ),
        (ListedJobs([]), "No open job of this user for insert Account, made since the call began, was found."),
        (ListedJobs([listed(1, createdDate="soon")]), "made since the call began: 750000000000001AAA;"),
    ],
    ids=["a list that fails", "a page that fails", "a login that does not tell its user", "no job", "no date"],
)
async def test_what_the_search_could_not_learn_is_said(org: ListedJobs, told: str) -> None:
    async with agent_over(org) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT)
    assert told in text
    assert "makes a new job, which is safe" in text
    assert ("could not be read to its end" in text) == (org.broken_page is not None)


async def no_earlier_job(job: Job) -> bool:
    return False


async def test_a_search_for_which_no_time_is_left_says_so() -> None:
    with running(ListedJobs([listed(1)])) as url:
        async with client_of(fixed(url)) as client:
            with pytest.raises(CreateUnanswered, match="could not be read to its end in time") as raised:
                await create_job(client, INSERT, no_earlier_job, seconds_left=lambda: 0)
    assert raised.value.status == 502


class EarlierJob:
    """An org that answers each create with the same job, as a proxy does that replays an answer.

    Args:
        upload: the status of the answer to an upload.
    """

    def __init__(self, upload: int) -> None:
        self.job, self.upload, self.loads = listed(1), upload, list[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        request = Request(scope, receive)
        await self._answer(request)(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path.endswith("userinfo"):
            return JSONResponse({"organization_id": "00D000000000009EAA", "user_id": USER})
        if path.endswith("describe"):
            field = {"name": "Name", "label": "Name", "type": "string", "length": 80, "createable": True}
            return JSONResponse({"name": "Account", "label": "Account", "createable": True, "fields": [field]})
        if request.method == "PUT":
            self.loads.append(path)
            return JSONResponse([{"errorCode": "API_ERROR", "message": "No."}], self.upload)
        if request.method == "GET" and path.endswith("ingest"):
            return JSONResponse({"records": [dated(self.job)], "done": True})
        return JSONResponse(self.job)


@pytest.mark.parametrize("second", [{}, {"data": {"csv": "Name\nOther\n"}}], ids=["without rows", "with rows"])
async def test_a_create_that_is_answered_with_the_job_of_an_earlier_load_leaves_that_job_alone(
    second: dict[str, Any],
) -> None:
    org = EarlierJob(upload=201)
    async with agent_over(org) as client:
        first = await call(client, "create-ingest-job", body=INSERT, data=ROWS)
        text = await refusal(client, "create-ingest-job", body=INSERT, **second)
    assert first["status"] == "uploaded" and len(org.loads) == 1
    assert "Created" not in text and "abort" not in text and org.job["id"] not in text
    assert "makes a new job, which is safe: nothing is loaded before a job is closed." in text


async def test_a_create_that_is_answered_with_the_job_made_for_other_rows_is_unanswered_though_these_were_refused() -> (
    None
):
    org = EarlierJob(upload=400)
    async with agent_over(org) as client:
        assert "Created job" in await refusal(client, "create-ingest-job", body=INSERT, data=ROWS)
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nOther\n"})
    assert "Created" not in text and len(org.loads) == 1
    assert text.splitlines() == snapshot(
        [
            "SERVER_UNAVAILABLE: Asked for a new job, Salesforce answered about the job of an earlier load. The create was sent, so it may have made a job. No open job of this user for insert Account, made since the call began, was found.",
            'Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>"}} makes a new job, which is safe: nothing is loaded before a job is closed.',
        ]
    )
