"""Advice about data that is too large for a tool call: the upload folders of this machine, and `/v1`."""

from collections.abc import Awaitable, Callable

from salesforce_bulk_ingest.base.errors import RefusedByPolicy, TooLarge
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots
from salesforce_bulk_ingest.salesforce.models import ResultKind
from salesforce_bulk_ingest.salesforce.org import Org

DEFAULT_REST_URL = "http://127.0.0.1:8080/v1"
"""The address of `/v1` when `salesforce-bulk-ingest serve` runs with default settings."""


class WholeFiles:
    """The advice how to upload and download whole files that are too large for a tool call.

    Args:
        roots: the folders that files may be uploaded from.
        rest_url: the address of `/v1`, such as `http://127.0.0.1:8080/v1`; None on stdio.
        org: returns the org that the server works on.
    """

    def __init__(self, roots: UploadRoots, rest_url: str | None, org: Callable[[], Awaitable[Org]]) -> None:
        self._roots = roots
        self._rest_url = rest_url
        self._org = org

    def result_url(self, job_id: str, kind: ResultKind) -> str | None:
        """Return the address of a whole result; None on stdio."""
        return f"{self._rest_url}/jobs/ingest/{job_id}/{kind.lower()}" if self._rest_url else None

    async def for_large_rows(self, error: TooLarge, job_id: str | None) -> TooLarge:
        """Return the error that rows are too many for a call, with the other ways to upload them.

        Args:
            error: the error without the other ways.
            job_id: the id of the job that the rows are for; None if there is none yet.
        """
        ways = []
        if self._roots.roots:
            ways.append(f"Put them in a file under {' or '.join(map(str, self._roots.roots))}, and give file.")
        if command := await self._curl(job_id):
            ways.append(f"Have the user send a file: {command}")
        return TooLarge(" ".join([str(error), *(ways or ["Send fewer rows in a call."])]))

    async def for_refused_file(self, error: RefusedByPolicy, job_id: str | None) -> RefusedByPolicy:
        """Return the error that a file may not be read here, with the command that uploads the file, if there is a command.

        Args:
            error: the error without the command.
            job_id: the id of the job that the rows are for; None if there is none yet.
        """
        command = await self._curl(job_id)
        return error if command is None else RefusedByPolicy(f"{error} Or have the user send the file: {command}")

    async def _curl(self, job_id: str | None) -> str | None:
        """Return the curl command that uploads a file through `/v1`; None where no server with `/v1` can reach the org."""
        if self._rest_url is None and (await self._org()).is_embedded:
            return None
        url = self._rest_url or DEFAULT_REST_URL
        served = "" if self._rest_url else " (with `salesforce-bulk-ingest serve` running on the same settings)"
        return f"curl -T FILE.csv -H 'Content-Type: text/csv' {url}/jobs/ingest/{job_id or 'JOBID'}/batches{served}."
