"""What every page keeps to: no foreign sites, no markup from data."""

import pytest

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller
from tests.salesforce_emulator.ui.pages import look


@own
def test_what_a_load_holds_never_becomes_markup(org: Caller) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"&amp;"
    quoted = evil.replace('"', '""')
    job = org.load(f'Name,"{quoted}"\nA,\n')
    saved = org.load(f'Name,Site\n"{quoted}",\n"{quoted}",{"x" * 100}\n')
    record_id = org.succeeded(saved)[0]["sf__Id"]
    for path in (f"/jobs/{job['id']}", f"/jobs/{saved['id']}", "/objects/Account", f"/objects/Account/{record_id}"):
        page = look(org, path)
        assert evil[:40] in page.words
        assert page.tags.count("script") == 1  # the page's own
        assert "img" not in page.tags


@own
def test_characters_that_cannot_be_seen_are_shown_by_their_number(org: Caller) -> None:
    job = org.load("Name,Site\nb\u202eexe.txt\x07,\x00\x1b[31m\n")
    assert "b⟨U+202E⟩exe.txt⟨U+0007⟩ ⟨U+0000⟩⟨U+001B⟩[31m" in look(org, f"/jobs/{job['id']}?rows=successful").words


@own
@pytest.mark.parametrize(
    "path",
    [
        "/jobs/750000000000001AAA",
        "/jobs/no-id",
        "/objects/Nothing__c",
        "/objects/Account/001000000000001AAA",
        "/objects/Account/no-id",
        "/?before=x",
        "/objects/Account?before=-1",
        "/faults?before=%C2%B2",
    ],
)
def test_what_is_not_there_has_a_page_that_says_so(org: Caller, path: str) -> None:
    assert "The org has no such job, object or record" in look(org, path, 404).words


@own
@pytest.mark.parametrize("path", ["/", "/jobs/none", "/window.css", "/window.js", "/window.svg"])
def test_a_page_may_load_nothing_from_elsewhere_and_run_no_script_but_its_own(org: Caller, path: str) -> None:
    headers = org.http.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert headers["X-Content-Type-Options"] == "nosniff"


@own
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("[::1]:8080", 200),
        ("localhost:8080", 200),
        ("org.localhost", 200),
        ("emulator:8080", 200),
        ("192.168.0.7", 200),
        ("attacker.example:8080", 421),
        ("127.0.0.1.attacker.example", 421),
    ],
)
def test_a_page_is_not_for_sites_that_point_their_name_at_this_machine(org: Caller, host: str, status: int) -> None:
    assert org.http.get("/", headers={"Host": host}).status_code == status


@own
def test_pages_can_only_be_read(org: Caller) -> None:
    refused = org.http.post("/", json={})
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert org.http.head("/").status_code == 200
