"""A whole load with four kinds of failure: failed rows are retried by their error until every row that can be loaded is loaded."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.salesforce_emulator.caller import Caller
from tests.support.blanking_org import blanking_org, url_of
from tests.support.orgs import agent, call

HEADER = ["Kunde", "code__c", "tier__c", "annualrevenue", "BillingStreet", "intern"]
"""Of a source: foreign names, and fields in another case than the org's."""
MAPPING = {"columns": {"Kunde": "Name", "intern": None}}


def rows_of_source(count: int) -> list[list[str]]:
    """Rows of which every 50th has no name, every 40th a wrong tier and every 1,000th another's code."""
    rows = []
    for n in range(count):
        name = "" if n % 50 == 7 else f'Café "{n}"\nGmbH'
        tier = "gold!" if n % 40 == 3 else ("Gold", "Silver", "")[n % 3]
        code = f"C-{n - 1 if n % 1_000 == 11 else n}"
        rows.append([name, code, tier, f"{n}.5", f"Straße {n}\r\n2. Hof" if n % 5 == 0 else "", f"geheim {n}"])
    return rows


def as_csv(header: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def records_of(org: Caller) -> dict[str, tuple[Any, ...]]:
    """All accounts by code."""
    found: dict[str, tuple[Any, ...]] = {}
    page = org.query("SELECT Name, Code__c, Tier__c, AnnualRevenue, BillingStreet FROM Account")
    while True:
        for record in page["records"]:
            assert record["Code__c"] not in found
            found[record["Code__c"]] = tuple(
                record[name] for name in ("Name", "Code__c", "Tier__c", "AnnualRevenue", "BillingStreet")
            )
        if page["done"]:
            return found
        page = org.http.get(page["nextRecordsUrl"]).raise_for_status().json()


def expected(rows: list[list[str]]) -> dict[str, tuple[Any, ...]]:
    """The accounts that the source, with its wrong tiers corrected, makes: all but those without a name or code of their own."""
    codes = {}
    for name, code, tier, revenue, street, _ in rows:
        if name and code not in codes:
            right = "Bronze" if tier == "gold!" else tier
            codes[code] = (name, code, right or None, float(revenue), street or None)
    return codes


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Caller]:
    with blanking_org(tmp_path) as caller:
        yield caller


@pytest.mark.parametrize("count", [5_000, pytest.param(50_000, marks=pytest.mark.slow)])
async def test_rows_with_four_kinds_of_failure_are_in_the_org_after_seven_calls(
    count: int, org: Caller, tmp_path: Path
) -> None:
    rows = rows_of_source(count)
    (tmp_path / "source.csv").write_bytes(as_csv(HEADER, rows).encode())
    org.go_wrong({"fault": "locked-rows", "every": 20}, seed=1)
    async with agent(url_of(org), upload_roots=[tmp_path]) as client:
        body = {"object": "Account", "operation": "insert"}
        data = {"file": "source.csv", **MAPPING}
        first = (await call(client, "create-ingest-job", body=body, data=data))["id"]
        done = await close(client, first)
        assert done["numberRecordsProcessed"] == count
        failed = await call(client, "get-failed-results-ingest-job", jobId=first, limit=5)
        assert {cause["statusCode"] for cause in failed["causes"]} == {
            "UNABLE_TO_LOCK_ROW",
            "REQUIRED_FIELD_MISSING",
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "DUPLICATE_VALUE",
        }
        org.go_right()
        for code, mapping in (
            ("UNABLE_TO_LOCK_ROW", {}),
            ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", {"values": {"tier__c": {"gold!": "Bronze"}}}),
        ):
            rows_of = {"jobs": [first], "which": ["failed"], "where": {"statusCode": code}}
            job = await call(client, "create-ingest-job", body=body, data={"rowsOf": rows_of, **mapping})
            assert (await close(client, job["id"]))["numberRecordsFailed"] == 0
    assert records_of(org) == expected(rows)


async def close(client: Client, job_id: str) -> dict[str, Any]:
    closing = {"jobId": job_id, "body": {"state": "UploadComplete"}, "waitSeconds": 45}
    answer = await call(client, "close-abort-ingest-job", **closing)
    assert answer["state"] == "JobComplete"
    return answer
