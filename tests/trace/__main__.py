"""Print the path of two calls through the product: the upload of a small file, and a page of failed rows.

Each function is printed at its first visit, in order, under its file; a file is named again when the path comes back to
it. The last lines of each call name the folders in the order in which they are entered, and count the files and the
changes from one folder to another.
"""

import tempfile
from pathlib import Path

import anyio

from tests.support.orgs import agent, call, closed, emulator
from tests.trace.recorder import Recorder, Trace

ROWS = "Name,BillingCity\nAcme,Oslo\n,Lyon\nGlobex,Turin\n"


async def traced_calls(org_url: str, folder: Path, recorder: Recorder) -> dict[str, Trace]:
    """Make both calls, and return their traces by name.

    Args:
        org_url: base URL of an embedded org.
        folder: folder for the file that is uploaded.
        recorder: recorder that has been installed.
    """
    (folder / "rows.csv").write_text(ROWS)
    async with agent(org_url, upload_roots=(folder,)) as client:
        create = {"body": {"object": "Account", "operation": "insert"}}
        job_id = (await call(client, "create-ingest-job", **create))["id"]
        with recorder.recording() as upload:
            await call(client, "upload-data-ingest-job", jobId=job_id, body={"file": str(folder / "rows.csv")})
        await closed(client, job_id)
        with recorder.recording() as page:
            await call(client, "get-failed-results-ingest-job", jobId=job_id)
    return {"upload of a file of three rows": upload, "page of failed rows": page}


def report(name: str, trace: Trace) -> None:
    """Print one trace."""
    print(f"{name}\n")
    file = None
    for visit in trace.visits:
        if visit.file != file:
            file = visit.file
            print(f"  {file}")
        print(f"      {visit.function}")
    functions = len(trace.visits)
    print(f"\n{name} enters: {', '.join(map(str, trace.folders))}")
    print(f"{name}: {functions} functions, {len(trace.files)} files, {trace.folder_changes} changes of folder\n")


def main() -> None:
    """Trace both calls and print them."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder, emulator(Path(folder)) as org_url:
        recorder.install()  # the org's own thread began earlier, and so is not watched
        traces = anyio.run(traced_calls, org_url, Path(folder), recorder)
    for name, trace in traces.items():
        report(name, trace)


if __name__ == "__main__":
    main()
