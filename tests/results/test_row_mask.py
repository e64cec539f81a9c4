"""Rows as answers may show them: hidden cells are masked, in their columns and in the errors that quote them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.results.row_mask import RowMask

FAILED = ("sf__Id", "sf__Error", "Name", "Email")

WHITE_SPACE = " \t\r\n\v\f\x1c\x85\u00a0\u2003\u3000"


def _shown_error(error: str, cell: str, *, pattern: str = "Email", name: str = "Ada") -> str:
    return RowMask(FAILED, HiddenFields((pattern,))).row(("", error, name, cell))[1]


def test_hidden_cells_are_masked_and_the_outcome_is_shown() -> None:
    mask = RowMask(("sf__Id", "sf__Created", "Name", "Email"), HiddenFields(("*",)))
    assert mask.hidden_names == ("Name", "Email")
    assert mask.rows([("003", "true", "Ada", "")]) == [["003", "true", "[hidden, 3 characters]", ""]]


def test_a_result_without_a_hidden_column_is_left_alone() -> None:
    mask, row = RowMask(FAILED, HiddenFields(("SSN__c",))), ("", "X:ada@x.example:--", "Ada", "ada@x.example")
    assert not mask and mask.row(row) is row


@pytest.mark.parametrize(
    ("error", "cell", "shown"),
    [
        (
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: foo@bar:Email --",
            "foo@bar",
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: [hidden, 7 characters]:Email --",
        ),
        # As Salesforce wrote the cell anew, of which the field alone tells.
        (
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: foo@bar.example:Email --",
            "FOO (at) bar",
            "INVALID_EMAIL_ADDRESS:Email: invalid email address: [hidden, 15 characters]:Email --",
        ),
        (
            "STRING_TOO_LONG:Email: data value too large: aaaaaaaaaa (max length=5):Email --",
            "a" * 12,
            "STRING_TOO_LONG:Email: data value too large: [hidden, 10 characters] (max length=5):Email --",
        ),
        (
            "INVALID_FIELD:Foreign key external ID: k-17 not found for field Ext__c in entity Contact:--",
            " K-17 ",
            "INVALID_FIELD:Foreign key external ID: [hidden, 4 characters] not found for field Ext__c in entity Contact:--",
        ),
        (
            "DUPLICATE_VALUE:duplicate value found: Email duplicates value on record with id: 003000000000001AAA:Email --",
            "ada@x.example",
            "DUPLICATE_VALUE:duplicate value found: Email duplicates value on record with id: 003000000000001AAA:Email --",
        ),
        (
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:Smith &amp; Söhne, SMITH & SÖHNE and O&#39;x:--",
            "Smith & Söhne",
            "FIELD_CUSTOM_VALIDATION_EXCEPTION:[hidden, 17 characters], [hidden, 13 characters] and O&#39;x:--",
        ),
        ("X:O&#39;Neill, O&#x27;Neill, o'neill:--", "O'Neill", "X:" + ", ".join(
            f"[hidden, {count} characters]" for count in (11, 12, 7)) + ":--"),
        ("X:Phone 山田太郎です:--", "山田", "X:Phone [hidden, 2 characters]太郎です:--"),
        ("X:N12 is taken, and N123 and 12 are not:--", "12", "X:N[hidden, 2 characters] is taken, and N123 and [hidden, 2 characters] are not:--"),
        ("X:12 Main St, Springfield is unknown:--", "12 Main St,\nSpringfield ", "X:[hidden, 23 characters] is unknown:--"),
        ("X:M is no value, and Monday is:--", "M", "X:[hidden, 1 character] is no value, and Monday is:--"),
        ("INVALID_ADDRESS:no address:Address__c --", "Address", "INVALID_ADDRESS:no [hidden, 7 characters]:Address__c --"),
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --", "", "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"),
        # Texts of the org's own, in which a cell stands where a code or a field would.
        ("JONES:was here", "Jones", "[hidden, 5 characters]:was here"),
        ("TAX_123456789:was here", "123456789", "TAX_[hidden, 9 characters]:was here"),
        ("X:bad SSN:123-45-6789 --", "123-45-6789", "X:bad SSN:[hidden, 11 characters] --"),
        ("X:bad name:Mary Jones --", "Mary Jones", "X:bad name:[hidden, 10 characters] --"),
        ("X:bad name:Jones --", "Jones", "X:bad name:[hidden, 5 characters] --"),
        ("X:xJonesonx ends in dashes --", "Joneson", "X:x[hidden, 7 characters]x ends in dashes --"),
        ("no code at all: Jones", "Jones", "no code at all: [hidden, 5 characters]"),
        ("X:value of Name is Name:Name --", "name", "X:value of [hidden, 4 characters] is [hidden, 4 characters]:Name --"),
    ],
)  # fmt: skip
def test_an_error_is_shown_without_the_hidden_cell_that_it_quotes(error: str, cell: str, shown: str) -> None:
    assert _shown_error(error, cell) == shown


def test_an_error_is_masked_though_its_column_has_a_byte_order_mark() -> None:
    mask = RowMask(("\ufeffsf__Error", "Email"), HiddenFields(("Email",)))
    assert mask.row(("X:a@x.example is taken:--", "a@x.example"))[0] == "X:[hidden, 11 characters] is taken:--"


def test_a_cell_of_a_column_that_is_shown_stays_in_an_error() -> None:
    assert _shown_error("X:Ada is taken:Name --", "a@x.example", name="Ada") == "X:Ada is taken:Name --"


def test_in_a_row_with_too_many_cells_or_too_few_every_uploaded_cell_is_masked() -> None:
    mask = RowMask(("Name", "Email"), HiddenFields(("Email",)))
    wide, narrow = mask.row(("Jones", "Mary", "m@x.example")), mask.row(("Jones;m@x.example",))
    assert wide == ["[hidden, 5 characters]", "[hidden, 4 characters]", "[hidden, 11 characters]"]
    assert narrow == ["[hidden, 17 characters]"]


def test_a_record_that_is_cut_within_a_quote_is_masked_whole() -> None:
    mask = RowMask(FAILED, HiddenFields(("Email",)))
    whole = mask.row(('"","X:no:--","Ada","a@x.example',))
    part = mask.row(("001000000000001AAA", 'X:no:--,"Ada",a@x.example'))
    assert whole == ["[hidden, 31 characters]"]
    assert part == ["001000000000001AAA", "[hidden, 25 characters]"]


@given(
    st.text(min_size=6), st.text(), st.text(), st.sampled_from(["", "X:", "A_CODE:"]), st.sampled_from(["", ":--", ":Email --"])
)  # fmt: skip
def test_no_cell_of_some_length_stays_in_an_error(cell: str, before: str, after: str, code: str, fields: str) -> None:
    whole = " ".join(cell.split())
    assume(len(whole) > 5 and whole not in f"{code}{before}" and whole not in f"{after}{fields}")
    assume(whole.lower() not in "[hidden, 0123456789 characters]" and whole not in FAILED)
    assert whole not in _shown_error(f"{code}{before}{whole}{after}{fields}", cell)


@given(st.text(), st.text(), st.text(WHITE_SPACE, max_size=20))
def test_an_error_of_other_cells_is_shown_as_it_is(error: str, name: str, cell: str) -> None:
    assert _shown_error(f"X:{error}:--", cell, name=name) == f"X:{error}:--"
