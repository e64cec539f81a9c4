"""What Salesforce has and the org does not."""

import pytest
from inline_snapshot import snapshot

from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.caller import DATA, Caller

JSON = {"Content-Type": "application/json"}


@own
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "jobs/query"),
        ("GET", "jobs/query/750Em0000000001/results"),
        ("POST", "composite"),
        ("PATCH", "composite/sobjects/Account/External_Id__c"),
        ("POST", "composite/tree/Account"),
        ("POST", "graphql"),
        ("GET", "search"),
        ("GET", "parameterizedSearch"),
        ("GET", "ui-api/records/x"),
        ("GET", "tooling/query"),
        ("POST", "metadata/deployRequest"),
    ],
)
def test_a_resource_of_another_api_says_that_it_is_not_here_and_what_to_do_instead(
    org: Caller, method: str, path: str
) -> None:
    answer = org.http.request(method, f"{DATA}/{path}", json={})
    [error] = answer.json()
    assert (answer.status_code, error["errorCode"]) == (404, "NOT_FOUND")
    assert error["message"].startswith("The embedded org does not have ")
    assert "/services/data/v67.0/" in error["message"] or "--schema" in error["message"]
    assert org.http.request(method, f"{DATA}/{path}", headers={"Authorization": "Bearer x"}).status_code == 401


@own
def test_writing_a_single_record_is_refused_with_the_way_to_load_it(org: Caller) -> None:
    writes = [("POST", "Account"), ("PATCH", "Account/001x"), ("DELETE", "Account/001x"), ("PATCH", "Account/Id__c/a")]
    answers = [org.http.request(method, f"{DATA}/sobjects/{path}") for method, path in writes]
    assert {answer.status_code for answer in answers} == {405}
    assert answers[0].json() == snapshot(
        [
            {
                "message": "HTTP Method 'POST' not allowed. Allowed are GET,HEAD. The embedded org does not have resources that write single records: load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest).",
                "errorCode": "METHOD_NOT_ALLOWED",
            }
        ]
    )


@doc("Bulk API guide, Errors: the envelope, in JSON or XML, and the code for an org without Bulk API")
@own
def test_bulk_api_1_0_is_refused_in_its_own_envelope(org: Caller) -> None:
    in_json = org.http.post("/services/async/63.0/job", content=b"{}", headers=JSON)
    assert (in_json.status_code, in_json.json()) == snapshot(
        (
            400,
            {
                "exceptionCode": "FeatureNotEnabled",
                "exceptionMessage": "The embedded org does not have Bulk API 1.0: load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest).",
            },
        )
    )
    in_xml = org.http.post("/services/async/63.0/job", content=b"<jobInfo/>", headers={"Content-Type": "text/xml"})
    assert (in_xml.status_code, in_xml.headers["Content-Type"], in_xml.text) == snapshot(
        (
            400,
            "application/xml",
            '<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload"><exceptionCode>FeatureNotEnabled</exceptionCode><exceptionMessage>The embedded org does not have Bulk API 1.0: load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest).</exceptionMessage></error>',
        )
    )


@own
def test_a_soap_call_that_writes_is_a_fault_that_says_what_to_do_instead(org: Caller) -> None:
    assert [soap_fault(org, f"/services/Soap/{api}/63.0") for api in ("u", "m", "T")] == snapshot(
        [
            (
                500,
                "INVALID_OPERATION: The embedded org does not have SOAP calls other than login() and logout(): load records with ingest jobs of Bulk API 2.0 (POST /services/data/v67.0/jobs/ingest), and query with SOQL (GET /services/data/v67.0/query?q=...).",
            ),
            (
                500,
                "INVALID_OPERATION: The embedded org does not have the Metadata API: add objects, fields and validation rules with --schema.",
            ),
            (
                500,
                "INVALID_OPERATION: The embedded org does not have the Tooling API: add objects, fields and validation rules with --schema.",
            ),
        ]
    )


def soap_fault(org: Caller, path: str) -> tuple[int, str]:
    """The status and the text of the fault that answers a call of create()."""
    body = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><create/></e:Body></e:Envelope>'
    answer = org.http.post(path, content=body.encode(), headers={"Content-Type": "text/xml"})
    return answer.status_code, answer.text.partition("<faultstring>")[2].partition("</faultstring>")[0]
