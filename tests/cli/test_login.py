"""The commands `login` and `logout`, as a user runs them."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID
from tests.clients.browser import installed_in
from tests.support.asgi_server import running
from tests.support.commands import Environ, Started, anonymous, fresh_environ, run, started, write_settings
from tests.support.keyrings import BACKEND, FILE
from tests.support.plain_http import blocking_http
from tests.support.web_flow import answer_of_the_user


@dataclass
class Place:
    """A machine of a user, and an org whose app may send the browser there."""

    org: str
    callback: str
    environ: Environ

    @contextmanager
    def login_begun(self, *args: str) -> Iterator[tuple[Started, str]]:
        """The command `login` at the point where it waits, and the address at which to log in."""
        settings = ("--client-id", CLIENT_ID, "--login-url", self.org, "--redirect-uri", self.callback)
        with started(self.environ, "login", *settings, *args, until="Waiting") as login:
            yield login, re.findall(r"^http\S+", login.printed, re.MULTILINE)[0]

    def log_in(self, *args: str) -> str:
        """Log in with the browser, and return what the command printed then."""
        with self.login_begun(*args) as (login, address):
            with blocking_http() as browser:
                assert browser.get(answer_of_the_user(address)).status_code == 200
            printed, errors = login.ended(30)
            assert login.process.returncode == 0, errors
        return self.shown(printed + errors)

    def run(self, *args: str) -> str:
        """Run a command, and return what it printed, and its exit code."""
        done = run(self.environ, *args)
        return self.shown(done.stdout + done.stderr + f"exit code {done.returncode}")

    def shown(self, printed: str) -> str:
        return anonymous(printed, self.environ)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        callback = f"http://localhost:{taken.getsockname()[1]}/OauthRedirect"
    config = EmulatorConfig(data_dir=tmp_path / "org", callback_urls=(callback,))
    (tmp_path / "machine").mkdir()
    with running(create_app(config)) as url:
        yield Place(url, callback, fresh_environ(tmp_path / "machine"))


@pytest.mark.slow
def test_a_login_lasts_until_it_is_ended_and_counts_for_every_command(place: Place) -> None:
    assert place.log_in() == snapshot("""\
user     admin@emulator.example
org      "Embedded org" (developer or demo org)
kept in  /home/me/state/salesforce-bulk-ingest/logins/default.json

To hold this program to this org, paste into the settings file:
expect_org = "00DEmxxxxxxxxxxxxx"
""")
    checked = place.run("check")
    assert "Nothing is wrong." in checked and "admin@emulator.example" in checked
    assert place.run("logout") == snapshot("""\
The login is removed from /home/me/state/salesforce-bulk-ingest/logins/default.json.
exit code 0\
""")
    assert "No Salesforce org is configured. Log in with `salesforce-bulk-ingest login`" in place.run("check")
    assert place.run("logout") == snapshot("""\
Nobody is logged in: `salesforce-bulk-ingest login` has saved no login.
exit code 0\
""")


@pytest.mark.slow
def test_a_login_is_ended_at_salesforce_too(place: Place) -> None:
    place.log_in()
    file = Path(place.environ["XDG_STATE_HOME"]) / "salesforce-bulk-ingest" / "logins" / "default.json"
    kept = file.read_text()
    place.run("logout")
    file.write_text(kept)
    file.chmod(0o600)
    assert "expired access/refresh token" in place.run("check")


@pytest.mark.slow
def test_the_browser_is_opened_beside_the_command_which_it_may_outlive(place: Place, tmp_path: Path) -> None:
    program, closed = tmp_path / "opened", tmp_path / "closed"
    program.write_text(f'#!/bin/sh\n{installed_in(tmp_path)} "$1"\nuntil [ -e {closed} ]; do sleep 0.1; done\n')
    program.chmod(0o700)
    place.environ["BROWSER"] = str(program)
    try:
        with place.login_begun() as (login, _):
            printed, errors = login.ended(30)
        assert (login.process.returncode, "admin@emulator.example" in printed, errors) == (0, True, "")
    finally:
        closed.touch()


@pytest.mark.slow
def test_a_login_to_another_org_than_the_expected_one_is_not_kept(place: Place) -> None:
    write_settings(place.environ, 'expect_org = "00D000000000001"')
    with place.login_begun("--no-browser") as (login, address), blocking_http() as browser:
        browser.get(answer_of_the_user(address))
        _, errors = login.ended(30)
    assert login.process.returncode == 2
    assert "expect_org is 00D000000000001, but this login opens 00DEm" in errors
    assert "Nobody is logged in" in place.run("logout")


@pytest.mark.slow
def test_a_login_that_can_not_be_ended_at_salesforce_is_removed_all_the_same(place: Place) -> None:
    place.log_in()
    file = Path(place.environ["XDG_STATE_HOME"]) / "salesforce-bulk-ingest" / "logins" / "default.json"
    file.write_text(file.read_text().replace(place.org, "http://127.0.0.1:1"))
    assert place.run("logout") == snapshot("""\
The login is removed from /home/me/state/salesforce-bulk-ingest/logins/default.json.
salesforce-bulk-ingest: warning: it could not be ended at Salesforce: revoke it there, in Setup, Connected Apps OAuth Usage.
exit code 0\
""")
    place.log_in()
    file.write_text("damaged")
    assert place.run("logout") == snapshot("""\
The login is removed from /home/me/state/salesforce-bulk-ingest/logins/default.json.
salesforce-bulk-ingest: warning: The saved login in /home/me/state/salesforce-bulk-ingest/logins/default.json is damaged: log in again.
salesforce-bulk-ingest: warning: it could not be ended at Salesforce: revoke it there, in Setup, Connected Apps OAuth Usage.
exit code 0\
""")
    assert not file.exists()


@pytest.mark.slow
def test_a_login_in_the_keyring_of_the_system_leaves_no_file(place: Place, tmp_path: Path) -> None:
    place.environ |= {"PYTHON_KEYRING_BACKEND": BACKEND, FILE: str(tmp_path / "keyring"), "PYTHONPATH": str(Path.cwd())}
    assert "kept in  the system's keyring" in place.log_in()
    assert "Nothing is wrong." in place.run("check")
    state = Path(place.environ["XDG_STATE_HOME"])
    assert [file.name for file in state.rglob("*.json")] == ["default.json"]
    assert not any("refresh_token" in file.read_text() for file in state.rglob("*.json"))
    assert "The login is removed from the system's keyring." in place.run("logout")


@pytest.mark.slow
def test_a_denied_login_and_one_that_nobody_began_are_told(place: Place) -> None:
    with place.login_begun() as (login, address), blocking_http() as browser:
        foreign = browser.get(place.callback, params={"code": "THEIRS", "state": "guessed"})
        assert foreign.status_code == 400
        browser.get(answer_of_the_user(address, allow=False))
        _, errors = login.ended(30)
    assert (login.process.returncode, errors) == snapshot(
        (
            2,
            "salesforce-bulk-ingest: Access was denied: log in again and press Allow, or ask the org's administrator to let you use the app.\n",
        )
    )
    assert "exit code 0" in place.run("logout")


@pytest.mark.slow
def test_ctrl_c_ends_a_login_that_waits(place: Place) -> None:
    with place.login_begun() as (login, _):
        assert login.printed.endswith("Waiting for the browser, 5 minutes at most; Ctrl-C ends it.\n")
        assert login.end(signal.SIGINT) == (130, "")


def test_a_login_that_can_not_begin_says_why_on_one_line(place: Place) -> None:
    assert place.run("login") == snapshot("""\
salesforce-bulk-ingest: --client-id is missing: name the consumer key of the app to log in with (docs/credentials.md says how to make one).
exit code 2\
""")
    assert place.run("login", "--client-id", "x", "--redirect-uri", "https://example.com/x") == snapshot("""\
salesforce-bulk-ingest: --redirect-uri: expected a URL of this machine, such as http://localhost:PORT/OauthRedirect, as it is among the app's callback URLs.
exit code 2\
""")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        uri = f"http://localhost:{taken.getsockname()[1]}/x"
        assert place.run("login", "--client-id", "x", "--redirect-uri", uri) == snapshot("""\
salesforce-bulk-ingest: 127.0.0.1:PORT is in use by another program: stop it or choose another --redirect-uri, and add it to the callback URLs of the app.
exit code 2\
""")


@pytest.mark.slow
def test_a_login_beside_another_way_says_that_it_does_not_count(place: Place) -> None:
    write_settings(place.environ, f"instance_url = '{place.org}'\naccess_token = '00D!A.TOKEN'")
    assert "this login counts only where nothing else is set: take access_token" in place.log_in()
