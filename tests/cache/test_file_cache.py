"""A cached file is there whole or not at all, for this user alone, and not for ever."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.file_cache import CachedFile, FileCache
from salesforce_bulk_ingest.cache.file_index import INDEX_FILE
from tests.cache.making import Clock, files_in

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="permissions of files")


def a_cache(folder: Path, clock: Clock | None = None, *, most_bytes: int = 10_000) -> FileCache:
    return FileCache(folder / "cache", most_bytes=most_bytes, most_seconds=100, now=clock or Clock())


def stored(cache: FileCache, name: str, content: bytes = b"content", label: bytes = b"label") -> CachedFile:
    with cache.new_file(name) as file:
        file.file.write(content)
        return file.finish(label)


def test_a_file_is_found_with_its_label_once_it_is_finished_and_not_before(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    with cache.new_file("a/b.csv") as file:
        file.file.write(b"content")
        assert cache.find("a/b.csv") is None
        made = file.finish(b"two\nlines")
    found = cache.find("a/b.csv")
    assert found == made
    assert (made.path, made.label) == (tmp_path / "cache/a/b.csv", b"two\nlines")
    assert made.path.read_bytes() == b"content"


def test_a_file_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    with pytest.raises(RuntimeError), cache.new_file("b.csv") as file:
        file.file.write(b"content")
        raise RuntimeError
    assert cache.find("b.csv") is None
    assert files_in(tmp_path) == []


def test_what_a_killed_process_left_is_removed_when_the_file_is_made_anew(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    killed = cache.new_file("b.csv")
    killed.__enter__().file.write(b"half")
    (left,) = tmp_path.rglob("*.part")
    made = stored(cache, "b.csv")
    assert not left.exists() and cache.find("b.csv") == made


def test_a_new_file_replaces_the_one_before(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "b.csv", b"old", b"old label")
    made = stored(cache, "b.csv", b"newer", b"new label")
    assert cache.find("b.csv") == made and made.path.read_bytes() == b"newer"


def test_a_file_whose_label_was_changed_is_not_there(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    made = stored(cache, "b.csv", label=b"a label")
    label = made.path.with_name("b.csv.label")
    whole = label.read_bytes()
    for place in range(len(whole)):
        label.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.find("b.csv") is None, place
        label.write_bytes(whole[:place])
        assert cache.find("b.csv") is None, place
    label.write_bytes(whole)
    assert cache.find("b.csv") == made


def test_a_file_whose_label_is_a_folder_is_not_there_and_can_be_made_anew(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    label = stored(cache, "b.csv").path.with_name("b.csv.label")
    label.unlink()
    (label / "below").mkdir(parents=True)
    assert cache.find("b.csv") is None
    assert stored(cache, "b.csv") == cache.find("b.csv")


def test_a_label_of_an_earlier_version_has_the_size_alone(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    made = stored(cache, "b.csv")
    made.path.with_name("b.csv.label").write_bytes(b"7\nlabel")
    assert cache.find("b.csv") == made


@pytest.mark.parametrize("label", [b"", b"{}", b"[]\n", b"\xff", b"6\nlabel", b'"7"\n'])
def test_a_file_whose_label_gives_another_size_is_not_there(label: bytes, tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    made = stored(cache, "b.csv")
    made.path.with_name("b.csv.label").write_bytes(label)
    assert cache.find("b.csv") is None


def test_a_file_that_was_cut_is_not_there(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "b.csv").path.write_bytes(b"conten")
    assert cache.find("b.csv") is None


def test_a_file_that_nobody_reads_is_removed_after_its_time(tmp_path: Path) -> None:
    clock = Clock()
    cache = a_cache(tmp_path, clock)
    for name in ("unread", "read"):
        stored(cache, name)
        cache.touch(name)
    clock.now += 90
    cache.touch("read")
    clock.now += 90
    stored(cache, "new")
    assert [cache.find(name) is not None for name in ("unread", "read", "new")] == [False, True, True]


def test_beyond_the_size_limit_the_files_that_were_read_longest_ago_are_removed(tmp_path: Path) -> None:
    clock = Clock()
    cache = a_cache(tmp_path, clock, most_bytes=2_500)
    for name in ("first", "second", "third"):
        clock.now += 1
        stored(cache, name, b"x" * 1_000)
        cache.touch(name)
    clock.now += 1
    cache.touch("first")
    stored(cache, "fourth", b"x")
    there = [cache.find(name) is not None for name in ("first", "second", "third", "fourth")]
    assert there == [True, False, True, True]


def test_a_file_in_use_stays_beyond_limit_and_time_until_nobody_uses_it(tmp_path: Path) -> None:
    clock = Clock()
    cache = a_cache(tmp_path, clock, most_bytes=100)
    other = a_cache(tmp_path, clock, most_bytes=100)  # as in another process
    used = [stored(cache, name, b"x" * 1_000) for name in ("first", "second")]
    clock.now += 1_000
    stored(other, "third", b"x" * 1_000)
    stored(other, "fourth", b"x" * 1_000)
    assert [cache.find(name) is not None for name in ("first", "second", "third", "fourth")] == [
        True,
        True,
        False,
        True,
    ]
    used.clear()
    stored(other, "fifth")
    assert [cache.find(name) is not None for name in ("first", "second", "fifth")] == [False, False, True]


def test_a_removed_file_and_a_removed_folder_are_gone_and_others_stay(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    for name in ("a/1.csv", "a/2.csv", "b/1.csv", "b/2.csv"):
        stored(cache, name)
    cache.remove("a/1.csv")
    cache.remove("a/1.csv")
    cache.remove_folders("b")
    assert cache.names("a/") == ["a/2.csv"] and cache.names("b/") == []
    assert files_in(tmp_path) == ["2.csv", "2.csv.label", INDEX_FILE]


@pytest.mark.parametrize(
    "name",
    ["", "..", "../x", "a/../../x", "/etc/x", "a//b", ".x", "a/.x", "a\\b", "a\nb", "a\0b", "C:x", "\u0663", "a/", "é"],
)
def test_no_other_text_than_a_plain_name_becomes_a_path(name: str, tmp_path: Path) -> None:
    cache = a_cache(tmp_path / "home")
    for use in (cache.find, cache.touch, cache.lock, cache.remove, lambda name: stored(cache, name)):
        with pytest.raises(ValueError, match="not the name of a cached file"):
            use(name)
    assert list(tmp_path.iterdir()) == []


def test_a_stray_file_in_the_folder_is_passed_over(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "a/b.csv")
    (tmp_path / "cache/a/.. x").touch()
    (tmp_path / "cache/a/.. x.label").write_bytes(b"1\n")
    cache.scan()
    assert cache.names("a/") == ["a/b.csv"]


@posix_only
def test_nothing_is_written_where_a_link_is_in_the_place_of_a_folder(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "a/b.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (tmp_path / "cache/c").symlink_to(elsewhere)
    with pytest.raises(NotADirectoryError, match="a link is in the place of a folder"):
        stored(cache, "c/d.csv")
    assert list(elsewhere.iterdir()) == [] and stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


@posix_only
def test_no_other_user_can_read_a_file(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    with cache.lock("a/b.csv"):
        stored(cache, "a/b.csv")
    made = [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}


def test_files_without_an_entry_are_found_by_a_scan_once_a_day(tmp_path: Path) -> None:
    clock = Clock()
    cache = a_cache(tmp_path, clock, most_bytes=100)
    stored(cache, "first")
    clock.now += 1
    stored(cache, "second")
    (tmp_path / "cache" / INDEX_FILE).unlink()  # as in a cache of a version without an index
    cache.scan()
    stored(cache, "third")
    assert [cache.find(name) is not None for name in ("first", "second", "third")] == [False, True, True]
    (tmp_path / "cache/fourth").write_bytes(b"x")
    (tmp_path / "cache/fourth.label").write_bytes(b"1\n")
    cache.scan()
    assert cache.names("f") == []
    clock.now += 24 * 3600
    cache.scan()
    assert cache.names("f") == ["fourth"]


def test_processes_that_cache_at_once_all_find_their_files_entered(tmp_path: Path) -> None:
    caches = [a_cache(tmp_path, most_bytes=1_000_000) for _ in range(4)]

    def store(number: int) -> None:
        for file in range(10):
            stored(caches[number], f"{number}/{file}")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store, range(4)))
    assert len(caches[0].names("")) == 40


def test_a_folder_is_emptied_of_whole_and_unfinished_files_and_of_its_locks(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "org/job/deeper/b.csv")
    stored(cache, "org/other/c.csv")
    killed = cache.new_file("org/job/upload.csv")
    killed.__enter__().file.write(b"half")
    (tmp_path / "cache/org/job/d.csv").write_bytes(b"without a label")
    cache.lock("org/job/deeper/b.csv").acquire(timeout=0).__exit__(None, None, None)
    assert cache.folders() == ["org/job", "org/other"]
    assert len(cache.sizes("org/job")) == 4
    assert cache.empty("org/job") == 0
    assert cache.folders() == ["org/other"]
    assert cache.names("org/") == ["org/other/c.csv"]
    assert cache.find("org/other/c.csv") is not None


def test_a_file_that_is_made_just_now_is_left_and_one_that_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    cache, other_process = a_cache(tmp_path), a_cache(tmp_path)
    used = stored(cache, "org/job/used.csv")
    lock = other_process.lock("org/job/made.csv")
    with used.path.open("rb") as reader, lock, other_process.new_file("org/job/made.csv") as file:
        file.file.write(b"more to come")
        assert cache.empty("org/job") == 1
        assert file.finish(b"label").path.read_bytes() == b"more to come"
        assert reader.read() == b"content"
    assert cache.find("org/job/used.csv") is None
    assert cache.empty("org/job") == 0 and cache.folders() == []


def test_a_link_is_no_folder_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "org/job/b.csv")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("not ours")
    (tmp_path / "cache/org/link").symlink_to(outside)
    (tmp_path / "cache/org/job/link").symlink_to(outside)
    (tmp_path / "cache/org/job/to_file").symlink_to(outside / "file")
    assert cache.folders() == ["org/job"]
    cache.empty("org/job")
    assert (outside / "file").read_text() == "not ours"


def test_what_the_system_put_into_a_folder_is_no_cached_file(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stored(cache, "org/job/b.csv")
    # What NFS keeps of a file that was removed while somebody reads it; it goes when that reader ends.
    (tmp_path / "cache/org/job/.nfs0000000001").write_text("b")
    assert len(cache.sizes("org/job")) == 2
    assert cache.empty("org/job") == 0
    assert cache.sizes("org/job") == []
