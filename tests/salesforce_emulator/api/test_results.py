"""The resources of results: paths, HEAD and empty answers."""

from pathlib import Path

import pytest

from salesforce_emulator import Assumptions
from tests.salesforce_emulator.behaviours import assumed, own
from tests.salesforce_emulator.caller import INGEST, Caller, an_org

SEGMENTS = ("successfulResults", "failedResults", "unprocessedrecords")


@own
def test_a_result_that_there_is_not_is_not_found(org: Caller) -> None:
    job = org.load("Name\nA\n")
    assert org.http.get(f"{INGEST}/{job['id']}/results").status_code == 404
    assert [org.http.get(f"{INGEST}/{job['id']}/{segment}").status_code for segment in SEGMENTS] == [200, 200, 200]


@own
@pytest.mark.parametrize("segment", SEGMENTS)
def test_head_of_a_result_names_its_type_and_has_no_body(org: Caller, segment: str) -> None:
    job = org.load("Name\nA\n,\n")
    answer = org.http.head(f"{INGEST}/{job['id']}/{segment}")
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "text/csv; charset=UTF-8", b"")


@assumed("a result without rows is a 204 for GET and HEAD alike", switch="empty_results")
def test_head_of_a_result_without_rows_is_a_204_where_get_is(tmp_path: Path) -> None:
    with an_org(tmp_path, assumptions=Assumptions(empty_results="no-content")) as org:
        job = org.load("Name\nA\n")
        url = f"{INGEST}/{job['id']}"
        assert [org.http.request(method, f"{url}/failedResults").status_code for method in ("GET", "HEAD")] == [
            204,
            204,
        ]
        assert org.http.head(f"{url}/successfulResults").status_code == 200
