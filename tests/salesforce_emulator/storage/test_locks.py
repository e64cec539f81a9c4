"""Locks between the processes that have an org open."""

from pathlib import Path

import pytest

from salesforce_emulator.storage.locks import ProcessLock, locked
from tests.salesforce_emulator.behaviours import own


@own
def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "opening.lock"
    with locked(path), pytest.raises(OSError), locked(path, wait=False):
        pass
    with locked(path, wait=False):
        assert path.exists()


@own
def test_a_process_has_ended_once_it_lets_its_lock_go(tmp_path: Path) -> None:
    first, second = ProcessLock(tmp_path / "processes"), ProcessLock(tmp_path / "processes")
    assert (first.has_ended(second.name), second.has_ended(first.name)) == (False, False)
    first.close()
    assert second.has_ended(first.name)
    second.close()
    assert list((tmp_path / "processes").iterdir()) == []


@own
def test_the_lock_file_of_a_killed_process_is_removed_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    alive = ProcessLock(tmp_path / "processes")
    (tmp_path / "processes" / "killed.lock").touch()
    assert alive.has_ended("killed")
    other = ProcessLock(tmp_path / "processes")
    assert {path.stem for path in (tmp_path / "processes").iterdir()} == {alive.name, other.name}
    alive.close()
    other.close()
