"""The bodies of jobs, whole and in order."""

import re
from pathlib import Path

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import INGEST, Caller, an_org, held_in_upload_complete, shown
from tests.salesforce_emulator.clocks import Clock, Ticking


@seen("a create answer captured at v62.0 (airbytehq/airbyte)")
@doc("Bulk API 2.0 guide, quick start, step 3")
def test_a_new_job_shows_no_job_type_and_no_counters(org: Caller) -> None:
    answer = org.http.post(
        INGEST,
        json={
            "object": "account",
            "operation": "upsert",
            "externalIdFieldName": "external_id__C",
            "contentType": "CSV",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert shown(answer) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "upsert",
  "object": "Account",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "Open",
  "externalIdFieldName": "External_Id__c",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0,
  "contentUrl": "services/data/v63.0/jobs/ingest/<750 id>/batches",
  "lineEnding": "LF",
  "columnDelimiter": "COMMA"
}\
""")
    assert '"apiVersion":63.0,' in answer.text


@doc("Bulk API 2.0 guide, Get Information About an Ingest Job")
@seen("a polling body at v62.0 shows isPkChunkingSupported (airbytehq/airbyte)")
def test_an_open_job_shows_its_type_and_times_but_no_counters_yet(org: Caller) -> None:
    assert shown(org.http.get(f"{INGEST}/{org.create()}")) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "insert",
  "object": "Account",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "Open",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0,
  "jobType": "V2Ingest",
  "contentUrl": "services/data/v63.0/jobs/ingest/<750 id>/batches",
  "lineEnding": "LF",
  "columnDelimiter": "COMMA",
  "retries": 0,
  "totalProcessingTime": <ms>,
  "apiActiveProcessingTime": <ms>,
  "apexProcessingTime": <ms>,
  "isPkChunkingSupported": false
}\
""")


@seen("a PATCH answer captured at v62.0 (airbytehq/airbyte)")
@doc("Bulk API 2.0 guide, quick start, steps 3 and 5")
def test_a_closed_job_is_shown_in_the_short_form(org: Caller) -> None:
    assert shown(org.patch(org.create(), "UploadComplete")) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "insert",
  "object": "Account",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "UploadComplete",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0
}\
""")


@seen(
    "live tests count failures among the processed (salesforcecli/plugin-data); a polling body at v62.0 shows isPkChunkingSupported (airbytehq/airbyte)"
)
@doc("Bulk API 2.0 guide, Get Information About an Ingest Job")
def test_a_complete_job_counts_its_failures_among_the_processed(org: Caller) -> None:
    job = org.load("Name,Phone\nAcme,1\n,2\n")
    assert shown(org.http.get(f"{INGEST}/{job['id']}")) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "insert",
  "object": "Account",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "JobComplete",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0,
  "jobType": "V2Ingest",
  "lineEnding": "LF",
  "columnDelimiter": "COMMA",
  "numberRecordsProcessed": 2,
  "numberRecordsFailed": 1,
  "retries": 0,
  "totalProcessingTime": <ms>,
  "apiActiveProcessingTime": <ms>,
  "apexProcessingTime": <ms>,
  "isPkChunkingSupported": false
}\
""")


@doc("Bulk API 2.0 guide, Get Information About an Ingest Job")
@seen("jobs with a bad header: nothing is counted")
def test_a_failed_job_tells_its_reason(org: Caller) -> None:
    job = org.load("Name,Colour__c\nAcme,red\n")
    assert shown(org.http.get(f"{INGEST}/{job['id']}")) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "insert",
  "object": "Account",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "Failed",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0,
  "jobType": "V2Ingest",
  "lineEnding": "LF",
  "columnDelimiter": "COMMA",
  "numberRecordsProcessed": 0,
  "numberRecordsFailed": 0,
  "retries": 0,
  "totalProcessingTime": <ms>,
  "apiActiveProcessingTime": <ms>,
  "apexProcessingTime": <ms>,
  "errorMessage": "InvalidBatch : Field name not found : Colour__c",
  "isPkChunkingSupported": false
}\
""")


@doc("Bulk API 2.0 guide, Create a Job; quick start, step 4")
def test_a_job_made_with_its_data_is_closed_at_once(org: Caller) -> None:
    body = (
        '--zz7\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
        '{"object":"Contact","contentType":"CSV","operation":"insert","lineEnding":"LF"}\r\n\r\n'
        '--zz7\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        "LastName,MailingCity\nNgata,Auckland\r\n--zz7--\r\n"
    )
    answer = org.http.post(INGEST, content=body, headers={"Content-Type": 'multipart/form-data; boundary="zz7"'})
    assert shown(answer) == snapshot("""\
{
  "id": "<750 id>",
  "operation": "insert",
  "object": "Contact",
  "createdById": "005000000000001AAA",
  "createdDate": "<date>",
  "systemModstamp": "<date>",
  "state": "UploadComplete",
  "concurrencyMode": "Parallel",
  "contentType": "CSV",
  "apiVersion": 63.0,
  "lineEnding": "LF",
  "columnDelimiter": "COMMA"
}\
""")
    job = org.until(answer.json()["id"])
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1, 0)


@doc("Bulk API 2.0 guide, quick start: X-PrettyPrint")
def test_pretty_printing_indents_as_the_official_samples(org: Caller) -> None:
    text = org.http.get(f"{INGEST}/{org.create()}", headers={"X-PrettyPrint": "1"}).text
    assert text.startswith('{\n  "id" : "750')


@doc("Bulk API 2.0 guide, Get Information About an Ingest Job")
def test_a_version_is_kept_by_the_job_and_its_url(org: Caller) -> None:
    answer = org.http.post("/services/data/v58.0/jobs/ingest", json={"object": "Account", "operation": "insert"})
    assert '"apiVersion":58.0' in answer.text
    assert answer.json()["contentUrl"] == f"services/data/v58.0/jobs/ingest/{answer.json()['id']}/batches"


@doc("Bulk API 2.0 guide, Get Information About an Ingest Job: the version of the request that made it")
@assumed("that another version may ask for it; the guide advises to keep to one")
def test_a_job_seen_through_another_version_keeps_its_own(org: Caller) -> None:
    job_id = org.create()
    answer = org.http.get(f"/services/data/v50.0/jobs/ingest/{job_id}")
    assert '"apiVersion":63.0' in answer.text
    assert answer.json()["contentUrl"] == f"services/data/v63.0/jobs/ingest/{job_id}/batches"


@doc("Bulk API 2.0 guide, quick start: dates of jobs")
@seen("captured bodies: milliseconds always 000, an offset without a colon")
def test_dates_of_jobs_have_no_milliseconds_and_no_colon_in_the_offset(org: Caller) -> None:
    job = org.get(org.create())
    for name in ("createdDate", "systemModstamp"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", job[name])


@doc("Bulk API 2.0 guide, quick start: systemModstamp advances with the state")
def test_the_last_change_moves_with_the_state(tmp_path: Path) -> None:
    clock = Clock()
    with an_org(tmp_path, clock=clock) as org:
        job_id = org.create()
        clock.forward(minutes=1)
        org.patch(job_id, "Aborted")
        job = org.get(job_id)
    assert (job["createdDate"], job["systemModstamp"]) == (
        "2026-01-01T00:00:00.000+0000",
        "2026-01-01T00:01:00.000+0000",
    )


@doc("Bulk API 2.0 guide, quick start: the answer to PATCH of an upsert names the field")
def test_the_short_form_of_an_upsert_names_its_external_id_field(org: Caller) -> None:
    job_id = org.create(operation="upsert", externalIdFieldName="External_Id__c")
    assert org.patch(job_id, "Aborted").json()["externalIdFieldName"] == "External_Id__c"


@seen("a capture at v59.0: the active time counts while the total is still 0 (amp-labs/connectors)")
def test_the_total_time_of_a_job_is_told_at_its_end(tmp_path: Path) -> None:
    with an_org(tmp_path, clock=Ticking(), rows_per_second=200_000) as org:
        org.hold_jobs(after=1)
        job_id = org.submit("Name\n" + "A\n" * 300)
        job = org.until_held(job_id, 1)
        assert job["totalProcessingTime"] == 0 < job["apiActiveProcessingTime"]
        org.go_right()
        assert org.until(job_id)["totalProcessingTime"] >= 1000  # the clock has ticked in between


@doc("Limits quick reference: chunks of 200 records")
@seen("counters of real jobs (SFDX-Data-Move-Utility)")
def test_counters_move_by_200_while_a_job_is_in_progress(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.hold_jobs(after=2)
        job = org.until_held(org.submit("Name,Phone\n" + ("A,1\n" * 3 + ",1\n") * 200), 2)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (400, 100)


@assumed("as in the documented sample of an Open job: no counters until processing starts")
def test_a_job_that_waits_for_processing_shows_no_counters(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job = org.get(held_in_upload_complete(org, tmp_path))
    assert (job["state"], job["jobType"], job["retries"]) == ("UploadComplete", "V2Ingest", 0)
    assert not {"numberRecordsProcessed", "numberRecordsFailed", "contentUrl"} & set(job)
