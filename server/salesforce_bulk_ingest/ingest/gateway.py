"""The nine operations as bytes, for callers that speak Salesforce's own API: policy in between, and nothing else."""

import email.parser
import email.policy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from salesforce_bulk_ingest.ingest.errors import RefusedByPolicy
from salesforce_bulk_ingest.ingest.job_ids import checked_job_id
from salesforce_bulk_ingest.ingest.policy import Policy
from salesforce_bulk_ingest.salesforce.call import Call
from salesforce_bulk_ingest.salesforce.client import SalesforceClient

READING_METHODS = frozenset({"GET", "HEAD"})


class Gateway:
    """Forwards calls unchanged, where the policy lets them through.

    The policy is held against what Salesforce would do, not against what the caller says: a job is looked up before it
    is closed, so that one made elsewhere, or with a body that two parsers read differently, does not get round it.
    """

    def __init__(self, client: SalesforceClient, policy: Policy) -> None:
        self._client = client
        self._policy = policy

    @asynccontextmanager
    async def forward(self, call: Call, job_id: str | None = None) -> AsyncIterator[httpx2.Response]:
        """The upstream's answer, status known and body unread.

        Args:
            call: what goes up; the body of POST and PATCH as bytes, of PUT as a stream.
            job_id: the job in the path, if any.

        Raises:
            IngestError: refused here.
            SalesforceError: there was no answer to pass on.
        """
        if job_id is not None:
            checked_job_id(job_id)
        if call.method not in READING_METHODS:
            self._policy.check_write()
        if call.method == "POST":
            self._check_create(call)
        if call.method == "PATCH" and job_id is not None:
            await self._check_state_change(call, job_id)
        async with self._client.open(call) as response:
            yield response

    def _check_create(self, call: Call) -> None:
        if not self._policy.refused_operations:
            return
        body = call.content if isinstance(call.content, bytes) else b""
        content_types = _values(call, "content-type")
        if all(value.lower().startswith("application/json") for value in content_types):
            # An unreadable body makes no job or an open one, and closing looks the job up.
            self._policy.check_operation(_operation(body))
            return
        operation = _operation(_job_part(content_types[0], body) or b"")
        if operation is None or len(content_types) > 1 or _values(call, "content-encoding"):
            # Such a request creates, fills and closes in one go: there is no later check.
            raise RefusedByPolicy(
                "The operation of this multipart request can't be read, and this server refuses "
                f"{' and '.join(self._policy.refused_operations)}: send the job as a part named 'job' with JSON."
            )
        self._policy.check_operation(operation)

    async def _check_state_change(self, call: Call, job_id: str) -> None:
        job = await self._client.get_job(job_id, api_version=call.api_version)
        if not _is_plain_abort(call):
            self._policy.check_operation(job.operation)


def _is_plain_abort(call: Call) -> bool:
    """Whether the body can only be read as an abort: anything cleverer is held to be a close."""
    body = call.content if isinstance(call.content, bytes) else b""
    return not _values(call, "content-encoding") and _object_without_repeats(body) == {"state": "Aborted"}


def _values(call: Call, header: str) -> list[str]:
    return [value for name, value in call.headers if name.lower() == header]


def _operation(body: bytes) -> str | None:
    operation = _object_without_repeats(body).get("operation")
    return operation if isinstance(operation, str) else None


def _object_without_repeats(body: bytes) -> dict[str, object]:
    """The JSON object in the body, or an empty one: for no JSON, no object, or a key given twice."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is given twice")
        return found

    try:
        value = json.loads(body, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _job_part(content_type: str, body: bytes) -> bytes | None:
    """The part named `job` of a multipart body (Bulk API 2.0 guide, Create a Job), if there is exactly one."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = [part for part in message.iter_parts() if part.get_param("name", header="content-disposition") == "job"]
    if message.defects or len(parts) != 1:
        return None
    content = parts[0].get_payload(decode=True)
    return content if isinstance(content, bytes) else None
