"""Closes and aborts: repeated, overtaken by another call, or sent without an answer."""

from collections.abc import Sequence
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.support.next_call import next_call, next_line
from tests.support.orgs import ERAS, Era, agent, agent_over, call, refusal, steady, text_of
from tests.support.watched_org import WatchedOrg
from tests.support.wire import JOB_ID, pass_lifespan

INSERT = {"object": "Account", "operation": "insert"}
CLOSE, ABORT = {"state": "UploadComplete"}, {"state": "Aborted"}
CHANGES = {"close": CLOSE, "abort": ABORT}

LOST: dict[str, dict[str, Any]] = {
    "503": {"fault": "unavailable", "retryAfter": 0},
    "500": {"fault": "server-error"},
    "502 with a page": {"fault": "error-page"},
    "reset before": {"fault": "reset", "when": "before"},
    "reset during": {"fault": "reset", "when": "during", "bytes": 5},
    "reset after": {"fault": "reset", "when": "after"},
    "reset in the answer": {"fault": "reset", "when": "download", "bytes": 5},
}
"""Faults after which it is not known whether a change took effect; for some it did."""


async def filled(client: Client, csv: str = "Name\nAcme\n", **options: Any) -> str:
    job = await call(client, "create-ingest-job", body=INSERT, data={"csv": csv}, **options)
    return str(job["id"])


async def change(client: Client, job_id: str, body: dict[str, str], **options: Any) -> dict[str, Any]:
    return await call(client, "close-abort-ingest-job", jobId=job_id, body=body, **options)


@pytest.mark.parametrize("era", ERAS)
async def test_a_close_of_a_failed_job_changes_nothing_and_shows_the_job(era: Era, org: WatchedOrg) -> None:
    async with agent(org.url, era=era) as client:
        job_id = await filled(client, "Nme\nAcme\n", preflight="off")
        first = await change(client, job_id, CLOSE, waitSeconds=30)
        second = await change(client, job_id, CLOSE)
    assert (first["state"], first["changed"]) == ("Failed", True)
    assert {**second, "changed": True, "summary": first["summary"]} == first
    assert (second["changed"], steady(second["summary"])) == snapshot(
        (
            False,
            'The job had ended already, so there was nothing to close; nothing changed. Job JOB (insert Account) in embedded org is Failed: 0 rows processed. Of 1 row sent, 0 succeeded, 0 failed, 1 not processed, 0 in no result. Error: "InvalidBatch : Field name not found : Nme"',
        )
    )


@pytest.mark.parametrize("era", ERAS)
async def test_a_change_of_a_job_that_has_ended_in_another_way_says_how_it_ended(era: Era, org: WatchedOrg) -> None:
    async with agent(org.url, era=era) as client:
        failed, complete, aborted = (
            await filled(client, "Nme\nA\n", preflight="off"),
            await filled(client),
            await filled(client, "Name\nEra\n", preflight="off" if era == "auto" else "on"),
        )
        await change(client, failed, CLOSE, waitSeconds=30)
        await change(client, complete, CLOSE, waitSeconds=30)
        await change(client, aborted, ABORT)
        org.forget()
        texts = [
            await refusal(client, "close-abort-ingest-job", jobId=job_id, body=body)
            for job_id, body in ((failed, ABORT), (complete, ABORT), (aborted, CLOSE))
        ]
    assert [steady(text).splitlines()[0] for text in texts] == snapshot(
        [
            "INVALIDJOBSTATE: The job is Failed: it ended before it was aborted, and rows that it loaded stay in the org.",
            "INVALIDJOBSTATE: The job is JobComplete: it ended before it was aborted, and rows that it loaded stay in the org.",
            "INVALIDJOBSTATE: The job is Aborted and can't be closed: rows that it has not loaded stay out of the org.",
        ]
    )
    assert [next_call(next_line(text))[0] for text in texts] == ["get-ingest-job-status"] * 3
    assert org.changes == []


@pytest.mark.parametrize("era", ERAS)
async def test_a_repeated_abort_and_a_repeated_delete_change_nothing(era: Era, org: WatchedOrg) -> None:
    async with agent(org.url, era=era) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        changed = [(await change(client, job_id, ABORT))["changed"] for _ in range(2)]
        deleted = [(await call(client, "delete-ingest-job", jobId=job_id))["deleted"] for _ in range(2)]
    assert (changed, deleted) == ([True, False], [True, False])


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("change_name", CHANGES)
async def test_a_change_whose_answer_is_lost_is_looked_up_and_told_as_it_is(
    change_name: str, fault: str, times: int, org: WatchedOrg
) -> None:
    took_effect = fault in ("reset after", "reset in the answer")
    async with agent(org.url) as client:
        job_id = await filled(client, f"Name\n{change_name} {fault} {times}\n")
        org.go_wrong({"on": change_name, "times": times, **LOST[fault]})
        org.forget()
        result = await client.call_tool("close-abort-ingest-job", {"jobId": job_id, "body": CHANGES[change_name]})
        org.go_right()
        state = (await call(client, "get-ingest-job-status", jobId=job_id))["state"]
    if times == 2 and not took_effect:
        text = text_of(result)
        assert result.is_error and "was still Open when it was read afterwards" in text and state == "Open"
        assert next_call(next_line(text)) == (
            "close-abort-ingest-job",
            {"jobId": job_id, "body": CHANGES[change_name]},
        )
        assert len(org.changes) == 2
    else:
        assert result.structured_content is not None and result.structured_content["changed"] is True
        assert state != "Open" and len(org.changes) == (1 if took_effect else 2)


@pytest.mark.parametrize("change_name", CHANGES)
async def test_a_change_without_an_answer_of_a_job_that_can_not_be_read_says_what_is_known(
    change_name: str, org: WatchedOrg
) -> None:
    async with agent(org.url) as client:
        job_id = await filled(client, f"Name\nUnread {change_name}\n")
        lost = {"on": change_name, "fault": "reset", "when": "after"}
        org.go_wrong(lost, {"on": "status", "fault": "unavailable", "retryAfter": None, "after": 1})
        text = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CHANGES[change_name])
        org.go_right()
        again = await change(client, job_id, CHANGES[change_name])
    done = {"close": "closed", "abort": "aborted"}[change_name]
    assert f"The {change_name} of job {job_id} was sent without an answer" in text
    assert f"so it may be {done} or not" in text
    assert next_call(next_line(text))[0] == "close-abort-ingest-job"
    assert again["changed"] is False


@pytest.mark.parametrize("answered", ["reset after", "reset before", "503"])
async def test_a_delete_whose_answer_is_lost_is_told_as_done(answered: str, org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        job_id = (await call(client, "create-ingest-job", body=INSERT))["id"]
        await change(client, job_id, ABORT)
        org.go_wrong({"on": "delete", "times": 1, **LOST[answered]})
        assert (await call(client, "delete-ingest-job", jobId=job_id))["deleted"] is True
        org.go_right()
        assert (await call(client, "delete-ingest-job", jobId=job_id))["deleted"] is False


class Readings:
    """An org with one job: each reading gives its next state, None for a job that is gone; each change one of the answers."""

    def __init__(self, states: Sequence[str | None], changes: Sequence[Response]) -> None:
        self.states, self.changes, self.patches = list(states), list(changes), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        request = Request(scope, receive)
        if request.method == "PATCH":
            answer = self.changes[self.patches]
            self.patches += 1
        elif request.url.path.endswith("userinfo"):
            answer = JSONResponse({"organization_id": "00D000000000009EAA", "preferred_username": "u"})
        else:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            answer = GONE if state is None else JSONResponse({"id": JOB_ID, "state": state, "operation": "insert"})
        await answer(scope, receive, send)


GONE = JSONResponse([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}], 404)
TOO_LATE = JSONResponse([{"errorCode": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"}], 400)
BROKEN = JSONResponse([{"errorCode": "UNKNOWN_EXCEPTION", "message": "?"}], 500)
PAGE = Response("<html>Log in</html>", media_type="text/html")
BUSY = Response(status_code=429, headers={"Retry-After": "120"})


@pytest.mark.parametrize(
    ("state", "now", "changed"),
    [
        ("UploadComplete", "UploadComplete", False),
        ("UploadComplete", "InProgress", False),
        ("UploadComplete", "JobComplete", False),
        ("UploadComplete", "Failed", False),
        ("UploadComplete", "Aborted", "can't be closed"),
        ("UploadComplete", "Open", "Closing already Completed Job not allowed"),
        ("UploadComplete", None, "is gone: another caller"),
        ("Aborted", "Aborted", False),
        ("Aborted", "JobComplete", "it ended before it was aborted"),
        ("Aborted", "Failed", "it ended before it was aborted"),
        ("Aborted", None, "is gone: another caller"),
    ],
)
@pytest.mark.parametrize("lost_first", [False, True], ids=["", "after a lost answer"])
async def test_a_change_that_another_call_overtakes_is_told_as_it_is(
    state: str, now: str | None, changed: bool | str, lost_first: bool
) -> None:
    """A refusal after a lost answer may be of this call's own making, so that it made the change."""
    answers = ([PAGE] if lost_first else []) + [TOO_LATE]
    org = Readings(["Open"] * len(answers) + [now], answers)
    async with agent_over(org) as client:
        result = await client.call_tool("close-abort-ingest-job", {"jobId": JOB_ID, "body": {"state": state}})
    if isinstance(changed, str):
        assert result.is_error and changed in text_of(result)
    else:
        assert result.structured_content is not None
        assert (result.structured_content["changed"], result.structured_content["state"]) == (lost_first, now)
    assert org.patches == len(answers)


async def test_a_close_of_a_job_that_another_call_deleted_warns_of_a_second_load() -> None:
    async with agent_over(Readings(["Open"], [GONE])) as client:
        text = await refusal(client, "close-abort-ingest-job", jobId=JOB_ID, body=CLOSE)
    assert text.splitlines() == snapshot(
        [
            "NOT_FOUND: The job was Open a moment ago and is gone: another caller has ended and deleted it. Its rows may be loaded or not, and no job tells that any more: look for their records before they are loaded again.",
            "Next: list-all-ingest-jobs {} shows the current jobs: check the id. Salesforce removes jobs after 7 days.",
        ]
    )


async def test_a_lost_close_of_a_job_that_is_aborted_meanwhile_says_so() -> None:
    async with agent_over(Readings(["Open", "Aborted"], [BROKEN])) as client:
        assert "The job is Aborted" in await refusal(client, "close-abort-ingest-job", jobId=JOB_ID, body=CLOSE)


async def test_a_second_close_that_is_lost_too_is_looked_up_again() -> None:
    async with agent_over(Readings(["Open", "Open", "InProgress"], [BROKEN, PAGE])) as client:
        assert (await change(client, JOB_ID, CLOSE))["changed"] is True


async def test_a_change_that_salesforce_puts_off_is_told_with_the_time_to_call_again() -> None:
    org = Readings(["Open"], [BUSY])
    async with agent_over(org) as client:
        text = await refusal(client, "close-abort-ingest-job", jobId=JOB_ID, body=CLOSE)
    assert "Call again in 120 s: Salesforce asks for that pause." in text.splitlines()[0]
    assert next_call(next_line(text)) == ("close-abort-ingest-job", {"jobId": JOB_ID, "body": CLOSE})
    assert org.patches == 1
