"""Who is let in by which token, and what the others are told."""

import pytest
from mcp.server.auth.provider import AccessToken, TokenVerifier
from starlette.types import Scope

from salesforce_bulk_ingest.base.caller import ANONYMOUS, Caller
from salesforce_bulk_ingest.serving.bearer_tokens import Refused
from salesforce_bulk_ingest.serving.door import Door
from tests.serving.test_bearer_tokens import request


class Verifies(TokenVerifier):
    """A verifier to whom one token is good."""

    def __init__(self, **access: object) -> None:
        self._access = {"token": "", "client_id": "app", "scopes": ["bulk:write"], **access}

    async def verify_token(self, token: str) -> AccessToken | None:
        return AccessToken.model_validate(self._access) if token == "good" else None


GOOD = request(("Authorization", "Bearer good"))
BAD = request(("Authorization", "Bearer bad"))
NONE = request()


async def caller_by(**access: object) -> Caller:
    return (await Door(Verifies(**access)).admit(GOOD)).caller


async def test_a_caller_has_the_name_of_the_token_or_of_the_subject_at_the_issuer() -> None:
    assert await caller_by(client_id="ann", subject="0" * 64) == Caller("ann", may_write=True, over_http=True)
    assert (await caller_by(subject="ann@example", claims={"iss": "x"})).name == "ann@example"
    assert (await caller_by(client_id="app", claims={"iss": "x"})).name == "app"
    assert (await caller_by(subject="a\u202en\nn" * 200, claims={"iss": "x"})).name == f"{'an n' * 50}…[+600]"


async def test_the_scopes_decide_what_a_caller_may_do() -> None:
    assert not (await caller_by(scopes=["bulk:read"])).may_write
    with pytest.raises(Refused) as raised:
        await caller_by(scopes=["openid"])
    assert (raised.value.status, raised.value.scope) == (403, "bulk:read")


async def test_without_a_verifier_everyone_is_let_in_without_a_name() -> None:
    for scope in (GOOD, NONE):
        assert (await Door().admit(scope)).caller == ANONYMOUS


@pytest.mark.parametrize(
    ("door", "scope", "is_known"),
    [
        (Door(Verifies()), GOOD, True),
        (Door(Verifies()), BAD, False),
        (Door(Verifies()), NONE, False),
        (Door(), NONE, True),
        (Door(trusts_anyone=False), NONE, False),
    ],
)
async def test_reasons_are_for_known_callers_and_for_people_of_this_machine(
    door: Door, scope: Scope, is_known: bool
) -> None:
    assert await door.knows(scope) is is_known


def test_the_challenge_names_the_metadata_of_what_was_asked_for_and_the_scopes() -> None:
    door = Door(Verifies(), public_url="https://bulk.example", issuer="https://id.example")
    refused = Refused(401, None, "")
    assert door.challenge(refused, "/mcp") == (
        'Bearer resource_metadata="https://bulk.example/.well-known/oauth-protected-resource/mcp", '
        'scope="bulk:read bulk:write"'
    )
    assert 'oauth-protected-resource"' in door.challenge(refused, "/v1/jobs/ingest")
    assert Door(Verifies()).challenge(refused, "/mcp") == "Bearer"
