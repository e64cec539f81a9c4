"""The bodies of jobs, whole and in order."""

from inline_snapshot import snapshot

from tests.emulator.caller import INGEST, Caller, seen


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
    assert seen(answer) == snapshot("""\
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


def test_an_open_job_shows_its_type_and_times_but_no_counters_yet(org: Caller) -> None:
    assert seen(org.http.get(f"{INGEST}/{org.create()}")) == snapshot("""\
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


def test_a_closed_job_is_shown_in_the_short_form(org: Caller) -> None:
    assert seen(org.patch(org.create(), "UploadComplete")) == snapshot("""\
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


def test_a_complete_job_counts_its_failures_among_the_processed(org: Caller) -> None:
    job = org.load("Name,Phone\nAcme,1\n,2\n")
    assert seen(org.http.get(f"{INGEST}/{job['id']}")) == snapshot("""\
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


def test_a_failed_job_tells_its_reason(org: Caller) -> None:
    job = org.load("Name,Colour__c\nAcme,red\n")
    assert seen(org.http.get(f"{INGEST}/{job['id']}")) == snapshot("""\
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


def test_the_list_shows_neither_counters_nor_times(org: Caller) -> None:
    job_id = org.create()
    answer = org.http.get(INGEST)
    body = answer.json()
    assert {key: body[key] for key in ("done", "nextRecordsUrl")} == {"done": True, "nextRecordsUrl": None}
    [job] = [job for job in body["records"] if job["id"] == job_id]
    assert list(job) == snapshot(
        [
            "id",
            "operation",
            "object",
            "createdById",
            "createdDate",
            "systemModstamp",
            "state",
            "concurrencyMode",
            "contentType",
            "apiVersion",
            "jobType",
            "contentUrl",
            "lineEnding",
            "columnDelimiter",
        ]
    )


def test_filters_of_the_list_let_only_matching_jobs_through(org: Caller) -> None:
    org.create()
    for query, some in [
        ("jobType=V2Ingest", True),
        ("jobType=Classic", False),
        ("jobType=BigObjectIngest", False),
        ("isPkChunkingEnabled=true", False),
        ("isPkChunkingEnabled=false", True),
    ]:
        assert bool(org.http.get(f"{INGEST}?{query}").json()["records"]) is some, query


def test_a_job_made_with_its_data_is_closed_at_once(org: Caller) -> None:
    """Bulk API 2.0 guide, Create a Job: the two parts in order, the answer with state UploadComplete."""
    body = (
        '--zz7\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
        '{"object":"Contact","contentType":"CSV","operation":"insert","lineEnding":"LF"}\r\n\r\n'
        '--zz7\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        "LastName,MailingCity\nNgata,Auckland\r\n--zz7--\r\n"
    )
    answer = org.http.post(INGEST, content=body, headers={"Content-Type": 'multipart/form-data; boundary="zz7"'})
    assert seen(answer) == snapshot("""\
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


def test_pretty_printing_indents_as_the_official_samples(org: Caller) -> None:
    text = org.http.get(f"{INGEST}/{org.create()}", headers={"X-PrettyPrint": "1"}).text
    assert text.startswith('{\n  "id" : "750')


def test_a_version_is_kept_by_the_job_and_its_url(org: Caller) -> None:
    answer = org.http.post("/services/data/v58.0/jobs/ingest", json={"object": "Account", "operation": "insert"})
    assert '"apiVersion":58.0' in answer.text
    assert answer.json()["contentUrl"] == f"services/data/v58.0/jobs/ingest/{answer.json()['id']}/batches"
