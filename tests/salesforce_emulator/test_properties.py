"""What holds for any file and any request."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DELIMITERS, INGEST, Caller, csv_text
from tests.salesforce_emulator.conftest import EXAMPLES

ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
SEGMENTS = ("successfulResults", "failedResults", "unprocessedrecords")

delimiters = st.sampled_from(sorted(DELIMITERS))
endings = st.sampled_from(sorted(ENDINGS))

# Names may fail for want of a value or for length; any text of any length is a cell.
texts = st.text(st.characters(codec="utf-8"), max_size=300)
nasty = st.text(st.sampled_from('",;|^`\t\r\n\x0b\x0c\x85\u2028\u2029\ufeff\x00 aé'), max_size=12)
cells = texts | nasty | st.just("#N/A")
rows = st.lists(st.tuples(cells, cells, cells), max_size=12)


def written(rows: Sequence[Sequence[str]], delimiter: str, ending: str, quoted: bool) -> bytes:
    """The rows as a client writes them that quotes everything, or only what it must."""
    must = {'"', "\r", "\n", delimiter}

    def cell(value: str) -> str:
        doubled = value.replace('"', '""')
        return f'"{doubled}"' if quoted or must & set(value) else value

    return "".join(delimiter.join(map(cell, row)) + ending for row in rows).encode()


@doc("BG/Prepare CSV Files")
@seen("live tests of plugin-data: numberRecordsProcessed counts failed rows too")
@EXAMPLES
@given(rows=rows, delimiter=delimiters, ending=endings, quoted=st.booleans())
def test_every_cell_of_text_comes_back_in_one_of_the_results(
    org: Caller, rows: list[tuple[str, str, str]], delimiter: str, ending: str, quoted: bool
) -> None:
    header = ("Name", "Description", "Site")
    data = written([header, *rows], DELIMITERS[delimiter], ENDINGS[ending], quoted)
    job = org.load(data, columnDelimiter=delimiter, lineEnding=ending)
    assert job["state"] == "JobComplete", job
    good, bad = org.succeeded(job), org.rows(job, "failedResults")
    assert Counter(tuple(row[name] for name in header) for row in good + bad) == Counter(rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (len(rows), len(bad))
    assert org.rows(job, "unprocessedrecords") == []


numbers = st.decimals(-(10**15), 10**15, places=2).map(str) | st.floats(allow_nan=False).map(repr)
moments = st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}")
typed = st.tuples(
    numbers | nasty,  # Amount
    st.integers(-1100, 1100).map(str) | nasty,  # Probability
    st.dates().map(str) | nasty,  # CloseDate
    st.sampled_from(["true", "FALSE", "1", "0", "", "#N/A", "yes"]),  # IsPrivate
    st.sampled_from(["Closed Won", "closed won", "Mine", ""]),  # StageName
)
OPPORTUNITY = ["Amount", "Probability", "CloseDate", "IsPrivate", "StageName"]


@doc("BG/quick start, step 3, where values are typed again")
@assumed("that what is typed again means the same")
@EXAMPLES
@given(rows=st.lists(typed, min_size=1, max_size=12))
def test_what_succeeded_can_be_loaded_again_and_comes_back_the_same(org: Caller, rows: list[tuple[str, ...]]) -> None:
    def results(rows: Sequence[Sequence[str]]) -> list[list[str]]:
        named = [["Name", *OPPORTUNITY], *([f"{number:02}", *row] for number, row in enumerate(rows))]
        job = org.load(csv_text(named), "Opportunity")
        good = sorted(org.succeeded(job), key=lambda row: row["Name"])
        assert len(good) + job["numberRecordsFailed"] == len(rows)
        return [[row[name] for name in OPPORTUNITY] for row in good]

    first = results(rows)
    assert results(first) == first


keys = st.sampled_from("abcdeABC")


@doc("BG/Create a Job, externalIdFieldName")
@assumed("within a chunk the first row of a key counts")
@EXAMPLES
@given(jobs=st.lists(st.lists(st.tuples(keys, st.text("xyz", max_size=3)), max_size=8), max_size=3))
def test_upserts_leave_what_a_dictionary_would_hold(org: Caller, jobs: list[list[tuple[str, str]]]) -> None:
    run, expected = uuid4().hex, dict[str, str]()
    for rows in jobs:
        data = [["External_Id__c", "Name", "Site"], *([run + key, "Acme", site] for key, site in rows)]
        org.load(csv_text(data), operation="upsert", externalIdFieldName="External_Id__c")
        of_this_job = dict[str, str]()
        for key, site in rows:
            of_this_job.setdefault(key.lower(), site)
        # an empty cell changes nothing
        expected |= {key: site or expected.get(key, "") for key, site in of_this_job.items()}
    found = org.query(f"SELECT External_Id__c, Site FROM Account WHERE External_Id__c LIKE '{run}%'")["records"]
    assert {row["External_Id__c"][-1].lower(): row["Site"] or "" for row in found} == expected


bits = st.sampled_from(
    [
        b"Name",
        b"Id",
        b"Owner.Email",
        b",",
        b'"',
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"#N/A",
    ]
)
bytes_ = st.binary(max_size=200) | st.lists(bits, max_size=40).map(b"".join)
operations = st.sampled_from(["insert", "update", "upsert", "delete", "hardDelete"])


@own
@EXAMPLES
@given(start=st.sampled_from([b"Email,LastName\n", b"Id\n", b""]), data=bytes_, operation=operations, ending=endings)
def test_no_bytes_leave_a_job_unfinished(org: Caller, start: bytes, data: bytes, operation: str, ending: str) -> None:
    settings = {"externalIdFieldName": "Email", "lineEnding": ending}
    job = org.load(start + data, "Contact", operation, **settings)
    assert job["state"] in ("JobComplete", "Failed")
    assert "InternalServerError" not in job.get("errorMessage", "")
    results = [org.result(job, segment) for segment in SEGMENTS]
    good, bad = (len(list(csv.reader(io.StringIO(text, newline="")))) for text in results[:2])
    processed, failed = job["numberRecordsProcessed"], job["numberRecordsFailed"]
    assert (good, bad) == (1 + processed - failed, 1 + failed), "a header, and a row for each record"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
words = st.sampled_from(
    ["Account", "insert", "upsert", "Id", "CSV", "LF", "PIPE", "UploadComplete", "Aborted", "InProgress"]
)
names = st.sampled_from(
    [
        "object",
        "operation",
        "externalIdFieldName",
        "contentType",
        "columnDelimiter",
        "lineEnding",
        "state",
        "assignmentRuleId",
    ]
)
json_values = st.recursive(
    scalars | words,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(names | st.text(max_size=5), values, max_size=4),
    max_leaves=8,
)
json_bodies = (st.dictionaries(names, words | json_values, max_size=8) | json_values).map(
    lambda body: json.dumps(body).encode()
)


@own
@EXAMPLES
@given(
    body=json_bodies | bytes_, type_=st.sampled_from(["application/json", "application/json; charset=x", "text/json"])
)
def test_no_json_is_answered_with_500(org: Caller, body: bytes, type_: str) -> None:
    for method, url in (("POST", INGEST), ("PATCH", f"{INGEST}/{org.create()}")):
        answer = org.http.request(method, url, content=body, headers={"Content-Type": type_})
        assert answer.status_code < 500, answer.text


good_job = b'{"object":"Account","operation":"insert"}'
dispositions = st.sampled_from(
    [b'form-data; name="job"', b'form-data; name="content"; filename="content"', b"form-data", b"x; name=job"]
)
part_headers = st.builds(b"Content-Disposition: %b\r\n".__mod__, dispositions) | st.binary(max_size=30)
parts = st.tuples(part_headers, st.sampled_from([good_job, b"Name\nA\n", b"{}"]) | bytes_)
good_parts = [
    (b'Content-Disposition: form-data; name="job"\r\n', good_job),
    (b'Content-Disposition: form-data; name="content"; filename="content"\r\n', b"Name\nA\n"),
]


@own
@EXAMPLES
@given(
    parts=st.lists(parts, max_size=3) | st.permutations(good_parts),
    boundary=st.sampled_from(["b", "bb", "", '"b"', "b\u00e9"]),
    end=st.sampled_from([b"--b--\r\n", b"--b--", b"--b", b""]),
)
def test_no_multipart_body_is_answered_with_500(
    org: Caller, parts: list[tuple[bytes, bytes]], boundary: str, end: bytes
) -> None:
    body = b"".join(b"--b\r\n%b\r\n%b\r\n" % part for part in parts) + end
    headers = {b"Content-Type": f"multipart/form-data; boundary={boundary}".encode()}
    answer = org.http.post(INGEST, content=body, headers=headers)
    assert answer.status_code < 500, answer.text
    created = [answer.json()["id"]] if answer.status_code == 200 else []
    assert {org.until(job_id)["state"] for job_id in created} <= {"JobComplete", "Failed"}


header_names = st.sampled_from(
    ["Accept", "Accept-Encoding", "Content-Encoding", "Content-Type", "Sforce-Call-Options", "X-PrettyPrint", "Range"]
)
header_values = st.sampled_from([b"gzip", b"deflate", b"gzip;q=0", b"*/*", b"client=x,defaultNamespace=y", b"bytes=9-"])
header_values |= st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20).map(
    lambda text: text.encode("latin-1")
)
paths = st.sampled_from(
    ["jobs", "ingest", "query", "sobjects", "Account", "describe", "limits", "batches", "x", "%00", "%ff", ""]
)
soql = st.lists(
    st.sampled_from(
        [
            "SELECT",
            "Id",
            "Name",
            "COUNT()",
            "FROM",
            "Account",
            "WHERE",
            "=",
            "LIKE",
            "'a%'",
            "(",
            ")",
            "AND",
            "LIMIT",
            "1",
        ]
    )
    | st.text(max_size=5),
    max_size=12,
).map(" ".join)


@own
@EXAMPLES
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
    path=st.lists(paths, max_size=5).map("/".join) | st.just("query"),
    query=st.dictionaries(st.sampled_from(["q", "queryLocator", "jobType", "isPkChunkingEnabled"]), soql | texts),
    headers=st.dictionaries(header_names, header_values),
    body=st.binary(max_size=100) | st.sampled_from([b"{}", b"null", b"--b\r\n\r\n--b--", b'{"state": {}}']),
)
def test_no_request_is_answered_with_500(
    org: Caller, method: str, path: str, query: dict[str, str], headers: dict[str, bytes], body: bytes
) -> None:
    sent = {name.encode(): value for name, value in headers.items()}
    answer = org.http.request(method, f"/services/data/v63.0/{path}", params=query, content=body, headers=sent)
    assert answer.status_code < 500, answer.text
