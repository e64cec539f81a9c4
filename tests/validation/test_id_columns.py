"""Columns of ids by their names: what is proposed for them goes by their cells."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.hidden_fields import HiddenFields
from salesforce_bulk_ingest.csvio.cells import ParsedBlock
from salesforce_bulk_ingest.validation.id_columns import IdColumns
from tests.support.next_call import corrected_call, proposed_columns
from tests.support.orgs import agent, call
from tests.validation.describing import ACCOUNT, field

ID = "001000000000001"
LONG_ID = "001000000000001AAA"
CASES = [
    ("Account insert", "Record ID,Account Name\n512,Acme\n", {"Record ID": "External_Id__c", "Account Name": "Name"}),
    ("Account upsert", "Record ID,Account Name\n512,Acme\n", {"Record ID": "External_Id__c", "Account Name": "Name"}),
    ("Account upsert", f"Record ID,Account Name\n{'9' * 300},Acme\n", {"Account Name": "Name"}),
    ("Account upsert", "Record ID,External_Id__c,Account Name\n512,x,Acme\n", {"Account Name": "Name"}),
    ("Account insert", f"Record ID,Account Name\n{LONG_ID},Acme\n", {"Record ID": None, "Account Name": "Name"}),
    ("Account update", f"Record ID,Account Name\n,Beta\n{ID},Acme\n", {"Record ID": "Id", "Account Name": "Name"}),
    ("Account update", "Record ID,Account Name\n512,Acme\n", {"Account Name": "Name"}),
    ("Account update", "Record ID,Account Name\n,Acme\n", {"Record ID": "Id", "Account Name": "Name"}),
    ("Account insert", "ID,Account Name\n512,Acme\n", {"ID": "External_Id__c", "Account Name": "Name"}),
    ("Account upsert", "Id,Account Name\n512,Acme\n", {"Id": "External_Id__c", "Account Name": "Name"}),
    ("Account upsert", "Id,External_Id__c,Account Name\n512,x,Acme\n", {"Id": None, "Account Name": "Name"}),
    (
        "Account upsert",
        f"Record ID,External_Id__c,Account Name\n{ID},x,Acme\n",
        {"Record ID": None, "Account Name": "Name"},
    ),
    ("Account insert", f"Id,Account Name\n{LONG_ID},Acme\n", {"Id": None, "Account Name": "Name"}),
    ("Account insert", "Id,Account Name\n,Acme\n", {"Id": None, "Account Name": "Name"}),
    ("Contact insert", "Id,Surname\n512,A\n", {"Id": "External_Id__c", "Surname": "LastName"}),
    ("Account update", "Id,Account Name\n512,Acme\n", {"Account Name": "Name"}),
    ("Contact insert", "Surname,Account ID\nA,512\n", {"Surname": "LastName"}),
    ("Contact insert", "Surname,Account\nA,Acme\n", {"Surname": "LastName"}),
    ("Contact insert", "Surname,Account\nA,Acme\nB,Featherstonehag\n", {"Surname": "LastName"}),
    ("Contact insert", "Surname,Account\nA,Acme\nB,Internationale9\n", {"Surname": "LastName"}),
    ("Contact insert", f"Surname,Account\nA,{ID}\n", {"Surname": "LastName", "Account": "AccountId"}),
    ("Contact insert", f"Surname,Account,AccountId\nA,{ID},{ID}\n", {"Surname": "LastName"}),
    (
        "Task insert",
        f"Contact ID,Assigned To\n,{ID}\n003000000000001,\n",
        {"Contact ID": "WhoId", "Assigned To": "OwnerId"},
    ),
    ("Task insert", "Subject,Contact ID,Assigned To\nCall,12,Ann\n", None),
]


@pytest.mark.parametrize(("job", "csv", "proposed"), CASES)
async def test_ids_are_proposed_for_what_they_are(
    job: str, csv: str, proposed: dict[str, str | None] | None, org_url: str
) -> None:
    sobject, operation = job.split()
    body = {"object": sobject, "operation": operation}
    if operation == "upsert":
        body["externalIdFieldName"] = "External_Id__c"
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=body, data={"csv": csv}, dryRun=True)
    assert proposed_columns(checked) == proposed


@pytest.mark.parametrize("operation", ["insert", "upsert"])
async def test_a_column_of_ids_that_the_operation_takes_none_of_goes_where_the_answer_says(
    operation: str, org_url: str
) -> None:
    body = {"object": "Account", "operation": operation}
    if operation == "upsert":
        body["externalIdFieldName"] = "External_Id__c"
    rows = {"csv": f"ID,Name\n{operation} 1,Acme\n{operation} 2,Beta\n"}
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=body, data=rows, dryRun=True)
        tool, arguments = corrected_call(checked["next"])
        assert arguments["data"].pop("columns") == {"ID": "External_Id__c"}
        again = await call(client, tool, **{**arguments, "data": {**rows, "columns": {"ID": "External_Id__c"}}})
        assert again["findings"] == []
    [said] = [found for found in checked["findings"] if found.get("column")]
    assert said["do"] == snapshot(
        "Leave it out: set null for it in columns. If it holds ids of another system, set External_Id__c there."
    )


async def test_what_is_said_of_columns_without_record_ids(org_url: str) -> None:
    csv = "Subject,Contact ID,Task ID,Assigned To\nCall,12,7,Ann\nMail,,8,Ann\n"
    body = {"object": "Task", "operation": "insert"}
    async with agent(org_url) as client:
        checked = await call(client, "create-ingest-job", body=body, data={"csv": csv}, dryRun=True)
    said = [
        f"{found['column']}: {found['what']} {found['do']}"
        for found in checked["findings"]
        if found["level"] == "warning"
    ]
    assert said == snapshot(
        [
            'Contact ID: WhoId takes record ids, and no cell is one: "12". Translate them to ids with values, set an external id of the parent in columns if they are one, or null there to leave them out.',
            'Task ID: Id takes record ids, and no cell is one: "7", "8". If they are ids of another system, set an external id field for them in columns, or null there to leave them out.',
            'Assigned To: OwnerId takes record ids, and no cell is one: "Ann". Translate them to ids with values, set an external id of the parent in columns if they are one, or null there to leave them out.',
        ]
    )


def test_hidden_cells_are_not_shown() -> None:
    findings, names = Findings(), ["Record ID", "Parent"]
    fields = {0: ACCOUNT.fields[0], 1: field("ParentId", "reference", referenceTo=["Account"])}
    columns = IdColumns(fields, names, findings, HiddenFields(("Ext__c",)).on("Account"))
    columns.check(ParsedBlock(2, lambda: range(2, 4), rows=[["secret 1", "secret 2"], [" ", "#N/A"]]))
    columns.finish()
    assert (columns.with_ids, columns.with_others) == (set(), {0, 1})
    assert [finding.count for finding in findings.sorted()] == [1, 1]
    assert "secret" not in "".join(finding.what for finding in findings.sorted())
