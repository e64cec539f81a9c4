"""Compound fields: addresses and locations."""

from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import doc
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.schema.schemas import fields_of


@doc("REST API guide, Compound Fields: a compound is read-only, made of its parts, and null where they are")
def test_an_address_is_made_of_its_parts(org: Caller) -> None:
    rows = "Name,BillingStreet,BillingCity,BillingLatitude\nat home,Main St 1,Salem,44.9\nnowhere,,,\n"
    ids = {row["Name"]: row["sf__Id"] for row in org.succeeded(org.load(rows))}
    assert org.record(ids["at home"])["BillingAddress"] == snapshot(
        {
            "city": "Salem",
            "country": None,
            "geocodeAccuracy": None,
            "latitude": 44.9,
            "longitude": None,
            "postalCode": None,
            "state": None,
            "street": "Main St 1",
        }
    )
    assert org.record(ids["nowhere"])["BillingAddress"] is None
    found = org.query(f"SELECT ShippingAddress, BillingAddress, PhotoUrl FROM Account WHERE Id = '{ids['at home']}'")[
        "records"
    ][0]
    assert (found["ShippingAddress"], found["BillingAddress"]["city"]) == (None, "Salem")
    assert found["PhotoUrl"] == f"/services/images/photo/{ids['at home']}"
    described = fields_of(org, "Account")
    assert described["BillingStreet"]["compoundFieldName"] == "BillingAddress"
    assert {
        name: described["BillingAddress"][name]
        for name in ("type", "soapType", "createable", "updateable", "filterable")
    } == snapshot(
        {"type": "address", "soapType": "urn:address", "createable": False, "updateable": False, "filterable": False}
    )
    refused = org.errors(org.load("Name,BillingAddress\nA,Salem\n"))
    assert refused[0].startswith("INVALID_FIELD_FOR_INSERT_UPDATE")
