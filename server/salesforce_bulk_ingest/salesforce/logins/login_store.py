"""The saved login of a user: in the system's keyring, or in a private file where there is no keyring."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from salesforce_bulk_ingest.base.private_files import is_private
from salesforce_bulk_ingest.salesforce.errors import NoCredentials

SERVICE = "salesforce-bulk-ingest"
USABLE_PRIORITY = 1
"""The least priority of a keyring that keeps secrets: those below keep none, or keep them in the clear."""


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

    @field_serializer("client_secret", "refresh_token", when_used="json")
    def _in_the_clear(self, value: SecretStr | None) -> str | None:
        return None if value is None else value.get_secret_value()


@dataclass(frozen=True, slots=True)
class LoginStore:
    """The place of one saved login.

    Attributes:
        folder: the folder of private files, made when it is needed.
        name: the name of the org, or `default`.
    """

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        """The private file, which is there only if the login is kept in it."""
        return self.folder / f"{self.name}.json"

    @property
    def lock_file(self) -> Path:
        """The file for the lock of the processes that share the login, there from its first use on."""
        return self.folder / f"{self.name}.lock"

    @property
    def was_used(self) -> bool:
        """Whether there is a login in a file, or one was used before; the keyring, which may ask the user, is not asked."""
        return self.file.exists() or self.lock_file.exists()

    def load(self) -> StoredLogin | None:
        """Return the saved login, or None if there is none.

        Raises:
            NoCredentials: the login can't be read; the message says what to do.
        """
        text = self._text_in_file()
        if text is None:
            text = self._text_in_keyring()
        if text is None:
            return None
        try:
            return StoredLogin.model_validate_json(text)
        except ValidationError:
            raise NoCredentials(f"The saved login in {self.where()} is damaged: log in again.") from None

    def save(self, login: StoredLogin) -> None:
        """Keep a login where the one before is kept; a first one in the keyring, or in a private file without a keyring.

        Raises:
            NoCredentials: the login can't be written.
        """
        text = login.model_dump_json()
        keyring = None if self.file.exists() else _keyring()
        if keyring is None:
            self._write_file(text)
        else:
            with _told("kept in"):
                keyring.set_password(SERVICE, self.name, text)

    def remove(self) -> None:
        """Forget the login, wherever it is kept.

        Raises:
            NoCredentials: the login can't be removed.
        """
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise NoCredentials(f"{self.file} can't be removed: {error.strerror}.") from None
        keyring = _keyring()
        if keyring is not None:
            with _told("removed from"):
                if keyring.get_password(SERVICE, self.name) is not None:
                    keyring.delete_password(SERVICE, self.name)

    def where(self) -> str:
        """Return where the login is kept, as a part of a sentence."""
        if self.file.exists():
            return str(self.file)
        return "the system's keyring" if _keyring() is not None else str(self.file)

    def _text_in_file(self) -> str | None:
        try:
            with self.file.open(encoding="utf-8") as opened:
                if not is_private(os.fstat(opened.fileno()).st_mode):
                    raise NoCredentials(
                        f"{self.file} holds a refresh token and others can read it: run `chmod 600 '{self.file}'`."
                    )
                return opened.read()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise NoCredentials(f"{self.file}, which holds the saved login, can't be read: {reason}.") from None

    def _text_in_keyring(self) -> str | None:
        keyring = _keyring()
        if keyring is None:
            return None
        with _told("read from"):
            text: str | None = keyring.get_password(SERVICE, self.name)
            return text

    def _write_file(self, text: str) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A file that is written to its end takes the place of the one before, which a killed process may not cut.
            descriptor, name = tempfile.mkstemp(dir=self.folder)  # mode 0600
            with open(descriptor, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            Path(name).replace(self.file)
        except OSError as error:
            raise NoCredentials(f"The login can't be kept in {self.file}: {error.strerror}.") from None


def _keyring() -> ModuleType | None:
    """Return the module of the keyring, or None where this system has none."""
    import keyring  # only where it is needed, since it takes a tenth of a second

    return keyring if keyring.get_keyring().priority >= USABLE_PRIORITY else None


@contextmanager
def _told(action: str) -> Iterator[None]:
    """Raise NoCredentials in place of the errors of a keyring, each of which has those of its own libraries."""
    try:
        yield
    except Exception as error:
        raise NoCredentials(
            f"The login can't be {action} the system's keyring ({type(error).__name__}): unlock the keyring, and try again."
        ) from None
