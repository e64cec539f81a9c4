"""Before-images of deletes: what can be inserted again is kept before the close, and made into the rows that insert it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import compress

import anyio

from salesforce_bulk_ingest.base.findings import Finding
from salesforce_bulk_ingest.base.text import as_name, counted, quoted_names
from salesforce_bulk_ingest.base.threads import check_cancelled, run_in_thread
from salesforce_bulk_ingest.cache.file_cache import CachedFile, NewFile
from salesforce_bulk_ingest.comparison.before_image import NoImage, id_key
from salesforce_bulk_ingest.comparison.deleted_records import InsertableFields, RowsBack
from salesforce_bulk_ingest.comparison.org_comparison import MORE_CALLS
from salesforce_bulk_ingest.comparison.record_reader import JsonRecord, RecordReader, by_query
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.csvio.writer import csv_bytes
from salesforce_bulk_ingest.loading.row_filter import LinesOut
from salesforce_bulk_ingest.operations.describes import DescribeCache
from salesforce_bulk_ingest.operations.errors import RecordsUnread
from salesforce_bulk_ingest.operations.fetching import ResultFetcher
from salesforce_bulk_ingest.operations.limits import RECORDS_SECONDS
from salesforce_bulk_ingest.operations.state_change import is_open_still
from salesforce_bulk_ingest.results.retry_file import RetryFile
from salesforce_bulk_ingest.results.retry_request import DELETED, RetryRequest
from salesforce_bulk_ingest.results.retry_writer import NumberedRow
from salesforce_bulk_ingest.results.undo_writer import JobToUndo, left_out, read_image, write_undo
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import SalesforceError
from salesforce_bulk_ingest.salesforce.models import ID_FIELD, FieldDescribe, Job, SObjectDescribe
from salesforce_bulk_ingest.salesforce.org import Org
from salesforce_bulk_ingest.validation.destination import Destination
from salesforce_bulk_ingest.validation.key_forms import same_id, trimmed

RECORDS_AT_ONCE = 2_500
"""The most records that are in memory at once: they have all their fields."""

ROWS_OF_A_PAGE = 200
"""The least number of records that a page of a query has, however wide they are (REST API guide, Query Options)."""

AS_NEW = (
    "deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children"
)

_DIALECT = Dialect()


class DeletedImages:
    """Keeps what records hold that are to be deleted, and makes the rows that insert them again.

    Args:
        client: the client of the org.
        describes: the cache of the describes of objects.
        fetcher: fetches which records a job has deleted.
    """

    def __init__(self, client: SalesforceClient, describes: DescribeCache, fetcher: ResultFetcher) -> None:
        self._client = client
        self._describes = describes
        self._fetcher = fetcher

    async def write(self, job: Job, ids: Sequence[str], name: str, label: Mapping[str, str]) -> InsertableFields | None:
        """Write the image of records, in bounded memory, into a new file of the cache.

        Args:
            job: the job that is to delete them.
            ids: the ids of the records, as the rows of the job have them.
            name: the name of the file.
            label: facts about the rows of the job, for the label of the file.

        Returns:
            The fields in the image, and those that could not be read; None where another call has closed or aborted the
            job meanwhile, so that no image is made.

        Raises:
            NoImage: records of the object can't be inserted again, or hold too much.
            RecordsUnread: the org did not give the records.
            SalesforceError: the job could not be read once more.
            OSError: the file can't be written.
        """
        with self._fetcher.files.new_file(name) as file:
            return await self._write(job, ids, file, label)

    async def undo_file(
        self,
        org: Org,
        images: Sequence[tuple[Job, CachedFile]],
        request: RetryRequest,
        destination: Destination,
        name: str,
    ) -> RetryFile:
        """Return the file of the rows that insert the records of images which their jobs deleted, and that are not there.

        Args:
            org: the org of the jobs.
            images: the jobs, which have ended and are of one object, the newest first, each with its image.
            request: the request, which says what is left out.
            destination: the job that the rows are for.
            name: the name of the file.

        Raises:
            InvalidArgument: there is no record to insert.
            NoRowLeft: all of them went before.
            RecordsUnread: the org did not tell which records are there.
            OSError: a file can't be read or written.
        """
        describe = await self._described(images[0][0], closing=False)
        given = set[str]()
        deleted = [await self._deleted(org, job, image, describe, given, request.left_out) for job, image in images]
        return await run_in_thread(partial(self._write_undo, describe.name, deleted, request, destination, name))

    async def _deleted(
        self,
        org: Org,
        job: Job,
        image: CachedFile,
        describe: SObjectDescribe,
        given: set[str],
        left_out: LinesOut,
    ) -> "_Deleted":
        """Return what a job deleted, of which those records go back that are not there; see `RowsBack` for what is given."""
        # First, since the download of the result may take long, and what is there now is to be the latest.
        deleted = await self._fetcher.written_ids(org, job)
        until = anyio.current_time() + RECORDS_SECONDS
        label = json.loads(image.label)
        names = tuple(map(str, label["columns"]))
        lookups = [index for index, name in enumerate(names) if _may_be_blank_lookup(describe.field(name))]
        ids, looked_up = await run_in_thread(_ids_in, image, lookups)
        lines = await self._fetcher.record_lines(org, job, ids, left_out) if left_out else ()
        found = await self._reader(len(ids), until).find(id_key(describe.name), ids)
        if found.failure is not None:
            raise RecordsUnread(found.failure, closing=False)
        gone = await self._gone(looked_up, until)
        back = RowsBack(names, deleted, found.by_key.keys(), lookups, gone, given)
        return _Deleted(job.id, image, str(label["sha256"]), tuple(map(str, label.get("unread", ()))), back, lines)

    async def _write(
        self, job: Job, ids: Sequence[str], file: NewFile, label: Mapping[str, str]
    ) -> InsertableFields | None:
        fields = InsertableFields.of(await self._described(job))
        ids = list({same_id(each): each for each in trimmed(ids)}.values())
        queries = list(by_query(fields.paths))
        most_calls = len(queries) * (len(ids) // ROWS_OF_A_PAGE + MORE_CALLS)
        reader = RecordReader(self._client, most_calls, anyio.current_time() + RECORDS_SECONDS)
        lost = set[str]()
        await run_in_thread(file.file.write, csv_bytes([(ID_FIELD, *fields.names)], _DIALECT))
        for start in range(0, len(ids), RECORDS_AT_ONCE):
            records, unseen = await _records(reader, job, ids[start : start + RECORDS_AT_ONCE], queries)
            lost |= unseen
            rows = csv_bytes([fields.row_of(record) for record in records], _DIALECT)
            await run_in_thread(file.file.write, rows)
            if file.file.tell() > self._fetcher.most_bytes:
                raise NoImage(f"its records hold more than {self._fetcher.most_bytes:,} bytes (--spool-max-bytes)")
        if not await is_open_still(self._client, job):
            # Some of the records may be deleted already.
            return None
        read = fields.without([name for name in fields.paths if name in lost])
        stored = {**label, "columns": fields.names, "unread": read.unread}
        await run_in_thread(file.finish, json.dumps(stored).encode())
        return read

    def _write_undo(
        self,
        sobject: str,
        jobs: Sequence["_Deleted"],
        request: RetryRequest,
        destination: Destination,
        name: str,
    ) -> RetryFile:
        # A column without a cell would only make the job larger.
        header = tuple(dict.fromkeys(name for job in jobs for name in job.names_used()))

        def in_words(records: str, of_jobs: str) -> str:
            return f"The rows insert again {records} of {as_name(sobject)} that {of_jobs} deleted: {AS_NEW}."

        with self._fetcher.files.new_file(name) as file:
            undos = [job.undo(header) for job in jobs]
            return write_undo(file, undos, header, request, destination, in_words, check_cancelled)

    async def _described(self, job: Job, *, closing: bool = True) -> SObjectDescribe:
        try:
            return await self._describes.get(job.object or "")
        except SalesforceError as error:
            raise RecordsUnread(f"The object could not be looked at. {error}", closing=closing) from error

    async def _gone(self, ids: Set[str], until: float) -> Set[str]:
        """Return those of the ids, of 15 characters, that are known to be of no record any more."""
        by_prefix = defaultdict[str, list[str]](list)
        for each in ids:
            by_prefix[each[:3]].append(each)
        # A lookup of which nothing is known stays as it is.
        prefixes = await self._describes.key_prefixes() if ids else {}
        objects = {prefix: name for name, prefix in prefixes.items()}
        gone = set[str]()
        for prefix in by_prefix.keys() & objects.keys():
            of_object = by_prefix[prefix]
            found = await self._reader(len(of_object), until).find(id_key(objects[prefix]), of_object)
            gone |= found.asked - found.by_key.keys()
        return gone

    def _reader(self, rows: int, until: float) -> RecordReader:
        return RecordReader(self._client, rows // ROWS_OF_A_PAGE + MORE_CALLS, until)


@dataclass(frozen=True, slots=True)
class _Deleted:
    """What a job deleted.

    Attributes:
        job_id: the id of the job.
        image: its before-image.
        sha256: the SHA-256 of the rows of the job.
        unread: the names of the fields that could not be read for the image.
        back: the rows of the image that go back.
        lines: see `JobToUndo.lines`.
    """

    job_id: str
    image: CachedFile
    sha256: str
    unread: tuple[str, ...]
    back: RowsBack
    lines: Sequence[int] = ()

    def names_used(self) -> Iterator[str]:
        """Yield the names of the columns of the image, after the id, that have a cell."""
        used = [False] * len(self.back.names)
        for _, *cells in read_image(self.image):
            used = [known or bool(cell) for known, cell in zip(used, cells, strict=True)]
        return compress(self.back.names, used)

    def undo(self, header: Sequence[str]) -> JobToUndo:
        """Return the rows that insert again what the job deleted, under this header."""
        places = {name: index for index, name in enumerate(self.back.names)}
        indexes = [places.get(name) for name in header]

        def rows() -> Iterator[NumberedRow]:
            for number, cells in self.back.of(read_image(self.image)):
                yield number, ["" if index is None else cells[index] for index in indexes]

        return JobToUndo(self.job_id, DELETED, self.sha256, rows(), lambda: list(self._notes()), lines=self.lines)

    def _notes(self) -> Iterator[Finding]:
        yield from left_out(self.back.not_deleted, f"that job {self.job_id} did not delete", "Its results tell why.")
        yield from left_out(self.back.there_again, "that somebody restored: they are in the org", "Nothing to do.")
        for name, count in self.back.blanked.items():
            what = (
                f"Left blank: {counted(count, 'cell')} of {as_name(name)}, since the records that they name are gone."
            )
            yield Finding("warning", what, "Tell the user.", column=name, count=count)
        if self.unread:
            what = f"Without {quoted_names(self.unread)}, which could not be read before job {self.job_id}."
            yield Finding("warning", what, "Tell the user.", count=len(self.unread))


async def _records(
    reader: RecordReader, job: Job, ids: Sequence[str], queries: Sequence[Sequence[str]]
) -> tuple[list[JsonRecord], set[str]]:
    """Return the records with these ids, each of the fields of all queries, and the names of fields that can't be read."""
    merged: dict[str, JsonRecord] | None = None
    unseen = set[str]()
    for names in queries:
        found = await reader.find(id_key(job.object or ""), ids, names)
        if found.failure is not None:
            raise RecordsUnread(found.failure)
        unseen.update(found.unseen)
        read = {record_id: records[0] for record_id, records in found.by_key.items()}
        # A record that is gone by the next query is none that the job deletes.
        merged = read if merged is None else {key: {**merged[key], **read[key]} for key in merged.keys() & read.keys()}
    return list((merged or {}).values()), unseen


def _may_be_blank_lookup(field: FieldDescribe | None) -> bool:
    return field is not None and field.type == "reference" and field.nillable


def _ids_in(image: CachedFile, lookups: Collection[int]) -> tuple[list[str], set[str]]:
    """Return the ids of the records of an image, and those in the columns of lookups, of 15 characters."""
    ids, looked_up = list[str](), set[str]()
    for record_id, *cells in read_image(image):
        ids.append(record_id)
        looked_up.update(same_id(cells[index]) for index in lookups if cells[index])
    return ids, looked_up
