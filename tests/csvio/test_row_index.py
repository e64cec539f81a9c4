"""The index of a result: each row is found without reading those before it."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.records import RecordSplitter
from salesforce_bulk_ingest.csvio.row_index import CHUNK_BYTES, STEP, IndexBuilder, RowIndex

some_csv = st.lists(st.sampled_from([b"a,b\n", b'"x\ny",""\r\n', b"\n", b'a "stray\n', b"\r\n", b"last"]), max_size=20)


def _indexed(content: bytes, size: int) -> tuple[RowIndex, list[bytes]]:
    builder, rows = IndexBuilder(), list[bytes]()
    for start in range(0, len(content), size):
        rows += builder.add(content[start : start + size])
    index, last = builder.finish()
    return index, rows + last


def _records(content: bytes) -> list[bytes]:
    splitter = RecordSplitter()
    return splitter.feed(content) + splitter.flush()


@settings(deadline=None)
@given(st.binary(max_size=200) | some_csv.map(b"".join), st.integers(1, 50), st.integers(0, 30))
def test_the_rows_from_any_row_on_are_those_of_the_whole_file(content: bytes, size: int, row: int) -> None:
    index, rows = _indexed(content, size)
    header = _records(content)[:1]
    assert (index.size, index.rows, index.header) == (len(content), len(rows), b"".join(header))
    assert header + rows == _records(content)
    assert list(index.records(io.BytesIO(content), row)) == rows[row:]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    b"a,b\n",
                    b"a\rb\r\n",
                    b'"x\ny"\n',
                    b'"x\r\ny","z"\r\n',
                    b'"x""\n""y","z"\n',
                    b'x,y"z"\n',
                    b"\n",
                    b"\r\n",
                    b'"stray\n',
                    b"y" * (CHUNK_BYTES // 8) + b"\n",
                ]
            ),
            st.sampled_from([1, 1, STEP, 2 * STEP]),
        ),
        max_size=5,
    ),
    st.integers(0, 5 * STEP),
)
def test_rows_are_the_same_whether_they_are_found_together_or_not(runs: list[tuple[bytes, int]], row: int) -> None:
    content = b"Id\n" + b"".join(line * times for line, times in runs)
    index, rows = _indexed(content, 10_000)
    found = list(index.runs(io.BytesIO(content), row))
    assert [record for run in found for record in run.records] == rows[row:]
    assert all(len(run) == len(run.records) > 0 for run in found)


def test_a_page_far_into_a_file_costs_the_page() -> None:
    rows = [b'"%d","two\nlines"\n' % number for number in range(100_000)]
    content = b"Id,Name\n" + b"".join(rows)
    index, _ = _indexed(content, 10_000)
    for row in (0, 1, STEP - 1, STEP, 99_999):
        file = io.BytesIO(content)
        assert next(index.records(file, row)) == rows[row]
        assert file.tell() - content.index(rows[row]) <= 2 * CHUNK_BYTES
    assert list(index.records(io.BytesIO(content), 100_000)) == []


@given(st.integers(0, 3 * STEP))
def test_an_index_that_is_stored_is_read_back(count: int) -> None:
    index, _ = _indexed(b"Id\n" + b"x\n" * count, 1_000)
    file = io.BytesIO()
    index.write(file)
    file.seek(0)
    assert RowIndex.read(file) == index
