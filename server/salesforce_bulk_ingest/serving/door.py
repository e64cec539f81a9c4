"""The door of a server: how callers show who they are, and who is let in."""

import logging
from dataclasses import dataclass, field

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import Scope

from salesforce_bulk_ingest.base.caller import ANONYMOUS, Caller
from salesforce_bulk_ingest.base.text import cut, without_hidden
from salesforce_bulk_ingest.serving.bearer_tokens import Refused, Scopes, Undecided, bearer_token, is_elsewhere

logger = logging.getLogger(__name__)

LONGEST_NAME = 200
METADATA = "/.well-known/oauth-protected-resource"
MCP_PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class Admitted:
    """Someone who was let in.

    Attributes:
        caller: the caller.
        user: the caller as the MCP SDK knows them, who owns the sessions that they begin; None if nobody signs in.
    """

    caller: Caller
    user: AuthenticatedUser | None = None

    @property
    def can_only_be_revoked(self) -> bool:
        """Whether the caller showed a token without an end of its own."""
        return self.user is not None and self.user.access_token.expires_at is None


@dataclass(frozen=True, slots=True)
class Door:
    """How callers show who they are.

    Attributes:
        verifier: verifies their tokens; None if nobody signs in.
        scopes: the scopes for reading and writing.
        public_url: the URL of this server as the issuer of tokens knows it; None without an issuer.
        issuer: the issuer of access tokens; None without one.
        trusts_anyone: whether callers who do not sign in are people of this machine.
    """

    verifier: TokenVerifier | None = None
    scopes: Scopes = field(default_factory=Scopes)
    public_url: str | None = None
    issuer: str | None = None
    trusts_anyone: bool = True

    @property
    def takes_named_tokens(self) -> bool:
        """Whether callers sign in with tokens that the operator gives them, and with no others."""
        return self.verifier is not None and self.issuer is None

    async def admit(self, scope: Scope) -> Admitted:
        """Return who sends a request.

        Raises:
            Refused: the request does not show it, or the caller may not even read.
        """
        if self.verifier is None:
            return Admitted(ANONYMOUS)
        token = bearer_token(scope)
        try:
            verified = await self.verifier.verify_token(token)
        except Undecided as error:
            logger.error("callers are refused: %s", error)
            raise Refused(
                503, None, "This server can't tell just now whether a token is good: try again later."
            ) from None
        if verified is None:
            raise Refused(401, "invalid_token", "The token is not good here, or not any more.")
        if is_elsewhere(token, scope):
            raise Refused(400, "invalid_request", "The token stands in a second place of the request, too.")
        if not self.scopes.may_read(verified.scopes):
            raise Refused(403, "insufficient_scope", "The token does not allow to read here.", self.scopes.read)
        caller = Caller(_name(verified), may_write=self.scopes.may_write(verified.scopes), over_http=True)
        return Admitted(caller, AuthenticatedUser(verified))

    async def knows(self, scope: Scope) -> bool:
        """Return whether a request comes from someone who may be told what is wrong with this server."""
        try:
            await self.admit(scope)
        except Refused:
            return False
        return self.verifier is not None or self.trusts_anyone

    def refusal_headers(self, refused: Refused, path: str) -> dict[str, str]:
        """Return the headers of the response for a refusal; for the arguments see `challenge`."""
        if refused.status == 503:
            return {"Retry-After": "10"}
        return {"WWW-Authenticate": self.challenge(refused, path)} if refused.status in (401, 403) else {}

    def challenge(self, refused: Refused, path: str) -> str:
        """Return the value of WWW-Authenticate for a refusal (RFC 6750, 3; RFC 9728, 5.1).

        Args:
            refused: the refusal.
            path: the path of the resource that was asked for; that of the MCP endpoint has metadata of its own.
        """
        scope = refused.scope or f"{self.scopes.read} {self.scopes.write}"
        parts = [] if refused.error is None else [f'error="{refused.error}"', f'error_description="{refused}"']
        if self.public_url is not None:
            parts += [f'resource_metadata="{self.public_url}{_metadata_path(path)}"', f'scope="{scope}"']
        return f"Bearer {', '.join(parts)}".strip()


def _metadata_path(path: str) -> str:
    """Return the path of the metadata of a resource (RFC 9728, 3.1); all but the MCP endpoint are one resource."""
    return f"{METADATA}{MCP_PATH}" if path == MCP_PATH else METADATA


def _name(verified: AccessToken) -> str:
    issued_by = (verified.claims or {}).get("iss")
    # A named token's subject is its hash; an issuer's is the person, or the program, that it speaks for.
    name = verified.subject or verified.client_id if issued_by is not None else verified.client_id
    return cut(without_hidden(name), LONGEST_NAME)
