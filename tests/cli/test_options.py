"""The options of the commands: made from the flags of `Settings`."""

import re
from pathlib import Path
from typing import Any

import pytest

from salesforce_bulk_ingest.cli.options import SERVER_SETTINGS, option_type
from salesforce_bulk_ingest.settings import FLAGS
from tests.cli.conftest import RunHere
from tests.support.commands import Environ


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("read_only", bool | None),
        ("mcp_port", str | None),
        ("mcp_host", str | None),
        ("data_dir", Path | None),
        ("upload_roots", list[str] | None),
        ("save_roots", list[str] | None),
        ("allow_operation", list[str] | None),
        ("allowed_host", list[str] | None),
    ],
)
def test_an_option_has_the_type_of_its_setting_and_can_be_repeated_where_that_holds_several(
    name: str, expected: Any
) -> None:
    assert option_type(name) == expected


def _options(run_here: RunHere, command: str) -> set[str]:
    shown = re.findall(r"^  (--[a-z-]+)", run_here(command, "--help").stdout, re.MULTILINE)
    return set(shown) - {"--help"}


def test_every_flag_of_a_setting_is_an_option_of_serve_or_of_login(run_here: RunHere) -> None:
    of_login = {"--client-id", "--login-url", "--redirect-uri"}
    assert _options(run_here, "serve") == {flag.name for flag in FLAGS.values()} - of_login
    assert _options(run_here, "login") == {"--org", "--no-browser", *of_login}


def test_stdio_has_the_flags_that_are_not_about_ports_and_callers(run_here: RunHere) -> None:
    assert _options(run_here, "stdio") == {FLAGS[name].name for name in SERVER_SETTINGS}


def test_config_has_the_flags_of_stdio(run_here: RunHere) -> None:
    assert _options(run_here, "config") - {"--name", "--write", "--yes"} == _options(run_here, "stdio")


def test_check_has_the_flags_of_serve(run_here: RunHere) -> None:
    assert _options(run_here, "check") == _options(run_here, "serve")


@pytest.mark.parametrize("option", ["--schema", "--faults", "--public-key", "--data-dir"])
def test_a_tilde_is_the_home_of_the_user_where_no_shell_resolves_it(
    option: str, run_here: RunHere, environ: Environ
) -> None:
    """`--name=~/x` is resolved by no shell, and a host has none."""
    (Path(environ["HOME"]) / "a file").write_text("no YAML: [")
    complaint = run_here("emulator", f"{option}=~/a file").stderr
    assert "a file" in complaint and "does not exist" not in complaint
    if option != "--data-dir":
        assert run_here("emulator", f"{option}=~/none").stderr == (
            f"salesforce-bulk-ingest: Invalid value for '{option}': File '~/none' does not exist. See "
            "`salesforce-bulk-ingest emulator --help`.\n"
        )


def test_help_shows_what_the_declaration_says_and_what_a_value_looks_like(run_here: RunHere) -> None:
    lines = run_here("logout", "--help").stdout.splitlines()
    shown = [re.split(r" {2,}", line.strip()) for line in lines if line.startswith("  --")]
    assert shown == [
        ["--help", "Show this message and exit."],
        ["--org NAME", "The org in the table orgs.NAME of settings.toml."],
    ]


def test_a_flag_that_is_not_given_leaves_the_setting_to_the_environment(run_here: RunHere) -> None:
    assert "policy         read-only" in run_here("check", more={"BULK_INGEST_READ_ONLY": "1"}).stdout
    done = run_here("check", "--allow-operation", "delete", more={"BULK_INGEST_ALLOW_OPERATION": "hardDelete"})
    assert "refused operations: hardDelete" in done.stdout
