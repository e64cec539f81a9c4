"""The login of the official Salesforce CLI."""

import json
import subprocess
from collections.abc import Sequence

import anyio
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import Credentials, checked_token
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.instance_url import instance_url

CLI_LOGIN_SECONDS = 20
"""The longest time of both of the CLI's commands together: well under the time of the call that waits for them."""


class CliLogin:
    """The login of the official Salesforce CLI, by alias or user name.

    The host comes from `sf org display --json`, the token from `sf org auth show-access-token --json`
    (Salesforce CLI Command Reference).

    Args:
        org: alias or user name, as in `sf org list`.
        executable: the CLI's name on the PATH, or its path.
    """

    def __init__(self, org: str, executable: str = "sf") -> None:
        self._org = org
        self._executable = executable

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

    async def _run(self, *command: str) -> dict[str, str]:
        # Never quote the CLI's output in an error: it holds the token.
        try:
            done = await anyio.run_process(
                [self._executable, *command, "--json", "--target-org", self._org],
                check=False,
                # The stdin of this process may carry an MCP client's messages, which the CLI must not read.
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise NoCredentials(
                f"The Salesforce CLI ({self._executable!r}) could not be started: install it, or name its full path in "
                "SALESFORCE_CLI."
            ) from error
        if done.returncode != 0:
            raise NoCredentials(self._refused(command))
        return self._result(command, done.stdout)

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
