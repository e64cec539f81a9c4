"""What a job may ask for."""

import json
from pathlib import Path
from typing import Any

import pytest

from salesforce_emulator import Assumptions
from tests.salesforce_emulator.behaviours import assumed, doc, seen
from tests.salesforce_emulator.caller import INGEST, Caller, an_org

GOOD = {"object": "Account", "operation": "insert"}


def answer_to(org: Caller, body: Any, version: str = "63.0") -> tuple[int, str, str]:
    """The status, code and message of a creation that is refused."""
    headers = {"Content-Type": "application/json"}
    answer = org.http.post(f"/services/data/v{version}/jobs/ingest", content=json.dumps(body), headers=headers)
    return answer.status_code, answer.json()[0]["errorCode"], answer.json()[0]["message"]


@seen("query jobs (airbytehq/airbyte)")
@assumed("that ingest says the same")
def test_an_object_that_bulk_api_does_not_load_is_refused(org: Caller) -> None:
    message = "Entity 'Nope__c' is not supported by the Bulk API."
    assert answer_to(org, GOOD | {"object": "Nope__c"}) == (400, "INVALIDENTITY", message)


@seen("a live test (salesforcecli/plugin-data)")
def test_an_object_is_found_in_any_case_and_answered_in_its_own(org: Caller) -> None:
    assert org.http.post(INGEST, json=GOOD | {"object": "aCCOUNT"}).json()["object"] == "Account"


@seen("Bulk API 1.0 (Force.com-Toolkit)")
@assumed("that 2.0 says the same")
def test_an_upsert_without_an_external_id_is_refused(org: Caller) -> None:
    message = "External ID was blank for Contact. An External ID must be specified for upsert."
    assert answer_to(org, {"object": "contact", "operation": "upsert"}) == (400, "INVALIDJOB", message)


@assumed("text of other calls of the platform")
def test_an_upsert_by_a_field_that_is_no_key_is_refused(org: Caller) -> None:
    body = GOOD | {"operation": "upsert", "externalIdFieldName": "Phone"}
    message = "Field name provided, Phone does not match an External ID, Salesforce Id, or indexed field for Account"
    assert answer_to(org, body) == (400, "INVALIDJOB", message)


@seen("live tests (jsforce)")
def test_an_upsert_by_the_id_is_taken(org: Caller) -> None:
    body = GOOD | {"operation": "upsert", "externalIdFieldName": "Id"}
    assert org.http.post(INGEST, json=body).json()["externalIdFieldName"] == "Id"


@doc("Bulk API 2.0 guide, Create a Job: externalIdFieldName is for upsert")
@assumed("that other operations may name a field, and that it is dropped")
@pytest.mark.parametrize("operation", ["insert", "update", "delete", "hardDelete"])
def test_an_external_id_is_dropped_where_no_record_is_found_by_it(org: Caller, operation: str) -> None:
    body = {"object": "Account", "operation": operation, "externalIdFieldName": "No_Field__c"}
    answer = org.http.post(INGEST, json=body)
    assert (answer.status_code, "externalIdFieldName" in answer.json()) == (200, False)


@doc("Bulk API guide: operations are case-sensitive in Bulk API 1.0; Bulk API 2.0 guide, Errors")
@assumed("status and text, and that case counts in 2.0 too")
@pytest.mark.parametrize("operation", ["INSERT", "merge"])
def test_an_unknown_operation_is_refused(org: Caller, operation: str) -> None:
    message = f"Operation '{operation}' is not one of insert, delete, hardDelete, update, upsert"
    assert answer_to(org, GOOD | {"operation": operation}) == (400, "INVALIDOPERATION", message)


@assumed("codes and texts")
@pytest.mark.parametrize("value", [None, "", "no such property"])
def test_what_a_job_lacks_is_named_with_what_it_may_be(org: Caller, value: str | None) -> None:
    told = []
    for name in ("operation", "object"):
        body = {**GOOD, name: value} if value != "no such property" else {k: v for k, v in GOOD.items() if k != name}
        told.append(answer_to(org, body))
    assert told == [
        (
            400,
            "INVALIDOPERATION",
            "The job has no operation: set operation to one of insert, delete, hardDelete, update, upsert",
        ),
        (400, "INVALIDENTITY", "The job has no object: set object to its API name, such as Account"),
    ]


@doc("Bulk API 2.0 guide, Create a Job: the choices")
@assumed("code and text")
@pytest.mark.parametrize(
    ("field", "value", "choices"),
    [
        ("lineEnding", "CR", "LF, CRLF"),
        ("contentType", "JSON", "CSV"),
        ("columnDelimiter", ",", "BACKQUOTE, CARET, COMMA, PIPE, SEMICOLON, TAB"),
    ],
)
def test_a_value_that_is_not_among_the_documented_ones_is_refused(
    org: Caller, field: str, value: str, choices: str
) -> None:
    message = f"{field} '{value}' is not one of {choices}"
    assert answer_to(org, GOOD | {field: value}) == (400, "INVALIDJOB", message)


@doc("Bulk API 2.0 guide, Create a Job: the choices and their defaults")
def test_each_documented_format_is_taken_and_answered(org: Caller) -> None:
    for delimiter in ("BACKQUOTE", "CARET", "COMMA", "PIPE", "SEMICOLON", "TAB"):
        for line_ending in ("LF", "CRLF"):
            body = GOOD | {"columnDelimiter": delimiter, "lineEnding": line_ending}
            job = org.http.post(INGEST, json=body).json()
            assert (job["columnDelimiter"], job["lineEnding"]) == (delimiter, line_ending)


@seen("another endpoint of the platform")
@assumed("that ingest refuses what it does not know")
def test_an_unknown_property_is_a_parser_error(org: Caller) -> None:
    message = 'Unrecognized field "colour"'
    assert answer_to(org, GOOD | {"colour": "red"}) == (400, "JSON_PARSER_ERROR", message)


@assumed("code and text")
@pytest.mark.parametrize("body", [GOOD | {"lineEnding": 5}, GOOD | {"object": ["Account"]}, [], None, "job"])
def test_a_body_of_another_form_is_a_parser_error(org: Caller, body: Any) -> None:
    assert answer_to(org, body)[:2] == (400, "JSON_PARSER_ERROR")


@assumed("what a job shows of itself is sent back by some clients, and can't be set")
def test_what_a_job_shows_of_itself_can_be_sent_but_not_set(org: Caller) -> None:
    shown = {"id": "x", "state": "JobComplete", "concurrencyMode": "Serial", "apiVersion": 50.0, "jobType": "Classic"}
    job = org.http.post(INGEST, json=GOOD | shown).json()
    assert (job["state"], job["concurrencyMode"], job["apiVersion"]) == ("Open", "Parallel", 63.0)


@doc("Bulk API 2.0 guide, Create a Job: the rule to run for a Case or Lead")
@assumed("the org has no rules, so that any id of a rule will do")
def test_an_assignment_rule_is_kept_by_the_job(org: Caller) -> None:
    rule = {"object": "Lead", "operation": "insert", "assignmentRuleId": "01QEm0000000001"}
    job = org.http.post(INGEST, json=rule).json()
    assert job["assignmentRuleId"] == org.get(job["id"])["assignmentRuleId"] == "01QEm0000000001MAA"


@doc("Bulk API 2.0 guide, Create a Job: assignmentRuleId from API 49.0 on")
@assumed("code and text")
def test_before_49_0_there_is_no_assignment_rule(org: Caller) -> None:
    body = GOOD | {"assignmentRuleId": "01QEm0000000001"}
    assert answer_to(org, body, "48.0") == (400, "JSON_PARSER_ERROR", 'Unrecognized field "assignmentRuleId"')


@assumed("code and text")
@pytest.mark.parametrize(("rule", "told"), [("\ud800", "?"), ("001EM0000000001", "001EM0000000001")])
def test_what_is_no_id_of_an_assignment_rule_is_refused(org: Caller, rule: str, told: str) -> None:
    message = f"assignmentRuleId '{told}' is not the id of an assignment rule"
    assert answer_to(org, GOOD | {"assignmentRuleId": rule}) == (400, "INVALIDJOB", message)


@seen("the text with Bulk API 1.0 (Data Loader), the code with 2.0 (salesforcecli/plugin-data)")
@assumed("the status; and that the user of this org has the permission, unless told otherwise")
def test_a_hard_delete_needs_the_permission(tmp_path: Path) -> None:
    body = GOOD | {"operation": "hardDelete"}
    with an_org(tmp_path, hard_delete=False) as org:
        assert answer_to(org, body) == (
            400,
            "FEATURENOTENABLED",
            "hardDelete operation requires special user profile permission, please contact your system administrator",
        )
        assert org.create(operation="delete")


@seen("Bulk API 1.0 through jsforce")
@assumed("that 2.0 may spell it so, too", switch="hard_delete_code")
def test_the_code_of_a_hard_delete_without_the_permission_can_be_the_one_of_bulk_api_1_0(tmp_path: Path) -> None:
    assumptions = Assumptions(hard_delete_code="FeatureNotEnabled")
    with an_org(tmp_path, hard_delete=False, assumptions=assumptions) as org:
        assert answer_to(org, GOOD | {"operation": "hardDelete"})[:2] == (400, "FeatureNotEnabled")


@assumed("clients send null for what they leave out")
def test_null_stands_for_the_default(org: Caller) -> None:
    answer = org.http.post(INGEST, json=GOOD | {"lineEnding": None, "columnDelimiter": None, "contentType": None})
    assert (answer.json()["lineEnding"], answer.json()["columnDelimiter"]) == ("LF", "COMMA")
