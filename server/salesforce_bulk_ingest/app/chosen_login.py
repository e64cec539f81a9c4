"""The way to log in that the settings choose, and what they tell of the org without a login."""

import logging
from pathlib import Path

import httpx2
from pydantic import SecretStr

from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.loopback import is_loopback
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.base.text import quoted
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.salesforce.credentials import (
    Credentials,
    CredentialSource,
    FixedCredentials,
    MissingCredentials,
)
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.instance_url import LOGIN_HOSTS
from salesforce_bulk_ingest.salesforce.logins.access_token import AccessTokenLogin
from salesforce_bulk_ingest.salesforce.logins.cli import CliLogin
from salesforce_bulk_ingest.salesforce.logins.client_credentials import ClientCredentialsLogin
from salesforce_bulk_ingest.salesforce.logins.expected_org import ExpectedOrg
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore
from salesforce_bulk_ingest.salesforce.logins.refresh_token import RefreshTokenLogin
from salesforce_bulk_ingest.salesforce.logins.saved_login import SavedLogin
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.org import ConfiguredOrg, org_at
from salesforce_bulk_ingest.salesforce.session import Login, Session
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings import ENV_NAMES, Settings
from salesforce_bulk_ingest.settings_sources import BadSetting, as_table, listed_orgs, load_settings, org_names

LOGINS = "logins"
"""The name of the folder of saved logins, below the state folder."""

logger = logging.getLogger(__name__)


def credential_source(
    settings: Settings, paths: LocalPaths, http: httpx2.AsyncClient, tasks: SharedTasks, clock: Clock
) -> CredentialSource:
    """Return the source of credentials, or a stand-in whose error says what the settings lack.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user: a token that came from `settings.toml` is read again, and a saved login counts where
            the settings name no way to log in.
        http: the connection pool, for the login hosts.
        tasks: runs the logins.
        clock: the clock of this machine.
    """
    login = _login(settings, paths, http, clock)
    if login is None and settings.access_token is not None:
        return MissingCredentials(_what_to_set(settings, paths.settings_file))
    if login is None:
        login = _saved_login(settings, paths, http)
    if settings.expect_org is not None:
        return Session(ExpectedOrg(login, settings.expect_org, http), tasks, clock.monotonic)
    if isinstance(login, FixedCredentials):
        return login
    return Session(login, tasks, clock.monotonic)


def login_mistake(settings: Settings, paths: LocalPaths, clock: Clock = SYSTEM_CLOCK) -> str | None:
    """Return why the chosen login can't work, as far as the programs and files of this machine tell; None if they are right.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user.
        clock: the clock of this machine.
    """
    if settings.access_token is not None and settings.upstream_url is None:
        return _what_to_set(settings, paths.settings_file)
    try:
        if settings.org is not None:
            CliLogin(settings.org, settings.cli, paths.cli_folders).check_installed()
        elif settings.jwt_key_file is not None:
            from salesforce_bulk_ingest.salesforce.logins.jwt_bearer import checked_key  # see `_login`

            checked_key(settings.jwt_key_file, settings.certificate_file, clock.now())
        elif not settings.ways_to_log_in:
            login_store(settings, paths).outline()
    except NoCredentials as mistake:
        return str(mistake)
    return None


def configured_org(settings: Settings, paths: LocalPaths, embedded_url: str | None = None) -> ConfiguredOrg:
    """Return what the settings tell of the org.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user, for a saved login, which counts where the settings name none.
        embedded_url: the URL of the embedded org, if it takes the place of the org of the settings.
    """
    if embedded_url is not None:
        return ConfiguredOrg(org=org_at(embedded_url, embedded=True))
    of_my_domain = settings.login_url not in LOGIN_HOSTS.values()
    url = (
        settings.upstream_url or _saved_instance_url(settings, paths) or (settings.login_url if of_my_domain else None)
    )
    name = settings.org_name
    if url is not None:
        org = org_at(url, embedded=False)
        return ConfiguredOrg(name, org, may_be_production=org.may_be_production)
    if settings.org is not None:
        return ConfiguredOrg(name, None, f"login {quoted(settings.org)} of the Salesforce CLI", may_be_production=True)
    if settings.client_id is not None:
        login_url = settings.login_url or LOGIN_HOSTS["login"]
        return ConfiguredOrg(name, None, f"login at {login_url}", may_be_production=login_url != LOGIN_HOSTS["test"])
    if login_store(settings, paths).file.exists():  # it can't be used, as the login tells
        return ConfiguredOrg(name, None, "saved login", may_be_production=True)
    return ConfiguredOrg(name)


def _login(settings: Settings, paths: LocalPaths, http: httpx2.AsyncClient, clock: Clock) -> Login | None:
    if settings.access_token is not None:
        return _access_token(settings.access_token, settings, paths.settings_file)
    if settings.org is not None:
        return CliLogin(settings.org, settings.cli, paths.cli_folders)
    if settings.client_id is None:
        return None
    endpoint = endpoint_of(settings, http)
    if settings.jwt_key_file is not None and settings.username is not None:
        # Loaded only here: no other login reads certificates, and each start would wait for it.
        from salesforce_bulk_ingest.salesforce.logins.jwt_bearer import JwtBearerLogin

        return JwtBearerLogin(
            endpoint, settings.client_id, settings.username, settings.jwt_key_file, settings.certificate_file, clock.now
        )
    if settings.refresh_token is not None:
        return RefreshTokenLogin(endpoint, settings.client_id, settings.client_secret, settings.refresh_token)
    if settings.client_secret is not None:
        return ClientCredentialsLogin(endpoint, settings.client_id, settings.client_secret)
    return None


def login_store(settings: Settings, paths: LocalPaths) -> LoginStore:
    """Return the place of the login that the command `login` saves: one for each org of the settings file."""
    return LoginStore(paths.state_dir / LOGINS, f"org-{settings.org_name}" if settings.org_name else "default")


def _saved_login(settings: Settings, paths: LocalPaths, http: httpx2.AsyncClient) -> Login:
    without = _what_to_set(settings, paths.settings_file)
    store = login_store(settings, paths)
    return SavedLogin(store, http, settings.client_id, settings.upstream_url, without, login_url=settings.login_url)


def _saved_instance_url(settings: Settings, paths: LocalPaths) -> str | None:
    """Return the URL of the org of the saved login where that counts; a mistake in its file is told by the login."""
    if settings.ways_to_log_in:
        return None
    try:
        saved = login_store(settings, paths).outline()
    except NoCredentials:
        return None
    return saved.instance_url if saved is not None else None


def endpoint_of(settings: Settings, http: httpx2.AsyncClient) -> TokenEndpoint:
    """Return the token resource of the login host that the settings name."""
    configured = [url for url in (settings.upstream_url, settings.login_url) if url is not None]
    login_url = settings.login_url or settings.upstream_url or LOGIN_HOSTS["login"]
    return TokenEndpoint(http, login_url, configured)


def _access_token(token: SecretStr, settings: Settings, settings_file: Path) -> Login | None:
    instance_url = settings.upstream_url
    if instance_url is None:
        return None
    if _token_in(settings_file, settings.org_name, instance_url) != token:
        # It came from the environment, which does not change.
        return FixedCredentials(Credentials(instance_url, token))

    def read_token() -> SecretStr:
        return _token_in(settings_file, settings.org_name, instance_url) or token

    return AccessTokenLogin(instance_url, read_token)


def _token_in(settings_file: Path, org_name: str | None, instance_url: str) -> SecretStr | None:
    """Return the access token in the settings file; None where it has none for this org, or can't be used now."""
    try:
        settings = load_settings({"org_name": org_name}, {}, settings_file)
    except BadSetting as error:
        logger.warning("the settings file was read again for a new access token, and can't be used: %s", error)
        return None
    return settings.access_token if settings.upstream_url in (None, instance_url) else None


def _what_to_set(settings: Settings, settings_file: Path) -> str:
    missing = "There is an instance but no login." if settings.upstream_url else "No Salesforce org is configured."
    if settings.access_token is not None:
        missing = "There is an access token but no instance."
    if settings.org_name is not None:
        return (
            f"{missing} Log in with `salesforce-bulk-ingest login --org {settings.org_name}`, or set org (an alias of the "
            "Salesforce CLI's login), or instance (such as acme.my) and access_token, in "
            f"{as_table(settings.org_name)} of {settings_file}; docs/credentials.md has every way."
        )
    names = [] if settings.upstream_url or settings.access_token else _names_in(settings_file)
    if names:
        choose = f"add --org NAME to the command, or set {ENV_NAMES['org_name']}"
        return f"No org is chosen, {choose}: {settings_file} has {listed_orgs(names)}."
    return (
        f"{missing} Log in with `salesforce-bulk-ingest login`, or set SALESFORCE_ORG (a login of the Salesforce CLI), or "
        "SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (a token); in "
        f"{settings_file} these are org, instance and access_token. docs/credentials.md has every way; --emulator tries it "
        "without an org."
    )


def _names_in(settings_file: Path) -> list[str]:
    try:
        return org_names(settings_file)
    except BadSetting:  # it could be used a moment ago, when the settings were loaded
        return []


def opened_http(url: str | None, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """Open the connection pool for an org or its login host; the proxies of the environment don't apply to this machine.

    Args:
        url: where the first requests go; None if that is not known yet.
        transport: sends the requests, in place of the pool's own transport.

    Raises:
        CantStart: the environment's proxy or certificates can't be used.
    """
    try:
        return open_http(trust_env=not (url and is_loopback(url)), transport=transport)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise CantStart(f"the proxy or certificate settings of the environment can't be used: {error}") from None
