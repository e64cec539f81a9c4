"""The user of a token, as the org tells it."""

import pytest

from salesforce_bulk_ingest.salesforce.errors import LimitReached, SessionExpired
from salesforce_bulk_ingest.salesforce.models import Identity
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.salesforce.user_info import user_of
from tests.salesforce.upstream import (
    Answer,
    Upstream,
    fixed,
    served,
)
from tests.support.canary import TOKEN


async def _asked(upstream: Upstream) -> Identity | None:
    with served(upstream) as url:
        async with open_http(trust_env=False) as http:
            return await user_of(http, fixed(url).current)


async def test_the_user_is_asked_for_with_the_token() -> None:
    upstream = Upstream([Answer.of({"organization_id": "00D000000000001", "user_id": "005000000000001AAA"})])
    user = await _asked(upstream)
    assert user is not None and user.organization_id == "00D000000000001"
    assert [(seen.path, seen.headers["authorization"]) for seen in upstream.seen] == [
        ("/services/oauth2/userinfo", f"Bearer {TOKEN}")
    ]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_login_that_may_not_ask_has_no_user(status: int) -> None:
    assert await _asked(Upstream([Answer(status)])) is None


async def test_a_token_that_has_ended_and_a_limit_are_not_taken_for_that() -> None:
    with pytest.raises(SessionExpired):
        await _asked(Upstream([Answer(403, b"Bad_OAuth_Token")]))
    with pytest.raises(LimitReached):
        await _asked(Upstream([Answer.of([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "no"}], 403)]))
