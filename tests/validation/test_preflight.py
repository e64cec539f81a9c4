"""All checks of one upload together."""

import re
from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.row_filter import LeaveOut
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import COMMA_LF_JOB, UNCHANGED, Bytes, as_line, findings_of, plan_of, sent_parts
from tests.validation.describing import CONTACT, field, sobject


def test_several_byte_order_marks_are_all_left_out() -> None:
    planned = plan_of(Bytes(b"\xef\xbb\xbf" * 3 + b"Name\nAnn\n"), UNCHANGED, COMMA_LF_JOB)
    assert (sent_parts(planned), list(map(as_line, planned.findings))) == snapshot(
        (
            [b"Name\nAnn\n"],
            [
                "warning at 1 (1): It begins with 3 byte order marks, which are left out. Nothing is to be done; sent, it would be a part of the first name."
            ],
        )
    )


def test_findings_about_what_is_before_the_header_and_the_header_have_their_own_lines() -> None:
    content = b'\xef\xbb\xbfsep=;\n\nName;Stra\xdfe;"a"b\nAnn;1;2\n'
    mapping = ColumnMapping(leave_out=LeaveOut(not_rows=True))
    assert [line.split(".")[0] for line in findings_of(content, Destination(), mapping)] == [
        "error at 3 (1): A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails",
        "error at 3 (1): Bytes are not UTF-8: their characters would be lost, and no row would fail for it",
        "warning at 1 (1): It begins with a byte order mark, which is left out",
    ]


def test_findings_about_the_columns_and_the_bytes_of_a_header_below_blank_lines_name_its_line() -> None:
    content = b'\xef\xbb\xbf\n;;\nScore__c;"Some\n"thing;\xe4\n1;2;3\n'
    findings = plan_of(Bytes(content), UNCHANGED, Destination("insert", describe=CONTACT)).findings
    assert {each.what.split()[0]: each.lines for each in findings} == snapshot(
        {"A": (3, 4), "Contact": (3,), "Blank": (1, 2), "Bytes": (4,), "It": (1,), "Score__c": (3,)}
    )


def test_findings_of_mapped_rows_have_the_lines_of_the_source() -> None:
    content = b'Number;Text\r\n1;"a\r\nb"\r\n1;c\r\n'
    destination = Destination("upsert", "Ext__c", delimiter="COMMA", line_ending="LF")
    assert findings_of(content, destination, ColumnMapping(columns={"Number": "Ext__c"})) == snapshot(
        [
            "warning at 2 (1): Values hold line breaks of another kind than the rows end in, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, load the rows in a job with lineEnding CRLF: they are then written anew, and end as the breaks in their values do.",
            "warning Ext__c at 4 (1): Rows have the Ext__c of an earlier row, if case and the form of numbers don't count, which is not known without the describe: the last may win, or they fail. Keep one row for each: leave the others out with leaveOut.",
        ]
    )


def test_with_a_describe_the_header_is_checked_against_it_and_keys_as_the_field_compares_them() -> None:
    destination = replace(COMMA_LF_JOB, operation="upsert", external_id_field="Code__c", describe=CONTACT)
    content = b"Code__c,Nothing\na,1\nA,1\na,1\n"
    assert [line.split(":")[0] for line in findings_of(content, destination)] == [
        "error Nothing at 1 (1)",
        "warning at 1 (1)",
        "warning Code__c at 4 (1)",
    ]


def test_rows_in_another_dialect_than_the_job_are_written_anew_in_the_jobs() -> None:
    content = b"Name;Phone\r\nAnn;1\r\n"
    assert findings_of(content, COMMA_LF_JOB) == []
    assert plan_of(Bytes(content), ColumnMapping(), COMMA_LF_JOB).size == len(b"Name,Phone\nAnn,1\n")


HIDDEN_CELLS = [
    "NULL", "N/A", "#REF!", "-", "12x45", "31.02.1990", "1990-02-31T00:00:00", "Ja", "no.email", "Tertiary", "a1B",
    "9" * 90, "M\xc3\xbcller", "99999999999999999999.5", "Total:",
]  # fmt: skip
FORMATS = [pytest.param(format_text, marks=pytest.mark.slow) for format_text in ("DD.MM.YYYY", "1.234,5", "Yes/No")]
HIDDEN_FIELDS = ["Email", "AccountId", "Birthdate", "Seen__c", "Amount__c", "Active__c", "Level__c", "Code__c"]


@pytest.mark.parametrize("format_text", [None, *FORMATS])
@pytest.mark.parametrize("reached_by", ["name", "label", "mapping", "nothing"])
@pytest.mark.parametrize("name", HIDDEN_FIELDS)
def test_no_finding_shows_a_cell_of_a_hidden_field(name: str, reached_by: str, format_text: str | None) -> None:
    """By its label it is only proposed; a column that is reached by nothing yet may be that of the hidden field."""
    described = CONTACT.field(name)
    assert described is not None
    header = {"name": name, "label": described.label, "mapping": "Nothing", "nothing": "Whatever"}[reached_by]
    columns = {header: name} if reached_by == "mapping" else {}
    formats = {columns.get(header, header): format_text} if format_text else {}
    hold_hidden(name, header, ColumnMapping(columns=columns, formats=formats))


@pytest.mark.parametrize("format_text", [None, *FORMATS[:2]])
@pytest.mark.parametrize("name", HIDDEN_FIELDS)
def test_no_finding_shows_a_cell_that_means_a_hidden_field_and_goes_into_another(
    name: str, format_text: str | None
) -> None:
    described = CONTACT.field(name)
    assert described is not None
    header = f"{described.label[0]}-{described.label[1:]}"  # it has the meaning, and no hidden word, which is refused
    for filled in HIDDEN_FIELDS:
        if filled != name:
            formats = {filled: format_text} if format_text else {}
            hold_hidden(name, header, ColumnMapping(columns={header: filled}, formats=formats))


def test_no_finding_shows_a_number_of_a_record_that_is_hidden_and_goes_into_the_key() -> None:
    account = sobject("Account", field("AccountNumber"), field("Erp__c", externalId=True))
    hidden = HiddenFields(("AccountNumber",), "Account")
    destination = Destination("upsert", "Erp__c", describe=account, hidden=hidden)
    [line] = findings_of(b"Kundennr\nNULL\n", destination, mapping=ColumnMapping(columns={"Kundennr": "Erp__c"}))
    assert "NULL" not in line


def hold_hidden(name: str, header: str, mapping: ColumnMapping) -> None:
    """Hold a hidden field's cells, below a header of any name, to be in no finding."""
    for cell in HIDDEN_CELLS:
        for operation, key in (("insert", None), ("upsert", "Code__c")):
            destination = Destination(operation, key, describe=CONTACT, hidden=HiddenFields((name,), "Contact"))
            content = f"{header},LastName\n{cell},A\n{cell},\n".encode()
            for finding in map(as_line, plan_of(Bytes(content), mapping, destination).findings):
                assert not re.search(rf"(?<![\w.#]){re.escape(cell)}(?![\w.])", finding.replace(" - ", "")), finding


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("x" * 5, None),
        ("x" * 6, "takes 5 characters"),
        ("\U0001f600" * 2 + "x", None),
        ("\U0001f600" * 3, "may fail"),
        ('"a\nbcd"', None),
        ('"a\nbcde"', "takes 5 characters"),
    ],
)
def test_a_text_is_measured_alike_in_short_rows_and_below_long_ones(code: str, kind: str | None) -> None:
    coded = sobject("Thing__c", field("Code__c", length=5), field("More__c", length=200))
    destination = Destination("insert", describe=coded)
    for header, rows in (("Code__c", f"x\n{code}\n"), ("Code__c,More__c", f"x,{'y' * 100}\n{code},z\n")):
        found = findings_of(f"{header}\n{rows}".encode(), destination)
        assert len(found) == (kind is not None) and all(kind in line for line in found if kind)
