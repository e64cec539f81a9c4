"""The dialect of a CSV, as its header shows it."""

import pytest

from salesforce_bulk_ingest.csvio.dialect import Dialect, dialect_of


@pytest.mark.parametrize(
    ("header", "dialect"),
    [
        (b"A,B\n", Dialect("COMMA", "LF")),
        (b"A;B\r\n", Dialect("SEMICOLON", "CRLF")),
        (b"A\tB|C\tD\n", Dialect("TAB", "LF")),
        (b'"A,B,C";D\n', Dialect("SEMICOLON", "LF")),
        (b"A", Dialect("COMMA", "LF")),
    ],
)
def test_the_dialect_is_what_the_header_is_written_in(header: bytes, dialect: Dialect) -> None:
    assert dialect_of(header) == dialect


@pytest.mark.parametrize(
    ("header", "delimiter"), [(b"A;B,C,D\n", "SEMICOLON"), (b"A\n", "SEMICOLON"), (b"A,B\n", "COMMA")]
)
def test_the_delimiter_of_the_job_holds_where_the_header_has_it_or_none(header: bytes, delimiter: str) -> None:
    assert dialect_of(header, "SEMICOLON").delimiter == delimiter


@pytest.mark.parametrize(("header", "line_ending"), [(b"A,B", "CRLF"), (b"A,B\n", "LF")])
def test_the_line_ending_of_the_job_holds_where_the_header_has_none(header: bytes, line_ending: str) -> None:
    assert dialect_of(header, None, "CRLF").line_ending == line_ending


def test_a_dialect_has_the_characters_that_its_names_stand_for() -> None:
    dialect = Dialect("PIPE", "CRLF")
    assert (dialect.mark, dialect.newline) == ("|", "\r\n")
