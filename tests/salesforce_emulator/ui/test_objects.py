"""The pages of objects and records."""

import re
from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller, an_org, an_org_with
from tests.salesforce_emulator.ui.pages import look


@own
def test_an_object_shows_its_rules(tmp_path: Path) -> None:
    schema = (
        "objects: {Account: {rules: [{name: Far, when: Site = 'far', message: Too far, field: Site},"
        " {name: Near, when: Site = 'near', message: Too near}]}}"
    )
    with an_org_with(schema, tmp_path) as org:
        words = look(org, "/objects/Account").words
        assert "Rules a record is refused if one is true" in words
        assert "Far Site = 'far' Too far Site Near Site = 'near' Too near" in words
        assert "Rules" not in look(org, "/objects/Contact").words


@own
def test_an_object_shows_its_fields_and_its_live_records(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        kept, gone = org.succeeded(org.load("Name,Site\nKept,here\nGone,there\n"))
        if kept["Name"] == "Gone":
            kept, gone = gone, kept
        org.load(f"Id\n{gone['sf__Id']}\n", operation="delete")
        page = look(org, "/objects/account")
        look(org, f"/objects/Account/{gone['sf__Id']}", 404)
    assert "Accounts 1 record, newest first" in page.words
    assert f"Id Name Site {kept['sf__Id']} Kept here" in page.words
    assert gone["sf__Id"] not in page.words
    assert "Name Account Name string 255 required" in page.words
    assert "External_Id__c External Id string 255 external id unique" in page.words
    assert page.links["User"] == "/objects/User"


@own
def test_older_records_are_on_further_pages(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.load("LastName,Company\n" + "".join(f"Lead{number:02},X\n" for number in range(30)), "Lead")
        first = look(org, "/objects/Lead")
        second = look(org, first.links["Older records"])
    assert "Lead29" in first.words and "Lead04" not in first.words
    assert "Lead04" in second.words and "Lead05" not in second.words
    assert "Older records" not in second.links


@own
def test_a_page_reads_only_so_many_deleted_records_and_leads_on_to_older_ones(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        old = org.succeeded(org.load("Name\nOld\n"))[0]["sf__Id"]
        new = org.succeeded(org.load("Name\n" + "New\n" * 5000))
        org.load("Id\n" + "".join(f"{row['sf__Id']}\n" for row in new), operation="delete")
        first = look(org, "/objects/Account")
        second = look(org, first.links["Older records"])
    assert "Accounts 1 record, newest first All records read for this page are deleted." in first.words
    assert old in second.words


@own
def test_a_record_shows_all_it_holds_and_its_lookups_lead_on(org: Caller) -> None:
    account = org.succeeded(org.load("Name\nParent\n"))[0]["sf__Id"]
    job = org.load(
        f'LastName,AccountId,MailingCity,MailingCountry,Description\nChild,{account},Salem,US,"two\nlines"\n', "Contact"
    )
    page = look(org, f"/objects/Contact/{org.succeeded(job)[0]['sf__Id'][:15]}")
    assert page.links[account] == f"/objects/Account/{account}"
    assert "LastName Child" in page.words
    assert "Description two lines" in page.words
    assert "HasOptedOutOfEmail false" in page.words
    assert "MailingAddress Salem, US" in page.words
    assert re.search(r"Empty: .*MailingStreet", page.words)
