"""The commands `login` and `logout`: a login in a browser, which is kept on this machine until it is ended."""

import subprocess
import sys
from typing import Annotated

import anyio
import httpx2
import typer

from salesforce_bulk_ingest.app.chosen_login import endpoint_of, login_store, opened_http
from salesforce_bulk_ingest.cli.callback import waiting_for_callback
from salesforce_bulk_ingest.cli.console import PROGRAM, complain, say, say_as_it_is, show_facts
from salesforce_bulk_ingest.cli.options import option, settings_from, settings_options
from salesforce_bulk_ingest.local_paths import default_local_paths
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.credentials import Credentials, FixedCredentials
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SalesforceError
from salesforce_bulk_ingest.salesforce.logins.expected_org import ExpectedOrg
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore, StoredLogin
from salesforce_bulk_ingest.salesforce.logins.saved_login import LOCK_SECONDS
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.settings import ENV_NAMES, Settings
from salesforce_bulk_ingest.settings_sources import BadSetting

LOGIN_SECONDS = 300.0
"""How long a user has to log in in the browser."""


def login(
    org_name: Annotated[str | None, option("org_name")] = None,
    client_id: Annotated[str | None, option("client_id")] = None,
    login_url: Annotated[str | None, option("login_url")] = None,
    redirect_uri: Annotated[str | None, option("redirect_uri")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser: the address is printed.")] = False,
) -> None:
    """Log in with a browser; the login is kept on this machine, and counts where the settings name no other."""
    flags = {"org_name": org_name, "client_id": client_id, "login_url": login_url, "redirect_uri": redirect_uri}
    settings = settings_from(flags)
    if settings.client_id is None:
        raise BadSetting(
            "--client-id is missing: name the consumer key of the app to log in with (docs/credentials.md says how to make "
            "one)."
        )
    store = login_store(settings, default_local_paths())
    anyio.run(_login, settings, settings.client_id, store, not no_browser)
    for way in settings.ways_to_log_in:
        complain(
            f"warning: this login counts only where nothing else is set: take {way} ({ENV_NAMES[way]}) out of the settings."
        )


@settings_options("org_name")
def logout(**flags: object) -> None:
    """End the login that `login` has saved: at Salesforce, and on this machine."""
    store = login_store(settings_from(flags), default_local_paths())
    anyio.run(_logout, store)


async def _login(settings: Settings, client_id: str, store: LoginStore, opens_browser: bool) -> None:
    async with opened_http(settings.login_url or settings.upstream_url) as http:
        endpoint = endpoint_of(settings, http)
        flow = WebFlow(endpoint, client_id, settings.client_secret, settings.redirect_uri)
        async with waiting_for_callback(flow) as callback:
            say_as_it_is(f"Log in at this address, on this machine:\n\n{flow.url}\n")
            if opens_browser:
                _open_browser(flow.url)
            say(f"Waiting for the browser, {LOGIN_SECONDS / 60:.0f} minutes at most; Ctrl-C ends it.")
            answer = await callback(LOGIN_SECONDS)
        granted = await flow.granted(answer)
        if granted.refresh_token is None:
            raise NoCredentials(
                "The login worked, but gave no refresh token, so nothing is kept: add the scope `refresh_token, "
                "offline_access` to the app."
            )
        if settings.expect_org is not None:
            await ExpectedOrg(FixedCredentials(granted.credentials), settings.expect_org, http).log_in()
        stored = StoredLogin(
            client_id=client_id,
            client_secret=flow.client_secret,
            login_url=endpoint.login_url,
            instance_url=granted.credentials.instance_url,
            refresh_token=granted.refresh_token,
        )
        async with store.locked(LOCK_SECONDS):
            store.replace(stored)
        await _show(settings, store, granted.credentials, http)


def _open_browser(url: str) -> None:
    """Open a page in the browser of the user, in a process of its own.

    It has no terminal: a browser in text mode would take this one, and wait in it while nobody answers the callback.
    """
    subprocess.Popen(
        [sys.executable, "-m", "webbrowser", url],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


async def _show(settings: Settings, store: LoginStore, credentials: Credentials, http: httpx2.AsyncClient) -> None:
    client = SalesforceClient(http, FixedCredentials(credentials), settings.api_version)
    try:
        user, org = await client.identity(), await client.org()
    except SalesforceError as error:
        show_facts([("org", credentials.instance_url), ("kept in", store.where())])
        complain(f"warning: the login is kept, but who has logged in can't be learned: {error}")
        return
    facts = [("org", str(org)), ("kept in", store.where())]
    if user is not None and user.preferred_username is not None:
        facts.insert(0, ("user", user.preferred_username))
    show_facts(facts)
    if org.organization_id is not None and settings.expect_org is None:
        say("\nTo hold this program to this org, paste into the settings file:")
        say_as_it_is(f'expect_org = "{org.organization_id}"')


async def _logout(store: LoginStore) -> None:
    if not store.file.exists():
        say(f"Nobody is logged in: `{PROGRAM} login` has saved no login.")
        return
    # A server that shares the login may be replacing its refresh token just now.
    async with store.locked(LOCK_SECONDS):
        try:
            stored = store.load()
        except NoCredentials as error:
            complain(f"warning: {error}")
            stored = None
        where = store.where()
        ended = stored is not None and await _revoked(stored)
        store.remove()
    say(f"The login is removed from {where}.")
    if not ended:
        complain("warning: it could not be ended at Salesforce: revoke it there, in Setup, Connected Apps OAuth Usage.")


async def _revoked(stored: StoredLogin) -> bool:
    async with opened_http(stored.login_url) as http:
        try:
            await TokenEndpoint(http, stored.login_url).revoke(stored.refresh_token)
        except SalesforceError:
            return False
    return True
