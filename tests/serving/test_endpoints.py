"""Which paths are near the one asked for."""

import pytest

from salesforce_bulk_ingest.serving.endpoints import Endpoint, methods_in_words, near_in_words, nearest

ENDPOINTS = (
    Endpoint("/v1/jobs", {"GET": "lists jobs", "POST": "creates a job"}),
    Endpoint("/v1/jobs/{id}", {"GET": "shows a job"}),
    Endpoint("/v1/jobs/{id}/batches", {"PUT": "uploads rows"}),
    Endpoint("/v1/jobs/{id}/failedResults", {"GET": "downloads rows"}),
)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("/jobs", ["/v1/jobs"]),
        ("/V1/JOBS", ["/v1/jobs"]),
        ("/v1/job", ["/v1/jobs"]),
        ("/v1", ["/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/batches"]),
        ("/v1/jobs/{id}/batch", ["/v1/jobs/{id}/batches"]),
        ("/v1/jobs/{id}/failedResult", ["/v1/jobs/{id}/failedResults"]),
        ("/favicon.ico", []),
        ("/", []),
        ("", []),
        ("/" * 60_000, []),
    ],
)
def test_the_nearest_paths_come_first_and_what_is_like_nothing_has_none(asked: str, near: list[str]) -> None:
    assert [endpoint.path for endpoint in nearest(asked, ENDPOINTS)] == near


def test_words_name_the_methods_of_near_paths_and_where_all_paths_are() -> None:
    assert near_in_words("/jobs", ENDPOINTS) == "Near it: GET, POST /v1/jobs. GET / says what is here."
    assert near_in_words("/x", ENDPOINTS) == "GET / says what is here."
    assert methods_in_words(ENDPOINTS[0]) == "GET lists jobs, POST creates a job."
