"""The login of the official Salesforce CLI."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import anyio
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import Credentials, checked_token
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.instance_url import instance_url

CLI_LOGIN_SECONDS = 20
"""The longest time of both of the CLI's commands together: well under the time of the call that waits for them."""


NO_INTERPRETER = 127
"""The exit code of `env` where the interpreter of a script is not found (POSIX, env)."""


class CliLogin:
    """The login of the official Salesforce CLI, by alias or user name.

    The host comes from `sf org display --json`, the token from `sf org auth show-access-token --json`
    (Salesforce CLI Command Reference). Its host is believed as it is: the CLI itself sends this token there.

    Args:
        org: alias or user name, as in `sf org list`.
        executable: the CLI's name on the PATH, or its path.
        folders: where the CLI, and the `node` that runs it, are looked for after the PATH.
    """

    def __init__(self, org: str, executable: str = "sf", folders: Sequence[Path] = ()) -> None:
        self._org = org
        self._executable = executable
        self._folders = folders

    async def log_in(self) -> Credentials:
        """Return the host and the token that the CLI has; see `Login`."""
        try:
            with anyio.fail_after(CLI_LOGIN_SECONDS):
                display = await self._run("org", "display")
                token = await self._run("org", "auth", "show-access-token")
        except TimeoutError:
            raise NoCredentials(f"The Salesforce CLI did not answer within {CLI_LOGIN_SECONDS} s.") from None
        try:
            return Credentials(instance_url(display["instanceUrl"]), SecretStr(checked_token(token["accessToken"])))
        except (KeyError, ValueError):
            raise NoCredentials(self._refused(("org", "display"))) from None

    def check_installed(self) -> None:
        """Raise NoCredentials where the CLI is not found, which is seen without a login."""
        self._found(self._search_path())

    def _search_path(self) -> str:
        return os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, self._folders)])

    async def _run(self, *command: str) -> dict[str, str]:
        # Never quote the CLI's output in an error: it holds the token.
        search_path = self._search_path()
        executable = self._found(search_path)
        try:
            done = await anyio.run_process(
                [executable, *command, "--json", "--target-org", self._org],
                check=False,
                # `sf` is a script that `node` runs, which mostly lies beside it.
                env={**os.environ, "PATH": os.pathsep.join([os.path.dirname(executable), search_path])},
                # The stdin of this process may carry an MCP client's messages, which the CLI must not read.
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NoCredentials(
                f"The Salesforce CLI ({executable!r}) could not be started ({error.strerror}): install it anew, or name "
                "another in SALESFORCE_CLI."
            ) from None
        if done.returncode == NO_INTERPRETER:
            raise NoCredentials(
                f"The Salesforce CLI ({executable!r}) could not be run: it needs `node` beside it or on the PATH of this "
                "program."
            )
        if done.returncode != 0:
            raise NoCredentials(self._refused(command))
        return self._result(command, done.stdout)

    def _found(self, search_path: str) -> str:
        """Return the path of the CLI.

        Raises:
            NoCredentials: there is no such program.
        """
        executable = shutil.which(os.path.expanduser(self._executable), path=search_path)
        if executable is not None:
            return executable
        if os.path.dirname(self._executable):
            raise NoCredentials(
                f"There is no program at {self._executable!r}: name the full path of the Salesforce CLI in SALESFORCE_CLI."
            )
        raise NoCredentials(
            f"The Salesforce CLI ({self._executable!r}) is neither on the PATH of this program nor where it is usually "
            "installed: install it, or name its full path in SALESFORCE_CLI."
        )

    def _result(self, command: Sequence[str], output: bytes) -> dict[str, str]:
        try:
            result = json.loads(output)["result"]
        except (ValueError, KeyError, TypeError, RecursionError):
            result = None
        if not isinstance(result, dict):
            raise NoCredentials(self._refused(command))
        return {key: value for key, value in result.items() if isinstance(value, str)}

    def _refused(self, command: Sequence[str]) -> str:
        return (
            f"The Salesforce CLI gave no login for {self._org!r} (`sf {' '.join(command)}`): run "
            f"`sf org login web --alias {self._org}` once, or choose another alias in SALESFORCE_ORG."
        )
