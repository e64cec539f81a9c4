"""The name of each thing that a caller can do: a plan of faults and the journal use the same ones."""

import json
import re
import zlib
from typing import Literal

from salesforce_emulator import ids

Results = Literal["successfulResults", "failedResults", "unprocessedrecords"]

Operation = Literal[
    "create",
    "upload",
    "close",
    "abort",
    "status",
    "list",
    "delete",
    Results,
    "query",
    "describe",
    "objects",
    "record",
    "limits",
    "resources",
    "versions",
    "login",
    "token",
    "introspect",
    "revoke",
    "userinfo",
    "identity",
    "other",
]

MAX_CHANGE_BYTES = 65_536  # the body of a PATCH is read to tell closing from aborting; no real one comes near this

_DATA = r"/services/data/v[^/]+"
_INGEST = rf"{_DATA}/jobs/ingest"
_JOB = rf"{_INGEST}/(?P<job>[^/]+)"

_RESOURCES: list[tuple[str, dict[str, Operation]]] = [
    (_INGEST, {"POST": "create", "GET": "list"}),
    (_JOB, {"GET": "status", "PATCH": "close", "DELETE": "delete"}),
    (rf"{_JOB}/batches", {"PUT": "upload"}),
    (rf"{_JOB}/(?i:successfulResults)", {"GET": "successfulResults"}),
    (rf"{_JOB}/(?i:failedResults)", {"GET": "failedResults"}),
    (rf"{_JOB}/(?i:unprocessedRecords)", {"GET": "unprocessedrecords"}),
    (rf"{_DATA}/(query|queryAll)(/.*)?", {"GET": "query"}),
    (rf"{_DATA}/sobjects/[^/]+(/describe)?", {"GET": "describe"}),
    (rf"{_DATA}/sobjects", {"GET": "objects"}),
    (rf"{_DATA}/sobjects/[^/]+/.+", {"GET": "record"}),
    (rf"{_DATA}/limits", {"GET": "limits"}),
    (_DATA, {"GET": "resources"}),
    ("/services/data", {"GET": "versions"}),
    ("/services/Soap/[uc]/[^/]+", {"POST": "login"}),
    ("/services/oauth2/token", {"POST": "token"}),
    ("/services/oauth2/introspect", {"POST": "introspect"}),
    ("/services/oauth2/revoke", {"POST": "revoke", "GET": "revoke"}),
    ("/services/oauth2/userinfo", {"GET": "userinfo", "POST": "userinfo"}),
    ("/id/[^/]+/[^/]+", {"GET": "identity", "POST": "identity"}),
]
_COMPILED = [(re.compile(path), methods) for path, methods in _RESOURCES]


def operation_of(method: str, path: str) -> tuple[Operation, str | None]:
    """What a request is about to do, and the id of the job that it names; a PATCH counts as `close` so far."""
    method = "GET" if method == "HEAD" else method
    for pattern, methods in _COMPILED:
        if match := pattern.fullmatch(path):
            job_id = match.groupdict().get("job")
            return methods.get(method, "other"), (ids.normal(job_id) or job_id) if job_id else None
    return "other", None


def change_of(body: bytes, compressed: bool) -> Operation:
    """Whether the body of a PATCH closes or aborts the job; one that is too long is not looked into."""
    try:
        text = _unpacked(body) if compressed else body
        state = json.loads(text.decode("utf-8-sig"))["state"] if len(text) <= MAX_CHANGE_BYTES else None
    except (ValueError, zlib.error, LookupError, TypeError, RecursionError):
        return "other"
    changes: dict[object, Operation] = {"UploadComplete": "close", "Aborted": "abort"}
    return changes.get(state, "other") if isinstance(state, str) else "other"


def _unpacked(body: bytes) -> bytes:
    # Only so much that it shows when there is more: 64 KB can hold 64 MB, and nobody has shown a token yet.
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, MAX_CHANGE_BYTES + 1)
