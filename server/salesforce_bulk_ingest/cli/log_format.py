"""The format of the log: what others wrote can't forge a line of it or change a terminal, and no row is in it."""

import logging
import traceback
from collections.abc import Iterator

from salesforce_bulk_ingest.base.text import visible


class LogFormatter(logging.Formatter):
    """Formats a record as a line, and, further in, a line for each step of its traceback.

    The messages of exceptions are left out, since they may quote rows; the reason of an error of the system stays.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = visible(f"{record.levelname} {record.name}: {record.getMessage()}")
        error = record.exc_info[1] if record.exc_info else None
        return line if error is None else "\n".join([line, *_steps(error)])


def _steps(error: BaseException) -> Iterator[str]:
    """Yield the lines about an error: first about the error that led to it, last about the errors that it is a group of."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _steps(before)
    reason = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    yield visible(f"  {type(error).__name__}{reason}")
    for frame in traceback.extract_tb(error.__traceback__):
        yield visible(f"    {frame.filename}:{frame.lineno} in {frame.name}")
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _steps(part)
