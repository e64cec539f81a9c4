"""Files that users write: how they are read, and where a mistake is."""

from pathlib import Path

import pytest

from salesforce_emulator.user_files import FileError, read
from tests.salesforce_emulator.behaviours import own


def written(folder: Path, text: str, name: str = "file.yaml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


@own
def test_a_file_is_json_if_its_name_says_so_and_yaml_else(tmp_path: Path) -> None:
    assert read(written(tmp_path, '{"a": [1]}', "file.json")).content == {"a": [1]}
    assert read(written(tmp_path, "a: [1]\n")).content == {"a": [1]}
    with pytest.raises(FileError, match="this is not JSON"):
        read(written(tmp_path, "a: [1]\n", "file.json"))


@own
def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    empty = read(written(tmp_path, "# nothing yet\n"))
    assert (empty.content, empty.location(())) == (None, f"{tmp_path}/file.yaml, line 1, the whole")


@own
def test_on_is_a_word_and_no_boolean(tmp_path: Path) -> None:
    assert read(written(tmp_path, "{on: list, off: on}")).content == {"on": "list", "off": "on"}


@own
def test_a_value_is_located_by_its_line_in_either_format(tmp_path: Path) -> None:
    yaml = read(written(tmp_path, "rules:\n  - on: list\n  - on: create\n    every: 2\n"))
    assert yaml.location(("rules", 1, "every")) == f"{tmp_path}/file.yaml, line 4, rules.1.every"
    json = read(written(tmp_path, '{"rules": [\n\t{"on": "list"},\n\t{"on": "create"}]}', "file.json"))
    assert json.location(("rules", 1, "on")) == f"{tmp_path}/file.json, line 3, rules.1.on"


@own
def test_a_value_that_is_missing_is_located_by_the_nearest_that_is_there(tmp_path: Path) -> None:
    file = read(written(tmp_path, "objects:\n  Account:\n    fields: {}\n"))
    assert file.location(("objects", "Account", "fields", "Tier__c")) == (
        f"{tmp_path}/file.yaml, line 3, objects.Account.fields.Tier__c"
    )


@own
def test_names_are_found_in_any_case_and_exactly_first(tmp_path: Path) -> None:
    file = read(written(tmp_path, "account: 1\nAccount: 2\n"))
    assert file.location(("Account",)) == f"{tmp_path}/file.yaml, line 2, Account"
    assert file.location(("ACCOUNT",)) == f"{tmp_path}/file.yaml, line 1, ACCOUNT"


@own
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a stands there twice; keep one of them"),
        ("a: &x\n  b: 1\n  b: 2\n", "line 3: b stands there twice; keep one of them"),
        ("a: [1\n", "line 2, character 1: a bracket is opened and never closed; close it"),
        ("\ta: 1\n", "line 1, character 1: nothing can begin with this character"),
        ("a: b: c\n", "line 1, character 5: a colon stands where no name can end"),
        ("a: 1\n---\nb: 2\n", "line 2, character 1: a second document begins here; leave it out"),
        ("a: \x01\n", "line 1: a character that can't be seen stands there; take it out"),
        ("[" * 5000, ": this is nested too deep to be read; take brackets out"),
    ],
)
def test_a_mistake_of_form_is_told_with_its_line_and_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileError) as error:
        read(written(tmp_path, text))
    assert f"{tmp_path}/file.yaml" in str(error.value)
    assert words in str(error.value)


@own
def test_an_alias_that_leads_to_what_holds_it_is_read(tmp_path: Path) -> None:
    content = read(written(tmp_path, "&whole {inner: *whole}")).content
    assert content["inner"] is content
