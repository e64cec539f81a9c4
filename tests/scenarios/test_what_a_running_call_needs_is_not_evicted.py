"""A cache that is too small for a call holds what the call needs until the call has ended."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.orgs import ERAS, Era, agent, call, closed, emulator, loaded

INSERT = {"object": "Account", "operation": "insert"}


def rows(job: int, count: int = 40) -> str:
    """Rows of which every second fails, since its Name is too long."""
    names = [f"Job {job} row {row} {'x' * (300 if row % 2 else 3)}" for row in range(count)]
    return "\n".join(["Name,Description", *(f"{name},{'d' * 50}" for name in names)]) + "\n"


@pytest.mark.parametrize("era", [ERAS[0], pytest.param(ERAS[1], marks=pytest.mark.slow)])
@pytest.mark.parametrize("most_bytes", [0, 20_000])
async def test_rows_of_five_jobs_go_again_with_a_cache_that_has_room_for_none(
    most_bytes: int, era: Era, tmp_path: Path
) -> None:
    with emulator(tmp_path / "org") as url:
        async with agent(url, folder=tmp_path, era=era, spool_max_bytes=most_bytes) as client:
            jobs = [await loaded(client, rows(number), preflight="off") for number in range(5)]
            data: dict[str, Any] = {"rowsOf": {"jobs": jobs, "which": ["failed"]}, "set": {"Name": "Short"}}
            made = await call(client, "create-ingest-job", body=INSERT, data=data)
            ended = await closed(client, made["id"])
    assert (made["status"], made["rows"]) == ("uploaded", 100)
    assert (ended["numberRecordsProcessed"], ended["numberRecordsFailed"]) == (100, 0)


def _known_of(page: dict[str, Any]) -> tuple[Any, ...]:
    """The rows, total and causes of a page, without the lines of the source, which come later where they are matched anew."""
    causes = [{**each, "examples": [{**row, "line": None} for row in each["examples"]]} for each in page["causes"]]
    return page["rows"], page["total"], causes


@pytest.mark.parametrize("era", ERAS)
async def test_a_result_with_a_damaged_label_is_fetched_again(era: Era, tmp_path: Path) -> None:
    with emulator(tmp_path / "org") as url:
        async with agent(url, folder=tmp_path, era=era) as client:
            job = await loaded(client, rows(1), preflight="off")
            first = await call(client, "get-failed-results-ingest-job", jobId=job)
            labels = sorted((tmp_path / "spool").rglob("*.label"))
            assert len(labels) > 1
            for label in labels:
                whole = label.read_bytes()
                for damaged in (
                    b"",
                    whole[:-1],
                    whole[: len(whole) // 2],
                    b"\xff" * len(whole),
                    whole.replace(b"0", b"1"),
                ):
                    label.write_bytes(damaged)
                    again = await call(client, "get-failed-results-ingest-job", jobId=job)
                    assert _known_of(again) == _known_of(first), label
