"""The two archives of a release, compared with the repository that they are built from."""

import subprocess
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

DISTRIBUTION = "salesforce_bulk_ingest"
SOURCE_ROOT = "server/"
ADDED_BY_THE_BUILD = frozenset({"PKG-INFO"})


class IncompleteArchive(Exception):
    """An archive lacks a file or a text, or contains a file that should not be published."""


class Archive(ABC):
    """A built archive.

    Args:
        path: the path of the archive.
        names: the paths of the files in the archive.
        read: returns the content of the file at one of these paths.
    """

    def __init__(self, path: Path, names: frozenset[str], read: Callable[[str], bytes]) -> None:
        self.path = path
        self.names = names
        self._read = read

    @abstractmethod
    def check(self, root: Path) -> None:
        """Compare the archive with the repository.

        Args:
            root: the folder of the repository.

        Raises:
            IncompleteArchive: the two differ.
        """

    def _check_files(self, found: set[str], expected: set[str]) -> None:
        problems = [f"lacks {name}" for name in sorted(expected - found)]
        problems += [f"holds {name}, which is not committed" for name in sorted(found - expected)]
        if problems:
            raise IncompleteArchive(f"{self.path.name} {'; '.join(problems)}.")

    def _check_metadata(self, name: str, root: Path) -> None:
        metadata = message_from_bytes(self._read(name))
        if metadata["License-Expression"] != "Apache-2.0" or metadata.get_all("License-File") != ["LICENSE"]:
            raise IncompleteArchive(f"{self.path.name} does not state its license.")
        if metadata.get_payload(decode=True) != (root / "README.md").read_bytes():
            raise IncompleteArchive(f"{self.path.name} does not have README.md as its description.")

    def _check_license(self, name: str, root: Path) -> None:
        if self._read(name) != (root / "LICENSE").read_bytes():
            raise IncompleteArchive(f"{self.path.name} does not have the text of LICENSE.")


class Wheel(Archive):
    """The wheel: both packages with their data files, the metadata, the license."""

    def check(self, root: Path) -> None:
        info = f"{self.path.name.partition('-py3')[0]}.dist-info/"
        self._check_metadata(f"{info}METADATA", root)
        self._check_license(f"{info}licenses/LICENSE", root)
        tracked = {name for name in tracked_files(root) if name.startswith(SOURCE_ROOT)}
        found = {f"{SOURCE_ROOT}{name}" for name in self.names if not name.startswith(info)}
        self._check_files(found, tracked)


class Sdist(Archive):
    """The sdist: the whole repository, so that it can be built, tested and changed."""

    def check(self, root: Path) -> None:
        self._check_metadata("PKG-INFO", root)
        self._check_license("LICENSE", root)
        self._check_files(set(self.names - ADDED_BY_THE_BUILD), tracked_files(root))


def wheel(folder: Path, version: str) -> Wheel:
    """Return the wheel in the folder.

    Raises:
        FileNotFoundError: there is no wheel of this version.
    """
    path = folder / f"{DISTRIBUTION}-{version}-py3-none-any.whl"
    archive = zipfile.ZipFile(path)
    return Wheel(path, frozenset(archive.namelist()), archive.read)


def sdist(folder: Path, version: str) -> Sdist:
    """Return the sdist in the folder; its paths are relative to the one folder that it contains.

    Raises:
        FileNotFoundError: there is no sdist of this version.
    """
    path = folder / f"{DISTRIBUTION}-{version}.tar.gz"
    top = f"{DISTRIBUTION}-{version}/"
    with tarfile.open(path) as archive:
        contents = {
            member.name.removeprefix(top): file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }
    return Sdist(path, frozenset(contents), contents.__getitem__)


def tracked_files(root: Path) -> set[str]:
    """Return the paths of the committed files."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return set(listing.stdout.rstrip("\0").split("\0"))
