"""A caller that does what answers say: it makes the call that `next` begins with, and fills the gaps with what it knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mcp import Client
from mcp_types import CallToolResult

from tests.support.next_call import next_call, next_line
from tests.support.orgs import text_of

Half = Literal["structure", "text"]
HALVES: tuple[Half, ...] = ("structure", "text")
"""The halves of an answer; a host shows its model one of them."""


class UnknownGap(LookupError):
    """A gap in a call that the caller has nothing for."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a caller heard in answer to a call.

    Attributes:
        is_error: whether the answer is an error, which has a text alone.
        structure: the structure, where the caller reads this half; else empty.
        text: the text, where the caller reads this half, or the answer is an error; else empty.
    """

    is_error: bool
    structure: Mapping[str, Any]
    text: str

    @classmethod
    def of(cls, result: CallToolResult, half: Half) -> "Heard":
        """What a host that shows its model one half of answers shows of this one."""
        if result.is_error or half == "text":
            return cls(bool(result.is_error), {}, text_of(result))
        return cls(False, result.structured_content or {}, "")

    @property
    def next(self) -> str:
        """The sentence about what comes next."""
        return next_line(self.text) if self.text else str(self.structure["next"])

    @property
    def undo(self) -> str:
        """The sentence about how to undo a job."""
        lines = [line.removeprefix("Undo: ") for line in self.text.splitlines() if line.startswith("Undo: ")]
        return lines[0] if self.text else str(self.structure["undo"])


class Follower:
    """Makes one call after the other as `next` says, and fills the gaps with what it was given.

    Args:
        client: of the nine tools.
        half: the half of the answers that is read.
        known: what to put in place of a gap, by its name.

    Attributes:
        client: of the nine tools.
        known: what to put in place of a gap, by its name.
        path: the names of the tools that were called.
    """

    def __init__(self, client: Client, half: Half, known: dict[str, Any]) -> None:
        self.client = client
        self._half = half
        self.known = known
        self.path: list[str] = []

    async def follow(self, sentence: str) -> Heard:
        """Make the call at the beginning of the sentence.

        Raises:
            UnknownGap: the call has a gap that the caller has nothing for.
        """
        tool, arguments = next_call(sentence)
        return await self.call(tool, self.filled(arguments))

    async def call(self, tool: str, arguments: dict[str, Any]) -> Heard:
        """Make a call."""
        self.path.append(tool)
        return Heard.of(await self.client.call_tool(tool, arguments), self._half)

    def filled(self, value: Any) -> Any:
        """The value with what is known in place of its gaps."""
        if isinstance(value, dict):
            return {
                key: self._rows(key, item) if key in ("csv", "records") else self.filled(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if not isinstance(value, str) or not (value.startswith("<") and value.endswith(">")):
            return value
        if value not in self.known:
            raise UnknownGap(value)
        return self.known[value]

    def _rows(self, source: str, value: Any) -> Any:
        """The rows of a source; a gap for rows in the place of a source's rows means those rows alone."""
        rows = self.filled(value)
        return rows[source] if isinstance(rows, dict) and source in rows else rows
