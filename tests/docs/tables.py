"""The tables of docs/ that are made from the code; `python -m tests.docs.tables` writes them, and tests compare."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp_types import Tool

from salesforce_bulk_ingest.settings import ENV_NAMES, FILE_NAMES, FLAGS, Settings
from tests.support.orgs import agent, emulator
from tests.test_contract import CONTRACT

DOCS = Path(__file__).parent.parent.parent / "docs"


def section_of(page: str, name: str) -> re.Match[str]:
    """Find what stands on a page between a marker and the next `end`."""
    match = re.search(rf"(?<=<!-- {name}: held to the code by a test -->\n).*?(?=<!-- end -->)", page, re.DOTALL)
    assert match, f"the page has no section {name}"
    return match


def tools_table() -> str:
    """The nine tools, their hints and their routes."""
    rows = [
        f"| `{name}` | {_yes(read_only)} | {_yes(destructive)} | {_yes(idempotent)} | `{route}` |\n"
        for name, read_only, destructive, idempotent, route in CONTRACT
    ]
    return "| tool | reads only | destructive | idempotent | REST |\n|---|---|---|---|---|\n" + "".join(rows)


def settings_table() -> str:
    """Every setting, as a flag, a variable and a name in settings.toml."""
    rows = ["| flag | variable | settings.toml | default | meaning |\n|---|---|---|---|---|\n"]
    for name, field in Settings.model_fields.items():
        flag = FLAGS[name].name if name in FLAGS else ""
        outside = (flag, ENV_NAMES.get(name, ""), name if name in FILE_NAMES else "")
        shown = [f"`{value}`" if value else "" for value in outside]
        value = ", ".join(field.default) if isinstance(field.default, tuple) else field.default
        default = "" if value in (None, "", False) else f"`{value}`"
        rows.append(f"| {' | '.join(shown)} | {default} | {field.description} |\n")
    return "".join(rows)


def arguments_tables(tools: list[Tool]) -> str:
    """Every argument of each tool, at every depth, with its type, default and meaning."""
    return "\n".join(
        f"### {tool.name}\n\n{tool.description}\n\n| argument | type | meaning |\n|---|---|---|\n"
        + "".join(_rows(tool.input_schema, ""))
        for tool in tools
    )


def _rows(schema: dict[str, Any], path: str) -> Iterator[str]:
    for name, argument in schema.get("properties", {}).items():
        needed = ", required" if name in schema.get("required", ()) else ""
        default = f" Default `{json.dumps(argument['default'])}`." if argument.get("default") not in (None, "") else ""
        meaning = argument.get("description", "").replace("|", r"\|")
        end = "" if not meaning or meaning.endswith(".") else "."
        yield f"| `{path}{name}` | {_type(argument)}{needed} | {meaning}{end}{default} |\n"
        yield from _rows(argument, f"{path}{name}.")


def _type(schema: dict[str, Any]) -> str:
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{value}`" for value in values)
    if alternatives := schema.get("anyOf"):
        return " or ".join(_type(each) for each in alternatives)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    named = " or ".join(kind for kind in kinds)
    if "array" in kinds and isinstance(items := schema.get("items"), dict):
        named = f"{named} of {_type(items)}"
    if "minimum" in schema:
        named += f" from {schema['minimum']:,}"
    if "maximum" in schema:
        named += f" up to {schema['maximum']:,}"
    return named


def _yes(value: bool) -> str:
    return "yes" if value else "no"


async def _write() -> None:
    with TemporaryDirectory() as folder, emulator(Path(folder)) as url:
        async with agent(url) as client:
            tools = (await client.list_tools()).tools
    for page, name, table in (
        ("tools.md", "tools", tools_table()),
        ("tools.md", "arguments", arguments_tables(tools)),
        ("configuration.md", "configuration", settings_table()),
    ):
        text = (DOCS / page).read_text(encoding="utf-8")
        found = section_of(text, name)
        (DOCS / page).write_text(text[: found.start()] + table + text[found.end() :], encoding="utf-8")


if __name__ == "__main__":
    anyio.run(_write)
