"""The command `emulator`: what it prints, and that each option does what the guide's table says."""

import json
import signal
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import ACCESS_TOKEN, CALLBACK_URL, CLIENT_ID, CLIENT_SECRET
from tests.cli.requests import open_request
from tests.salesforce_emulator.caller import DATA, FAULTS, Caller, calling
from tests.support.commands import Environ, anonymous, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
SCHEMA = {"objects": {"Invoice__c": {"fields": {"Number__c": {"type": "string"}}}}}
ROWS = "Name\n" + "A\n" * 400
PLAN = {"rules": [{"fault": "stuck-job", "after": 1000}]}


def test_the_org_answers_as_it_prints_and_each_option_does_what_it_says(environ: Environ, tmp_path: Path) -> None:
    (plan := tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (schema := tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    options = (
        *("--seed", "7", "--rows-per-second", "1", "--token-seconds", "90", "--no-hard-delete", "--sandbox"),
        *("--faults", str(plan), "--schema", str(schema)),
        *("--callback-url", "http://127.0.0.1:8/", "--callback-url", "http://127.0.0.1:9/"),
        *("--limit", "daily_requests=1234", "--limit", "daily_batches=77", "--assume", "second_upload=at-once"),
        *("--allowed-host", "org.example", "--allowed-host", "emulator:8181"),
    )
    with started(environ, "emulator", *options) as command, calling(command.url("base URL")) as org:
        seeded = org.create()
        assert _requests_and_batches(org) == (1234, 77)
        assert _token_seconds(org) == 90
        assert [_takes_callback_url(org, url) for url in ("http://127.0.0.1:9/", CALLBACK_URL)] == [True, False]
        assert _is_sandbox(org)
        for host, status in (("org.example:8181", 200), ("emulator:8181", 200), ("evil.example", 421)):
            assert org.http.get("/services/data", headers={"Host": host}).status_code == status
        assert org.http.get(FAULTS).json()["rules"][0]["fault"] == "stuck-job"
        assert org.http.get(f"{DATA}/sobjects/Invoice__c/describe").status_code == 200
        refused = org.http.post(f"{DATA}/jobs/ingest", json={"object": "Account", "operation": "hardDelete"})
        assert refused.status_code == 400
        org.upload(seeded, ROWS.encode())
        second = org.http.put(f"{DATA}/jobs/ingest/{seeded}/batches", content=b"Name\nB\n")
        assert second.status_code == 400
        org.patch(seeded, "UploadComplete")
        org.until(seeded, "InProgress")
        org.patch(seeded, "Aborted")
        assert org.get(seeded)["numberRecordsProcessed"] < 400
    with started(environ, "emulator", "--seed", "7", "--data-dir", str(tmp_path / "org")) as command:
        assert anonymous(command.printed, environ) == snapshot("""\
base URL  http://127.0.0.1:PORT
token     00D000000000001!EMULATOR.ACCESS.TOKEN
client    emulator-client / emulator-secret
user      admin@emulator.example / emulator-password
window    http://127.0.0.1:PORT/
Ctrl-C ends it.
""")
        with calling(command.url("base URL")) as org:
            assert org.create() == seeded
            assert not _is_sandbox(org)
            assert _requests_and_batches(org) != (1234, 77)
            assert org.http.get(FAULTS).json()["rules"] == []
            assert org.load(ROWS)["numberRecordsProcessed"] == 400
            org.create(operation="hardDelete")
        for headers, status in (
            ({"Authorization": f"Bearer {ACCESS_TOKEN}"}, 200),
            ({"Authorization": "Bearer another"}, 401),
            ({"Host": "evil.example"}, 421),
        ):
            with open_request(command.url("base URL"), "GET", f"{DATA}/jobs/ingest", headers) as answer:
                assert answer.status == status
        assert command.end(signal.SIGINT) == (0, "")
    assert (tmp_path / "org" / "org.sqlite").exists()


def _requests_and_batches(org: Caller) -> tuple[int, int]:
    limits = org.http.get(f"{DATA}/limits").json()
    return limits["DailyApiRequests"]["Max"], limits["DailyBulkApiBatches"]["Max"]


def _token_seconds(org: Caller) -> int:
    asked = org.http.post("/services/oauth2/token", data={"grant_type": "client_credentials", **CLIENT})
    told = org.http.post("/services/oauth2/introspect", data={"token": asked.json()["access_token"], **CLIENT}).json()
    seconds: int = told["exp"] - told["iat"]
    return seconds


def _takes_callback_url(org: Caller, url: str) -> bool:
    asked = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": url}
    return org.http.get("/services/oauth2/authorize", params=asked).status_code == 200


def _is_sandbox(org: Caller) -> bool:
    return bool(org.query("SELECT IsSandbox FROM Organization")["records"][0]["IsSandbox"])
