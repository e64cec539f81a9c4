"""Who may call the ports, as the settings choose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from salesforce_bulk_ingest.app.chosen_login import opened_http
from salesforce_bulk_ingest.base.clock import SYSTEM_CLOCK, Clock
from salesforce_bulk_ingest.base.loopback import LOOPBACK_HOSTS
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.serving.bearer_tokens import Scopes, TokensOfTwoKinds
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers
from salesforce_bulk_ingest.serving.named_tokens import NamedTokens, TokenFile
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings import FLAGS, Settings

if TYPE_CHECKING:
    from salesforce_bulk_ingest.serving.door import Door
    from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys

WAYS = (
    "make a token for each caller (`salesforce-bulk-ingest token add NAME`), name an issuer of access tokens "
    "(--oauth-issuer and --public-url), or, if nobody has to sign in, add --allow-unauthenticated"
)

ALL_REVOKED = "nobody by a named token (all are revoked)"


def token_file(settings: Settings, paths: LocalPaths) -> TokenFile:
    """Return the file of named tokens, which need not exist."""
    return TokenFile(settings.token_file or paths.token_file)


def check_callers(settings: Settings, paths: LocalPaths) -> None:
    """Check that callers have to sign in where other machines can call.

    Raises:
        CantStart: they need not, and the operator has not said that this is meant; or the settings contradict each other.
    """
    file = token_file(settings, paths)
    signs_in = file.exists() or settings.oauth_issuer is not None
    if settings.token_file is not None and not file.exists():
        raise CantStart(f"--token-file: there is no file {file.path}; `token add NAME` makes it, with a first token.")
    if settings.allow_unauthenticated and signs_in:
        way = f"there are named tokens in {file.path}" if file.exists() else "--oauth-issuer is set"
        raise CantStart(f"--allow-unauthenticated lets in callers without a token, but {way}: keep one of both.")
    for name in ("mcp_host", "rest_host"):
        if getattr(settings, name) in LOOPBACK_HOSTS:
            continue
        if not signs_in and not settings.allow_unauthenticated:
            raise CantStart(f"{FLAGS[name].name}: other machines would reach this server without signing in: {WAYS}.")
        if not public_names(settings):
            raise CantStart(
                f"{FLAGS[name].name}: other machines call this server by a name: add --allowed-host NAME (and "
                "--allowed-origin for browsers)."
            )


def door_of(settings: Settings, paths: LocalPaths, keys: "IssuerKeys | None") -> "Door":
    """Return the door that the settings choose.

    Args:
        settings: the settings, as loaded.
        paths: the files of this user, one of which has the named tokens.
        keys: the keys of the issuer of access tokens; None if the settings name none.

    Raises:
        CantStart: see `check_callers`; or the file of tokens can't be used.
    """
    # Loaded only here: commands that serve nobody would wait for the MCP SDK.
    from salesforce_bulk_ingest.serving.door import Door

    check_callers(settings, paths)
    scopes, file = Scopes(settings.read_scope, settings.write_scope), token_file(settings, paths)
    named = NamedTokens(file, scopes) if file.exists() else None
    issued = None
    if keys is not None:
        from salesforce_bulk_ingest.serving.issued_tokens import IssuedTokens

        issued = IssuedTokens(keys, str(settings.public_url))
    return Door(
        TokensOfTwoKinds(named, issued) if named or issued else None,
        scopes,
        public_url=settings.public_url if issued else None,
        issuer=settings.oauth_issuer,
        trusts_anyone=is_for_this_machine(settings),
    )


@asynccontextmanager
async def issuer_keys(settings: Settings, clock: Clock = SYSTEM_CLOCK) -> AsyncIterator["IssuerKeys | None"]:
    """Open what fetches the keys of the issuer of access tokens, or nothing where the settings name none.

    Raises:
        CantStart: the environment's proxy or certificates can't be used.
    """
    if settings.oauth_issuer is None:
        yield None
        return
    # Loaded only here, as in `door_of`: each start would wait for what reads JWTs, and most servers read none.
    from salesforce_bulk_ingest.serving.issuer_keys import IssuerKeys

    async with opened_http(settings.oauth_issuer) as http:
        yield IssuerKeys(settings.oauth_issuer, settings.oauth_jwks_url, http, clock.monotonic)


def is_for_this_machine(settings: Settings) -> bool:
    """Return whether no other machine reaches the ports."""
    return {settings.mcp_host, settings.rest_host} <= LOOPBACK_HOSTS


def public_names(settings: Settings) -> tuple[str, ...]:
    """Return the names by which other machines call this server."""
    of_url = () if settings.public_url is None else (settings.public_url.partition("://")[2],)
    return (*settings.allowed_host, *of_url)


def allowed_callers(settings: Settings) -> AllowedCallers:
    """Return the names and origins that the ports answer."""
    return AllowedCallers.local_and(public_names(settings), settings.allowed_origin)


def describe_callers(settings: Settings, paths: LocalPaths) -> str:
    """Return who may call, in one line, for people.

    Raises:
        BadTokenFile: the file of tokens can't be used.
    """
    file = token_file(settings, paths)
    ways = []
    if file.exists():
        count = len(file.tokens())
        ways.append(f"{count} named token{'' if count == 1 else 's'}" if count else ALL_REVOKED)
    if settings.oauth_issuer is not None:
        ways.append(f"OAuth of {settings.oauth_issuer}")
    return " and ".join(ways) or (
        "anyone who reaches this machine" if settings.allow_unauthenticated else "anyone on this machine"
    )
