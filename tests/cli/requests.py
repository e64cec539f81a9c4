"""Requests to a command that serves, without an HTTP client of the product's own kind."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
)


@contextmanager
def open_request(url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> Iterator[HTTPResponse]:
    """Send one request; yield the response once its headers have come, with its body unread."""
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.request(method, path, body.encode() or None, headers)
        yield connection.getresponse()


def create_job(rest_url: str) -> str:
    headers = {"Content-Type": "application/json"}
    body = '{"object": "Contact", "operation": "insert"}'
    with open_request(rest_url, "POST", "/v1/jobs/ingest", headers, body) as answer:
        return str(json.load(answer)["id"])
