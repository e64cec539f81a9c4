"""What may be a token, and the credentials that do not change."""

import pytest
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import (
    Credentials,
    FixedCredentials,
    MissingCredentials,
    checked_token,
)
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from tests.salesforce.upstream import TOKEN


@pytest.mark.parametrize("given", [TOKEN, f" {TOKEN}\r\n"])
def test_a_token_loses_the_white_space_that_a_copy_brought_along(given: str) -> None:
    assert checked_token(given) == TOKEN


@pytest.mark.parametrize("given", ["", "\n", "two words", "line\nbreak", "nul\0", "töken"])
def test_what_http_could_not_carry_is_no_token(given: str) -> None:
    with pytest.raises(ValueError, match="expected an access token: one word of plain characters"):
        checked_token(given)


async def test_without_an_org_the_reason_is_told_and_asking_again_is_no_use() -> None:
    missing = MissingCredentials("Set this.")
    with pytest.raises(NoCredentials, match=r"^Set this\.$"):
        await missing.credentials()
    given = Credentials("https://acme.my.salesforce.com", SecretStr(TOKEN))
    assert await missing.renew(given) is None
    assert await FixedCredentials(given).renew(given) is None
    assert TOKEN not in repr(given)
