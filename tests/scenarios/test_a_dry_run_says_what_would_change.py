"""Five files for the accounts of an org: a dry run says in its first sentence what is wrong with each, or that nothing is."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.salesforce_emulator.caller import an_org_with
from tests.support.orgs import agent, text_of

ROWS = 2_000
MOST_TOKENS = 2_000
HEADER = ("Erp_Id__c", "Name", "Phone", "BillingCity", "BillingStreet", "NumberOfEmployees")
UPSERT = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}
SCHEMA = """
objects:
  Account:
    fields:
      Erp_Id__c: {type: string, label: ERP Id, length: 20, externalId: true, unique: true}
"""

Row = list[str]


def accounts(year: int = 2026) -> list[Row]:
    """The rows of a file of accounts, as they are in the org."""
    return [
        [f"E-{year}-{n:05}", f"Company {n}", f"+49 30 {n:06}", f"City {n % 50}", f"{n} Main Street", str(n)]
        for n in range(ROWS)
    ]


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with an_org_with(SCHEMA, tmp_path_factory.mktemp("org")) as direct:
        direct.load(as_csv(accounts()), "Account")
        yield str(direct.http.base_url)


@pytest.fixture
async def client(org: str, tmp_path: Path) -> AsyncIterator[Client]:
    async with agent(org, upload_roots=[tmp_path]) as client:
        yield client


async def dry_run(client: Client, rows: Sequence[Sequence[str]], **options: Any) -> tuple[str, dict[str, Any]]:
    """The first sentence and the structure of the answer to a dry run, both of whose halves are short."""
    given = {"body": UPSERT, "data": {"csv": as_csv(rows)}, "dryRun": True, **options}
    result = await client.call_tool("create-ingest-job", given)
    assert not result.is_error, text_of(result)
    structure = result.structured_content
    assert structure is not None
    assert max(len(text_of(result)), len(json.dumps(structure, ensure_ascii=False))) / 4 <= MOST_TOKENS
    assert structure["comparison"]["apiCalls"] <= len(rows) / 500 + 5
    assert text_of(result).startswith(structure["summary"])
    return structure["summary"].partition(". ")[0], structure


async def test_a_file_shifted_by_one_row_whose_phones_are_cleared(client: Client) -> None:
    rows = accounts()
    names = [row[1] for row in rows]
    for row, name in zip(rows, [names[-1], *names], strict=False):
        row[1], row[2] = name, "#N/A"
    sentence, answer = await dry_run(client, rows)
    assert sentence == snapshot(
        "This looks like a mistake: Name would get another record's value in 1,999 of 2,000 records, whose own value stands in the next row; Phone would be cleared in 2,000 of 2,000 records"
    )
    assert answer["findings"][0]["lines"] == [2, 3, 4, 5, 6]
    assert answer["comparison"]["fields"] == snapshot(
        [{"field": "Name", "changed": 2000, "share": 1.0}, {"field": "Phone", "cleared": 2000, "share": 1.0}]
    )
    assert answer["comparison"]["records"][0] == snapshot(
        {
            "key": "E-2026-00000",
            "name": "Company 0",
            "fields": {"Name": ["Company 0", "Company 1999"], "Phone": ["+49 30 000000", "#N/A"]},
        }
    )
    assert "once the user has seen what looks like a mistake" in answer["next"]


async def test_a_file_of_last_years_keys(client: Client) -> None:
    sentence, answer = await dry_run(client, accounts(2025))
    assert sentence == snapshot(
        "This looks like a mistake: 2,000 of 2,000 rows have a key in Erp_Id__c that no record has"
    )
    assert answer["comparison"]["new"] == ROWS


async def test_last_weeks_file_with_two_columns_swapped(client: Client) -> None:
    rows = [[key, name, phone, street, city, number] for key, name, phone, city, street, number in accounts()]
    sentence, answer = await dry_run(client, rows)
    assert sentence == snapshot(
        "This looks like a mistake: BillingCity and BillingStreet would change places in 2,000 of 2,000 records"
    )
    assert answer["comparison"]["changed"] == ROWS


async def test_a_file_of_another_object(client: Client) -> None:
    ids = [[f"003000000{n:06}", f"+49 30 {n:06}"] for n in range(ROWS)]
    options = {"body": {"object": "Account", "operation": "update"}, "data": {"csv": as_csv(ids, ("Id", "Phone"))}}
    sentence, answer = await dry_run(client, ids, **options)
    assert sentence == snapshot("This looks like a mistake: 2,000 of 2,000 rows have a key in Id that no record has")
    [unknown] = [finding for finding in answer["findings"] if finding["what"].startswith(sentence.partition(": ")[2])]
    assert unknown["what"].endswith('Most ids begin with "003", and those of Account with 001.')


async def test_a_right_file(client: Client) -> None:
    rows = accounts()
    for row in rows[::25]:
        row[2] = f"{row[2]}-0"
    _, answer = await dry_run(client, [*rows, ["E-2026-99999", "New", "1", "City 1", "1 Street", "1"]])
    assert answer["findings"] == []
    assert answer["summary"] == snapshot(
        "No job was made. Checked 2,001 rows, 136,532 bytes: nothing is wrong. Nothing was sent to embedded org. Compared with the org: 1 new, 80 changed, 1,920 equal."
    )
