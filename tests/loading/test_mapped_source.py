"""A source as it goes out: unchanged, or with the same cells in the dialect of the job."""

from hypothesis import given, settings
from hypothesis import strategies as st

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.sources import Cell, Records, cell_text
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import (
    UNCHANGED,
    Bytes,
    Quoting,
    csv_bytes,
    dialects,
    plan_of,
    quotings,
    read_rows,
    sent_parts,
    tables,
    text,
)


@settings(deadline=None)
@given(tables(), dialects, dialects, quotings, st.data())
def test_mapped_rows_have_the_cells_of_the_source_in_the_dialect_of_the_job(
    table: list[list[str]], found: Dialect, job: Dialect, quoting: Quoting, data: st.DataObject
) -> None:
    header, *rows = table
    keep = data.draw(st.lists(st.sampled_from(range(len(header))), min_size=1, unique=True).map(sorted))
    new_names = {header[index]: f"F{index}__c" for index in keep}
    columns: dict[str, str | None] = {name: new_names.get(name) for name in header}
    mapping = ColumnMapping(columns=columns, constants={"Source__c": "file"}, values={f"F{keep[0]}__c": {"a": "b"}})
    # A header with none of the job's delimiters is read in the file's own.
    source = Bytes(csv_bytes([[f"H{n}" for n in range(len(header))]], found, quoting) + csv_bytes(rows, found, quoting))
    mapping = ColumnMapping(
        columns={f"H{index}": columns[name] for index, name in enumerate(header)},
        constants=mapping.constants,
        values=mapping.values,
    )
    # One column has no delimiter to be read off.
    delimiter = found.delimiter if len(header) == 1 else job.delimiter
    job = Dialect(delimiter, job.line_ending)
    planned = plan_of(source, mapping, Destination(delimiter=job.delimiter, line_ending=job.line_ending))
    (sent,) = sent_parts(planned)
    expected = [[row[index] for index in keep] for row in rows]
    expected = [[{"a": "b"}.get(row[0], row[0]), *row[1:], "file"] for row in expected]
    assert read_rows(sent, job) == [[f"F{index}__c" for index in keep] + ["Source__c"], *expected]
    assert sent.endswith(job.newline.encode())
    assert planned.rows == len(rows)


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(text, st.one_of(st.none(), st.booleans(), st.integers(), text), min_size=1, max_size=4),
        min_size=1,
        max_size=6,
    ),
    dialects,
)
def test_records_come_out_of_a_csv_reader_with_the_same_cells(records: list[dict[str, Cell]], job: Dialect) -> None:
    destination = Destination(delimiter=job.delimiter, line_ending=job.line_ending)
    (sent,) = sent_parts(plan_of(Records(records), UNCHANGED, destination, preflight=False))
    names = list(dict.fromkeys(name for record in records for name in record))
    cells = [[cell_text(record[name]) if name in record else "" for name in names] for record in records]
    assert read_rows(sent, job) == [names, *cells]
    mapped = plan_of(Records(records), ColumnMapping(only=tuple(names)), destination, preflight=False)
    assert read_rows(b"".join(sent_parts(mapped)), job) == [names, *cells]


def test_what_is_not_asked_for_is_not_changed() -> None:
    content = b'Name;"x\n"\nA\xff;\n\n;"q"\n\n'
    for preflight in (True, False):
        assert sent_parts(plan_of(Bytes(content), UNCHANGED, Destination(), preflight=preflight)) == [content]


def test_bytes_that_are_not_utf_8_survive_a_mapping() -> None:
    planned = plan_of(Bytes(b"Name,Phone\nM\xfcller,1\n"), ColumnMapping(only=("Name",)), Destination())
    assert sent_parts(planned) == [b"Name\nM\xfcller\n"]
