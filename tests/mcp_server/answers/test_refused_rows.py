"""The answer about rows that were not sent."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.support.orgs import agent, call, refusal, text_of
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}


@pytest.mark.parametrize("tool", ["create-ingest-job", "upload-data-ingest-job"])
async def test_a_refusal_names_the_rows_as_a_dry_run_does(org: WatchedOrg, tool: str) -> None:
    rows = {"csv": "Name,AnnualRevenue\nAcme,1.5\nOther,much\nThird,2.5\n", "formats": {"AnnualRevenue": "1.234,5"}}
    async with agent(org.url) as client:
        given: dict[str, Any] = {"body": INSERT, "data": rows}
        if tool != "create-ingest-job":
            given = {"jobId": (await call(client, "create-ingest-job", body=INSERT))["id"], "body": rows}
        checked = await client.call_tool(tool, {**given, "dryRun": True})
        refused = await refusal(client, tool, **given)
    told = [line for line in text_of(checked).splitlines() if line.startswith(("- error", "- warning"))]
    assert 'line 2 ("Acme": "1.5"), 4 ("Third": "2.5")' in told[0]
    assert [line for line in refused.splitlines() if line.startswith(("- error", "- warning"))] == told


async def test_a_refusal_lists_what_was_found_and_what_to_do(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name,Name\nAcme,Oslo\n"})
    assert text == snapshot("""\
INVALID_ARGUMENT: These rows have errors by which a job fails or values are lost, so no job was made and nothing was sent.
Fields that columns may be named for: Parent.External_Id__c, Type ("Account Type"), ParentId ("Parent Account ID"), BillingStreet, BillingCity, BillingState ("Billing State/Province"), BillingPostalCode ("Billing Zip/Postal Code"), BillingCountry, BillingLatitude, BillingLongitude, BillingGeocodeAccuracy, ShippingStreet, ShippingCity, ShippingState ("Shipping State/Province"), ShippingPostalCode ("Shipping Zip/Postal Code"), ShippingCountry, ShippingLatitude, ShippingLongitude, ShippingGeocodeAccuracy, Phone ("Account Phone"), Fax ("Account Fax"), AccountNumber, Website, Sic ("SIC Code"), SicDesc ("SIC Description"), Industry, AnnualRevenue, NumberOfEmployees ("Employees"), Ownership, TickerSymbol, Description ("Account Description"), Rating ("Account Rating"), Site ("Account Site"), OwnerId, Jigsaw ("Data.com Key"), AccountSource, External_Id__c
- error, column Name, line 1: Several columns are Name, and only one can be: "#1", "#2". Rows in which their cells differ: 1. Set {"#2": "<another field>"} in columns, or {"#2": null} there to leave its cells out.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": {"csv": "<the same rows>", "columns": {"#2": "<its field, or null>"}}} leaves columns out or names their fields, once that is settled with the user; or correct the rows.\
""")
