"""Wrong answers of an org: a function from the right answer to a wrong one for each, by the operation that is answered."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.org import Alteration, Lost, OrgAnswer

OTHER_JOB = "750000000000009AAA"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A way in which answers are wrong.

    Attributes:
        name: the way, in a few words.
        alter: makes the wrong answer.
        lies: whether what it tells can't be seen to be wrong, so that a caller is told wrong things until it ends.
        differs: whether it differs from the counters of the job, so that a caller is told both numbers: rows that never come
            can't be sent again, and more rows than there are can be counted.
    """

    name: str
    alter: Alteration
    lies: bool = False
    differs: bool = False


def _lost(answer: OrgAnswer) -> OrgAnswer:
    raise Lost


def _zipped(answer: OrgAnswer) -> OrgAnswer:
    if not answer.body:
        return answer
    return answer.with_body(gzip.compress(answer.body), content_encoding="gzip")


def _status(status: int) -> Alteration:
    return lambda answer: replace(answer, status=status) if answer.status < 300 else answer


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Alteration:
    """The rows of a result, changed; they have no line breaks in cells here."""

    def alter(answer: OrgAnswer) -> OrgAnswer:
        header, *rows = answer.body.splitlines(keepends=True)
        return answer.with_body(b"".join([header, *change(rows)]))

    return alter


def _cut_in_a_quote(answer: OrgAnswer) -> OrgAnswer:
    return answer.with_body(answer.body[: answer.body.rindex(b'"')])


def _json(change: Callable[[dict[str, Any]], object]) -> Alteration:
    def alter(answer: OrgAnswer) -> OrgAnswer:
        if answer.status >= 300:
            return answer
        body = json.loads(answer.body)
        changed = change(body)
        return answer.with_body(json.dumps(body if changed is None else changed).encode())

    return alter


def _counters(change: int | None) -> Alteration:
    def changed(job: dict[str, Any]) -> None:
        if "numberRecordsProcessed" not in job:
            return
        if change is None:
            del job["numberRecordsProcessed"], job["numberRecordsFailed"]
        else:
            job["numberRecordsProcessed"] = max(job["numberRecordsProcessed"] + change, 0)

    return _json(changed)


def _without_records(page: dict[str, Any]) -> None:
    page["records"] = []


def _one_record_short(page: dict[str, Any]) -> None:
    del page["records"][-1:]


LATE = Wrong("lost", _lost)
ZIPPED = Wrong("zipped", _zipped)
SHORT_ID = Wrong("id-of-15", _json(lambda job: job.update(id=job["id"][:15])))
OTHER_ID = Wrong("another-id", _json(lambda job: job.update(id=OTHER_JOB)), lies=True)
NO_ID = Wrong("no-id", _json(lambda job: job.update(id="../../../../pwn")))
SKEWED = Wrong("from-the-future", _json(lambda job: job.update(createdDate="2041-01-01T00:00:00.000+0000")))
NO_JSON = Wrong("no-object", _json(lambda job: []))
EMPTY = Wrong("empty-object", _json(lambda job: {}))
BARE = Wrong("empty-204", lambda answer: replace(answer.with_body(b""), status=204))

RESULT = (
    LATE,
    ZIPPED,
    Wrong("one-row-short", _lines(lambda rows: rows[:-1]), differs=True),
    Wrong("header-alone", _lines(lambda rows: []), differs=True),
    Wrong("cut-in-a-row", lambda answer: answer.with_body(answer.body[:-8]), differs=True),
    Wrong("no-text", lambda answer: answer.with_body(bytes(range(256)))),
    Wrong("cut-in-a-quote", _cut_in_a_quote, differs=True),
    Wrong("one-row-more", _lines(lambda rows: [*rows, *rows[-1:]]), differs=True),
    Wrong("doubled", _lines(lambda rows: rows * 2), differs=True),
    Wrong("in-another-order", _lines(lambda rows: rows[::-1])),
)

WRONG: Mapping[str, tuple[Wrong, ...]] = {
    "list": (LATE, ZIPPED, NO_JSON, EMPTY, Wrong("without-jobs", _json(_without_records))),
    "create": (LATE, ZIPPED, SHORT_ID, NO_ID, SKEWED, NO_JSON, EMPTY, BARE, Wrong("201", _status(201))),
    "upload": (LATE, Wrong("200", _status(200)), Wrong("204", _status(204))),
    "close": (LATE, ZIPPED, SHORT_ID, NO_ID, OTHER_ID, NO_JSON, EMPTY, BARE),
    "status": (
        LATE,
        ZIPPED,
        SHORT_ID,
        NO_ID,
        OTHER_ID,
        SKEWED,
        NO_JSON,
        EMPTY,
        BARE,
        Wrong("lower-case", _json(lambda job: job.update(state=job["state"].lower()))),
        Wrong("counters-behind", _counters(-3), lies=True),
        Wrong("counters-ahead", _counters(5), lies=True),
        Wrong("no-counters", _counters(None)),
    ),
    "delete": (LATE, Wrong("200", _status(200))),
    "query": (
        LATE,
        ZIPPED,
        NO_JSON,
        EMPTY,
        Wrong("one-record-short", _json(_one_record_short)),
        Wrong("without-records", _json(_without_records)),
        Wrong("no-next-page", _json(lambda page: page.update(done=False))),
    ),
    "successfulResults": RESULT,
    "failedResults": RESULT,
    "unprocessedrecords": RESULT,
}
"""The wrong answers of each operation; a `close` is a PATCH, and so may be an abort."""
