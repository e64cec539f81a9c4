"""The way to a file below a root: what a path may mean, and the folder that is opened for it without a link in between."""

import os
import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.base.errors import InvalidArgument
from salesforce_bulk_ingest.loading.roots import MOST_LISTED, OPENS_BELOW, RootedFile, Roots

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links")


@pytest.fixture(params=["from the root down", "where links are rare"])
def opens_below(request: pytest.FixtureRequest) -> bool:
    return OPENS_BELOW and request.param == "from the root down"


def test_a_path_may_mean_a_file_below_each_root_whether_it_is_there_or_not(tmp_path: Path) -> None:
    roots = Roots([tmp_path / "one", tmp_path / "two"])
    assert [file.path for file in roots.below("a/b.csv")] == [root / "a" / "b.csv" for root in roots.folders]
    assert [file.parts for file in roots.below(str(tmp_path / "two" / "b.csv"))] == [("b.csv",)] * 2
    assert roots.below("../b.csv") == roots.below(str(tmp_path)) == roots.below(".") == []
    assert str(roots) == f"{tmp_path.resolve()}/one and {tmp_path.resolve()}/two".replace("/", os.sep)


@pytest.mark.parametrize("path", ["", " ", "a\0", "file:///a.csv", "~other/a.csv", "\ud800.csv"])
def test_what_is_no_path_is_refused_in_the_name_of_its_argument(path: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^saveAs ") as raised:
        Roots([], argument="saveAs").whole(path)
    assert raised.value.argument == ("saveAs",)


def test_files_are_made_in_the_folder_that_was_opened(opens_below: bool, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with RootedFile(tmp_path.resolve(), ("deep", "a.csv"), opens_below).folder() as folder:
        os.close(folder.open("a.csv", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "deep" / "a.csv").exists()


def test_a_folder_is_listed_no_further_than_to_its_bound(opens_below: bool, tmp_path: Path) -> None:
    for number in range(MOST_LISTED + 3):
        (tmp_path / f"{number}.csv").touch()
    assert len(RootedFile(tmp_path.resolve(), ("a.csv",), opens_below).names_beside()) == MOST_LISTED


@posix_only
def test_no_folder_is_opened_through_a_link(opens_below: bool, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    file = RootedFile(tmp_path.resolve(), ("link", "a.csv"), opens_below)
    with pytest.raises(OSError, match=r"replaced meanwhile|Not a directory"), file.folder():
        pass
