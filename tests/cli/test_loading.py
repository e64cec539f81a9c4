import subprocess
import sys

from tests.support.commands import Environ

RUN_THEN_TELL = """
import sys
from salesforce_bulk_ingest.__main__ import main
for command in sys.argv[1:]:
    sys.argv = ["salesforce-bulk-ingest", *command.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
print(sorted({"mcp", "mcp_types"} & sys.modules.keys()))
"""
"""A program that runs commands one after the other, and then tells whether it has loaded the MCP SDK."""

COMMANDS = ("--version", "--help", "serve --help", "config", "approve", "purge", "token list", "check --emulator")


def test_commands_that_speak_no_mcp_do_not_wait_for_its_sdk(environ: Environ) -> None:
    told = subprocess.run(
        [sys.executable, "-c", RUN_THEN_TELL, *COMMANDS], env=environ, capture_output=True, encoding="utf-8", timeout=60
    )

    assert (told.returncode, told.stdout.splitlines()[-1:]) == (0, ["[]"]), told.stderr
