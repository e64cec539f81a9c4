"""A whole load by a client that reads only one half of each answer, as some hosts hand it to a model."""

import csv
import io
import re
from typing import Any, Protocol

import pytest
from mcp import Client

from tests.support.orgs import ERAS, Era, agent, text_of

ROWS = "Name,BillingCity\n" + "".join(f"Company {n},Oslo\n" for n in range(60)) + ",Lyon\n,Turin\n"


class Half(Protocol):
    """What such a client can find out from an answer."""

    async def call(self, tool: str, **arguments: Any) -> None: ...
    def job_id(self) -> str: ...
    def state(self) -> str: ...
    def counters(self) -> tuple[int, int]: ...
    def causes(self) -> dict[str, int]: ...
    def rows(self) -> list[dict[str, str]]: ...
    def next_offset(self) -> int | None: ...
    def next_call(self) -> str: ...


class StructureOnly:
    """Drops `content`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answer: dict[str, Any] = {}

    async def call(self, tool: str, **arguments: Any) -> None:
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error and result.structured_content is not None
        self._answer = result.structured_content

    def job_id(self) -> str:
        return str(self._answer["id"])

    def state(self) -> str:
        return str(self._answer["state"])

    def counters(self) -> tuple[int, int]:
        return self._answer["numberRecordsProcessed"], self._answer["numberRecordsFailed"]

    def causes(self) -> dict[str, int]:
        return {cause["statusCode"]: cause["count"] for cause in self._answer["causes"]}

    def rows(self) -> list[dict[str, str]]:
        return [dict(zip(self._answer["columns"], row, strict=True)) for row in self._answer["rows"]]

    def next_offset(self) -> int | None:
        offset: int | None = self._answer["nextOffset"]
        return offset

    def next_call(self) -> str:
        return str(self._answer["next"])


class TextOnly:
    """Drops `structuredContent`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._text = ""

    async def call(self, tool: str, **arguments: Any) -> None:
        result = await self._client.call_tool(tool, arguments)
        assert not result.is_error
        self._text = text_of(result)

    def job_id(self) -> str:
        return self._found(r"\b(750\w{15})\b")

    def state(self) -> str:
        return self._found(r"\bis (Open|UploadComplete|InProgress|JobComplete|Failed|Aborted)\b")

    def counters(self) -> tuple[int, int]:
        failed = self._found(r"(\d+|none)(?: of them)? failed")
        return int(self._found(r"(\d+) rows? processed")), 0 if failed == "none" else int(failed)

    def causes(self) -> dict[str, int]:
        return {code: int(count) for count, code in re.findall(r"^- (\d+) x ([A-Z_]+)", self._text, re.MULTILINE)}

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self._text.rpartition("\n\n")[2], newline="")))

    def next_offset(self) -> int | None:
        match = re.search(r'^Next: .*"offset": (\d+)', self._text, re.MULTILINE)
        return int(match[1]) if match else None

    def next_call(self) -> str:
        return self._found(r"^Next: (.*)$")

    def _found(self, pattern: str) -> str:
        match = re.search(pattern, self._text, re.MULTILINE)
        assert match, f"no {pattern} in {self._text}"
        return match[1]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("half", [StructureOnly, TextOnly])
async def test_one_half_of_each_answer_is_enough_for_the_main_job(
    half: type[StructureOnly] | type[TextOnly], era: Era, org_url: str
) -> None:
    async with agent(org_url, era=era) as client:
        model: Half = half(client)
        await model.call("create-ingest-job", body={"object": "Account", "operation": "insert"})
        job_id = model.job_id()
        assert model.state() == "Open" and "upload-data-ingest-job" in model.next_call()

        await model.call("upload-data-ingest-job", jobId=job_id, body={"csv": ROWS})
        assert "close-abort-ingest-job" in model.next_call()

        await model.call("close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"}, waitSeconds=30)
        assert (model.state(), model.counters()) == ("JobComplete", (62, 2))
        assert "get-failed-results-ingest-job" in model.next_call()

        await model.call("get-failed-results-ingest-job", jobId=job_id)
        assert model.causes() == {"REQUIRED_FIELD_MISSING": 2}
        assert sorted(row["BillingCity"] for row in model.rows()) == ["Lyon", "Turin"]

        names, offset = [], 0
        while True:
            await model.call("get-successful-results-ingest-job", jobId=job_id, offset=offset)
            names += [row["Name"] for row in model.rows()]
            if (following := model.next_offset()) is None:
                break
            offset = following
        assert sorted(names) == sorted(f"Company {n}" for n in range(60))

        await model.call("list-all-ingest-jobs")
        await model.call("get-ingest-job-status", jobId=job_id)
        assert model.job_id() == job_id
