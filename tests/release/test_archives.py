"""The checks of a release's archives against the repository, and the mistakes that they find."""

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.release.archives import IncompleteArchive, sdist, wheel

METADATA = (
    "Metadata-Version: 2.4\nName: x\nLicense-Expression: Apache-2.0\nLicense-File: LICENSE\n\n# Read me → first\n"
)
INFO = "salesforce_bulk_ingest-1.0.dist-info"
WHOLE_WHEEL = {
    "product/main.py": "",
    "product/py.typed": "",
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/licenses/LICENSE": "L",
}
WHOLE_SDIST = {
    "server/product/main.py": "",
    "server/product/py.typed": "",
    "README.md": "# Read me → first\n",
    "LICENSE": "L",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a product of two files, a README and a license."""
    root = tmp_path / "repository"
    for name, text in WHOLE_SDIST.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    return root


def check_wheel(root: Path, files: Mapping[str, str]) -> None:
    with zipfile.ZipFile(root.parent / "salesforce_bulk_ingest-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    wheel(root.parent, "1.0").check(root)


def check_sdist(root: Path, files: Mapping[str, str]) -> None:
    with tarfile.open(root.parent / "salesforce_bulk_ingest-1.0.tar.gz", "w:gz") as archive:
        for name, text in {"PKG-INFO": METADATA, **files}.items():
            member = tarfile.TarInfo(f"salesforce_bulk_ingest-1.0/{name}")
            content = text.encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    sdist(root.parent, "1.0").check(root)


def test_whole_archives_pass(root: Path) -> None:
    check_wheel(root, WHOLE_WHEEL)
    check_sdist(root, WHOLE_SDIST)


def test_a_wheel_without_a_data_file_is_refused(root: Path) -> None:
    del (files := dict(WHOLE_WHEEL))["product/py.typed"]
    with pytest.raises(IncompleteArchive, match=r"\.whl lacks server/product/py\.typed\.$"):
        check_wheel(root, files)


@pytest.mark.parametrize("metadata", [METADATA.replace("Apache-2.0", "MIT"), METADATA.replace("License-File", "X")])
def test_a_wheel_that_does_not_state_the_license_is_refused(root: Path, metadata: str) -> None:
    with pytest.raises(IncompleteArchive, match="does not state its license"):
        check_wheel(root, {**WHOLE_WHEEL, f"{INFO}/METADATA": metadata})


def test_a_wheel_with_another_text_than_the_license_or_the_readme_is_refused(root: Path) -> None:
    with pytest.raises(IncompleteArchive, match="does not have the text of LICENSE"):
        check_wheel(root, {**WHOLE_WHEEL, f"{INFO}/licenses/LICENSE": "another"})
    with pytest.raises(IncompleteArchive, match=r"does not have README\.md as its description"):
        check_wheel(root, {**WHOLE_WHEEL, f"{INFO}/METADATA": METADATA + "more\n"})


def test_an_sdist_with_a_file_that_is_not_committed_is_refused(root: Path) -> None:
    with pytest.raises(IncompleteArchive, match=r"\.tar\.gz holds notes\.txt, which is not committed\.$"):
        check_sdist(root, {**WHOLE_SDIST, "notes.txt": ""})
