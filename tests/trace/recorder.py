"""A recorder of the product's functions as they are first called, in every thread."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import salesforce_bulk_ingest

PRODUCT = Path(salesforce_bulk_ingest.__file__).parent


@dataclass(frozen=True, slots=True)
class Visit:
    """A function of the product, at its first call.

    Attributes:
        file: path of the file below the package.
        function: qualified name of the function.
    """

    file: Path
    function: str

    @property
    def folder(self) -> Path:
        """The folder of the file, `.` for the package itself."""
        return self.file.parent


@dataclass(slots=True)
class Trace:
    """The first visits of functions, in the order in which they were made."""

    visits: list[Visit] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """Each file that was visited, once."""
        return list(dict.fromkeys(visit.file for visit in self.visits))

    @property
    def folders(self) -> list[Path]:
        """Each folder that was visited, once, in the order of the first visits."""
        return list(dict.fromkeys(visit.folder for visit in self.visits))

    @property
    def folder_changes(self) -> int:
        """The number of visits to another folder than that of the visit before."""
        folders = [visit.folder for visit in self.visits]
        return sum(before != after for before, after in pairwise(folders))


class Recorder:
    """Records the first visits within `recording`; must be installed before the threads that it watches begin."""

    def __init__(self) -> None:
        self._trace: Trace | None = None
        self._seen: set[CodeType] = set()

    def install(self) -> None:
        """Watch this thread, and all threads that begin after this call."""
        threading.setprofile(self._look)
        sys.setprofile(self._look)

    @contextmanager
    def recording(self) -> Iterator[Trace]:
        """Record for the time of the block."""
        self._seen.clear()
        self._trace = trace = Trace()
        try:
            yield trace
        finally:
            self._trace = None

    def _look(self, frame: FrameType, event: str, _: Any) -> None:
        trace, code = self._trace, frame.f_code
        if trace is None or event != "call" or code in self._seen:
            return
        self._seen.add(code)
        file = Path(code.co_filename)
        # Comprehensions and generator expressions are part of the function that holds them.
        if code.co_name.startswith("<") or not file.is_relative_to(PRODUCT):
            return
        trace.visits.append(Visit(file.relative_to(PRODUCT), code.co_qualname))
