"""Shared tasks belong to the server, not to the call that began them."""

import anyio
import pytest

from salesforce_bulk_ingest.base.shared_task import SharedTask, SharedTasks


class Work:
    """Work that ends when it is let, and counts how often it was begun."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = 0
        self.let = anyio.Event()
        self._error = error

    async def __call__(self, task: SharedTask[str]) -> str:
        self.begun += 1
        task.done_bytes = 3
        await self.let.wait()
        if self._error is not None:
            raise self._error
        return "done"


async def test_work_outlives_the_call_that_waits_for_it_and_equal_calls_join_it() -> None:
    work = Work()
    async with anyio.create_task_group() as task_group:
        tasks = SharedTasks(task_group)
        task = tasks.start("key", work)
        assert not await task.wait(0)
        with anyio.CancelScope() as call:
            call.cancel()
            await task.wait(60)
        await anyio.wait_all_tasks_blocked()
        assert (tasks.start("key", work), tasks.find("key"), task.done_bytes) == (task, task, 3)
        work.let.set()
        with anyio.fail_after(5):
            assert await task.finished() == "done"
        assert await task.wait(0) and task.result == "done"
    assert (work.begun, tasks.find("key")) == (1, None)


async def test_another_key_is_other_work_and_ended_work_begins_anew() -> None:
    work = Work()
    work.let.set()
    async with anyio.create_task_group() as task_group:
        tasks = SharedTasks(task_group)
        for key in ("one", "other", "one"):
            await tasks.start(key, work).finished()
    assert work.begun == 3


async def test_what_ended_the_work_reaches_every_call_that_waits_and_the_next_one_tries_again() -> None:
    work = Work(ValueError("gone"))
    work.let.set()
    async with anyio.create_task_group() as task_group:
        tasks = SharedTasks(task_group)
        task = tasks.start("key", work)
        for _ in range(2):
            with pytest.raises(ValueError, match="gone"), anyio.fail_after(5):
                await task.wait(60)
        with pytest.raises(ValueError, match="gone"):
            await tasks.start("key", work).finished()
    assert work.begun == 2


async def test_work_that_the_end_of_the_server_broke_off_has_no_result() -> None:
    async with anyio.create_task_group() as task_group:
        task = SharedTasks(task_group).start("key", Work())
        await anyio.wait_all_tasks_blocked()
        task_group.cancel_scope.cancel()
    assert not await task.wait(60)


async def test_a_task_knows_how_many_calls_wait_for_it() -> None:
    work = Work()
    async with anyio.create_task_group() as task_group:
        task = SharedTasks(task_group).start("key", work)
        for _ in range(2):
            task_group.start_soon(task.wait, 60)
        await anyio.wait_all_tasks_blocked()
        assert task.waiting_calls == 2
        work.let.set()
    assert task.waiting_calls == 0


async def test_a_result_that_is_there_already_is_a_task_that_has_ended() -> None:
    task = SharedTask.ended("kept")
    assert await task.wait(0) and await task.finished() == task.result == "kept"


async def test_a_call_that_waits_hears_again_and_again_how_far_the_work_is() -> None:
    work = Work()
    heard: list[int] = []

    async def report(done_bytes: int) -> None:
        heard.append(done_bytes)
        if len(heard) == 3:
            work.let.set()

    async with anyio.create_task_group() as task_group:
        task = SharedTasks(task_group).start("key", work)
        with anyio.fail_after(20):
            assert await task.wait(60, report, report_seconds=0.001)
    assert heard[:3] == [3, 3, 3]


async def test_the_time_of_a_wait_ends_it_between_two_reports_too() -> None:
    async def report(done_bytes: int) -> None:
        raise AssertionError

    async with anyio.create_task_group() as task_group:
        task = SharedTasks(task_group).start("key", Work())
        assert not await task.wait(0, report)
        task_group.cancel_scope.cancel()
