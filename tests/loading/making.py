"""CSV texts, sources and plans for the tests of uploads."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

from hypothesis import strategies as st

from salesforce_bulk_ingest.base.findings import LINES_SHOWN, Finding
from salesforce_bulk_ingest.csvio.dialect import Dialect
from salesforce_bulk_ingest.loading.mapped_source import open_upload_source
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.loading.plan import Plan, make_plan
from salesforce_bulk_ingest.loading.roots import RootedFile
from salesforce_bulk_ingest.loading.row_pass import Progress
from salesforce_bulk_ingest.loading.sources import RowSource, UploadFile
from salesforce_bulk_ingest.salesforce.models import DELIMITERS, LINE_ENDINGS
from salesforce_bulk_ingest.validation.destination import Destination

COMMA_LF = Dialect()
COMMA_LF_JOB = Destination(delimiter="COMMA", line_ending="LF")
UNCHANGED = ColumnMapping()
AWKWARD = "\r\n\x0b\x0c\x1c\x85\u2028\u2029\"'`^,|;\t #N/A=é字😀"
text = st.text(
    st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=12
)
names = st.text(st.sampled_from('abcXYZ_é,;\t" '), min_size=1, max_size=6)
dialects = st.builds(Dialect, st.sampled_from(sorted(DELIMITERS)), st.sampled_from(sorted(LINE_ENDINGS)))
Quoting = Literal[0, 1]
quotings = st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])


@st.composite
def tables(draw: st.DrawFn, *, most_rows: int = 8) -> list[list[str]]:
    """A header of distinct names, and rows of the same width."""
    header = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    width = len(header)
    if width == 1:  # a delimiter within the only name would look like that of the file
        header = ["Name"]
    # Few different cells, so that plain rows and repeated rows come up, too.
    cell = st.one_of(st.sampled_from(["", "a", "b1", "001000000000001AAA"]), text)
    return [header, *draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=most_rows))]


def csv_bytes(rows: Iterable[Sequence[str]], dialect: Dialect = COMMA_LF, quoting: Quoting = csv.QUOTE_ALL) -> bytes:
    """The rows as the csv module writes them, with carriage returns quoted in either dialect."""
    lines = []
    for row in rows:
        line = io.StringIO(newline="")
        csv.writer(line, delimiter=dialect.mark, lineterminator="\r\n", quoting=quoting).writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + dialect.newline)
    return "".join(lines).encode()


def read_rows(content: bytes, dialect: Dialect = COMMA_LF) -> list[list[str]]:
    """The rows of a CSV file as the csv module reads them."""
    text = io.StringIO(content.decode(), newline="")
    return [row for row in csv.reader(text, delimiter=dialect.mark) if row]


class Bytes:
    """A source for tests: the bytes of a file, held in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, dialect: Dialect) -> BinaryIO:
        return io.BytesIO(self.content)

    def version(self) -> object:
        return self.content

    @property
    def has_lines(self) -> bool:
        return True

    @property
    def is_costly(self) -> bool:
        return False


def file_of(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    """A file with this content."""
    (path := folder / name).write_bytes(content)
    return path


def uploading(path: Path) -> UploadFile:
    """A file whose folder is a root of uploads."""
    return UploadFile(RootedFile(path.parent, (path.name,)))


def plan_of(
    source: RowSource,
    mapping: ColumnMapping,
    destination: Destination,
    *,
    preflight: bool = True,
    sketched: bool = True,
    profiled: bool = False,
    progress: Progress = lambda read_bytes: None,
) -> Plan:
    """The plan of a source, whose header is read first."""
    with open_upload_source(source, mapping, destination) as upload:
        return make_plan(
            upload, destination, preflight=preflight, sketched=sketched, profiled=profiled, progress=progress
        )


def sent_parts(plan: Plan) -> list[bytes]:
    """The bytes of each part of a plan."""
    return [b"".join(plan.content_of(part.number)) for part in plan.parts]


def findings_of(
    content: bytes, destination: Destination = COMMA_LF_JOB, mapping: ColumnMapping = UNCHANGED
) -> list[str]:
    """The findings about a source with this content, each on one line."""
    return list(map(as_line, plan_of(Bytes(content), mapping, destination).findings))


def as_line(finding: Finding) -> str:
    """A finding on one line, with the lines that an answer shows."""
    where = f" {finding.column}" if finding.column is not None else ""
    lines = f" at {', '.join(map(str, finding.lines[:LINES_SHOWN]))}" if finding.lines else ""
    return f"{finding.level}{where}{lines} ({finding.count}): {finding.what} {finding.do}"
