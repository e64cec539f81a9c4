"""The tables and the figures of docs/tools.md, held to the code and to the running server."""

from salesforce_bulk_ingest.base.findings import LINES_KEPT
from salesforce_bulk_ingest.operations.jobs import MOST_FETCHED_ROWS
from salesforce_bulk_ingest.results.error_groups import MOST_CELLS
from salesforce_bulk_ingest.validation.column_profiles import MOST_DISTINCT
from tests.docs.tables import DOCS, arguments_tables, section_of, tools_table
from tests.support.orgs import agent

PAGE = (DOCS / "tools.md").read_text(encoding="utf-8")


def test_the_table_of_tools_is_the_contract() -> None:
    assert section_of(PAGE, "tools")[0] == tools_table()


async def test_the_arguments_are_those_of_the_schemas(org_url: str) -> None:
    """Where this fails since an argument changed, `python -m tests.docs.tables` writes the page."""
    async with agent(org_url) as client:
        tools = (await client.list_tools()).tools
    assert section_of(PAGE, "arguments")[0] == arguments_tables(tools)


def test_the_figures_in_its_sentences_are_those_of_the_code() -> None:
    sentences = " ".join(PAGE.split())
    assert f"`linesShown` asks for up to {LINES_KEPT} lines of each" in sentences
    assert f"Distinct values are counted up to {MOST_DISTINCT:,} of a column" in sentences
    assert f"(up to {MOST_CELLS} of a column, else one gap for the column)" in sentences
    assert f"an upsert that loaded up to {MOST_FETCHED_ROWS:,} rows" in sentences
