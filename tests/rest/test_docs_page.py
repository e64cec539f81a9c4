"""The page for people: drawn from the document, without scripts, and with lines of curl that work as they stand."""

import html
import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from salesforce_bulk_ingest.rest.docs_page import docs_page, type_name
from salesforce_bulk_ingest.rest.openapi import openapi_document
from tests.support.callers import serving, token_in
from tests.support.commands import SERVE_EMBEDDED, fresh_environ, started
from tests.support.plain_http import blocking_http, plain_http

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
SECTION = re.compile(r'<section class="operation" id="([\w-]+)">(.*?)</section>', re.DOTALL)
CURL = re.compile(r'<pre class="curl"[^>]*><code>(.*?)</code>', re.DOTALL)
UNTIL_IT_ENDED = "until {status} | grep -Eq '\"(JobComplete|Failed)\"'; do :; done"


def lines_of(page: str) -> dict[str, list[str]]:
    """The lines of curl on a page, by the name of their operation, in their order."""
    return {name: [html.unescape(line) for line in CURL.findall(text)] for name, text in SECTION.findall(page)}


def said(*lines: str, **environ: str) -> list[str]:
    """What each line prints to stdout and to stderr when a shell runs them one after the other."""
    script = "\n".join(f"{line} 2>&1\necho; echo ====" if "=$(" not in line else f"{line}\necho ====" for line in lines)
    done = subprocess.run(
        ["sh", "-c", f"exec 2>&1\n{script}"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    *printed, rest = done.stdout.split("====\n")
    assert (rest, done.returncode) == ("", 0)
    return [each.strip() for each in printed]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of `serve --emulator`, as its users start it, while it runs."""
    with started(fresh_environ(tmp_path_factory.mktemp("served")), *SERVE_EMBEDDED) as server, blocking_http() as http:
        yield http.get(f"{server.url('REST')}/docs").text


def test_each_operation_is_there_with_a_line_of_curl_in_the_order_of_a_load(page: str) -> None:
    lines = lines_of(page)
    named = {
        each["operationId"] for item in openapi_document()["paths"].values() for each in item.values() if "tags" in each
    }
    assert lines.keys() == named
    assert all(lines.values())
    assert list(lines)[:4] == [
        "create-ingest-job", "upload-data-ingest-job", "close-abort-ingest-job", "get-ingest-job-status",
    ]  # fmt: skip


@needs_curl
def test_the_lines_load_rows_as_they_stand(page: str) -> None:
    lines = lines_of(page)
    create, with_rows = lines["create-ingest-job"]
    (upload,), (status,), (delete,) = (
        lines[name] for name in ("upload-data-ingest-job", "get-ingest-job-status", "delete-ingest-job")
    )
    close, abort = lines["close-abort-ingest-job"]
    results = [
        *lines["get-failed-results-ingest-job"],
        *lines["get-successful-results-ingest-job"],
        *lines["get-unprocessed-records-ingest-job"],
    ]
    printed = said(
        create, upload, close, UNTIL_IT_ENDED.format(status=status), status, *results, delete,
        *lines["list-all-ingest-jobs"],
    )  # fmt: skip
    created, uploaded, closed, _, ended, failed, succeeded, not_tried, deleted, listed = printed
    assert (json.loads(created)["state"], uploaded, json.loads(closed)["state"]) == ("Open", "201", "UploadComplete")
    job: dict[str, Any] = json.loads(ended)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 2, 1)
    assert "REQUIRED_FIELD_MISSING" in failed and "Ada" in succeeded and not_tried == "LastName,Email"
    assert (deleted, json.loads(listed)["done"]) == ("204", True)
    (whole,) = said(with_rows)
    assert json.loads(whole)["state"] == "UploadComplete"
    assert json.loads(said(create, abort)[1])["state"] == "Aborted"


@needs_curl
async def test_where_callers_sign_in_the_lines_have_the_token_and_anyone_may_read_them(tmp_path: Path) -> None:
    token = token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http() as http:
        page = (await http.get(f"{addresses.rest_url}/docs")).text
    assert "set <code>TOKEN</code> to yours first" in page
    lines = [line for each in lines_of(page).values() for line in each]
    assert all('-H "Authorization: Bearer $TOKEN"' in line for line in lines)
    assert token not in page


async def test_the_lines_have_the_name_by_which_the_reader_came_or_that_of_the_operator(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        port = addresses.rest_url.rpartition(":")[2].removesuffix("/v1")
        page = (await http.get(f"{addresses.rest_url}/docs", headers={"Host": f"localhost:{port}"})).text
    assert f'curl -s "http://localhost:{port}/v1/jobs/ingest?jobType=V2Ingest"' in html.unescape(page)
    page = bytes(docs_page(openapi_document(), "https://bulk.example/v1", signs_in=True).body).decode()
    assert '"https://bulk.example/v1/jobs/ingest/$job"' in html.unescape(page)


async def test_the_page_allows_its_own_style_and_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        answer = await http.get(f"{addresses.rest_url}/docs")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert not re.search(r"<(script|img|iframe|object|form)\b| on\w+=| style=|url\(|@import", answer.text)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_what_a_document_says_is_text_on_the_page() -> None:
    document = json.loads(json.dumps(openapi_document()))
    document["info"]["summary"] = "<script>alert(1)</script>"
    page = bytes(docs_page(document, "http://localhost/v1", signs_in=False).body).decode()
    assert "<script>" not in page


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"type": "string"}, "string"),
        ({"type": ["integer", "null"]}, "integer"),
        ({"enum": ["LF", "CRLF", None], "type": ["string", "null"]}, "LF | CRLF"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, "array of Job"),
    ],
)
def test_types_have_short_names(schema: dict[str, Any], name: str) -> None:
    assert type_name(schema) == name
