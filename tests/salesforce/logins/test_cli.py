"""The login of the CLI, by a stand-in script."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.cli import CliLogin
from salesforce_bulk_ingest.salesforce.session import Session
from tests.salesforce.calls import SESSION_EXPIRED
from tests.salesforce.upstream import (
    JOB,
    JOB_ID,
    Answer,
    Upstream,
    client_of,
    served,
)
from tests.support.canary import TOKEN

Sf = Callable[..., CliLogin]
DISPLAY = ("org", "display", "--json", "--target-org", "acme")
SHOW_TOKEN = ("org", "auth", "show-access-token", "--json", "--target-org", "acme")


def _answer(**result: object) -> str:
    return json.dumps({"status": 0, "result": result})


@pytest.fixture
def sf(tmp_path: Path) -> Sf:
    """Makes a login from a stand-in for the CLI, which logs how it was called and answers as the real one does."""

    def make(
        display: str = _answer(instanceUrl="https://acme.my.salesforce.com", alias="acme"),
        token: str = _answer(accessToken=TOKEN),
        code: int = 0,
        before: str = "",
    ) -> CliLogin:
        (tmp_path / "display").write_text(display)
        (tmp_path / "token").write_text(token)
        script = tmp_path / "sf"
        script.write_text(
            f'#!/bin/sh\ncd "{tmp_path}"\necho "$@" >> calls\n{before}\n'
            f'echo "Warning: {TOKEN}" >&2\n'
            f'case "$2" in display) cat display;; *) cat token;; esac\nexit {code}\n'
        )
        script.chmod(0o755)
        return CliLogin("acme", str(script))

    return make


def _calls(folder: Path) -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in (folder / "calls").read_text().splitlines()]


async def test_the_cli_gives_the_host_and_the_token(sf: Sf, tmp_path: Path) -> None:
    first = await sf().log_in()
    assert (first.instance_url, first.access_token.get_secret_value()) == ("https://acme.my.salesforce.com", TOKEN)
    assert _calls(tmp_path) == [DISPLAY, SHOW_TOKEN]


async def test_a_session_that_ended_is_renewed_through_the_cli(sf: Sf, tmp_path: Path) -> None:
    def other_token() -> None:
        (tmp_path / "token").write_text(_answer(accessToken=f"{TOKEN}2"))

    upstream = Upstream([SESSION_EXPIRED, Answer.of(JOB)], before_answer=other_token)
    with served(upstream) as url:
        async with anyio.create_task_group() as tasks:
            session = Session(sf(display=_answer(instanceUrl=url)), SharedTasks(tasks), lambda: 0.0)
            async with client_of(session) as client:
                assert (await client.get_job(JOB_ID)).id == JOB_ID
    assert len(_calls(tmp_path)) == 4


WRONG_LOGIN = snapshot(
    "The Salesforce CLI gave no login for 'acme' (`sf org display`): run `sf org login web --alias acme` once, or choose another alias in SALESFORCE_ORG."
)


@pytest.mark.parametrize(
    "output",
    [
        "",
        f"not JSON {TOKEN}",
        f'["{TOKEN}"]',
        f'"{TOKEN}"',
        "null",
        f'{{"result": "{TOKEN}"}}',
        f'{{"accessToken": "{TOKEN}"}}',
        f'{{"result": {"[" * 50_000}{TOKEN}',
        _answer(accessToken=TOKEN),
        _answer(instanceUrl=f"http://{TOKEN}.example"),
        _answer(instanceUrl=f"https://user:{TOKEN}@acme.my.salesforce.com"),
        _answer(instanceUrl=17),
    ],
)
async def test_what_the_cli_printed_instead_of_a_login_is_never_quoted(sf: Sf, output: str) -> None:
    with pytest.raises(NoCredentials) as raised:
        await sf(display=output).log_in()
    assert str(raised.value) == WRONG_LOGIN
    assert raised.value.__cause__ is None and (raised.value.__context__ is None or raised.value.__suppress_context__)


@pytest.mark.parametrize("token", ["", "two words", "half\nline", "täken"])
async def test_a_token_that_can_not_be_one_is_no_login(sf: Sf, token: str) -> None:
    with pytest.raises(NoCredentials) as raised:
        await sf(token=_answer(accessToken=token)).log_in()
    assert str(raised.value) == WRONG_LOGIN


async def test_a_cli_that_ends_with_an_error_is_no_login(sf: Sf) -> None:
    with pytest.raises(NoCredentials) as raised:
        await sf(code=1).log_in()
    assert str(raised.value) == WRONG_LOGIN


def _program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def _installed(folder: Path) -> Path:
    """A folder with the CLI as it is installed: a script that `node` runs, which lies beside it."""
    _program(folder / "sf", "#!/usr/bin/env node\n")
    display, token = _answer(instanceUrl="https://acme.my.salesforce.com"), _answer(accessToken=TOKEN)
    _program(folder / "node", f"#!/bin/sh\ncase \"$3\" in display) echo '{display}';; *) echo '{token}';; esac\n")
    return folder


@pytest.fixture
def _short_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH as that of a desktop host: neither the CLI nor `node` is on it."""
    monkeypatch.setenv("PATH", "/no/such/folder")


@pytest.mark.usefixtures("_short_path")
async def test_a_cli_that_is_not_on_the_path_is_found_where_it_is_installed_with_its_node(tmp_path: Path) -> None:
    folder = _installed(tmp_path / "bin")
    assert (
        await CliLogin("acme", folders=[tmp_path / "none", folder]).log_in()
    ).access_token.get_secret_value() == TOKEN
    assert (await CliLogin("acme", str(folder / "sf")).log_in()).access_token.get_secret_value() == TOKEN


@pytest.mark.usefixtures("_short_path")
async def test_node_may_be_in_another_of_the_folders(tmp_path: Path) -> None:
    folder = _installed(tmp_path / "bin")
    (tmp_path / "other").mkdir()
    (folder / "node").rename(tmp_path / "other" / "node")
    given = await CliLogin("acme", folders=[folder, tmp_path / "other"]).log_in()
    assert given.access_token.get_secret_value() == TOKEN


async def _complaint(login: CliLogin, folder: Path) -> str:
    with pytest.raises(NoCredentials) as raised:
        await login.log_in()
    assert raised.value.__cause__ is None
    return str(raised.value).replace(str(folder), "/opt")


@pytest.mark.usefixtures("_short_path")
async def test_a_cli_that_does_not_run_is_told_as_what_it_is(tmp_path: Path) -> None:
    (_installed(tmp_path / "bin") / "node").unlink()
    _program(tmp_path / "broken", "no program\n" * 9)
    logins = [
        CliLogin("acme", "no-such-sf", [tmp_path / "bin"]),
        CliLogin("acme", str(tmp_path / "sf")),
        CliLogin("acme", str(tmp_path / "broken")),
        CliLogin("acme", folders=[tmp_path / "bin"]),
    ]
    assert [await _complaint(login, tmp_path) for login in logins] == snapshot(
        [
            "The Salesforce CLI ('no-such-sf') is neither on the PATH of this program nor where it is usually installed: install it, or name its full path in SALESFORCE_CLI.",
            "There is no program at '/opt/sf': name the full path of the Salesforce CLI in SALESFORCE_CLI.",
            "The Salesforce CLI ('/opt/broken') could not be started (Exec format error): install it anew, or name another in SALESFORCE_CLI.",
            "The Salesforce CLI ('/opt/bin/sf') could not be run: it needs `node` beside it or on the PATH of this program.",
        ]
    )


async def test_a_failed_login_is_tried_afresh_by_the_next_call(sf: Sf) -> None:
    login = sf(display="")
    with pytest.raises(NoCredentials):
        await login.log_in()
    sf()
    assert (await login.log_in()).instance_url == "https://acme.my.salesforce.com"


@contextmanager
def _stdin_held_open() -> Iterator[None]:
    """A stdin that gives nothing and does not end, as an MCP client's."""
    kept = os.dup(0)
    read_end, write_end = os.pipe()
    os.dup2(read_end, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, read_end, write_end):
            os.close(descriptor)


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors")
async def test_the_cli_does_not_read_what_is_meant_for_the_server(sf: Sf) -> None:
    with _stdin_held_open(), anyio.fail_after(10):
        await sf(before="cat > /dev/null").log_in()
