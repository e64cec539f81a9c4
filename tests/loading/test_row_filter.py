"""Rows that are left out: by their cells, by their lines, and what is no row."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan
from salesforce_bulk_ingest.loading.row_filter import CountedLines, LeaveOut, LinesOut
from salesforce_bulk_ingest.validation.destination import Destination
from tests.cache.making import archived
from tests.loading.making import Bytes, findings_of, plan_of, read_rows, sent_parts
from tests.validation.describing import CONTACT

PEOPLE = b"Name,Phone\nAnn,1\nBob,\n\nCid,3\nDee,  \n"


def sent(content: bytes, leave_out: LeaveOut, **mapping: object) -> list[list[str]]:
    """The rows that go out."""
    (part,) = sent_parts(plan_of(Bytes(content), ColumnMapping(leave_out=leave_out, **mapping), Destination()))  # type: ignore[arg-type]
    return read_rows(part)[1:]


def lines(text: str) -> LeaveOut:
    return LeaveOut(lines=LinesOut.parse(text))


def test_rows_are_left_out_by_the_cell_as_it_would_be_uploaded() -> None:
    assert sent(PEOPLE, LeaveOut({"Phone": ("",)})) == [["Ann", "1"], ["Cid", "3"]]
    assert sent(PEOPLE, LeaveOut({"phone": ("3", "1")})) == [["Bob", ""], ["Dee", "  "]]
    assert sent(PEOPLE, LeaveOut({"Mobile": ("9",)}), columns={"Phone": "Mobile"}, values={"Mobile": {"1": "9"}}) == [
        ["Bob", ""], ["Cid", "3"], ["Dee", "  "]
    ]  # fmt: skip
    assert sent(PEOPLE, LeaveOut({"Phone": ("",)}), only=("Name",)) == [["Ann"], ["Cid"]]


@pytest.mark.parametrize(
    ("cell", "is_blank"), [(" ", True), ("\t\x01", True), (" #N/A ", True), ("\u00a0", False), ("\u3000", False)]
)
def test_a_cell_is_blank_alike_for_what_is_left_out_for_required_fields_and_for_keys(cell: str, is_blank: bool) -> None:
    """Spaces are those that the org takes away; a no-break space is a character like any other."""
    content = f"LastName,Code__c,Level__c\n{cell},{cell},Primary\n".encode()
    for name in ("LastName", "Code__c"):
        assert (sent(content, LeaveOut({name: ("", "#N/A")})) == []) == is_blank
    keys = findings_of(content, Destination("upsert", "Code__c", describe=CONTACT))
    assert any("Rows without Code__c" in line for line in keys) == is_blank
    if cell.strip() != "#N/A":
        required = findings_of(content, Destination("insert", describe=CONTACT))
        assert any("LastName is required" in line for line in required) == is_blank


def test_rows_are_left_out_by_a_cell_of_a_column_that_is_named_by_its_place() -> None:
    content = b"Name,Phone,Phone\nA,1,\nB,,2\n"
    leave_out = LeaveOut(cells={"#3": ("",)})
    assert sent(content, leave_out, columns={"#2": "Phone", "#3": "Fax"}) == [["B", "", "2"]]


def test_rows_are_left_out_by_the_lines_on_which_they_begin() -> None:
    assert sent(PEOPLE, lines("3-4, 6")) == [["Ann", "1"], ["Cid", "3"]]
    assert sent(b'Report of sales\n"5"" pipes"\n\nName,Phone\nAnn,"1\n2"\nBob,3\n', lines("1-3,5")) == [["Bob", "3"]]


@pytest.mark.parametrize("end", ["-", "- ", "\u2013", "-, 9", "-7, 6-", "-5, 6-9, 7-"])
def test_lines_without_an_end_go_to_the_end_of_the_source(end: str) -> None:
    """Who wants the first rows alone need not know how many there are."""
    assert sent(PEOPLE, lines(f"5{end}")) == [["Ann", "1"], ["Bob", ""]]
    assert sent(b"Name\n" + b"Ann\n" * 100_000, lines(f"5{end}")) == [["Ann"]] * 3


def test_nothing_is_asked_about_rows_that_are_left_out_by_their_cells_or_lines() -> None:
    content = b"Name,Phone\nAnn,1\n,\nTotal,7\n,\n"
    mapping = ColumnMapping(leave_out=LeaveOut({"Name": ("", "Total")}, LinesOut.parse("3")))
    planned = plan_of(Bytes(content), mapping, Destination())
    assert (planned.findings, planned.rows) == ((), 1)
    assert (planned.left_out.cells, planned.left_out.lines) == (CountedLines(2, (4, 5)), CountedLines(1, (3,)))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    "row", [b"M\xfcller,2", b"x\0y,2", b'"a"b,2', b'"[hidden, 3 characters]",2', b"M\xc3\x83\xc2\xbcller,2", b"a,b,c"]
)
def test_rows_that_are_left_out_are_not_checked(row: bytes, newline: bytes) -> None:
    content = newline.join([b"Name,Phone", row, b"Ann,1", row])
    assert len(findings_of(content, Destination(), ColumnMapping(only=("Name", "Phone")))) == 1
    assert findings_of(content, Destination(), ColumnMapping(leave_out=lines("2, 4"))) == []


@pytest.mark.parametrize("text", ["x", "-1", "0", "0-", "5-3", "1,,2", "1 2", "1--", "all but", "all but 2, all but 3"])
def test_lines_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lines"):
        LinesOut.parse(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("all but 3", [3]),
        ("All but 4, 3", [3, 4]),
        ("all but 3-200", [3, 4, 5]),
        ("4, all but 3-", [3, 5]),
        ("4; all but 3-", [3, 5]),
        ("all but 1-2", [2]),
    ],
)
def test_some_lines_are_kept_below_a_header_that_stays(text: str, kept: list[int]) -> None:
    content = b"Name,Phone\nL2,2\nL3,3\nL4,4\nL5,5\n"
    assert sent(content, lines(text)) == [[f"L{line}", f"{line}"] for line in kept]


def test_lines_to_keep_below_a_title_leave_the_title_to_its_own_lines() -> None:
    rows = b"Report\nName,Phone\nAnn,1\nBob,2\nCid,3\n"
    plan = plan_of(Bytes(rows), ColumnMapping(leave_out=lines("1, all but 4")), Destination())
    assert (plan.header, plan.rows, plan.left_out.lines.first) == (("Name", "Phone"), 1, (1, 3, 5))


def test_what_can_not_be_left_out_is_refused_in_words() -> None:
    refusals = []
    for leave_out in (lines("2, 4, 9-12, 20-"), lines("all but 2, 9"), LeaveOut({"Fax": ("",)})):
        with pytest.raises(InvalidArgument) as refusal:
            plan_of(Bytes(PEOPLE), ColumnMapping(leave_out=leave_out), Destination())
        refusals.append(str(refusal.value))
    assert refusals == snapshot(
        [
            "leaveOut names lines 4, 9-12, on which no row begins: the header is on line 1, and the last row on line 6.",
            "leaveOut names lines 9, on which no row begins: the header is on line 1, and the last row on line 6.",
            'leaveOut names "Fax", which is not a column here. There are: "Name", "Phone".',
        ]
    )


def test_hidden_cells_are_not_guessed_by_what_is_left_out() -> None:
    hidden = Destination(hidden=HiddenFields(("Phone",)))
    for blank in (("",), ("", "#N/A")):  # the second is what the finding about blank cells advises
        plan_of(Bytes(PEOPLE), ColumnMapping(leave_out=LeaveOut({"Phone": blank})), hidden)
    with pytest.raises(RefusedByPolicy, match="blank cells"):
        plan_of(Bytes(PEOPLE), ColumnMapping(leave_out=LeaveOut({"Phone": ("1",)})), hidden)


records = st.lists(
    st.one_of(
        st.sampled_from(
            [
                ",,", "Name,Phone,Amount", "Total,,5", "", "", "Acme", "Copyright (c) 2024", "Ann,,", "  , ,", "Subtotal,,7",
            ]
        ),
        st.tuples(st.sampled_from(["Ann", "Bob", '"Cid\nD"', ""]), st.sampled_from(["", "1", " "]), st.integers(0, 3)).map(
            lambda cells: ",".join(map(str, cells))
        ),
    ),
    max_size=30,
)  # fmt: skip


@settings(deadline=None)
@given(records, st.sampled_from([True, False]), st.sets(st.integers(0, 40)), st.integers(60, 200), st.booleans())
def test_every_row_of_a_source_is_sent_or_left_out_in_parts_of_any_size_and_its_line_is_known(
    found: list[str], not_rows: bool, chosen: set[int], limit: int, crlf: bool
) -> None:
    newline = "\r\n" if crlf else "\n"
    text = newline.join(["Name,Phone,Amount", *found, ""])
    starts, line = dict[int, list[str]](), 2
    for record in found:
        if record:
            starts[line] = next(iter(read_rows((record + "\n").encode())))
        line += 1 + record.count("\n")
    left = sorted(chosen & starts.keys())
    leave_out = LeaveOut({"Phone": ("1",)}, LinesOut.parse(",".join(map(str, left))), not_rows)
    planned = plan_of(
        Bytes(text.encode()), ColumnMapping(leave_out=leave_out), Destination(limit=limit), preflight=False
    )
    parts = sent_parts(planned)
    rows = [row for part in parts for row in read_rows(part)[1:]]
    assert len(rows) == planned.rows == sum(part.rows for part in planned.parts)
    assert planned.rows + planned.left_out.rows == len(starts)
    assert planned.left_out.lines == CountedLines(len(left), tuple(left))
    assert not any(row[1:2] == ["1"] for row in rows)
    if not planned.rows:
        return
    known = [row for number in range(len(parts)) for row in archived_rows(planned, number + 1)]
    assert [row for _, _, row in known] == rows
    assert [starts[line] for line, _, _ in known] == [row for _, row, _ in known]
    assert [line for line, _, _ in known] == sorted({line for line, _, _ in known} - set(left))


def archived_rows(planned: Plan, part: int) -> list[tuple[int, list[str], list[str]]]:
    """The rows of the archive of a part: the line, the row of the source, the uploaded row."""
    with tempfile.TemporaryDirectory() as folder:
        upload = archived(Path(folder), planned.content_of(part))
        return [
            (line, list(source), list(row))
            for block in upload.blocks()
            for line, source, row in zip(block.lines, block.source.rows, block.uploaded.rows, strict=False)
        ]
