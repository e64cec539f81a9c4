"""The command `demo`: the main job on the embedded org, as a newcomer sees it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from tests.cli.conftest import RunHere
from tests.support.commands import Environ, anonymous, everything_points_to_a_listener, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def _normal(done: subprocess.CompletedProcess[str], environ: Environ) -> str:
    text = anonymous(done.stdout, environ).replace(sys.executable, "python")
    text = re.sub(r"\b750[0-9A-Za-z]{15}\b", "750...", text)
    # Results come in no promised order, so the first row of an error group is another one each time.
    text = re.sub(r"such as CRM-\d{5}:", "such as CRM-...:", text)
    return re.sub(r"(Due to|invalid email address)[,:] .+", r"\1 ...", text)


def test_the_demo_does_the_main_job_and_calls_nothing_that_the_environment_names(
    run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    with everything_points_to_a_listener(environ, tmp_path) as pointed:
        done = run_here("demo", more=pointed)
    assert (done.returncode, done.stderr) == (0, "")
    assert _normal(done, environ) == snapshot("""\
org   http://127.0.0.1:PORT
MCP   http://127.0.0.1:PORT/mcp
REST  http://127.0.0.1:PORT/v1

create-ingest-job
  Created job 750... (insert Contact) in embedded org; it is Open and has no rows yet.
upload-data-ingest-job
  Uploaded 240 rows, 38,510 bytes, to job 750... in embedded org; nothing is loaded until the job is closed. 5 warnings. Checked: file, columns, cells, repeated External_Id__c; not looked for: existing records.
  loading ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 240/240 rows
close-abort-ingest-job
  Closed the job. Job 750... (insert Contact) in embedded org is JobComplete: 240 rows processed, 11 of them failed. New records: 229.

Why 11 rows failed
  4 x REQUIRED_FIELD_MISSING on LastName, such as CRM-...:
      Required fields are missing: [LastName]
  3 x INVALID_FIELD on Birthdate, such as CRM-...:
      Failed to deserialize field at col 12. Due to ...
  2 x INVALID_EMAIL_ADDRESS on Email, such as CRM-...:
      Email: invalid email address ...
  1 x DUPLICATE_VALUE, such as CRM-...:
      duplicate value found: External_Id__c duplicates value on record with id: <unknown>
  1 x STRING_TOO_LONG on Phone, such as CRM-...:
      Business Phone: data value too large: +33 4 72 10 55 12 (reception, ask for extension 4471, not before 10 am) (max length=40)

The failed rows, corrected and sent again
  6 cells are corrected on the way, in Birthdate, Email, Phone.

create-ingest-job
  Created the job. Uploaded 11 rows, 1,886 bytes, to job 750... in embedded org; nothing is loaded until the job is closed. 1 warning.
close-abort-ingest-job
  Closed the job. Job 750... (insert Contact) in embedded org is JobComplete: 11 rows processed, 5 of them failed. Rows from job 750.... New records: 6.

Left for a person to decide
  4 x REQUIRED_FIELD_MISSING, 1 x DUPLICATE_VALUE

curl http://127.0.0.1:PORT/v1/jobs/ingest/750...
  JobComplete: 240 rows processed, 11 failed

SELECT COUNT() FROM Contact
  235

The org is gone now. Next:
  python -m salesforce_bulk_ingest serve --emulator   both ports, with an org to try things on
  python -m salesforce_bulk_ingest emulator           the org alone, for your own loader
  python -m salesforce_bulk_ingest config --emulator  the entry for Claude Desktop, Claude Code, VS Code, Cursor
  python -m salesforce_bulk_ingest check              your own org: what is set, what is missing
""")
    assert list(Path(environ["TMPDIR"]).iterdir()) == []
    assert list(Path(environ["HOME"]).iterdir()) == []


@pytest.mark.slow
def test_a_demo_that_is_interrupted_ends_at_once_and_leaves_nothing_behind(environ: Environ) -> None:
    with started(environ, "demo", until="create-ingest-job") as demo:
        assert demo.end(signal.SIGINT) == (130, "salesforce-bulk-ingest: interrupted; the demo's org is gone.\n")
    assert list(Path(environ["TMPDIR"]).iterdir()) == []


def test_the_demo_needs_none_of_the_tokens_of_its_user(run_here: RunHere) -> None:
    run_here("token", "add", "ann")
    assert run_here("demo").returncode == 0
