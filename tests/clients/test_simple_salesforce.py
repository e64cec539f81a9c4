"""simple-salesforce, as its users call it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from inline_snapshot import snapshot
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, SalesforceAuthenticationFailed, SalesforceExpiredSession
from simple_salesforce.bulk2 import ColumnDelimiter, LineEnding, SFBulk2Handler
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceOperationError

from salesforce_emulator.config import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.clients.orgs import AWKWARD, AppKey, Product, meet, named, rows_of, stored
from tests.salesforce_emulator.caller import DELIMITERS, Caller, an_org, csv_text

JOBS = "/services/data/v63.0/jobs/"


@pytest.fixture
def bulk(org: Caller) -> Iterator[SFBulk2Handler]:
    handler = SFBulk2Handler(ACCESS_TOKEN, f"{org.http.base_url}{JOBS}")
    yield handler
    handler.session.close()


# Loading


def test_inserted_records_are_stored_cell_by_cell(org: Caller, bulk: SFBulk2Handler) -> None:
    records = [{"Name": name, "Description": cell} for name, cell in AWKWARD.items()]
    (job,) = bulk.Account.insert(records=records, wait=0)
    assert (job["numberRecordsTotal"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (9, 9, 0)
    assert stored(org, "Name", "Description") == sorted(AWKWARD.items())


@pytest.mark.parametrize("ending", list(LineEnding))
@pytest.mark.parametrize("delimiter", list(ColumnDelimiter))
def test_a_file_with_any_delimiter_and_line_ending_is_loaded(
    org: Caller, bulk: SFBulk2Handler, tmp_path: Path, delimiter: ColumnDelimiter, ending: LineEnding
) -> None:
    character, line_ending = DELIMITERS[delimiter.value], {"LF": "\n", "CRLF": "\r\n"}[ending.value]
    file = tmp_path / "accounts.csv"
    rows = [["Name", "Description"], ["one", f"left{character}right"], ["", "has no name"]]
    file.write_bytes(csv_text(rows, delimiter=character, line_ending=line_ending).encode())
    (job,) = bulk.Account.insert(csv_file=str(file), column_delimiter=delimiter, line_ending=ending, wait=0)
    assert stored(org, "Name", "Description") == [("one", f"left{character}right")]
    (success,) = rows_of(bulk.Account.get_successful_records(job["job_id"]), character)
    assert (success["Name"], success["Description"]) == ("one", f"left{character}right")
    (failure,) = rows_of(bulk.Account.get_failed_records(job["job_id"]), character)
    assert failure["Description"] == "has no name"


def test_a_file_is_split_into_jobs_that_run_at_once(org: Caller, bulk: SFBulk2Handler, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    names = [f"account {number:04}" for number in range(1000)]
    file.write_text("\n".join(["Name", *names, ""]))
    jobs = bulk.Account.insert(csv_file=str(file), batch_size=150, concurrency=4, wait=0)
    assert [job["numberRecordsProcessed"] for job in jobs] == [150] * 6 + [100]
    assert stored(org, "Name") == [(name,) for name in names]


def test_an_update_changes_what_it_names_and_nothing_else(org: Caller, bulk: SFBulk2Handler) -> None:
    first, second = named(org, "first", "second")
    bulk.Account.update(
        records=[{"Id": first, "Phone": "1", "Site": ""}, {"Id": second, "Phone": "#N/A", "Site": "HQ"}], wait=0
    )
    assert stored(org, "Name", "Phone", "Site") == [("first", "1", None), ("second", None, "HQ")]


def test_an_upsert_tells_created_from_updated(org: Caller, bulk: SFBulk2Handler) -> None:
    org.load("External_Id__c,Name\nA,old\n")
    records = [{"External_Id__c": "A", "Name": "new"}, {"External_Id__c": "B", "Name": "other"}]
    (job,) = bulk.Account.upsert(records=records, external_id_field="External_Id__c", wait=0)
    assert stored(org, "External_Id__c", "Name") == [("A", "new"), ("B", "other")]
    successes = rows_of(bulk.Account.get_successful_records(job["job_id"]))
    assert {row["External_Id__c"]: row["sf__Created"] for row in successes} == {"A": "false", "B": "true"}


def test_an_upsert_by_id_creates_where_there_is_none(org: Caller, bulk: SFBulk2Handler) -> None:
    (known,) = named(org, "old")
    bulk.Account.upsert(records=[{"Id": known, "Name": "new"}, {"Id": "", "Name": "other"}], wait=0)
    assert stored(org, "Name") == [("new",), ("other",)]


@pytest.mark.parametrize("way", ["delete", "hard_delete"])
def test_deleted_records_are_gone(org: Caller, bulk: SFBulk2Handler, way: str) -> None:
    first, _ = named(org, "first", "second")
    (job,) = getattr(bulk.Account, way)(records=[{"Id": first}], wait=0)
    assert stored(org, "Name") == [("second",)]
    assert (
        bulk.Account.get_successful_records(job["job_id"])
        == f'"sf__Id","sf__Created",Id\n"{first}","false","{first}"\n'
    )


# Reports


def test_failures_carry_their_reasons(org: Caller, bulk: SFBulk2Handler, tmp_path: Path) -> None:
    records = [{"Name": "", "Phone": "1"}, {"Name": "fine", "Phone": "2"}]
    (job,) = bulk.Account.insert(records=records, wait=0)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    report = bulk.Account.get_failed_records(job["job_id"])
    (failure,) = rows_of(report)
    assert failure == snapshot(
        {
            "sf__Id": "",
            "sf__Error": "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
            "Name": "",
            "Phone": "1",
        }
    )
    file = tmp_path / "failures.csv"
    bulk.Account.get_failed_records(job["job_id"], file=str(file))
    assert file.read_text() == report


def test_all_reports_of_a_job_come_together(bulk: SFBulk2Handler) -> None:
    (job,) = bulk.Account.insert(records=[{"Name": "fine"}, {"Name": ""}], wait=0)
    reports = bulk.Account.get_all_ingest_records(str(job["job_id"]))
    assert {name: len(rows) for name, rows in reports.items()} == snapshot(
        {"successfulRecords": 1, "failedRecords": 1, "unprocessedRecords": 0}
    )


def test_rows_that_an_abort_left_are_reported_as_unprocessed(tmp_path: Path) -> None:
    rows = [["Name"], *([f"account {number}"] for number in range(2000))]
    with an_org(tmp_path, rows_per_second=400) as org:
        job_id = org.submit(csv_text(rows))
        org.until_some_are_processed(job_id)
        assert org.patch(job_id, "Aborted").status_code == 200
        handler = SFBulk2Handler(ACCESS_TOKEN, f"{org.http.base_url}{JOBS}")
        successes = rows_of(handler.Account.get_successful_records(job_id))
        unprocessed = rows_of(handler.Account.get_unprocessed_records(job_id))
        handler.session.close()
    assert unprocessed
    assert sorted(row["Name"] for row in successes + unprocessed) == sorted(name for (name,) in rows[1:])


def test_a_job_that_fails_is_raised_with_its_message(bulk: SFBulk2Handler) -> None:
    with pytest.raises(SalesforceOperationError) as raised:
        bulk.Account.insert(records=[{"Nmae": "x"}], wait=0)
    assert str(raised.value) == snapshot("Job failure. Response content: InvalidBatch : Field name not found : Nmae")


def test_a_refused_job_is_raised_as_a_malformed_request(bulk: SFBulk2Handler) -> None:
    with pytest.raises(SalesforceMalformedRequest) as raised:
        bulk.Nothing.insert(records=[{"Name": "x"}], wait=0)
    assert raised.value.content == snapshot(
        [{"errorCode": "INVALIDENTITY", "message": "Entity 'Nothing' is not supported by the Bulk API."}]
    )


def test_a_bad_token_is_raised_as_an_expired_session(org: Caller) -> None:
    handler = SFBulk2Handler("nonsense", f"{org.http.base_url}{JOBS}")
    with pytest.raises(SalesforceExpiredSession) as raised:
        handler.Account.insert(records=[{"Name": "x"}], wait=0)
    handler.session.close()
    assert raised.value.content == snapshot(
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    )


def test_a_session_that_ends_in_mid_job_is_raised_and_the_job_aborted(org: Caller, bulk: SFBulk2Handler) -> None:
    meet(org, on="upload", fault="expired-session")
    with pytest.raises(SalesforceExpiredSession):
        bulk.Account.insert(records=[{"Name": "x"}], wait=0)
    (job,) = org.http.get(f"{JOBS}ingest").json()["records"]
    assert (job["state"], stored(org, "Name")) == ("Aborted", [])


def test_rows_that_were_locked_are_sent_again(org: Caller, bulk: SFBulk2Handler) -> None:
    meet(org, on="processing", fault="locked-rows", times=2)
    (job,) = bulk.Account.insert(records=[{"Name": name} for name in "ABCDE"], wait=0)
    locked = rows_of(bulk.Account.get_failed_records(job["job_id"]))
    assert {row["sf__Error"] for row in locked} == snapshot(
        {"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"}
    )
    bulk.Account.insert(records=[{"Name": row["Name"]} for row in locked], wait=0)
    assert stored(org, "Name") == [(name,) for name in "ABCDE"]


# The client around it, which only knows https


class Loopback(HTTPAdapter):
    """Takes what is meant for any host to the org on this machine."""

    def __init__(self, org: Caller) -> None:
        super().__init__()
        self.org = org

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        request.url = f"{self.org.http.base_url}{request.path_url}"
        return super().send(request, *args, **kwargs)  # type: ignore[arg-type]  # handed on as they are


@pytest.fixture
def session(org: Caller) -> Iterator[requests.Session]:
    with requests.Session() as rewired:
        rewired.mount("https://", Loopback(org))
        yield rewired


APP = {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET}


@pytest.mark.parametrize("flow", ["client credentials", "password", "JWT", "SOAP"])
def test_each_way_to_sign_in_leads_to_a_load(
    org: Caller, session: requests.Session, app_key: AppKey, flow: str
) -> None:
    asked = {
        "client credentials": {**APP, "domain": "acme.my"},
        "password": {**APP, "username": USERNAME, "password": PASSWORD},
        "JWT": {"consumer_key": CLIENT_ID, "username": USERNAME, "privatekey_file": str(app_key.file)},
        "SOAP": {"username": USERNAME, "password": PASSWORD, "security_token": "any token"},
    }
    salesforce = Salesforce(session=session, **asked[flow])
    assert salesforce.session_id != ACCESS_TOKEN
    salesforce.bulk2.Account.insert(records=[{"Name": flow}], wait=0)
    assert stored(org, "Name") == [(flow,)]


def test_a_refused_sign_in_is_raised_as_such(session: requests.Session) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as raised:
        Salesforce(session=session, consumer_key=CLIENT_ID, consumer_secret="guess", domain="acme.my")
    assert (raised.value.code, raised.value.auth_message) == snapshot(("invalid_client", "invalid client credentials"))


def test_a_client_with_a_token_loads_and_queries(org: Caller, session: requests.Session) -> None:
    salesforce = Salesforce(session_id=ACCESS_TOKEN, instance_url="https://acme.my.salesforce.com", session=session)
    salesforce.bulk2.Contact.insert(records=[{"LastName": "Ngata"}, {"LastName": "Moana"}], wait=0)
    answer = salesforce.query("SELECT Id, LastName FROM Contact ORDER BY LastName LIMIT 10")
    assert (answer["totalSize"], answer["done"]) == (2, True)
    assert [record["LastName"] for record in answer["records"]] == ["Moana", "Ngata"]
    record = salesforce.Contact.get(answer["records"][0]["Id"])
    assert record["LastName"] == "Moana"
    assert salesforce.limits()["DailyApiRequests"]["Max"] > 0
    assert salesforce.Contact.describe()["keyPrefix"] == "003"
    assert "Contact" in [sobject["name"] for sobject in salesforce.describe()["sobjects"]]


def test_a_query_is_followed_page_by_page(org: Caller, session: requests.Session) -> None:
    names = [f"account {number:04}" for number in range(4500)]
    org.load("\n".join(["Name", *names, ""]))
    salesforce = Salesforce(session_id=ACCESS_TOKEN, instance_url="https://acme.my.salesforce.com", session=session)
    answer = salesforce.query_all("SELECT Name FROM Account")
    assert (answer["totalSize"], answer["done"]) == (4500, True)
    assert sorted(record["Name"] for record in answer["records"]) == names


# The product's own surface


def test_the_gateway_serves_the_whole_life_of_a_load(product: Product) -> None:
    """Its users put the gateway's address where Salesforce's was; their token does not matter to it."""
    handler = SFBulk2Handler("any token", f"{product.rest_url}/jobs/")
    leads = handler.Lead
    (inserted,) = leads.insert(records=[{"LastName": name, "Company": AWKWARD["quotes"]} for name in "ABC"], wait=0)
    ids = {row["LastName"]: row["sf__Id"] for row in rows_of(leads.get_successful_records(inserted["job_id"]))}
    leads.update(records=[{"Id": ids["A"], "City": "Zürich"}], wait=0)
    leads.upsert(records=[{"Id": ids["B"], "City": "Basel"}, {"Id": "", "City": "no name"}], wait=0)
    leads.delete(records=[{"Id": ids["C"]}], wait=0)
    assert stored(product.org, "LastName", "Company", "City", object_="Lead") == [
        ("A", AWKWARD["quotes"], "Zürich"),
        ("B", AWKWARD["quotes"], "Basel"),
    ]
    leads.hard_delete(records=[{"Id": ids["A"]}, {"Id": ids["B"]}], wait=0)
    (again,) = leads.hard_delete(records=[{"Id": ids["A"]}], wait=0)
    (failure,) = rows_of(leads.get_failed_records(again["job_id"]))
    assert failure == {"sf__Id": ids["A"], "sf__Error": failure["sf__Error"], "Id": ids["A"]}
    assert leads.get_unprocessed_records(again["job_id"]) == "Id\n"
    handler.session.close()
