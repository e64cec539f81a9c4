"""Cells of every form for every type of field, with what Salesforce does with them, how sure that is, and who says so.

The table was written before the rules that follow it, and is changed only when a source says something else. `doc` is stated
by official documentation, `seen` was observed on a real org or in public code, and `assumed` has no source that settles it. A
cell that is `UNSETTLED` is one where a wrong guess would cost rows or advice: an org takes or refuses it as
`unsettled_cells` says, and preflight warns that it may fail.

What is stored of text is the text itself unless `stored` says otherwise.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal


class Verdict(Enum):
    """What becomes of a cell."""

    TAKEN = auto()
    REFUSED = auto()
    UNSETTLED = auto()


TAKEN, REFUSED, UNSETTLED = Verdict.TAKEN, Verdict.REFUSED, Verdict.UNSETTLED

Stored = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Case:
    """A cell in a column of the field.

    Attributes:
        field: the object and the field, as in `Thing__c.Day__c`.
        stored: what a query answers for a cell that is taken.
        is_seen_by_describe: whether the describe tells what preflight would have to know.
    """

    field: str
    cell: str
    verdict: Verdict
    stored: Stored
    mark: Literal["doc", "seen", "assumed"]
    source: str
    is_seen_by_describe: bool = True


OBJECTS = """
objects:
  Thing__c:
    fields:
      Text__c: {type: string, length: 10}
      Area__c: {type: textarea, length: 20}
      Phone__c: {type: phone}
      Url__c: {type: url}
      Email__c: {type: email}
      Number__c: {type: double, precision: 8, scale: 2}
      Whole__c: {type: double, precision: 6, scale: 0}
      Money__c: {type: currency, precision: 18, scale: 2}
      Percent__c: {type: percent, precision: 5, scale: 2}
      Flag__c: {type: boolean}
      Day__c: {type: date}
      Moment__c: {type: datetime}
      Opens__c: {type: time}
      Secret__c: {type: encryptedstring, length: 10}
      Level__c: {type: picklist, picklist: [Low, Very High], restricted: true}
      Free__c: {type: picklist, picklist: [Low, Very High]}
      Colours__c: {type: multipicklist, picklist: [Red, Dark Blue], restricted: true}
      Tags__c: {type: multipicklist, picklist: [Red, Dark Blue]}
      Parent__c: {type: reference, referenceTo: Account}
  Needing__c:
    fields:
      Needed__c: {type: string, length: 10, required: true}
"""
"""The schema file with the fields of the table; the others are standard fields."""

GUIDE = "Bulk API 2.0 guide, Prepare CSV Files"
DATES = "Bulk API 2.0 guide, Valid Date Format in Records"
SAMPLES = "Bulk API 2.0 guide, Sample CSV Files: 1940-06-07Z"
XSD = "W3C XML Schema Part 2: Datatypes, to which the guide refers for numbers and times"
DESERIALIZE = "errors of bulk jobs name the type: '...' is not a valid value for the type xsd:..."
LITERALS = "SOQL and SOSL reference, Date Formats and Date Literals: from 1700 to 4000"
PRIMITIVES = "Object reference, Primitive Data Types"
FIELD_TYPES = "Object reference, Field Types"
DECIMALS = "Salesforce Help 000387302: the API stores more decimal places than the field shows"
APEX_STRINGS = "Apex developer guide, Primitive Data Types: strings are never empty, and have no spaces at either end"
SURROGATES = (
    "Salesforce Help 005166849: LEN counts such a character as two; nothing says how a field's length is measured"
)
CLOCK = "Salesforce Help 000381727: HH:MM:SS.000Z"
EMAILS = "Salesforce Help 000384328 and 000001145: what an email address may be"
PICKLIST_CASE = "Salesforce Help 000386557: picklist fields are not case sensitive"
RESTRICTED = "Salesforce Help 000381951: values are validated against the API names of a restricted picklist"
UNTRIMMED = "the guide: field values aren't trimmed; XML Schema: spaces around a number are no part of it"
NOTHING = "no source"


Mark = Literal["doc", "seen", "assumed"]


def _cases(field: str, verdict: Verdict, mark: Mark, source: str, *cells: str) -> list[Case]:
    """Return cases whose text is stored as it is, or that are refused."""
    return [Case(field, cell, verdict, None if verdict is REFUSED else cell, mark, source) for cell in cells]


def _stored(field: str, verdict: Verdict, mark: Mark, source: str, cells: dict[str, Stored]) -> list[Case]:
    """Return cases with what is stored of each cell."""
    return [Case(field, cell, verdict, stored, mark, source) for cell, stored in cells.items()]


TEXT, AREA = "Thing__c.Text__c", "Thing__c.Area__c"
_TEXTS = [
    *_cases(TEXT, TAKEN, "doc", GUIDE, "plain", "a,b", 'say "x"', "a\tb", "0", "#REF!"),
    *_cases(TEXT, TAKEN, "doc", PRIMITIVES, "x" * 10, "\u00e9" * 10, "\u732b" * 10),
    *_cases(TEXT, REFUSED, "seen", "STRING_TOO_LONG, data value too large, in many threads", "x" * 11, "\u00e9" * 11),
    *_stored(TEXT, TAKEN, "doc", APEX_STRINGS, {" x": "x", "x ": "x", "\tx\n": "x", "   ": None, "\t": None}),
    *_cases(TEXT, TAKEN, "seen", "salesforcedan.com: a space that does not break is kept", "\u00a0x\u00a0"),
    *_cases(TEXT, UNSETTLED, "assumed", SURROGATES, "\U0001f600" * 6, "\U0001f600" * 10),
    *_cases(TEXT, TAKEN, "doc", SURROGATES, "\U0001f600" * 5),
    *_cases(TEXT, REFUSED, "assumed", SURROGATES, "\U0001f600" * 11),
    *_stored(
        TEXT,
        UNSETTLED,
        "assumed",
        f"{APEX_STRINGS}; whether before their length is measured",
        {" " + "x" * 10: "x" * 10},
    ),
    *_cases(TEXT, TAKEN, "assumed", f"{NOTHING}: only #N/A itself is the word", "#n/a", "#N/A!", "N/A", "NULL"),
    *_cases(AREA, TAKEN, "doc", SAMPLES.partition(":")[0], "two\nlines", "two\r\nlines"),
    *_cases(
        AREA,
        TAKEN,
        "assumed",
        f"{NOTHING}: a line break counts as the characters that it has",
        "x" * 9 + "\r\n" + "x" * 9,
    ),
    *_cases(
        AREA,
        REFUSED,
        "assumed",
        f"{NOTHING}: a line break counts as the characters that it has",
        "x" * 9 + "\r\n" + "x" * 10,
    ),
    *_cases(AREA, TAKEN, "assumed", NOTHING, "a\x01b", "a\x7fb"),
    *_cases("Thing__c.Secret__c", TAKEN, "doc", FIELD_TYPES, "4111-11"),
    *_cases("Thing__c.Secret__c", REFUSED, "doc", FIELD_TYPES, "x" * 11),
    *_cases("Thing__c.Phone__c", TAKEN, "doc", FIELD_TYPES, "+49 (0)30 1234", "ask Ann", "x" * 40),
    *_cases("Thing__c.Phone__c", REFUSED, "doc", FIELD_TYPES, "1" * 41),
    *_cases("Thing__c.Url__c", TAKEN, "doc", FIELD_TYPES, "www.acme.example", "https://acme.example/?a=1", "no url"),
    *_cases("Thing__c.Url__c", REFUSED, "doc", FIELD_TYPES, "u" * 256),
    *_cases("Task.Subject", TAKEN, "doc", f"{FIELD_TYPES}: a combobox takes other text too", "Call", "Of our own"),
    *_cases("Task.Subject", REFUSED, "doc", FIELD_TYPES, "x" * 256),
]

EMAIL = "Thing__c.Email__c"
_EMAILS = [
    *_cases(EMAIL, TAKEN, "doc", EMAILS, "ann@acme.example", "a.b+c_d-e@mail.acme.example", "o'neill@acme.example"),
    *_cases(
        EMAIL,
        TAKEN,
        "doc",
        EMAILS,
        "a..b@acme.example",
        "a.@acme.example",
        "!#$%&*/=?^`{|}~@acme.example",
        "1@2-3.example",
    ),
    *_stored(EMAIL, TAKEN, "doc", f"{EMAILS}: stored in lower case", {"Ann@ACME.example": "ann@acme.example"}),
    *_stored(EMAIL, TAKEN, "doc", APEX_STRINGS, {" ann@acme.example ": "ann@acme.example", " ": None}),
    *_cases(EMAIL, REFUSED, "doc", EMAILS, ".ann@acme.example", "ann", "ann@", "@acme.example", "ann@acme_x.example"),
    *_cases(
        EMAIL,
        REFUSED,
        "doc",
        EMAILS,
        "a b@acme.example",
        "a@b@c.example",
        "ann@acme.example; bob@acme.example",
        "ann,b@acme.example",
    ),
    *_cases(
        EMAIL,
        REFUSED,
        "assumed",
        f"{NOTHING}: a domain has a dot, and no blank part",
        "ann@acme",
        "ann@acme..example",
        "ann@.example",
        "ann@acme.",
    ),
    *_cases(EMAIL, REFUSED, "doc", FIELD_TYPES, "a" * 70 + "@acme.example"),
    *_cases(
        EMAIL,
        UNSETTLED,
        "doc",
        f"{EMAILS}: letters of other scripts where the org is set up for them",
        "j\u00f6rg@acme.example",
        "ann@\u00e4cme.example",
    ),
    *_cases(
        EMAIL, UNSETTLED, "doc", f"{EMAILS}: comments in parentheses; whether they are stored", "ann(home)@acme.example"
    ),
    *_cases(
        EMAIL, UNSETTLED, "assumed", NOTHING, '"ann b"@acme.example', "ann@-acme.example", "ann@acme.123", "ann@acme.x"
    ),
]

NUMBER, WHOLE = "Thing__c.Number__c", "Thing__c.Whole__c"
_NUMBERS = [
    *_stored(NUMBER, TAKEN, "doc", GUIDE, {"5": 5.0, "-5.25": -5.25, "1.5e3": 1500.0, "1E-2": 0.01, "2e+2": 200.0}),
    *_stored(
        NUMBER,
        TAKEN,
        "doc",
        XSD,
        {"+5": 5.0, "5.": 5.0, ".5": 0.5, "007": 7.0, "-0": 0.0, "0.0e0": 0.0, "0000000012": 12.0},
    ),
    *_stored(NUMBER, TAKEN, "doc", DECIMALS, {"5.123456789": 5.123456789, "999999.99": 999999.99}),
    *_stored(WHOLE, TAKEN, "doc", DECIMALS, {"25.0": 25.0, "25.5": 25.5}),
    *_stored(NUMBER, TAKEN, "assumed", f"{NOTHING}: a number too small is zero", {"1e-9999": 0.0}),
    *_cases(
        NUMBER,
        REFUSED,
        "seen",
        f"{DESERIALIZE}: '$5', a decimal comma",
        "$5",
        "5,5",
        "1,234.5",
        "1.234,5",
        "1 000",
        "1'000",
    ),
    *_cases(
        NUMBER,
        REFUSED,
        "doc",
        XSD,
        "five",
        "5%",
        "(5)",
        "5-",
        "--5",
        "1.2.3",
        "1_000",
        "0x1A",
        "1e",
        "e5",
        "5e1.5",
        ".",
        "-",
        "\u0665",
        "\u22125",
        "5 EUR",
        "N/A",
        "#REF!",
    ),
    *_cases(
        NUMBER, REFUSED, "assumed", "XML Schema has them, and no field can hold them", "NaN", "INF", "-INF", "Infinity"
    ),
    *_cases(NUMBER, REFUSED, "assumed", "Java reads them, XML Schema does not", "5d", "5f", "0x1p3"),
    *_cases(
        NUMBER,
        REFUSED,
        "seen",
        "value outside of valid range on numeric field, in public tests",
        "1000000",
        "-1000000",
        "1e6",
        "1e999",
        "9" * 400,
    ),
    *_stored(NUMBER, TAKEN, "doc", PRIMITIVES, {"999999": 999999.0, "1e5": 100000.0}),
    *_stored(NUMBER, UNSETTLED, "assumed", UNTRIMMED, {" 5": 5.0, "5 ": 5.0, "\t5\n": 5.0, " ": None, "\n": None}),
    *_stored("Thing__c.Money__c", TAKEN, "doc", GUIDE, {"1234.5": 1234.5, "9999999999999998": 9999999999999998.0}),
    *_cases("Thing__c.Money__c", REFUSED, "seen", f"{DESERIALIZE}: '$5'", "$5", "\u20ac5", "EUR 5", "5,-"),
    *_cases(
        "Thing__c.Money__c",
        REFUSED,
        "seen",
        "value outside of valid range on numeric field, in public tests",
        "1e16",
        "9999999999999999.9",
    ),
    *_stored("Thing__c.Percent__c", TAKEN, "doc", GUIDE, {"50": 50.0, "-12.5": -12.5, "999.99": 999.99}),
    *_cases("Thing__c.Percent__c", REFUSED, "doc", XSD, "50%", "50 %"),
    *_cases(
        "Thing__c.Percent__c", REFUSED, "seen", "value outside of valid range on numeric field, in public tests", "1000"
    ),
]

INT = "Account.NumberOfEmployees"
_INTS = [
    *_stored(INT, TAKEN, "doc", XSD, {"25": 25, "-25": -25, "0": 0, "007": 7, "00000000012": 12, "99999999": 99999999}),
    *_stored(INT, TAKEN, "doc", f"{XSD}: a sign is optional", {"+7": 7}),
    *_cases(INT, REFUSED, "seen", f"{DESERIALIZE}: an xsd:int with decimals", "25.0", "25.5", "25."),
    *_cases(INT, REFUSED, "doc", XSD, "1e3", "1,000", "1.000", "1 000", "0x1A", "ten", "-", "NaN", "\u0665"),
    *_cases(
        INT,
        REFUSED,
        "seen",
        "Employees: value outside of valid range on numeric field: 1431655766",
        "1431655766",
        "100000000",
        "-100000000",
    ),
    *_cases(INT, REFUSED, "doc", f"{XSD}: an int has 32 bits", "2147483648", "9" * 30),
    *_stored(INT, UNSETTLED, "assumed", UNTRIMMED, {" 25": 25, "25 ": 25, " ": None}),
]

FLAG = "Thing__c.Flag__c"
_FLAGS = [
    *_stored(FLAG, TAKEN, "doc", PRIMITIVES, {"true": True, "false": False, "1": True, "0": False}),
    *_stored(
        FLAG,
        UNSETTLED,
        "assumed",
        f"{NOTHING} says whether another case is right",
        {"TRUE": True, "False": False, "fAlSe": False},
    ),
    *_stored(FLAG, UNSETTLED, "assumed", UNTRIMMED, {" true": True, "0 ": False, " ": False}),
    *_cases(
        FLAG,
        REFUSED,
        "doc",
        f"{PRIMITIVES}: true and false, 1 and 0",
        "yes",
        "no",
        "Y",
        "n",
        "t",
        "on",
        "x",
        "2",
        "-1",
        "1.0",
        "wahr",
        "ja",
    ),
]

DAY = "Thing__c.Day__c"
_DAYS = [
    *_cases(DAY, TAKEN, "doc", DATES, "2026-01-31", "2024-02-29", "2000-02-29"),
    *_cases(DAY, TAKEN, "doc", LITERALS, "1700-01-01", "4000-12-31"),
    *_stored(DAY, TAKEN, "doc", SAMPLES, {"1940-06-07Z": "1940-06-07"}),
    *_cases(
        DAY,
        REFUSED,
        "doc",
        f"{DATES}: months are 01 to 12, and days those of the calendar",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-01-00",
        "2024-04-31",
        "2024-02-30Z",
    ),
    *_cases(DAY, REFUSED, "doc", f"{DATES}: an offset is not supported", "2026-01-31+01:00", "2026-01-31-0800"),
    *_cases(
        DAY,
        REFUSED,
        "seen",
        f"{DESERIALIZE}: '6/15/19', '2003-04-987654321987654321', '46204'",
        "6/15/19",
        "1/31/2026",
        "31.01.2026",
        "31/01/2026",
        "2003-04-987654321987654321",
        "46204",
    ),
    *_cases(
        DAY,
        REFUSED,
        "doc",
        DATES,
        "2026-1-31",
        "2026-01-1",
        "26-01-31",
        "20260131",
        "2026/01/31",
        "2026-01",
        "2026",
        "31-Jan-2026",
        "Jan 31, 2026",
        "today",
        "2026-W05-6",
        "2026-031",
        "12026-01-31",
        "-2026-01-31",
        "\u0662026-01-31",
    ),
    *_cases(DAY, REFUSED, "doc", LITERALS, "1699-12-31", "4001-01-01", "0001-01-01", "9999-12-31"),
    *_cases(DAY, REFUSED, "assumed", f"{NOTHING}: there is no year 0", "0000-01-01", "0000-00-00"),
    *_stored(
        DAY,
        UNSETTLED,
        "assumed",
        "Salesforce Help 000385167 has them for Data Loader, which rewrites them",
        {
            "2026-01-31T00:00:00Z": "2026-01-31",
            "2026-01-31T00:00:00.000+0000": "2026-01-31",
            "2026-01-31T09:30:00": "2026-01-31",
        },
    ),
    *_cases(DAY, REFUSED, "doc", f"{DATES}: T begins the time", "2026-01-31 00:00:00", "2026-01-31 x"),
    *_cases(
        DAY,
        REFUSED,
        "assumed",
        f"{NOTHING}: such a day or time does not exist",
        "2024-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31Tx",
        "2026-01-31T",
    ),
    *_stored(
        DAY, UNSETTLED, "assumed", UNTRIMMED, {" 2026-01-31": "2026-01-31", "2026-01-31 ": "2026-01-31", " ": None}
    ),
]

MOMENT = "Thing__c.Moment__c"
_MOMENTS = [
    *_stored(
        MOMENT,
        TAKEN,
        "doc",
        DATES,
        {
            "2026-01-31T09:30:00.000Z": "2026-01-31T09:30:00.000+0000",
            "2026-01-31T09:30:00Z": "2026-01-31T09:30:00.000+0000",
            "2026-01-31T09:30:00.123+02:00": "2026-01-31T07:30:00.123+0000",
            "2026-01-31T09:30:00-08:00": "2026-01-31T17:30:00.000+0000",
            "2024-02-29T23:59:59.999+00:00": "2024-02-29T23:59:59.999+0000",
        },
    ),
    *_stored(
        MOMENT,
        TAKEN,
        "doc",
        "Bulk API guide before version 38: +/-HHmm",
        {
            "2026-01-31T09:30:00.000-0800": "2026-01-31T17:30:00.000+0000",
            "2026-01-31T09:30:00+0000": "2026-01-31T09:30:00.000+0000",
        },
    ),
    *_stored(
        MOMENT,
        TAKEN,
        "doc",
        f"{XSD}: any number of decimals",
        {
            "2026-01-31T09:30:00.5Z": "2026-01-31T09:30:00.500+0000",
            "2026-01-31T09:30:00.123456Z": "2026-01-31T09:30:00.123+0000",
        },
    ),
    *_stored(
        MOMENT,
        TAKEN,
        "doc",
        LITERALS,
        {
            "1700-01-01T00:00:00Z": "1700-01-01T00:00:00.000+0000",
            "4000-12-31T00:00:00Z": "4000-12-31T00:00:00.000+0000",
        },
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "seen",
        "SFDO-Tooling/Snowfakery issue 793: '2018-09-28' is not a valid value for the type xsd:dateTime",
        "2018-09-28",
        "2026-01-31Z",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "seen",
        f"{DESERIALIZE}: a space in place of T",
        "2026-01-31 09:30:00",
        "2024-07-29 22:38:35+00:00",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        DATES,
        "2026-01-31T09:30",
        "2026-01-31T09:30Z",
        "2026-01-31T9:30:00Z",
        "2026-1-31T09:30:00Z",
        "2026-01-31t09:30:00z",
        "20260131T093000Z",
        "01/31/2026 9:30 AM",
        "31.01.2026 09:30",
        "09:30:00Z",
        "1769851800",
        "yesterday",
        "2026-01-31T09:30:00 PST",
        "2026-01-31T09:30:00 Z",
        "2026-01-31T09:30:00,5Z",
        "2026-01-31T09:30:00.Z",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        f"{DATES}: hours are 00 to 23, minutes and seconds 00 to 59",
        "2026-01-31T24:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:60:00Z",
        "2016-12-31T23:59:60Z",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        f"{DATES}: days are those of the calendar",
        "2024-02-30T00:00:00Z",
        "2023-02-29T12:00:00+01:00",
        "2024-13-01T00:00:00Z",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        f"{XSD}: an offset has at most 14 hours, and minutes to 59",
        "2026-01-31T09:30:00+15:00",
        "2026-01-31T09:30:00-14:30",
        "2026-01-31T09:30:00+02:60",
        "2026-01-31T09:30:00+99:99",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        DATES,
        "2026-01-31T09:30:00+02",
        "2026-01-31T09:30:00+2:00",
        "2026-01-31T09:30:00+02:00:00",
    ),
    *_cases(
        MOMENT,
        REFUSED,
        "doc",
        LITERALS,
        "1699-12-31T23:59:59Z",
        "1700-01-01T00:00:00+00:01",
        "4000-12-31T00:00:01Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ),
    *_stored(
        MOMENT,
        UNSETTLED,
        "assumed",
        "XML Schema has times without zone; nothing says whether they are UTC or in the user's",
        {
            "2026-01-31T09:30:00": "2026-01-31T09:30:00.000+0000",
            "2026-01-31T09:30:00.123": "2026-01-31T09:30:00.123+0000",
        },
    ),
    *_stored(
        MOMENT,
        UNSETTLED,
        "assumed",
        UNTRIMMED,
        {
            " 2026-01-31T09:30:00Z": "2026-01-31T09:30:00.000+0000",
            "2026-01-31T09:30:00Z ": "2026-01-31T09:30:00.000+0000",
            " ": None,
        },
    ),
]

OPENS = "Thing__c.Opens__c"
_TIMES_OF_DAY = [
    *_stored(OPENS, TAKEN, "doc", CLOCK, {"08:00:00.000Z": "08:00:00.000Z", "23:59:59.999Z": "23:59:59.999Z"}),
    *_stored(OPENS, TAKEN, "doc", f"{XSD}: a fraction is optional", {"09:30:00Z": "09:30:00.000Z"}),
    *_stored(OPENS, TAKEN, "assumed", f"{NOTHING}: thousandths are kept", {"09:30:00.1239Z": "09:30:00.123Z"}),
    *_cases(
        OPENS,
        REFUSED,
        "seen",
        f"{CLOCK}; others are not a valid value for the type xsd:time",
        "9:30:00 PM",
        "09:30",
        "9:30:00Z",
        "9.30",
        "0930",
        "noon",
        "2026-01-31T09:30:00Z",
    ),
    *_cases(
        OPENS,
        REFUSED,
        "assumed",
        f"{DATES}: hours are 00 to 23, minutes and seconds 00 to 59",
        "24:00:00.000Z",
        "12:60:00Z",
        "12:00:60Z",
    ),
    *_cases(
        OPENS, REFUSED, "assumed", f"{NOTHING}: a time of day has no zone but Z", "09:30:00+02:00", "09:30:00.000z"
    ),
    *_stored(
        OPENS,
        UNSETTLED,
        "assumed",
        f"{CLOCK}, and in the Data Import Wizard without Z, too",
        {"08:00:00.000": "08:00:00.000Z", "08:00:00": "08:00:00.000Z"},
    ),
    *_stored(OPENS, UNSETTLED, "assumed", UNTRIMMED, {" 08:00:00.000Z": "08:00:00.000Z", " ": None}),
]

LEVEL, COLOURS = "Thing__c.Level__c", "Thing__c.Colours__c"
_PICKLISTS = [
    *_cases(LEVEL, TAKEN, "doc", RESTRICTED, "Low", "Very High"),
    *_stored(LEVEL, TAKEN, "doc", PICKLIST_CASE, {"low": "Low", "VERY HIGH": "Very High"}),
    *_cases(LEVEL, REFUSED, "doc", RESTRICTED, "Medium", "Very  High", "VeryHigh", "Low;Very High", "None", "--None--"),
    *_stored(
        LEVEL,
        UNSETTLED,
        "assumed",
        f"{NOTHING} says whether spaces are taken away before",
        {" Low": "Low", "Low ": "Low", " ": None},
    ),
    *_cases(
        "Thing__c.Free__c",
        TAKEN,
        "doc",
        f"{FIELD_TYPES}: the API does not enforce an unrestricted picklist",
        "Low",
        "Of our own",
    ),
    *_stored("Thing__c.Free__c", TAKEN, "doc", APEX_STRINGS, {" Of our own ": "Of our own", " ": None}),
    *_cases("Thing__c.Free__c", REFUSED, "seen", "simplysfdc.com, April 2026: STRING_TOO_LONG beyond 255", "x" * 256),
    *_cases(COLOURS, TAKEN, "doc", FIELD_TYPES, "Red", "Red;Dark Blue"),
    *_stored(COLOURS, TAKEN, "doc", PICKLIST_CASE, {"red;DARK BLUE": "Red;Dark Blue"}),
    *_cases(COLOURS, REFUSED, "doc", RESTRICTED, "Green", "Red;Green", "Red,Dark Blue", "Red|Dark Blue"),
    *_stored(
        COLOURS,
        UNSETTLED,
        "assumed",
        NOTHING,
        {
            "Red;": "Red",
            ";Red": "Red",
            "Red;;Dark Blue": "Red;Dark Blue",
            "Red; Dark Blue": "Red;Dark Blue",
            "Red;Red": "Red",
            ";": None,
            " ": None,
        },
    ),
    *_cases(
        "Thing__c.Tags__c",
        TAKEN,
        "doc",
        f"{FIELD_TYPES}: the API does not enforce an unrestricted picklist",
        "Red",
        "Red;Of our own",
    ),
]

PARENT = "Thing__c.Parent__c"
ID_15, ID_18, LOWER_18, UPPER_18 = "<15>", "<18>", "<18 lower>", "<18 upper>"
"""Stand for the id of an account, in these forms."""

_IDS = [
    *_stored(PARENT, TAKEN, "doc", f"{FIELD_TYPES}: ids have 15 or 18 characters", {ID_15: ID_18, ID_18: ID_18}),
    *_cases(
        PARENT,
        REFUSED,
        "seen",
        "id value of incorrect type, in many threads",
        "not an id",
        "Acme",
        "00100000000000",
        "001000000000001A",
        "00100000000000-",
        "00100000000000\u00e9",
    ),
    *_stored(
        PARENT,
        UNSETTLED,
        "assumed",
        "ids of 18 characters are for programs that ignore case; nothing says that one in another case is taken",
        {LOWER_18: ID_18, UPPER_18: ID_18},
    ),
    *_stored(PARENT, UNSETTLED, "assumed", UNTRIMMED, {f" {ID_18}": ID_18, f"{ID_15} ": ID_18, " ": None}),
    Case(
        PARENT,
        "003000000000001AAA",
        REFUSED,
        None,
        "seen",
        "id value of incorrect type, in many threads",
        is_seen_by_describe=False,
    ),
]

NEEDED = "Needing__c.Needed__c"
_NEEDED = [
    *_cases(NEEDED, TAKEN, "doc", GUIDE, "x", "0"),
    *_cases(NEEDED, REFUSED, "doc", GUIDE, "", "#N/A"),
    *_cases(NEEDED, REFUSED, "doc", APEX_STRINGS, " ", "\t", " \n "),
    *_cases(NEEDED, TAKEN, "seen", "salesforcedan.com: a space that does not break is kept", "\u00a0"),
]

NULLED = [
    *(
        TEXT,
        AREA,
        "Thing__c.Phone__c",
        EMAIL,
        NUMBER,
        DAY,
        MOMENT,
        OPENS,
        LEVEL,
        "Thing__c.Free__c",
        COLOURS,
        PARENT,
        INT,
    ),
]
_NULLS = [
    *(Case(field, "#N/A", TAKEN, None, "doc", GUIDE) for field in NULLED),
    *(Case(field, "", TAKEN, None, "doc", GUIDE) for field in NULLED),
    *_stored(FLAG, TAKEN, "assumed", "a boolean is never null", {"#N/A": False, "": False}),
]

CASES = [
    *_TEXTS,
    *_EMAILS,
    *_NUMBERS,
    *_INTS,
    *_FLAGS,
    *_DAYS,
    *_MOMENTS,
    *_TIMES_OF_DAY,
    *_PICKLISTS,
    *_IDS,
    *_NEEDED,
    *_NULLS,
]
"""The table. Of the other types no row can be written here: long and base64 are not in the org, and compound fields and
anyType can't be written by a job."""
