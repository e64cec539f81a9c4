"""What `/` of both ports says: a page to browsers, JSON to others, and to strangers how to sign in."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from inline_snapshot import snapshot

from tests.support.callers import bearer, serving, token_in
from tests.support.plain_http import plain_http

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def index_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


async def test_programs_are_told_what_each_port_serves_and_how_to_begin(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        told = {}
        for name, url in (("mcp", addresses.mcp_url), ("rest", addresses.rest_url)):
            response = await http.get(index_of(url))
            assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
            text = response.text.replace(index_of(addresses.mcp_url), "http://mcp/")
            told[name] = json.loads(text.replace(index_of(addresses.rest_url), "http://rest/"))
            every = response.json()
            for endpoint in every["endpoints"]:
                if "GET" in endpoint["methods"] and "{" not in endpoint["url"]:
                    assert (await http.get(endpoint["url"])).status_code == 200
            (other,) = every["others"].values()
            assert (await http.get(other)).status_code in (200, 406)
    assert told == snapshot(
        {
            "mcp": {
                "name": "salesforce-bulk-ingest-jobs",
                "title": "Salesforce bulk ingest",
                "version": "0.1.0",
                "description": "Loads rows into Salesforce through Bulk API 2.0 ingest jobs, and shows what became of each row.",
                "serves": "MCP clients, which connect to /mcp (streamable HTTP)",
                "endpoints": [
                    {
                        "url": "http://mcp/mcp",
                        "methods": {"POST": "takes the messages of MCP clients (streamable HTTP)"},
                    },
                    {"url": "http://mcp/health/live", "methods": {"GET": "says that the server lives"}},
                    {
                        "url": "http://mcp/health/ready",
                        "methods": {"GET": "says whether the org can be called, and why not"},
                    },
                ],
                "examples": [
                    {"what": "Claude Code", "text": "claude mcp add --transport http salesforce-bulk http://mcp/mcp"},
                    {
                        "what": "Other hosts, in their list of servers",
                        "text": """\
{
  "mcpServers": {
    "salesforce-bulk": {
      "type": "http",
      "url": "http://mcp/mcp"
    }
  }
}\
""",
                    },
                ],
                "others": {"The same operations for HTTP clients": "http://rest/v1/jobs/ingest"},
            },
            "rest": {
                "name": "salesforce-bulk-ingest-jobs",
                "title": "Salesforce bulk ingest",
                "version": "0.1.0",
                "description": "Loads rows into Salesforce through Bulk API 2.0 ingest jobs, and shows what became of each row.",
                "serves": "HTTP clients, with the paths of Salesforce under /v1 and under /services/data/v{NN.N}",
                "endpoints": [
                    {"url": "http://rest/v1/jobs/ingest", "methods": {"GET": "lists jobs", "POST": "creates a job"}},
                    {
                        "url": "http://rest/v1/jobs/ingest/{jobid}",
                        "methods": {"GET": "shows a job", "PATCH": "closes or aborts it", "DELETE": "deletes it"},
                    },
                    {"url": "http://rest/v1/jobs/ingest/{jobid}/batches", "methods": {"PUT": "uploads rows, as CSV"}},
                    {
                        "url": "http://rest/v1/jobs/ingest/{jobid}/failedResults",
                        "methods": {"GET": "downloads the rows that failed"},
                    },
                    {
                        "url": "http://rest/v1/jobs/ingest/{jobid}/successfulResults",
                        "methods": {"GET": "downloads the rows that succeeded"},
                    },
                    {
                        "url": "http://rest/v1/jobs/ingest/{jobid}/unprocessedrecords",
                        "methods": {"GET": "downloads the rows that were never tried"},
                    },
                    {
                        "url": "http://rest/v1/docs",
                        "methods": {"GET": "describes them all for people, with lines of curl"},
                    },
                    {"url": "http://rest/v1/openapi.json", "methods": {"GET": "describes them all, in OpenAPI 3.1"}},
                    {"url": "http://rest/health/live", "methods": {"GET": "says that the server lives"}},
                    {
                        "url": "http://rest/health/ready",
                        "methods": {"GET": "says whether the org can be called, and why not"},
                    },
                ],
                "examples": [
                    {"what": "List the jobs", "text": "curl http://rest/v1/jobs/ingest"},
                    {
                        "what": "Create a job",
                        "text": 'curl http://rest/v1/jobs/ingest -H \'Content-Type: application/json\' -d \'{"object": "Contact", "operation": "insert"}\'',
                    },
                ],
                "others": {"The same operations for MCP clients": "http://mcp/mcp"},
            },
        }
    )


async def test_browsers_get_a_page_on_both_ports(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        for url in (addresses.mcp_url, addresses.rest_url):
            response = await http.get(index_of(url), headers=BROWSER)
            assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert url in response.text and "<script" not in response.text
            head = await http.head(index_of(url), headers=BROWSER)
            assert (head.status_code, head.content) == (200, b"")


async def test_other_methods_are_told_which_there_are(tmp_path: Path) -> None:
    async with serving(tmp_path) as addresses, plain_http() as http:
        for url in (addresses.mcp_url, addresses.rest_url):
            response = await http.post(index_of(url))
            assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


@pytest.mark.parametrize("accept", [{}, BROWSER], ids=["program", "browser"])
async def test_strangers_are_told_no_more_than_how_to_sign_in(tmp_path: Path, accept: dict[str, str]) -> None:
    token = token_in(tmp_path, "ann", "read")
    async with serving(tmp_path) as addresses, plain_http() as http:
        for url in (addresses.mcp_url, addresses.rest_url):
            stranger = await http.get(index_of(url), headers=accept)
            assert (stranger.status_code, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert "bearer token in the Authorization header" in stranger.text
            assert not any(word in stranger.text for word in ("0.1.0", "/v1", "/mcp", "127.0.0.1"))
            reader = await http.get(index_of(url), headers={**accept, **bearer(token)})
            assert reader.status_code == 200 and "Authorization: Bearer $TOKEN" in reader.text.replace("&#34;", '"')


async def test_addresses_are_those_by_which_callers_know_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://bulk.example") as addresses, plain_http() as http:
        told = (await http.get(index_of(addresses.mcp_url))).json()
        assert told["endpoints"][0]["url"] == "https://bulk.example/mcp"
        assert list(told["others"].values()) == ["https://bulk.example/v1/jobs/ingest"]
    async with serving(tmp_path, allowed_host=["bulk.local"]) as addresses, plain_http() as http:
        told = (await http.get(index_of(addresses.rest_url), headers={"Host": "bulk.local:8081"})).json()
        assert told["endpoints"][0]["url"] == "http://bulk.local:8081/v1/jobs/ingest"
