"""The call that follows failed rows leads to all of them loaded, for each cause that has advice of its own.

The org refuses a row by one rule, and its result says another cause, as a real org would: the embedded org has few of them.
A caller makes the call that `next` names, fills its gaps, and the rows arrive.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from mcp import Client

from salesforce_bulk_ingest.results.remedies import known_codes, known_texts, remedy_for
from tests.salesforce_emulator.caller import Caller, app_with, calling
from tests.support.altered_results import Alteration, AlteredResults
from tests.support.asgi_server import running
from tests.support.next_call import next_call
from tests.support.orgs import agent, call, closed

SCHEMA = """
objects:
  Account:
    fields:
      Day__c: {type: date}
      Switch__c: {type: boolean}
    rules:
      - {name: Wrong, when: Site = 'wrong', message: Wrong}
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of failed rows.

    Attributes:
        error: what the result says.
        column: the column of the cell at fault.
        cell: a cell that the org refuses.
        fill: what the caller puts in place of it, or the name of its form.
    """

    error: str
    column: str = "Site"
    cell: str = "wrong"
    fill: str = "right"


def deserialized(kind: str, column: str, cell: str, form: str) -> Cause:
    """A cell that is not of the type of its field."""
    error = f"INVALID_FIELD:Failed to deserialize field at col 1. Due to, '{cell}' is not a valid value for the type xsd:{kind}:{column} --"
    return Cause(error, column, cell, form)


OF_TEXTS: Mapping[tuple[str, str], Cause] = {
    ("INVALID_FIELD", "Foreign key external ID"): Cause(
        "INVALID_FIELD:Foreign key external ID: P-0 not found for field External_Id__c in entity Account:--",
        "Parent.External_Id__c",
        "P-0",
        "P-1",
    ),
    ("INVALID_FIELD", "valid value for the type xsd:date"): deserialized("date", "Day__c", "31.1.2026", "DD.MM.YYYY"),
    ("INVALID_FIELD", "valid value for the type xsd:boolean"): deserialized("boolean", "Switch__c", "yes", "yes/no"),
    ("INVALID_FIELD", "valid value for the type xsd:int"): deserialized("int", "NumberOfEmployees", "25.0", "1234.5"),
    ("INVALID_FIELD", "valid value for the type"): deserialized("double", "AnnualRevenue", "$5", "$1,234.5"),
    ("INVALID_CROSS_REFERENCE_KEY", "Record Type ID"): Cause(
        "INVALID_CROSS_REFERENCE_KEY:Record Type ID: this ID value isn't valid for the user: wrong:Site --"
    ),
    ("INVALID_CROSS_REFERENCE_KEY", "cannot be blank"): Cause(
        "INVALID_CROSS_REFERENCE_KEY:Owner ID: cannot be blank:Site --"
    ),
    ("FIELD_INTEGRITY_EXCEPTION", "problem with this"): Cause(
        "FIELD_INTEGRITY_EXCEPTION:There's a problem with this country, even though it may appear correct.:Site --"
    ),
    ("DUPLICATE_VALUE", "Duplicate external id specified"): Cause(
        "DUPLICATE_VALUE:Duplicate external id specified: wrong:Site --"
    ),
}
"""A cause for each part of a message that has advice of its own."""

OF_CODES: Mapping[str, Cause] = {
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Cause(
        "INVALID_TYPE_ON_FIELD_IN_RECORD:Day: value not of required type: 31.1.2026:Day__c --",
        "Day__c",
        "31.1.2026",
        "DD.MM.YYYY",
    )
}
"""The causes of codes whose remedy needs more than a message of any words."""

CAUSES = [
    *OF_TEXTS.values(),
    *(OF_CODES.get(code) or Cause(f"{code}:what the org says:Site --") for code in sorted(known_codes())),
]


@dataclass(frozen=True, slots=True)
class Org:
    """An embedded org whose failed rows say what a test wants.

    Attributes:
        caller: the org's caller.
        results: what its results go through.
    """

    caller: Caller
    results: AlteredResults


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    results = AlteredResults(app_with(SCHEMA, tmp_path_factory.mktemp("org")))
    with running(results) as url, calling(url) as caller:
        caller.load("External_Id__c,Name\nP-1,Parent\n", operation="upsert", externalIdFieldName="External_Id__c")
        yield Org(caller, results)


@pytest.fixture
async def client(org: Org) -> AsyncIterator[Client]:
    async with agent(str(org.caller.http.base_url)) as connected:
        yield connected


def saying(error: str) -> Alteration:
    """Failed rows that say this error."""

    def altered(content: bytes) -> bytes:
        header, *rows = csv.reader(io.StringIO(content.decode()))
        place = header.index("sf__Error")
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
            [header, *([*row[:place], error, *row[place + 1 :]] for row in rows)]
        )
        return text.getvalue().encode()

    return altered


def filled(value: Any, cause: Cause, corrected: str) -> Any:
    """An argument with its gaps filled."""
    if isinstance(value, dict):
        return {name: filled(each, cause, corrected) for name, each in value.items()}
    gaps = {
        "<the corrected rows>": {"csv": corrected},
        f'<{cause.column} for "{cause.cell}">': cause.fill,
        f"<another field for {cause.column}, or null>": None,
        f"<form of {cause.column}, such as DD.MM.YYYY or 1.234,5>": cause.fill,
    }
    return gaps.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.error.split(":--")[0][:60])
async def test_rows_arrive_once_the_call_that_follows_failed_rows_is_made(
    client: Client, org: Org, cause: Cause
) -> None:
    code, _, message = cause.error.partition(":")
    is_retryable = remedy_for(code, message).is_retryable
    name = f"Row {CAUSES.index(cause)}"
    header, wrong, right = f"Name,Phone,{cause.column}", f'{name} A,1,"{{}}"', f"{name} B,2,"
    org.results.alterations["failedResults"] = [saying(cause.error)]
    if is_retryable:
        org.caller.go_wrong({"on": "processing", "fault": "locked-rows", "times": 1})
    rows = "\n".join([header, wrong.format("right" if is_retryable else cause.cell), right])
    body = {"object": "Account", "operation": "insert"}
    job = await call(client, "create-ingest-job", body=body, data={"csv": rows}, preflight="off")
    assert (await closed(client, job["id"]))["numberRecordsFailed"] == 1

    page = await call(client, "get-failed-results-ingest-job", jobId=job["id"])
    assert [group["statusCode"] for group in page["causes"]] == [code]
    tool, arguments = next_call(page["next"])
    again = await call(client, tool, **filled(arguments, cause, f"{header}\n{wrong.format(cause.fill)}"))
    assert (await closed(client, again["id"]))["numberRecordsFailed"] == 0
    found = org.caller.query(f"SELECT Phone FROM Account WHERE Name LIKE '{name} _' ORDER BY Phone")["records"]
    assert [record["Phone"] for record in found] == ["1", "2"]


def test_each_message_with_advice_of_its_own_has_a_cause() -> None:
    assert list(OF_TEXTS) == known_texts()
    assert OF_CODES.keys() <= known_codes()
