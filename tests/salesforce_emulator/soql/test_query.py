"""Queries in SOQL."""

from uuid import uuid4

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import DATA, Caller, shown
from tests.salesforce_emulator.soql.queries import names, reason_of


@doc("REST API guide, Query")
def test_a_query_answers_with_records_in_the_order_of_its_fields(stocked: Caller) -> None:
    soql = "select Name, Id, DoNotCall, AccountId FROM contact WHERE LastName = 'SOLO' LIMIT 5"
    assert shown(stocked.http.get(f"{DATA}/query", params={"q": soql})) == snapshot("""\
{
  "totalSize": 1,
  "done": true,
  "records": [
    {
      "attributes": {
        "type": "Contact",
        "url": "/services/data/v63.0/sobjects/Contact/<003 id>"
      },
      "Name": "Solo",
      "Id": "<003 id>",
      "DoNotCall": false,
      "AccountId": null
    }
  ]
}\
""")


@doc("SOQL and SOSL reference, COUNT()")
def test_count_gives_a_number_without_records(stocked: Caller) -> None:
    assert stocked.query("SELECT COUNT() FROM Account LIMIT 3") == {"totalSize": 3, "done": True, "records": []}


@doc("SOQL and SOSL reference, COUNT(fieldName)")
def test_count_of_a_field_gives_one_record_with_the_number_of_values(stocked: Caller) -> None:
    assert stocked.query("SELECT COUNT(Phone) FROM Account")["records"] == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 4}
    ]
    assert stocked.query("SELECT COUNT(Id) total FROM Account")["records"][0]["total"] == 5


@doc("SOQL and SOSL reference, FIELDS()")
def test_fields_of_a_kind_can_be_selected_at_once(stocked: Caller) -> None:
    [record] = stocked.query("SELECT FIELDS(ALL) FROM Organization LIMIT 200")["records"]
    assert (record["Name"], record["Id"]) == ("Embedded org", stocked.organization_id)
    [record] = stocked.query("SELECT FIELDS(CUSTOM), Name FROM Account WHERE Name = 'beta' LIMIT 1")["records"]
    assert list(record) == ["attributes", "External_Id__c", "Name"]
    assert "External_Id__c" not in stocked.query("SELECT FIELDS(STANDARD) FROM Account")["records"][0]
    assert reason_of(stocked, "SELECT FIELDS(ALL) FROM Account") == (
        "MALFORMED_QUERY",
        "The SOQL FIELDS function must have a LIMIT of at most 200",
    )


@doc("SOQL and SOSL reference, ORDER BY")
@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("ORDER BY Name", ["a\nb", "Alpha", "beta", "Gam%ma", "It's"]),
        ("ORDER BY AnnualRevenue", ["Gam%ma", "It's", "a\nb", "beta", "Alpha"]),
        ("ORDER BY AnnualRevenue DESC", ["Gam%ma", "Alpha", "beta", "a\nb", "It's"]),
        ("ORDER BY AnnualRevenue DESC NULLS LAST LIMIT 2", ["Alpha", "beta"]),
        ("ORDER BY Industry NULLS LAST, Name DESC", ["beta", "Alpha", "It's", "a\nb", "Gam%ma"]),
        ("ORDER BY Owner.Name, Name LIMIT 2 OFFSET 3", ["Gam%ma", "It's"]),
    ],
)
def test_records_come_in_the_order_asked_for(stocked: Caller, clause: str, found: list[str]) -> None:
    assert names(stocked, f"WHERE Site = 'soql' {clause}") == found


@doc("REST API guide, QueryAll")
def test_query_all_finds_what_lies_in_the_recycle_bin(org: Caller) -> None:
    name = uuid4().hex
    [row] = org.succeeded(org.load(f"Name\n{name}\n"))
    org.load(f"Id\n{row['sf__Id']}\n", operation="delete")
    soql = f"SELECT IsDeleted FROM Account WHERE Name = '{name}'"
    assert org.query(soql)["totalSize"] == 0
    assert org.http.get(f"{DATA}/queryAll", params={"q": soql}).json()["records"][0]["IsDeleted"] is True


@seen("threads that quote the API's texts")
@pytest.mark.parametrize(
    ("soql", "code", "reason"),
    [
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate = '2025-01-01'",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in"
            " quotes",
        ),
        (
            "SELECT Id FROM Account WHERE ParentId = '1'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: 1",
        ),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Account WHERE ParentId LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        (
            "SELECT Id FROM Account WHERE Description = 'x'",
            "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Account ORDER BY Description",
            "INVALID_FIELD",
            "field 'Description' can not be sorted in a query call",
        ),
        ("SELECT Id, Name, id FROM Account", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        (
            "SELECT COUNT(Id) FROM Account LIMIT 5",
            "MALFORMED_QUERY",
            "Non-grouped query that uses overall aggregate functions cannot also use LIMIT",
        ),
    ],
)
def test_what_can_not_be_compared_or_combined_is_refused(org: Caller, soql: str, code: str, reason: str) -> None:
    assert reason_of(org, soql) == (code, reason)


@doc("SOQL and SOSL reference, ORDER BY: 32")
@assumed("the text")
def test_a_query_is_ordered_by_at_most_32_fields(org: Caller) -> None:
    assert "records" in org.query(f"SELECT Id FROM Account ORDER BY {', '.join(['Name'] * 32)} LIMIT 1")
    assert reason_of(org, f"SELECT Id FROM Account ORDER BY {', '.join(['Name'] * 33)}") == snapshot(
        ("MALFORMED_QUERY", "A query can't be ordered by more than 32 fields")
    )
