"""The answer about rows that were not sent."""

from pathlib import Path

from inline_snapshot import snapshot

from tests.support.orgs import refusal
from tests.support.watched_org import WatchedOrg, agent_keeping

INSERT = {"object": "Account", "operation": "insert"}


async def test_a_refusal_lists_what_was_found_and_what_to_do(org: WatchedOrg, tmp_path: Path) -> None:
    async with agent_keeping(org, tmp_path) as client:
        text = await refusal(client, "create-ingest-job", body=INSERT, data={"csv": "Name,Name\nAcme,Oslo\n"})
    assert text == snapshot("""\
INVALID_ARGUMENT: These rows have errors by which a job fails or values are lost, so no job was made and nothing was sent.
- error, column Name, line 1: Several columns are Name: "Name", "Name". Keep one: set null in columns for the others.
Next: create-ingest-job {"body": {"object": "Account", "operation": "insert"}, "data": "<the corrected rows>"} takes the rows, once they or their mapping (columns, set, values, formats, only) are corrected.\
""")
