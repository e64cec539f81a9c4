"""Mistakes of settings as the user reads them on the screen, and secrets in wrong places, which no screen shows."""

import json
import socket
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.settings import ENV_NAMES, FILE_NAMES, FLAGS
from tests.cli.conftest import RunHere
from tests.support.commands import Environ, anonymous, write_settings

MARK = "5EC2E7"
ACCESS_TOKEN = f"00D000000000001!{MARK}.{MARK}"
REFRESH_TOKEN = f"5Aep861.{MARK}." + "x" * 72
CLIENT_SECRET = MARK * 11
PRIVATE_KEY = f"-----BEGIN PRIVATE KEY-----\n{MARK}/" + "x" * 300 + "\n-----END PRIVATE KEY-----\n"
EMULATOR_OPTIONS = (
    "--data-dir",
    "--schema",
    "--faults",
    "--public-key",
    "--assume",
    "--limit",
    "--callback-url",
    "--allowed-host",
    "--seed",
)
SECRET_TEXTS = {
    "access token": ACCESS_TOKEN,
    "quoted token": f'"{ACCESS_TOKEN}"',
    "line of a shell": f"export SALESFORCE_AUTOMATION_API_KEY={ACCESS_TOKEN}",
    "header": f"Authorization: Bearer {ACCESS_TOKEN}",
    "URL": f"https://acme.my.salesforce.com/secur/frontdoor.jsp?sid={ACCESS_TOKEN}",
    "refresh token": REFRESH_TOKEN,
    "client secret": CLIENT_SECRET,
    "private key": PRIVATE_KEY,
}

each_secret = pytest.mark.parametrize(
    "secret",
    [
        pytest.param(secret, id=name, marks=() if name == "access token" else pytest.mark.slow)
        for name, secret in SECRET_TEXTS.items()
    ],
)


Run = tuple[list[str], Environ, str]
"""The options of `check`, its environment, and the text of its settings file."""


def _places_shown(run_here: RunHere, folder: Path, runs: dict[str, Run]) -> list[str]:
    """The names of the runs of `check` that show a secret, on the screen or as the name of a file."""
    places = []
    for place, (args, more, text) in runs.items():
        write_settings(more, text)
        done = run_here("check", *args, more=more)
        names = "".join(map(str, folder.rglob("*")))
        if MARK in done.stdout + done.stderr + names:
            places.append(f"{place}: {done.stdout}{done.stderr}")
    return places


@each_secret
def test_a_secret_in_a_wrong_variable_is_not_shown(
    secret: str, run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    runs: dict[str, Run] = {env: ([], environ | {env: secret}, "") for env in ENV_NAMES.values()}
    assert _places_shown(run_here, tmp_path, runs) == []


@each_secret
def test_a_secret_in_a_wrong_place_of_the_file_is_not_shown(
    secret: str, run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    text = json.dumps(secret)
    texts = {name: f"{name} = {text}" for name in FILE_NAMES}
    texts |= {f"{name} of an org": f"[orgs.uat]\n{name} = {text}" for name in FILE_NAMES}
    texts |= {
        "a name": f"{text} = 1",
        "a table": f"[{text}]",
        "a table of an org": f"[orgs.{text}]",
        "a name of an org": f"[orgs.uat]\n{text} = 1",
        "a list": f"upload_roots = [{text}]",
        "no TOML": f"access_token = {secret}",
        "no quote": f"access_token = {text[:-1]}",
        "twice": f"[{text}]\n[{text}]",
        "twice in braces": f"x = {{{text} = 1, {text} = 2}}",
        "text alone": secret,
    }
    runs: dict[str, Run] = {
        place: (["--org", "uat"] if "of an org" in place else [], environ, text) for place, text in texts.items()
    }
    assert _places_shown(run_here, tmp_path, runs) == []


@each_secret
def test_a_secret_in_a_wrong_option_is_not_shown(
    secret: str, run_here: RunHere, environ: Environ, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        ends = ["--mcp-port", str(busy.getsockname()[1])]  # so that `serve` ends where it takes the option
        options: list[list[str]] = [
            *(["serve", flag.name, secret, *ends] for flag in FLAGS.values()),
            *(["serve", f"{flag.name}={secret}", *ends] for flag in FLAGS.values()),
            *(["serve", "--emulator", name, secret, *ends] for name in ("--data-dir", "--schema")),
            *(["emulator", name, secret, "--port", ends[1]] for name in EMULATOR_OPTIONS),
            *([command, secret] for command in ("serve", "emulator", "demo", "config", "check", "login", "logout")),
            *([command, f"--{secret}"] for command in ("serve", "config")),
            ["config", "--org", secret], ["login", "--org", secret], ["logout", "--org", secret], ["config", "--upload-root", secret], ["emulator", "--assume", f"{secret}=never"],
            ["emulator", "--limit", f"daily_batches={secret}"], [secret], [f"--{secret}"],
        ]  # fmt: skip
        shown = []
        for args in options:
            done = run_here(*args)
            if MARK in done.stdout + done.stderr + "".join(map(str, tmp_path.rglob("*"))):
                shown.append(f"{[arg for arg in args if arg != secret]}: {done.stdout}{done.stderr}")
    assert shown == []


def test_each_mistake_is_one_line_that_says_where_it_is_and_what_to_write(run_here: RunHere, environ: Environ) -> None:
    mistakes: list[tuple[Environ, str]] = [
        ({"SALESFORCE_INSTANCE": "acme"}, ""),
        ({"SALESFORCE_INSTANCE": "acme--uat"}, ""),
        ({"SALESFORCE_INSTANCE": "acme.my.salesforce.com/"}, ""),
        ({"SALESFORCE_INSTANCE": "acme.lightning.force.com"}, ""),
        ({"SALESFORCE_INSTANCE_URL": "https://acme.my.site.com"}, ""),
        ({"SALESFORCE_INSTANCE_URL": "https://acme--uat.sandbox.lightning.force.com/lightning/page/home"}, ""),
        ({"SALESFORCE_INSTANCE": "test"}, ""),
        ({"SALESFORCE_AUTOMATION_API_KEY": f'"{ACCESS_TOKEN}"'}, ""),
        ({"SALESFORCE_AUTOMATION_API_KEY": f"Bearer {ACCESS_TOKEN}"}, ""),
        ({"SALESFORCE_AUTOMATION_API_KEY": f"{ACCESS_TOKEN}%"}, ""),
        ({"SALESFORCE_ORG": ACCESS_TOKEN}, ""),
        ({"SALESFORCE_JWT_KEY_FILE": PRIVATE_KEY}, ""),
        ({}, f'access_token = "export SALESFORCE_AUTOMATION_API_KEY={ACCESS_TOKEN}"'),
        ({}, f"access_token = {ACCESS_TOKEN}"),
        ({}, f"access_token = “{ACCESS_TOKEN}”"),
        ({}, 'INSTANCE = "acme.my"'),
        ({}, 'SALESFORCE_INSTANCE = "acme.my"'),
        ({}, f'access-token = "{ACCESS_TOKEN}"'),
        ({}, f'"{ACCESS_TOKEN}" = ""'),
    ]
    ends = []
    for more, text in mistakes:
        write_settings(environ, text)
        ends.append(run_here("check", more=more))
    assert {(end.returncode, end.stdout) for end in ends} == {(2, "")}
    assert [anonymous(end.stderr, environ).removeprefix("salesforce-bulk-ingest: ") for end in ends] == snapshot(
        [
            "SALESFORCE_INSTANCE: expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com, not 'acme'; did you mean 'acme.my'?\n",
            "SALESFORCE_INSTANCE: expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com, not 'acme--uat'; did you mean 'acme--uat.sandbox.my'?\n",
            "SALESFORCE_INSTANCE: expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com, not 'acme.my.salesforce.com'; did you mean 'acme.my'?\n",
            "SALESFORCE_INSTANCE: 'acme.lightning.force.com' shows pages and has no API: expected a My Domain name such as acme.my; did you mean 'acme.my'?\n",
            "SALESFORCE_INSTANCE_URL: 'acme.my.site.com' shows pages and has no API: expected a My Domain name such as acme.my; did you mean 'acme.my'?\n",
            "SALESFORCE_INSTANCE_URL: expected scheme and host only, such as https://acme.my.salesforce.com; did you mean 'acme--uat.sandbox.my'?\n",
            "SALESFORCE_INSTANCE: 'test' is a login host and no org: expected a My Domain name such as acme.my; login_url names the login host.\n",
            "SALESFORCE_AUTOMATION_API_KEY: expected an access token: one word of plain characters, without quotes or brackets around it.\n",
            "SALESFORCE_AUTOMATION_API_KEY: expected an access token: one word of plain characters, without the words before it, such as Bearer.\n",
            "SALESFORCE_AUTOMATION_API_KEY: expected an access token: one word of plain characters, without the % after it, by which a shell shows that no line break followed.\n",
            "SALESFORCE_ORG: that may be a secret, and would be shown; an access token is for access_token (SALESFORCE_AUTOMATION_API_KEY).\n",
            "SALESFORCE_JWT_KEY_FILE: expected the path of a file, not the text that is in it.\n",
            "access_token in /home/me/config/salesforce-bulk-ingest/settings.toml: expected an access token: one word of plain characters, not a whole line: it is what stands after the =.\n",
            '/home/me/config/salesforce-bulk-ingest/settings.toml is not TOML: Expected newline or end of document after a statement (at line 1, column 17); texts stand in straight quotes, as in instance = "acme.my".\n',
            '/home/me/config/salesforce-bulk-ingest/settings.toml is not TOML: Invalid value (at line 1, column 16); texts stand in straight quotes, as in instance = "acme.my".\n',
            "/home/me/config/salesforce-bulk-ingest/settings.toml: 'INSTANCE' is not a setting; did you mean 'instance'?\n",
            "/home/me/config/salesforce-bulk-ingest/settings.toml: 'SALESFORCE_INSTANCE' is not a setting; did you mean 'instance'?\n",
            "/home/me/config/salesforce-bulk-ingest/settings.toml: 'access-token' is not a setting; did you mean 'access_token'?\n",
            "/home/me/config/salesforce-bulk-ingest/settings.toml: a name that may be a secret is not a setting; see the table in docs/configuration.md.\n",
        ]
    )


def test_each_mistake_about_callers_and_rails_is_one_line_too(run_here: RunHere) -> None:
    mistakes: list[list[str]] = [
        ["--mcp-port", "abc"],
        ["--max-job-rows", "10,000"],
        ["--max-job-bytes", "5MB"],
        ["--max-connections", "0"],
        ["--oauth-issuer", "login.example"],
        ["--oauth-issuer", "https://login.example"],
        ["--public-url", "https://bulk.example/mcp"],
        ["--allowed-host", "http://bulk.example"],
        ["--allowed-origin", "*"],
        ["--token-file", ""],
        ["--audit", ""],
        ["--audit", "stdout"],
        ["--confirm", "none", "--confirm", "delete"],
        ["--confirm", "production update >= 1000"],
        ["--confirm-without-dialog", "yes"],
        ["--allow-operation", "deletes"],
        ["--allow-object", "Account,Contact"],
        ["--deny-field", "Account.Owner.Id"],
        ["--hide-field", ""],
    ]
    ends = [run_here("check", "--emulator", *args) for args in mistakes]
    assert {(end.returncode, end.stdout) for end in ends} == {(2, "")}
    assert [end.stderr.removeprefix("salesforce-bulk-ingest: ") for end in ends] == snapshot(
        [
            "--mcp-port: expected a whole number, in digits alone, such as 9090.\n",
            "--max-job-rows: expected a whole number, in digits alone, such as 0.\n",
            "--max-job-bytes: expected a whole number, in digits alone, such as 0.\n",
            "--max-connections: expected 1 or more.\n",
            "--oauth-issuer: expected a URL such as https://login.example (http:// for this machine only).\n",
            "--oauth-issuer: public_url (BULK_INGEST_PUBLIC_URL) belongs to it, and is missing: tokens have to be for this server.\n",
            "--public-url: expected scheme and host and nothing after, such as https://bulk.example (http:// for this machine only, so that no token travels in clear).\n",
            "--allowed-host: expected a name as in a Host header, such as bulk.example or bulk.example:8443.\n",
            "--allowed-origin: expected scheme and host and nothing after, such as https://app.example or http://localhost:3000.\n",
            "--token-file: expected the path of a file.\n",
            "--audit: expected a text that is not empty.\n",
            "--audit: expected the path of a file, or stderr.\n",
            "--confirm: expected an operation such as delete, or production update > 1000, or none as the only one.\n",
            "--confirm: expected an operation such as delete, or production update > 1000, or none as the only one.\n",
            "--confirm-without-dialog: expected 'sentence', 'operator' or 'refuse'.\n",
            "--allow-operation: expected 'delete' or 'hardDelete'.\n",
            "--allow-object: expected the API name of one object, such as Account or *__c.\n",
            "--deny-field: expected the name of one field, such as SSN__c, *Email* or Contact.*Email*.\n",
            "--hide-field: expected the name of one field, such as SSN__c, *Email* or Contact.*Email*.\n",
        ]
    )


def test_a_file_in_utf_16_is_named_and_a_byte_order_mark_of_utf_8_is_read_over(
    run_here: RunHere, environ: Environ
) -> None:
    file = write_settings(environ, "")
    file.write_bytes("read_only = true".encode("utf-16"))
    assert anonymous(run_here("check").stderr, environ) == snapshot(
        "salesforce-bulk-ingest: /home/me/config/salesforce-bulk-ingest/settings.toml is not TOML: it is saved as UTF-16 and has to be saved as UTF-8.\n"
    )
    file.write_bytes("read_only = true".encode("utf-8-sig"))
    assert "policy         read-only" in run_here("check").stdout


def test_a_cli_that_is_nowhere_is_told_in_the_check(run_here: RunHere, environ: Environ, tmp_path: Path) -> None:
    more = {"PATH": str(tmp_path / "none"), "SALESFORCE_ORG": "acme", "SALESFORCE_CLI": "no-such-sf"}
    done = run_here("check", more=more)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == snapshot(
        "wrong: The Salesforce CLI ('no-such-sf') is neither on the PATH of this program nor where it is usually installed: install it, or name its full path in SALESFORCE_CLI."
    )
