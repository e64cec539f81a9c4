"""The schemas of the OpenAPI document are those of the models, with a word about each field."""

from salesforce_bulk_ingest.rest.schemas import ADDED_TO, component_schemas
from salesforce_bulk_ingest.salesforce.models import Job


def test_each_field_of_each_body_is_described() -> None:
    schemas = component_schemas()
    missing = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if "description" not in described
    ]
    assert missing == []


def test_a_job_has_the_fields_of_the_model_and_one_that_nobody_reads() -> None:
    fields = {field.alias for field in Job.model_fields.values()}
    assert set(component_schemas()["Job"]["properties"]) == fields | {"isPkChunkingSupported"}
    assert set(ADDED_TO["Job"]) == set(component_schemas()["Job"]["properties"])


def test_a_list_has_what_goes_over_the_wire() -> None:
    assert list(component_schemas()["JobList"]["properties"]) == ["records", "done", "nextRecordsUrl"]
