"""What may be a token, and the credentials that do not change."""

import pytest
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.credentials import (
    Credentials,
    FixedCredentials,
    MissingCredentials,
    checked_token,
    pasted_token,
)
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from tests.support.canary import TOKEN


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


@pytest.mark.parametrize(
    ("pasted", "beside"),
    [
        (f'"{TOKEN}"', "without quotes or brackets around it"),
        (f"'{TOKEN}'", "without quotes or brackets around it"),
        (f"`{TOKEN}`", "without quotes or brackets around it"),
        (f"“{TOKEN}”", "without quotes or brackets around it"),
        (f"„{TOKEN}“", "without quotes or brackets around it"),
        (f"«{TOKEN}»", "without quotes or brackets around it"),
        (f"<{TOKEN}>", "without quotes or brackets around it"),
        (f'{TOKEN}"', "without quotes or brackets around it"),
        (f"Bearer {TOKEN}", "without the words before it, such as Bearer"),
        (f"Authorization: Bearer {TOKEN}", "without the words before it, such as Bearer"),
        (f"export SALESFORCE_AUTOMATION_API_KEY={TOKEN}", "not a whole line: it is what stands after the ="),
        (f'SALESFORCE_AUTOMATION_API_KEY="{TOKEN}"', "not a whole line: it is what stands after the ="),
        (f"$env:SALESFORCE_AUTOMATION_API_KEY = '{TOKEN}'", "not a whole line: it is what stands after the ="),
        (f'access_token = "{TOKEN}"', "not a whole line: it is what stands after the ="),
        (f"{TOKEN}%", "without the % after it, by which a shell shows that no line break followed"),
        (f"{TOKEN}%\n", "without the % after it, by which a shell shows that no line break followed"),
    ],
)
def test_what_was_pasted_beside_a_token_is_told_without_the_token(pasted: str, beside: str) -> None:
    with pytest.raises(ValueError) as raised:
        pasted_token(pasted)
    assert str(raised.value) == f"expected an access token: one word of plain characters, {beside}"


@pytest.mark.parametrize("pasted", [f"{TOKEN}\n", f"\t{TOKEN} \r\n", TOKEN])
def test_white_space_around_a_pasted_token_is_no_part_of_it(pasted: str) -> None:
    assert pasted_token(pasted) == TOKEN


@pytest.mark.parametrize("pasted", ["", " ", "two words", f"half\n{TOKEN}", f"{TOKEN}\u200b", "täken"])
def test_what_is_no_token_at_all_is_told_what_one_is(pasted: str) -> None:
    with pytest.raises(ValueError) as raised:
        pasted_token(pasted)
    assert str(raised.value) == "expected an access token: one word of plain characters"


@pytest.mark.parametrize("secret", ["settings!", "Bearer1", "exported", "a=b", "5Aep861.x_y==", "100%25"])
def test_a_secret_may_begin_or_end_like_a_word_beside_one(secret: str) -> None:
    assert pasted_token(secret) == secret
