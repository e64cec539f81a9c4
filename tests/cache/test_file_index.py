"""The index of a file cache: what it looks at, and what it does where it is wrong."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.file_index import INDEX_FILE, Entry, FileIndex


class Files:
    """Files that the index has, each read at the time of its number, and a record of what was asked of them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.entries = {f"{number:04}": Entry(f"{number:04}", 10, number) for number in range(count)}
        self.looked: list[str] = []
        self.removed: list[str] = []
        self.in_use: set[str] = set()
        self.index = FileIndex(folder)
        self.index.add(self.entries.values())

    def make_room(self, most_bytes: int, since: float = 0) -> None:
        self.looked.clear()
        self.removed.clear()
        self.index.make_room(most_bytes, since, self._look, self._remove)

    def _look(self, name: str) -> Entry | None:
        self.looked.append(name)
        return self.entries.get(name)

    def _remove(self, name: str) -> bool:
        if name in self.in_use:
            return False
        self.removed.append(name)
        del self.entries[name]
        return True


def test_no_file_is_looked_at_but_those_that_are_removed(tmp_path: Path) -> None:
    files = Files(tmp_path, 500)
    files.make_room(5_000)
    assert files.looked == []
    files.make_room(4_980)
    assert files.looked == files.removed == ["0000", "0001"]
    files.make_room(4_980, since=4)
    assert files.looked == files.removed == ["0002", "0003"]
    files.make_room(4_980, since=4)
    assert files.looked == []


def test_files_in_use_are_passed_over_and_go_when_nobody_uses_them(tmp_path: Path) -> None:
    files = Files(tmp_path, 4)
    files.in_use = {"0000", "0002"}
    files.make_room(0)
    assert files.removed == ["0001", "0003"]
    files.in_use.clear()
    files.make_room(0)
    assert files.removed == ["0000", "0002"]


def test_a_file_that_was_read_since_it_was_entered_is_entered_anew(tmp_path: Path) -> None:
    files = Files(tmp_path, 3)
    files.entries["0000"] = Entry("0000", 10, 7.5)
    files.make_room(20)
    assert (files.looked, files.removed) == (["0000", "0001"], ["0001"])
    files.make_room(10)
    assert files.removed == ["0002"]


def test_an_entry_without_a_file_makes_room_and_nothing_else(tmp_path: Path) -> None:
    files = Files(tmp_path, 3)
    del files.entries["0000"]
    files.make_room(20)
    assert (files.looked, files.removed) == (["0000"], [])


def test_entries_are_found_and_renamed_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    index = FileIndex(tmp_path)
    names = ["a/1", "a/2", "a-/1", "b/1", "ab"]
    index.add([Entry(name, 1, 1) for name in names])
    index.rename("a/", "other/")
    assert index.names("a/") == [] and index.names("a") == ["a-/1", "ab"]
    assert index.names("other/") == ["other/1", "other/2"]


def test_the_size_of_all_files_follows_entries_that_are_replaced_and_removed(tmp_path: Path) -> None:
    files = Files(tmp_path, 3)
    files.index.add([Entry("0000", 100, 0)])
    files.index.remove("0001")
    files.index.remove("0001")
    files.make_room(110)
    assert files.looked == []
    files.make_room(109)
    assert files.removed == ["0000"]


def test_a_scan_adds_the_sizes_anew(tmp_path: Path) -> None:
    files = Files(tmp_path, 3)
    with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db, db:
        db.execute("UPDATE whole SET size = 1000")
    files.index.note_scan(100)
    assert files.index.scanned_at() == 100
    files.make_room(30)
    assert files.looked == []


@pytest.mark.parametrize("use", [lambda index: index.names("0"), lambda index: index.add([Entry("new", 1, 1)])])
def test_a_damaged_index_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, use: Callable[[FileIndex], object]
) -> None:
    index = Files(tmp_path, 3).index
    (tmp_path / INDEX_FILE).write_bytes(b"no database, however long it is " * 100)
    use(index)
    assert "is made anew" in caplog.text
    index.add([Entry("next", 1, 1)])
    assert index.names("n") == ["next"] and index.scanned_at() == 0


def test_an_index_that_can_not_be_used_is_logged_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / INDEX_FILE).mkdir()
    files = Files(tmp_path, 3)
    files.make_room(0)
    assert files.removed == [] and files.index.names("0") == []
    assert "can't be used" in caplog.text
