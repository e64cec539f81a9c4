"""What a job may ask for."""

import json
from typing import Any

import pytest

from tests.emulator.caller import INGEST, Caller

GOOD = {"object": "Account", "operation": "insert"}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (GOOD | {"object": "Nope__c"}, "INVALIDENTITY", "Entity 'Nope__c' is not supported by the Bulk API."),
        (GOOD | {"object": "User"}, "INVALIDENTITY", "Entity 'User' is not supported by the Bulk API."),
        ({"operation": "insert"}, "INVALIDENTITY", "Entity '' is not supported by the Bulk API."),
        (
            {"object": "contact", "operation": "upsert"},
            "INVALIDJOB",
            "External ID was blank for Contact. An External ID must be specified for upsert.",
        ),
        (
            GOOD | {"operation": "upsert", "externalIdFieldName": "Phone"},
            "INVALIDJOB",
            "Field name provided, Phone does not match an External ID, Salesforce Id, or indexed field for Account",
        ),
        (
            GOOD | {"operation": "INSERT"},
            "INVALIDOPERATION",
            "Operation 'INSERT' is not one of insert, delete, hardDelete, update, upsert",
        ),
        (GOOD | {"lineEnding": "CR"}, "INVALIDJOB", "lineEnding 'CR' is not one of LF, CRLF"),
        (GOOD | {"contentType": "JSON"}, "INVALIDJOB", "contentType 'JSON' is not one of CSV"),
        (GOOD | {"colour": "red"}, "JSON_PARSER_ERROR", 'Unrecognized field "colour"'),
        (GOOD | {"lineEnding": 5}, "JSON_PARSER_ERROR", 'Field "lineEnding" must be a string'),
        (
            GOOD | {"assignmentRuleId": "\ud800"},
            "INVALIDJOB",
            "assignmentRuleId '?' is not the id of an assignment rule",
        ),
        ([], "JSON_PARSER_ERROR", "The request body is not a JSON object"),
    ],
)
def test_each_mistake_has_its_own_answer(org: Caller, body: Any, code: str, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = org.http.post(INGEST, content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    assert (answer.json()[0]["errorCode"], answer.json()[0]["message"]) == (code, message)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"object": NaN}'])
def test_what_is_not_json_is_a_parser_error(org: Caller, text: bytes) -> None:
    answer = org.http.post(INGEST, content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_null_stands_for_the_default(org: Caller) -> None:
    answer = org.http.post(INGEST, json=GOOD | {"lineEnding": None, "columnDelimiter": None, "contentType": None})
    assert (answer.json()["lineEnding"], answer.json()["columnDelimiter"]) == ("LF", "COMMA")


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"job": (None, "{}", "application/json")}, 400),
        ({"content": ("content", "Name\n", "text/csv")}, 400),
        (
            {
                "job": (None, '{"object":"Account","operation":"insert"}', "application/json"),
                "content": ("content", "Name\n" + "x" * 100_000, "text/csv"),
            },
            413,
        ),
    ],
)
def test_a_multipart_body_needs_both_parts_and_100_000_characters_at_most(org: Caller, parts: Any, status: int) -> None:
    answer = org.http.post(INGEST, files=parts)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json;charset=UTF-8")


def test_a_multipart_body_that_is_none_is_refused(org: Caller) -> None:
    for content_type in ("multipart/form-data; boundary=b", "multipart/form-data"):
        answer = org.http.post(INGEST, content=b"no parts", headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALIDJOB")
