"""Where files are kept, and which working folder counts."""

import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.local_paths import default_local_paths, working_dir


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere some of these are links")
@pytest.mark.parametrize(
    ("current", "home", "is_kept"),
    [
        ("/", "/home/ann", False),
        ("/home", "/home/ann", False),
        ("/home/ann", "/home/ann", False),
        ("/home/bob", "/home/ann", False),
        ("/Users/bob", "/Users/ann", False),
        ("/root", "/root", False),
        ("/etc", "/root", False),
        ("/usr/lib/systemd", "/root", False),
        ("/Applications/Claude.app", "/Users/ann", False),
        ("/home/ann/exports", "/home/ann", True),
        ("/data", "/root", True),
        ("/srv/exports", "/home/ann", True),
        ("/srv", "/srv/people/ann", False),
        ("/srv/people", "/srv/people/ann", False),
        ("/srv/people/exports", "/srv/people/ann", True),
        ("/root", "/home/ann", False),
    ],
)
def test_the_working_folder_counts_where_nobody_but_a_user_starts_programs(
    current: str, home: str, is_kept: bool
) -> None:
    assert working_dir(lambda: Path(current), Path(home)) == (Path(current) if is_kept else None)


def test_a_working_folder_that_was_removed_does_not_count() -> None:
    def removed() -> Path:
        raise FileNotFoundError

    assert working_dir(removed, Path.home()) is None


def test_the_paths_of_a_start_hold_its_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_local_paths().working_dir == tmp_path.resolve()


@pytest.mark.skipif(sys.platform != "linux", reason="folders of Linux")
def test_settings_state_cache_and_data_lie_in_folders_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("config", "state", "cache", "data"):
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", f"/{kind}")
    paths = default_local_paths()
    assert [str(path) for path in (paths.settings_file, paths.state_dir, paths.spool_dir, paths.org_dir)] == [
        "/config/salesforce-bulk-ingest/settings.toml",
        "/state/salesforce-bulk-ingest",
        "/cache/salesforce-bulk-ingest/spool",
        "/data/salesforce-bulk-ingest/org",
    ]
