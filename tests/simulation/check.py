"""What has to hold after each plan: the rows in the org beside the plan, and all that was told beside the org."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from salesforce_bulk_ingest.cache.upload_archive import ArchivedUpload, UploadOrigin
from salesforce_emulator import ACCESS_TOKEN
from tests.simulation.caller import CREATE, DELETE, KINDS, UPLOAD, Caller, Record, Told
from tests.simulation.plan import RENAMED_KEY, Load, Row
from tests.simulation.world import Machine, WireTransport, World

DATA = "/services/data/v63.0"
RESULTS = tuple(KINDS.values())
GAVE_TWICE = "Salesforce gave twice"
MAY_HAVE = "it may have made a job"
KEY_FIELDS = {"External_Id__c", "AccountNumber", "Department", RENAMED_KEY}
TURNS = 200
TERMINAL = ("JobComplete", "Failed", "Aborted")

Table = list[dict[str, str]]


@dataclass
class Truth:
    """What the org has, asked without a server.

    Attributes:
        records: the records of each object.
        jobs: the jobs, by their ids of 15 characters.
        results: the results of the jobs that have ended, by the id and the kind.
        taken: the rows of the uploads that the org took, by the id.
    """

    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[tuple[str, str], Table] = field(default_factory=dict)
    taken: dict[str, list[bytes]] = field(default_factory=dict)


def rows_of(text: str | bytes) -> Table:
    """The rows of a CSV."""
    text = text.decode() if isinstance(text, bytes) else text
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def truth_of(world: World) -> Truth:
    """Ask the org for everything."""
    for _ in range(TURNS):
        world.org.worker.take_turn()
    truth = Truth(taken=world.upstream.taken)
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    transport = WireTransport(world.wire, Machine("auditor"))
    async with httpx2.AsyncClient(transport=transport, base_url=world.url, headers=headers) as org:
        fields = dict[str, set[str]]()
        for caller in world.plan.callers:
            fields.setdefault(caller.load.sobject, {"Id"}).update(*(row.cells for row in caller.load.rows))
        for sobject, names in fields.items():
            query = f"SELECT {', '.join(sorted(names))} FROM {sobject}"
            truth.records[sobject] = (await org.get(f"{DATA}/query", params={"q": query})).json()["records"]
        for job in (await org.get(f"{DATA}/jobs/ingest")).json()["records"]:
            whole = (await org.get(f"{DATA}/jobs/ingest/{job['id']}")).json()
            truth.jobs[job["id"][:15]] = whole
            if whole["state"] in TERMINAL:
                for kind in RESULTS:
                    text = (await org.get(f"{DATA}/jobs/ingest/{job['id']}/{kind}")).text
                    truth.results[job["id"][:15], kind] = rows_of(text)
    return truth


async def broken_invariants(world: World, callers: Sequence[Caller], record: Record) -> list[str]:
    """Return the invariants that do not hold, each with what contradicts it."""
    truth = await truth_of(world)
    checks = (
        _uploads_went_once(truth),
        _no_load_doubled(truth, callers, world),
        _records_are_as_planned(truth, callers),
        _callers_arrived(truth, callers, record, world),
        _answers_were_true(truth, record, world),
        _open_jobs_were_named(truth, record),
        _cache_is_whole(truth, world),
    )
    return [broken for check in checks for broken in check]


def _uploads_went_once(truth: Truth) -> Iterator[str]:
    for job, bodies in truth.taken.items():
        if len(bodies) > 1:
            yield f"the org took {len(bodies)} uploads to job {job}"


def _no_load_doubled(truth: Truth, callers: Sequence[Caller], world: World) -> Iterator[str]:
    """A job of an insert loads no rows of which jobs before it had loaded half or more: these are refused unasked."""
    if world.plan.lies:
        return
    planned = Counter[tuple[str, str]]()
    for load in {id(caller.plan.load): caller.plan.load for caller in callers}.values():
        planned += Counter({(load.sobject, key): number for key, number in load.allowed.items()})
    earlier = Counter[tuple[str, str]]()
    for job, bodies in truth.taken.items():
        if truth.jobs.get(job, {}).get("operation") != "insert":
            continue
        sobject = truth.jobs[job]["object"]
        sent = Counter((sobject, key) for key in _keys(rows_of(bodies[0])))
        loaded = Counter((sobject, key) for key in _keys(truth.results.get((job, RESULTS[1]), [])))
        # A row counts as one that was in the org only if there are more of it than the plan has.
        known = sum(((earlier + sent) - planned & sent & earlier).values())
        if loaded and known * 2 >= sum(sent.values()):
            yield f"job {job} loaded {sum(loaded.values())} rows, though {known} of its {sum(sent.values())} rows were in the org"
        earlier += loaded


def _keys(rows: Table) -> list[str]:
    return [row[field] for row in rows for field in row if field in KEY_FIELDS and row[field]]


def _records_are_as_planned(truth: Truth, callers: Sequence[Caller]) -> Iterator[str]:
    planned: dict[tuple[str, str], tuple[Load, Row]] = {
        (caller.plan.load.sobject, row.key): (caller.plan.load, row)
        for caller in callers
        for row in caller.plan.load.rows
    }
    for sobject, records in truth.records.items():
        for found in records:
            key = next((found[name] for name in sorted(KEY_FIELDS) if found.get(name)), None)
            if (sobject, key or "") not in planned:
                yield f"{sobject} {key} was never planned"
                continue
            load, row = planned[sobject, key or ""]
            cells = {name: "" if found[name] is None else str(found[name]) for name in row.cells}
            if row.fails:
                yield f"{sobject} {key} is in the org, though a row without a name is refused"
            elif cells != dict(row.cells):
                yield f"{sobject} {key} is {cells}, and not {dict(row.cells)}"
            elif load.operation == "upsert" and sum(record.get(load.key_field) == key for record in records) > 1:
                yield f"{sobject} {key} was upserted twice"


def _callers_arrived(truth: Truth, callers: Sequence[Caller], record: Record, world: World) -> Iterator[str]:
    """Where nobody meddles, and the org does not lie, each caller gets all of its rows in, as often as they are planned."""
    if world.plan.lies or any(caller.plan.temper == "meddles" for caller in callers):
        return
    told_a_difference = {told.caller for told in record.told if GAVE_TWICE in told.text}
    for caller in callers:
        load = caller.plan.load
        if caller.name in told_a_difference:
            continue  # rows of a result that lacks them each time can't be sent again
        if not caller.has_arrived:
            yield f"{caller.name} was not told what became of its rows"
            continue
        found = Counter(str(record.get(load.key_field)) for record in truth.records[load.sobject])
        lacking = load.allowed - found
        if lacking:
            yield f"{caller.name} was told that its job is done, and {sum(lacking.values())} of its rows are not in the org: {lacking}"


def _answers_were_true(truth: Truth, record: Record, world: World) -> Iterator[str]:
    for told in record.told:
        if not told.structure:
            continue
        untrue = _untrue(truth, told, lies=world.plan.lies, altered=world.upstream.altered)
        for what in (*_about_no_job(truth, told, world), *untrue):
            yield f"{told.caller} was told of {told.tool} {dict(told.arguments)!r:.200}: {what}"


def _about_no_job(truth: Truth, told: Told, world: World) -> Iterator[str]:
    """An answer is about the job that was asked for, which the org has, or had."""
    said, asked = told.structure, str(told.arguments.get("jobId", ""))[:15]
    about = str(said.get("id") or said.get("jobId") or "")[:15]
    if asked and about and asked != about:
        yield f"it is about {about}"
    if about and told.tool != DELETE and about not in truth.jobs and about not in world.upstream.deleted:
        yield f"it is about {about}, which the org never had"


def _untrue(truth: Truth, told: Told, *, lies: bool, altered: Counter[tuple[str, str]]) -> Iterator[str]:
    said = told.structure
    job_id = str(said.get("id") or said.get("jobId") or "")[:15]
    job = truth.jobs.get(job_id)
    if job is None:
        return
    if told.tool in KINDS:
        yield from _untrue_page(truth, said, job_id, KINDS[told.tool], altered)
        if told.source_file is not None and not altered[job_id, KINDS[told.tool]]:
            yield from _untrue_source_file(truth, told.source_file, job_id, KINDS[told.tool])
    if told.tool in (CREATE, UPLOAD) and said.get("status") in ("uploaded", "already uploaded"):
        yield from _untrue_upload(truth, said, job_id)
    if lies:
        return
    if said.get("state") in TERMINAL and said["state"] != job["state"]:
        yield f"the job is {said['state']}; it is {job['state']}"
    if said.get("changed") and job["state"] == "Open":
        yield "the job was changed; it is Open"
    if said.get("state") in TERMINAL:
        counters = ("numberRecordsProcessed", "numberRecordsFailed")
        wrong = {name: said[name] for name in counters if said.get(name) is not None and said[name] != job[name]}
        if wrong:
            yield f"counters {wrong}; they are {[job[name] for name in counters]}"
    if (counts := said.get("rowCounts")) and not any(altered[job_id, kind] for kind in RESULTS):
        given = {kind: len(truth.results.get((job_id, kind), [])) for kind in RESULTS}
        sent = len(rows_of(truth.taken[job_id][0])) if job_id in truth.taken else 0
        expected = {
            "sent": sent,
            "successful": given["successfulResults"],
            "failed": given["failedResults"],
            "unprocessed": given["unprocessedrecords"],
            "inNoResult": sent - sum(given.values()),
        }
        made = {name: counts[name] for name in ("created", "updated") if name in counts}
        if counts != expected | made or (made and sum(made.values()) != expected["successful"]):
            yield f"rowCounts {counts}; they are {expected}"


def _untrue_page(
    truth: Truth, said: Mapping[str, Any], job_id: str, kind: str, altered: Counter[tuple[str, str]]
) -> Iterator[str]:
    if (job_id, kind) not in truth.results or "Salesforce gave" in said["summary"] or not said["columns"]:
        return
    rows = truth.results[job_id, kind]
    columns = said["columns"]
    left = Counter(tuple(row.get(column, "") for column in columns) for row in rows)
    shown = Counter(tuple(row) for row in said["rows"])
    if shown - left:
        yield f"rows that the {kind} do not have: {list((shown - left).elements())[:2]}"
    if said["total"] is not None and said["total"] != len(rows):
        yield f"the {kind} have {said['total']} rows; they have {len(rows)}"
    end = said["offset"] + len(said["rows"])
    if (said["nextOffset"] is None) != (end >= len(rows)) and said["state"] in TERMINAL:
        yield f"nextOffset {said['nextOffset']} after {end} of {len(rows)} rows of the {kind}"
    if said["nextOffset"] not in (None, end):
        yield f"nextOffset {said['nextOffset']} after {end} rows"


def _untrue_source_file(truth: Truth, text: str, job_id: str, kind: str) -> Iterator[str]:
    rows, given = rows_of(text), truth.results.get((job_id, kind), [])
    keys, expected = Counter(_keys(rows)), Counter(_keys(given))
    if keys != expected:
        yield f"the file in source order of the {kind} has {keys - expected} more, and lacks {expected - keys}"
    records = {record["Id"]: record for records in truth.records.values() for record in records}
    for row in rows:
        found = records.get(row.get("sf__Id", ""))
        key = next(iter(_keys([row])), None)
        if found is not None and key not in found.values():
            yield f"the file in source order of the {kind} has {key} as {row['sf__Id']}, which is another record"


def _untrue_upload(truth: Truth, said: Mapping[str, Any], job_id: str) -> Iterator[str]:
    bodies = truth.taken.get(job_id, [])
    if not bodies:
        yield "its rows were uploaded; the org took none"
        return
    if said.get("bytes") != len(bodies[0]):
        yield f"{said.get('bytes')} bytes were uploaded; the org took {len(bodies[0])}"
    if said.get("rows") != len(rows_of(bodies[0])):
        yield f"{said.get('rows')} rows were uploaded; the org took {len(rows_of(bodies[0]))}"
    if said.get("of") is None and said.get("sha256") != hashlib.sha256(bodies[0]).hexdigest():
        yield "the sha256 is not that of the rows that the org took"


def _open_jobs_were_named(truth: Truth, record: Record) -> Iterator[str]:
    """A job that stays open was named in an answer, or made by a call that has no answer, or was told that it may have."""
    named = set(record.jobs)
    unnamed = [job for job, found in truth.jobs.items() if found["state"] == "Open" and job not in named]
    unanswered = sum(told.tool == CREATE and (told.result is None or MAY_HAVE in told.text) for told in record.told)
    if len(unnamed) > unanswered:
        yield f"jobs {unnamed} are open, and no answer names them; {unanswered} calls had no answer"


def _cache_is_whole(truth: Truth, world: World) -> Iterator[str]:
    """What looks whole in the cache is what the org has."""
    for label in sorted((world.folder / "spool").rglob("*.label")):
        path = label.with_name(label.name.removesuffix(".label"))
        first, _, stored = label.read_bytes().partition(b"\n")
        size, _, digest = first.partition(b" ")
        is_damaged = digest != hashlib.sha256(stored).hexdigest().encode()
        if is_damaged or not path.exists() or int(size) != path.stat().st_size:
            continue
        job_id = path.relative_to(world.folder / "spool").parts[1][:15]
        kind = path.name.removesuffix(".csv")
        if kind in RESULTS and (job_id, kind) in truth.results and not world.upstream.altered[job_id, kind]:
            yield from _differing_rows(
                rows_of(path.read_bytes()), truth.results[job_id, kind], f"the cached {kind} of {job_id}"
            )
        if path.name == "upload.csv.gz" and job_id in truth.taken:
            yield from _differing_upload(path, stored, truth.taken[job_id][0], job_id)


def _differing_rows(cached: Table, given: Table, what: str) -> Iterator[str]:
    one, other = (Counter(tuple(sorted(row.items())) for row in rows) for rows in (cached, given))
    if one != other:
        yield f"{what} lack {len(list((other - one).elements()))} rows, and have {len(list((one - other).elements()))} others"


def _differing_upload(path: Path, stored: bytes, taken: bytes, job_id: str) -> Iterator[str]:
    origin = UploadOrigin.from_json(stored)
    if origin.sha256 != hashlib.sha256(taken).hexdigest():
        return  # the ledger says that it is not that of the job
    header, *rows = csv.reader(io.StringIO(taken.decode(), newline=""))
    upload = ArchivedUpload(path, origin)
    archived = [
        list(cells) for block in upload.blocks() for cells in zip(*block.uploaded_columns(len(header)), strict=True)
    ]
    if archived != rows:
        yield f"the archived upload of {job_id} has other rows than the org took"
