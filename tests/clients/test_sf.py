"""The official Salesforce CLI, command by command."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator.config import ACCESS_TOKEN, CLIENT_ID, USERNAME
from tests.clients.browser import installed_in
from tests.clients.orgs import AWKWARD, AppKey, asked_for, faults_met, meet, named, rows_of, stored
from tests.clients.sf import ALIAS, Sf
from tests.salesforce_emulator.caller import Caller, an_org, csv_text

TO = ("--target-org", ALIAS)
WAIT = ("--wait", "5")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, app_key: AppKey) -> Iterator[Caller]:
    with an_org(tmp_path_factory.mktemp("org"), client_public_key=app_key.public_pem) as caller:
        yield caller


@pytest.fixture(scope="module")
def sf(shared: Caller, tmp_path_factory: pytest.TempPathFactory) -> Sf:
    """The CLI, signed in once for all tests, because every command of it takes seconds."""
    home = tmp_path_factory.mktemp("home")
    return signed_in(home, shared)


@pytest.fixture
def org(shared: Caller) -> Caller:
    """The org that the CLI is signed in to, without the accounts of the tests before."""
    if ids := [id_ for (id_,) in stored(shared, "Id")]:
        shared.load(csv_text([["Id"], *([id_] for id_ in ids)]), operation="hardDelete")
    return shared


def signed_in(home: Path, org: Caller) -> Sf:
    """The CLI with a home of its own and the org's published token."""
    sf = Sf(home)
    where = ("--instance-url", str(org.http.base_url), "--alias", ALIAS, "--no-prompt")
    assert sf.json("org login access-token", *where, SF_ACCESS_TOKEN=ACCESS_TOKEN).code == 0
    return sf


# Signing in


def test_a_user_signs_in_in_a_browser_and_the_session_is_renewed(tmp_path: Path) -> None:
    sf, browser = Sf(tmp_path), installed_in(tmp_path)
    with an_org(tmp_path / "org", client_id="PlatformCLI", client_secret="") as org:
        where = ("--instance-url", str(org.http.base_url), "--alias", ALIAS)
        signed_in = sf.json("org login web", *where, BROWSER=str(browser), PATH=os.defpath).result
        assert (signed_in["username"], signed_in["orgId"]) == (USERNAME, org.organization_id)
        meet(org, on="query", fault="expired-session")
        assert len(sf.json("data query", "--query", "SELECT Id FROM User", *TO).result["records"]) == 1
        assert (faults_met(org), asked_for(org, "token")) == (1, [200, 200])


def test_a_token_signs_in(shared: Caller, sf: Sf) -> None:
    org = sf.json("org display", *TO).result
    url = str(shared.http.base_url)
    assert org.pop("id") == shared.organization_id
    assert {name: value.replace(url, "<url>") for name, value in org.items()} == snapshot(
        {
            "apiVersion": "67.0",
            "accessToken": "[REDACTED] Use 'sf org auth show-access-token' to view",
            "instanceUrl": "<url>/",
            "username": "admin@emulator.example",
            "connectedStatus": "Connected",
            "alias": "emulator",
        }
    )


def test_an_app_signs_in_with_its_key_and_renews_a_session_that_ends(
    org: Caller, app_key: AppKey, tmp_path: Path
) -> None:
    sf = Sf(tmp_path)
    where = ("--instance-url", str(org.http.base_url), "--alias", ALIAS)
    who = ("--username", USERNAME, "--client-id", CLIENT_ID, "--jwt-key-file", str(app_key.file))
    assert sf.json("org login jwt", *who, *where).result["orgId"] == org.organization_id
    meet(org, on="create", fault="expired-session")
    file = sf.file("accounts.csv", "Name\none\n")
    assert (
        sf.json("data import bulk", "--file", file, "--sobject", "Account", *TO, *WAIT).result["successfulRecords"] == 1
    )
    assert (faults_met(org), stored(org, "Name")) == (1, [("one",)])


def test_a_bad_token_does_not(org: Caller, tmp_path: Path) -> None:
    where = ("--instance-url", str(org.http.base_url), "--no-prompt")
    said = Sf(tmp_path).json("org login access-token", *where, SF_ACCESS_TOKEN="00D000000000001!nonsense")
    assert (said.code, said.answer["message"]) == snapshot(
        (
            1,
            """\
Could not retrieve the username after successful auth code exchange.

Due to: Bad_OAuth_Token\
""",
        )
    )


# Loading


def test_an_import_stores_every_cell_and_counts(org: Caller, sf: Sf) -> None:
    file = sf.file("accounts.csv", csv_text([["Name", "Description"], *([*item] for item in AWKWARD.items())]))
    said = sf.json("data import bulk", "--file", file, "--sobject", "account", *TO, *WAIT)
    assert said.result == {
        "jobId": said.result["jobId"],
        "processedRecords": 9,
        "successfulRecords": 9,
        "failedRecords": 0,
    }
    assert stored(org, "Name", "Description") == sorted(AWKWARD.items())


def test_the_delimiter_is_guessed_and_the_line_ending_told(org: Caller, sf: Sf) -> None:
    rows = [["Name", "Phone"], ["one", "1"], ["two", "2"]]
    file = sf.file("accounts.csv", csv_text(rows, delimiter=";", line_ending="\r\n").replace('"', ""))
    said = sf.json("data import bulk", "--file", file, "--sobject", "Account", "--line-ending", "CRLF", *TO, *WAIT)
    job = org.get(said.result["jobId"])
    assert (job["columnDelimiter"], job["lineEnding"]) == ("SEMICOLON", "CRLF")
    assert stored(org, "Name", "Phone") == [("one", "1"), ("two", "2")]


def test_an_import_is_left_to_itself_and_resumed(org: Caller, sf: Sf) -> None:
    file = sf.file("accounts.csv", csv_text([["Name"], ["one"], ["two"]]))
    started = sf.json("data import bulk", "--file", file, "--sobject", "Account", *TO).result
    assert list(started) == ["jobId"]
    assert org.until(started["jobId"])["state"] == "JobComplete"
    counts = {"processedRecords": 2, "successfulRecords": 2, "failedRecords": 0}
    assert sf.json("data import resume", "--job-id", started["jobId"]).result == started | counts
    assert sf.json("data import resume", "--use-most-recent").result == started | counts


def test_an_update_changes_what_it_names(org: Caller, sf: Sf) -> None:
    org.load("Name,Phone,Site\nfirst,1,HQ\n")
    ((id_,),) = stored(org, "Id")
    file = sf.file("accounts.csv", csv_text([["Id", "Name", "Phone", "Site"], [id_, "renamed", "#N/A", ""]]))
    started = sf.json("data update bulk", "--file", file, "--sobject", "Account", *TO).result
    assert sf.json("data update resume", "--job-id", started["jobId"]).result["successfulRecords"] == 1
    assert stored(org, "Name", "Phone", "Site") == [("renamed", None, "HQ")]


def test_an_upsert_reports_its_job_and_its_rows(org: Caller, sf: Sf) -> None:
    org.load("External_Id__c,Name\nA,old\n")
    file = sf.file("accounts.csv", csv_text([["External_Id__c", "Name"], ["A", "new"], ["B", "other"], ["C", ""]]))
    arguments = ("--file", file, "--sobject", "Account", "--external-id", "External_Id__c", *TO)
    started = sf.json("data upsert bulk", *arguments).result
    org.until(started["jobInfo"]["id"])
    ended = sf.json("data upsert resume", "--job-id", started["jobInfo"]["id"]).result
    assert ended["jobInfo"]["numberRecordsFailed"] == 1
    reports = ended["records"]
    assert {row["External_Id__c"]: row["sf__Created"] for row in reports["successfulResults"]} == {
        "A": "false",
        "B": "true",
    }
    assert [row["External_Id__c"] for row in reports["failedResults"]] == ["C"]
    assert stored(org, "External_Id__c", "Name") == [("A", "new"), ("B", "other")]


def test_deleted_records_are_gone(org: Caller, sf: Sf) -> None:
    first, second, _ = named(org, "first", "second", "third")
    soft, hard = sf.file("soft.csv", f"Id\n{first}\n"), sf.file("hard.csv", f"Id\n{second}\n")
    deleted = sf.json("data delete bulk", "--file", soft, "--sobject", "Account", *TO, *WAIT).result
    assert (deleted["jobInfo"]["state"], deleted["records"]["failedResults"]) == ("JobComplete", [])
    started = sf.json("data delete bulk", "--hard-delete", "--file", hard, "--sobject", "Account", *TO).result
    assert started["jobInfo"]["operation"] == "hardDelete"
    ended = sf.json("data delete resume", "--use-most-recent").result
    assert ended["records"]["successfulResults"] == [{"sf__Id": second, "sf__Created": "false", "Id": second}]
    assert stored(org, "Name") == [("third",)]


# What went wrong


def test_failed_rows_are_counted_and_their_report_fetched(sf: Sf) -> None:
    file = sf.file("accounts.csv", csv_text([["Name", "Phone"], ["fine", "1"], ["", "2"]]))
    said = sf.shown("data import bulk", "--file", file, "--sobject", "Account", *TO, *WAIT)
    assert said.code == 1
    job_id = said.complaint.partition("--job-id ")[2][:18]
    assert said.complaint.replace(job_id, "JOB") == snapshot("""\
Error (FailedRecordDetailsError): Job finished being processed but failed to process 1 records.


Try this:

Get the job results by running: "sf data bulk results -o admin@emulator.example --job-id JOB".
View the job in the org: "sf org open -o admin@emulator.example --path '/lightning/setup/AsyncApiJobStatus/page?address=%2FJOB'".

""")
    assert all(line in said.text for line in ("Processed records: 2", "Successful records: 1", "Failed records: 1"))
    results = sf.json("data bulk results", "--job-id", job_id, *TO).result
    assert (results["status"], results["processedRecords"], results["failedRecords"]) == ("JobComplete", 2, 1)
    (success,) = rows_of(sf.written(results["successFilePath"]))
    assert (success["Name"], success["sf__Created"]) == ("fine", "true")
    assert sf.written(results["failedFilePath"]) == snapshot("""\
"sf__Id","sf__Error",Name,Phone
"","REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --","","2"
""")


def test_rows_that_an_abort_left_are_written_as_unprocessed(tmp_path: Path) -> None:
    rows = [["Name"], *([f"account {number}"] for number in range(2000))]
    with an_org(tmp_path / "org", rows_per_second=400) as org:
        (tmp_path / "home").mkdir()
        sf = signed_in(tmp_path / "home", org)
        job_id = org.submit(csv_text(rows))
        org.until_some_are_processed(job_id)
        assert org.patch(job_id, "Aborted").status_code == 200
        results = sf.json("data bulk results", "--job-id", job_id, *TO).result
    assert results["status"] == "Aborted"
    reports = [rows_of(sf.written(results[name])) for name in ("successFilePath", "unprocessedFilePath")]
    assert all(reports)
    assert sorted(row["Name"] for rows in reports for row in rows) == sorted(name for (name,) in rows[1:])


def test_a_failed_job_is_told_with_its_message(sf: Sf) -> None:
    file = sf.file("accounts.csv", "Nmae\nx\n")
    said = sf.json("data import bulk", "--file", file, "--sobject", "Account", *TO, *WAIT)
    assert (said.code, said.answer["name"], said.answer["message"]) == snapshot(
        (
            1,
            "JobFailedError",
            """\
Job failed to be processed due to:

InvalidBatch : Field name not found : Nmae\
""",
        )
    )


def test_an_object_that_is_not_there_is_told(sf: Sf) -> None:
    file = sf.file("nothing.csv", "Name\nx\n")
    said = sf.json("data import bulk", "--file", file, "--sobject", "Nothing", *TO, *WAIT)
    assert (said.code, said.answer["name"], said.answer["message"]) == snapshot(
        (1, "INVALIDENTITY", "Entity 'Nothing' is not supported by the Bulk API.")
    )


def test_a_missing_permission_to_hard_delete_is_told(tmp_path: Path) -> None:
    with an_org(tmp_path / "org", hard_delete=False) as org:
        home = tmp_path / "home"
        home.mkdir()
        sf = signed_in(home, org)
        (id_,) = named(org, "stays")
        file = sf.file("accounts.csv", f"Id\n{id_}\n")
        said = sf.json("data delete bulk", "--hard-delete", "--file", file, "--sobject", "Account", *TO, *WAIT)
        assert (said.code, said.answer["message"]) == snapshot(
            (
                1,
                'You must have the "Bulk API Hard Delete" system permission to use the --hard-delete flag. This permission is disabled by default and can be enabled only by a system administrator.',
            )
        )
        assert stored(org, "Name") == [("stays",)]


def test_a_job_that_is_not_there_has_no_results(sf: Sf) -> None:
    said = sf.json("data bulk results", "--job-id", "750000000000001AAA", *TO)
    assert (said.code, said.answer["name"], said.answer["message"]) == snapshot(
        (1, "InvalidIdError", "Can't find a bulk job with ID 750000000000001AAA.")
    )


# Around the jobs


def test_a_query_is_shown_as_a_table_as_csv_and_as_json(org: Caller, sf: Sf) -> None:
    org.load("Name,Phone\none,1\ntwo,\n")
    (gone,) = named(org, "gone")
    org.load(f"Id\n{gone}\n", operation="delete")
    asked = ("--query", "SELECT Name, Phone FROM Account ORDER BY Name", *TO)
    assert sf.shown("data query", *asked).text == snapshot("""\
┌──────┬───────┐
│ NAME │ PHONE │
├──────┼───────┤
│ one  │ 1     │
│ two  │ null  │
└──────┴───────┘

Total number of records retrieved: 2.
""")
    assert sf.shown("data query", *asked, "--result-format", "csv").text == snapshot("""\
Name,Phone
one,1
two,
""")
    everything = sf.json("data query", "--all-rows", *asked).result["records"]
    assert {"gone", "one", "two"} <= {record["Name"] for record in everything}


def test_an_object_and_the_limits_are_shown(sf: Sf) -> None:
    described = sf.json("sobject describe", "--sobject", "Account", *TO).result
    assert (described["name"], described["keyPrefix"]) == ("Account", "001")
    limits = {limit["name"] for limit in sf.json("org list limits", *TO).result}
    assert {"DailyApiRequests", "DailyBulkApiBatches"} <= limits
