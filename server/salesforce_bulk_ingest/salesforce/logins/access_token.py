"""The login with an access token that somebody pasted."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.salesforce.credentials import Credentials


@dataclass(frozen=True, slots=True)
class AccessTokenLogin:
    """An access token in a file, which is read again at each login: a new one works without a restart.

    Attributes:
        instance_url: the URL of the org.
        read_token: returns the token that the file has now.
    """

    instance_url: str
    read_token: Callable[[], SecretStr]

    async def log_in(self) -> Credentials:
        """Return the token of the file; see `Login`."""
        return Credentials(self.instance_url, await run_in_thread(self.read_token))
