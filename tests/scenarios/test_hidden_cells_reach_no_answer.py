"""Cells of fields that the operator hides: answers have their counts, lines and lengths, the org and the files have them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot
from mcp import Client

from tests.support.orgs import ERAS, Era, agent, call, closed, emulator, loaded, refusal, steady, text_of

HIDDEN = ("*Email*", "Contact.Department")
CELL = "ada.lovelace(at)analytical"
CSV = f"LastName,Email,Department\nLovelace,{CELL},Engines\nBabbage,cb@x.example,\n"


@asynccontextmanager
async def hiding(folder: Path, *, era: Era = "auto", **settings: Any) -> AsyncIterator[Client]:
    with emulator(folder / "org") as url:
        chosen = {"hide_fields": HIDDEN, "upload_roots": (folder,), **settings}
        async with agent(url, era=era, folder=folder / "kept", **chosen) as client:
            yield client


@pytest.mark.parametrize("era", ERAS)
async def test_a_page_of_failed_rows_has_masks_in_rows_errors_and_examples(tmp_path: Path, era: Era) -> None:
    async with hiding(tmp_path, era=era) as client:
        job = await loaded(client, CSV, object="Contact", preflight="off")
        result = await client.call_tool("get-failed-results-ingest-job", {"jobId": job})
        structure = result.structured_content
        assert structure is not None
        answer = steady(structure)
        assert (answer["columns"], answer["rows"], answer["causes"]) == snapshot(
            (
                ["sf__Id", "sf__Error", "LastName", "Email", "Department"],
                [
                    [
                        "",
                        "INVALID_EMAIL_ADDRESS:Email: invalid email address: [hidden, 26 characters]:Email --",
                        "Lovelace",
                        "[hidden, 26 characters]",
                        "[hidden, 7 characters]",
                    ]
                ],
                [
                    {
                        "statusCode": "INVALID_EMAIL_ADDRESS",
                        "fields": ["Email"],
                        "count": 1,
                        "pattern": "Email: invalid email address: {value}",
                        "retryable": False,
                        "advice": 'Correct the address, or empty the cell, with values beside rowsOf, such as {"Email": {"none": ""}}.',
                        "examples": [
                            {
                                "line": 2,
                                "offset": 0,
                                "values": {"Email": "[hidden, 26 characters]"},
                            }
                        ],
                    }
                ],
            )
        )
        assert answer["summary"] == snapshot(
            '1 row of 1, from offset 0 on, in the failed results of job JOB, which is JobComplete. The operator hides the cells of "Email", "Department": masks with their lengths stand for them, which must not be loaded.'
        )
        assert CELL not in text_of(result) and "[hidden, 26 characters]" in text_of(result)
        resource = await client.read_resource(f"salesforce-bulk://jobs/{job}/failed-results")
        assert steady(getattr(resource.contents[0], "text", "")) == snapshot("""\
sf__Id,sf__Error,LastName,Email,Department
,"INVALID_EMAIL_ADDRESS:Email: invalid email address: [hidden, 26 characters]:Email --",Lovelace,"[hidden, 26 characters]","[hidden, 7 characters]"
""")
        assert CELL in await anyio.Path(structure["file"]).read_text()


async def test_a_page_that_is_streamed_has_the_same_masks_and_no_mask_is_to_be_sent_again(tmp_path: Path) -> None:
    async with hiding(tmp_path, no_spool=True) as client:
        job = await loaded(client, CSV, object="Contact", preflight="off")
        answer = steady(await call(client, "get-failed-results-ingest-job", jobId=job))
        assert (answer["rows"], answer["causes"][0]["examples"]) == snapshot(
            (
                [
                    [
                        "",
                        "INVALID_EMAIL_ADDRESS:Email: invalid email address: [hidden, 26 characters]:Email --",
                        "Lovelace",
                        "[hidden, 26 characters]",
                        "[hidden, 7 characters]",
                    ]
                ],
                [
                    {
                        "offset": 0,
                        "values": {"Email": "[hidden, 26 characters]"},
                    }
                ],
            )
        )
        assert answer["next"] == snapshot(
            'create-ingest-job {"body": {"object": "Contact", "operation": "insert"}, "data": "<the corrected rows, taken from their source>"} loads these rows, corrected by their causes. Never load the whole file again.'
        )
        masked = 'LastName,Email\nLovelace,"[hidden, 26 characters]"\n'
        text = await refusal(
            client, "create-ingest-job", body={"object": "Contact", "operation": "insert"}, data={"csv": masked}
        )
        assert text == snapshot("""\
INVALID_ARGUMENT: These rows have errors by which a job fails or values are lost, so no job was made and nothing was sent.
- error, line 2 ("Lovelace"): Cells have the text that an answer shows in place of hidden cells, and would be loaded with it. Send these rows again with rowsOf, or take them from their source.
- warning, column Email, line 2 ("Lovelace": "[hidden, 23 characters]"): Email takes email addresses, and rows with others fail: [hidden, 23 characters]. Correct them, or make them blank, with values.
Next: create-ingest-job {"body": {"object": "Contact", "operation": "insert"}, "data": {"csv": "<the corrected rows>"}} takes the rows, once they or their mapping (columns, set, values, formats, only, leaveOut) are corrected.\
""")


async def test_a_result_that_was_kept_before_its_fields_were_hidden_is_shown_with_masks(tmp_path: Path) -> None:
    with emulator(tmp_path / "org") as url:
        async with agent(url, folder=tmp_path / "kept") as client:
            job = await loaded(client, CSV, object="Contact", preflight="off")
            assert CELL in str(await call(client, "get-failed-results-ingest-job", jobId=job))
        async with agent(url, folder=tmp_path / "kept", hide_fields=HIDDEN) as client:
            answer = await call(client, "get-failed-results-ingest-job", jobId=job)
            assert CELL not in str(answer) and answer["causes"][0]["count"] == 1
        async with agent(url, folder=tmp_path / "kept") as client:
            assert CELL in str((await call(client, "get-failed-results-ingest-job", jobId=job))["causes"])


async def test_findings_tell_lines_and_lengths_of_hidden_cells(tmp_path: Path) -> None:
    async with hiding(tmp_path, hide_fields=("LeadSource", "Birthdate")) as client:
        body = {"object": "Contact", "operation": "insert"}
        csv = "LastName,Born\nLovelace,10.12.1815\nBabbage,26.12.1791\n"
        answer = await call(
            client, "create-ingest-job", body=body, data={"csv": csv, "columns": {"Born": "Birthdate"}}, dryRun=True
        )
        assert [finding["what"] for finding in answer["findings"]] == snapshot(
            ["Birthdate takes dates, and rows with others fail: [hidden, 10 characters], [hidden, 10 characters]."]
        )


async def test_a_hidden_column_can_not_be_renamed_to_one_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(CSV)
    async with hiding(tmp_path) as client:
        body = {"object": "Contact", "operation": "insert"}
        for preflight in ("on", "off"):
            data = {"file": "people.csv", "columns": {"Email": "Description"}}
            text = await refusal(client, "create-ingest-job", body=body, data=data, preflight=preflight)
            assert text == snapshot("""\
INSUFFICIENT_ACCESS: The operator hides the cells of "Email" (hide_fields), so they can't go into "Description", which is not hidden.
Next: Tell the user. Don't look for another way around.\
""")
        job = await loaded(client, CSV, object="Contact", preflight="off")
        rows = {"rowsOf": {"jobs": [job]}, "columns": {"Email": "Description"}}
        assert "hide_fields" in await refusal(client, "create-ingest-job", body=body, data=rows)


async def test_advice_on_hidden_words_for_no_value_names_no_lines_where_rows_have_none(tmp_path: Path) -> None:
    async with hiding(tmp_path, hide_fields=("LastName",)) as client:
        job = await loaded(client, "LastName,Email\nNULL,bad\n", object="Contact", preflight="off")
        body, data = {"object": "Contact", "operation": "insert"}, {"rowsOf": {"jobs": [job]}}
        text = text_of(await client.call_tool("create-ingest-job", {"body": body, "data": data, "dryRun": True}))
        assert "Cells are no values, and are stored as they are, or fail." in text
        assert "by their lines" not in text


async def test_rows_are_sent_again_with_their_cells_and_the_org_and_v1_have_them(tmp_path: Path) -> None:
    async with hiding(tmp_path) as client:
        job = await loaded(client, CSV, object="Contact", preflight="off")
        rows = {"rowsOf": {"jobs": [job]}, "values": {"Email": {CELL: "ada@x.example"}}}
        body = {"object": "Contact", "operation": "insert"}
        created = await call(client, "create-ingest-job", body=body, data=rows)
        assert not re.search(r"ada@x|lovelace", str({**created, "next": ""}))
        assert (await closed(client, created["id"]))["numberRecordsFailed"] == 0
        answer = await call(client, "get-successful-results-ingest-job", jobId=created["id"])
        assert [row[3:] for row in answer["rows"]] == [["[hidden, 13 characters]", "[hidden, 7 characters]"]]
    kept = [await path.read_text(errors="replace") async for path in anyio.Path(tmp_path).rglob("*.csv")]
    assert kept and "[hidden" not in "".join(kept)
