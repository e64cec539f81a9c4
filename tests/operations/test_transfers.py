"""Uploads in flight belong to the server, not to the call that started them."""

import anyio
import pytest

from salesforce_bulk_ingest.operations.transfers import Transfer, Transfers
from salesforce_bulk_ingest.salesforce.client import CHUNK_BYTES
from salesforce_bulk_ingest.salesforce.errors import Unreachable
from tests.support.contents import BytesContent

JOB_ID = "750000000000001AAA"
ROWS = b"Name\nAcme\n"


async def test_an_upload_outlives_the_call_that_waits_for_it_and_can_be_joined() -> None:
    go_on = anyio.Event()
    async with anyio.create_task_group() as tasks:
        transfers = Transfers(tasks)
        transfer = Transfer(BytesContent(ROWS))

        async def send(started: Transfer) -> None:
            await go_on.wait()

        transfers.start(JOB_ID, transfer, send)
        assert not await transfer.wait(0)
        with anyio.CancelScope() as call:
            call.cancel()
            await transfer.wait(60)
        joined = transfers.get(JOB_ID[:15])
        assert joined is transfer
        go_on.set()
        with anyio.fail_after(5):
            assert await joined.wait(60)
        assert transfers.get(JOB_ID) is None
        assert await transfer.wait(0)


async def test_what_ended_an_upload_reaches_everyone_who_waits() -> None:
    async def fail(started: Transfer) -> None:
        raise Unreachable("gone")

    async with anyio.create_task_group() as tasks:
        transfers = Transfers(tasks)
        transfer = Transfer(BytesContent(ROWS))
        transfers.start(JOB_ID, transfer, fail)
        for _ in range(2):
            with pytest.raises(Unreachable, match="gone"), anyio.fail_after(5):
                await transfer.wait(60)
        assert transfers.get(JOB_ID) is None


async def test_an_upload_that_the_server_s_end_broke_off_is_not_reported_as_done() -> None:
    async with anyio.create_task_group() as tasks:
        transfer = Transfer(BytesContent(ROWS))

        async def send(started: Transfer) -> None:
            await anyio.sleep_forever()

        Transfers(tasks).start(JOB_ID, transfer, send)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    with pytest.raises(Unreachable, match="stopped in the middle") as raised:
        await transfer.wait(0)
    assert not raised.value.nothing_sent


async def test_an_upload_counts_what_is_sent_and_can_be_read_again_after_a_refused_session() -> None:
    transfer = Transfer(BytesContent(b"x" * (2 * CHUNK_BYTES + 1)))
    for _ in range(2):
        seen = [(len(chunk), transfer.sent_bytes) async for chunk in transfer]
        assert seen == [(CHUNK_BYTES, 0), (CHUNK_BYTES, CHUNK_BYTES), (1, 2 * CHUNK_BYTES)]
        assert transfer.sent_bytes == transfer.content.size
