"""Pages of a result: together they are the result, and each is what was asked for."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.csvio.row_index import STEP
from salesforce_bulk_ingest.csvio.writer import format_record
from salesforce_bulk_ingest.results.downloads import DownloadedResult, new_download
from salesforce_bulk_ingest.results.error_groups import MOST_GROUPS
from salesforce_bulk_ingest.results.page_size import PageSize, requested_page_size
from salesforce_bulk_ingest.results.pages import (
    ROWS_BETWEEN_TIME_CHECKS,
    CutCell,
    Page,
    PageRequest,
    page_of,
    with_lines,
)
from salesforce_bulk_ingest.results.row_errors import ErrorFilter
from salesforce_bulk_ingest.results.streamed_page import StreamedPage
from salesforce_bulk_ingest.salesforce.models import Job
from tests.results.making import page_sizes, rows_of_two

KEY = ResultKey.of("acme", Job(id="750000000000001AAA", state="JobComplete"), "failedResults")
HEADER = '"sf__Id","sf__Error","Name","City"\n'
LOCKED = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
MISSING = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"

SIZE = requested_page_size(10)
MESSAGE_BYTES = 512 * 1024

Pager = Callable[[bytes, PageRequest, PageSize], Page]


def downloaded(folder: Path, content: bytes) -> DownloadedResult:
    files = JobFiles(folder, most_bytes=1_000_000_000, most_seconds=1_000)
    with new_download(files, KEY, ",") as writer:
        writer.add(content)
        return writer.finish(None)


def always() -> bool:
    return True


def streamed(content: bytes, request: PageRequest, page_size: PageSize) -> Page:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 7):
            yield content[start : start + 7]

    reader = StreamedPage(",", request, page_size, "failedResults")
    anyio.run(reader.read, chunks())
    return reader.page()


def rows(*errors: str) -> bytes:
    lines = (f'"","{error}","{number}","Oslo"\n' for number, error in enumerate(errors))
    return (HEADER + "".join(lines)).encode()


@pytest.mark.parametrize("cell", ["", "1", "é", '""'])
def test_a_page_of_many_short_cells_fits_into_one_message_as_salesforce_wrote_it(tmp_path: Path, cell: str) -> None:
    names = ("sf__Id", "sf__Error", *map("Field{}__c".format, range(198)))
    lines = (",".join(f'"{each}"' for each in record) + "\n" for record in (names, *[(cell,) * len(names)] * 1_000))
    page = page_of(
        downloaded(tmp_path, "".join(lines).encode()), ",", PageRequest(), requested_page_size(1_000), always
    )
    assert page.records is not None
    assert len(json.dumps(page.rows)) + len(json.dumps(page.as_csv())) < MESSAGE_BYTES


@settings(max_examples=50)
@given(rows_of_two, page_sizes, st.integers(0, 30))
def test_a_page_of_a_stored_result_is_that_of_the_stream(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]], page_size: PageSize, offset: int
) -> None:
    content = "".join(format_record(row) for row in (("A", "sf__Error"), *table)).encode()
    result = downloaded(tmp_path_factory.mktemp("spool"), content)
    page = replace(page_of(result, ",", PageRequest(offset), page_size, always), path=None, completeness=None)
    assert page == streamed(content, PageRequest(offset), page_size)


lines = st.lists(
    st.tuples(
        st.sampled_from(
            [
                b"a,b\n",
                b'"a","b"\n',
                b'"a, b",""\r\n',
                b'"x\ny","\r"\n',
                b"x\ry,z\n",
                b'"a""b","\\"\n',
                "é,\u2028😀\n".encode(),
                b"\xff\n",
                b'a"b,"c\n',
                b'"a"b,c\n',
                b"\n",
                b"\r\n",
                b"1,2,3,4\n",
                b"x" * 500 + b",y\n",
                b"last",
            ]
        ),
        st.sampled_from([1, 1, 2, STEP, 3 * STEP]),
    ),
    max_size=8,
).map(lambda runs: b"".join(line * times for line, times in runs))
wide_page_sizes = st.builds(
    PageSize,
    rows=st.integers(1, 200),
    half_chars=st.sampled_from([60, 1_000, 100_000]),
    wire_bytes=st.sampled_from([450, 3_000, 300_000]),
    header_chars=st.just(100),
    name_chars=st.just(100),
)


@given(lines, wide_page_sizes, st.integers(0, 5 * STEP), st.sampled_from([(), ("sf__Error",), ("sf__Error", "A")]))
def test_rows_that_are_taken_together_are_those_that_are_taken_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, page_size: PageSize, offset: int, columns: tuple[str, ...]
) -> None:
    content = b"A,sf__Error\n" + content
    request = PageRequest(offset, columns)
    page = page_of(downloaded(tmp_path_factory.mktemp("spool"), content), ",", request, page_size, always)
    assert replace(page, path=None, completeness=None) == streamed(content, request, page_size)


@settings(max_examples=50)
@given(rows_of_two, page_sizes)
def test_pages_one_after_another_are_the_very_bytes_of_the_result(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]], page_size: PageSize
) -> None:
    header, *records = [format_record(row).encode() for row in (("A", "B"), *table)]
    content = header + b"".join(records)
    result = downloaded(tmp_path_factory.mktemp("spool"), content)
    joined, offset = header, 0 if table else None
    while offset is not None:
        page = page_of(result, ",", PageRequest(offset), page_size, always)
        assert page.records is not None and page.as_csv() == page.records.decode()
        assert page.rows
        joined += page.records.removeprefix(header)
        offset = page.next_offset
    assert joined == content


def test_a_row_that_is_too_long_is_a_page_of_its_own_and_says_which_cells_are_cut(tmp_path: Path) -> None:
    content = (
        HEADER.encode()
        + b'"","a","short","x"\n'
        + b'"","b","'
        + b"n" * 130_000
        + b'","'
        + b"c" * 130_000
        + b'"\n"","c","short","z"\n'
    )
    result = downloaded(tmp_path, content)
    pages = [page_of(result, ",", PageRequest(offset), requested_page_size(100), always) for offset in (0, 1, 2)]
    assert [(len(page.rows), page.next_offset) for page in pages] == [(1, 1), (1, 2), (1, None)]
    assert [page.cut_cells for page in pages] == [(), (CutCell(1, "Name", 130_000), CutCell(1, "City", 130_000)), ()]
    assert [page.records is None for page in pages] == [False, True, False]


def test_chosen_columns_come_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    page = page_of(
        downloaded(tmp_path, rows(LOCKED)), ",", PageRequest(columns=("city", "Name")), requested_page_size(10), always
    )
    assert (page.columns, page.rows, page.as_csv()) == snapshot(
        (("City", "Name"), (("Oslo", "0"),), "City,Name\nOslo,0\n")
    )


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as raised:
        page_of(
            downloaded(tmp_path, rows(LOCKED)), ",", PageRequest(columns=("Town",)), requested_page_size(10), always
        )
    assert str(raised.value) == snapshot(
        'columns names "Town", which is not a column here. There are: "sf__Id", "sf__Error", "Name", "City".'
    )


@pytest.mark.parametrize(
    ("page_request", "names"),
    [
        (PageRequest(errors=ErrorFilter(codes=("UNABLE_TO_LOCK_ROW",))), ["0", "2"]),
        (PageRequest(errors=ErrorFilter(codes=("REQUIRED_FIELD_MISSING",))), ["1", "3"]),
        (PageRequest(errors=ErrorFilter(fields=("name",))), ["1", "3"]),
        (PageRequest(errors=ErrorFilter(codes=("UNABLE_TO_LOCK_ROW",), fields=("Name",))), []),
        (PageRequest(1, errors=ErrorFilter(codes=("REQUIRED_FIELD_MISSING",))), ["3"]),
        (PageRequest(2, errors=ErrorFilter(codes=("REQUIRED_FIELD_MISSING",))), []),
        (PageRequest(errors=ErrorFilter(codes=("OTHER",))), []),
        (PageRequest(errors=ErrorFilter(codes=("OTHER", "UNABLE_TO_LOCK_ROW"))), ["0", "2"]),
    ],
)
def test_rows_can_be_asked_for_by_what_they_failed_with(
    page_request: PageRequest, names: list[str], tmp_path: Path
) -> None:
    content = rows(LOCKED, MISSING, LOCKED, MISSING)
    page = page_of(downloaded(tmp_path, content), ",", page_request, requested_page_size(10), always)
    assert ([row[2] for row in page.rows], page.next_offset, page.total) == (names, None, 4)
    assert page.row_numbers == tuple(map(int, names))
    there = streamed(content, page_request, requested_page_size(10))
    assert (there.rows, there.next_offset) == (page.rows, None)


def test_pages_of_chosen_rows_one_after_another_are_all_of_these(tmp_path: Path) -> None:
    result = downloaded(tmp_path, rows(*([MISSING] * 5 + [LOCKED]) * 3))
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = page_of(
            result,
            ",",
            PageRequest(offset, errors=ErrorFilter(("UNABLE_TO_LOCK_ROW",))),
            requested_page_size(1),
            always,
        )
        seen += [row[2] for row in page.rows]
        offset = page.next_offset
    assert seen == ["5", "11", "17"]


def test_a_search_that_takes_too_long_says_that_it_did_not_end(tmp_path: Path) -> None:
    result = downloaded(tmp_path, rows(*[MISSING] * (2 * ROWS_BETWEEN_TIME_CHECKS + 1), LOCKED))
    page = page_of(
        result,
        ",",
        PageRequest(errors=ErrorFilter(codes=("UNABLE_TO_LOCK_ROW",))),
        requested_page_size(1),
        lambda: False,
    )
    assert (page.rows, page.next_offset, page.is_cut_off) == ((), 0, True)


def test_the_error_groups_of_all_rows_come_with_any_page(tmp_path: Path) -> None:
    page = page_of(
        downloaded(tmp_path, rows(LOCKED, MISSING, LOCKED)), ",", PageRequest(2), requested_page_size(1), always
    )
    assert [(group.code, group.count) for group in page.error_groups] == [
        ("UNABLE_TO_LOCK_ROW", 2),
        ("REQUIRED_FIELD_MISSING", 1),
    ]
    assert page.rows_read == 3


def test_the_error_groups_of_chosen_rows_are_those_of_these_rows_alone(tmp_path: Path) -> None:
    content, request = rows(LOCKED, MISSING, LOCKED), PageRequest(errors=ErrorFilter(("UNABLE_TO_LOCK_ROW",)))
    page = page_of(downloaded(tmp_path, content), ",", request, requested_page_size(1), always)
    for each in (page, streamed(content, request, requested_page_size(1))):
        assert [(group.code, group.count) for group in each.error_groups] == [("UNABLE_TO_LOCK_ROW", 2)]
        assert (len(each.rows), each.chosen, each.total) == (1, 2, 3)


def test_how_many_rows_are_chosen_is_not_known_where_errors_are_beyond_the_limit_of_groups(tmp_path: Path) -> None:
    content = rows(*(f"CODE_{number}:m:--" for number in range(MOST_GROUPS + 2)))
    for errors, chosen in ((ErrorFilter(), MOST_GROUPS + 2), (ErrorFilter(("CODE_1",)), None)):
        page = page_of(downloaded(tmp_path, content), ",", PageRequest(errors=errors), requested_page_size(1), always)
        assert page.chosen == chosen


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("sf__Line",), ["sf__Line,sf__Id,sf__Error,Name,City", f"3,,{LOCKED},0,Oslo", f",,{LOCKED},1,Oslo"]),
        (("City", "SF__LINE", "Name"), ["sf__Line,City,Name", "3,Oslo,0", ",Oslo,1"]),
        (("Name",), ["Name", "0", "1"]),
    ],
)
def test_lines_that_are_asked_for_are_a_first_column(
    columns: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    page = page_of(downloaded(tmp_path, rows(LOCKED, LOCKED)), ",", PageRequest(columns=columns), SIZE, always)
    assert with_lines(page, {0: 3}.get).as_csv().splitlines() == expected


def test_rows_and_examples_have_their_lines(tmp_path: Path) -> None:
    result = downloaded(tmp_path, rows(LOCKED, MISSING, LOCKED))
    page = page_of(result, ",", PageRequest(1, errors=ErrorFilter(("UNABLE_TO_LOCK_ROW",))), SIZE, always)
    found = with_lines(page, {0: 7, 2: 5}.get)
    assert (found.rows[0][2], found.lines) == ("2", (5,))
    assert [example.line for example in found.error_groups[0].examples] == [7, 5]
    assert with_lines(page, {0: 7}.get).lines == ()


def test_a_page_of_a_kept_result_with_hidden_columns_is_that_of_the_stream(tmp_path: Path) -> None:
    content = (
        rows("X:Oslo is no city:--", "X:1 is no name, OSLO no city:City --", LOCKED) + b'"","X:y:--","Ann, Oslo"\n'
    )
    hidden, request, page_size = HiddenFields(("city",)), PageRequest(0), requested_page_size(10)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    reader = StreamedPage(",", request, page_size, "failedResults", hidden)
    anyio.run(reader.read, chunks())
    # The error groups of this download have the cells, so those of the page are made anew.
    page = page_of(downloaded(tmp_path, content), ",", request, page_size, always, hidden)
    assert replace(page, path=None, completeness=None) == reader.page()
    assert "oslo" not in repr(replace(page, path=None)).lower() and page.records is None
    assert [(group.pattern, group.count) for group in page.error_groups] == snapshot(
        [
            ("unable to obtain exclusive access to this record", 1),
            ("y", 1),
            ("{value} is no city", 1),
            ("{number} is no name, {value} no city", 1),
        ]
    )
    assert page.as_csv() == snapshot("""\
sf__Id,sf__Error,Name,City
,"X:[hidden, 4 characters] is no city:--",0,"[hidden, 4 characters]"
,"X:1 is no name, [hidden, 4 characters] no city:City --",1,"[hidden, 4 characters]"
,UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--,2,"[hidden, 4 characters]"
,X:y:--,"[hidden, 9 characters]"
""")


def test_rows_are_chosen_by_their_errors_though_these_are_masked(tmp_path: Path) -> None:
    content, request = rows("X:Oslo is no city:City --", LOCKED), PageRequest(errors=ErrorFilter(("X",), ("city",)))
    hidden = HiddenFields(("*",))
    page = page_of(downloaded(tmp_path, content), ",", request, requested_page_size(10), always, hidden)
    assert page.rows == snapshot(
        (("", "X:[hidden, 4 characters] is no city:City --", "[hidden, 1 character]", "[hidden, 4 characters]"),)
    )
