"""Checks the JSON body that creates a job, and turns it into a JobRequest."""

from collections.abc import Collection
from typing import Any

from salesforce_emulator import errors, ids
from salesforce_emulator.config import EmulatorConfig
from salesforce_emulator.jobs.job import JobRequest
from salesforce_emulator.processing.csv_reader import DELIMITERS, LINE_ENDINGS
from salesforce_emulator.processing.operations import OPERATIONS
from salesforce_emulator.schema.model import Schema, SObject

# SETTABLE: Bulk API 2.0 guide, Create a Job. KNOWN adds the read-only properties, which some clients send back; assumed:
# that their values are ignored.
SETTABLE = ("object", "operation", "externalIdFieldName", "contentType", "columnDelimiter", "lineEnding")
ASSIGNMENT_RULES_FROM = 49.0  # API version
KNOWN = {*SETTABLE, "assignmentRuleId", "id", "state", "concurrencyMode", "apiVersion", "jobType"}


def job_request(body: dict[str, Any], version: str, schema: Schema, config: EmulatorConfig) -> JobRequest:
    """Return the job that this body requests.

    Args:
        body: JSON body of the request.
        version: API version in the path of the request, such as `63.0`.
        schema: schema of the org.
        config: settings of the org.

    Raises:
        ApiError: a property is unknown or has a bad value (400).
    """
    _check_properties(body, version)
    operation = _operation(body.get("operation"))
    if operation == "hardDelete" and not config.hard_delete:
        raise errors.hard_delete_not_enabled(config.assumptions.hard_delete_code)
    sobject = _object(body.get("object"), schema)
    _choice(body, "contentType", ["CSV"], "CSV")
    return JobRequest(
        operation=operation,
        object=sobject.name,
        # assumed: other operations may name a field, and it is ignored
        external_id_field=_external_id(body.get("externalIdFieldName"), sobject) if operation == "upsert" else None,
        assignment_rule_id=_assignment_rule(body.get("assignmentRuleId")),
        api_version=version,
        line_ending=_choice(body, "lineEnding", LINE_ENDINGS, "LF"),
        column_delimiter=_choice(body, "columnDelimiter", DELIMITERS, "COMMA"),
    )


def _check_properties(body: dict[str, Any], version: str) -> None:
    """Refuse unknown properties and values that are not strings.

    The text is seen on another endpoint; assumed: ingest refuses unknown properties too, and its text gives no position.
    """
    has_rules = float(version) >= ASSIGNMENT_RULES_FROM
    for name, value in body.items():
        if name not in KNOWN or (name == "assignmentRuleId" and not has_rules):
            raise errors.json_parser_error(f'Unrecognized field "{name}"')
        if name in (*SETTABLE, "assignmentRuleId") and not isinstance(value, str | None):
            raise errors.json_parser_error(f'Field "{name}" must be a string')


def _operation(name: str | None) -> str:
    """Return the operation, whose name is case-sensitive (documented for Bulk API 1.0)."""
    if name not in OPERATIONS:
        raise errors.invalid_operation(name, OPERATIONS)
    return name


def _object(name: str | None, schema: Schema) -> SObject:
    """Return the object with this name, in any case (seen)."""
    sobject = schema.get(name or "")
    if sobject is None or not sobject.ingestable:
        raise errors.invalid_entity(name)
    return sobject


def _external_id(name: str | None, sobject: SObject) -> str:
    """Return the canonical name of the external id field.

    The first text is seen in Bulk API 1.0; assumed: the second text, which the platform uses for other calls.
    """
    if not name:
        raise errors.invalid_job(
            f"External ID was blank for {sobject.name}. An External ID must be specified for upsert."
        )
    field = sobject.field(name)
    if field is None or not (field.externalId or field.idLookup):
        raise errors.invalid_job(
            f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for"
            f" {sobject.name}"
        )
    return field.name


def _assignment_rule(rule_id: str | None) -> str | None:
    """Return the 18-character id of the assignment rule. The org has no rules, so any id with the prefix 01Q is accepted.

    Assumed: code and text for a bad id.
    """
    if not rule_id:
        return None
    normal = ids.normal(rule_id)
    if normal is None or not normal.startswith("01Q"):
        raise errors.invalid_job(f"assignmentRuleId '{rule_id}' is not the id of an assignment rule")
    return normal


def _choice(body: dict[str, Any], name: str, choices: Collection[str], default: str) -> str:
    """Return the value of a property that has a documented list of values; assumed: code and text for another value."""
    value: str = body.get(name) or default
    if value not in choices:
        raise errors.invalid_job(f"{name} '{value}' is not one of {', '.join(choices)}")
    return value
