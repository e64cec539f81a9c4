"""How signals stop a server, and how its stdin can be ended."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from salesforce_bulk_ingest.serving.signals import stdin_that_can_end, told_to_stop

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_wait_and_not_the_process(number: signal.Signals) -> None:
    with told_to_stop() as told:
        os.kill(os.getpid(), number)
        assert await told() == number


@pytest.fixture
def client() -> Iterator[int]:
    """The writing end of a pipe in place of this process's stdin."""
    original = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    yield writing
    os.dup2(original, 0)
    os.close(original)


def test_stdin_passes_on_what_the_client_writes_and_ends_when_the_client_leaves(client: int) -> None:
    with stdin_that_can_end():
        os.write(client, b"one\n")
        assert os.read(0, 100) == b"one\n"
        os.close(client)
        assert os.read(0, 100) == b""


def test_stdin_can_be_ended_while_the_client_stays(client: int) -> None:
    with stdin_that_can_end() as end:
        os.write(client, b"one\n")
        assert os.read(0, 100) == b"one\n"
        end()
        assert os.read(0, 100) == b""
        end()  # a second end changes nothing
    os.close(client)
