"""The window for people."""

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx2
import pytest

from salesforce_emulator import ACCESS_TOKEN
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import JOURNAL, Caller, an_org, an_org_with

STUCK = {"fault": "stuck-job"}


class Looked(HTMLParser):
    """A page as someone sees it: its words, and where its links lead."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__()
        self._words: list[str] = []
        self.links: dict[str, str] = {}
        self.tags: list[str] = []
        self._href: str | None = None
        self.feed(answer.text)
        self.words = " ".join("".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self._href = dict(attrs)["href"]
        if tag in ("div", "dd", "dt", "h1", "h2", "p", "td", "th", "tr"):
            self._words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        self._words.append(data)
        if self._href is not None:
            self.links.setdefault(data.strip(), self._href)


def address_of(org: Caller) -> str:
    return str(org.http.base_url).rstrip("/")


def look(org: Caller, path: str, status: int = 200) -> Looked:
    """The page as anybody gets it, without a token."""
    answer = httpx2.get(address_of(org) + path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Looked(answer)


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


@own
def test_a_job_shows_its_counters_why_rows_failed_and_those_rows(org: Caller) -> None:
    job = org.load("Name,Site\nA,good\n,no name\n,neither\n")
    words = look(org, f"/jobs/{job['id']}").words
    assert "insert Account JobComplete" in words
    assert "Processed 3 Successful 1 Failed 2" in words
    assert "Code Rows For example REQUIRED_FIELD_MISSING 2 REQUIRED_FIELD_MISSING:Required fields are missing" in words
    assert "Row sf__Id sf__Error Name Site 1 REQUIRED_FIELD_MISSING" in words
    assert "no name" in words and "neither" in words and "good" not in words


@own
def test_a_job_says_how_many_rows_were_not_reached_where_that_is_known(org: Caller) -> None:
    complete = org.load("Name\nA\n")
    assert "Successful 1 Unprocessed 0 sf__Id" in look(org, f"/jobs/{complete['id']}").words.replace(" Row", "")
    few = org.load("Nome\nA\nB\n")
    assert "Unprocessed 2 " in look(org, f"/jobs/{few['id']}").words
    many = org.load("Nome\n" + "A\n" * 100)
    assert "Unprocessed Row" in look(org, f"/jobs/{many['id']}").words


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
def test_a_job_of_a_version_that_names_no_failed_records_shows_why_rows_failed(org: Caller) -> None:
    job = org.until(org.fill(org.create_in("52.0"), "Name,Site\n,no name\n"))
    words = look(org, f"/jobs/{job['id']}").words
    assert "Code Rows For example REQUIRED_FIELD_MISSING 1 REQUIRED_FIELD_MISSING:Required fields are missing" in words


@own
def test_a_job_shows_every_field_under_the_name_that_the_api_gives_it(org: Caller) -> None:
    job = org.load("Name\nA\n")
    words = look(org, f"/jobs/{job['id']}").words
    for name, value in org.get(job["id"]).items():
        assert f"{name} {str(value).lower() if isinstance(value, bool) else value}" in words


@own
def test_a_failed_job_shows_its_message_and_the_rows_that_were_not_reached(org: Caller) -> None:
    job = org.load("Nome,Site\nA,Berlin\n")
    words = look(org, f"/jobs/{job['id']}").words
    assert "InvalidBatch : Field name not found : Nome" in words
    assert "Row Nome Site 1 A Berlin" in words


@own
def test_saved_rows_lead_to_their_records(org: Caller) -> None:
    job = org.load("Name\nA\n")
    record_id = org.succeeded(job)[0]["sf__Id"]
    assert look(org, f"/jobs/{job['id']}").links[record_id] == f"/objects/Account/{record_id}"


@own
def test_all_rows_of_a_job_are_found_by_going_on(org: Caller) -> None:
    names = {f'{number}, "the\n{number}th"' for number in range(70)}
    quoted = [name.replace('"', '""') for name in names]
    job = org.load("Name;Site\n" + "".join(f'"{name}";x\n' for name in quoted), columnDelimiter="SEMICOLON")
    found: list[str] = []
    path: str | None = f"/jobs/{job['id']}?rows=successful"
    while path:
        page = look(org, path)
        found += re.findall(r'\d+, "the↵\d+th"', page.words)
        path = page.links.get("Next rows")
    assert len(found) == len(names)
    assert {name.replace("↵", "\n") for name in found} == names


@own
def test_a_file_that_is_not_csv_is_shown_as_far_as_it_can_be_read(org: Caller) -> None:
    job = org.load('Name,Site\nA,B\n"' + "endless " * 20_000)
    words = look(org, f"/jobs/{job['id']}").words
    assert "1 A B" in words
    assert "What follows can't be read as CSV." in words


@own
def test_a_long_cell_is_cut_in_the_table_and_whole_on_the_page_of_its_row(org: Caller) -> None:
    site = "long " * 1000 + "THE END"
    job = org.load(f"Name,Site\nA,{site}\n")
    table = look(org, f"/jobs/{job['id']}")
    assert "THE END" not in table.words
    assert f"Failed row 1 sf__Id sf__Error STRING_TOO_LONG:Account Site: data value too large: {site}" in (
        look(org, table.links["…"]).words
    )


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
    job = org.load(f'LastName,AccountId,Description\nChild,{account},"two\nlines"\n', "Contact")
    page = look(org, f"/objects/Contact/{org.succeeded(job)[0]['sf__Id'][:15]}")
    assert page.links[account] == f"/objects/Account/{account}"
    assert "LastName Child" in page.words
    assert "Description two lines" in page.words
    assert "HasOptedOutOfEmail false" in page.words
    assert re.search(r"Empty: .*MailingStreet", page.words)


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
@pytest.mark.parametrize("end", ["?rows=all", "?from=x", "/failed/0-999999999999", "/all/0-0", "/failed/x"])
def test_rows_that_are_not_there_have_a_page_that_says_so(org: Caller, end: str) -> None:
    look(org, f"/jobs/{org.create()}{end}", 404)


@own
def test_a_page_about_work_in_progress_renews_itself_without_a_script(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.go_wrong(STUCK)
        working = org.submit("Name\nA\n")
        org.until(working, "InProgress")
        assert all("meta http-equiv" in org.http.get(path).text for path in ("/", f"/jobs/{working}"))
        org.go_right()
        org.until(working)
        assert not any("meta http-equiv" in org.http.get(path).text for path in ("/", f"/jobs/{working}"))


@own
def test_the_faults_in_force_are_shown_with_how_often_each_fired(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        assert "None. A plan comes into force with POST /emulator/faults." in look(org, "/faults").words
        org.go_wrong(
            {"fault": "unavailable", "on": "create", "every": 2, "after": 1, "times": 1, "probability": 1},
            {"fault": "latency", "on": "any", "seconds": 0.001, "probability": 0.25},
            STUCK,
        )
        for _ in range(3):
            org.http.post("/services/data/v63.0/jobs/ingest", json={})
        words = look(org, "/faults").words
        assert "3 rules, fired" in look(org, "/").words
    assert "unavailable create 1 in 2, after the first 1, once retryAfter 1 3 1" in words
    assert "latency any each, with a chance of 25% seconds 0.001" in words
    assert "stuck-job processing each 0 0" in words


@own
def test_requests_are_shown_newest_first_with_what_became_of_them(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        job_id = org.create()
        org.http.post("/services/data/v63.0/jobs/ingest", json={"object": "Nothing__c"})
        page = look(org, "/faults")
    assert re.search(r"No\. Time .* 2 .* create 400 .* 1 .* create 200 ", page.words)
    assert "POST /services/data/v63.0/jobs/ingest" in page.words
    assert page.links["create"] == f"/jobs/{job_id}"


@own
def test_older_requests_are_on_further_pages(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        for _ in range(41):
            org.http.get("/services/data")
        first = look(org, "/faults")
        second = look(org, first.links["Older requests"])
    assert "41 2" in first.words
    assert re.search(r"Client 1 \d{4}-", second.words)
    assert second.links["Newest requests"] == "/faults"


@own
def test_looking_uses_up_no_requests_and_is_not_in_the_journal(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        for path in ("/", "/faults", "/objects/Account", "/window.css"):
            httpx2.get(address_of(org) + path).raise_for_status()
        assert org.http.get(JOURNAL).json() == {"requests": []}
        assert "Requests in 24 hours 0 of 100,000" in look(org, "/").words


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
