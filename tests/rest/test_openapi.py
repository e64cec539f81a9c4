"""The OpenAPI document of `/v1` against the routes, and against the answers of a server."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema
import pytest

from salesforce_bulk_ingest.rest.byte_gateway import CONFIRM
from salesforce_bulk_ingest.rest.openapi import JOB_ID, ROWS_SENT, openapi_document
from tests.support.callers import every_route
from tests.support.orgs import UNKNOWN_JOB, both_surfaces
from tests.test_contract import CONTRACT

METHODS = {"get", "post", "put", "patch", "delete"}
DIFFERENT = {
    r"750Em\w{13}": "JOB",
    r"003Em\w{13}": "RECORD",
    r"20\d\d-\d\d-\d\dT[\d:]+": "TIME",
    r'"(total|apiActive)ProcessingTime": \d+': "MILLISECONDS",
}
"""What differs from one run to another."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation."""
    for path, item in openapi_document()["paths"].items():
        for method in METHODS & item.keys():
            yield method, path, item[method]


def operation(name: str) -> dict[str, Any]:
    (found,) = [described for _, _, described in operations() if described["operationId"] == name]
    return found


def alike(value: object) -> str:
    """A value as text, without what differs from run to run."""
    text = json.dumps(value, sort_keys=True)
    for found, shown in DIFFERENT.items():
        text = re.sub(found, shown, text)
    return text


def check(name: str, answer: httpx2.Response, *, is_the_example: bool = True) -> None:
    """Hold an answer to what the document says of this status: its headers, its type, its schema and its example."""
    document = openapi_document()
    described = operation(name)["responses"][str(answer.status_code)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    usual = {"content-type", "content-length", "content-encoding", "date", "server", "vary"}
    assert {header.lower() for header in answer.headers} <= usual | {each.lower() for each in described["headers"]}
    if "content" not in described:
        assert answer.content == b""
        return
    kind = answer.headers["Content-Type"].partition(";")[0]
    content = described["content"][kind]
    body = answer.json() if kind == "application/json" else answer.text
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)
    if is_the_example:
        (example,) = content["examples"].values()
        assert alike(body) == alike(example["value"])


async def test_routes_and_document_name_each_other(org_url: str) -> None:
    routes = {
        f"{route.method} {route.path.replace(UNKNOWN_JOB, '{jobid}')}"
        for route in await every_route(org_url)
        if not route.of_mcp and route.method != "HEAD"
    }
    servers = [server["url"] for server in openapi_document()["servers"]]
    assert routes == {f"{method.upper()} {server}{path}" for method, path, _ in operations() for server in servers}


def test_each_operation_has_the_name_of_its_tool() -> None:
    described = {f"{method.upper()} /v1{path.lower()}": each["operationId"] for method, path, each in operations()}
    assert described == {row[4]: row[0] for row in CONTRACT}


async def test_each_answer_of_a_load_is_the_example_and_fits_its_schema(org_url: str) -> None:
    new_job = operation("create-ingest-job")["requestBody"]["content"]["application/json"]["examples"]
    rows = operation("upload-data-ingest-job")["requestBody"]["content"]["text/csv"]["examples"]
    close = operation("close-abort-ingest-job")["requestBody"]["content"]["application/json"]["examples"]
    async with both_surfaces(org_url) as (_, rest):
        created = await rest.post("", json=new_job["an insert"]["value"])
        check("create-ingest-job", created)
        job = f"/{created.json()['id']}"
        uploaded = await rest.put(
            f"{job}/batches", content=rows["two contacts"]["value"], headers={"Content-Type": "text/csv"}
        )
        check("upload-data-ingest-job", uploaded)
        check("close-abort-ingest-job", await rest.patch(job, json=close["close"]["value"]))
        while (read := await rest.get(job)).json()["state"] != "JobComplete":
            check("get-ingest-job-status", read, is_the_example=False)
        check("get-ingest-job-status", read)
        check("get-failed-results-ingest-job", await rest.get(f"{job}/failedResults"))
        check("get-successful-results-ingest-job", await rest.get(f"{job}/successfulResults"))
        check("get-unprocessed-records-ingest-job", await rest.get(f"{job}/unprocessedrecords"))
        listed = await rest.get("", params={"jobType": "V2Ingest", "isPkChunkingEnabled": "false"})
        check("list-all-ingest-jobs", listed, is_the_example=False)
        check("delete-ingest-job", await rest.delete(job))
        check("get-ingest-job-status", await rest.get(job), is_the_example=False)


async def test_the_only_job_of_an_org_is_the_page_of_the_example(org_url: str) -> None:
    async with both_surfaces(org_url) as (_, rest):
        job = f"/{(await rest.post('', json={'object': 'Contact', 'operation': 'insert'})).json()['id']}"
        await rest.put(f"{job}/batches", content=ROWS_SENT, headers={"Content-Type": "text/csv"})
        await rest.patch(job, json={"state": "UploadComplete"})
        while (await rest.get(job)).json()["state"] != "JobComplete":
            pass
        page = (await rest.get("")).json()
    page["records"] = [listed for listed in page["records"] if job.endswith(listed["id"])]
    (example,) = operation("list-all-ingest-jobs")["responses"]["200"]["content"]["application/json"][
        "examples"
    ].values()
    assert alike(page) == alike(example["value"])


async def test_job_and_rows_go_in_one_request_as_described(org_url: str) -> None:
    body = operation("create-ingest-job")["requestBody"]["content"]["multipart/form-data"]
    (example,) = [each["value"] for each in body["examples"].values()]
    types = {part: encoding["contentType"] for part, encoding in body["encoding"].items()}
    parts = [
        ("job", (None, json.dumps(example["job"]), types["job"])),
        ("content", ("content", example["content"], types["content"])),
    ]
    async with both_surfaces(org_url) as (_, rest):
        created = await rest.post("", files=parts)
        check("create-ingest-job", created, is_the_example=False)
        assert created.json()["state"] == "UploadComplete"


def test_the_header_that_confirms_is_the_one_that_is_read() -> None:
    assert openapi_document()["components"]["parameters"]["confirm"]["name"].lower() == CONFIRM


@pytest.mark.parametrize("word", ["127.0.0.1", "salesforce.com", "upload_root", "policy"])
def test_it_says_nothing_of_one_server(word: str) -> None:
    assert word not in json.dumps(openapi_document())


def test_the_example_of_an_id_is_that_of_the_answers() -> None:
    assert openapi_document()["components"]["parameters"]["jobid"]["example"] == JOB_ID
