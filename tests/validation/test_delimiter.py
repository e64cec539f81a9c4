"""Files that two delimiters may be meant in."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import findings_of

SILENT: list[str] = []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Name;City, State;Zip, Code;Fax\nA;x;y;z\n", SILENT),
        (
            b"Name;City,State;Zip,Code\nA;b,c;d,e\n",
            snapshot(
                [
                    "warning at 1 (1): Its delimiter is taken to be the comma: the header has 2 commas and 2 semicolons. If that is wrong, make the job with columnDelimiter SEMICOLON; if not, with columnDelimiter COMMA."
                ]
            ),
        ),
        (b"Name;City,State;Zip,Code\n", SILENT),
        (
            b"Name;Given;Name,Price\nA,1\n",
            snapshot(
                [
                    "warning at 1 (1): Its delimiter is taken to be the semicolon: the header has 2 semicolons and 1 comma. The first rows have as many cells as the header only with the comma. If that is wrong, make the job with columnDelimiter COMMA; if not, with columnDelimiter SEMICOLON."
                ]
            ),
        ),
        (b'"Name;City";Zip,Code\nA,b\n', SILENT),
        (b"A;B;C;D;E,F\n1;2\n", SILENT),
        (b"Name,Phone\nA;B,1\n", SILENT),
        (b"sep=;\nName;City,State;Zip,Code\nA;b,c;d,e\n", SILENT),
        (
            b"A|B\tC\n1|2\t3\n",
            snapshot(
                [
                    "warning at 1 (1): Its delimiter is taken to be the pipe: the header has 1 pipe and 1 tab. If that is wrong, make the job with columnDelimiter TAB; if not, with columnDelimiter PIPE."
                ]
            ),
        ),
    ],
)
def test_a_delimiter_that_is_only_just_the_likelier_one_is_told(content: bytes, told: list[str]) -> None:
    findings = [finding for finding in findings_of(content, Destination()) if "columnDelimiter" in finding]
    assert findings == told


@pytest.mark.parametrize("delimiter", ["COMMA", "SEMICOLON"])
def test_a_delimiter_that_the_job_settles_is_not_doubted(delimiter: str) -> None:
    content = b"Name;City,State;Zip,Code\nA;b,c;d,e\n"
    assert findings_of(content, Destination(delimiter=delimiter)) == []  # type: ignore[arg-type]


def test_a_first_record_that_is_larger_than_a_block_is_compared_once_it_is_whole() -> None:
    content = f"Name;Phone,Site\nAnn;{'1' * 600_000},2\n".encode()
    found = [line for line in findings_of(content, Destination()) if "delimiter" in line]
    assert [line.split(":")[0] for line in found] == ["warning at 1 (1)"]
    content = f"Name,Phone;A,Site\nAnn,{'1' * 600_000},2\n".encode()
    assert not [line for line in findings_of(content, Destination()) if "delimiter" in line]
