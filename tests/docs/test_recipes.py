"""docs/recipes.md: its recipe can be read, and its tables have every key that there is."""

import re
from pathlib import Path

from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.mcp_server.recipes import BoundsBody, Recipe, Recipes

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_its_recipe_is_a_recipe(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "accounts-weekly.yaml").write_text(text, encoding="utf-8")
    recipe = Recipes(RecipeFolder(tmp_path)).read("accounts-weekly")
    assert (recipe.object, recipe.bounds.rows.min, recipe.bounds.cleared) == ("Account", 500, "5%")


def test_its_tables_have_every_key() -> None:
    names = [set(re.findall(r"`(\w+)`", line.split("|")[1])) for line in GUIDE.splitlines() if line.startswith("| `")]
    # The content of a job is CSV and nothing else.
    assert set().union(*names) == (Recipe.model_fields.keys() | BoundsBody.model_fields.keys()) - {"contentType"}
