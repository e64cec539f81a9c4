"""The ways beside the tools for whole files: the upload folders of this machine, and `/v1`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from salesforce_bulk_ingest.base.errors import RefusedByPolicy, TooLarge
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.salesforce.models import ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

DEFAULT_REST_URL = "http://127.0.0.1:8080/v1"
"""Where `salesforce-bulk-ingest serve` runs `/v1` unless told otherwise."""


class WholeFiles:
    """Says how a file gets to a job, and a result into a file, where a tool call is too small for it.

    Args:
        roots: the folders that files may be uploaded from.
        rest_url: where `/v1` runs, such as `http://127.0.0.1:8080/v1`; None on stdio.
        org: reads which org the server works on.
    """

    def __init__(self, roots: UploadRoots, rest_url: str | None, org: Callable[[], Awaitable[Org]]) -> None:
        self._roots = roots
        self._rest_url = rest_url
        self._org = org

    def result_url(self, job_id: str, kind: ResultKind) -> str | None:
        """Return the address of a whole result; None on stdio."""
        return f"{self._rest_url}/jobs/ingest/{job_id}/{kind.lower()}" if self._rest_url else None

    @asynccontextmanager
    async def named_where_too_large(self, job_id: str | None) -> AsyncIterator[None]:
        """Where rows are too many for a call, name the other ways to the job.

        Args:
            job_id: the job that the rows are for; None if there is none yet.

        Raises:
            TooLarge: with the ways, in place of one without.
        """
        try:
            yield
        except TooLarge as error:
            ways = []
            if self._roots.roots:
                ways.append(f"Put them in a file under {' or '.join(map(str, self._roots.roots))}, and give file.")
            if command := await self._curl(job_id):
                ways.append(f"Have the user send a file: {command}")
            raise TooLarge(" ".join([str(error), *(ways or ["Send fewer rows in a call."])])) from error

    @asynccontextmanager
    async def named_where_refused(self, job_id: str | None) -> AsyncIterator[None]:
        """Where a file may not be read from this machine, name the command that sends it.

        Args:
            job_id: the job that the rows are for; None if there is none yet.

        Raises:
            RefusedByPolicy: with the command, where there is one, in place of one without.
        """
        try:
            yield
        except RefusedByPolicy as error:
            if (command := await self._curl(job_id)) is None:
                raise
            raise RefusedByPolicy(f"{error} Or have the user send the file: {command}") from error

    async def _curl(self, job_id: str | None) -> str | None:
        """Return the command that sends a file past the tools; None where another server can't reach the org."""
        if self._rest_url is None and (await self._org()).is_embedded:
            return None
        url = self._rest_url or DEFAULT_REST_URL
        served = "" if self._rest_url else " (with `salesforce-bulk-ingest serve` running on the same settings)"
        return f"curl -T FILE.csv -H 'Content-Type: text/csv' {url}/jobs/ingest/{job_id or 'JOBID'}/batches{served}."
