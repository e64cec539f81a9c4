"""Files for the eyes of one user alone."""

import os
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.private_files import KEY_BYTES, is_private, key_in, write_private_file


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
@pytest.mark.parametrize(
    ("mode", "private"),
    [(0o100600, True), (0o100400, True), (0o100640, False), (0o100604, False), (0o100620, False), (0o100644, False)],
)
def test_a_file_is_private_if_no_other_user_may_do_anything_with_it(mode: int, private: bool) -> None:
    assert is_private(mode) is private


def test_a_private_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_private_file(file, b"one")
    write_private_file(file, b"two")
    assert (file.read_bytes(), list(file.parent.iterdir())) == (b"two", [file])
    with pytest.raises(OSError, match="directory"):
        write_private_file(file.parent, b"three")
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"two", [file.parent])


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_private_file_and_its_new_folder_are_those_of_one_user(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_private_file(file, b"x")
    assert is_private(file.stat().st_mode) and is_private(file.parent.stat().st_mode)


def test_a_key_is_made_once_and_is_that_of_one_user(tmp_path: Path) -> None:
    file = tmp_path / "state" / "confirm.key"
    key = key_in(file)
    assert len(key) == KEY_BYTES
    assert key_in(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert [made.name for made in file.parent.iterdir()] == ["confirm.key"]


def test_a_key_that_others_could_read_or_that_is_cut_off_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "confirm.key"
    key_in(file)
    file.chmod(0o640)
    with pytest.raises(PermissionError, match="could read"):
        key_in(file)
    file.chmod(0o600)
    file.write_bytes(b"short")
    with pytest.raises(OSError, match="holds no key"):
        key_in(file)
