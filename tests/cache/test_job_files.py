"""Results on disk: whole or not there, for this user alone, and not for ever."""

import stat
import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.job_files import JobFiles, ResultKey
from salesforce_bulk_ingest.results.downloads import DownloadedResult, find_download, writing_download
from salesforce_bulk_ingest.salesforce.models import Job

CONTENT = b'"sf__Id","Name"\n"1","a\nb"\n"2","c"\n'
JOB = Job(id="750000000000001AAA", state="JobComplete", system_modstamp="2026-01-01T00:00:00.000+0000")
KEY = ResultKey.of("acme.my.salesforce.com", JOB, "failedResults")

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="permissions of files")


class Clock:
    """Goes forward when it is told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def a_store(folder: Path, clock: Clock, *, most_bytes: int = 10_000) -> JobFiles:
    return JobFiles(folder / "results", most_bytes=most_bytes, most_seconds=100, now=clock)


def stored(store: JobFiles, key: ResultKey = KEY, content: bytes = CONTENT) -> DownloadedResult:
    with writing_download(store, key, ",") as writing:
        for byte in content:
            writing.add(bytes([byte]))
        return writing.finish()


def test_a_result_is_found_once_it_is_whole_and_not_before(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    with writing_download(store, KEY, ",") as writing:
        writing.add(CONTENT)
        assert find_download(store, KEY) is None
        made = writing.finish()
    found = find_download(store, KEY)
    assert found == made
    assert found is not None
    assert found.path.read_bytes() == CONTENT
    assert list(found.records(1)) == [b'"2","c"\n']


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    with pytest.raises(RuntimeError), writing_download(store, KEY, ",") as writing:
        writing.add(CONTENT)
        raise RuntimeError
    assert find_download(store, KEY) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_left_is_removed_by_the_next_download(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    killed = writing_download(store, KEY, ",")
    killed.__enter__().add(CONTENT)
    (left,) = (path for path in tmp_path.rglob("*.part"))
    made = stored(store)
    assert not left.exists() and find_download(store, KEY) == made


def test_a_file_that_was_cut_or_an_index_that_is_none_is_no_result(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    made = stored(store)
    made.path.write_bytes(CONTENT[:-1])
    assert find_download(store, KEY) is None
    made = stored(store)
    for broken in (b"", b"{}", b"[]\n", b"\xff", b'{"size": 1}\n', b"[]\n[]\n", b"[{}]\n{}\n"):
        made.path.with_name("failedResults.csv.label").write_bytes(broken)
        assert find_download(store, KEY) is None


@pytest.mark.parametrize(
    "other",
    [
        ResultKey.of("other.my.salesforce.com", JOB, "failedResults"),
        ResultKey.of("acme.my.salesforce.com", JOB, "successfulResults"),
        ResultKey.of("acme.my.salesforce.com", JOB.model_copy(update={"system_modstamp": "later"}), "failedResults"),
        ResultKey.of("acme.my.salesforce.com", JOB.model_copy(update={"created_date": "later"}), "failedResults"),
        ResultKey.of("acme.my.salesforce.com", JOB.model_copy(update={"created_by_id": "005"}), "failedResults"),
    ],
)
def test_another_org_or_result_or_time_is_another_result(other: ResultKey, tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    stored(store)
    assert find_download(store, other) is None


def test_ids_of_15_and_18_characters_name_the_same_result(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    stored(store)
    assert (
        find_download(store, ResultKey.of(KEY.job.org, JOB.model_copy(update={"id": JOB.id[:15]}), "failedResults"))
        is not None
    )


def test_a_job_that_is_forgotten_leaves_the_others(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    other = ResultKey.of(KEY.job.org, JOB.model_copy(update={"id": "750000000000002AAA"}), "failedResults")
    stored(store)
    stored(store, other)
    store.forget(KEY.job.org, JOB.id)
    assert (find_download(store, KEY), find_download(store, other) is None) == (None, False)


def test_results_that_nobody_reads_go_after_their_time(tmp_path: Path) -> None:
    clock = Clock()
    store = a_store(tmp_path, clock)
    keys = [
        ResultKey.of("acme", JOB.model_copy(update={"id": f"75000000000000{n}"}), "failedResults") for n in range(3)
    ]
    stored(store, keys[0])
    stored(store, keys[1])
    assert all([find_download(store, keys[0]), find_download(store, keys[1])])
    clock.now += 90
    assert find_download(store, keys[1]) is not None
    clock.now += 90
    stored(store, keys[2])
    assert [find_download(store, key) is not None for key in keys] == [False, True, True]


def test_beyond_the_size_the_results_go_that_were_read_longest_ago(tmp_path: Path) -> None:
    clock = Clock()
    store = a_store(tmp_path, clock, most_bytes=2_500)
    keys = [
        ResultKey.of("acme", JOB.model_copy(update={"id": f"75000000000000{n}"}), "failedResults") for n in range(4)
    ]
    for key in keys[:3]:
        clock.now += 1
        stored(store, key, b"Id\n" + b"x" * 1_000)
        find_download(store, key)
    clock.now += 1
    find_download(store, keys[0])
    stored(store, keys[3], b"Id\n")
    assert [find_download(store, key) is not None for key in keys] == [True, False, True, True]


@posix_only
def test_nobody_else_can_read_a_result(tmp_path: Path) -> None:
    store = a_store(tmp_path, Clock())
    with store.files.lock(KEY.name):
        stored(store)
    made = list((tmp_path / "results").rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}
    assert stat.S_IMODE((tmp_path / "results").stat().st_mode) == 0o700
