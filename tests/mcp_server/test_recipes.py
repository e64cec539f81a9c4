"""What a recipe may say; what it does is in tests/scenarios/test_the_same_load_each_week.py."""

import json
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import RecipeMistake
from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.mcp_server.recipes import Recipe, Recipes

WHOLE = """\
object: Account
operation: insert
columns: {Firm: Name}
"""


def read(folder: Path, text: str, file: str = "weekly.yaml") -> Recipe:
    (folder / file).write_text(text)
    return Recipes(RecipeFolder(folder)).read("weekly")


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(RecipeMistake) as raised:
        read(folder, text)
    return str(raised.value)


MISTAKES = {
    "nothing": "",
    "a list": "[a]",
    "no YAML": "object: Account\noperation insert\n",
    "no job": "columns: {Firm: Name}\n",
    "an unknown key": WHOLE + "colums: {}\n",
    "an unknown bound": WHOLE + "bounds:\n  rows: {min: 1}\n  shareNew: 5%\n",
    "an operation that there is not": WHOLE.replace("insert", "merge"),
    "an upsert without key": WHOLE.replace("insert", "upsert"),
    "no columns": "object: Account\noperation: insert\n",
    "a number where a text belongs": WHOLE + "formats: {CloseDate: 5}\n",
    "true where a text belongs": WHOLE + "values:\n  Active__c:\n    Ja: true\n",
    "a bound that is no number": WHOLE + "bounds:\n  cleared: few\n",
    "bounds the wrong way round": WHOLE + "bounds:\n  rows: {min: 10, max: 1}\n",
    "a bound on new records in an insert": WHOLE + "bounds:\n  new: 5%\n",
    "a bound on changed records in a delete": WHOLE.replace("insert", "delete") + "bounds:\n  changed: 5\n",
    "a gap": WHOLE + "set: {Type: '<Type for every row>'}\n",
    "many": WHOLE + "".join(f"k{n}: 1\n" for n in range(9)),
}


def test_a_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    assert {case: mistake(tmp_path, text) for case, text in MISTAKES.items()} == snapshot(
        {
            "nothing": "weekly.yaml, line 1: write names with their settings here, as in object: Account.",
            "a list": "weekly.yaml, line 1: write names with their settings here, as in object: Account.",
            "no YAML": "weekly.yaml, line 3: a name above has no colon; write it as in name: value.",
            "no job": "weekly.yaml, line 1: object: this is missing; add it. weekly.yaml, line 1: operation: this is missing; add it.",
            "an unknown key": "weekly.yaml, line 4: colums: there is no such key; leave it out or correct its name.",
            "an unknown bound": "weekly.yaml, line 6: bounds.shareNew: there is no such key; leave it out or correct its name.",
            "an operation that there is not": "weekly.yaml, line 2: operation: use 'insert', 'update', 'upsert', 'delete' or 'hardDelete'.",
            "an upsert without key": "weekly.yaml, line 1: externalIdFieldName: an upsert needs this: an external id field, or Id.",
            "no columns": "weekly.yaml, line 1: name the columns of the file in columns, or the fields that they are named for in fields.",
            "a number where a text belongs": "weekly.yaml, line 4: formats.CloseDate: write text here, in quotes if it looks like a number, true, false or null.",
            "true where a text belongs": "weekly.yaml, line 6: values.Active__c.Ja: write text here, in quotes if it looks like a number, true, false or null.",
            "a bound that is no number": "weekly.yaml, line 5: bounds.cleared: expected a whole number, or a share as 5%.",
            "bounds the wrong way round": "weekly.yaml, line 5: bounds.rows: min is more than max; correct one of them.",
            "a bound on new records in an insert": "weekly.yaml, line 1: bounds.new is for upserts alone; leave it out.",
            "a bound on changed records in a delete": "weekly.yaml, line 1: bounds.changed is for updates and upserts alone; leave it out.",
            "a gap": 'weekly.yaml, line 4: set: a gap is still there for "Type": put in what stands for it, or ask the user.',
            "many": "weekly.yaml, line 4: k0: there is no such key; leave it out or correct its name. weekly.yaml, line 5: k1: there is no such key; leave it out or correct its name. weekly.yaml, line 6: k2: there is no such key; leave it out or correct its name. weekly.yaml, line 7: k3: there is no such key; leave it out or correct its name. weekly.yaml, line 8: k4: there is no such key; leave it out or correct its name. And 4 more.",
        }
    )


def test_cells_are_what_is_written(tmp_path: Path) -> None:
    recipe = read(tmp_path, WHOLE + "set: {A: 007, B: 1.50, C: 2026-01-31, D: no, E: true, F: 5, G: null}\n")
    assert recipe.mapping.constants == snapshot(
        {"A": "007", "B": "1.50", "C": "2026-01-31", "D": "no", "E": "true", "F": "5", "G": "#N/A"}
    )


def test_json_is_a_recipe_too(tmp_path: Path) -> None:
    said = {"object": "Account", "operation": "insert", "fields": ["Name"], "bounds": {"cleared": 5}}
    recipe = read(tmp_path, json.dumps(said, indent="\t"), "weekly.json")
    assert (recipe.name, recipe.fields, recipe.bounds.cleared) == ("weekly", ("Name",), "5")


def test_a_recipe_is_read_when_it_is_used(tmp_path: Path) -> None:
    recipes = Recipes(RecipeFolder(tmp_path))
    (tmp_path / "weekly.yaml").write_text(WHOLE)
    assert recipes.names() == ["weekly"] and recipes.read("weekly").operation == "insert"
    (tmp_path / "weekly.yaml").write_text(WHOLE.replace("insert", "update"))
    assert recipes.read("weekly").operation == "update"


def test_columns_may_be_a_mapping_file_of_data_loader(tmp_path: Path) -> None:
    (tmp_path / "accounts.sdl").write_text('#Mapping values\nFirm=Name\nNotes=\n"Customer"=Type\n"DE"=BillingCountry\n')
    recipe = read(tmp_path, "object: Account\noperation: insert\ncolumns: accounts.sdl\nset: {BillingCountry: AT}\n")
    assert (recipe.columns, recipe.set) == (
        {"Firm": "Name", "Notes": None},
        {"Type": "Customer", "BillingCountry": "AT"},
    )


@pytest.mark.parametrize("file", ["none.sdl", "../accounts.sdl", "/etc/passwd", ""])
def test_a_mapping_file_that_is_not_in_the_folder_is_a_mistake(file: str, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "accounts.sdl").write_text("Firm=Name\n")
    said = f"object: Account\noperation: insert\ncolumns: '{file}'\n"
    assert "can't be read: it is no file of the folder of recipes" in mistake(tmp_path / "recipes", said)
