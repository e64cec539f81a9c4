"""Whether an embedded org can be kept in a folder."""

import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cli.org_folder import check_org_folder
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_emulator import ORG_FILE


def test_a_new_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    check_org_folder(tmp_path / "new" / "org")
    assert list((tmp_path / "new" / "org").iterdir()) == []
    if sys.platform != "win32":
        assert (tmp_path / "new" / "org").stat().st_mode & 0o077 == 0


def test_a_folder_that_holds_an_org_is_taken(tmp_path: Path) -> None:
    (tmp_path / ORG_FILE).touch()
    (tmp_path / "other").touch()
    check_org_folder(tmp_path)


def test_a_folder_that_holds_other_things_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with pytest.raises(CantStart) as raised:
        check_org_folder(tmp_path)
    assert str(raised.value) == (
        f"{tmp_path} holds other things and no org; choose an empty or a new folder as --data-dir."
    )


def test_a_path_through_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CantStart) as raised:
        check_org_folder(tmp_path / "file" / "org")
    assert f"the embedded org can't be kept in {tmp_path / 'file' / 'org'}: " in str(raised.value)
