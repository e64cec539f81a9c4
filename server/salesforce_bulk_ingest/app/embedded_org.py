"""The embedded org, as a part of this process: the emulator on a port of this machine."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.serving.ports import Listener, bound_socket, listening, url_of
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app

Configured = Callable[..., EmulatorConfig]


@dataclass(frozen=True, slots=True)
class EmbeddedOrg:
    """The emulator, running on this machine, with its base URL and the folder that its org lives in."""

    url: str
    folder: Path

    @property
    def credentials(self) -> FixedCredentials:
        """The credentials that the emulator takes."""
        return FixedCredentials(Credentials(self.url, SecretStr(ACCESS_TOKEN)))


@asynccontextmanager
async def embedded_org(
    data_dir: Path | None,
    configured: Configured = EmulatorConfig,
    *,
    port: int = 0,
    port_flag: str = "--port",
    hosts: Iterable[str] = (),
) -> AsyncIterator[EmbeddedOrg]:
    """Run the emulator on this machine.

    Args:
        data_dir: the folder that its org lives in; without one, a temporary folder that is removed afterwards.
        configured: makes the org's configuration, with its folder as `data_dir`.
        port: the port to listen on; 0 for any free one.
        port_flag: option with which the user chooses the port.
        hosts: names beside this machine's own under which callers address the org.

    Raises:
        CantStart: the port is taken, the folder holds no org that can be opened, or its configuration is wrong.
    """
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="salesforce-bulk-org-")))
        name = "the embedded org" if data_dir is None else f"the embedded org in {folder}"
        bound = stack.enter_context(bound_socket("127.0.0.1", port, port_flag))
        guarded = HostGuard(create_app(configured(data_dir=folder)), AllowedCallers.local_and(hosts))
        async with listening([Listener(guarded, bound, name=name, lifespan=True)]):
            yield EmbeddedOrg(url_of("127.0.0.1", bound), folder)


@asynccontextmanager
async def embedded_org_of(settings: Settings, data_dir: Path | None) -> AsyncIterator[EmbeddedOrg | None]:
    """Run the emulator if the settings ask for it; its org lives in this folder, or in a temporary one without it."""
    if not settings.emulator:
        yield None
        return
    configured = partial(EmulatorConfig, schema_file=settings.schema_file)
    async with embedded_org(data_dir, configured, port=settings.emulator_port, port_flag="--emulator-port") as org:
        yield org
