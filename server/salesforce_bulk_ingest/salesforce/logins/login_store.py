"""The saved login of a user: in the system's keyring, or in a private file where there is no keyring.

A file says in both cases that there is a saved login, for which app and at which hosts. So nothing asks the keyring for
that, which may be locked, or out of reach of a program that a desktop host has started. Only without a keyring, the file has
the secrets, too.
"""

import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import anyio
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from salesforce_bulk_ingest.base.private_files import is_private, write_private_file
from salesforce_bulk_ingest.base.storage import cause_of
from salesforce_bulk_ingest.base.threads import run_in_thread
from salesforce_bulk_ingest.salesforce.errors import NoCredentials, Unreachable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "salesforce-bulk-ingest"
USABLE_PRIORITY = 1
"""The least priority of a keyring that keeps secrets: those below keep none, or keep them in the clear."""

POLL_SECONDS = 0.05
KEYRING_SECONDS = 10.0
"""The most seconds for an answer of the keyring, which may ask its user for a password: under the time of the call that
waits."""

_WITHOUT_KEYRING = (
    "log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file"
)


class _Secrets(BaseModel):
    """The secrets of a saved login."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    refresh_token: SecretStr
    client_secret: SecretStr | None = None

    @field_serializer("client_secret", "refresh_token", when_used="json")
    def _in_the_clear(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()


class LoginOutline(BaseModel):
    """What the file of a saved login says.

    Attributes:
        client_id: the consumer key of the app.
        login_url: the origin of the login host.
        instance_url: the origin of the org.
        secrets: the secrets; None where the keyring has them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    login_url: str
    instance_url: str
    secrets: _Secrets | None = None


class StoredLogin(BaseModel):
    """What a login of the web flow leaves behind.

    Attributes:
        client_id: the consumer key of the app.
        client_secret: the consumer secret, for an app that requires it.
        login_url: the origin of the login host.
        instance_url: the origin of the org.
        refresh_token: the refresh token that counts now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: SecretStr | None = None
    login_url: str
    instance_url: str
    refresh_token: SecretStr


@dataclass(frozen=True, slots=True)
class LoginStore:
    """The place of one saved login, which all processes of the user share.

    Attributes:
        folder: the folder of private files, made when it is needed.
        name: the name of the org, or `default`.
    """

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        """The private file, which is there if there is a saved login."""
        return self.folder / f"{self.name}.json"

    @asynccontextmanager
    async def locked(self, seconds: float) -> AsyncIterator[None]:
        """Keep other processes from the saved login within the block.

        Args:
            seconds: the most seconds to wait for another process.

        Raises:
            Unreachable: another process has it for longer.
            NoCredentials: there can be no lock; the message says what to do.
        """
        lock = FileLock(self.folder / f"{self.name}.lock", mode=0o600, thread_local=False)
        try:
            await self._acquire(lock, seconds)
            yield
        finally:
            lock.release()  # a lock that was not acquired, too

    async def _acquire(self, lock: FileLock, seconds: float) -> None:
        give_up_at = anyio.current_time() + seconds
        while True:
            try:
                await run_in_thread(self._try_to_acquire, lock)
            except Timeout:
                if anyio.current_time() >= give_up_at:
                    raise Unreachable("Another process is logging in, and has not ended.", nothing_sent=True) from None
                await anyio.sleep(POLL_SECONDS)
            else:
                return

    def _try_to_acquire(self, lock: FileLock) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout:  # an error of the system, too, but not of a file
            raise
        except OSError as error:
            raise self._failed("locked", error) from None

    def outline(self) -> LoginOutline | None:
        """Return what is known of the saved login without the keyring, or None if there is no saved login.

        Raises:
            NoCredentials: the file can't be read; the message says what to do.
        """
        try:
            with self.file.open("rb") as opened:
                mode, content = os.fstat(opened.fileno()).st_mode, opened.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from None
        if not is_private(mode):
            raise NoCredentials(
                f"{self.file} has the saved login and others can read it: run `chmod 600 '{self.file}'`."
            )
        try:
            return LoginOutline.model_validate_json(content)
        except ValidationError:
            raise NoCredentials(f"The saved login in {self.file} is damaged: log in again.") from None

    def load(self) -> StoredLogin | None:
        """Return the saved login, or None if there is none.

        Raises:
            NoCredentials: the login can't be read; the message says what to do.
        """
        outline = self.outline()
        if outline is None:
            return None
        secrets = outline.secrets or self._secrets_in_keyring()
        return StoredLogin(
            client_id=outline.client_id,
            client_secret=secrets.client_secret,
            login_url=outline.login_url,
            instance_url=outline.instance_url,
            refresh_token=secrets.refresh_token,
        )

    def save(self, login: StoredLogin) -> None:
        """Keep a login where the one before is kept; a first one in the keyring, or in a private file without a keyring.

        Once this returns, the login outlives the process, and the machine.

        Raises:
            NoCredentials: the login can't be written.
        """
        outline = self.outline()
        self._write(login, in_keyring=usable_keyring() is not None if outline is None else outline.secrets is None)

    def replace(self, login: StoredLogin) -> None:
        """Keep a new login in place of any before, wherever that is kept, and whether or not it can be read.

        Raises:
            NoCredentials: the login can't be written; the one before is still there.
        """
        in_keyring = usable_keyring() is not None
        self._write(login, in_keyring=in_keyring)
        if not in_keyring:
            with suppress(NoCredentials):  # a keyring that can't be used now
                self._remove_from_keyring()

    def remove(self) -> None:
        """Forget the login, wherever it is kept, and whether or not it can be read.

        Raises:
            NoCredentials: the login can't be removed.
        """
        try:
            outline = self.outline()
        except NoCredentials:
            outline = None
        is_in_keyring = usable_keyring() is not None if outline is None else outline.secrets is None
        if is_in_keyring:
            self._remove_from_keyring()
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed("removed", error) from None

    def where(self) -> str:
        """Return where the secrets of the login are kept, as a part of a sentence."""
        try:
            outline = self.outline()
        except NoCredentials:
            return str(self.file)
        return "the system's keyring" if outline is not None and outline.secrets is None else str(self.file)

    def _write(self, login: StoredLogin, *, in_keyring: bool) -> None:
        secrets = _Secrets(refresh_token=login.refresh_token, client_secret=login.client_secret)
        outline = LoginOutline(
            client_id=login.client_id,
            login_url=login.login_url,
            instance_url=login.instance_url,
            secrets=None if in_keyring else secrets,
        )
        # The file comes last: it never says of a keyring what that does not have.
        if in_keyring:
            _asked("kept in", lambda keyring: keyring.set_password(SERVICE, self.name, secrets.model_dump_json()))
        try:
            write_private_file(self.file, outline.model_dump_json(exclude_none=True).encode())
        except OSError as error:
            raise self._failed("kept", error) from None

    def _secrets_in_keyring(self) -> _Secrets:
        text = _asked("read from", lambda keyring: keyring.get_password(SERVICE, self.name))
        if text is None:
            raise NoCredentials("The system's keyring no longer has the saved login: log in again.")
        try:
            return _Secrets.model_validate_json(text)
        except ValidationError:
            raise NoCredentials("The saved login in the system's keyring is damaged: log in again.") from None

    def _remove_from_keyring(self) -> None:
        def remove(keyring: "KeyringBackend") -> None:
            if keyring.get_password(SERVICE, self.name) is not None:
                keyring.delete_password(SERVICE, self.name)

        _asked("removed from", remove)

    def _failed(self, what: str, error: OSError) -> NoCredentials:
        cause = cause_of(error)
        return NoCredentials(f"The login can't be {what} in {self.file}: {cause.reason}. {cause.remedy}")


def usable_keyring() -> "KeyringBackend | None":
    """Return the keyring of this system, or None where it has none that keeps secrets."""
    try:
        import keyring  # only where it is needed, since it takes a tenth of a second

        backend = keyring.get_keyring()
        return backend if backend.priority >= USABLE_PRIORITY else None
    except Exception:  # the libraries of each system raise their own
        return None


def _asked(action: str, question: "Callable[[KeyringBackend], T]") -> T:
    """Return what the keyring answers.

    Raises:
        NoCredentials: there is no keyring, or it does not do it, or does not answer within KEYRING_SECONDS.
    """
    answers: SimpleQueue[T | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            backend = usable_keyring()
            if backend is None:
                raise NoCredentials(
                    "The saved login is in the system's keyring, which can't be used from here: start the server in the "
                    f"session of the desktop, or {_WITHOUT_KEYRING}."
                )
            answers.put(question(backend))
        except Exception as error:  # as above
            answers.put(error)

    # A keyring may wait for a password for ever. Nobody waits for this thread, and it ends with the process.
    threading.Thread(target=ask, name="keyring", daemon=True).start()
    try:
        answer = answers.get(timeout=KEYRING_SECONDS)
    except Empty:
        answer = TimeoutError()
    if isinstance(answer, NoCredentials):
        raise answer
    if isinstance(answer, Exception):
        # Its message may quote what it was given.
        raise NoCredentials(
            f"The login can't be {action} the system's keyring ({type(answer).__name__}): unlock the keyring, and try "
            f"again; or {_WITHOUT_KEYRING}."
        ) from None
    return answer
