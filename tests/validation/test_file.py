"""Checks of rows that need the file alone."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields, mask
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import findings_of


def test_rows_in_order_have_nofindings_of() -> None:
    assert findings_of(b'Id,Name\n001000000000001AAA,"Ann ""A"""\n001000000000002AAA,"=1+1\n"\n') == []


@pytest.mark.parametrize(
    ("content", "findings"),
    [
        (b"\xef\xbb\xbfName\nAnn\n", snapshot(['warning at 1 (1): It begins with a byte order mark, which is left out. Nothing is to be done; sent, it would be a part of the first name.'])),
        ("Name\nÄnn\n".encode("utf-16"), snapshot(['error (1): It is in UTF-16, not UTF-8. Give encoding "utf-16", which reads "Name", or save it as CSV in UTF-8.'])),
        ("Name\nÄnn\n".encode("utf-16-le"), snapshot(['error (1): It is in UTF-16-LE, not UTF-8. Give encoding "utf-16-le", which reads "Name", or save it as CSV in UTF-8.'])),
        (b"Name\nM\xfcller\nx\nJos\xe9\n", snapshot(['error at 2, 4 (2): Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Save the file in UTF-8.'])),
        (b"N\xe4me\nx\n", snapshot(['error at 1 (1): Bytes are not UTF-8: their characters would be lost, and no row would fail for it. Save the file in UTF-8.'])),
        (b"PK\x03\x04\x14\x00\x06\x00", snapshot(['error (1): It is a zip archive, not CSV. Unpack it, and name the CSV in it; of compressed files, only .gz is read.'])),
        (b"", snapshot(['error at 1 (1): It is empty. Give a header row with field names, then one row for each record.'])),
        (b"\nName\nAnn\n", snapshot(['error at 1 (1): Blank lines stand before the header. leaveOut {"notRows": true} leaves out all that is no row; {"notRows": false} sends it all the same.'])),
        (b"Name,Phone\n", snapshot(['error (1): There is a header and no row. Add a row for each record.'])),
        (b"Name,Phone", snapshot(['error (1): There is a header and no row. Add a row for each record.'])),
        (b"Name,Phone\rAnn,1\rBob,2\r", snapshot(['error at 1 (1): Lines end in a carriage return alone, which Salesforce does not take. Save it with lines that end in LF or CRLF.'])),
        (b"Name,Phone\nAnn,1\r\nBob,2\n", snapshot(['error at 2 (1): Lines end in more than one way, the first in LF: the job fails. End all lines in one way, or make a job with lineEnding CRLF: the rows are then written anew.'])),
        (b"Name,Phone\nAnn,1\rBob,2\n", snapshot(['error at 2 (1): Lines end in more than one way, the first in LF: the job fails. End all lines in one way, or make a job with lineEnding CRLF: the rows are then written anew.', "warning at 2 (1): Rows have more cells than the header's 2: Salesforce refuses them. Quote values that hold the delimiter."])),
        (b'Name,Phone\nEva,3\n"Ann\r\nB","1\r\n""2""\r\n3"\nBob,"2"\n', snapshot(['warning at 3 (1): Values hold line breaks of another kind than the rows end in, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, load the rows in a job with lineEnding CRLF: they are then written anew, and end as the breaks in their values do.'])),
        (b'Name,Phone\nAnn,"1\r\n2"\nBob,2\n', snapshot(['warning at 2 (1): Values hold line breaks of another kind than the rows end in, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, load the rows in a job with lineEnding CRLF: they are then written anew, and end as the breaks in their values do.'])),
        (b"Name;Phone\r\nAnn;1\r\n", snapshot([])),
        (b'Name,Size\nPipe,5" long\nRod,"6"" long"\n', snapshot(['error at 2 (1): A quote is opened in this row and not closed, or not doubled: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\nPipe,5" long\nRod,6" long\n', snapshot(['error at 2, 3 (2): A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\nPipe,"5"\nRod,"6\nBar,7\n', snapshot(['error at 3 (1): A quote is opened in this row and not closed, or not doubled: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'Name,Size\n"a", "b"\n', snapshot(['error at 2 (1): A value has a quote in it without being quoted as a whole, or text beside its quotes: the job fails. Write the value in quotes, and each quote in it twice: "5"" pipe".'])),
        (b'"Name\nAnn\n', snapshot(['error at 1 (1): The header has no end: a quote in it is never closed. Close it.'])),
        (b"Name,Phone\nAnn\n\nBob,1,2\n,,\n", snapshot(['error at 5 (1): Lines have blank cells alone. leaveOut {"notRows": true} leaves out all that is no row; {"notRows": false} sends it all the same.', "warning at 2 (1): Rows have fewer cells than the header's 2. Look whether a cell is missing in the middle.", "warning at 4 (1): Rows have more cells than the header's 2: Salesforce refuses them. Quote values that hold the delimiter."])),
        ("Name\nM\u00c3\u00bcller\nJos\u00e9\n\u00e2\u20ac\u0153x\n".encode(), snapshot(['warning at 2, 4 (2): Cells look like UTF-8 that was read as windows-1252 and saved again, such as "Ã¼" for "ü". Take the rows from their first source, or name the right cells in values, if they are few.'])),
        ("Name\n\u00c3\u0081ngel\nGr\u00c3\u009fe\n\u00e2\u0080\u009cx\n".encode(), snapshot(['warning at 2, 3, 4 (3): Cells look like UTF-8 that was read as windows-1252 and saved again, such as "Ã\\u0081" for "Á". Take the rows from their first source, or name the right cells in values, if they are few.'])),
        ("Name\nS\u00e3o \u00c3O\nM\u00fcller \u2013 O\u2019Neill\n\u5b57\n".encode(), snapshot([])),
        (b"Name,,name\nAnn,1,2\n", snapshot(['error Name at 1 (1): Several columns are Name, and only one can be: "Name", "name". Rows in which their cells differ: 1. Set {"name": "<another field>"} in columns, or {"name": null} there to leave its cells out.', 'error #2 at 1 (1): A column has no name, which fails the whole job. Filled cells in it: 1. Set {"#2": "<its field>"} in columns, or null there to leave its cells out.'])),
        (b"Name\nA\0nn\n", snapshot(['warning at 2 (1): Values hold NUL characters, which are no text. Remove them.'])),
        (b"Name," + b"x" * 32_000 + b"\na,b\n", snapshot(['error at 1 (1): The header has 32,005 characters, and Salesforce takes 32,000. Leave columns out: name those to keep in only.'])),
        (b"," .join(b"F%d" % n for n in range(5_001)) + b"\nA" + b"," * 5_000 + b"\n", snapshot(['error at 1 (1): There are 5,001 columns, and Salesforce takes 5,000. Leave columns out: name those to keep in only.'])),
        (b"Name,Text\na,b\nc," + b"x" * 131_073 + b"\n", snapshot(['error Text at 3 (1): Cells have over 131,072 characters, the most that Salesforce takes: the job fails. Shorten them, or set null in columns to leave the column out.'])),
        (b"Name,Text\na,b\nc,\"" + b"xx\n" * 140_000 + b"\"\n", snapshot(['error at 3 (1): Rows have over 400,000 characters, the most that Salesforce takes: the job fails. Shorten cells, or leave columns out.', 'error Text at 3 (1): Cells have over 131,072 characters, the most that Salesforce takes: the job fails. Shorten them, or set null in columns to leave the column out.'])),
    ],
    ids=lambda content: repr(content[:30]) if isinstance(content, bytes) else "",
)  # fmt: skip
def test_findings_say_where_and_what_to_do(content: bytes, findings: list[str]) -> None:
    assert findings_of(content) == findings


def test_all_lines_that_end_wrong_are_counted_and_the_first_are_told() -> None:
    content = b"Name,Phone\r\n" + b"Ann,1\n" * 1_000 + b'Bob,"1\n2"\r\n' * 7
    assert findings_of(content, Destination()) == snapshot(
        [
            "error at 2, 3, 4, 5, 6 (1000): Lines end in more than one way, the first in CRLF: the job fails. End all lines in one way, or make a job with lineEnding LF: the rows are then written anew.",
            "warning at 1002, 1004, 1006, 1008, 1010 (7): Values hold line breaks of another kind than the rows end in, for which some orgs fail the whole job. If the job fails with LineEnding is invalid, load the rows in a job with lineEnding LF: they are then written anew, and end as the breaks in their values do.",
        ]
    )


def test_a_wide_source_can_be_cut_down_to_what_salesforce_takes() -> None:
    wide = b",".join(b"A question that was asked, as a form writes it, %d" % number for number in range(6_000))
    assert len(findings_of(wide.replace(b", ", b" ") + b"\nA" + b"," * 5_999 + b"\n")) == 2
    mapping = ColumnMapping(columns={"A question that was asked as a form writes it 7": "Name"}, only=("Name",))
    assert findings_of(wide.replace(b", ", b" ") + b"\nA" + b",A" * 5_999 + b"\n", mapping=mapping) == []


def test_letters_that_were_misread_are_not_shown_where_a_field_is_hidden() -> None:
    hidden = Destination(hidden=HiddenFields(("Name",)))
    [finding] = findings_of("Name\nM\u00c3\u00bcller\n".encode(), hidden)
    assert "saved again. Take" in finding


def test_what_stands_for_hidden_cells_in_answers_is_no_data() -> None:
    content = f'Name,Email\nAnn,a@x.example\nBob,"{mask("b@x.example")}"\nC,"[hidden, or so]"\n'.encode()
    assert findings_of(content) == snapshot(
        [
            "error at 3 (1): Cells have the text that an answer shows in place of hidden cells, and would be loaded with it. Send these rows again with rowsOf, or take them from their source."
        ]
    )


def test_texts_that_are_no_data_are_told_of_the_cells_that_go_alone() -> None:
    content = f'Name,Email,Site\nM\u00c3\u00bcller,"{mask("b@x.example")}",a\0b\n'.encode()
    assert len(findings_of(content)) == 3
    corrected = ColumnMapping(
        {"Email": None}, values={"Name": {"M\u00c3\u00bcller": "M\u00fcller"}, "Site": {"a\0b": "ab"}}
    )
    assert findings_of(content, mapping=corrected) == []
