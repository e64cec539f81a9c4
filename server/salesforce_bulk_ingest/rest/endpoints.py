"""The paths of `/v1` in words, for its index and for requests that meet none of them."""

import re

from salesforce_bulk_ingest.serving.door import Door
from salesforce_bulk_ingest.serving.endpoints import Endpoint, methods_in_words, near_in_words
from salesforce_bulk_ingest.serving.port_index import Example, PortIndex, Product

JOBS = "/v1/jobs/ingest"
JOB = f"{JOBS}/{{jobid}}"
BATCHES = f"{JOB}/batches"
OPERATIONS = (
    Endpoint(JOBS, {"GET": "lists jobs", "POST": "creates a job"}),
    Endpoint(JOB, {"GET": "shows a job", "PATCH": "closes or aborts it", "DELETE": "deletes it"}),
    Endpoint(BATCHES, {"PUT": "uploads rows, as CSV"}),
    Endpoint(f"{JOB}/failedResults", {"GET": "downloads the rows that failed"}),
    Endpoint(f"{JOB}/successfulResults", {"GET": "downloads the rows that succeeded"}),
    Endpoint(f"{JOB}/unprocessedrecords", {"GET": "downloads the rows that were never tried"}),
)
"""What `/v1` is for; the routes are made from this list."""

DOCUMENT_PATH = "/v1/openapi.json"
PAGE_PATH = "/v1/docs"
DOCUMENTS = (
    Endpoint(PAGE_PATH, {"GET": "describes them all for people, with lines of curl"}),
    Endpoint(DOCUMENT_PATH, {"GET": "describes them all, in OpenAPI 3.1"}),
)
ENDPOINTS = (*OPERATIONS, *DOCUMENTS)

SALESFORCE = "/services/data/v{NN.N}"

ELSEWHERE = re.compile(r"/(mcp|sse)\b", re.IGNORECASE)
JOB_ID = re.compile(r"(?<=/)750[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?(?=/|$)")
"""What may be the id of a job in a path."""


def rest_index(product: Product, mcp_url: str, door: Door) -> PortIndex:
    """Return what `/` of the REST port says.

    Args:
        product: the program.
        mcp_url: the URL that MCP clients connect to.
        door: how callers sign in.
    """
    curl = f"curl {{origin}}{JOBS}{' -H ' if door.verifier else ''}"
    if door.verifier is not None:
        curl += '"Authorization: Bearer $TOKEN"'
    create = """-H 'Content-Type: application/json' -d '{"object": "Contact", "operation": "insert"}'"""
    return PortIndex(
        product,
        f"HTTP clients, with the paths of Salesforce under /v1 and under {SALESFORCE}",
        ENDPOINTS,
        (Example("List the jobs", curl), Example("Create a job", f"{curl} {create}")),
        {"The same operations for MCP clients": mcp_url},
    )


def words_for_unknown(path: str) -> str:
    """Return sentences for a path that is not served: which are near it, with the job's id where it has one."""
    if ELSEWHERE.match(path):
        return "MCP has a port of its own: GET / names its address."
    job_id = JOB_ID.search(path)
    words = near_in_words(JOB_ID.sub("{jobid}", path), ENDPOINTS)
    return words if job_id is None else words.replace("{jobid}", job_id[0])


def words_for_methods(path: str) -> str:
    """Return a sentence on what each method of a path does; nothing for a path that is not served."""
    asked = JOB_ID.sub("{jobid}", path).lower()
    return next((methods_in_words(endpoint) for endpoint in ENDPOINTS if endpoint.path.lower() == asked), "")
