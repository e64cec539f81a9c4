"""The caller is known to all code that runs for them, and to no other."""

import anyio

from salesforce_bulk_ingest.base.caller import LOCAL, Caller, called_by, current_caller

READER = Caller("reader", may_write=False, over_http=True)


def test_whoever_started_the_program_is_the_caller_where_no_other_is_named() -> None:
    assert current_caller() == LOCAL
    with called_by(READER):
        assert current_caller() == READER
    assert current_caller() == LOCAL


async def test_a_task_keeps_the_caller_of_the_code_that_started_it() -> None:
    seen: list[Caller] = []
    started, resumed = anyio.Event(), anyio.Event()

    async def task() -> None:
        started.set()
        await resumed.wait()
        seen.append(current_caller())

    async with anyio.create_task_group() as tasks:
        with called_by(READER):
            tasks.start_soon(task)
            await started.wait()
        resumed.set()
    assert seen == [READER] and current_caller() == LOCAL
