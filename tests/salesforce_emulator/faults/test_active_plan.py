"""When a rule acts, and what jobs meet."""

from pathlib import Path

import pytest

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org, an_org_with
from tests.salesforce_emulator.faults.observations import ROWS, fired, statuses, until_fired

RULE = """
objects:
  Account:
    rules:
      - {name: Someone, when: NumberOfEmployees < 0, message: No one is left.}
"""


@own
def test_rules_are_asked_in_order_and_an_answer_keeps_later_ones_from_counting(org: Caller) -> None:
    org.go_wrong(
        {"on": "list", "fault": "unavailable", "times": 2},
        {"on": "any", "fault": "expired-session", "times": 1},
    )
    assert statuses(org, 4) == [503, 503, 401, 200]
    assert fired(org) == [(4, 2), (2, 1)]


@own
def test_a_rule_can_let_requests_pass_first_and_act_on_every_third_only(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "server-error", "after": 1, "every": 3, "times": 2})
    assert statuses(org, 11) == [200, 200, 200, 500, 200, 200, 500, 200, 200, 200, 200]


@own
def test_chances_fall_the_same_way_each_time_a_plan_with_a_seed_is_put_in_force(org: Caller) -> None:
    rule = {"on": "list", "fault": "server-error", "probability": 0.5}
    runs = []
    for seed in (7, 7, 8):
        org.go_wrong(rule, seed=seed)
        runs.append(statuses(org, 20))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}


@own
def test_without_a_seed_of_its_own_a_plan_takes_the_orgs(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "other"):
        with an_org(tmp_path / name, seed=3) as org:
            org.go_wrong({"on": "list", "fault": "server-error", "probability": 0.5})
            runs.append(statuses(org, 20))
    assert runs[0] == runs[1]


@own
def test_a_rule_acts_on_its_operation_only(org: Caller) -> None:
    org.go_wrong({"on": "close", "fault": "server-error"})
    job_id = org.create()
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 500
    assert org.patch(job_id, "Aborted").status_code == 200
    assert fired(org) == [(1, 1)]


@seen("UNABLE_TO_LOCK_ROW in results of real jobs")
def test_rows_can_find_their_records_locked(org: Caller) -> None:
    org.go_wrong({"fault": "locked-rows", "every": 100, "times": 3})
    job = org.load(ROWS)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1000, 3)
    failed = org.rows(job, "failedResults")
    assert sorted(row["Name"] for row in failed) == ["Acme 199", "Acme 299", "Acme 99"]
    assert {(row["sf__Id"], row["sf__Error"]) for row in failed} == {
        ("", "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--")
    }
    assert fired(org) == [(1000, 3)]
    again = org.load("Name\n" + "".join(f"{row['Name']}\n" for row in failed))
    assert (again["numberRecordsProcessed"], again["numberRecordsFailed"]) == (3, 0)


@own
def test_locked_rows_fall_the_same_way_each_time_with_a_seed(org: Caller) -> None:
    runs = []
    for _ in range(2):
        org.go_wrong({"fault": "locked-rows", "probability": 0.1}, seed=11)
        runs.append({row["Name"] for row in org.rows(org.load(ROWS), "failedResults")})
    assert runs[0] == runs[1]
    assert 50 < len(runs[0]) < 200


@seen("the supplied id is echoed in failures: plugin-data")
def test_a_locked_record_stays_as_it_was_and_its_id_is_told(org: Caller) -> None:
    (row,) = org.succeeded(org.load("Name\nBefore\n"))
    org.go_wrong({"fault": "locked-rows"})
    job = org.load(f"Id,Name\n{row['sf__Id']},After\nnonsense,After\n", operation="update")
    failed = {row["Id"]: row["sf__Id"] for row in org.rows(job, "failedResults")}
    assert failed == {row["sf__Id"]: row["sf__Id"], "nonsense": ""}
    assert org.record(row["sf__Id"])["Name"] == "Before"


@own
def test_rows_whose_cells_are_wrong_do_not_count_for_locks(org: Caller) -> None:
    org.go_wrong({"fault": "locked-rows"})
    org.load("Name,NumberOfEmployees\nAcme,many\nAjax,1\n")
    assert fired(org) == [(1, 1)]


@own
@pytest.mark.parametrize(
    ("operation", "data", "code"),
    [
        ("insert", "Name,Site\n,Here\n", "REQUIRED_FIELD_MISSING"),
        ("insert", "Name,ParentId\nAcme,001000000000001AAA\n", "INVALID_CROSS_REFERENCE_KEY"),
        ("update", "Id,Name\n001000000000001AAA,Acme\n", "INVALID_CROSS_REFERENCE_KEY"),
        ("delete", "Id\n001000000000001AAA\n", "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_rows_that_could_not_be_saved_anyway_do_not_count_for_locks(
    org: Caller, operation: str, data: str, code: str
) -> None:
    org.go_wrong({"fault": "locked-rows"})
    (error,) = org.errors(org.load(data, operation=operation))
    assert (error.partition(":")[0], fired(org)) == (code, [(0, 0)])


@own
def test_a_row_is_asked_about_once_though_a_rule_makes_its_chunk_be_saved_again(tmp_path: Path) -> None:
    with an_org_with(RULE, tmp_path) as org:
        org.go_wrong({"fault": "locked-rows", "after": 2})
        job = org.load("Name,NumberOfEmployees\nAcme,1\nAjax,-1\n")
        assert (org.errors(job), fired(org)) == (["FIELD_CUSTOM_VALIDATION_EXCEPTION:No one is left.:--"], [(2, 0)])


@seen("TooManyLockFailure in Bulk API 1.0")
@doc("a batch is retried up to 20 times, then the job fails: Understanding Bulk API 2.0")
@assumed("the wording of a job whose retries are exhausted")
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("too-many-lock-failures", "TooManyLockFailure : Too many lock failure 200 Trying again later."),
        ("retries-exhausted", "Timeout : The batch was retried more than 20 times."),
    ],
)
def test_a_job_can_fail_midway_with_its_retries_counted_and_the_rest_unprocessed(
    org: Caller, fault: str, message: str
) -> None:
    org.go_wrong({"fault": fault, "after": 2, "times": 1})
    job = org.load(ROWS)
    assert (job["state"], job["errorMessage"], job["retries"]) == ("Failed", message, 20)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (400, 0)
    assert len(org.succeeded(job)) == 400
    unprocessed = org.rows(job, "unprocessedrecords")
    assert [row["Name"] for row in unprocessed] == [f"Acme {number}" for number in range(400, 1000)]
    assert org.load("Name\nAcme\n")["state"] == "JobComplete"


@own
def test_a_job_that_fails_may_have_been_retried_less_often(org: Caller) -> None:
    org.go_wrong({"fault": "too-many-lock-failures", "retries": 3})
    job = org.load("Name\nAcme\n")
    assert (job["state"], job["numberRecordsProcessed"], job["retries"]) == ("Failed", 0, 3)


def until_stuck(org: Caller, job_id: str, processed: int) -> None:
    until_fired(org)
    job = org.get(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("InProgress", processed)


@own
def test_a_stuck_job_goes_on_when_the_plan_is_deleted(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 3})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 600)
    org.go_right()
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 1000)
    assert len({row["Name"] for row in org.succeeded(job)}) == 1000


@own
def test_a_stuck_job_does_not_keep_other_jobs_waiting(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "times": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 0)
    assert org.load("Name\nAcme\n")["state"] == "JobComplete"
    assert org.get(job_id)["state"] == "InProgress"
    org.patch(job_id, "Aborted")


@own
def test_a_stuck_job_can_be_aborted(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 200)
    assert org.patch(job_id, "Aborted").status_code == 200
    org.go_right()
    job = org.get(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Aborted", 200)
    assert len(org.rows(job, "unprocessedrecords")) == 800


@own
def test_a_stuck_job_meets_the_plan_that_replaces_its_own(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 200)
    org.go_wrong({"fault": "retries-exhausted", "after": 1})
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 400)


@own
def test_a_stuck_job_goes_on_in_an_org_that_is_opened_again_without_the_plan(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.go_wrong({"fault": "stuck-job", "after": 1})
        job_id = org.submit(ROWS)
        until_stuck(org, job_id, 200)
    with an_org(tmp_path) as org:
        assert org.until(job_id)["numberRecordsProcessed"] == 1000
