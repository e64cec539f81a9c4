"""The overview page."""

from pathlib import Path

from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.ui.pages import address_of, look


@own
def test_the_overview_says_where_the_org_is_and_which_token_it_takes(org: Caller) -> None:
    words = look(org, "/").words
    assert address_of(org) in words
    assert "API versions 41.0 to 67.0" in words
    assert f"Token for clients {ACCESS_TOKEN}" in words


@own
def test_a_token_of_ones_own_is_on_no_page(tmp_path: Path) -> None:
    with an_org(tmp_path, access_token="a secret of ours") as org:
        words = look(org, "/").words
    assert "the one that this org was started with" in words
    assert "secret" not in words


@own
def test_the_overview_shows_jobs_newest_first_and_how_many_records_there_are(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        done, empty = org.load("Name\nA\n\n,\n"), org.create("Lead", "update")
        page = look(org, "/")
    assert "Jobs 1 Open, 1 JobComplete" in page.words
    newer = page.words.index(f"update Lead {empty} Open 0 0")
    assert newer < page.words.index(f"insert Account {done['id']} JobComplete")
    assert "Account 1 " in page.words
    assert page.links["insert Account"] == f"/jobs/{done['id']}"


@own
def test_older_jobs_are_on_further_pages(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        oldest = org.create()
        for _ in range(15):
            org.create()
        first = look(org, "/")
        second = look(org, first.links["Older jobs"])
    assert oldest not in first.words
    assert oldest in second.words
    assert "Older jobs" not in second.links
    assert second.links["Newest jobs"] == "/"
