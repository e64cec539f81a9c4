"""A load by a recipe, without a model: `python scheduled_load.py RECIPE FILE [options of salesforce-bulk-ingest stdio]`.

It ends with 0 (every row is in the org), 1 (rows failed), 2 (refused) or 3 (no connection)."""

import json
import os
import sys
from pathlib import Path

import anyio
from mcp import Client, MCPError, StdioServerParameters, stdio_client

CREATE, FAILED = "create-ingest-job", "get-failed-results-ingest-job"


class Refused(Exception): ...


async def follow(client, is_done, tool, **arguments):
    """Make a call, and then the calls that `next` begins with, until an answer is what is waited for."""
    while True:
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            raise Refused(result.content[0].text)
        if is_done(answer := result.structured_content):
            return answer
        made, (tool, _, rest) = (tool, arguments), answer["next"].partition(" ")
        arguments, _ = json.JSONDecoder().raw_decode(rest)
        await anyio.sleep(5 if (tool, arguments) == made else 0)  # to ask again at once would find the same


def has_ended(job):
    return {job.get("status"), "id" in job and job["state"]} & {"JobComplete", "Failed", "Aborted", "nothing to send"}


async def all_in(client, job, file, again=True):
    """Send the failed rows of a job once more that may succeed then, save the others, and say whether all are in the org."""
    print(job["summary"])
    if job.get("state") != "JobComplete" or not job["numberRecordsFailed"]:
        return job.get("state", "JobComplete") == "JobComplete"  # no state, no job: there was nothing to send
    failed = {"jobId": job["id"], "limit": 1}
    causes = (await follow(client, lambda page: page["causes"], FAILED, **failed))["causes"]
    passing = {cause["statusCode"] for cause in causes if cause["retryable"] and again}
    if left := {cause["statusCode"] for cause in causes} - passing:
        where, name = {"statusCode": sorted(left)}, f"{file.stem}-failed-{job['id']}.csv"
        try:
            await follow(client, lambda page: "saveAs" not in page["next"], FAILED, **failed, where=where, saveAs=name)
        except Refused as unsaved:
            print(f"rows failed, and are not written: {unsaved}", file=sys.stderr)
    retry = passing and await follow(client, has_ended, FAILED, **failed, where={"statusCode": sorted(passing)})
    return bool(retry) and await all_in(client, retry, file, again=False) and not left


async def main(recipe, file, *options):
    arguments = ["-m", "salesforce_bulk_ingest", "stdio", "--save-root", str(Path(file).parent), *options]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))  # whatever PATH is
    async with Client(stdio_client(server)) as client:
        try:
            rows = {"data": {"recipe": recipe, "file": file}}
            checked = await follow(client, lambda answer: answer["status"] != "checking", CREATE, **rows, dryRun=True)
            rows["sha256"] = checked.get("sha256")
            jobs = (follow(client, has_ended, CREATE, **rows, part=part + 1) for part in range(checked.get("of", 1)))
            return int(not all([await all_in(client, await job, Path(file)) for job in jobs]))
        except Refused as refused:
            print(refused, file=sys.stderr)
            return 3 if str(refused).startswith(("SERVER_UNAVAILABLE", "INVALID_SESSION_ID")) else 2


if len(sys.argv) < 3:
    print(__doc__, file=sys.stderr)
    sys.exit(2)
try:
    sys.exit(anyio.run(main, *sys.argv[1:]))
except* (OSError, MCPError) as lost:
    print(f"no connection: {lost.exceptions[0]}", file=sys.stderr)
sys.exit(3)
