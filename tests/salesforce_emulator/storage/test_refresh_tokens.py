"""Refresh tokens: which of them an org accepts."""

from concurrent.futures import ThreadPoolExecutor

from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.refresh_tokens import RefreshTokens
from salesforce_emulator.storage.sessions import Sessions
from tests.salesforce_emulator.behaviours import doc, own
from tests.salesforce_emulator.clocks import Clock


@own
def test_a_refresh_token_is_shared_by_all_that_have_the_org_open_and_ends_once(database: Database) -> None:
    issuing, other = RefreshTokens(database), RefreshTokens(database)
    issued = issuing.issue("api refresh_token")
    assert other.find(issued.token) == issued
    assert issued.token not in repr(issued)
    assert (other.end(issued.token), other.end(issued.token), issuing.find(issued.token)) == (True, False, None)


@own
def test_of_many_that_replace_a_refresh_token_one_alone_gets_the_next(database: Database) -> None:
    refresh_tokens = RefreshTokens(database)
    first = refresh_tokens.issue("api refresh_token")
    with ThreadPoolExecutor(4) as pool:
        replacements = [found for found in pool.map(refresh_tokens.replace, [first.token] * 8) if found]
    (second,) = replacements
    assert (second.id, second.scope) == (first.id, first.scope)
    assert refresh_tokens.find(first.token) is None


@doc(
    "Force one-time-use Refresh Tokens: the reuse of a replaced refresh token ends its successor and their access tokens"
)
def test_a_refresh_token_that_is_replaced_again_ends_the_one_in_its_place(database: Database) -> None:
    refresh_tokens, sessions = (
        RefreshTokens(database),
        Sessions(database, "00DEm0000000001EAA", "published", 60, Clock()),
    )
    first, other = refresh_tokens.issue("api refresh_token"), refresh_tokens.issue("api refresh_token")
    second = refresh_tokens.replace(first.token)
    assert second is not None and refresh_tokens.find(second.token) == second
    third = refresh_tokens.replace(second.token)
    assert third is not None
    tokens = [sessions.issue(refresh_token.scope, refresh_token.id) for refresh_token in (first, third, other)]
    assert refresh_tokens.replace(first.token) is None
    assert [refresh_tokens.find(refresh_token.token) for refresh_token in (first, second, third)] == [None] * 3
    assert [sessions.find(token) is not None for token in tokens] == [False, False, True]
    assert refresh_tokens.replace(first.token) is None
    assert refresh_tokens.find(other.token) == other


@own
def test_a_refresh_token_ends_with_the_sessions_of_those_that_it_replaced(database: Database) -> None:
    refresh_tokens, sessions = (
        RefreshTokens(database),
        Sessions(database, "00DEm0000000001EAA", "published", 60, Clock()),
    )
    ended, kept = refresh_tokens.issue("api refresh_token"), refresh_tokens.issue("api refresh_token")
    tokens = [sessions.issue(refresh_token.scope, refresh_token.id) for refresh_token in (ended, kept)]
    replaced = refresh_tokens.replace(ended.token)
    assert replaced is not None and refresh_tokens.end(replaced.token)
    assert [sessions.find(token) is not None for token in tokens] == [False, True]
