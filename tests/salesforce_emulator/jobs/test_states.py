"""The life of a job, and what is refused when."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.jobs.states import REFUSALS, TRANSITIONS, Event, State, next_state
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import HALF, INGEST, REST, Caller, an_org, held_in_upload_complete


def ended(org: Caller, state: str) -> str:
    """A job that has come to this end."""
    if state == "Aborted":
        job_id = org.create()
        org.patch(job_id, "Aborted")
        return job_id
    job = org.load("Name\nA\n" if state == "JobComplete" else "Nope\nA\n")
    assert job["state"] == state
    return str(job["id"])


@doc("Bulk API 2.0 guide, Job States; Delete a Job")
@seen("jobs that failed before anyone saw them InProgress")
@assumed("aborting what was closed or has begun, documented for query jobs; that an open job may fail")
def test_the_table_of_transitions_is_the_documented_one() -> None:
    table = {str(event): {str(old): new and str(new) for old, new in row.items()} for event, row in TRANSITIONS.items()}
    assert {event: dict(sorted(row.items())) for event, row in table.items()} == snapshot(
        {
            "upload": {"Open": "Open"},
            "close": {"Open": "UploadComplete"},
            "abort": {"InProgress": "Aborted", "Open": "Aborted", "UploadComplete": "Aborted"},
            "delete": {"Aborted": None, "Failed": None, "JobComplete": None, "UploadComplete": None},
            "start": {"InProgress": "InProgress", "UploadComplete": "InProgress"},
            "complete": {"InProgress": "JobComplete"},
            "fail": {"InProgress": "Failed", "Open": "Failed", "UploadComplete": "Failed"},
        }
    )


@own
def test_requests_are_refused_by_salesforce_and_steps_of_processing_by_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="a job that is Open cannot complete"):
        next_state(Event.COMPLETE, State.OPEN)
    assert set(REFUSALS) == {Event.UPLOAD, Event.CLOSE, Event.ABORT, Event.DELETE}


@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted"])
@seen("a comment of a client (salesforcer)")
@assumed("that failed and aborted jobs are told the same")
def test_a_job_that_has_ended_is_not_closed(org: Caller, state: str) -> None:
    answer = org.patch(ended(org, state), "UploadComplete")
    assert (answer.status_code, answer.json()) == (
        400,
        [{"errorCode": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"}],
    )


@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted"])
@seen("an ingest job at v49.0, and a client's fixture (heroku-applink)")
@doc("Bulk API 2.0 guide, Abort a Query Job")
@assumed("that failed and aborted jobs are told the same")
def test_a_job_that_has_ended_is_not_aborted(org: Caller, state: str) -> None:
    answer = org.patch(ended(org, state), "Aborted")
    assert (answer.status_code, answer.json()) == (
        400,
        [{"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"}],
    )


@assumed("code and text")
@pytest.mark.parametrize("state", ["InProgress", "JobComplete", "Open", "uploadcomplete", ""])
def test_only_closing_and_aborting_can_be_asked_for(org: Caller, state: str) -> None:
    answer = org.patch(org.create(), state)
    message = f"State '{state}' can't be asked for. Use UploadComplete or Aborted"
    if not state:
        message = "The change has no state: set state to UploadComplete or Aborted"
    assert (answer.status_code, answer.json()) == (400, [{"errorCode": "INVALIDJOB", "message": message}])


@assumed("other keys in the body are ignored")
def test_a_whole_job_can_be_sent_back_to_close_it(org: Caller) -> None:
    job = org.get(org.create())
    answer = org.http.patch(f"{INGEST}/{job['id']}", json=job | {"state": "UploadComplete"})
    assert answer.json()["state"] == "UploadComplete"


@assumed("no source shows another body refused")
@pytest.mark.parametrize("body", [b"{}", b'{"state": {}}', b'{"state": null}', b"[]", b"", b"null"])
def test_only_a_state_can_be_asked_for(org: Caller, body: bytes) -> None:
    answer = org.http.patch(f"{INGEST}/{org.create()}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@assumed("no source shows what a PUT to a closed job is told")
def test_data_for_a_closed_job_is_refused(org: Caller) -> None:
    job = org.load("Name\nAcme\n")
    answer = org.http.put(f"{INGEST}/{job['id']}/batches", content=b"Name\nB\n", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


@doc("Bulk API 2.0 guide, Get Job Unprocessed Record Results")
@assumed("that rows come back byte for byte")
def test_an_aborted_job_hands_back_what_it_was_given(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id, b'Name\n"A\nB"\n')
    org.patch(job_id, "Aborted")
    job = org.get(job_id)
    assert org.result(job, "unprocessedrecords") == 'Name\n"A\nB"\n'
    assert org.result(job, "successfulResults") == '"sf__Id","sf__Created"\n'


@doc("Bulk API guide, Abort a Job: what is saved stays saved (1.0); Bulk API 2.0 guide, unprocessed records")
@assumed("that 2.0 keeps what is saved as 1.0 does, and lets a running job be aborted as a query job")
def test_a_job_aborted_in_mid_flight_keeps_what_it_saved_and_returns_the_rest(tmp_path: Path) -> None:
    names = [f"in flight {number:03}" for number in range(500)]
    with an_org(tmp_path) as org:
        org.hold_jobs(after=1)
        job_id = org.submit("Name\n" + "".join(f"{name}\n" for name in names))
        org.until_held(job_id, 1)
        assert org.patch(job_id, "Aborted").status_code == 200
        job = org.get(job_id)
        assert (job["state"], job["numberRecordsProcessed"]) == ("Aborted", 200)
        assert sorted(row["Name"] for row in org.succeeded(job)) == names[:200]
        assert [row["Name"] for row in org.rows(job, "unprocessedrecords")] == names[200:]
        assert org.count("Name LIKE 'in flight%'") == 200


@doc("Bulk API 2.0 guide, Delete a Job: not in these states")
@assumed("code and text are documented for query jobs")
def test_a_job_that_is_open_or_in_progress_is_not_deleted(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=0)
        busy = org.submit("Name\nA\n")
        org.until_held(busy, 0)
        for job_id in (busy, org.create()):
            answer = org.http.delete(f"{INGEST}/{job_id}")
            message = "Error encountered when deleting the job because the job is not terminated"
            assert (answer.status_code, answer.json()) == (400, [{"errorCode": "API_ERROR", "message": message}])


@doc("Bulk API 2.0 guide, Delete a Job: in these states, with its data and results")
@pytest.mark.parametrize("state", ["JobComplete", "Failed", "Aborted"])
def test_a_deleted_job_is_gone_with_its_results(org: Caller, state: str) -> None:
    job_id = ended(org, state)
    answer = org.http.delete(f"{INGEST}/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/successfulResults", "/failedResults", "/unprocessedrecords"):
        assert org.http.get(f"{INGEST}/{job_id}{path}").status_code == 404
    assert org.http.delete(f"{INGEST}/{job_id}").status_code == 404


@assumed("documented only as available after the end", switch="early_results")
def test_results_are_refused_until_the_job_has_ended(org: Caller) -> None:
    answer = org.http.get(f"{INGEST}/{org.create()}/failedResults")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


@doc("Bulk API 2.0 guide, Delete a Job: not Open, not InProgress")
def test_a_job_that_waits_for_processing_can_be_deleted(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = held_in_upload_complete(org, tmp_path)
        assert org.http.delete(f"{INGEST}/{job_id}").status_code == 204
        assert org.http.get(f"{INGEST}/{job_id}").status_code == 404


@assumed("documented for query jobs")
def test_a_job_that_waits_for_processing_can_be_aborted_and_hands_its_data_back(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = held_in_upload_complete(org, tmp_path)
        assert org.patch(job_id, "Aborted").json()["state"] == "Aborted"
        assert org.result(org.get(job_id), "unprocessedrecords") == (HALF + REST).decode()


@assumed("that a job that is closed and not complete is told what a completed one is")
def test_a_job_that_is_closed_already_is_not_closed_again(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=0)
        busy = org.submit("Name\nA\n")
        org.until_held(busy, 0)
        for job_id in (busy, held_in_upload_complete(org, tmp_path)):
            answer = org.patch(job_id, "UploadComplete")
            assert (answer.status_code, answer.json()) == (
                400,
                [{"errorCode": "INVALIDJOBSTATE", "message": "Closing already Completed Job not allowed"}],
            )


@assumed("of a job without any PUT no source tells")
def test_a_job_closed_without_any_data_completes_with_nothing(org: Caller) -> None:
    job_id = org.create()
    org.patch(job_id, "UploadComplete")
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 0)
    assert org.result(job, "unprocessedrecords") == ""
