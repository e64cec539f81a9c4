"""An upload is archived while it is sent, and sent just the same where it can't be archived."""

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import SourceChanged
from salesforce_bulk_ingest.cache.file_index import INDEX_FILE
from salesforce_bulk_ingest.csvio.records import BLOCK_BYTES
from salesforce_bulk_ingest.loading.mapping import ColumnMapping
from salesforce_bulk_ingest.validation.destination import Destination
from tests.cache.making import JOB_KEY, content_of, files_in, job_files
from tests.loading.making import Bytes, plan_of
from tests.support.full_disk import posix_only, printed_on_a_full_disk

LONG = b"Name\n" + b"".join(b"%050d\n" % number for number in range(3 * BLOCK_BYTES // 50))


@pytest.mark.parametrize("source", [b"Name\n", b"Name\nA", b"\xef\xbb\xbfName\r\nA\r\n", LONG])
@pytest.mark.parametrize("mapping", [ColumnMapping(), ColumnMapping(constants={"Site": "x" * 100})])
def test_the_bytes_that_go_out_are_those_of_an_upload_that_is_not_archived(
    source: bytes, mapping: ColumnMapping, tmp_path: Path
) -> None:
    content = content_of(source, mapping, limit=100_000_000)
    archived = job_files(tmp_path).archived(JOB_KEY, content)
    chunks = list(archived)
    assert chunks == list(content)
    assert all(len(chunk) <= BLOCK_BYTES for chunk in chunks)
    assert (archived.size, archived.sha256) == (content.size, content.sha256) == (sum(map(len, chunks)), content.sha256)


def test_an_upload_that_breaks_off_is_not_archived(tmp_path: Path) -> None:
    files = job_files(tmp_path)
    chunks = iter(files.archived(JOB_KEY, content_of(LONG)))
    next(chunks)
    chunks.close()
    assert files.find_upload(JOB_KEY) is None and files_in(tmp_path) == []


def test_an_upload_of_a_source_that_changed_is_not_archived(tmp_path: Path) -> None:
    source = Bytes(b"Name\nA\n")
    content = plan_of(source, ColumnMapping(), Destination()).content_of(1)
    source.content = b"Name\nB\n"
    files = job_files(tmp_path)
    with pytest.raises(SourceChanged):
        list(files.archived(JOB_KEY, content))
    assert files.find_upload(JOB_KEY) is None


def test_an_upload_that_was_sent_twice_is_archived_once(tmp_path: Path) -> None:
    files, content = job_files(tmp_path), content_of(b"Name\nA\n")
    archived = files.archived(JOB_KEY, content)
    assert list(archived) == list(archived)
    assert files_in(tmp_path) == [INDEX_FILE, "upload.csv.gz", "upload.csv.gz.label"]


def test_an_upload_beyond_the_size_limit_is_sent_and_not_archived(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files, content = job_files(tmp_path, most_bytes=10), content_of(b"Name\nA\n")
    assert b"".join(files.archived(JOB_KEY, content)) == b"Name\nA\n"
    assert files.find_upload(JOB_KEY) is None
    assert "It takes more than the 10 bytes that may be kept" in caplog.text


def test_a_folder_that_can_not_be_used_costs_no_upload(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "spool").write_text("in the way")
    assert b"".join(job_files(tmp_path).archived(JOB_KEY, content_of(b"Name\nA\n"))) == b"Name\nA\n"
    assert "an upload is not kept on this machine: It can't be written (" in caplog.text


# The rows can hardly be compressed: they take one write of the file's buffer, several, and several chunks of the upload.
ON_A_FULL_DISK = """
import random, sys
from pathlib import Path
from tests.cache.making import JOB_KEY, content_of, job_files
for most_bytes in (0, 100, 8_192, 24_576, 1_000_000):
    limit_files(most_bytes)
    for count in (1, 1_000, 5_000):
        rows = "".join(f"{random.getrandbits(120):030x}\\n" for _ in range(count)).encode()
        files, content = job_files(Path(sys.argv[1]) / f"{most_bytes}-{count}"), content_of(b"Name\\n" + rows)
        sent = b"".join(files.archived(JOB_KEY, content))
        archived = "archived" if files.find_upload(JOB_KEY) else "not archived"
        print(most_bytes, count, "sent" if sent == b"".join(content) else "broken off", archived)
"""


@posix_only
def test_on_a_full_disk_every_byte_of_an_upload_is_sent_and_nothing_is_left_behind(tmp_path: Path) -> None:
    printed = printed_on_a_full_disk(ON_A_FULL_DISK, tmp_path)
    assert printed == snapshot(
        [
            "0 1 sent not archived",
            "0 1000 sent not archived",
            "0 5000 sent not archived",
            "100 1 sent not archived",
            "100 1000 sent not archived",
            "100 5000 sent not archived",
            "8192 1 sent archived",
            "8192 1000 sent not archived",
            "8192 5000 sent not archived",
            "24576 1 sent archived",
            "24576 1000 sent archived",
            "24576 5000 sent not archived",
            "1000000 1 sent archived",
            "1000000 1000 sent archived",
            "1000000 5000 sent archived",
        ]
    )
    left = {file.relative_to(tmp_path).parts[0] for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"-".join(line.split()[:2]) for line in printed if line.endswith(" archived") and "not" not in line}
