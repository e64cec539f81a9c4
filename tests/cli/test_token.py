"""The commands for named tokens."""

import json
import re
from pathlib import Path

from inline_snapshot import snapshot

from tests.cli.conftest import RunHere
from tests.support.commands import Environ

TOKEN = re.compile(r"sbi_[\w-]{43}")


def file_of(environ: Environ) -> Path:
    return Path(environ["XDG_CONFIG_HOME"]) / "salesforce-bulk-ingest" / "callers.json"


def test_a_token_is_shown_once_listed_by_its_name_and_revoked(run_here: RunHere, environ: Environ) -> None:
    first = run_here("token", "add", "ann")
    assert (first.returncode, TOKEN.sub("TOKEN", first.stdout)) == snapshot(
        (
            0,
            """\
TOKEN
It is not shown again. Callers send it as the header `Authorization: Bearer ...`.
From the next start of `serve` on, no call without a token is answered.
""",
        )
    )
    second = run_here("token", "add", "bob", "--read-only")
    assert TOKEN.sub("TOKEN", second.stdout) == snapshot("""\
TOKEN
It is not shown again. Callers send it as the header `Authorization: Bearer ...`.
""")
    listed = run_here("token", "list").stdout
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", listed) == snapshot("""\
ann  reads and writes, since DAY
bob  reads, since DAY
""")
    kept = file_of(environ).read_text()
    assert not any(TOKEN.findall(text) for text in (listed, kept))
    assert run_here("token", "revoke", "ann").stdout == "ann is revoked.\n"
    assert [one["name"] for one in json.loads(file_of(environ).read_text())["tokens"]] == ["bob"]


def test_a_door_that_lets_nobody_in_any_more_is_told(run_here: RunHere, environ: Environ) -> None:
    run_here("token", "add", "ann")
    revoked = run_here("token", "revoke", "ann").stdout
    assert revoked.replace(str(file_of(environ)), "FILE") == snapshot("""\
ann is revoked.
It was the last: `serve` now answers nobody by a named token. `salesforce-bulk-ingest token add NAME` makes another; or remove FILE and start `serve` again, to ask callers for none.
""")
    listed = " ".join(run_here("token", "list").stdout.split())
    assert listed.endswith(f"`serve` asks callers for one as long as {file_of(environ)} exists.")
    assert "callers        nobody by a named token (all are revoked)" in run_here("check", "--emulator").stdout


def test_another_file_is_named_by_flag_or_variable(run_here: RunHere, environ: Environ, tmp_path: Path) -> None:
    run_here("token", "add", "ann", "--token-file", str(tmp_path / "a.json"))
    run_here("token", "add", "bob", more={"BULK_INGEST_TOKEN_FILE": str(tmp_path / "a.json")})
    listed = run_here("token", "list", "--token-file", str(tmp_path / "a.json")).stdout
    assert re.findall(r"^\w+", listed, re.MULTILINE) == ["ann", "bob"]
    assert not file_of(environ).exists()


def test_what_can_not_be_done_is_one_line(run_here: RunHere, environ: Environ) -> None:
    assert run_here("token", "list").stdout == snapshot(
        "There are no tokens; `salesforce-bulk-ingest token add NAME` makes one.\n"
    )
    run_here("token", "add", "ann")
    ended = [run_here("token", *more) for more in (("add", "ann"), ("add", "an n"), ("revoke", "bob"), ("add",))]
    assert {end.returncode for end in ended} == {2}
    assert [end.stderr.replace(str(file_of(environ)), "FILE") for end in ended] == snapshot(
        [
            "salesforce-bulk-ingest: There is a token ann already: revoke it, or choose another name.\n",
            "salesforce-bulk-ingest: A token's name has at most 64 letters, digits, and . _ @ - after the first of them.\n",
            "salesforce-bulk-ingest: There is no token of that name in FILE.\n",
            "salesforce-bulk-ingest: Missing argument 'NAME'. See `salesforce-bulk-ingest token add --help`.\n",
        ]
    )


def test_the_command_without_another_shows_what_there_is_and_nothing_else(run_here: RunHere) -> None:
    done = run_here("token")
    assert (done.returncode, done.stderr) == (2, "")
    assert all(command in done.stdout for command in ("add", "list", "revoke"))
