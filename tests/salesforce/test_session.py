"""The session: one login for all calls, and one renewal for all whose token was refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest
from pydantic import SecretStr

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, TimedOut, UnexpectedAnswer, Unreachable
from salesforce_bulk_ingest.salesforce.session import Session

ORG = "https://acme.my.salesforce.com"


@dataclass
class Numbered:
    """A login whose tokens are numbered; where it has an error, that ends the login."""

    logins: int = 0
    error: Exception | None = None
    repeats: bool = False
    may_go_on: anyio.Event = field(default_factory=anyio.Event)
    began: anyio.Event = field(default_factory=anyio.Event)

    async def log_in(self) -> Credentials:
        self.began.set()
        await self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        self.logins += 1
        return Credentials(ORG, SecretStr("1" if self.repeats else str(self.logins)))


@dataclass
class Stopwatch:
    """Seconds that a test lets pass."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def session_of(login: Numbered, now: Stopwatch | None = None, *, held: bool = False) -> AsyncIterator[Session]:
    if not held:
        login.may_go_on.set()
    async with anyio.create_task_group() as tasks:
        yield Session(login, SharedTasks(tasks), now or Stopwatch(100.0))
        tasks.cancel_scope.cancel()


def token(credentials: Credentials | None) -> str | None:
    return None if credentials is None else credentials.access_token.get_secret_value()


async def test_all_calls_that_wait_have_one_login_and_one_renewal() -> None:
    login, now = Numbered(), Stopwatch()
    got: list[str | None] = []
    async with session_of(login, now) as session:

        async def call() -> None:
            refused = await session.credentials()
            got.append(token(await session.renew(refused)))

        now.seconds = 5.0
        async with anyio.create_task_group() as calls:
            for _ in range(20):
                calls.start_soon(call)
    assert (login.logins, set(got)) == (2, {"2"})


async def test_a_call_whose_token_another_call_has_renewed_gets_the_new_one() -> None:
    login = Numbered()
    async with session_of(login) as session:
        first = await session.credentials()
        assert token(await session.renew(first)) == "2"
        assert token(await session.renew(first)) == "2"
    assert login.logins == 2


async def test_a_call_that_is_cancelled_leaves_the_login_to_the_others() -> None:
    login = Numbered()
    async with session_of(login, held=True) as session:
        async with anyio.create_task_group() as calls:
            calls.start_soon(session.credentials)
            await login.began.wait()
            calls.cancel_scope.cancel()
        login.may_go_on.set()
        assert token(await session.credentials()) == "1"
    assert login.logins == 1


async def test_a_new_token_that_is_refused_at_once_is_not_renewed_in_a_loop() -> None:
    login, now = Numbered(), Stopwatch()
    async with session_of(login, now) as session:
        first = await session.credentials()
        second = await session.renew(first)
        assert second is not None
        assert await session.renew(second) is None
        now.seconds = 3.0
        assert token(await session.renew(second)) == "3"


async def test_a_login_that_has_no_other_token_renews_nothing() -> None:
    async with session_of(Numbered(repeats=True)) as session:
        given = await session.credentials()
        assert await session.renew(given) is None
        assert await session.credentials() == given


async def test_a_refused_login_is_told_and_tried_afresh_by_the_next_call() -> None:
    login = Numbered(error=NoCredentials("Log in again."))
    async with session_of(login) as session:
        with pytest.raises(NoCredentials, match=r"^Log in again\.$"):
            await session.credentials()
        login.error = None
        assert token(await session.credentials()) == "1"


async def test_after_a_failed_renewal_the_dead_token_is_not_tried_again() -> None:
    login = Numbered()
    async with session_of(login) as session:
        first = await session.credentials()
        login.error = NoCredentials("Log in again.")
        for _ in range(2):
            with pytest.raises(NoCredentials):
                await session.renew(first)
        with pytest.raises(NoCredentials):
            await session.credentials()


@pytest.mark.parametrize("error", [Unreachable("broken"), TimedOut("late"), UnexpectedAnswer("a page")])
async def test_a_login_host_that_does_not_answer_means_that_nothing_of_the_call_was_sent(error: Exception) -> None:
    async with session_of(Numbered(error=error)) as session:
        with pytest.raises(Unreachable, match=r"^The login failed\. ") as raised:
            await session.credentials()
    assert raised.value.nothing_sent


async def test_before_a_stream_a_token_is_renewed_that_is_as_old_as_the_last_one_became() -> None:
    login, now = Numbered(), Stopwatch()
    async with session_of(login, now) as session:
        first = await session.credentials(for_stream=True)
        now.seconds = 60.0
        assert await session.credentials(for_stream=True) == first, "nothing is known of how long a token lasts"
        await session.renew(first)
        now.seconds = 118.0
        assert token(await session.credentials(for_stream=True)) == "2"
        now.seconds = 119.0
        assert token(await session.credentials()) == "2"
        assert token(await session.credentials(for_stream=True)) == "3"


async def test_a_token_that_was_refused_at_once_tells_nothing_of_how_long_others_last() -> None:
    login, now = Numbered(), Stopwatch()
    async with session_of(login, now) as session:
        await session.renew(await session.credentials())
        for _ in range(5):
            now.seconds += 10.0
            assert token(await session.credentials(for_stream=True)) == "2"


async def test_a_token_that_lasts_longer_than_the_last_one_is_what_counts_from_then_on() -> None:
    login, now = Numbered(), Stopwatch()
    async with session_of(login, now) as session:
        first = await session.credentials()
        now.seconds = 30.0
        second = await session.renew(first)
        assert second is not None
        now.seconds = 130.0
        await session.renew(second)
        now.seconds = 200.0
        assert token(await session.credentials(for_stream=True)) == "3"


async def test_a_token_that_may_still_last_is_used_where_its_renewal_fails_or_gives_it_again() -> None:
    login, now = Numbered(), Stopwatch()
    async with session_of(login, now) as session:
        first = await session.credentials()
        now.seconds = 60.0
        await session.renew(first)
        now.seconds = 119.5
        login.error = Unreachable("no login host")
        assert token(await session.credentials(for_stream=True)) == "2"
        assert token(await session.credentials()) == "2"
        login.error, login.logins = None, 1  # the login gives the same token again
        for _ in range(5):
            now.seconds += 1.0
            assert token(await session.credentials(for_stream=True)) == "2"
        assert login.logins == 2
