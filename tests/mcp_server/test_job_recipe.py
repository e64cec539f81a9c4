"""The recipe of a load that was done by hand: saved as it is, it loads the same file in the same way; cells are gaps."""

import re
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client, MCPError
from mcp_types import TextResourceContents

from salesforce_bulk_ingest.base.errors import RecipeMistake
from salesforce_bulk_ingest.loading.recipe_folder import RecipeFolder
from salesforce_bulk_ingest.mcp_server.recipes import Recipe, Recipes
from tests.support.orgs import agent, call, loaded, refusal, steady

INSERT = {"object": "Account", "operation": "insert"}
ROWS = "Firma;Telefon;Umsatz;Notiz;Stadt\nMüller;1;1.000,5;x;Köln\nMaier;2;2,5;y;Bonn\n"


async def recipe_of(client: Client, job_id: str) -> str:
    [content] = (await client.read_resource(f"salesforce-bulk://jobs/{job_id}/recipe")).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def by_hand(client: Client, **data: Any) -> str:
    return str((await call(client, "create-ingest-job", body=INSERT, data=data))["id"])


def read(text: str, folder: Path) -> Recipe:
    (folder / "by-hand.yaml").write_text(text, encoding="utf-8")
    return Recipes(RecipeFolder(folder)).read("by-hand")


async def test_a_load_by_hand_is_a_recipe_that_loads_the_same_file_as_it_was_loaded(
    org_url: str, tmp_path: Path
) -> None:
    (tmp_path / "kunden.csv").write_text(ROWS, encoding="windows-1252")
    data: dict[str, Any] = {
        "file": "kunden.csv",
        "encoding": "windows-1252",
        "columns": {
            "Firma": "Name",
            "Telefon": "Phone",
            "Umsatz": "AnnualRevenue",
            "Notiz": None,
            "Stadt": "BillingCity",
        },
        "formats": {"AnnualRevenue": "1.234,5"},
        "leaveOut": {"notRows": True},
    }
    async with agent(org_url, upload_roots=[tmp_path], recipes=tmp_path) as client:
        before = await call(client, "create-ingest-job", body=INSERT, data=data, dryRun=True)
        text = await recipe_of(client, await by_hand(client, **data))
        (tmp_path / "by-hand.yaml").write_text(text, encoding="utf-8")
        by_recipe = {"recipe": "by-hand", "file": "kunden.csv"}
        after = await call(client, "create-ingest-job", data=by_recipe, dryRun=True)
    assert before["sha256"] == after["sha256"]
    assert steady(text) == snapshot("""\
# How job JOB was loaded from kunden.csv: to be reviewed, and kept under the name of the load.
# The job had 2 rows in all: bounds may say rows: {min: ..., max: ...}, and cleared and failed.
object: Account
operation: insert
file: kunden.csv
encoding: windows-1252
columns:
  Firma: Name
  Telefon: Phone
  Umsatz: AnnualRevenue
  Notiz: null
  Stadt: BillingCity
formats:
  AnnualRevenue: 1.234,5
leaveOut:
  notRows: true
fields:
- Name
- Phone
- AnnualRevenue
- BillingCity
""")


async def test_cells_are_gaps_and_what_is_about_one_file_alone_is_told(org_url: str, tmp_path: Path) -> None:
    (tmp_path / "kunden.csv").write_text("Name,Phone,Site\nSecret A,1,x\nSecret B,2,y\nSecret C,3,z\n")
    data: dict[str, Any] = {
        "file": "kunden.csv",
        "set": {"Fax": "Secret 4"},
        "values": {"Phone": {"1": "Secret 5"}},
        "leaveOut": {"cells": {"Name": "Secret B"}, "lines": "4"},
        "only": ["Name", "Phone", "Fax"],
    }
    async with agent(org_url, upload_roots=[tmp_path]) as client:
        text = await recipe_of(client, await by_hand(client, **data))
    assert "Secret" not in text
    assert steady(text) == snapshot("""\
# How job JOB was loaded from kunden.csv: to be reviewed, and kept under the name of the load.
# The job had 1 rows in all: bounds may say rows: {min: ..., max: ...}, and cleared and failed.
# Rows of that file were left out by their lines ("lines": "4"): name them if every file has them.
object: Account
operation: insert
file: kunden.csv
set: '<not kept: fill it in, or leave it out>'
values: '<not kept: fill it in, or leave it out>'
only:
- Name
- Phone
- Fax
leaveOut:
  cells: '<not kept: fill it in, or leave it out>'
fields:
- Name
- Phone
- Fax
bounds:
  newHeaders: allow
""")
    with pytest.raises(RecipeMistake, match=r"line \d+: set: .* line \d+: values: .* line \d+: leaveOut.cells: "):
        read(text, tmp_path)
    filled = re.sub("'<not kept: .*'", "{}", text)
    assert read(filled, tmp_path).bounds.newHeaders == "allow"


async def test_arguments_that_are_too_long_for_the_record_are_gaps(org_url: str, tmp_path: Path) -> None:
    (tmp_path / "kunden.csv").write_text("Name\nA\n")
    columns = {"Name": ["Name", *(f"F{n}__c" for n in range(300))]}
    data = {"file": "kunden.csv", "columns": columns}
    async with agent(org_url, upload_roots=[tmp_path]) as client:
        made = await call(client, "create-ingest-job", body=INSERT, data=data, preflight="off")
        text = await recipe_of(client, made["id"])
        (tmp_path / "by-hand.yaml").write_text(text)
    assert "columns:\n  Name: '<not kept: fill it in, or leave it out>'\n" in text
    async with agent(org_url, upload_roots=[tmp_path], recipes=tmp_path) as client:
        by_recipe = {"recipe": "by-hand", "file": "kunden.csv"}
        assert "its recipe by those who review it" in await refusal(client, "create-ingest-job", data=by_recipe)


async def test_a_load_that_is_no_file_by_hand_has_no_recipe(org_url: str, tmp_path: Path) -> None:
    (tmp_path / "kunden.csv").write_text("Name\nA\n")
    (tmp_path / "weekly.yaml").write_text("object: Account\noperation: insert\nfields: [Name]\n")
    reasons = {}
    async with agent(org_url, upload_roots=[tmp_path], recipes=tmp_path) as client:
        ended = await loaded(client, "Name,Phone\n,1\n")
        cases = {
            "without rows": await call(client, "create-ingest-job", body=INSERT),
            "rows of jobs": await call(
                client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [ended]}, "set": {"Name": "B"}}
            ),
            "by recipe": await call(client, "create-ingest-job", data={"recipe": "weekly", "file": "kunden.csv"}),
            "no job": {"id": "750000000000001AAA"},
        }
        for case, job in cases.items():
            with pytest.raises(MCPError) as refused:
                await recipe_of(client, job["id"])
            reasons[case] = steady(refused.value.error.message).splitlines()[0]
    assert reasons == snapshot(
        {
            "without rows": "NOT_FOUND: This server has no record of how the rows of this job were loaded.",
            "rows of jobs": "NOT_FOUND: The rows of this job are those of earlier jobs, which no file has.",
            "by recipe": "NOT_FOUND: This job was loaded by the recipe weekly.",
            "no job": 'NOT_FOUND: "The requested resource does not exist"',
        }
    )


async def test_rows_that_came_as_text_have_a_recipe_without_a_file(org_url: str, tmp_path: Path) -> None:
    async with agent(org_url) as client:
        text = await recipe_of(client, await by_hand(client, csv="Firm\nA\n", columns={"Firm": "Name"}))
    recipe = read(text, tmp_path)
    assert (recipe.file, recipe.columns, recipe.fields) == (None, {"Firm": "Name"}, ("Name",))
