"""Refusals, by who makes them."""

from inline_snapshot import snapshot

from salesforce_emulator.errors import JobFailure, RowError
from tests.salesforce_emulator.behaviours import assumed, seen
from tests.salesforce_emulator.caller import INGEST, Caller


@seen("platform errors print their message first, those of the Bulk API their code; the text of a wrong scheme")
@assumed("that a method, a media type and a body that are refused are told so by the platform")
def test_refusals_of_the_platform_tell_their_message_first_and_those_of_the_bulk_api_their_code(org: Caller) -> None:
    refusals = [
        org.http.get(INGEST, headers={"Authorization": "Bearer x"}),
        org.http.get(INGEST, headers={"Authorization": "Basic dXNlcjpwYXNz"}),
        org.http.delete(INGEST),
        org.http.post(INGEST, content=b"{}", headers={"Content-Type": "text/xml"}),
        org.http.post(INGEST, json=[]),
        org.http.post(INGEST, json={"object": "Nope", "operation": "insert"}),
        org.http.get(f"{INGEST}/x"),
    ]
    assert [answer.text for answer in refusals] == snapshot(
        [
            '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
            '[{"message":"INVALID_HEADER_TYPE","errorCode":"INVALID_AUTH_HEADER"}]',
            '[{"message":"HTTP Method \'DELETE\' not allowed. Allowed are GET,POST,HEAD","errorCode":"METHOD_NOT_ALLOWED"}]',
            '[{"message":"Content-Type header specified in HTTP request is not supported: text/xml. Expected is application/json","errorCode":"UNSUPPORTED_MEDIA_TYPE"}]',
            '[{"message":"The request body is not a JSON object","errorCode":"JSON_PARSER_ERROR"}]',
            '[{"errorCode":"INVALIDENTITY","message":"Entity \'Nope\' is not supported by the Bulk API."}]',
            '[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]',
        ]
    )


@seen("results and error messages of real jobs: plugin-data, Data Loader")
def test_failures_of_jobs_and_rows_have_salesforces_form() -> None:
    assert (
        str(JobFailure("InvalidBatch", "Field name not found : Nome")) == "InvalidBatch : Field name not found : Nome"
    )
    assert (
        str(RowError("INVALID_EMAIL_ADDRESS", "invalid", "Email", "Fax"))
        == "INVALID_EMAIL_ADDRESS:invalid:Email,Fax --"
    )
    assert str(RowError("UNABLE_TO_LOCK_ROW", "locked")) == "UNABLE_TO_LOCK_ROW:locked:--"


@assumed("a value that is quoted is cut where readers of CSV would take no more")
def test_a_message_that_quotes_a_long_value_keeps_its_beginning_and_its_end() -> None:
    text = str(RowError("STRING_TOO_LONG", "begin" + "x" * 200_000 + "end", "Site"))
    assert text.startswith("STRING_TOO_LONG:beginx")
    assert text.endswith("xend:Site --")
    assert len(text) < 100_100
