"""Which bodies can be sent again."""

from collections.abc import AsyncIterator

import pytest

from salesforce_bulk_ingest.salesforce.call import MOST_HELD_BYTES, Call, StreamedBody


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(body: StreamedBody, most_chunks: int = 99) -> bytes:
    """What is read of a body, at most this many chunks, as where an answer comes before the end of the body."""
    chunks = list[bytes]()
    async for chunk in body:
        chunks.append(chunk)
        if len(chunks) == most_chunks:
            break
    return b"".join(chunks)


async def test_a_short_stream_can_be_sent_again_from_its_start() -> None:
    body = StreamedBody(arriving(b"Name\n", b"Ann\n", b"Bob\n"))
    call = Call("PUT", content=body)
    assert (call.is_streamed, call.can_be_repeated) == (True, True)
    assert await read(body, 2) == b"Name\nAnn\n"
    assert await read(body) == b"Name\nAnn\nBob\n"
    assert await read(body) == b"Name\nAnn\nBob\n"
    assert call.can_be_repeated


async def test_a_long_stream_can_not_be_sent_again_once_more_has_left_than_is_held() -> None:
    body = StreamedBody(arriving(b"x" * MOST_HELD_BYTES, b"y", b"z"))
    call = Call("PUT", content=body)
    assert await read(body, 1) == b"x" * MOST_HELD_BYTES
    assert call.can_be_repeated
    await read(body, 2)
    assert not call.can_be_repeated


@pytest.mark.parametrize(("content", "repeatable"), [(None, True), (b"Name\n", True), (arriving(b"Name\n"), False)])
def test_bytes_can_be_sent_again_and_an_iterator_can_not(content: bytes | None, repeatable: bool) -> None:
    assert Call("PUT", content=content).can_be_repeated is repeatable
