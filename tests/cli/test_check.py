"""The command `check`: what it shows of settings, org and ports, and what it says is wrong."""

import json
import math
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from inline_snapshot import snapshot
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount

from salesforce_bulk_ingest.cli.check import check_up
from salesforce_bulk_ingest.local_paths import LocalPaths
from salesforce_bulk_ingest.serving.host_guard import AllowedCallers, HostGuard
from salesforce_bulk_ingest.settings import Settings
from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.cli.conftest import RunHere
from tests.support.asgi_server import running
from tests.support.canary import TOKEN
from tests.support.commands import (
    Environ,
    anonymous,
    write_settings,
)


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, no two of them the same."""
    with ExitStack() as taken:
        sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


def screen_lines(text: str) -> int:
    """How many lines of a terminal with 80 columns the text takes."""
    return sum(max(math.ceil(len(line) / 80), 1) for line in text.splitlines())


class Check(Protocol):
    """Runs `check` on free ports and returns its exit code and what it printed."""

    def __call__(self, *args: str, **environ: str) -> tuple[int, str]: ...


@pytest.fixture
def check(run_here: RunHere, environ: Environ) -> Check:
    def run(*args: str, **more: str) -> tuple[int, str]:
        mcp_port, rest_port = map(str, free_ports(2))
        ports = {"BULK_INGEST_MCP_PORT": mcp_port, "BULK_INGEST_REST_PORT": rest_port}
        done = run_here("check", *args, more=ports | more)
        assert done.stderr == ""
        assert screen_lines(done.stdout) <= 24
        assert "SECRET" not in done.stdout
        return done.returncode, anonymous(done.stdout, environ)

    return run


def test_check_with_nothing_set_says_what_to_do(check: Check) -> None:
    code, printed = check()
    assert (code, printed) == snapshot(
        (
            1,
            """\
version        1.2.3, API version 63.0
settings file  ~/config/salesforce-bulk-ingest/settings.toml (not there)
org            none
policy         read and write; refused operations: delete but to undo, hardDelete
confirmation   delete, hardDelete, production update > 1000, production upsert > 1000: by a dialog, else a repeated sentence
audit          ~/state/salesforce-bulk-ingest/audit.jsonl
files          none are read: no --upload-root is named, and it was started in a home or above one
callers        anyone on this machine
ports          MCP 127.0.0.1:PORT is free, REST 127.0.0.1:PORT is free

wrong: No Salesforce org is configured. Log in with `salesforce-bulk-ingest login`, or set SALESFORCE_ORG (a login of the Salesforce CLI), or SALESFORCE_INSTANCE (such as acme.my) and SALESFORCE_AUTOMATION_API_KEY (a token); in /home/me/config/salesforce-bulk-ingest/settings.toml these are org, instance and access_token. docs/credentials.md has every way; --emulator tries it without an org.
""",
        )
    )


def test_check_of_the_embedded_org_finds_nothing_wrong(check: Check) -> None:
    code, printed = check("--emulator", SALESFORCE_INSTANCE_URL="http://127.0.0.1:1")
    assert (code, printed) == snapshot(
        (
            0,
            """\
version        1.2.3, API version 63.0
settings file  ~/config/salesforce-bulk-ingest/settings.toml (not there)
org's folder   ~/data/salesforce-bulk-ingest/org (not there yet: `stdio --emulator` makes it at its first start)
org            embedded org
user           "Administrator" ("admin@emulator.example")
ingest jobs    0 on the first page
limits         99,998 of 100,000 API requests and 15,000 of 15,000 batches left for 24 hours
permissions    API Enabled: yes, Bulk API Hard Delete: yes
policy         read and write; refused operations: none
confirmation   none is asked for
audit          in the folder of the embedded org
files          none are read: no --upload-root is named, and it was started in a home or above one
callers        anyone on this machine
ports          MCP 127.0.0.1:PORT is free, REST 127.0.0.1:PORT is free

Nothing is wrong.
""",
        )
    )


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (
            Response("Another program."),
            snapshot(
                (
                    1,
                    """\
ports          MCP 127.0.0.1:PORT is in use, REST 127.0.0.1:PORT is in use, embedded org 127.0.0.1:PORT is in use

wrong: 127.0.0.1:PORT is in use by another program: stop it or choose another --mcp-port.

wrong: 127.0.0.1:PORT is in use by another program: stop it or choose another --rest-port.

wrong: 127.0.0.1:PORT is in use by another program: stop it or choose another --emulator-port.
""",
                )
            ),
        ),
        (
            JSONResponse({"status": "live"}),
            snapshot(
                (
                    0,
                    """\
ports          MCP 127.0.0.1:PORT is in use by a server like this, REST 127.0.0.1:PORT is in use by a server like this, embedded org 127.0.0.1:PORT is in use by a server like this

Nothing is wrong.
""",
                )
            ),
        ),
    ],
    ids=["another program", "a server like this"],
)
def test_ports_that_another_program_has_are_problems_with_the_options_that_choose_others(
    answer: Response, ends: tuple[int, str], run_here: RunHere, environ: Environ
) -> None:
    app = Starlette(routes=[Mount("/", answer)])
    with running(app) as mcp_url, running(app) as rest_url, running(app) as org_url:
        mcp, rest, org = (url.rpartition(":")[2] for url in (mcp_url, rest_url, org_url))
        options = ("--mcp-port", mcp, "--rest-port", rest, "--emulator-port", org)
        done = run_here("check", "--emulator", *options)
    printed = anonymous(done.stdout, environ)
    assert (done.returncode, printed[printed.index("ports ") :]) == ends


def test_a_server_like_this_is_known_also_where_it_listens_for_other_machines(run_here: RunHere) -> None:
    app = HostGuard(Starlette(routes=[Mount("/", JSONResponse({"status": "live"}))]), AllowedCallers())
    with running(app) as url:
        port = url.rpartition(":")[2]
        done = run_here("check", "--emulator", "--rest-host", "0.0.0.0", "--rest-port", port, "--mcp-port", "0")
    assert f"REST 0.0.0.0:{port} is in use by a server like this" in done.stdout


def test_an_address_that_can_not_be_listened_on_is_a_problem_and_not_told_to_be_in_use(run_here: RunHere) -> None:
    done = run_here("check", "--emulator", "--rest-host", "192.0.2.1", "--rest-port", "8080", "--mcp-port", "0")
    assert "REST 192.0.2.1:8080 can't be used" in done.stdout
    assert "wrong: 192.0.2.1:8080 can't be listened on (Cannot assign requested address)" in done.stdout


def test_check_of_a_file_with_several_orgs_says_that_one_has_to_be_chosen(check: Check, environ: Environ) -> None:
    write_settings(environ, "[orgs.uat]\n[orgs.prod]")
    code, printed = check()
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "No org is chosen, add --org NAME to the command, or set BULK_INGEST_ORG: /home/me/config/salesforce-bulk-ingest/settings.toml has 'uat' and 'prod'.\n",
        )
    )
    code, printed = check("--org", "uat")
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "No Salesforce org is configured. Log in with `salesforce-bulk-ingest login --org uat`, or set org (an alias of the Salesforce CLI's login), or instance (such as acme.my) and access_token, in [orgs.uat] of /home/me/config/salesforce-bulk-ingest/settings.toml; docs/credentials.md has every way.\n",
        )
    )


def test_check_of_an_org_that_refuses_the_token_says_where_to_put_a_new_one(check: Check, tmp_path: Path) -> None:
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "Session expired or invalid. Put a new access token where the old one was, SALESFORCE_AUTOMATION_API_KEY (or access_token in the settings file), or log in again with the Salesforce CLI.\n",
        )
    )


def test_check_of_a_chosen_org_names_its_table_in_what_to_do(check: Check, environ: Environ, tmp_path: Path) -> None:
    """Since no variable counts with it."""
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url:
        orgs = {
            "old": f"instance_url = '{url}'\naccess_token = '{TOKEN}'",
            "far": f"instance_url = '{url}'\naccess_token = '{ACCESS_TOKEN}'\napi_version = '99.0'",
            "gone": "instance_url = 'http://127.0.0.1:1'\naccess_token = 'x'",
        }
        write_settings(environ, "\n".join(f"[orgs.{name}]\n{lines}" for name, lines in orgs.items()))
        found = {name: check("--org", name)[1].partition("wrong: ")[2] for name in orgs}
    assert found == snapshot(
        {
            "old": "Session expired or invalid. Put a new access token where the old one was, access_token in [orgs.old] of the settings file, or log in again with the Salesforce CLI.\n",
            "far": "The org has no API version 99.0: choose one that it has in api_version in [orgs.far] of the settings file, such as 63.0.\n",
            "gone": "127.0.0.1:PORT could not be reached: All connection attempts failed. Check instance_url in [orgs.gone] of the settings file, the network and the proxy.\n",
        }
    )


def test_check_of_a_login_host_that_can_not_be_reached_names_it(check: Check, org_url: str) -> None:
    [port] = free_ports(1)
    login = {
        "SALESFORCE_CLIENT_ID": "x",
        "SALESFORCE_REFRESH_TOKEN": TOKEN,
        "SALESFORCE_LOGIN_URL": f"http://127.0.0.1:{port}",
    }
    code, printed = check(SALESFORCE_INSTANCE_URL=org_url, **login)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "The login failed. 127.0.0.1:PORT could not be reached: All connection attempts failed. Check SALESFORCE_LOGIN_URL (or login_url in the settings file) and SALESFORCE_INSTANCE_URL (or instance_url in the settings file), the network and the proxy.\n",
        )
    )


def test_check_of_an_org_that_can_not_be_reached_says_so(check: Check) -> None:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "127.0.0.1:PORT could not be reached: All connection attempts failed. Check SALESFORCE_INSTANCE_URL (or instance_url in the settings file), the network and the proxy.\n",
        )
    )


def _html(scope: dict[str, Any], status: int) -> list[dict[str, Any]]:
    return [
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]},
        {"type": "http.response.body", "body": b"<html>[/bold] welcome"},
    ]


async def _website(scope: Any, receive: Any, send: Any) -> None:
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
    for message in _html(scope, 404):
        await send(message)


async def _org_with_brackets(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await _website(scope, receive, send)
    status = 200 if scope["path"].endswith("userinfo") else 400
    body: Any = {
        "name": "Ann [/x] [red]",
        "preferred_username": "ann@[bold].example",
        "organization_id": "00D000000000001",
    }
    if status == 400:
        body = [{"errorCode": "API_ERROR", "message": "no [/such] thing"}]
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def test_check_of_a_website_says_that_it_is_no_org(check: Check) -> None:
    with running(_website) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "Salesforce answered with status 404 and no explanation. The host answers, but not as a Salesforce org: check SALESFORCE_INSTANCE_URL (or instance_url in the settings file).\n",
        )
    )


def test_check_of_an_org_without_the_api_version_says_so(check: Check, tmp_path: Path) -> None:
    org = {"SALESFORCE_AUTOMATION_API_KEY": ACCESS_TOKEN, "SALESFORCE_API_VERSION": "99.0"}
    with running(create_app(EmulatorConfig(data_dir=tmp_path / "org"))) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, **org)
    assert (code, printed.partition("wrong: ")[2]) == snapshot(
        (
            1,
            "The org has no API version 99.0: choose one that it has in SALESFORCE_API_VERSION (or api_version in the settings file), such as 63.0.\n",
        )
    )


async def _org_without_users(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        return await _website(scope, receive, send)
    status, body = (403, b"") if scope["path"].endswith("userinfo") else (200, b'{"records": [], "done": true}')
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def test_check_says_what_is_not_known_of_an_org_that_does_not_tell_its_organization(check: Check) -> None:
    with running(_org_without_users) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    lines = re.findall(r"^(?:user|organization) .*$", printed, re.MULTILINE)
    assert (code, lines) == snapshot(
        (
            0,
            [
                "organization   not told to this login, so rows sent again are known by the host name 127.0.0.1:PORT alone",
                "user           not told to this login",
            ],
        )
    )


class Org:
    """An org that answers each path as told, and every other with 403.

    Attributes:
        answers: status and JSON by the end of the path; of a query by what it is from.
    """

    def __init__(self, **answers: tuple[int, Any]) -> None:
        user = {"organization_id": "00D000000000001EAA", "preferred_username": "ann@acme.example", "name": "Ann"}
        self.answers = {
            "userinfo": (200, user),
            "Organization": (200, {"records": [{"Id": "00D000000000001EAA", "Name": "Acme", "IsSandbox": False}]}),
            "ingest": (200, {"records": [], "done": True}),
        } | answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _website(scope, receive, send)
        asked = f"{scope['path']}?{scope['query_string'].decode()}"
        answers = [answer for name, answer in self.answers.items() if name in asked]
        status, body = answers[0] if answers else (403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _of_org(printed: str) -> str:
    """What is printed about the org, and what is wrong."""
    names = ("org ", "organization", "user", "limits", "permissions", "expect_org", "wrong", "Nothing")
    return "\n".join(line for line in printed.splitlines() if line.startswith(names))


def test_check_shows_the_org_as_people_know_it_and_the_line_that_holds_a_server_to_it(
    check: Check, environ: Environ
) -> None:
    with running(Org()) as url:
        write_settings(environ, f"[orgs.prod]\ninstance_url = '{url}'\naccess_token = '{TOKEN}'")
        code, printed = check("--org", "prod")
        assert (code, _of_org(printed)) == snapshot(
            (
                0,
                """\
org            "Acme" (production)
organization   00D000000000001EAA
user           "Ann" ("ann@acme.example")
limits         not told to this user: that takes the permission View Setup and Configuration
permissions    API Enabled: yes
expect_org     not set: any org that the login opens is written to; paste into [orgs.prod] of /home/me/config/salesforce-bulk-ingest/settings.toml: expect_org = "00D000000000001EAA"
Nothing is wrong.\
""",
            )
        )
        read_only = check("--org", "prod", "--read-only")[1]
        assert "expect_org" not in read_only
        sandbox = (200, {"records": [{"Id": "00D000000000001EAA", "Name": "Acme", "IsSandbox": True}]})
    with running(Org(Organization=sandbox)) as url:
        write_settings(environ, f"[orgs.uat]\ninstance_url = '{url}'\naccess_token = '{TOKEN}'")
        assert _of_org(check("--org", "uat")[1]) == snapshot("""\
org            "Acme" (sandbox)
organization   00D000000000001EAA
user           "Ann" ("ann@acme.example")
limits         not told to this user: that takes the permission View Setup and Configuration
permissions    API Enabled: yes
Nothing is wrong.\
""")


def test_check_of_an_org_that_is_not_the_expected_one_names_both(check: Check) -> None:
    with running(Org()) as url:
        org = {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": TOKEN}
        code, printed = check(**org, SALESFORCE_EXPECT_ORG="00D000000000002EAA")
        assert (code, _of_org(printed)) == snapshot(
            (
                1,
                """\
org            127.0.0.1:PORT (local org)
wrong: expect_org is 00D000000000002EAA, but this login opens 00D000000000001EAA (127.0.0.1:PORT): no other call was made. Choose the login of the org that is meant, or change expect_org (SALESFORCE_EXPECT_ORG).\
""",
            )
        )
        code, printed = check(**org, SALESFORCE_EXPECT_ORG="00D000000000001")
        assert (code, _of_org(printed)) == snapshot(
            (
                0,
                """\
org            "Acme" (production)
organization   00D000000000001EAA (the expected one)
user           "Ann" ("ann@acme.example")
limits         not told to this user: that takes the permission View Setup and Configuration
permissions    API Enabled: yes
Nothing is wrong.\
""",
            )
        )


def test_check_says_what_a_user_lacks_for_a_load(check: Check) -> None:
    refused = [{"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled for this Organization."}]
    told = {"PermissionsBulkApiHardDelete": False}
    allowance = {"Max": 15_000, "Remaining": 14_998}
    orgs = [
        Org(ingest=(403, refused)),
        Org(UserPermissionAccess=(200, {"records": [told]}), limits=(200, {"DailyApiRequests": allowance})),
        Org(UserPermissionAccess=(400, [{"errorCode": "INVALID_FIELD", "message": "no"}]), limits=(200, {})),
    ]
    found = []
    for org in orgs:
        with running(org) as url:
            settings = {"SALESFORCE_INSTANCE_URL": url, "SALESFORCE_AUTOMATION_API_KEY": TOKEN}
            code, printed = check("--allow-operation", "hardDelete", **settings)
        found.append((code, _of_org(printed).partition("\nuser")[2].partition("\n")[2]))
    assert found == snapshot(
        [
            (
                1,
                'wrong: "The REST API is not enabled for this Organization." The user needs the permission "API Enabled" (in Setup, in a permission set or the profile), and the org an edition with the API.',
            ),
            (
                1,
                """\
limits         14,998 of 15,000 API requests left for 24 hours
permissions    API Enabled: yes, Bulk API Hard Delete: no
expect_org     not set: any org that the login opens is written to; paste into the top of /home/me/config/salesforce-bulk-ingest/settings.toml: expect_org = "00D000000000001EAA"
wrong: hardDelete is allowed here, but the user lacks the permission "Bulk API Hard Delete": add it in Setup, in a permission set, or take hardDelete out of allow_operation.\
""",
            ),
            (
                0,
                """\
limits         not told
permissions    API Enabled: yes, Bulk API Hard Delete: not known
expect_org     not set: any org that the login opens is written to; paste into the top of /home/me/config/salesforce-bulk-ingest/settings.toml: expect_org = "00D000000000001EAA"
Nothing is wrong.\
""",
            ),
        ]
    )


def test_check_names_the_hidden_fields(check: Check) -> None:
    _, printed = check("--emulator", "--hide-field", "*SSN*", "--hide-field", "Contact.Email")
    assert "hidden fields  *SSN*, Contact.Email; files and /v1 have their cells\n" in printed


def test_check_tells_of_an_audit_log_that_can_not_be_written(run_here: RunHere, tmp_path: Path) -> None:
    done = run_here("check", "--emulator", "--audit", str(tmp_path))
    assert done.returncode == 1
    assert "wrong: The audit log can't be written" in done.stdout


def test_check_takes_the_options_of_serve(run_here: RunHere) -> None:
    reached = ("--mcp-host", "0.0.0.0", "--allowed-host", "bulk.example")
    told = run_here("check", "--emulator", "--confirm", "delete", *reached).stdout
    assert "confirmation   delete: by a dialog" in told
    assert "wrong: --mcp-host: other machines would reach this server without" in told


async def _issuer(scope: Any, receive: Any, send: Any) -> None:
    """An issuer without metadata, which has its keys at /keys."""
    if scope.get("path") != "/keys":
        return await _website(scope, receive, send)
    start, body = _html(scope, 200)
    await send(start)
    await send({**body, "body": b'{"keys": []}'})


def test_check_asks_the_issuer_of_access_tokens_for_its_keys(run_here: RunHere) -> None:
    with running(_issuer) as issuer:
        named = ("check", "--emulator", "--oauth-issuer", issuer, "--public-url", "https://bulk.example")
        assert f"callers        OAuth of {issuer}\n" in run_here(*named).stdout
        told = " ".join(run_here(*named).stdout.split())
        fine = run_here(*named, more={"BULK_INGEST_OAUTH_JWKS_URL": f"{issuer}/keys"}).stdout
    assert f"wrong: the keys of {issuer} can't be fetched" in told
    assert told.endswith("Check oauth_issuer: until then no access token is good here.")
    assert fine.endswith("Nothing is wrong.\n")


def test_check_shows_which_files_may_be_uploaded_and_how_much_at_once(check: Check, tmp_path: Path) -> None:
    def files(*args: str, **more: str) -> str:
        _, printed = check(*args, **more)
        (found,) = re.findall(r"^files +(.*)$", printed, re.MULTILINE)
        return str(found).replace(str(tmp_path), "/tmp/x")

    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    served = {
        "BULK_INGEST_MCP_HOST": "0.0.0.0",
        "BULK_INGEST_ALLOW_UNAUTHENTICATED": "1",
        "BULK_INGEST_ALLOWED_HOST": "bulk.example",
    }
    assert files("--upload-root", str(one), "--max-upload-bytes", "5000", **served) == snapshot(
        "under /tmp/x/one, up to 5,000 bytes an upload"
    )
    assert files("--upload-root", str(one), "--upload-root", str(two)) == snapshot(
        "under /tmp/x/one and /tmp/x/two, up to 100,000,000 bytes an upload"
    )
    assert files("--read-only") == snapshot("none are read, since nothing is uploaded")


async def test_check_shows_the_working_folder_where_it_stands_in_and_why_it_does_not(tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path / "settings.toml", tmp_path, tmp_path, tmp_path, tmp_path)
    facts = dict((await check_up(Settings(mcp_port=0, rest_port=0), paths, None)).facts)
    assert (
        facts["files"]
        == f"under {tmp_path} (the working folder; --upload-root DIR names another), up to 100,000,000 bytes an upload"
    )
    others = Settings(mcp_port=0, mcp_host="0.0.0.0", allow_unauthenticated=True, allowed_host=("bulk.example",))
    facts = dict((await check_up(others, paths, None)).facts)
    assert facts["files"] == "none are read: no --upload-root is named, and it serves other machines"
    assert "saved rows" not in facts
    saving = Settings(mcp_port=0, rest_port=0, save_roots=(tmp_path,))
    facts = dict((await check_up(saving, paths, None)).facts)
    assert facts["saved rows"] == f"in new files under {tmp_path}"


def test_what_an_org_says_is_shown_in_quotes(check: Check) -> None:
    with running(_org_with_brackets) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert code == 1
    assert '"Ann [/x] [red]" ("ann@[bold].example")' in printed
    assert 'wrong: "no [/such] thing". If' in printed


def test_what_an_org_says_can_not_change_the_terminal_or_add_a_line(check: Check) -> None:
    hostile = "Ann\nwrong: \x1b]0;title\x07\x1b[2J\u202e\0"

    async def org(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _website(scope, receive, send)
        told = {"name": hostile, "preferred_username": hostile, "organization_id": "00D000000000001"}
        is_user = scope["path"].endswith("userinfo")
        body = json.dumps(told if is_user else [{"errorCode": hostile, "message": hostile}]).encode()
        await send({"type": "http.response.start", "status": 200 if is_user else 400, "headers": []})
        await send({"type": "http.response.body", "body": body})

    with running(org) as url:
        code, printed = check(SALESFORCE_INSTANCE_URL=url, SALESFORCE_AUTOMATION_API_KEY=TOKEN)
    assert code == 1
    assert all(line.isprintable() for line in printed.splitlines())
    assert sum(line.startswith("wrong: ") for line in printed.splitlines()) == 1
    assert printed.count(r'"Ann\nwrong: \u001b]0;title\u0007\u001b[2J\u202e\u0000"') == 3
