"""Values: what each type of field takes, and how results print it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesforce_emulator.config import Assumptions
from salesforce_emulator.processing.values import java_double
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import Caller, an_org, an_org_with, csv_text
from tests.salesforce_emulator.conftest import EXAMPLES
from tests.salesforce_emulator.forms import IMPOSSIBLE, forms

SAMPLE = "BG/quick start, step 3: 912260031 comes back 9.12260031E8, but 2676 of an integer as it is"
PLATFORM = "code and message are the platform's; how a job frames them is not known"


@doc(SAMPLE)
@assumed("that other numbers follow Java's Double.toString too")
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (912260031.0, "9.12260031E8"),  # the official sample
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (8.48e10, "8.48E10"),
        (123456789.125, "1.23456789125E8"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (-0.00025, "-2.5E-4"),
        (0.0, "0.0"),
        (500000.0, "500000.0"),
        (1e22, "1.0E22"),
    ],
)
def test_doubles_are_printed_as_java_prints_them(number: float, text: str) -> None:
    assert java_double(number) == text


OPPORTUNITY = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2025-01-31"}


def row_with(field: str, cell: str) -> tuple[str, dict[str, str]]:
    """The object, and a row of it that is good but for this cell: a task or an opportunity."""
    of_task = field in ("ReminderDateTime", "CallType", "WhoId", "IsReminderSet", "CallDurationInSeconds")
    return ("Task", {"Subject": "Call", field: cell}) if of_task else ("Opportunity", OPPORTUNITY | {field: cell})


def outcome(org: Caller, field: str, cell: str) -> str:
    """What a result file says of this cell in an otherwise good row."""
    object_, row = row_with(field, cell)
    job = org.load(csv_text([list(row), list(row.values())]), object_)
    [only] = org.succeeded(job) + org.rows(job, "failedResults")
    return only.get("sf__Error") or only[field]


@doc(SAMPLE)
@assumed("that a percent is printed as a double, and an integer without sign and zeros")
@pytest.mark.parametrize(
    ("field", "cell", "result"),
    [
        ("Amount", "912260031", "9.12260031E8"),
        ("Probability", "50", "50.0"),
        ("CallDurationInSeconds", "2676", "2676"),
        ("CallDurationInSeconds", "+007", "7"),
    ],
)
def test_numbers_are_typed_and_printed_again(org: Caller, field: str, cell: str, result: str) -> None:
    assert outcome(org, field, cell) == result


@doc("BG/Prepare CSV Files")
def test_doubles_may_be_fractional_or_scientific(org: Caller) -> None:
    assert [outcome(org, "Amount", cell) for cell in ("1.5e3", "-2.25", "+.5")] == ["1500.0", "-2.25", "0.5"]


@doc("BG/Valid Date Format (2.0)")
@assumed("that results print dateTimes in UTC and with milliseconds")
@pytest.mark.parametrize(
    ("cell", "result"),
    [
        ("2025-03-04T10:15:27.000+01:00", "2025-03-04T09:15:27.000Z"),
        ("2025-03-04T09:15:27.5Z", "2025-03-04T09:15:27.500Z"),
        ("2025-03-04T09:15:27Z", "2025-03-04T09:15:27.000Z"),
    ],
)
def test_datetimes_have_an_offset_or_z_and_perhaps_milliseconds(org: Caller, cell: str, result: str) -> None:
    assert outcome(org, "ReminderDateTime", cell) == result


@seen("SFDO-Tooling/Snowfakery issue 793: '2018-09-28' is not a valid value for the type xsd:dateTime")
def test_a_day_alone_is_no_time(org: Caller) -> None:
    assert outcome(org, "ReminderDateTime", "2025-03-04") == not_deserialized(
        "ReminderDateTime", "2025-03-04", "xsd:dateTime"
    )


@doc("BG/Sample CSV Files, where a date ends in Z though Valid Date Format says it has no offset")
def test_dates_may_end_in_z(org: Caller) -> None:
    assert [outcome(org, "CloseDate", cell) for cell in ("1940-06-07", "1940-06-07Z")] == ["1940-06-07", "1940-06-07"]


@doc("Object reference, Primitive Data Types: true (or 1), or false (or 0)")
@pytest.mark.parametrize(("cell", "result"), [("true", "true"), ("false", "false"), ("1", "true"), ("0", "false")])
def test_booleans_are_true_false_1_and_0(org: Caller, cell: str, result: str) -> None:
    assert outcome(org, "IsPrivate", cell) == result


@doc("BG/Prepare CSV Files")
@seen("jsforce, which writes #N/A for null")
@assumed("on insert as on update")
def test_na_is_no_value(org: Caller) -> None:
    job = org.load(csv_text([[*OPPORTUNITY, "Amount"], [*OPPORTUNITY.values(), "#N/A"]]), "Opportunity")
    [row] = org.succeeded(job)
    assert (row["Amount"], org.record(row["sf__Id"], "Opportunity")["Amount"]) == ("#N/A", None)


@doc("Object reference, restrictedPicklist; Salesforce Help 000386557: picklist fields are not case sensitive")
def test_picklists_take_new_values_unless_restricted(org: Caller) -> None:
    assert outcome(org, "StageName", "Of our own making") == "Of our own making"
    assert outcome(org, "CallType", "inbound") == "Inbound"


@doc("Object reference, multi-select picklists: values are separated by semicolons")
@assumed("the text of the error")
def test_each_value_of_a_restricted_multi_select_picklist_is_checked(tmp_path: Path) -> None:
    schema = (
        "objects: {Account: {fields: {Colours__c: {type: multipicklist, picklist: [Red, Blue], restricted: true}}}}"
    )
    with an_org_with(schema, tmp_path) as org:
        job = org.load("Name,Colours__c\nA,red;Blue\nB,Red;Green\nC,#N/A\n")
        assert {row["Name"]: row["Colours__c"] for row in org.succeeded(job)} == {"A": "Red;Blue", "C": "#N/A"}
        assert org.errors(job) == [
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Colours: bad value for restricted picklist field: Green:Colours__c --"
        ]


OUT_OF_RANGE = "NUMBER_OUTSIDE_VALID_RANGE"


def not_deserialized(field: str, cell: str, type_: str) -> str:
    """The error of a cell of another type in an otherwise good row."""
    column = list(row_with(field, cell)[1]).index(field)
    reason = f"'{cell}' is not a valid value for the type {type_}"
    return f"INVALID_FIELD:Failed to deserialize field at col {column}. Due to, {reason}:{field} --"


@seen(
    "amp-labs/connectors, partial-failure.csv (xsd:date at col 3, the fourth column); SFDO-Tooling/Snowfakery issue 793"
    " (xsd:dateTime at col 0); logs of others for xsd:double and xsd:int"
)
@assumed("that boolean cells are told alike")
@pytest.mark.parametrize(
    ("field", "cell", "type_"),
    [
        ("Amount", "abc", "xsd:double"),
        ("Amount", "NaN", "xsd:double"),
        ("Amount", "1_000", "xsd:double"),
        ("CloseDate", "31.01.2025", "xsd:date"),
        ("CloseDate", "2025-02-30", "xsd:date"),
        ("IsPrivate", "yes", "xsd:boolean"),
        ("CallDurationInSeconds", "1.0", "xsd:int"),
        ("CallDurationInSeconds", "\u0661", "xsd:int"),
        ("ReminderDateTime", "yesterday", "xsd:dateTime"),
    ],
)
def test_a_cell_of_another_type_is_not_deserialized(org: Caller, field: str, cell: str, type_: str) -> None:
    assert outcome(org, field, cell) == not_deserialized(field, cell, type_)


@seen("Salesforce Help 000381727, of Data Loader")
@assumed("which of the two a job says, and the code", switch="wrong_type_text")
def test_a_cell_of_another_type_can_be_told_as_not_of_the_required_type(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(wrong_type_text="required-type")) as org:
        error = "INVALID_TYPE_ON_FIELD_IN_RECORD:Amount: value not of required type: $5:Amount --"
        assert outcome(org, "Amount", "$5") == error


@assumed("cells of forms that no source settles, which tests/agreement/cells.py lists", switch="unsettled_cells")
def test_cells_that_no_source_settles_are_refused_or_taken(org: Caller, tmp_path: Path) -> None:
    cells = {
        "Amount": (" 5", "5.0"),
        "IsPrivate": ("TRUE", "true"),
        "CloseDate": ("2026-01-31T00:00:00Z", "2026-01-31"),
        "ReminderDateTime": ("2026-01-31T09:30:00", "2026-01-31T09:30:00.000Z"),
        "CallType": ("Inbound ", "Inbound"),
    }
    assert [field for field, (cell, _) in cells.items() if " --" not in outcome(org, field, cell)] == []
    with an_org(tmp_path, assumptions=Assumptions(unsettled_cells="taken")) as taking:
        assert {field: outcome(taking, field, cell) for field, (cell, _) in cells.items()} == {
            field: result for field, (_, result) in cells.items()
        }


@doc("Apex developer guide, Primitive Data Types: strings are never empty, and have no spaces at either end")
@assumed("that results echo them as they came")
def test_texts_are_stored_without_spaces_at_their_ends(org: Caller) -> None:
    job = org.load("Name,Site\n  Acme ,   \n")
    [row] = org.succeeded(job)
    record = org.record(row["sf__Id"])
    assert (row["Name"], record["Name"], record["Site"]) == ("  Acme ", "Acme", None)
    assert org.errors(org.load('Name\n" "\n')) == ["REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"]


@doc("Salesforce Help 000384328: addresses are stored in lower case")
def test_emails_are_stored_in_lower_case(org: Caller) -> None:
    [row] = org.succeeded(org.load("LastName,Email\nNgata,Ann@ACME.example\n", "Contact"))
    assert org.record(row["sf__Id"], "Contact")["Email"] == "ann@acme.example"


@seen("a migration runbook for the codes of picklists; others of the platform")
@assumed(PLATFORM)
@pytest.mark.parametrize(
    ("field", "cell", "error"),
    [
        ("Amount", "1e20", f"{OUT_OF_RANGE}:Amount: value outside of valid range on numeric field: 1e20"),
        ("CloseDate", "#N/A", "REQUIRED_FIELD_MISSING:Required fields are missing: [CloseDate]"),
        (
            "CallDurationInSeconds",
            "999999999",
            f"{OUT_OF_RANGE}:Call Duration: value outside of valid range on numeric field: 999999999",
        ),
        (
            "ReminderDateTime",
            "0001-01-01T00:00:00+14:00",
            "FIELD_INTEGRITY_EXCEPTION:Reminder Date/Time: invalid date: 0001-01-01T00:00:00+14:00",
        ),
        (
            "CallType",
            "Telepathic",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:Call Type: bad value for restricted picklist field: Telepathic",
        ),
        ("AccountId", "not an id", "MALFORMED_ID:Account ID: id value of incorrect type: not an id"),
        ("AccountId", "003000000000001AAA", "MALFORMED_ID:Account ID: id value of incorrect type: 003000000000001AAA"),
        ("NextStep", "x" * 256, f"STRING_TOO_LONG:Next Step: data value too large: {'x' * 256} (max length=255)"),
        (
            "IsClosed",
            "true",
            "INVALID_FIELD_FOR_INSERT_UPDATE:Unable to create/update fields: IsClosed. Please check the security"
            " settings of this field and verify that it is read/write for your profile or permission set.",
        ),
    ],
)
def test_bad_values_fail_their_row_with_the_platforms_text(org: Caller, field: str, cell: str, error: str) -> None:
    assert outcome(org, field, cell) == f"{error}:{field} --"


@doc("SOQL and SOSL reference, Date Formats and Date Literals: from 1700 on to the last day of 4000")
@seen("the code: Salesforce StackExchange 339236")
@assumed("the text")
@pytest.mark.parametrize(
    ("field", "label", "good", "bad"),
    [
        ("CloseDate", "Close Date", ["1700-01-01", "4000-12-31"], ["1699-12-31", "4001-01-01", "0999-01-01"]),
        (
            "ReminderDateTime",
            "Reminder Date/Time",
            ["1700-01-01T00:00:00.000Z", "4000-12-31T00:00:00.000Z"],
            ["1700-01-01T00:00:00+00:01", "4000-12-31T00:00:01Z", "0999-01-01T00:00:00Z"],
        ),
    ],
)
def test_dates_lie_within_the_years_that_salesforce_knows(
    org: Caller, field: str, label: str, good: list[str], bad: list[str]
) -> None:
    assert [outcome(org, field, cell) for cell in good] == good
    for cell in bad:
        assert outcome(org, field, cell) == f"FIELD_INTEGRITY_EXCEPTION:{label}: invalid date: {cell}:{field} --"


@assumed(PLATFORM)
@pytest.mark.parametrize(("email", "good"), [("a@b.example", True), ("a@b", False), ("a b@c.example", False)])
def test_emails_are_checked(org: Caller, email: str, good: bool) -> None:
    job = org.load(f"LastName,Email\nNgata,{email}\n", "Contact")
    errors = [] if good else [f"INVALID_EMAIL_ADDRESS:Email: invalid email address: {email}:Email --"]
    assert org.errors(job) == errors


@assumed("that it is cut, and where; standard readers of CSV take no cell of more than 131,072 characters")
def test_an_error_that_quotes_a_long_value_fits_into_a_cell(org: Caller) -> None:
    error = outcome(org, "NextStep", "x" * 131_000)
    assert len(error) <= 100_100
    assert error.startswith("STRING_TOO_LONG:Next Step: data value too large: xxx")
    assert error.endswith("x (max length=255):NextStep --")


# Every type of field that a cell can be written to, and the keys by which a row can name a record or a parent.
EVERY_TYPE = """
objects:
  Thing__c:
    fields:
      Text_Key__c: {type: string, length: 40, externalId: true, unique: true}
      Number_Key__c: {type: double, externalId: true, unique: true}
      Email_Key__c: {type: email, externalId: true, unique: true}
      Date__c: {type: date}
      Datetime__c: {type: datetime}
      Double__c: {type: double, scale: 2}
      Currency__c: {type: currency}
      Percent__c: {type: percent}
      Boolean__c: {type: boolean}
      Text_Area__c: {type: textarea}
      Phone__c: {type: phone}
      Url__c: {type: url}
      Picklist__c: {type: picklist, picklist: [A], restricted: true}
      Multi__c: {type: multipicklist, picklist: [A], restricted: true}
      Parent__c: {type: reference, referenceTo: Thing__c}
"""
KEYS = ("Text_Key__c", "Number_Key__c", "Email_Key__c")
WRITABLE = (
    *KEYS, "Date__c", "Datetime__c", "Double__c", "Currency__c", "Percent__c", "Boolean__c", "Text_Area__c", "Phone__c",
    "Url__c", "Picklist__c", "Multi__c", "Parent__c", *(f"Parent__r.{key}" for key in (*KEYS, "Id")),
)  # fmt: skip
"""Columns of Thing__c."""


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with an object that has a field of every type."""
    with an_org_with(EVERY_TYPE, tmp_path_factory.mktemp("things")) as caller:
        yield caller


def one_by_one(cells: list[str]) -> list[list[str]]:
    """A row for each cell in each column of Thing__c; every other cell of the row is empty."""
    return [
        [cell if place == column else "" for place in range(len(WRITABLE))]
        for column in range(len(WRITABLE))
        for cell in cells
    ]


def each_has_an_outcome(org: Caller, operation: str, key: str | None, cells: list[str]) -> None:
    """Load the cells, and check that the job ends well with each of its rows in one result."""
    rows, header = one_by_one(cells), ["Name", *WRITABLE]
    rows = [[f"Row {number}", *row] for number, row in enumerate(rows)]
    if operation == "update":
        [made] = org.succeeded(org.load("Name\nA\n", "Thing__c"))
        header, rows = ["Id", *header], [[made["sf__Id"], *row] for row in rows]
    settings = {} if key is None else {"externalIdFieldName": key}
    job = org.load(csv_text([header, *rows]), "Thing__c", operation, **settings)
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", len(rows)), job
    results = [*org.succeeded(job), *org.rows(job, "failedResults")]
    assert Counter(row["Name"] for row in results) == Counter(row[header.index("Name")] for row in rows)


OPERATIONS = [("insert", None), ("update", None), *(("upsert", key) for key in (*KEYS, "Id"))]


@own
@pytest.mark.parametrize(("operation", "key"), OPERATIONS)
def test_a_value_that_can_not_be_fails_at_most_its_own_row(things: Caller, operation: str, key: str | None) -> None:
    each_has_an_outcome(things, operation, key, IMPOSSIBLE)


@own
@EXAMPLES
@given(how=st.sampled_from(OPERATIONS), cell=forms)
def test_a_value_of_any_form_fails_at_most_its_own_row(things: Caller, how: tuple[str, str | None], cell: str) -> None:
    each_has_an_outcome(things, *how, [cell])
