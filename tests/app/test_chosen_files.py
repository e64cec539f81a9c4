"""The files and folders that the settings choose."""

from pathlib import Path
from typing import Any

import pytest

from salesforce_bulk_ingest.app.chosen_files import KeptFiles, save_roots_of, upload_roots_of
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import paths_in


@pytest.mark.parametrize(
    ("settings", "results", "uploads"),
    [({}, True, True), ({"no_kept_uploads": True}, True, False), ({"no_spool": True}, False, False)],
)
def test_uploads_are_kept_only_where_results_are(
    settings: dict[str, Any], results: bool, uploads: bool, tmp_path: Path
) -> None:
    kept = KeptFiles.chosen(Settings(**settings), paths_in(tmp_path), SYSTEM_CLOCK)
    assert (kept.job_files is not None, kept.keeps_uploads) == (results, uploads)


@pytest.mark.parametrize(
    ("audit", "expected"), [(None, "audit.jsonl"), ("/var/log/writes.jsonl", "writes.jsonl"), ("stderr", None)]
)
def test_the_audit_log_is_in_the_folder_of_the_state_unless_it_is_elsewhere(
    audit: str | None, expected: str | None, tmp_path: Path
) -> None:
    file = KeptFiles.chosen(Settings(audit=audit), paths_in(tmp_path), SYSTEM_CLOCK).audit_file
    assert (file and file.name) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["work"]),
        ({"upload_roots": ["other"]}, ["other"]),
        ({"mcp_host": "0.0.0.0", "allow_unauthenticated": True, "allowed_host": ["bulk.example"]}, []),
    ],
)
def test_files_come_from_the_working_folder_unless_others_are_named_or_other_machines_are_served(
    settings: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    for name in ("work", "other"):
        (tmp_path / name).mkdir()
    settings = settings | {"upload_roots": [tmp_path / name for name in settings.get("upload_roots", ())]}
    paths = LocalPaths(tmp_path / "settings.toml", tmp_path, tmp_path, tmp_path, tmp_path / "work")
    roots = upload_roots_of(Settings(**settings), paths).roots
    assert [root.name for root in roots] == expected


def test_rows_are_saved_in_the_named_folders_alone(tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path / "settings.toml", tmp_path, tmp_path, tmp_path, tmp_path)
    assert save_roots_of(Settings(upload_roots=(tmp_path,)), paths).roots == ()
    assert save_roots_of(Settings(save_roots=(tmp_path,)), paths).roots == (tmp_path.resolve(),)
