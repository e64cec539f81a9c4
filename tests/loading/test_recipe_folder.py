import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import RecipeMistake
from salesforce_bulk_ingest.loading.recipe_folder import MOST_BYTES, RecipeFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "recipes"
    found.mkdir()
    return found


def mistake(folder: Path, file: str) -> str:
    with pytest.raises(RecipeMistake) as raised:
        RecipeFolder(folder).read(file)
    return str(raised.value)


def test_the_names_are_those_of_files_that_can_be_recipes(folder: Path) -> None:
    for name in ("b.yaml", "a-1.yml", "c.json", "Upper.yaml", "no.txt", ".yaml", "-x.yaml", "with space.yaml", "d"):
        (folder / name).write_text("x")
    assert RecipeFolder(folder).names() == ["a-1", "b", "c"]


def test_a_file_is_read_with_or_without_a_byte_order_mark(folder: Path) -> None:
    (folder / "a.yaml").write_bytes(b"\xef\xbb\xbfobject: Account\n")
    assert RecipeFolder(folder).read("a.yaml") == "object: Account\n"


def test_two_files_of_one_recipe_are_a_mistake(folder: Path) -> None:
    for suffix in ("yaml", "json"):
        (folder / f"a.{suffix}").write_text("x")
    with pytest.raises(RecipeMistake, match=r"a\.yaml and a\.json are recipes of one name: keep one of them"):
        RecipeFolder(folder).file_of("a")


def test_nothing_outside_the_folder_is_read(folder: Path) -> None:
    (folder.parent / "secret.yaml").write_text("object: Account\n")
    os.symlink(folder.parent / "secret.yaml", folder / "link.yaml")
    os.symlink(folder.parent, folder / "up")
    (folder / "dir.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    assert {
        name: mistake(folder, name)
        for name in ("link.yaml", "../secret.yaml", "up/secret.yaml", "dir.yaml", "pipe.yaml")
    } == (
        snapshot(
            {
                "link.yaml": '"link.yaml" can\'t be read: it is no file of the folder of recipes, or this server may not read it.',
                "../secret.yaml": '"../secret.yaml" can\'t be read: it is no file of the folder of recipes, or this server may not read it.',
                "up/secret.yaml": '"up/secret.yaml" can\'t be read: it is no file of the folder of recipes, or this server may not read it.',
                "dir.yaml": '"dir.yaml" can\'t be read: it is no file of the folder of recipes, or this server may not read it.',
                "pipe.yaml": '"pipe.yaml" can\'t be read: it is no file of the folder of recipes, or this server may not read it.',
            }
        )
    )


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "a.yaml").write_text("x")
    os.symlink("a.yaml", folder / "b.yaml")
    assert RecipeFolder(folder).read("b.yaml") == "x"


def test_a_file_that_is_too_long_or_no_utf_8_is_a_mistake(folder: Path) -> None:
    (folder / "long.yaml").write_bytes(b"x" * (MOST_BYTES + 1))
    (folder / "latin.yaml").write_bytes(b"a: 1\nb: M\xfcller\n")
    assert [mistake(folder, name) for name in ("long.yaml", "latin.yaml")] == snapshot(
        [
            '"long.yaml" is longer than the 262,144 bytes of a recipe.',
            '"latin.yaml", line 2: this is not UTF-8; save the file as UTF-8.',
        ]
    )


def test_a_folder_that_is_gone_is_a_mistake(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(RecipeMistake, match="The folder of recipes can't be read"):
        RecipeFolder(folder).names()
