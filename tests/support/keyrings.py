"""A keyring of tests: a file that keeps what a system's keyring would."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.compat import properties

NO_KEYRING = "keyring.backends.null.Keyring"
"""The value of PYTHON_KEYRING_BACKEND for a system without a keyring."""

FILE = "KEYRING_OF_TESTS"
"""The environment variable with the path of the file."""

BACKEND = f"{__name__}.FileKeyring"
"""The value of PYTHON_KEYRING_BACKEND for this keyring."""


class FileKeyring(KeyringBackend):
    """A keyring in the file that an environment variable names."""

    @properties.classproperty
    def priority(cls) -> float:
        return 5.0

    def get_password(self, service: str, username: str) -> str | None:
        return self._kept().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep(self._kept() | {f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        self._keep({name: value for name, value in self._kept().items() if name != f"{service} {username}"})

    def _file(self) -> Path:
        return Path(os.environ[FILE])

    def _kept(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self._file().read_text()) if self._file().exists() else {}
        return kept

    def _keep(self, kept: dict[str, str]) -> None:
        self._file().write_text(json.dumps(kept))


class LockedKeyring(FileKeyring):
    """A keyring that nobody unlocks."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("locked, and here is SECRET-OF-THE-TEST")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError("locked")


class NoKeyring(FileKeyring):
    """A keyring that keeps nothing, or keeps it in the clear."""

    @properties.classproperty
    def priority(cls) -> float:
        return 0.5


class UnavailableKeyring(FileKeyring):
    """A keyring whose service is not there, as that of a desktop without a session."""

    @properties.classproperty
    def priority(cls) -> float:
        raise RuntimeError("no session")
