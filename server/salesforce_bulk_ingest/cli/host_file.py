"""The file of a host's configuration: one entry is added to it or brought up to date, and all else stays as it is."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import count
from pathlib import Path

from salesforce_bulk_ingest.base.jsonc import NotJson, value_at, with_value
from salesforce_bulk_ingest.base.private_files import write_private_file
from salesforce_bulk_ingest.base.storage import cause_of
from salesforce_bulk_ingest.serving.ports import CantStart

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of a file that is not made yet.

    Attributes:
        file: the file, where links to it lead.
        before: what is in it; None if there is no file.
        after: what shall be in it.
    """

    file: Path
    before: bytes | None
    after: bytes

    def difference(self) -> Iterator[str]:
        """Yield the lines of the difference, in the unified format."""
        before, after = ((content or b"").decode().splitlines() for content in (self.before, self.after))
        old = f"{self.file} ({'not there yet' if self.before is None else 'as it is'})"
        yield from unified_diff(before, after, old, f"{self.file} (as it would be)", lineterm="")

    def write(self) -> Path | None:
        """Make the change, and return the copy of the file as it was; None if there was none.

        Raises:
            CantStart: the file can't be written, or is another one by now; it is left as it is.
        """
        try:
            if _content(self.file) != self.before:
                raise CantStart(f"{self.file} was changed meanwhile, and is left as it is: run this again.")
            copy, mode = self._copy() if self.before is not None else (None, None)
            write_private_file(self.file, self.after, mode)
        except OSError as error:
            raise _unusable(self.file, "written", error) from None
        return copy

    def _copy(self) -> tuple[Path, int]:
        """Write what is in the file to a new file beside it, and return this and the mode of both."""
        mode = stat.S_IMODE(self.file.stat().st_mode)
        if not os.access(self.file, os.W_OK):
            raise CantStart(f"{self.file} is protected from being written, and is left as it is.")
        for number in count(1):
            copy = self.file.with_name(f"{self.file.name}.{number}.bak" if number > 1 else f"{self.file.name}.bak")
            try:
                descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
            except FileExistsError:
                continue
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(self.before or b"")
            return copy, mode
        raise AssertionError("the numbers do not end")


def change_of(file: Path, entry: Mapping[str, object], *keys: str) -> FileChange | None:
    """Return the change that puts an entry into a file of JSON with comments; None if it is there already.

    Args:
        file: the file, or a link to it; it need not exist.
        entry: the entry.
        keys: the keys under which it stands in the file.

    Raises:
        CantStart: the file can't be read, is no JSON, or has something else where the entry belongs.
    """
    file = Path(os.path.realpath(file))
    try:
        before = _content(file)
    except OSError as error:
        raise _unusable(file, "read", error) from None
    try:
        text = (before or b"").decode()
        mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
        text = text.removeprefix(mark)
        edited = _with_entry(text, entry, keys)
        if edited == text:
            return None
        after = f"{mark}{edited}".encode()
    except UnicodeDecodeError:
        raise CantStart(f"{file} is not UTF-8, and is left as it is.") from None
    except NotJson as error:
        raise CantStart(f"{file} is not the JSON that its host reads, and is left as it is: {error}.") from None
    return FileChange(file, before, after)


def _with_entry(text: str, entry: Mapping[str, object], keys: tuple[str, ...]) -> str:
    """Return the text with the entry, in which what the host or its user has in an earlier one, such as `env`, stays.

    Raises:
        NotJson: the text is not JSON, has something else where the entry belongs, or would not be read back as edited.
    """
    earlier = value_at(text, *keys)
    if not isinstance(earlier, dict) or not _is_of_stdio(earlier):
        edited, expected = with_value(text, entry, *keys), entry
    else:
        edited, expected = text, {**earlier, **entry}
        for key in (key for key, value in entry.items() if earlier.get(key) != value):
            edited = with_value(edited, entry[key], *keys, key)
    if value_at(edited, *keys) != expected:
        raise NotJson("the entry would not be read back from it")
    return edited


def _is_of_stdio(entry: Mapping[str, object]) -> bool:
    """Return whether an entry is of a program that the host starts; one of a URL has nothing that such an entry can keep."""
    return "url" not in entry and entry.get("type", "stdio") == "stdio"


def _content(file: Path) -> bytes | None:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # opening a pipe would wait for its writer
        raise OSError(0, "it is no regular file")
    return file.read_bytes()


def _unusable(file: Path, what: str, error: OSError) -> CantStart:
    cause = cause_of(error)
    return CantStart(f"{file} can't be {what}, and is left as it is: {cause.reason}.")
