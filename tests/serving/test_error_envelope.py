"""The body of our own HTTP errors."""

import json

from salesforce_bulk_ingest.serving.error_envelope import error_response


def test_an_error_has_the_form_of_salesforce_s() -> None:
    response = error_response(405, "METHOD_NOT_ALLOWED", 'Not "POST".', {"Allow": "GET"})
    assert json.loads(bytes(response.body)) == [{"errorCode": "METHOD_NOT_ALLOWED", "message": 'Not "POST".'}]
    assert response.status_code == 405
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    assert response.headers["allow"] == "GET"
