"""The job that rows are loaded into."""

from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.salesforce.models import Job
from salesforce_bulk_ingest.validation.destination import Destination


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
