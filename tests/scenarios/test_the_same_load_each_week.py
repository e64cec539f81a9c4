"""A load that people reviewed, as a recipe, each Monday: right files go in by two calls, wrong ones stop with the reason."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from mcp import Client, MCPError
from mcp_types import ResourceTemplateReference, TextResourceContents
from pydantic import ValidationError

from salesforce_bulk_ingest.settings import Settings
from tests.salesforce_emulator.caller import Caller, an_org_with
from tests.support.next_call import next_call, next_line
from tests.support.orgs import agent, both_surfaces, call, closed, refusal, text_of

SCHEMA = """
objects:
  Account:
    fields:
      Erp_Id__c: {type: string, label: ERP Id, length: 20, externalId: true, unique: true}
"""

RECIPE = """
description: The customers of the ERP, each Monday
object: Account
operation: upsert
externalIdFieldName: Erp_Id__c
file: kunden-*.csv
encoding: windows-1252
columns:
  Kundennr: Erp_Id__c
  Firma: Name
  Telefon: Phone
  Umsatz: AnnualRevenue
  Bemerkung: null
set:
  Type: Customer
values:
  Phone: {"-": ""}
formats:
  AnnualRevenue: 1.234,5
leaveOut:
  cells: {Name: [""]}
fields: [Erp_Id__c, Name, Phone, AnnualRevenue, Type]
bounds:
  rows: {min: 3, max: 100}
  cleared: 20%
"""

HEADER = "Kundennr;Firma;Telefon;Umsatz;Bemerkung\n"
ROWS = "".join(f"K{n};Müller {n} GmbH;030 {n};1.000,5;x\n" for n in range(1, 11))


@dataclass
class Monday:
    """An embedded org, the direct way to it, and the folders of the files and the recipes."""

    url: str
    direct: Caller
    files: Path
    recipes: Path

    def agent(self, **settings: Any) -> AbstractAsyncContextManager[Client]:
        """A client of a server that knows both folders."""
        return agent(self.url, **{"upload_roots": [self.files], "recipes": self.recipes, **settings})

    def write(self, name: str, rows: str) -> None:
        """Write a file as the ERP does."""
        (self.files / name).write_bytes(rows.encode("windows-1252"))

    def count(self) -> int:
        """The number of accounts in the org."""
        return int(self.direct.query("SELECT COUNT() FROM Account")["totalSize"])

    def jobs(self) -> int:
        """The number of jobs that were made."""
        return len(self.direct.http.get("/services/data/v63.0/jobs/ingest").json()["records"])


@pytest.fixture
def monday(tmp_path: Path) -> Iterator[Monday]:
    for name in ("files", "recipes"):
        (tmp_path / name).mkdir()
    (tmp_path / "recipes" / "accounts-weekly.yaml").write_text(RECIPE)
    with an_org_with(SCHEMA, tmp_path) as direct:
        yield Monday(str(direct.http.base_url), direct, tmp_path / "files", tmp_path / "recipes")


def by_recipe(file: str, recipe: str = "accounts-weekly") -> dict[str, Any]:
    """The rows of a call that loads a file by a recipe."""
    return {"recipe": recipe, "file": file}


async def test_a_reviewed_load_is_two_calls(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    async with monday.agent() as client:
        created = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"))
        tool, arguments = next_call(created["next"])
        ended = await call(client, tool, **arguments)
    assert ended["state"] == "JobComplete" and ended["numberRecordsFailed"] == 0
    found = monday.direct.query("SELECT Name, Phone, AnnualRevenue, Type FROM Account WHERE Erp_Id__c = 'K2'")
    record = found["records"][0]
    assert {name: record[name] for name in ("Name", "Phone", "AnnualRevenue", "Type")} == snapshot(
        {"Name": "Müller 2 GmbH", "Phone": "030 2", "AnnualRevenue": 1000.5, "Type": "Customer"}
    )


async def test_a_dry_run_by_recipe_names_the_call_that_sends_what_it_checked(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    async with monday.agent() as client:
        checked = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"), dryRun=True)
        assert (checked["status"], checked["rows"], monday.jobs()) == ("checked", 10, 0)
        tool, arguments = next_call(checked["next"])
        assert arguments["data"] == by_recipe("kunden-01.csv") and arguments["sha256"] == checked["sha256"]
        assert (await call(client, tool, **arguments))["state"] == "Open"
        monday.write("kunden-01.csv", HEADER + ROWS.replace("030", "040"))
        assert "INVALID_ARGUMENT" in await refusal(client, tool, **arguments)


async def test_a_dry_run_by_a_recipe_offers_no_cells_in_place_of_those_that_fail(monday: Monday) -> None:
    monday.write("kunden-bad.csv", HEADER + ROWS + f"K11;Müller;{'0' * 50};1;x\n")
    async with monday.agent() as client:
        checked = await call(client, "create-ingest-job", data=by_recipe("kunden-bad.csv"), dryRun=True)
    assert "1 of these rows is known to fail" in checked["summary"]
    assert "sends the rows" in checked["next"] and " Or " not in checked["next"]


async def test_an_open_job_of_the_recipe_takes_its_file_and_no_other_job_does(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    upsert = {"object": "account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}
    async with monday.agent() as client:
        job = await call(client, "create-ingest-job", body=upsert)
        uploaded = await call(client, "upload-data-ingest-job", jobId=job["id"], body=by_recipe("kunden-01.csv"))
        assert (uploaded["status"], uploaded["rows"]) == ("uploaded", 10)
        other = await call(client, "create-ingest-job", body={"object": "Account", "operation": "insert"})
        text = await refusal(client, "upload-data-ingest-job", jobId=other["id"], body=by_recipe("kunden-01.csv"))
    assert "for a job of another kind than upsert Account by Erp_Id__c" in text


async def test_parts_of_a_large_file_go_by_the_recipe_too(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + "".join(f"K{n};Müller {n} GmbH;030 {n};1,5;\n" for n in range(60)))
    async with monday.agent(max_upload_bytes=1_000) as client:
        checked = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"), dryRun=True)
        tool, arguments = next_call(checked["next"])
        for number in range(1, checked["of"] + 1):
            created = await call(client, tool, **arguments)
            assert created["part"] == number
            closing, closes = next_call(created["next"])
            ended = await call(client, closing, **closes)
            tool, arguments = next_call(ended["next"])
    assert checked["of"] > 1 and monday.count() == 60


async def test_body_may_be_that_of_the_recipe_and_no_other(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    asked = {"data": by_recipe("kunden-01.csv"), "dryRun": True}
    async with monday.agent() as client:
        text = await refusal(client, "create-ingest-job", **asked, body={"object": "Account", "operation": "insert"})
        assert "body is not the job of the recipe accounts-weekly" in text
        tool, arguments = next_call(text.splitlines()[-1].removeprefix("Next: "))
        assert (await call(client, tool, **arguments))["status"] == "checked"


BESIDE: tuple[dict[str, Any], ...] = (
    {"data": {"columns": {"Firma": "Site"}}},
    {"data": {"leaveOut": {"lines": "2"}}},
    {"data": {"encoding": "utf-8"}},
    {"data": {"set": {}}},
    {"preflight": "off"},
    {"loadAgain": True},
)


@pytest.mark.parametrize("beside", BESIDE, ids=str)
async def test_nothing_beside_a_recipe_changes_what_was_reviewed(beside: dict[str, Any], monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    data = {**by_recipe("kunden-01.csv"), **beside.get("data", {})}
    async with monday.agent() as client:
        text = await refusal(client, "create-ingest-job", **{**beside, "data": data})
        assert "recipe" in text
        if "data" in beside:
            assert next_call(next_line(text))[1] == {"data": by_recipe("kunden-01.csv")}
    assert monday.jobs() == 0


OUT_OF_BOUNDS = {
    "too few rows": ("kunden-01.csv", HEADER + "K1;A;1;1,5;\n"),
    "too many rows": ("kunden-01.csv", HEADER + ROWS * 11),
    "a header renamed": ("kunden-01.csv", HEADER.replace("Telefon", "Telefax") + ROWS),
    "a header more": ("kunden-01.csv", HEADER.replace("\n", ";Fax\n") + ROWS.replace(";x", ";x;1")),
    "cells cleared": ("kunden-01.csv", HEADER + ROWS.replace("030", "#N/A;030").replace(";030 ", ";")),
    "a file of another name": ("lieferanten.csv", HEADER + ROWS),
}


async def test_a_file_that_is_out_of_bounds_stops_with_what_is_out(monday: Monday) -> None:
    told = {}
    async with monday.agent() as client:
        for case, (name, rows) in OUT_OF_BOUNDS.items():
            monday.write(name, rows)
            text = await refusal(client, "create-ingest-job", data=by_recipe(name))
            dry = await client.call_tool("create-ingest-job", {"data": by_recipe(name), "dryRun": True})
            reason = text.splitlines()[0].removeprefix("INSUFFICIENT_ACCESS: ")
            assert reason in text_of(dry)
            told[case] = reason.removeprefix("The file is out of the bounds of the recipe accounts-weekly: ")
    assert (monday.jobs(), monday.count()) == (0, 0)
    assert told == snapshot(
        {
            "too few rows": "the number of its rows is 1, and 3 is the least (rows).",
            "too many rows": "the number of its rows is 110, and 100 is the most (rows).",
            "a header renamed": 'it lacks "Telefon" (missingHeaders); it has "Telefax", which the recipe does not know (newHeaders).',
            "a header more": 'it has "Fax", which the recipe does not know (newHeaders).',
            "cells cleared": "it would clear Phone in 10 of 10 rows, and 20% is the most (cleared).",
            "a file of another name": 'its name "lieferanten.csv" does not match "kunden-*.csv" (file).',
        }
    )


async def test_a_file_with_wrong_cells_stops_and_nobody_is_asked_to_change_the_mapping(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS.replace("1.000,5", "1000.5"))
    async with monday.agent() as client:
        text = await refusal(client, "create-ingest-job", data=by_recipe("kunden-01.csv"))
    tool, arguments = next_call(text.splitlines()[-1].removeprefix("Next: "))
    assert (tool, arguments["data"], arguments["dryRun"]) == ("create-ingest-job", by_recipe("kunden-01.csv"), True)
    assert monday.jobs() == 0


async def test_new_and_missing_headers_may_be_allowed(monday: Monday) -> None:
    bounds = RECIPE.replace("bounds:\n", "bounds:\n  newHeaders: allow\n  missingHeaders: allow\n")
    (monday.recipes / "accounts-weekly.yaml").write_text(
        bounds.replace("\nfields:", "\nonly: [Erp_Id__c, Name, Phone]\nfields:")
    )
    monday.write("kunden-01.csv", HEADER.replace("Telefon", "Telefax") + ROWS)
    async with monday.agent() as client:
        checked = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"), dryRun=True)
    assert [column["column"] for column in checked["profile"]["columns"]] == snapshot(["Kundennr", "Firma"])


async def test_a_field_that_the_recipe_does_not_list_is_not_written(monday: Monday) -> None:
    text = RECIPE.replace("bounds:\n", "bounds:\n  newHeaders: allow\n")
    (monday.recipes / "accounts-weekly.yaml").write_text(text)
    monday.write("kunden-01.csv", HEADER.replace("\n", ";Fax\n") + ROWS.replace(";x", ";x;1"))
    async with monday.agent() as client:
        assert 'it would write "Fax" (fields)' in await refusal(
            client, "create-ingest-job", data=by_recipe("kunden-01.csv")
        )


async def test_a_recipe_that_there_is_not_is_told_with_those_that_there_are(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    async with monday.agent() as client:
        text = await refusal(
            client, "create-ingest-job", data=by_recipe("kunden-01.csv", "account-weekly"), dryRun=True
        )
        assert "There are: accounts-weekly" in text
        _, arguments = next_call(text.splitlines()[-1].removeprefix("Next: "))
        assert arguments["data"] == by_recipe("kunden-01.csv")
    async with monday.agent(recipes=None) as client:
        assert "--recipes" in await refusal(client, "create-ingest-job", data=by_recipe("kunden-01.csv"))


async def test_the_instructions_name_the_recipes_that_there_are(monday: Monday) -> None:
    async with monday.agent() as client:
        assert "Recipes, loads that people have reviewed: accounts-weekly." in (client.instructions or "")
    async with monday.agent(recipes=None) as client:
        assert "Recipes" not in (client.instructions or "")


async def test_recipes_are_listed_read_and_completed(monday: Monday) -> None:
    (monday.recipes / "broken.yml").write_text("object: [")
    async with monday.agent() as client:
        listed = [each for each in (await client.list_resources()).resources if "recipes" in str(each.uri)]
        assert [(str(each.uri), each.title) for each in listed] == snapshot(
            [
                (
                    "salesforce-bulk://recipes/accounts-weekly",
                    "upsert Account by Erp_Id__c: The customers of the ERP, each Monday",
                ),
                ("salesforce-bulk://recipes/broken", "Recipe with a mistake"),
            ]
        )
        read = (await client.read_resource(listed[0].uri)).contents[0]
        assert isinstance(read, TextResourceContents) and read.text == RECIPE
        with pytest.raises(MCPError, match="There is no recipe"):
            await client.read_resource("salesforce-bulk://recipes/accounts")
        template = ResourceTemplateReference(uri="salesforce-bulk://recipes/{name}")
        completed = await client.complete(template, {"name": "name", "value": "acc"})
        assert completed.completion.values == ["accounts-weekly"]


async def test_more_failed_rows_than_the_recipe_allows_are_told(monday: Monday) -> None:
    text = RECIPE.replace("bounds:\n", "bounds:\n  failed: 20%\n").replace(
        "Type: Customer", "ParentId: 001000000000000AAA"
    )
    (monday.recipes / "accounts-weekly.yaml").write_text(text.replace("Type]", "ParentId]"))
    monday.write("kunden-01.csv", HEADER + ROWS)
    async with monday.agent() as client:
        created = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"))
        tool, arguments = next_call(created["next"])
        ended = await call(client, tool, **arguments)
        again = await call(client, "get-ingest-job-status", jobId=created["id"])
    assert ended["numberRecordsFailed"] == 10
    for answer in (ended, again):
        assert "out of the bounds of the recipe accounts-weekly: of the rows, 20% may fail at most" in answer["summary"]


BOUNDS_BY_RECORDS = RECIPE.replace("bounds:\n", "bounds:\n  new: 10%\n  changed: 5\n")


def of_the_org(monday: Monday, rows: str = ROWS, recipe: str = BOUNDS_BY_RECORDS) -> None:
    """Put the customers into the org, as a file of these rows has them, and the recipe that is held to them."""
    (monday.recipes / "accounts-weekly.yaml").write_text(recipe)
    keys = [row.partition(";")[0] for row in rows.splitlines()]
    records = "".join(f"{key},Müller {key[1:]} GmbH,030 {key[1:]},1000.5,Customer\n" for key in keys)
    monday.direct.load(f"Erp_Id__c,Name,Phone,AnnualRevenue,Type\n{records}", "Account")


async def refused_and_foreseen(client: Client, name: str) -> str:
    """Why a load by the recipe is refused, which its dry run says too."""
    text = await refusal(client, "create-ingest-job", data=by_recipe(name))
    dry = await client.call_tool("create-ingest-job", {"data": by_recipe(name), "dryRun": True})
    reason = text.splitlines()[0].removeprefix("INSUFFICIENT_ACCESS: ")
    assert reason in text_of(dry)
    return reason.removeprefix("The file is out of the bounds of the recipe accounts-weekly: ")


async def test_a_file_that_makes_or_changes_too_many_records_stops(monday: Monday) -> None:
    of_the_org(monday)
    jobs = monday.jobs()
    wrong = {
        "last year's keys": ROWS.replace("K", "L"),
        "names of the next row": "".join(f"K{n};Müller {n + 1} GmbH;030 {n};1.000,5;x\n" for n in range(1, 11)),
        "both": ROWS.replace(";Müller", ";Maier") + "L1;A;1;1,5;\nL2;B;2;1,5;\n",
    }
    told = {}
    async with monday.agent() as client:
        for case, rows in wrong.items():
            monday.write("kunden-02.csv", HEADER + rows)
            told[case] = await refused_and_foreseen(client, "kunden-02.csv")
        upsert = {"object": "Account", "operation": "upsert", "externalIdFieldName": "Erp_Id__c"}
        job = await call(client, "create-ingest-job", body=upsert)
        text = await refusal(client, "upload-data-ingest-job", jobId=job["id"], body=by_recipe("kunden-02.csv"))
        assert told["both"] in text
    assert (monday.jobs(), monday.count()) == (jobs + 1, 10)
    assert told == snapshot(
        {
            "last year's keys": "10 of 10 rows would make a new record, and 10% is the most (new).",
            "names of the next row": "10 of 10 rows would change a record, and 5 is the most (changed).",
            "both": "2 of 12 rows would make a new record, and 10% is the most (new); 10 of 12 rows would change a record, and 5 is the most (changed).",
        }
    )


async def test_a_file_within_the_bounds_by_records_goes_in_and_so_does_its_repeat(monday: Monday) -> None:
    of_the_org(monday)
    monday.write("kunden-02.csv", HEADER + ROWS.replace("030 2;", "040 2;") + "K11;Müller 11 GmbH;030 11;1.000,5;x\n")
    async with monday.agent() as client:
        created = await call(client, "create-ingest-job", data=by_recipe("kunden-02.csv"))
        repeated = await call(client, "create-ingest-job", data=by_recipe("kunden-02.csv"))
        assert repeated["id"] == created["id"]
        assert (await closed(client, created["id"]))["numberRecordsFailed"] == 0
    assert monday.count() == 11


UNSEEN: dict[str, dict[str, Any]] = {
    "no comparison": {"compare_rows": 0},
    "a sample, which has enough new rows": {"compare_rows": 4},
    "a limit of the org": {},
}


async def test_a_bound_that_can_not_be_held_stops_the_load_and_says_why(monday: Monday) -> None:
    of_the_org(monday, ROWS[: len(ROWS) // 2])
    monday.write("kunden-02.csv", HEADER + "".join(f"L{n};Neu;1;1,5;\n" for n in range(3)) + ROWS)
    jobs, told = monday.jobs(), {}
    for case, settings in UNSEEN.items():
        async with monday.agent(**settings) as client:
            if not settings:
                await client.call_tool("list-all-ingest-jobs", {})
                monday.direct.go_wrong({"fault": "request-limit", "on": "query"})
            told[case] = await refused_and_foreseen(client, "kunden-02.csv")
            monday.direct.go_right()
    assert monday.jobs() == jobs
    assert told == snapshot(
        {
            "no comparison": "how many rows would make a new record (new, 10% at most) or change a record (changed, 5 at most) is not known: this server compares no rows with the org (--compare-rows).",
            "a sample, which has enough new rows": "3 of 13 rows would make a new record, and 10% is the most (new); how many rows would change a record (changed, 5 at most) is not known: Only 4 of 13 rows were compared with the org (--compare-rows).",
            "a limit of the org": "how many rows would make a new record (new, 10% at most) or change a record (changed, 5 at most) is not known: Not all records by Erp_Id__c could be looked for. Salesforce answered REQUEST_LIMIT_EXCEEDED.",
        }
    )


async def test_a_bound_is_held_as_far_as_it_was_seen(monday: Monday) -> None:
    recipe = BOUNDS_BY_RECORDS.replace("new: 10%", "new: 9").replace("changed: 5", "changed: 9")
    of_the_org(monday, recipe=recipe)
    monday.write("kunden-02.csv", HEADER + ROWS)
    async with monday.agent(compare_rows=4) as client:
        created = await call(client, "create-ingest-job", data=by_recipe("kunden-02.csv"))
    assert created["state"] == "Open"


@pytest.mark.parametrize(
    ("operation", "bound"), [("insert", "new: 5"), ("insert", "changed: 5%"), ("update", "new: 1")]
)
async def test_a_recipe_has_no_bound_that_its_operation_can_not_be_held_to(
    operation: str, bound: str, monday: Monday
) -> None:
    text = f"object: Account\noperation: {operation}\ncolumns: {{Firma: Name}}\nbounds: {{{bound}}}\n"
    (monday.recipes / "accounts-weekly.yaml").write_text(text)
    monday.write("kunden-02.csv", "Firma\nAcme\n")
    async with monday.agent() as client:
        text = await refusal(client, "create-ingest-job", data=by_recipe("kunden-02.csv"))
    assert f"bounds.{bound.partition(':')[0]} is for" in text


INSERT = {"object": "Account", "operation": "insert"}


async def test_where_rows_are_loaded_by_recipes_alone_no_other_way_leads_into_the_org(monday: Monday) -> None:
    monday.write("kunden-01.csv", HEADER + ROWS)
    made = monday.direct.http.post("/services/data/v63.0/jobs/ingest", json={**INSERT, "contentType": "CSV"}).json()[
        "id"
    ]
    csv = {"csv": "Name\nAcme\n"}
    settings: dict[str, Any] = {"upload_roots": [monday.files], "recipes": monday.recipes, "only_recipes": True}
    async with both_surfaces(monday.url, **settings) as (client, rest):
        created = await call(client, "create-ingest-job", data=by_recipe("kunden-01.csv"))
        refused = [
            await refusal(client, "create-ingest-job", body=INSERT),
            await refusal(client, "create-ingest-job", body=INSERT, data=csv),
            await refusal(client, "create-ingest-job", body=INSERT, data={"rowsOf": {"jobs": [created["id"]]}}),
            await refusal(client, "upload-data-ingest-job", jobId=made, body=csv),
            await refusal(client, "close-abort-ingest-job", jobId=made, body={"state": "UploadComplete"}),
            (await rest.post("", json=INSERT)).text,
            (await rest.put(f"/{made}/batches", content=b"Name\nA\n", headers={"Content-Type": "text/csv"})).text,
            (await rest.patch(f"/{made}", json={"state": "UploadComplete"})).text,
        ]
        assert [text for text in refused if "--only-recipes" not in text] == []
        dry = await client.call_tool("create-ingest-job", {"body": INSERT, "data": csv, "dryRun": True})
        assert "--only-recipes" in text_of(dry) and "loads without a recipe" in (client.instructions or "")
        assert (await rest.patch(f"/{made}", json={"state": "Aborted"})).status_code == 200
        assert (await closed(client, created["id"]))["numberRecordsFailed"] == 0
        assert "rowsOf" not in (await call(client, "get-ingest-job-status", jobId=created["id"]))["undo"]
    assert monday.count() == 10


async def test_a_server_for_recipes_alone_has_to_know_where_they_are() -> None:
    with pytest.raises(ValidationError, match=r"recipes .* belongs to it, and is missing"):
        Settings(emulator=True, only_recipes=True)
