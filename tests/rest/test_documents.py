"""What `/v1` says about itself is there for everybody who may see the port, and says nothing about this server."""

from pathlib import Path

from salesforce_bulk_ingest.rest.documents import build_documents
from salesforce_bulk_ingest.rest.endpoints import DOCUMENT_PATH
from salesforce_bulk_ingest.rest.openapi import openapi_document
from tests.support.callers import serving, token_in
from tests.support.plain_http import plain_http


async def test_the_document_is_the_same_for_strangers_callers_and_where_nobody_signs_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        open_to_all = await http.get(f"{addresses.rest_url}/openapi.json")
    token = token_in(tmp_path, "ann")
    async with serving(tmp_path, read_only=True) as addresses, plain_http() as http:
        url = f"{addresses.rest_url}/openapi.json"
        to_stranger = await http.get(url)
        to_caller = await http.get(url, headers={"Authorization": f"Bearer {token}"})
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 401
    assert open_to_all.content == to_stranger.content == to_caller.content
    assert open_to_all.headers["Content-Type"] == "application/json"
    assert open_to_all.json() == openapi_document()


async def test_nothing_else_is_open(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    async with serving(tmp_path) as addresses, plain_http() as http:
        rest, mcp = addresses.rest_url.removesuffix("/v1"), addresses.mcp_url.removesuffix("/mcp")
        for path in build_documents():
            for other in (f"{path}/", f"{path}/jobs/ingest", path.upper(), f"/{path}", f"{path}%2f.."):
                assert (await http.get(f"{rest}{other}")).status_code == 401, other
            assert (await http.get(f"{mcp}{path}")).status_code == 401


async def test_only_reading_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        for path in build_documents():
            url = addresses.rest_url.removesuffix("/v1") + path
            assert (await http.head(url)).status_code == 200
            refused = await http.post(url, content=b"{}")
            assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
            assert refused.json()[0]["errorCode"] == "METHOD_NOT_ALLOWED"


async def test_foreign_names_and_pages_get_nothing_and_listed_pages_may_read(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_origin=("https://app.example",)) as addresses, plain_http() as http:
        url = addresses.rest_url.removesuffix("/v1") + DOCUMENT_PATH
        assert (await http.get(url, headers={"Host": "evil.example"})).status_code == 421
        assert (await http.get(url, headers={"Origin": "https://evil.example"})).status_code == 403
        listed = await http.get(url, headers={"Origin": "https://app.example"})
        assert listed.headers["Access-Control-Allow-Origin"] == "https://app.example"
