"""The errors in the OpenAPI document are those that callers get, word for word."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2

from salesforce_bulk_ingest.rest.error_responses import error_components, errors_of
from salesforce_bulk_ingest.rest.openapi import ROWS_SENT
from tests.support.callers import serving, token_in
from tests.support.orgs import UNKNOWN_JOB, both_surfaces
from tests.support.plain_http import plain_http

INSERT = {"object": "Contact", "operation": "insert"}
CLOSE = {"state": "UploadComplete"}
CSV = {"Content-Type": "text/csv"}
DIFFERS = r"\(job \w+, rows \w+\) \w+"
"""What stands in a sentence for one job alone."""


def examples() -> dict[str, dict[str, Any]]:
    """Every example of an error, by the name of its response and its own."""
    return {
        name: {each: example["value"] for each, example in content.get("examples", {}).items()}
        for name, component in error_components().items()
        for content in component["content"].values()
    }


def is_example(answer: httpx2.Response, response: str, name: str) -> bool:
    """Whether the answer is this example, with the status of the response."""
    (status,) = {
        status
        for status, reference in errors_of("put", uploads=True).items()
        if reference["$ref"].endswith(f"/{response}")
    }
    said, shown = (
        re.sub(DIFFERS, "", json.dumps(errors, sort_keys=True))
        for errors in (answer.json(), examples()[response][name])
    )
    return (answer.status_code, said) == (int(status), shown)


async def test_refusals_of_salesforce_are_the_examples(org_url: str) -> None:
    async with both_surfaces(org_url) as (_, rest):
        nope = await rest.post("", json={"object": "Nope", "operation": "insert"})
        assert is_example(nope, "Refused", "an object that takes no jobs")
        assert is_example(await rest.get("?queryLocator=x"), "Refused", "a locator of no page")
        job = f"/{(await rest.post('', json=INSERT)).json()['id']}"
        assert is_example(await rest.get(f"{job}/failedResults"), "Refused", "results too early")
        as_text = await rest.put(f"{job}/batches", content=ROWS_SENT, headers={"Content-Type": "text/plain"})
        assert is_example(as_text, "WrongType", "rows as text")
        await rest.put(f"{job}/batches", content=ROWS_SENT, headers=CSV)
        await rest.patch(job, json=CLOSE)
        while (await rest.get(job)).json()["state"] != "JobComplete":
            pass
        assert is_example(await rest.patch(job, json=CLOSE), "Refused", "a close too many")
        assert is_example(await rest.get(f"/{UNKNOWN_JOB}"), "NotFound", "no job")
        assert is_example(await rest.get("/001"), "NotFound", "no id")
        retired = await rest.get(f"http://localhost/services/data/v30.0/jobs/ingest/{UNKNOWN_JOB}")
        assert is_example(retired, "OldVersion", "a retired version")


async def test_refusals_of_this_server_are_the_examples(org_url: str) -> None:
    async with both_surfaces(org_url, read_only=True) as (_, rest):
        assert is_example(await rest.post("", json=INSERT), "NotAllowed", "a server for reading")
    async with both_surfaces(org_url, confirm=("insert",)) as (_, rest):
        job = f"/{(await rest.post('', json=INSERT)).json()['id']}"
        await rest.put(f"{job}/batches", content=ROWS_SENT, headers=CSV)
        assert is_example(await rest.patch(job, json=CLOSE), "NotAllowed", "a close to confirm")


async def test_refusals_at_the_door_are_the_examples(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http(base_url=addresses.rest_url) as http:
        unknown = await http.get("/jobs/ingest")
        assert is_example(unknown, "NotSignedIn", "no token")
        assert "WWW-Authenticate" in unknown.headers
        wrong = await http.get("/jobs/ingest", headers={"Authorization": "Bearer x"})
        assert is_example(wrong, "NotSignedIn", "a wrong token")
        elsewhere = await http.get("/jobs/ingest", headers={"Host": "evil.example"})
        assert is_example(elsewhere, "WrongHost", "a foreign name")


def test_what_takes_a_body_names_the_errors_of_bodies_and_an_upload_those_of_uploads() -> None:
    assert {"413", "415"} <= errors_of("patch").keys()
    assert not {"409", "413", "415"} & errors_of("get").keys()
    assert "409" in errors_of("put", uploads=True)
