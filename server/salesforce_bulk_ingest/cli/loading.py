"""Loading of the modules that one command needs and the others would wait for."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Import modules within the block without the garbage collector, and have it skip them afterwards.

    The modules are used to the end, and searching them took a third of the time of a short command.
    """
    known = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        gc.enable()
