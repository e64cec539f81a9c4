"""Sources without a header, whose first row would be lost, and headers that only look like rows."""

from dataclasses import replace

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.loading.making import COMMA_LF_JOB, UNCHANGED, Bytes, findings_of, plan_of
from tests.validation.describing import CONTACT

INSERT = replace(COMMA_LF_JOB, operation="insert", describe=CONTACT)
ROWS = b"Jonas,Lefevre,jonas@example.com\nAnna,Berg,anna@example.com\nLiam,Roe,\n"


def test_a_first_row_that_is_taken_for_the_header_is_told_alone_and_no_fields_are_asked_for_its_cells() -> None:
    plan = plan_of(Bytes(ROWS), UNCHANGED, INSERT)
    assert findings_of(ROWS, INSERT) == snapshot(
        [
            "error at 1 (1): Line 1 looks like a row and not like a header: 1 cell of it has the form of those below, such as an email address. As a header, that row would be lost. Put a header above it: a line with a name for each column, that of its field where it has one."
        ]
    )
    assert (plan.proposal, plan.unsettled, plan.fields) == ({}, (), ())


def test_a_first_row_is_not_lost_where_its_cells_are_mapped_to_fields() -> None:
    names = {"Jonas": "FirstName", "Lefevre": "LastName", "jonas@example.com": "Email"}
    assert findings_of(ROWS, INSERT, ColumnMapping(columns=names)) == findings_of(ROWS, INSERT)


@pytest.mark.parametrize(
    ("rows", "form"),
    [
        ("003000000000001AAA\n003000000000002AAA\n", "1 cell of it has the form of those below, such as a record id"),
        ("Ann,1981-10-02\nBob,1963-09-14\n", "1 cell of it has the form of those below, such as a date"),
        ("Ann,14.03.1979\nBob,2.11.1984\n", "such as a date"),
        ("Ann,2026-01-31T09:30:00Z\nBob,2026-02-01T09:30:00Z\n", "such as a date"),
        ("Ann,+48 12 555 0119\nBob,(512) 555-0122\n", "such as a number of seven digits or more"),
        ("Ann,www.a.example\nBob,https://b.example/x\n", "such as a web address"),
        ("Ann,CRM-10001\nBob,CRM-10002\nDan,CRM-10003\nCid,none\n", "such as a code of letters and digits"),
        ("Status,CRM-10001,a@b.example\nOpen,CRM-10002,c@d.example\n", "2 cells of it have the form"),
    ],
)
@pytest.mark.parametrize("destination", [INSERT, Destination()], ids=["a known object", "an unknown object"])
def test_cells_that_no_header_has_show_that_there_is_none(rows: str, form: str, destination: Destination) -> None:
    [told] = [line for line in findings_of(rows.encode(), destination) if "looks like a row" in line]
    assert form in told


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("Name,2019,2020\nAnn,1200,1300\n", id="years"),
        pytest.param("Kundennr,Firma,2026-01-31\nK-1001,Acme,12\n", id="a date above numbers"),
        pytest.param("Email,a@b.example\nc@d.example,e@f.example\n", id="as many fields"),
        pytest.param("Address1,Address2,Q1\n12 Quay Street,,Q2\n", id="names with numbers"),
        pytest.param("Jonas,Lefevre\nAnna,Berg\n", id="words"),
        pytest.param("Email,Kundennr\na@b.example,CRM-10001\n", id="a header"),
        pytest.param("CRM-10001,Ann\n", id="no rows"),
        pytest.param("a@b.example,Ann\n,Bob\n", id="blank cells"),
    ],
)
def test_a_header_that_may_be_one_is_taken(content: str) -> None:
    assert not [line for line in findings_of(content.encode(), INSERT) if "looks like a row" in line]
