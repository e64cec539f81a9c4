"""Rows are saved as new files under the folders that the operator names: whole, private, and in the place of nothing."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, RefusedByPolicy, StorageFailure
from salesforce_bulk_ingest.loading.roots import OPENS_BELOW
from salesforce_bulk_ingest.results.save_roots import SaveRoots, save

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links, FIFOs and modes")
ROWS = b"sf__Line,sf__Id,sf__Error,Name\n2,,X:a:--,=1+1\n"


@pytest.fixture(params=["from the root down", "where links are rare"])
def roots(tmp_path: Path, request: pytest.FixtureRequest) -> SaveRoots:
    """One root, `in`, with a folder; beside it, `out`, and the rows to save."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "rows").write_bytes(ROWS)
    opens_below = OPENS_BELOW and request.param == "from the root down"
    return SaveRoots([tmp_path / "in"], tmp_path, opens_below=opens_below)


def pieces_of(path: Path) -> Iterator[bytes]:
    """The rows of a file that is opened when they are read."""
    with path.open("rb") as file:
        yield from file


def saved(roots: SaveRoots, path: str | Path) -> bool:
    return save(pieces_of(roots.roots[0].parent / "rows"), roots.find(str(path)))


def refusal(roots: SaveRoots, path: str | Path) -> str:
    with pytest.raises(IngestError) as raised:
        saved(roots, path)
    return f"{type(raised.value).__name__}: {raised.value}".replace(str(roots.roots[0].parent), "/data")


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_rows_are_saved_by_any_way_of_writing_that_stays_below_a_root(roots: SaveRoots, tmp_path: Path) -> None:
    ways = ("a.csv", "deep/b.CSV", "deep/../c.csv", tmp_path / "in" / "d.csv", "~/in/e.csv")
    assert all(saved(roots, way) for way in ways)
    assert files_below(tmp_path / "in") == ["a.csv", "c.csv", "d.csv", "deep/b.CSV", "e.csv"]
    assert {(tmp_path / "in" / name).read_bytes() for name in files_below(tmp_path / "in")} == {ROWS}


@posix_only
def test_a_saved_file_is_for_the_user_of_the_server_alone(roots: SaveRoots, tmp_path: Path) -> None:
    assert saved(roots, "a.csv")
    assert stat.S_IMODE((tmp_path / "in" / "a.csv").stat().st_mode) == 0o600


def test_rows_that_are_there_already_are_not_written_again(roots: SaveRoots, tmp_path: Path) -> None:
    assert saved(roots, "a.csv")
    before = (tmp_path / "in" / "a.csv").stat()
    assert not saved(roots, "a.csv")
    assert (tmp_path / "in" / "a.csv").stat().st_ino == before.st_ino
    assert files_below(tmp_path / "in") == ["a.csv"]


@pytest.mark.parametrize("other", [b"", b"my own", ROWS[:-1] + b"!", ROWS + b"3,,X:b:--,B\n"])
def test_another_file_is_never_replaced(other: bytes, roots: SaveRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / "a.csv").write_bytes(other)
    assert refusal(roots, "a.csv") == snapshot(
        'InvalidArgument: "/data/in/a.csv" is there already, with other content, and is not replaced: give another name.'
    )
    assert (tmp_path / "in" / "a.csv").read_bytes() == other
    assert files_below(tmp_path / "in") == ["a.csv"]


@posix_only
@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "FIFO"])
def test_what_is_no_file_is_never_replaced(make: Callable[[Path], None], roots: SaveRoots, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.csv")
    assert "is there already" in refusal(roots, "a.csv")


@posix_only
@pytest.mark.parametrize("target", ["../out", "../out/", "../out/absent.csv", "../out/b.csv", "../../in.csv"])
def test_no_link_leads_out_of_a_root(target: str, roots: SaveRoots, tmp_path: Path) -> None:
    (tmp_path / "out" / "b.csv").write_bytes(b"other")
    (tmp_path / "in" / "link").symlink_to(target)
    (tmp_path / "in" / "link.csv").symlink_to(target)
    for path in ("link.csv", "link/c.csv"):
        assert (
            refusal(roots, path)
            == "RefusedByPolicy: This server saves files under /data/in only; relative paths begin there."
        )
    assert files_below(tmp_path / "out") == ["b.csv"]


@posix_only
@pytest.mark.parametrize("replaced", ["deep", "deep/a.csv"])
def test_a_link_that_comes_after_the_look_leads_nowhere(replaced: str, roots: SaveRoots, tmp_path: Path) -> None:
    found = roots.find("deep/a.csv")
    if replaced == "deep":
        (tmp_path / "in" / "deep").rename(tmp_path / "moved")
    (tmp_path / "in" / replaced).symlink_to(tmp_path / "out" / ("" if replaced == "deep" else "a.csv"))
    with pytest.raises((StorageFailure, InvalidArgument)):
        save(pieces_of(tmp_path / "rows"), found)
    assert files_below(tmp_path / "out") == []


def test_a_path_elsewhere_is_refused_without_a_look(roots: SaveRoots, tmp_path: Path) -> None:
    (tmp_path / "out" / "b.csv").write_bytes(ROWS)
    there, absent = (refusal(roots, tmp_path / "out" / name) for name in ("b.csv", "absent.csv"))
    assert (
        there == absent == "RefusedByPolicy: This server saves files under /data/in only; relative paths begin there."
    )
    assert refusal(roots, ".") == refusal(roots, tmp_path / "in") == there


def test_only_names_for_rows_in_folders_that_are_there_are_taken(roots: SaveRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / ".git").mkdir()
    assert [
        refusal(roots, path) for path in ("absent/a.csv", "a.txt", ".a.csv", ".git/a.csv", " ", "a\0.csv")
    ] == snapshot(
        [
            'InvalidArgument: "absent/a.csv" is in a folder that is not there: none is made. Name a file under /data/in.',
            'InvalidArgument: "a.txt" is no name for rows: it ends in .csv, and no part of it begins with a dot.',
            'InvalidArgument: ".a.csv" is no name for rows: it ends in .csv, and no part of it begins with a dot.',
            'InvalidArgument: ".git/a.csv" is no name for rows: it ends in .csv, and no part of it begins with a dot.',
            "InvalidArgument: saveAs is empty or no path: give the path of a file on the server's machine.",
            "InvalidArgument: saveAs is empty or no path: give the path of a file on the server's machine.",
        ]
    )
    assert files_below(tmp_path / "in") == []


def test_without_a_folder_of_the_operator_nothing_is_saved() -> None:
    with pytest.raises(RefusedByPolicy, match="named no folder for that \\(--save-root\\)"):
        SaveRoots().find("a.csv")


def test_rows_that_can_not_be_read_leave_no_part_of_a_file(roots: SaveRoots, tmp_path: Path) -> None:
    (tmp_path / "rows").unlink()
    assert refusal(roots, "a.csv").startswith(
        "StorageFailure: The rows can't be saved (/data/in/a.csv): it was removed"
    )
    assert files_below(tmp_path / "in") == []


def test_of_several_roots_the_first_with_the_folder_counts(tmp_path: Path) -> None:
    for folder in ("one", "two/deep"):
        (tmp_path / folder).mkdir(parents=True)
    roots = SaveRoots([tmp_path / "one", tmp_path / "two"])
    assert roots.find("deep/a.csv").path == (tmp_path / "two" / "deep" / "a.csv").resolve()
    assert roots.find("a.csv").path == (tmp_path / "one" / "a.csv").resolve()


STEPS = st.sampled_from(
    ["..", ".", "in", "out", "deep", "a.csv", "link", "~", "/", "", "file:", "\ud800", "\n", ".a.csv"]
)


@posix_only
@given(steps=st.lists(STEPS, max_size=6), is_absolute=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_path_nothing_is_written_but_rows_below_the_root(
    steps: list[str], is_absolute: bool, roots: SaveRoots, tmp_path: Path
) -> None:
    link = tmp_path / "in" / "link"
    if not link.is_symlink():
        link.symlink_to(tmp_path / "out")
    path = "/".join([str(tmp_path / "in"), *steps] if is_absolute else steps)
    try:
        saved(roots, path)
    except IngestError:
        pass
    assert files_below(tmp_path / "out") == []
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out", "rows"}
    assert {name.rpartition("/")[2] for name in files_below(tmp_path / "in")} <= {"a.csv", "link"}
