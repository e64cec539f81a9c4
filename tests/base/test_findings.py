"""Findings: the first many are kept, and the others counted."""

from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import LINES_KEPT, Finding, Findings
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import UNCHANGED, Bytes, as_line, plan_of
from tests.validation.describing import CONTACT


def test_findings_after_the_first_many_are_counted_and_not_kept() -> None:
    header = b",".join(b"N%d" % number for number in range(1_000))
    planned = plan_of(Bytes(header + b"\n" + b"," * 999 + b"\n"), UNCHANGED, Destination("insert", describe=CONTACT))
    assert len(planned.findings) < 600
    assert [as_line(finding) for finding in planned.findings if "that are told" in finding.what] == snapshot(
        [
            "error (501): There are more errors than the 500 that are told, in other columns or of other kinds. Mend those first, then check again."
        ]
    )


def test_the_same_kind_in_the_same_column_is_one_finding_with_its_first_lines_each_once() -> None:
    findings = Findings()
    for line in range(2, 2 + LINES_KEPT + 5):
        findings.add("blank", "warning", "What.", "Do.", column="Name", line=line)
    findings.add("blank", "warning", "What.", "Do.", column="Phone", line=2)
    findings.add("blank", "warning", "What.", "Do.", column="Phone", line=2)
    findings.add_several("blank", "warning", "What.", "Do.", (), 0)
    findings.add_several("blank", "warning", "What.", "Do.", (7, 8), 20, column="Fax")
    findings.add_several("blank", "warning", "What.", "Do.", range(9, 999), 990, column="Fax")
    assert findings.sorted() == (
        Finding("warning", "What.", "Do.", "Name", tuple(range(2, 2 + LINES_KEPT)), LINES_KEPT + 5),
        Finding("warning", "What.", "Do.", "Phone", (2,), 2),
        Finding("warning", "What.", "Do.", "Fax", tuple(range(7, 7 + LINES_KEPT)), 1_010),
    )


def test_a_finding_that_stands_for_several_columns_is_of_their_kind() -> None:
    findings = Findings()
    for name in ("Phon", "Fax Number", "Website"):
        findings.add("unknown column", "error", f"No field {name}.", "Do.", column=name, line=1)
    findings.join("unknown column", ["Phon", "Fax Number"], "No fields.", "Take the proposal.")
    assert [(finding.kind, finding.what, finding.count) for finding in findings.sorted()] == [
        ("unknown column", "No fields.", 2),
        ("unknown column", "No field Website.", 1),
    ]


def test_errors_come_first_and_else_the_order_is_that_in_which_they_were_found() -> None:
    findings = Findings()
    findings.add("bom", "warning", "a", "Do.")
    findings.add("title", "error", "b", "Do.")
    findings.add("nul", "warning", "c", "Do.")
    findings.add("quotes", "error", "d", "Do.")
    assert [finding.what for finding in findings.sorted()] == ["b", "d", "a", "c"]


def test_a_kind_without_a_column_is_a_finding_for_each_that_it_is_of() -> None:
    findings = Findings()
    for name, line in (("Account", 1), ("User", 1), ("Account", 2)):
        findings.add("describe", "warning", f"{name}.", "Do.", line=line, of=name)
    assert [(finding.what, finding.count) for finding in findings.sorted()] == [("Account.", 2), ("User.", 1)]
