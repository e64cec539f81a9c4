"""What a query selects, told without its records."""

from typing import Any

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import assumed, seen
from tests.salesforce_emulator.caller import DATA, Caller


def columns(org: Caller, soql: str) -> dict[str, Any]:
    body: dict[str, Any] = org.http.get(f"{DATA}/query", params={"q": soql, "columns": "true"}).json()
    return body


@seen("salesforcecli/plugin-data, data query, which heads its tables so")
def test_a_query_tells_its_columns_instead_of_its_records_on_request(org: Caller) -> None:
    told = columns(org, "SELECT Id, Account.Owner.Name, DoNotCall FROM Contact")
    assert {name: value for name, value in told.items() if name != "columnMetadata"} == {
        "entityName": "Contact",
        "groupBy": False,
        "idSelected": True,
        "keyPrefix": "003",
    }
    id_, account, do_not_call = told["columnMetadata"]
    assert [id_["apexType"], do_not_call["apexType"]] == ["Id", "Boolean"]
    [owner] = account["joinColumns"]
    assert [(owner["columnName"], [name["columnName"] for name in owner["joinColumns"]])] == [("Owner", ["Name"])]
    assert do_not_call == snapshot(
        {
            "aggregate": False,
            "apexType": "Boolean",
            "booleanType": True,
            "columnName": "DoNotCall",
            "custom": False,
            "displayName": "DoNotCall",
            "foreignKeyName": None,
            "insertable": True,
            "joinColumns": [],
            "numberType": False,
            "textType": False,
            "updatable": True,
        }
    )


@assumed("the official CLI shows displayName above such a column, and the alias if it is none of Salesforce's own")
def test_the_column_of_a_counted_field_is_its_function_under_its_alias(org: Caller) -> None:
    [count] = columns(org, "SELECT COUNT(Id) found FROM Contact")["columnMetadata"]
    assert (count["aggregate"], count["columnName"], count["displayName"]) == (True, "found", "COUNT(Id)")
    assert columns(org, "SELECT COUNT() FROM Contact")["columnMetadata"] == []
