"""What names of columns mean."""

from salesforce_bulk_ingest.validation.meanings import Meanings
from tests.validation.checking import PARENTS
from tests.validation.describing import CONTACT, LOCKED, TASK, field, sobject


def test_a_word_may_mean_several_fields_and_a_label_goes_before_it() -> None:
    person = sobject(
        "Account", field("Name"), field("LastName"), field("Symbol__c", label="Ticker"), field("TickerSymbol")
    )
    meanings = Meanings(person, {})
    assert [meaning.name for meaning in meanings.of("Nom")] == ["Name", "LastName"]
    assert [meaning.name for meaning in meanings.of("ticker")] == ["Symbol__c"]
    assert [meaning.name for meaning in meanings.of("Stock symbol")] == ["TickerSymbol"]


def test_an_address_means_its_street_and_a_location_nothing_as_rows_can_fill_neither() -> None:
    person = sobject(
        "Contact",
        field("MailingAddress", "address", label="Mailing Address", **LOCKED),
        field("MailingStreet", label="Mailing Street"),
        field("Home__c", "address", label="Home", **LOCKED),
        field("Home__Street__s", label="Home (Street)"),
        field("Other", "address", **LOCKED),
        field("Place__c", "location", label="Place", **LOCKED),
    )
    meant = {name: [each.name for each in Meanings(person, {}).of(name)] for name in ("Mailing address", "Home")}
    assert meant == {"Mailing address": ["MailingStreet"], "Home": ["Home__Street__s"]}
    assert [Meanings(person, {}).of(name) for name in ("other", "Place")] == [(), ()]


def test_a_parent_is_spoken_of_by_relationship_label_or_object() -> None:
    meanings = Meanings(CONTACT, PARENTS)
    for name in ("Account.ext", "Account Ext", "Ext__c of Account", "ACCOUNT: External Id"):
        assert [meaning.name for meaning in meanings.of(name)] == ["Account.Ext__c"]
    by_erp = {"Account": sobject("Account", field("Erp_Id__c", externalId=True))}
    assert [meaning.name for meaning in Meanings(CONTACT, by_erp).of("Account ERP Id")] == ["Account.Erp_Id__c"]
    assert [parent.lookup.name for parent in meanings.parents_of("Account Name")] == ["AccountId"]
    assert list(meanings.parents_of("Account")) == []
    assert Meanings(TASK, PARENTS).of("Who Code") == ()
