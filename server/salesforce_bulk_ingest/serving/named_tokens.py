"""The named bearer tokens: each is shown once, when it is made, and kept as a hash in a private file."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from salesforce_bulk_ingest.base.private_files import is_private, write_private_file
from salesforce_bulk_ingest.base.storage import cause_of
from salesforce_bulk_ingest.serving.bearer_tokens import NAMED_PREFIX, Scopes, Undecided
from salesforce_bulk_ingest.serving.ports import CantStart

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken

TOKEN_BYTES = 32
TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
MOST_FILE_BYTES = 1_000_000
LOCK_SECONDS = 10

Access = Literal["read", "write"]


class NamedToken(BaseModel):
    """A token as it is kept.

    Attributes:
        name: whom the token is for; no two tokens of a file share a name.
        sha256: the hash of the token, in hexadecimal digits.
        access: whether its holder may only read, or write, too.
        created: the day on which it was made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=rf"^{TOKEN_NAME.pattern}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    access: Access
    created: date


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: tuple[NamedToken, ...] = ()


class BadTokenFile(CantStart):
    """The file of tokens can't be used; the message is one line and says what to do."""


class NoSuchToken(BadTokenFile):
    """The file has no token of a name."""


class TokenFile:
    """The private file of the named tokens.

    Args:
        path: the file; it exists once the first token was made, and stays when the last one is revoked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Return whether there is anything in the place of the file, usable or not."""
        return os.path.lexists(self.path)

    def version(self) -> tuple[int, ...]:
        """Return what differs once the file was written, replaced or made readable for others.

        Raises:
            BadTokenFile: there is no such file, or it can't be looked at.
        """
        with self._errors("read"):
            status = self.path.stat()
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_mode

    def tokens(self) -> tuple[NamedToken, ...]:
        """Return the tokens that are not revoked, in the order in which they were made.

        Raises:
            BadTokenFile: there is no such file, others can read or write it, or it is damaged.
        """
        with self._errors("read"), self.path.open("rb") as opened:
            mode, content = os.fstat(opened.fileno()).st_mode, opened.read(MOST_FILE_BYTES + 1)
        try:
            tokens = _Content.model_validate_json(content).tokens
        except ValidationError:
            raise self._damaged() from None
        if len({token.name for token in tokens}) < len(tokens):
            raise self._damaged()
        if not is_private(mode):
            raise BadTokenFile(f"{self.path} has tokens and others can read it: run `chmod 600 '{self.path}'`.")
        return tokens

    def add(self, name: str, access: Access, today: date) -> str:
        """Make a token, and return it: it is kept nowhere, so nobody can show it again.

        Raises:
            BadTokenFile: the name is taken or is no name, or the file can't be used.
        """
        if TOKEN_NAME.fullmatch(name) is None:
            raise BadTokenFile("A token's name has at most 64 letters, digits, and . _ @ - after the first of them.")
        with self._locked():
            tokens = self.tokens() if self.exists() else ()
            if name in {token.name for token in tokens}:
                raise BadTokenFile(f"There is a token {name} already: revoke it, or choose another name.")
            token = NAMED_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
            self._write((*tokens, NamedToken(name=name, sha256=_hash(token), access=access, created=today)))
        return token

    def revoke(self, name: str) -> None:
        """Remove the token of this name, which servers that run notice at their next call.

        Raises:
            NoSuchToken: there is no token of this name.
            BadTokenFile: the file can't be used.
        """
        with self._locked():
            tokens = self.tokens() if self.exists() else ()
            left = tuple(token for token in tokens if token.name != name)
            if len(left) == len(tokens):
                raise NoSuchToken(f"There is no token of that name in {self.path}.")
            self._write(left)

    def _write(self, tokens: tuple[NamedToken, ...]) -> None:
        with self._errors("written"):
            write_private_file(self.path, _Content(tokens=tokens).model_dump_json(indent=2).encode() + b"\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._errors("locked"):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), LOCK_SECONDS, mode=0o600)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise BadTokenFile(f"There is no file of tokens at {self.path}.") from None
        except OSError as error:
            cause = cause_of(error)
            raise BadTokenFile(f"{self.path} can't be {done}: {cause.reason}. {cause.remedy}") from None

    def _damaged(self) -> BadTokenFile:
        return BadTokenFile(
            f"{self.path} is damaged, or is no file of tokens: restore it, name another, or make the tokens anew."
        )


class NamedTokens:
    """The `TokenVerifier` of named tokens, which reads their file again when it has changed.

    Args:
        file: the file.
        scopes: the scopes that stand for reading and writing.

    Raises:
        BadTokenFile: the file can't be used.
    """

    def __init__(self, file: TokenFile, scopes: Scopes) -> None:
        self._file = file
        self._scopes = scopes
        self._version: tuple[int, ...] | None = None
        self._tokens: tuple[NamedToken, ...] = ()
        self._read_if_changed()

    async def verify_token(self, token: str) -> "AccessToken | None":
        """Return what the token allows, or None if it is none of the file's.

        Raises:
            Undecided: the file can't be used any more.
        """
        try:
            self._read_if_changed()
        except BadTokenFile as error:
            raise Undecided(str(error)) from None
        # All are compared, each in constant time, so that the time tells nothing of any.
        given = _hash(token)
        matches = [known for known in self._tokens if hmac.compare_digest(known.sha256, given)]
        return self._access(matches[0]) if matches else None

    def _read_if_changed(self) -> None:
        version = self._file.version()
        if version != self._version:
            tokens = self._file.tokens()
            self._version, self._tokens = version, tokens

    def _access(self, known: NamedToken) -> "AccessToken":
        # Loaded only here: the commands that make and list tokens would wait for the MCP SDK.
        from mcp.server.auth.provider import AccessToken

        scopes = [self._scopes.read] if known.access == "read" else [self._scopes.read, self._scopes.write]
        # A session belongs to this very token: one that is made later under the same name is another.
        return AccessToken(token="", client_id=known.name, scopes=scopes, subject=known.sha256)


def _hash(token: str) -> str:
    # A fast hash is enough: nobody can try all values of 32 random bytes, unlike those of a password.
    return hashlib.sha256(token.encode()).hexdigest()
