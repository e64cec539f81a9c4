"""The paths of `/v1` in words, and what a request is told that meets none of them."""

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.rest.documents import build_documents
from salesforce_bulk_ingest.rest.endpoints import DOCUMENTS, OPERATIONS, words_for_methods, words_for_unknown
from tests.support.wire import JOB_ID
from tests.test_contract import CONTRACT

JOB = f"/jobs/ingest/{JOB_ID}"


def test_the_words_are_for_the_routes_of_the_contract() -> None:
    described = {f"{method} {one.path.lower()}" for one in OPERATIONS for method in one.methods}
    assert described == {row[4] for row in CONTRACT}
    assert {one.path for one in DOCUMENTS} == build_documents().keys()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/jobs/ingest", snapshot("Near it: GET, POST /v1/jobs/ingest. GET / says what is here.")),
        (
            "/v1/jobs",
            snapshot(
                "Near it: GET, POST /v1/jobs/ingest; GET, PATCH, DELETE /v1/jobs/ingest/{jobid}; PUT /v1/jobs/ingest/{jobid}/batches. GET / says what is here."
            ),
        ),
        ("/v1/jobs/query", snapshot("Near it: GET, POST /v1/jobs/ingest. GET / says what is here.")),
        ("/v2/jobs/ingest", snapshot("Near it: GET, POST /v1/jobs/ingest. GET / says what is here.")),
        ("/V1/jobs/ingest", snapshot("Near it: GET, POST /v1/jobs/ingest. GET / says what is here.")),
        (
            f"{JOB}/batches",
            snapshot("Near it: PUT /v1/jobs/ingest/750000000000001AAA/batches. GET / says what is here."),
        ),
        (
            f"/v1{JOB}/results",
            snapshot(
                "Near it: GET /v1/jobs/ingest/750000000000001AAA/failedResults; GET /v1/jobs/ingest/750000000000001AAA/successfulResults; GET, PATCH, DELETE /v1/jobs/ingest/750000000000001AAA. GET / says what is here."
            ),
        ),
        (
            f"/v1{JOB}/batches/1",
            snapshot("Near it: PUT /v1/jobs/ingest/750000000000001AAA/batches. GET / says what is here."),
        ),
        ("/mcp", snapshot("MCP has a port of its own: GET / names its address.")),
        ("/openapi.json", snapshot("Near it: GET /v1/openapi.json. GET / says what is here.")),
        ("/favicon.ico", snapshot("GET / says what is here.")),
    ],
)
def test_an_unknown_path_is_told_what_is_near_it(path: str, words: str) -> None:
    assert words_for_unknown(path) == words


def test_a_wrong_method_is_told_what_the_right_ones_do() -> None:
    assert words_for_methods(f"/v1{JOB}/batches") == "PUT uploads rows, as CSV."
    assert words_for_methods(f"/v1{JOB}/failedresults") == "GET downloads the rows that failed."
    assert words_for_methods("/elsewhere") == ""
