"""Pages and error groups out of a stream of result rows."""

from collections.abc import AsyncIterator, Iterable

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.csvio.writer import format_record
from salesforce_bulk_ingest.results.page_size import PageSize, default_page_size, requested_page_size
from salesforce_bulk_ingest.results.pages import Page, PageRequest
from salesforce_bulk_ingest.results.streamed_page import StreamedPage
from salesforce_bulk_ingest.salesforce.models import RESULT_KINDS, ResultKind
from tests.results.making import page_sizes, rows_of_two

HEADER = '"sf__Id","sf__Error","Name"\n'


async def _chunks(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _page(
    content: str,
    *,
    offset: int = 0,
    page_size: PageSize | None = None,
    kind: ResultKind = "successfulResults",
    delimiter: str = ",",
    columns: tuple[str, ...] = (),
) -> Page:
    reader = StreamedPage(delimiter, PageRequest(offset, columns), page_size or default_page_size(), kind)
    await reader.read(_chunks(content.encode()))
    return reader.page()


def _failed(errors: Iterable[str]) -> str:
    return HEADER + "".join(format_record(("", error, f"row {index}")) for index, error in enumerate(errors))


@settings(max_examples=50)
@given(rows_of_two, page_sizes, st.sampled_from(RESULT_KINDS))
def test_pages_one_after_another_are_all_the_rows(
    rows: list[tuple[str, str]], page_size: PageSize, kind: ResultKind
) -> None:
    content = "".join(format_record(row) for row in (("A", "B"), *rows))

    async def read_all() -> list[tuple[str, ...]]:
        collected: list[tuple[str, ...]] = []
        offset: int | None = 0
        while offset is not None:
            page = await _page(content, offset=offset, page_size=page_size, kind=kind)
            assert (page.offset, page.columns) == (offset, ("A", "B"))
            assert page.rows or not rows, "a page without rows would be asked for again and again"
            if page.total is not None:
                assert page.total == len(rows)
            collected += page.rows
            offset = page.next_offset
        return collected

    assert anyio.run(read_all) == rows


async def test_a_page_tells_where_the_next_one_begins_and_reads_no_further() -> None:
    given_out = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given_out
        yield b"Name\n"
        while True:
            given_out += 1
            yield b"x\n"

    reader = StreamedPage(",", PageRequest(10), requested_page_size(5), "successfulResults")
    with anyio.fail_after(5):
        await reader.read(endless())
    page = reader.page()
    assert (len(page.rows), page.next_offset, page.total) == (5, 15, None)
    assert given_out == 16


@pytest.mark.parametrize(
    ("content", "shown"), [("", ""), ("\n", ""), ('"sf__Id"\n', '"sf__Id"\n'), ('"sf__Id"', '"sf__Id"')]
)
async def test_a_result_without_rows_is_an_empty_page(content: str, shown: str) -> None:
    page = await _page(content)
    assert (page.rows, page.next_offset, page.total, page.error_groups) == ((), None, 0, ())
    assert page.as_csv() == shown


async def test_past_the_end_there_is_nothing() -> None:
    page = await _page("Name\na\nb\n", offset=5)
    assert (page.rows, page.offset, page.next_offset, page.total) == ((), 5, None, 2)


async def test_a_whole_page_is_written_as_it_came_and_chosen_columns_with_the_same_delimiter() -> None:
    content = 'Name;"Street"\nAnn;"a;b"\n"B,ob";"two\r\nlines"\n'
    page = await _page(content, delimiter=";")
    assert page.as_csv() == content
    chosen = await _page(content, delimiter=";", columns=("Street", "Name"))
    assert chosen.as_csv() == snapshot("""\
Street;Name
"a;b";Ann
"two\r
lines";B,ob
""")


async def test_columns_that_do_not_fit_are_counted_and_errors_are_counted_all_the_same() -> None:
    names = [f"A_rather_long_custom_field_{number}__c" for number in range(500)]
    header = format_record([*names, "sf__Error"])
    row = format_record([*("x" for _ in names), "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"])
    page = await _page(header + row, kind="failedResults")
    assert len(page.columns) + page.columns_omitted == 501
    assert [(group.code, group.count) for group in page.error_groups] == [("REQUIRED_FIELD_MISSING", 1)]


async def test_error_groups_stand_for_all_rows_though_the_page_holds_few() -> None:
    missing = "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    locked = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"
    page = await _page(_failed([locked, missing, missing] * 40), page_size=requested_page_size(2), kind="failedResults")
    assert (len(page.rows), page.next_offset, page.total, page.rows_read) == (2, 2, 120, 120)
    assert [
        (group.code, group.count, [example.offset for example in group.examples]) for group in page.error_groups
    ] == [
        ("REQUIRED_FIELD_MISSING", 80, [1, 2, 4, 5, 7]),
        ("UNABLE_TO_LOCK_ROW", 40, [0, 3, 6, 9, 12]),
    ]


async def test_rows_that_did_not_fail_have_no_causes_though_a_column_is_named_like_that_of_errors() -> None:
    rows = "sf__Id,sf__Error,Name\n,CODE:x:--,Acme\n"
    for kind in ("unprocessedrecords", "successfulResults"):
        page = await _page(rows, kind=kind)
        assert (len(page.rows), page.error_groups) == (1, ())


async def test_what_was_read_before_the_time_ran_out_is_shown() -> None:
    async def stalls() -> AsyncIterator[bytes]:
        yield _failed(["CODE:x:--"] * 3).encode()
        await anyio.sleep_forever()

    reader = StreamedPage(",", PageRequest(), requested_page_size(2), "failedResults")
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reader.read, stalls())
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    page = reader.page()
    assert (len(page.rows), page.next_offset, page.total, page.rows_read) == (2, 2, None, 3)
    assert page.error_groups[0].count == 3


async def test_a_malformed_row_is_shown_as_one_cell() -> None:
    page = await _page('Name,Phone\n"unbalanced,1\n')
    assert page.rows == (('"unbalanced,1',),)
