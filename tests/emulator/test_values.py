"""What each type of field takes, and how results print it."""

import pytest

from salesforce_bulk_ingest.emulator.processing.values import java_double
from tests.emulator.caller import Caller, csv_text


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


def outcome(org: Caller, field: str, cell: str) -> str:
    """What a result file says of this cell in an otherwise good opportunity or task."""
    of_task = field in ("ReminderDateTime", "CallType", "WhoId", "IsReminderSet", "CallDurationInSeconds")
    good = {"Subject": "Call"} if of_task else OPPORTUNITY
    row = good | {field: cell}
    job = org.load(csv_text([list(row), list(row.values())]), "Task" if of_task else "Opportunity")
    [only] = org.succeeded(job) + org.rows(job, "failedResults")
    return only.get("sf__Error") or only[field]


@pytest.mark.parametrize(
    ("field", "cell", "result"),
    [
        ("Amount", "912260031", "9.12260031E8"),
        ("Amount", "1.5e3", "1500.0"),
        ("Amount", "#N/A", "#N/A"),
        ("Probability", "50", "50.0"),
        ("CloseDate", "1940-06-07Z", "1940-06-07"),
        ("CallDurationInSeconds", "2676", "2676"),
        ("CallDurationInSeconds", "+007", "7"),
        ("IsPrivate", "TRUE", "true"),
        ("IsReminderSet", "0", "false"),
        ("ReminderDateTime", "2025-03-04T10:15:27+01:00", "2025-03-04T09:15:27.000Z"),
        ("ReminderDateTime", "2025-03-04T09:15:27.5Z", "2025-03-04T09:15:27.500Z"),
        ("ReminderDateTime", "2025-03-04", "2025-03-04T00:00:00.000Z"),
        ("CallType", "inbound", "Inbound"),
        ("StageName", "Of our own making", "Of our own making"),
    ],
)
def test_good_values_are_typed_and_printed_again(org: Caller, field: str, cell: str, result: str) -> None:
    assert outcome(org, field, cell) == result


WRONG_TYPE = "INVALID_TYPE_ON_FIELD_IN_RECORD"
OUT_OF_RANGE = "NUMBER_OUTSIDE_VALID_RANGE"


@pytest.mark.parametrize(
    ("field", "cell", "error"),
    [
        ("Amount", "abc", f"{WRONG_TYPE}:Amount: value not of required type: abc"),
        ("Amount", "NaN", f"{WRONG_TYPE}:Amount: value not of required type: NaN"),
        ("Amount", "1_000", f"{WRONG_TYPE}:Amount: value not of required type: 1_000"),
        ("Amount", "1e20", f"{OUT_OF_RANGE}:Amount: value outside of valid range on numeric field: 1e20"),
        ("CloseDate", "31.01.2025", f"{WRONG_TYPE}:Close Date: value not of required type: 31.01.2025"),
        ("CloseDate", "2025-02-30", f"{WRONG_TYPE}:Close Date: value not of required type: 2025-02-30"),
        ("CloseDate", "#N/A", "REQUIRED_FIELD_MISSING:Required fields are missing: [CloseDate]"),
        ("IsPrivate", "yes", f"{WRONG_TYPE}:Private: value not of required type: yes"),
        ("CallDurationInSeconds", "1.0", f"{WRONG_TYPE}:Call Duration: value not of required type: 1.0"),
        ("CallDurationInSeconds", "\u0661", f"{WRONG_TYPE}:Call Duration: value not of required type: \u0661"),
        (
            "CallDurationInSeconds",
            "999999999",
            f"{OUT_OF_RANGE}:Call Duration: value outside of valid range on numeric field: 999999999",
        ),
        ("ReminderDateTime", "yesterday", f"{WRONG_TYPE}:Reminder Date/Time: value not of required type: yesterday"),
        (
            "ReminderDateTime",
            "0001-01-01T00:00:00+14:00",
            f"{WRONG_TYPE}:Reminder Date/Time: value not of required type: 0001-01-01T00:00:00+14:00",
        ),
        (
            "CallType",
            "Telepathic",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST:bad value for restricted picklist field: Telepathic",
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
def test_bad_values_fail_their_row_with_salesforces_text(org: Caller, field: str, cell: str, error: str) -> None:
    assert outcome(org, field, cell) == f"{error}:{field} --"


@pytest.mark.parametrize(("field", "cell"), [("AccountId", "001000000000001AAA"), ("WhoId", "00Q000000000001")])
def test_a_lookup_to_no_record_fails_the_row(org: Caller, field: str, cell: str) -> None:
    assert outcome(org, field, cell) == "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--"


@pytest.mark.parametrize(("email", "good"), [("a@b.example", True), ("a@b", False), ("a b@c.example", False)])
def test_emails_are_checked(org: Caller, email: str, good: bool) -> None:
    job = org.load(f"LastName,Email\nNgata,{email}\n", "Contact")
    errors = [] if good else [f"INVALID_EMAIL_ADDRESS:Email: invalid email address: {email}:Email --"]
    assert org.errors(job) == errors
