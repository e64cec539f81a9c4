"""The life of a job, and what is refused when."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.emulator.jobs.states import REFUSALS, TRANSITIONS, Event, State, after
from tests.emulator.caller import INGEST, Caller


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


def test_requests_are_refused_by_salesforce_and_steps_of_processing_by_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="a job that is Open cannot complete"):
        after(Event.COMPLETE, State.OPEN)
    assert set(REFUSALS) == {Event.UPLOAD, Event.CLOSE, Event.ABORT, Event.DELETE}


@pytest.mark.parametrize(
    ("state", "code", "message"),
    [
        ("UploadComplete", "INVALIDJOBSTATE", "Closing already Completed Job not allowed"),
        ("Aborted", "INVALIDJOBSTATE", "Aborting already Completed Job not allowed"),
        ("InProgress", "INVALIDJOB", "State 'InProgress' can't be asked for. Use UploadComplete or Aborted"),
    ],
)
def test_a_complete_job_takes_no_more_orders(org: Caller, state: str, code: str, message: str) -> None:
    job = org.load("Name\nAcme\n")
    answer = org.patch(job["id"], state)
    assert (answer.status_code, answer.json()) == (400, [{"errorCode": code, "message": message}])


@pytest.mark.parametrize("body", [b"{}", b'{"state": {}}', b'{"state": null}', b"[]", b"", b"null"])
def test_only_a_state_can_be_asked_for(org: Caller, body: bytes) -> None:
    answer = org.http.patch(f"{INGEST}/{org.create()}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_data_for_a_closed_job_is_refused(org: Caller) -> None:
    job = org.load("Name\nAcme\n")
    answer = org.http.put(f"{INGEST}/{job['id']}/batches", content=b"Name\nB\n", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


def test_a_second_upload_is_taken_but_keeps_the_job_from_closing(org: Caller) -> None:
    """Seen at v43."""
    job_id = org.create()
    org.upload(job_id, b"Name\nA\n")
    org.upload(job_id, b"Name\nB\n")
    answer = org.patch(job_id, "UploadComplete")
    assert (answer.status_code, answer.json()) == (
        400,
        [
            {
                "errorCode": "INVALIDJOB",
                "message": f"Found multipe contents for job: <{job_id[:15]}>, please 'Close' / 'Abort' / 'Delete' the"
                " current Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
            }
        ],
    )
    assert org.patch(job_id, "Aborted").json()["state"] == "Aborted"


def test_an_aborted_job_hands_back_what_it_was_given(org: Caller) -> None:
    job_id = org.create()
    org.upload(job_id, b'Name\n"A\nB"\n')
    org.patch(job_id, "Aborted")
    job = org.get(job_id)
    assert org.result(job, "unprocessedrecords") == 'Name\n"A\nB"\n'
    assert org.result(job, "successfulResults") == '"sf__Id","sf__Created"\n'


def test_a_job_aborted_in_mid_flight_keeps_what_it_saved_and_returns_the_rest(org: Caller) -> None:
    names = [f"in flight {number}" for number in range(30_000)]
    job_id = org.submit("Name,Site\n" + "".join(f"{name},in flight\n" for name in names))
    org.until_some_are_processed(job_id)
    assert org.patch(job_id, "Aborted").status_code == 200
    job = org.get(job_id)
    saved = [row["Name"] for row in org.succeeded(job)]
    rest = [row["Name"] for row in org.rows(job, "unprocessedrecords")]
    assert 0 < len(saved) < len(names)
    assert len(saved) % 200 == 0
    assert sorted(saved + rest) == sorted(names)
    assert org.count("Site = 'in flight'") == len(saved) == job["numberRecordsProcessed"]


def test_a_job_is_deleted_only_when_nothing_is_under_way(org: Caller) -> None:
    open_job = org.http.delete(f"{INGEST}/{org.create()}")
    assert (open_job.status_code, open_job.json()[0]["errorCode"]) == (400, "API_ERROR")
    job = org.load("Name\nAcme\n")
    answer = org.http.delete(f"{INGEST}/{job['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/successfulResults", "/failedResults", "/unprocessedrecords"):
        assert org.http.get(f"{INGEST}/{job['id']}{path}").status_code == 404


def test_results_are_refused_until_the_job_has_ended(org: Caller) -> None:
    answer = org.http.get(f"{INGEST}/{org.create()}/failedResults")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")


def test_a_job_closed_without_any_data_completes_with_nothing(org: Caller) -> None:
    job_id = org.create()
    org.patch(job_id, "UploadComplete")
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 0)
    assert org.result(job, "unprocessedrecords") == ""
