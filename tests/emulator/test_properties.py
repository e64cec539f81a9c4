"""What holds for any file at all."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.caller import DELIMITERS, INGEST, Caller, csv_text

BOUNDED = settings(
    max_examples=60,
    deadline=None,  # a real socket has its own pace
    derandomize=True,  # the same files in every run: a failure is never a matter of luck
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# Names may fail for want of a value or for length; any text of any length is a cell.
texts = st.text(st.characters(codec="utf-8"), max_size=300).filter(lambda text: text != "#N/A")
nasty = st.text(st.sampled_from('",;|^`\t\r\n\x0b\x0c\x85\u2028\u2029\ufeff\x00 aé'), max_size=12)
rows = st.lists(st.tuples(texts | nasty, texts | nasty, texts | nasty), max_size=12)


@BOUNDED
@given(rows=rows, delimiter=st.sampled_from(sorted(DELIMITERS)), ending=st.sampled_from(["LF", "CRLF"]))
def test_every_cell_comes_back_in_one_of_the_results(
    org: Caller, rows: list[tuple[str, str, str]], delimiter: str, ending: str
) -> None:
    data = csv_text(
        [("Name", "Description", "Site"), *rows],
        delimiter=DELIMITERS[delimiter],
        line_ending={"LF": "\n", "CRLF": "\r\n"}[ending],
    )
    job = org.load(data, columnDelimiter=delimiter, lineEnding=ending)
    assert job["state"] == "JobComplete", job
    good, bad = org.succeeded(job), org.rows(job, "failedResults")
    assert Counter((row["Name"], row["Description"], row["Site"]) for row in good + bad) == Counter(rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (len(rows), len(bad))
    assert org.rows(job, "unprocessedrecords") == []


bits = st.sampled_from([b"Name", b"Id", b",", b'"', b"\n", b"\r", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"#N/A"])
bytes_ = st.binary(max_size=200) | st.lists(bits, max_size=40).map(b"".join)


@BOUNDED
@given(data=bytes_, operation=st.sampled_from(["insert", "update", "upsert", "delete", "hardDelete"]))
def test_no_bytes_leave_a_job_unfinished(org: Caller, data: bytes, operation: str) -> None:
    job = org.load(b"Name\n" + data if len(data) % 2 else data, "Contact", operation, externalIdFieldName="Email")
    assert job["state"] in ("JobComplete", "Failed")
    assert "InternalServerError" not in job.get("errorMessage", "")
    for segment in ("successfulResults", "failedResults", "unprocessedrecords"):
        assert org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code == 200


@BOUNDED
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.lists(st.sampled_from(["jobs", "ingest", "query", "sobjects", "Account", "batches", "x", "%00", ""])),
    query=st.dictionaries(st.sampled_from(["q", "queryLocator", "jobType"]), st.text(max_size=30)),
    content_type=st.sampled_from(["application/json", "text/csv", "multipart/form-data; boundary=b", "x"]),
    body=st.binary(max_size=100) | st.sampled_from([b"{}", b"null", b"--b\r\n\r\n--b--", b'{"state": {}}']),
)
def test_no_request_is_answered_with_500(
    org: Caller, method: str, path: list[str], query: dict[str, str], content_type: str, body: bytes
) -> None:
    url = "/services/data/v63.0/" + "/".join(path)
    answer = org.http.request(method, url, params=query, content=body, headers={"Content-Type": content_type})
    assert answer.status_code < 500
