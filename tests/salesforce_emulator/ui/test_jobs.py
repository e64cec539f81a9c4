"""The page of a job."""

from pathlib import Path

from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import Caller, an_org
from tests.salesforce_emulator.ui.pages import look

STUCK = {"fault": "stuck-job"}


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
def test_a_page_about_work_in_progress_renews_itself_without_a_script(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.go_wrong(STUCK)
        working = org.submit("Name\nA\n")
        org.until(working, "InProgress")
        assert all("meta http-equiv" in org.http.get(path).text for path in ("/", f"/jobs/{working}"))
        org.go_right()
        org.until(working)
        assert not any("meta http-equiv" in org.http.get(path).text for path in ("/", f"/jobs/{working}"))
