"""Where files are kept, and which working folder counts."""

import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.local_paths import default_local_paths, working_dir


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere some of these are links")
@pytest.mark.parametrize(
    ("current", "home", "why_not"),
    [
        ("/", "/home/ann", "a home or above one"),
        ("/home", "/home/ann", "a home or above one"),
        ("/home/ann", "/home/ann", "a home or above one"),
        ("/home/bob", "/home/ann", "a home"),
        ("/Users/bob", "/Users/ann", "a home"),
        ("/root", "/root", "a home or above one"),
        ("/etc", "/root", "a folder of the system"),
        ("/usr/lib/systemd", "/root", "a folder of the system"),
        ("/Applications/Claude.app", "/Users/ann", "a folder of the system"),
        ("/home/ann/exports", "/home/ann", None),
        ("/data", "/root", None),
        ("/srv/exports", "/home/ann", None),
        ("/srv", "/srv/people/ann", "a home or above one"),
        ("/srv/people", "/srv/people/ann", "a home or above one"),
        ("/srv/people/exports", "/srv/people/ann", None),
        ("/root", "/home/ann", "a home"),
    ],
)
def test_the_working_folder_counts_where_nobody_but_a_user_starts_programs(
    current: str, home: str, why_not: str | None
) -> None:
    expected = Path(current) if why_not is None else f"it was started in {why_not}"
    assert working_dir(lambda: Path(current), Path(home)) == expected


def test_a_working_folder_that_was_removed_does_not_count() -> None:
    def removed() -> Path:
        raise FileNotFoundError

    assert working_dir(removed, Path.home()) == "it was started in a folder that is gone"


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
