"""The tables of docs/configuration.md, held to the settings and the commands."""

import re

from typer.core import TyperGroup
from typer.main import get_command

from salesforce_bulk_ingest.cli.main import app
from tests.docs.tables import DOCS, section_of, settings_table

PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """Where this fails since a setting changed, `python -m tests.docs.tables` writes the page."""
    assert section_of(PAGE, "configuration")[0] == settings_table()


def test_the_table_of_commands_has_all_of_them() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    commands = [
        f"{name} {below}".strip()
        for name, command in group.commands.items()
        for below in (command.commands if isinstance(command, TyperGroup) else [""])
    ]
    table = PAGE.partition("## Commands")[2].partition("\n## ")[0]
    named = [
        name for line in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(.+?)`", line)
    ]
    assert sorted(named) == sorted(commands)
