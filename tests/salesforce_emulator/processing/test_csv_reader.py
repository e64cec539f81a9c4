"""CSV: what is read, what fails a row, and what fails the job."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import Assumptions
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import DELIMITERS, Caller, an_org, csv_text
from tests.salesforce_emulator.processing.loads import failure, names

PREPARE = "BG/Prepare CSV Files"
LIMITS = "LIM/Bulk API and Bulk API 2.0"
WSC = "forcedotcom/wsc CSVReader, Salesforce's own client library"
SERVER_SAYS_IT_TOO = "the server's parser words this as that of the client library does"
UNPARSABLE = "InvalidBatch : Failed to parse CSV. "
UNESCAPED = UNPARSABLE + "Found unescaped quote. A value with quote should be within a quote"
NOT_LF = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"
NOT_CRLF = "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF"
EMOJI = "\N{GRINNING FACE}"  # one character, four bytes


NASTY = [
    "a,b;c|d^e`f\tg",
    'say "hi"',
    "line\nfeed",
    "carriage\r\nreturn",
    "bare\rreturn",
    "\u2028\x0b\x0c\x1c\x85",
    " ",
    " led and trailed ",
]


@doc(PREPARE)
@doc("BG/Create a Job")
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


@doc(PREPARE)
def test_spaces_next_to_a_delimiter_are_data(org: Caller) -> None:
    assert names(org, org.load("Name,Phone\n A ,1\n")) == [" A "]


@seen("live tests of jsforce, for an empty upload")
@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n", b"Name\n", b"Name", b'"Name"\n\n'])
def test_a_file_without_rows_completes_with_nothing(org: Caller, data: bytes) -> None:
    job = org.load(data)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 0, 0)
    assert (org.succeeded(job), org.errors(job)) == ([], [])


@seen(WSC)
@assumed("that the server reads them as the client library does")
def test_blank_lines_are_no_rows(org: Caller) -> None:
    assert names(org, org.load("Name\n\nA\n\nB\n")) == ["A", "B"]


@assumed("one user reports that CRLF files need it; most clients leave it out")
@pytest.mark.parametrize(("data", "line_ending"), [("Name\nA\nB", "LF"), ("Name\r\nA\r\nB", "CRLF")])
def test_the_last_line_needs_no_end(org: Caller, data: str, line_ending: str) -> None:
    assert names(org, org.load(data, lineEnding=line_ending)) == ["A", "B"]


@assumed("as Java decodes")
def test_bytes_that_are_not_utf_8_become_replacement_characters(org: Caller) -> None:
    assert names(org, org.load(b"Name\nCaf\xe9\n")) == ["Caf\ufffd"]


@seen("repro of an sfdx issue, Bulk API 1.0")
@assumed("reports for 2.0 conflict", switch="bom")
def test_a_byte_order_mark_becomes_part_of_the_first_name(org: Caller) -> None:
    assert failure(org, b"\xef\xbb\xbfName\nA\n") == "InvalidBatch : Field name not found : \ufeffName"


@seen("a migration runbook, August 2026")
def test_a_byte_order_mark_before_a_quoted_name_is_an_unescaped_quote(org: Caller) -> None:
    assert failure(org, b'\xef\xbb\xbf"Name"\nA\n') == UNESCAPED


@assumed("reports for 2.0 conflict", switch="bom")
@pytest.mark.parametrize("name", ["Name", '"Name"'])
def test_a_byte_order_mark_can_be_dropped(tmp_path: Path, name: str) -> None:
    with an_org(tmp_path, assumptions=Assumptions(bom="dropped")) as org:
        for mark in ("\ufeff", ""):
            assert names(org, org.load(f"{mark}{name}\nA\n\ufeffB\n")) == ["A", "\ufeffB"]


@seen("many threads")
@assumed("that a carriage return alone does so, too")
@pytest.mark.parametrize(
    ("data", "line_ending", "message"),
    [
        ("Name\r\nA\r\n", "LF", NOT_LF),
        ("Name\nA\r\n", "LF", NOT_LF),
        ("Name\nA\rB\n", "LF", NOT_LF),
        ("Name\nA\r", "LF", NOT_LF),
        ("Name\nA\n", "CRLF", NOT_CRLF),
        ("Name\r\nA\n", "CRLF", NOT_CRLF),
        ("Name\r\nA\r\r\n", "CRLF", NOT_CRLF),
        ("Name\r\nA\r", "CRLF", NOT_CRLF),
    ],
)
def test_lines_that_end_otherwise_than_the_job_says_fail_it(
    org: Caller, data: str, line_ending: str, message: str
) -> None:
    assert failure(org, data, lineEnding=line_ending) == message


@doc(PREPARE)
@assumed("users report that other line endings in a value trip the check", switch="embedded_line_endings")
@pytest.mark.parametrize("line_ending", ["LF", "CRLF"])
def test_a_quoted_value_may_hold_any_line_ending(org: Caller, line_ending: str) -> None:
    ending = {"LF": "\n", "CRLF": "\r\n"}[line_ending]
    job = org.load(f'Name{ending}"a\nb\r\nc\rd"{ending}', lineEnding=line_ending)
    assert names(org, job) == ["a\nb\r\nc\rd"]


@assumed("users report that other line endings in a value trip the check", switch="embedded_line_endings")
@pytest.mark.parametrize(
    ("line_ending", "value", "message"),
    [
        ("LF", "a\nb", None),
        ("LF", "a\r\nb", NOT_LF),
        ("LF", "a\rb", NOT_LF),
        ("CRLF", "a\r\nb", None),
        ("CRLF", "a\nb", NOT_CRLF),
        ("CRLF", "a\rb", NOT_CRLF),
    ],
)
def test_other_line_endings_in_a_value_can_fail_the_job(
    tmp_path: Path, line_ending: str, value: str, message: str | None
) -> None:
    ending = {"LF": "\n", "CRLF": "\r\n"}[line_ending]
    with an_org(tmp_path, assumptions=Assumptions(embedded_line_endings="same")) as org:
        job = org.load(f'Name{ending}"{value}"{ending}', lineEnding=line_ending)
        assert (job.get("errorMessage"), names(org, job)) == (message, [] if message else [value])


@seen("a migration runbook, August 2026, of a quote that is not around a whole value")
@pytest.mark.parametrize("data", ['Name\nsay "hi"\n', 'Name,Site\na"b,c\n', '"Id", "Name"\n,A\n'])
def test_a_quote_inside_an_unquoted_value_fails_the_job(org: Caller, data: str) -> None:
    assert failure(org, data) == UNESCAPED


@seen(WSC)
@assumed(SERVER_SAYS_IT_TOO)
def test_text_after_a_closing_quote_fails_the_job(org: Caller) -> None:
    assert failure(org, 'Name\n"a"b\n') == UNPARSABLE + "Not expecting more text after end quote"


@seen(WSC)
@assumed(SERVER_SAYS_IT_TOO)
@pytest.mark.parametrize("data", ['Name\n"never closed\n', 'Name\n"never closed', '"Name\nA\n'])
def test_a_quote_that_is_open_at_the_end_fails_the_job(org: Caller, data: str) -> None:
    assert failure(org, data) == UNPARSABLE + "EOF reached before closing an opened quote"


@seen("a public script that looks for the cause of such a message")
@assumed("which value: the first of the row after the open quote")
@pytest.mark.parametrize(
    "data",
    [
        'Name,Site\nA,"open\n399700,x\nC,y\n',
        'Name,Site\nA,"open\n399700,x\nC,"closed, it seems"\n',
        'Name,Site\nA,"open\n399700,x\n' + "B,long enough for any limit\n" * 20_000,
    ],
    ids=["to the end", "to the next quote", "beyond a limit"],
)
def test_rows_swallowed_by_an_open_quote_surface_as_a_field_named_by_a_value(org: Caller, data: str) -> None:
    assert failure(org, data) == "InvalidBatch : Field name not found : 399700"


@doc(PREPARE)
@assumed("code and text")
@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"B", "2"', ["B", ' "2"']),
        ('"B" ,"2"', ['"B" ', "2"]),
        (' "say ""b"", please" ,2', [' "say ""b"", please" ', "2"]),
        ('"B\nb" ,2', ['"B\nb" ', "2"]),
    ],
)
def test_a_space_next_to_a_quote_fails_that_row_alone(org: Caller, line: str, shown: list[str]) -> None:
    job = org.load(f'Name,Phone\n"A","1"\n{line}\n"C","3"\n')
    [row] = org.rows(job, "failedResults")
    assert row["sf__Error"] == snapshot(
        "INVALID_FIELD:Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote:--"
    )
    assert [row["Name"], row["Phone"]] == shown
    assert names(org, job) == ["A", "C"]


@doc(PREPARE)
@assumed("the text")
def test_a_header_of_more_than_32_000_characters_fails_the_job(org: Caller) -> None:
    message = UNPARSABLE + "The header row is longer than 32000 characters"
    assert failure(org, "x" * 32_001) == message
    assert failure(org, "x" * 32_000) == f"InvalidBatch : Field name not found : {'x' * 32_000}"


@doc(LIMITS)
@seen(WSC)
@assumed(SERVER_SAYS_IT_TOO)
def test_a_value_of_more_than_131_072_characters_fails_the_job(org: Caller) -> None:
    assert failure(org, f"Name,Site\nA,{'x' * 131_073}\n") == UNPARSABLE + "Exceeded max field size: 131073"
    assert org.load(f"Name,Site\nA,{'x' * 131_072}\n")["numberRecordsFailed"] == 1


@doc(LIMITS)
@seen(WSC)
@assumed(SERVER_SAYS_IT_TOO)
def test_a_record_of_more_than_400_000_characters_fails_the_job(org: Caller) -> None:
    message = (
        "Exceeded max length for one record: 400001. Max length for one record should be less than or equal to 400000"
    )
    assert failure(org, f"Name\n{','.join(['x' * 100_000] * 4)}x\n") == UNPARSABLE + message
    assert len(org.errors(org.load(f"Name\n{','.join(['x' * 100_000] * 4)}\n"))) == 1


@doc(LIMITS)
def test_the_length_of_a_record_is_that_of_its_characters_not_of_their_bytes(org: Caller) -> None:
    record = ",".join(f'"{EMOJI * 100_000}"' for _ in range(4))
    job = org.load(f"Name\n{record}\n{record}\n")
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 2)


@doc(LIMITS)
@seen(WSC)
@assumed(SERVER_SAYS_IT_TOO)
def test_a_record_of_more_than_5_000_fields_fails_the_job(org: Caller) -> None:
    assert failure(org, f"Name\n{',' * 5_000}\n") == UNPARSABLE + "Exceeded max number of columns per record : 5000"
    assert len(org.errors(org.load(f"Name\n{',' * 4_999}\n"))) == 1


@own
def test_a_fault_late_in_a_big_file_saves_nothing(org: Caller) -> None:
    job = org.load("Name,Site\n" + "A,late fault\n" * 1000 + 'B "quoted",x\n')
    assert (job["errorMessage"], org.count("Site = 'late fault'")) == (UNESCAPED, 0)
