"""The operation of a request (create, upload, query, ...), as plans of faults and the journal name it."""

import json
import re
import zlib
from typing import Literal

from salesforce_emulator import ids

ResultOperation = Literal["successfulResults", "failedResults", "unprocessedrecords"]

RequestOperation = Literal[
    "create",
    "upload",
    "close",
    "abort",
    "status",
    "list",
    "delete",
    ResultOperation,
    "query",
    "describe",
    "objects",
    "record",
    "limits",
    "resources",
    "versions",
    "login",
    "authorize",
    "token",
    "introspect",
    "revoke",
    "userinfo",
    "identity",
    "other",
]

MAX_PATCH_BYTES = 65_536  # a longer PATCH body is not parsed; real ones are far shorter

_DATA = r"/services/data/v[^/]+"
_INGEST = rf"{_DATA}/jobs/ingest"
_JOB = rf"{_INGEST}/(?P<job>[^/]+)"

_RESOURCES: list[tuple[str, dict[str, RequestOperation]]] = [
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
    ("/services/oauth2/authorize", {"GET": "authorize", "POST": "authorize"}),
    ("/setup/secur/RemoteAccessAuthorizationPage.apexp", {"GET": "authorize", "POST": "authorize"}),
    ("/services/oauth2/token", {"POST": "token"}),
    ("/services/oauth2/introspect", {"POST": "introspect"}),
    ("/services/oauth2/revoke", {"POST": "revoke", "GET": "revoke"}),
    ("/services/oauth2/userinfo", {"GET": "userinfo", "POST": "userinfo"}),
    ("/id/[^/]+/[^/]+", {"GET": "identity", "POST": "identity"}),
]
_COMPILED = [(re.compile(path), methods) for path, methods in _RESOURCES]


def request_operation(method: str, path: str) -> tuple[RequestOperation, str | None]:
    """Return the operation of a request, and the job id in its path.

    Every PATCH is a `close` here; `patch_operation` tells `close` from `abort` by the body.
    """
    method = "GET" if method == "HEAD" else method
    for pattern, methods in _COMPILED:
        if match := pattern.fullmatch(path):
            job_id = match.groupdict().get("job")
            return methods.get(method, "other"), (ids.normal(job_id) or job_id) if job_id else None
    return "other", None


def patch_operation(body: bytes, compressed: bool) -> RequestOperation:
    """Return `close` or `abort` by the body of a PATCH; `other` if the body is too long or requests neither."""
    try:
        text = _unpacked(body) if compressed else body
        state = json.loads(text.decode("utf-8-sig"))["state"] if len(text) <= MAX_PATCH_BYTES else None
    except (ValueError, zlib.error, LookupError, TypeError, RecursionError):
        return "other"
    changes: dict[object, RequestOperation] = {"UploadComplete": "close", "Aborted": "abort"}
    return changes.get(state, "other") if isinstance(state, str) else "other"


def _unpacked(body: bytes) -> bytes:
    # At most one byte beyond the limit is unpacked, which shows that the body is too long: 64 KB can unpack to 64 MB, and
    # no token has been checked yet.
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, MAX_PATCH_BYTES + 1)
