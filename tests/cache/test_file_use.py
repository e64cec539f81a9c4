"""A file is in use for as long as somebody refers to its use, in whatever process, and is told so to whoever would remove it."""

import subprocess
import sys
from pathlib import Path

import pytest

from salesforce_bulk_ingest.cache.file_use import FileUse, unused

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows itself removes no open file")

WHETHER_UNUSED = """
import sys
from pathlib import Path
from salesforce_bulk_ingest.cache.file_use import unused
with unused(Path(sys.argv[1])) as may_go:
    print(may_go)
"""


def is_unused(path: Path) -> bool:
    with unused(path) as may_go:
        return may_go


@posix_only
def test_a_file_is_in_use_until_nobody_refers_to_the_use(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert is_unused(path)
    uses = [FileUse(path), FileUse(path)]
    assert not is_unused(path)
    uses.pop()
    assert not is_unused(path)
    uses.pop()
    assert is_unused(path)


@posix_only
def test_another_process_sees_the_use(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    def seen_elsewhere() -> str:
        program = [sys.executable, "-c", WHETHER_UNUSED, str(path)]
        return subprocess.run(program, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout.strip()

    use = FileUse(path)
    assert seen_elsewhere() == "False"
    del use
    assert seen_elsewhere() == "True"


@posix_only
def test_no_use_begins_while_the_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with unused(path), pytest.raises(FileNotFoundError, match="is being removed"):
        FileUse(path)
    FileUse(path)


def test_a_file_that_is_not_there_has_no_use(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileUse(tmp_path / "none")
    assert is_unused(tmp_path / "none")
