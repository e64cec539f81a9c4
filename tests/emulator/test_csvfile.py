"""The rules of CSV, seen from outside."""

import pytest
from inline_snapshot import snapshot

from tests.emulator.caller import DELIMITERS, Caller, csv_text

UNESCAPED = "InvalidBatch : Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"
NOT_LF = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
NOT_CRLF = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF"

NASTY = [
    "a,b;c|d^e`f\tg",
    'say "hi"',
    "line\nfeed",
    "carriage\r\nreturn",
    "bare\rreturn",
    "\u2028\x0b\x0c\x1c\x85",
    " ",
]


@pytest.mark.parametrize("line_ending", ["LF", "CRLF"])
@pytest.mark.parametrize("delimiter", list(DELIMITERS))
def test_cells_survive_every_delimiter_and_line_ending(org: Caller, delimiter: str, line_ending: str) -> None:
    rows = [["Name", "Description"], *(["Nasty", cell] for cell in NASTY)]
    ending = {"LF": "\n", "CRLF": "\r\n"}[line_ending]
    data = csv_text(rows, delimiter=DELIMITERS[delimiter], line_ending=ending)
    job = org.load(data, columnDelimiter=delimiter, lineEnding=line_ending)
    assert (job["state"], job["numberRecordsFailed"]) == ("JobComplete", 0)
    assert sorted(row["Description"] for row in org.succeeded(job)) == sorted(NASTY)
    assert org.result(job, "successfulResults").endswith(ending)


@pytest.mark.parametrize(
    ("data", "line_ending", "message"),
    [
        (b"Name,Colour__c,Size__c\nA,red,1\n", "LF", "InvalidBatch : Field name not found : Colour__c"),
        (b"Name;Phone\nA;1\n", "LF", "InvalidBatch : Field name not found : Name;Phone"),
        (b"\xef\xbb\xbfName\nA\n", "LF", "InvalidBatch : Field name not found : \ufeffName"),
        (b'\xef\xbb\xbf"Name"\nA\n', "LF", UNESCAPED),
        (b'Name\nsay "hi"\n', "LF", UNESCAPED),
        (b'Name,Site\n"a", "b"\n', "LF", UNESCAPED),
        (b'Name\n"a"b\n', "LF", UNESCAPED),
        (b'Name\n"never closed\n', "LF", UNESCAPED),
        (b"Name\r\nA\r\n", "LF", NOT_LF),
        (b"Name\nA\r\n", "LF", NOT_LF),
        (b"Name\nA\rB\n", "LF", NOT_LF),
        (b"Name\nA\n", "CRLF", NOT_CRLF),
        (b"Name\r\nA\n", "CRLF", NOT_CRLF),
        (b"Name,Phone,NAME\nA,1,B\n", "LF", "InvalidBatch : Duplicate field name : NAME"),
        (b"Name,\nA,1\n", "LF", "InvalidBatch : Field name not found : "),
        (b"Parent.Name\nA\n", "LF", "InvalidBatch : Field name not found : Parent.Name"),
        (
            b"Name\n" + b"x" * 131_073,
            "LF",
            "InvalidBatch : Failed to parse CSV. A value is longer than 131072 characters",
        ),
        (
            b"Name\n" + b"x," * 200_001,
            "LF",
            "InvalidBatch : Failed to parse CSV. A record is longer than 400000 characters",
        ),
        (
            b"x" * 32_001,
            "LF",
            "InvalidBatch : Failed to parse CSV. The header row is longer than 32000 characters",
        ),
    ],
    ids=lambda value: str(value[:24]) if isinstance(value, bytes) else None,
)
def test_a_file_that_is_not_the_promised_csv_fails_with_no_row_evaluated(
    org: Caller, data: bytes, line_ending: str, message: str
) -> None:
    job = org.load(data, lineEnding=line_ending)
    assert (job["state"], job["errorMessage"]) == ("Failed", message)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (0, 0)
    assert org.errors(job) == []
    unprocessed = org.http.get(f"/services/data/v63.0/jobs/ingest/{job['id']}/unprocessedrecords").content
    assert unprocessed == data


def test_a_fault_late_in_a_big_file_saves_nothing_either(org: Caller) -> None:
    job = org.load("Name,Site\n" + "A,late fault\n" * 1000 + 'B "quoted",x\n')
    assert (job["errorMessage"], org.count("Site = 'late fault'")) == (UNESCAPED, 0)


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n", b"Name\n", b"Name", b'"Name"\n\n'])
def test_a_file_without_rows_completes_with_nothing(org: Caller, data: bytes) -> None:
    job = org.load(data)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 0, 0)
    assert (org.succeeded(job), org.errors(job)) == ([], [])


def test_the_last_line_needs_no_end_and_blank_lines_are_no_rows(org: Caller) -> None:
    job = org.load("Name\n\nA\n\nB")
    assert sorted(row["Name"] for row in org.succeeded(job)) == ["A", "B"]


def test_header_names_are_found_in_any_case_and_echoed_in_the_users_spelling(org: Caller) -> None:
    job = org.load("NAME,billingcity\nAcme,Turin\n")
    assert org.result(job, "successfulResults").splitlines()[0] == '"sf__Id","sf__Created",NAME,billingcity'


def test_only_the_rows_with_too_many_cells_fail(org: Caller) -> None:
    """Seen: the rest of the job proceeds. Assumed: the text, and that missing cells are empty."""
    job = org.load("Name,Phone,Site\nA,1,x\nB,2,y,extra\nC\n")
    assert org.errors(job) == snapshot(["INVALID_FIELD:The row has 4 values but the header has 3:--"])
    assert sorted(row["Name"] for row in org.succeeded(job)) == ["A", "C"]


def test_bytes_that_are_not_utf_8_become_replacement_characters(org: Caller) -> None:
    job = org.load(b"Name\nCaf\xe9\n")
    assert [row["Name"] for row in org.succeeded(job)] == ["Caf\ufffd"]
