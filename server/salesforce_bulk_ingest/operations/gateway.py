"""The nine operations as bytes, for callers that speak Salesforce's own API.

Every call is forwarded unchanged, or refused by the policy.
"""

import json
import logging
import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Literal, get_args
from urllib.parse import unquote

import httpx2
from pydantic import ValidationError

from salesforce_bulk_ingest.base.errors import RefusedByPolicy
from salesforce_bulk_ingest.operations.audit import Action, AuditedWrite, Write
from salesforce_bulk_ingest.operations.change_rules import ChangeRules
from salesforce_bulk_ingest.operations.confirmation import NO_CONSENT, Consent
from salesforce_bulk_ingest.operations.multipart import JobWithRows, job_with_rows
from salesforce_bulk_ingest.operations.upload_meter import UploadMeter, metered
from salesforce_bulk_ingest.operations.upload_once import Uploads
from salesforce_bulk_ingest.salesforce.call import Call, StreamedBody
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError, UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.job_ids import checked_job_id, is_same_job
from salesforce_bulk_ingest.salesforce.models import Delimiter, Job
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.salesforce.transport import body_of, deadline
from salesforce_bulk_ingest.validation.destination import Destination

logger = logging.getLogger(__name__)

CREATED = 201
"""The status of Salesforce's answer to an upload that it accepts (Bulk API 2.0 guide, Upload Job Data)."""

UNAUTHORIZED = 401

READING_METHODS = frozenset({"GET", "HEAD"})

FILLING_METHODS = frozenset({"POST", "PUT"})
"""The methods of the calls that make or fill a job, which know no recipes."""

UNREADABLE_JOB = "The object and operation of this request can't be read beyond doubt, and some are refused here"

# The policy checks the method of the request itself, so no request that names another method may be forwarded (REST API
# guide: `_HttpMethod` in the query; the headers are those that web frameworks accept).
METHOD_PARAMETER = "_httpmethod"
METHOD_HEADERS = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})


MULTIPART: Literal["create, upload and close"] = "create, upload and close"
"""What a multipart create does."""

API_NAME = re.compile(r"[A-Za-z]\w{0,254}", re.ASCII)
"""The names of objects and operations."""


class Gateway:
    """Forwards the calls that the policy allows, unchanged.

    The policy is applied to what Salesforce would do, not to what the caller says: a job is looked up before it
    is closed, so that a job which was made elsewhere, or whose body two parsers read differently, does not evade the policy.

    Args:
        client: the client of the org.
        rules: the operator's rules for changes.
        uploads: the uploads to jobs, each of which takes rows once.
    """

    def __init__(self, client: SalesforceClient, rules: ChangeRules, uploads: Uploads) -> None:
        self._client = client
        self._rules = rules
        self._uploads = uploads

    @asynccontextmanager
    async def forward(
        self, call: Call, job_id: str | None = None, consent: Consent = NO_CONSENT
    ) -> AsyncIterator[httpx2.Response]:
        """Send the call and yield Salesforce's answer, with its status known and its body unread.

        Args:
            call: the call; the body of POST and PATCH as bytes, of PUT as a stream.
            job_id: the id of the job in the path, if there is one.
            consent: what the caller brings to a close that has to be confirmed.

        Raises:
            IngestError: this server refuses the call.
            SalesforceError: Salesforce gave no answer to pass on.
        """
        if job_id is not None:
            checked_job_id(job_id)
        async with AsyncExitStack() as stack:
            if call.method in READING_METHODS:
                _check_method(call)
                yield await stack.enter_async_context(self._client.open(call))
                return
            audited = await stack.enter_async_context(self._rules.audit.of(_write_of(call, job_id)))
            _check_method(call)
            self._rules.policy.check_write()
            if call.method in FILLING_METHODS:
                self._rules.policy.check_recipe(is_by_recipe=False)
            if job_id is None:
                answer = await self._create(call, stack, audited)
            elif call.method == "PATCH":
                answer = await self._change_state(call, job_id, consent, stack, audited)
            elif call.method == "PUT":
                answer = await self._upload(call, job_id, stack, audited)
            else:
                await self._org()
                answer = await self._sent(call, stack, audited)
            await audited.end(None)
            yield answer

    async def _sent(self, call: Call, stack: AsyncExitStack, audited: AuditedWrite) -> httpx2.Response:
        """Send a change, whose answer stays open until the stack ends."""
        await audited.tried()
        answer = await stack.enter_async_context(self._client.open(call))
        audited.answered(answer.status_code)
        return answer

    async def _create(self, call: Call, stack: AsyncExitStack, audited: AuditedWrite) -> httpx2.Response:
        await self._check_create(call)
        is_closed_at_once = audited.write.action == MULTIPART
        org = await self._org(named=is_closed_at_once)
        if is_closed_at_once:
            self._rules.close_guard.check_multipart(org, audited.write.operation, audited.write.sobject)
        return await self._sent(call, stack, audited)

    async def _change_state(
        self, call: Call, job_id: str, consent: Consent, stack: AsyncExitStack, audited: AuditedWrite
    ) -> httpx2.Response:
        looked_up = await stack.enter_async_context(self._client.open(_look_up(call, job_id)))
        if not looked_up.is_success:
            # A user who can't read the job can't change it either, so the refusal to show it is the answer.
            return looked_up
        job = await _job_in(looked_up, job_id)
        if job is not None:
            audited.write = Write.to(job, audited.write.action)
        is_guarded = not _is_plain_abort(call) and self._rules.close_guard.has_rules
        org = await self._org(named=is_guarded)
        if is_guarded:
            if job is None:
                raise UnexpectedAnswer(
                    "Salesforce did not say which operation this job has, so its state is not changed."
                )
            await self._rules.close_guard.check(org, job, consent, audited)
        return await self._sent(call, stack, audited)

    async def _upload(self, call: Call, job_id: str, stack: AsyncExitStack, audited: AuditedWrite) -> httpx2.Response:
        """Send the rows as they come, count them, and record them once Salesforce took them.

        The job is looked at first where the policy has to know it, or where that renews a session that has ended: the rows
        pass only once, so that is better found before than by them.
        """
        has_rules, meter = self._rules.policy.has_rules, UploadMeter(call.headers)
        if has_rules or self._client.can_renew:
            async with AsyncExitStack() as look:
                looked_up = await look.enter_async_context(self._client.open(_look_up(call, job_id)))
                if looked_up.status_code == UNAUTHORIZED or (has_rules and not looked_up.is_success):
                    stack.push_async_exit(look.pop_all())
                    return looked_up
                job = await _job_in(looked_up, job_id) if has_rules else None
            if job is not None:
                audited.write = Write.to(job, audited.write.action)
            if has_rules:
                meter = self._meter_for(call, job)
        call = replace(call, content=StreamedBody(metered(_chunks(call.content), meter)))
        record_upload = await stack.enter_async_context(self._uploads.passing(await self._org(), job_id))
        answer = await self._sent(call, stack, audited)
        if answer.status_code == CREATED:
            record = meter.record()
            audited.write = replace(audited.write, rows=record.rows, sha256=record.sha256 or None)
            await record_upload(record)
        return answer

    def _meter_for(self, call: Call, job: Job | None) -> UploadMeter:
        """Return the meter of an upload to this job, or raise RefusedByPolicy where the job may not be filled."""
        if job is None:
            raise UnexpectedAnswer("Salesforce did not say which operation this job has, so no rows are sent to it.")
        self._rules.policy.check_job(job)
        bounds = self._rules.policy.bounds_of(job.object, job.operation, job.external_id_field_name)
        return UploadMeter(call.headers, Destination.of_job(job).delimiter, bounds)

    async def _org(self, *, named: bool = False) -> Org | None:
        """Return the org, by which changes are known, or None if it can't be learned: Salesforce alone may refuse them.

        Args:
            named: whether its name is asked for, too, by which people know it.
        """
        try:
            return await (self._client.org() if named else self._client.organization())
        except SalesforceError as error:
            logger.warning("the org of a change through /v1 is not known, so an upload is not recorded: %s", error)
            return None

    async def _check_create(self, call: Call) -> None:
        if not self._rules.policy.has_rules:
            return
        body = call.content if isinstance(call.content, bytes) else b""
        content_types = _values(call, "content-type")
        is_multipart = any("multipart" in value.lower() for value in content_types)
        if is_multipart:
            await self._check_create_with_rows(_job_with_rows(call))
            return
        if self._rules.policy.judges_jobs and (_values(call, "content-encoding") or _repeats_a_key(body)):
            raise RefusedByPolicy(f"{UNREADABLE_JOB}: send plain JSON with each key once.")
        # Salesforce makes no job from other bodies that can't be read, and the policy is applied again to a close.
        self._rules.policy.check_create(_name(body, "object"), _operation(body))

    async def _check_create_with_rows(self, parts: JobWithRows | None) -> None:
        """Check a request that creates, fills and closes a job at once, so that there is no later check."""
        body = parts.job if parts else b""
        sobject, operation = _name(body, "object"), _operation(body)
        if parts is None or operation is None or sobject is None:
            raise RefusedByPolicy(
                f"{UNREADABLE_JOB}: send two parts, 'job' with JSON and 'content', and nothing around them; or create, "
                "upload and close in three requests."
            )
        self._rules.policy.check_create(sobject, operation)
        bounds = self._rules.policy.bounds_of(sobject, operation, _name(body, "externalIdFieldName"))
        if bounds is not None:
            named = _name(body, "columnDelimiter")
            meter = UploadMeter((), next((name for name in get_args(Delimiter) if name == named), None), bounds)
            await meter.add(parts.content)
            meter.end()


def _write_of(call: Call, job_id: str | None) -> Write:
    """Return what the audit notes of a request that changes something."""
    if job_id is None:
        body = call.content if isinstance(call.content, bytes) else b""
        content_types = _values(call, "content-type")
        is_multipart = any("multipart" in value.lower() for value in content_types)
        parts = _job_with_rows(call) if is_multipart else None
        job = body if not is_multipart else parts.job if parts else b""
        action: Action = MULTIPART if is_multipart else "create"
        return Write(action=action, operation=_operation(job), sobject=_name(job, "object"))
    if call.method == "PATCH":
        return Write(action="abort" if _is_plain_abort(call) else "close", job_id=job_id)
    return Write(action="upload" if call.method == "PUT" else "delete", job_id=job_id)


def _job_with_rows(call: Call) -> JobWithRows | None:
    """Return the parts of a multipart create; None where they can be read in more than one way."""
    content_types = _values(call, "content-type")
    if len(content_types) > 1 or _values(call, "content-encoding"):
        return None
    return job_with_rows(content_types[0], call.content if isinstance(call.content, bytes) else b"")


def _check_method(call: Call) -> None:
    in_headers = any(name.lower() in METHOD_HEADERS for name, _ in call.headers)
    if in_headers or METHOD_PARAMETER in unquote(call.query).lower():
        raise RefusedByPolicy("This server passes on no request that names another method: send it with that method.")


def _look_up(call: Call, job_id: str) -> Call:
    headers = [("Accept", "application/json"), ("Accept-Encoding", "identity")]
    return Call("GET", f"/{job_id}", headers=headers, api_version=call.api_version)


async def _job_in(answer: httpx2.Response, job_id: str) -> Job | None:
    """Return a job that was looked up; None where the answer tells no operation, or is about another job."""
    with deadline():
        body = await body_of(answer)
    try:
        job = Job.model_validate(_object_without_repeats(body))
    except ValidationError:
        return None
    return job if is_same_job(job.id, job_id) and (job.operation or "").isalpha() else None


def _is_plain_abort(call: Call) -> bool:
    """Return whether the body can only be read as an abort; any other body is treated as a close."""
    body = call.content if isinstance(call.content, bytes) else b""
    return not _values(call, "content-encoding") and _object_without_repeats(body) == {"state": "Aborted"}


def _values(call: Call, header: str) -> list[str]:
    return [value for name, value in call.headers if name.lower() == header]


def _operation(body: bytes) -> str | None:
    operation = _name(body, "operation")
    return operation if operation is not None and operation.isalpha() else None


def _name(body: bytes, key: str) -> str | None:
    """Return the API name under a key of a JSON object; None where there is none, or it can't be one."""
    name = _object_without_repeats(body).get(key)
    return name if isinstance(name, str) and API_NAME.fullmatch(name) else None


async def _chunks(content: bytes | AsyncIterable[bytes] | None) -> AsyncIterator[bytes]:
    """Yield the chunks of a body."""
    if isinstance(content, bytes):
        yield content
    elif content is not None:
        async for chunk in content:
            yield chunk


class _RepeatedKey(ValueError):
    """A JSON object has a key twice, so two parsers may read different values."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len({key.casefold() for key in found}) != len(pairs):
        raise _RepeatedKey
    return found


def _repeats_a_key(body: bytes) -> bool:
    try:
        json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique)
    except _RepeatedKey:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _object_without_repeats(body: bytes) -> dict[str, object]:
    """Return the JSON object in the body; an empty one where the body is no UTF-8 object, or repeats a key in any case."""
    try:
        value = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
