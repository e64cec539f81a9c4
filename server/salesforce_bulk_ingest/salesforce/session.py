"""The session: one login for all calls, and one renewal for all whose token Salesforce refused."""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks
from salesforce_bulk_ingest.salesforce.credentials import Credentials
from salesforce_bulk_ingest.salesforce.errors import SalesforceError, UnexpectedAnswer, Unreachable

SHORTEST_SESSION_SECONDS = 3.0
"""The age up to which a renewed token that is refused has not expired: another token would be refused, too. The shortest
session timeout of an org is 15 minutes; sessions of seconds are those of tests."""

STREAM_SECONDS = 1.0
"""The seconds for which a token has to last where the body of a call can't be sent twice: from here to Salesforce's look at
the token."""


class Login(Protocol):
    """A way to log in."""

    async def log_in(self) -> Credentials:
        """Return credentials, new ones where this way gives any.

        Raises:
            NoCredentials: the login is refused, or lacks something; the message says what to do.
            Unreachable: the login host gave no answer.
        """
        ...


class Session:
    """The credentials of one login, which are renewed once Salesforce has refused them.

    A renewal is one task for all calls that wait for it. A call that is cancelled only stops waiting: the answer of a login
    may hold the only refresh token that counts from then on.

    Args:
        login: the way to log in.
        tasks: runs the logins.
        now: the seconds of a clock that only goes on.
    """

    def __init__(self, login: Login, tasks: SharedTasks, now: Callable[[], float]) -> None:
        self._login = login
        self._tasks = tasks
        self._now = now
        self._current: Credentials | None = None
        self._last: Credentials | None = None
        self._began_at = 0.0
        self._is_renewal = False
        self._last_age: float | None = None  # of the last token that ended, in seconds

    @property
    def can_renew(self) -> bool:
        """Whether there may be other credentials once Salesforce has refused these."""
        return True

    async def credentials(self, *, for_stream: bool = False) -> Credentials:
        """Return the current credentials; see `CredentialSource`.

        Salesforce tells no lifetime of a token. How old the last one became is the only hint, so a token that is renewed for
        it is still used where the login fails.
        """
        current = self._current
        if current is None:
            return await self._logged_in()
        if for_stream and self._is_about_to_end():
            with suppress(SalesforceError):
                return await self._logged_in()
        return current

    async def renew(self, refused: Credentials) -> Credentials | None:
        """Return credentials in place of refused ones, or None if there are no others; see `CredentialSource`."""
        if self._current is None or self._current != refused:
            return await self.credentials()
        age = self._now() - self._began_at
        if age < SHORTEST_SESSION_SECONDS and self._is_renewal:
            return None
        self._current = None
        renewed = await self._logged_in()
        if renewed == refused:
            return None
        if age >= SHORTEST_SESSION_SECONDS:
            self._last_age = age
        return renewed

    def _is_about_to_end(self) -> bool:
        return self._last_age is not None and self._now() - self._began_at + STREAM_SECONDS >= self._last_age

    async def _logged_in(self) -> Credentials:
        return await self._tasks.start("login", self._log_in).finished()

    async def _log_in(self, _task: SharedTask[Credentials]) -> Credentials:
        began_at = self._now()  # before the login: a token must not seem younger than it is
        try:
            given = await self._login.log_in()
        except (Unreachable, UnexpectedAnswer) as error:
            # Of the call itself, nothing was sent.
            raise Unreachable(f"The login failed. {error}", nothing_sent=True) from error
        if given != self._last:
            self._is_renewal = self._last is not None
        # An org may give the same token again: it has been renewed all the same.
        self._began_at = began_at
        self._current = self._last = given
        return given
