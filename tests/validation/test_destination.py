"""The job that rows are loaded into."""

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.columns import columns_of
from salesforce_bulk_ingest.validation.destination import Destination, LoadTarget
from tests.validation.describing import ACCOUNT, CONTACT


def test_a_job_that_is_to_be_made_takes_the_dialect_of_the_rows_where_it_has_none() -> None:
    found = Dialect("SEMICOLON", "CRLF")
    assert Destination().dialect(found) == found
    assert Destination(delimiter="PIPE").dialect(found) == Dialect("PIPE", "CRLF")
    assert Destination(line_ending="LF").dialect() == Dialect("COMMA", "LF")


def test_a_job_that_exists_has_a_dialect_and_an_object() -> None:
    job = Job(
        id="750000000000001AAA",
        state="Open",
        operation="upsert",
        external_id_field_name="Ext__c",
        column_delimiter="TAB",
        line_ending="CRLF",
    )
    destination = Destination.of_job(job, limit=5)
    assert (destination.operation, destination.external_id_field) == ("upsert", "Ext__c")
    assert destination.dialect(Dialect()) == Dialect("TAB", "CRLF")
    assert (destination.is_made, destination.limit) == (True, 5)


def test_keys_are_equal_where_they_name_one_record() -> None:
    same = LoadTarget.of(CONTACT, "update", None).key_form
    assert same("003000000000001") == same("003000000000001AAA") != same("003000000000001aaa"[:14] + "2")
    assert same("00300000000000a") != same("00300000000000A")
    same = LoadTarget.of(CONTACT, "upsert", "Email").key_form
    assert same("ann@example.com") == same("ANN@example.com")
    same = LoadTarget.of(CONTACT, "upsert", "Code__c").key_form
    assert same("a") != same("A")


def test_a_blank_key_fails_its_row_except_in_an_upsert_by_id() -> None:
    assert LoadTarget.of(CONTACT, "update", None).needs_keys
    assert LoadTarget.of(CONTACT, "upsert", "Code__c").needs_keys
    assert not LoadTarget.of(CONTACT, "upsert", "Id").needs_keys
    assert not LoadTarget.of(CONTACT, "insert", None).needs_keys


def test_the_key_column_fills_the_key_itself_in_any_case_and_not_the_key_of_a_parent() -> None:
    load = LoadTarget.of(CONTACT, "upsert", "CODE__C")
    columns = columns_of(["code__c", "Account.Ext__c", "Email", "Nothing"], CONTACT, {"Account": ACCOUNT})
    assert list(map(load.is_key, columns)) == [True, False, False, False]


def test_both_deletes_take_ids_alone() -> None:
    assert [
        operation for operation in ("insert", "delete", "hardDelete") if LoadTarget.of(CONTACT, operation, None).deletes
    ] == ["delete", "hardDelete"]
