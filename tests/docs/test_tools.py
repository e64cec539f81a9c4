"""The tables of docs/tools.md, held to the running server."""

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
