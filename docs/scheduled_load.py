"""A load by a recipe, without a model: `python scheduled_load.py RECIPE FILE [options of salesforce-bulk-ingest stdio]`.

It ends with 0 (every row is in the org), 1 (rows failed), 2 (refused) or 3 (no connection).
"""

import csv
import os
import sys
from pathlib import Path

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client


class Refused(Exception):
    pass


async def call(client, tool, **arguments):
    while True:  # the same call joins one that is not done yet
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            raise Refused(result.content[0].text)
        if result.structured_content.get("status") not in ("checking", "in progress"):
            return result.structured_content


async def loaded(client, **arguments):
    job_id = (await call(client, "create-ingest-job", **arguments))["id"]
    job = await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "UploadComplete"}, waitSeconds=45)
    while job["state"] not in ("JobComplete", "Failed", "Aborted"):
        job = await call(client, "get-ingest-job-status", jobId=job_id, waitSeconds=45)
    print(job["summary"])
    return job


async def failed_rows(client, job, file, again=True):
    """Send the rows once more that may succeed then, write the others beside the file, and return their number."""
    if job["state"] != "JobComplete" or not job["numberRecordsFailed"]:
        return int(job["state"] != "JobComplete")
    causes = (await call(client, "get-failed-results-ingest-job", jobId=job["id"], limit=1))["causes"]
    passing = sorted({cause["statusCode"] for cause in causes if cause["retryable"] and again})
    left = sorted({cause["statusCode"] for cause in causes} - set(passing))
    failed = written = 0
    if passing:
        body = {name: job[name] for name in ("object", "operation", "externalIdFieldName") if name in job}
        rows = {"jobs": [job["id"]], "where": {"statusCode": passing}}
        retry = await loaded(client, body=body, data={"rowsOf": rows})
        failed = await failed_rows(client, retry, file, again=False)
    uri = f"salesforce-bulk://jobs/{job['id']}/failed-results?columns=sf__Line&statusCode={','.join(left)}&limit=1000"
    while left:
        page = (await client.read_resource(f"{uri}&offset={written}")).contents[0].text
        count = len(list(csv.reader(page.splitlines(keepends=True)))) - 1
        if not count:
            break
        with file.with_name(f"{file.stem}-failed-{job['id']}.csv").open("a" if written else "w", newline="") as out:
            out.write(page.split("\n", 1)[1] if written else page)
        written += count
    return failed + written


async def load(client, recipe, file):
    data = {"recipe": recipe, "file": file}
    checked = await call(client, "create-ingest-job", data=data, dryRun=True)
    if errors := [finding["what"] for finding in checked["findings"] if finding["level"] == "error"]:
        raise Refused("\n".join([checked["summary"], *errors]))
    failed = 0
    for part in range(1, checked.get("of", 1) + 1):
        job = await loaded(client, data=data, part=part, sha256=checked["sha256"])
        failed += await failed_rows(client, job, Path(file))
    return int(failed > 0)


async def main(recipe, file, *options):
    server = StdioServerParameters(command="salesforce-bulk-ingest", args=["stdio", *options], env=dict(os.environ))
    async with Client(stdio_client(server)) as client:
        try:
            return await load(client, recipe, file)
        except OSError as unwritten:
            print(f"rows failed, and are not written: {unwritten}", file=sys.stderr)
            return 1
        except Refused as refused:
            print(refused, file=sys.stderr)
            return 3 if str(refused).startswith(("SERVER_UNAVAILABLE", "INVALID_SESSION_ID")) else 2


code = 3
try:
    code = anyio.run(main, *sys.argv[1:])
except* (OSError, MCPError) as lost:
    print(f"no connection: {lost.exceptions[0]}", file=sys.stderr)
sys.exit(code)
