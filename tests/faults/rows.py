"""The rows of a cell, which no other cell has."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.model_caller import INSERT
from tests.faults.org import HIDDEN_COLUMN, Server
from tests.support.canary import CELL
from tests.support.orgs import call

ROWS = 7
CITY = f"Oslo, {CELL}"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows whose names begin with a mark of their own.

    Attributes:
        mark: the beginning of their names, up to a space.
        size: how many they are.
    """

    mark: str
    size: int = ROWS

    @classmethod
    def fresh(cls, size: int = ROWS) -> "Rows":
        """Rows that no cell of this process has."""
        return cls(f"Cell{next(_numbers)}", size)

    @property
    def names(self) -> list[str]:
        """The names of the rows."""
        return [f"{self.mark} row {number}" for number in range(self.size)]

    @property
    def csv(self) -> str:
        """The rows as CSV."""
        return "".join(f"{line}\n" for line in self._lines())

    async def given_as(self, source: str, server: Server) -> dict[str, Any]:
        """The rows under a source key of the argument `data`."""
        match source:
            case "records":
                return {"records": [{"Name": name, HIDDEN_COLUMN: CITY} for name in self.names]}
            case "file":
                path = server.folder / "rows.csv"
                path.write_text(self.csv)
                return {"file": str(path)}
            case "rowsOf":
                job = await call(server.tools, "create-ingest-job", body=INSERT, data={"csv": self.csv})
                await call(server.tools, "close-abort-ingest-job", jobId=job["id"], body={"state": "Aborted"})
                return {"rowsOf": {"jobs": [job["id"]]}}
        return {"csv": self.csv}

    def _lines(self) -> Iterator[str]:
        yield f"Name,{HIDDEN_COLUMN}"
        yield from (f'{name},"{CITY}"' for name in self.names)
