"""Faults on purpose."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from starlette.types import Receive, Scope, Send

from salesforce_emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID, CLIENT_SECRET
from salesforce_emulator.faults.plan import BadPlan
from salesforce_emulator.org import Org
from tests.salesforce_emulator.behaviours import assumed, doc, own, seen
from tests.salesforce_emulator.caller import (
    DEADLINE_SECONDS,
    FAULTS,
    INGEST,
    JOURNAL,
    Caller,
    an_org,
    an_org_with,
    calling,
)
from tests.support.asgi_server import running

RULE = """
objects:
  Account:
    rules:
      - {name: Someone, when: NumberOfEmployees < 0, message: No one is left.}
"""
ROWS = "Name\n" + "".join(f"Acme {number}\n" for number in range(1000))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with an_org(tmp_path_factory.mktemp("org")) as org:
        yield org


@pytest.fixture
def org(shared: Caller) -> Iterator[Caller]:
    """An org in which nothing goes wrong before the test, nor after it."""
    yield shared
    shared.go_right()


def last(org: Caller) -> dict[str, Any]:
    """The last entry of the journal."""
    entry: dict[str, Any] = org.http.get(JOURNAL).json()["requests"][-1]
    return entry


def fired(org: Caller) -> list[tuple[int, int]]:
    rules = org.http.get(FAULTS).json()["rules"]
    return [(rule["matched"], rule["fired"]) for rule in rules]


def until_fired(org: Caller) -> None:
    """Wait until the first rule has acted."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while fired(org)[0][1] == 0:
        assert time.monotonic() < deadline


def statuses(org: Caller, count: int, path: str = INGEST) -> list[int]:
    return [org.http.get(path).status_code for _ in range(count)]


# Answers.


@seen("captures of a real org")
def test_a_session_can_expire_in_mid_job(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "expired-session", "times": 1})
    answer = org.http.put(f"{INGEST}/{job_id}/batches", content=b"Name\nAcme\n", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")
    assert answer.text == snapshot('[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]')
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 1


@seen("texts that clients take for no reason to refresh: jsforce, http-api.ts")
def test_a_session_can_be_refused_with_another_text(org: Caller) -> None:
    message = "This session is not valid for use with the REST API"
    org.go_wrong({"on": "status", "fault": "expired-session", "message": message})
    assert org.http.get(f"{INGEST}/{'7' * 15}").json()[0]["message"] == message


ANSWERS: list[dict[str, Any]] = [
    {"fault": "request-limit"},
    {"fault": "no-route"},
    {"fault": "too-many-requests", "retryAfter": 7},
    {"fault": "too-many-requests", "retryAfter": None},
    {"fault": "unavailable"},
    {"fault": "server-error"},
    {"fault": "error-page"},
    {"fault": "error-page", "status": 500},
    {"fault": "answer", "status": 406},
    {"fault": "answer", "status": 400, "errorCode": "TXN_SECURITY_METERING_ERROR", "message": "It took too long"},
]


@doc("REST API guide, Status Codes and Error Responses")
@seen("503 SERVER_UNAVAILABLE, 420, 429 and 406 as clients meet them")
@assumed("the bodies of 420, 429 and 500, and that Retry-After is sent")
def test_each_refusal_has_its_own_shape(org: Caller) -> None:
    shapes = []
    for rule in ANSWERS:
        org.go_wrong({"on": "any", **rule})
        answer = org.http.get(INGEST)
        headers = [answer.headers.get("Content-Type"), answer.headers.get("Retry-After")]
        shapes.append((answer.status_code, *headers, answer.text.splitlines()[-1] if answer.text else ""))
    assert shapes == snapshot(
        [
            (
                403,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
            ),
            (
                420,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>Setting things up</title></head><body><h1>Setting things up</h1></body></html>",
            ),
            (
                429,
                "application/json;charset=UTF-8",
                "7",
                '[{"message":"Too many requests, try again later","errorCode":"TOO_MANY_REQUESTS"}]',
            ),
            (
                429,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"Too many requests, try again later","errorCode":"TOO_MANY_REQUESTS"}]',
            ),
            (
                503,
                "application/json;charset=UTF-8",
                "1",
                '[{"message":"Service temporarily unavailable","errorCode":"SERVER_UNAVAILABLE"}]',
            ),
            (
                500,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"An unexpected error occurred","errorCode":"UNKNOWN_EXCEPTION"}]',
            ),
            (
                502,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>This page is not available</title></head><body><h1>This page is not available</h1></body></html>",
            ),
            (
                500,
                "text/html; charset=utf-8",
                None,
                "<html><head><title>This page is not available</title></head><body><h1>This page is not available</h1></body></html>",
            ),
            (406, None, None, ""),
            (
                400,
                "application/json;charset=UTF-8",
                None,
                '[{"message":"It took too long","errorCode":"TXN_SECURITY_METERING_ERROR"}]',
            ),
        ]
    )


@doc("Bulk API 2.0 guide, quick start: X-PrettyPrint")
def test_a_fault_is_told_indented_to_those_who_ask_for_it(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "server-error"})
    assert org.http.get(INGEST, headers={"X-PrettyPrint": "1"}).text == snapshot("""\
[
  {
    "message" : "An unexpected error occurred",
    "errorCode" : "UNKNOWN_EXCEPTION"
  }
]\
""")


@own
def test_a_refused_request_has_no_effect(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "abort", "fault": "unavailable"})
    assert org.patch(job_id, "Aborted").status_code == 503
    assert org.get(job_id)["state"] == "Open"
    assert org.patch(job_id, "UploadComplete").status_code == 200


@own
def test_a_refused_upload_is_read_to_its_end_so_that_the_answer_arrives(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "unavailable"})
    url, headers = f"{INGEST}/{job_id}/batches", {"Content-Type": "text/csv"}
    assert org.http.put(url, content=(b"x" * 65536 for _ in range(200)), headers=headers).status_code == 503
    assert last(org)["bytesIn"] == 200 * 65536


@doc("OAuth 2.0 Authorization Errors")
@assumed("the error inactive_user")
def test_a_login_can_be_refused(org: Caller) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    org.go_wrong(
        {"fault": "refused-login", "times": 1}, {"fault": "refused-login", "error": "inactive_user", "times": 1}
    )
    answers = [org.http.post("/services/oauth2/token", data=form) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert answers[0].json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert answers[1].json()["error"] == "inactive_user"


@seen("blank and 204 results as reported to client libraries")
@pytest.mark.parametrize(("fault", "status"), [("blank-results", 200), ("no-content", 204)])
def test_results_can_come_without_even_a_header(org: Caller, fault: str, status: int) -> None:
    job = org.load("Name\nAcme\n")
    org.go_wrong({"on": "any", "fault": fault})
    for segment in ("successfulResults", "failedResults", "unprocessedrecords"):
        answer = org.http.get(f"{INGEST}/{job['id']}/{segment}")
        assert (answer.status_code, answer.content) == (status, b"")
    assert org.get(job["id"])["state"] == "JobComplete"


# When a rule acts.


@own
def test_rules_are_asked_in_order_and_an_answer_keeps_later_ones_from_counting(org: Caller) -> None:
    org.go_wrong(
        {"on": "list", "fault": "unavailable", "times": 2},
        {"on": "any", "fault": "expired-session", "times": 1},
    )
    assert statuses(org, 4) == [503, 503, 401, 200]
    assert fired(org) == [(4, 2), (2, 1)]


@own
def test_a_rule_can_let_requests_pass_first_and_act_on_every_third_only(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "server-error", "after": 1, "every": 3, "times": 2})
    assert statuses(org, 11) == [200, 200, 200, 500, 200, 200, 500, 200, 200, 200, 200]


@own
def test_chances_fall_the_same_way_each_time_a_plan_with_a_seed_is_put_in_force(org: Caller) -> None:
    rule = {"on": "list", "fault": "server-error", "probability": 0.5}
    runs = []
    for seed in (7, 7, 8):
        org.go_wrong(rule, seed=seed)
        runs.append(statuses(org, 20))
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 500}


@own
def test_without_a_seed_of_its_own_a_plan_takes_the_orgs(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "other"):
        with an_org(tmp_path / name, seed=3) as org:
            org.go_wrong({"on": "list", "fault": "server-error", "probability": 0.5})
            runs.append(statuses(org, 20))
    assert runs[0] == runs[1]


@own
def test_a_rule_acts_on_its_operation_only(org: Caller) -> None:
    org.go_wrong({"on": "close", "fault": "server-error"})
    job_id = org.create()
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 500
    assert org.patch(job_id, "Aborted").status_code == 200
    assert fired(org) == [(1, 1)]


# Plans.


@own
def test_a_plan_is_shown_with_how_often_its_rules_matched_and_fired(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "unavailable", "retryAfter": 3, "after": 1}, {"fault": "locked-rows"}, seed=5)
    statuses(org, 3)
    assert org.http.get(FAULTS).json() == snapshot(
        {
            "seed": 5,
            "rules": [
                {
                    "fault": "unavailable",
                    "after": 1,
                    "every": 1,
                    "probability": 1,
                    "times": None,
                    "on": "list",
                    "retryAfter": 3,
                    "matched": 3,
                    "fired": 2,
                },
                {
                    "fault": "locked-rows",
                    "after": 0,
                    "every": 1,
                    "probability": 1,
                    "times": None,
                    "on": "processing",
                    "matched": 0,
                    "fired": 0,
                },
            ],
        }
    )


@own
def test_a_deleted_plan_does_nothing_more(org: Caller) -> None:
    org.go_wrong({"on": "any", "fault": "unavailable"})
    assert org.http.delete(FAULTS).status_code == 204
    assert statuses(org, 1) == [200]
    assert org.http.get(FAULTS).json() == {"seed": None, "rules": []}


@own
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["faults.json", "faults.yaml"])
def test_a_plan_in_a_file_is_in_force_from_the_start(tmp_path: Path, name: str, mark: str) -> None:
    text = "rules:\n- {on: list, fault: unavailable, times: 1}\n"
    if name.endswith(".json"):
        text = json.dumps({"rules": [{"on": "list", "fault": "unavailable", "times": 1}]})
    (tmp_path / name).write_text(mark + text, "utf-8")
    with an_org(tmp_path / "org", faults_file=tmp_path / name) as org:
        assert statuses(org, 2) == [503, 200]


WRONG = [
    {"rules": [{"on": "list"}]},
    {"rules": [{"on": "list", "fault": "explosion"}]},
    {"rules": [{"on": "lists", "fault": "unavailable"}]},
    {"rules": [{"fault": "unavailable"}]},
    {"rules": [{"on": "list", "fault": "latency"}]},
    {"rules": [{"on": "list", "fault": "latency", "seconds": 1, "hours": 1}]},
    {"rules": [{"on": "list", "fault": "unavailable", "probability": 2}]},
    {"rules": [{"on": "list", "fault": "unavailable", "times": 0}]},
    {"rules": [{"on": "list", "fault": "locked-rows"}]},
    {"rules": [{"on": "create", "fault": "blank-results"}]},
    {"rules": {"on": "list", "fault": "unavailable"}},
    {"rules": ["unavailable"]},
    {"rules": [{"on": "list", "fault": "unavailable", "every": 1.5}]},
    {"rules": [{"on": "list", "fault": "error-page", "status": 200}]},
    {"rules": [{"on": "list", "fault": "server-error", "message": "no"}]},
    {"rules": [{"on": "token", "fault": "refused-login", "error": 5}]},
    {"rule": []},
    [],
]


@own
def test_a_wrong_plan_is_refused_in_one_line_that_names_the_place(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "unavailable"})
    told = []
    for body in WRONG:
        answer = org.http.post(FAULTS, json=body)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_PLAN")
        told.append(answer.json()[0]["message"])
    assert told == snapshot(
        [
            "rules.0.fault: use one of expired-session, request-limit, no-route, too-many-requests, unavailable, server-error, error-page, refused-login, answer, blank-results, no-content, latency, slow-body, reset, locked-rows, too-many-lock-failures, retries-exhausted, stuck-job",
            "rules.0.fault: use one of expired-session, request-limit, no-route, too-many-requests, unavailable, server-error, error-page, refused-login, answer, blank-results, no-content, latency, slow-body, reset, locked-rows, too-many-lock-failures, retries-exhausted, stuck-job",
            "rules.0.on: use 'create', 'upload', 'close', 'abort', 'status', 'list', 'delete', 'successfulResults', 'failedResults', 'unprocessedrecords', 'query', 'describe', 'objects', 'record', 'limits', 'resources', 'versions', 'login', 'token', 'introspect', 'revoke', 'userinfo', 'identity', 'other' or 'any'",
            "rules.0.on: this is missing; add it",
            "rules.0.seconds: this is missing; add it",
            "rules.0.hours: there is no such setting; use on, fault, after, every, times, probability, seconds",
            "rules.0.probability: use 1 or less",
            "rules.0.times: use more than 0",
            "rules.0.on: use 'processing'",
            "rules.0.on: use 'successfulResults', 'failedResults', 'unprocessedrecords' or 'any'",
            "rules: write a list here, as in [A, B]",
            "rules.0: write names with their settings here, as in name: {...}",
            "rules.0.every: write a whole number",
            "rules.0.status: use 400 or more",
            "rules.0.message: there is no such setting; use on, fault, after, every, times, probability",
            "rules.0.error: write text here, in quotes if it looks like something else, as yes, no and numbers do",
            "rule: there is no such setting; use seed, rules",
            "the plan: write names with their settings here, as in name: {...}",
        ]
    )
    assert statuses(org, 1) == [503], "the plan before stays in force"


@own
def test_the_plan_that_is_shown_can_be_put_in_force_again(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "unavailable", "times": 1}, {"fault": "locked-rows"}, seed=7)
    statuses(org, 2)
    shown = org.http.get(FAULTS).json()
    assert [rule["matched"] for rule in shown["rules"]] == [2, 0]
    again = org.http.post(FAULTS, json=shown)
    assert (again.status_code, [rule.pop("matched") for rule in again.json()["rules"]]) == (200, [0, 0])
    assert statuses(org, 2) == [503, 200]


@own
def test_a_plan_has_to_be_sent_as_json(org: Caller) -> None:
    assert org.http.post(FAULTS, content=b'{"rules": []}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert org.http.post(FAULTS, content=b'{"rules": []}').status_code == 415
    broken = org.http.post(FAULTS, content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@own
@pytest.mark.parametrize("text", [None, "rules: [", "rules: [{fault: unavailable}]", "- 1"])
def test_an_org_does_not_open_with_a_wrong_plan(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "faults.yaml").write_text(text)
    with pytest.raises(RuntimeError, match="did not start"), an_org(tmp_path, faults_file=tmp_path / "faults.yaml"):
        pass


@own
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "faults.yaml",
            None,
            snapshot(
                "The plan of faults <folder>/faults.yaml can't be read: No such file or directory; correct its name or its rights"
            ),
        ),
        (
            "faults.yaml",
            "rules:\n  - {on: list\n",
            snapshot(
                "The plan of faults <folder>/faults.yaml, line 3, character 1: a bracket is opened and never closed; close it"
            ),
        ),
        (
            "faults.yaml",
            "rules:\n  - on: lists\n    fault: unavailable\n",
            snapshot(
                "<folder>/faults.yaml, line 2, rules.0.on: use 'create', 'upload', 'close', 'abort', 'status', 'list', 'delete', 'successfulResults', 'failedResults', 'unprocessedrecords', 'query', 'describe', 'objects', 'record', 'limits', 'resources', 'versions', 'login', 'token', 'introspect', 'revoke', 'userinfo', 'identity', 'other' or 'any'"
            ),
        ),
        (
            "faults.yaml",
            "rules: []\nseed: 1\nrules: []\n",
            snapshot("The plan of faults <folder>/faults.yaml, line 3: rules stands there twice; keep one of them"),
        ),
        (
            "faults.json",
            '{"rules": [\n',
            snapshot(
                "The plan of faults <folder>/faults.json, line 2, character 1: this is not JSON (Expecting value); correct it"
            ),
        ),
        (
            "faults.json",
            '{\n\t"rules": [\n\t\t{"on": "list",\n\t\t"fault": "latency", "seconds": -1}]}',
            snapshot("<folder>/faults.json, line 4, rules.0.seconds: use more than 0"),
        ),
        (
            "faults.json",
            '{"rules": [],\n"rule": []}',
            snapshot("<folder>/faults.json, line 2, rule: there is no such setting; use seed, rules"),
        ),
    ],
)
def test_a_wrong_plan_in_a_file_is_told_with_its_line(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadPlan) as error:
        Org(EmulatorConfig(data_dir=tmp_path / "org", faults_file=file))
    assert str(error.value).replace(str(tmp_path), "<folder>") == message


@own
def test_controlling_the_org_needs_no_token_and_meets_no_fault(org: Caller) -> None:
    org.go_wrong({"on": "any", "fault": "unavailable"})
    with httpx2.Client(base_url=org.http.base_url) as stranger:
        assert stranger.get(FAULTS).status_code == 200
        assert stranger.get(JOURNAL).status_code == 200
        assert stranger.delete(FAULTS).status_code == 204
    assert "Sforce-Limit-Info" not in org.http.get(FAULTS).headers


# Time.


@own
def test_latency_holds_up_the_request_that_it_hits(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "latency", "seconds": 1, "times": 1})
    with socket.create_connection((org.http.base_url.host, org.http.base_url.port or 0)) as wire:
        wire.sendall(f"GET {INGEST} HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n\r\n".encode())
        until_fired(org)
        assert statuses(org, 1) == [200]
        assert wire.recv(12) == b"HTTP/1.1 200"
    overtaking, late = org.http.get(JOURNAL).json()["requests"][-2:]  # in the order in which they ended
    assert [entry["faults"] for entry in (overtaking, late)] == [[], ["latency"]]


@own
def test_a_slow_body_comes_piece_by_piece_and_whole(org: Caller) -> None:
    job = org.load(ROWS)
    url = f"{INGEST}/{job['id']}/successfulResults"
    whole = org.http.get(url, headers={"Accept-Encoding": "identity"}).content
    org.go_wrong({"on": "successfulResults", "fault": "slow-body", "bytesPerSecond": len(whole) * 2})
    with org.http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == whole
    assert max(map(len, pieces)) < len(whole) // 2
    assert org.http.get(url, headers={"Accept-Encoding": "gzip"}).content == whole


@own
def test_faults_that_do_not_answer_add_up(org: Caller) -> None:
    org.go_wrong(
        {"on": "list", "fault": "latency", "seconds": 0.05},
        {"on": "list", "fault": "slow-body", "bytesPerSecond": 10000},
        {"on": "list", "fault": "unavailable"},
    )
    assert statuses(org, 1) == [503]
    assert last(org)["faults"] == ["latency", "slow-body", "unavailable"]


@own
def test_a_slow_body_ends_when_nobody_waits_for_it_any_more(org: Caller) -> None:
    org.go_wrong({"on": "versions", "fault": "slow-body", "bytesPerSecond": 40})  # of some thousands
    url = org.http.base_url
    with socket.create_connection((url.host, url.port or 0)) as wire:
        wire.sendall(b"GET /services/data HTTP/1.1\r\nHost: org\r\n\r\n")
        assert wire.recv(12) == b"HTTP/1.1 200"
    deadline = time.monotonic() + DEADLINE_SECONDS
    while last(org)["operation"] != "versions":
        assert time.monotonic() < deadline
    assert last(org)["ended"] == "caller left"


# Broken connections.


@own
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_reset_is_one_on_the_wire(org: Caller, when: str) -> None:
    org.go_wrong({"on": "list", "fault": "reset", "when": when})
    with socket.create_connection((org.http.base_url.host, org.http.base_url.port or 0)) as wire:
        wire.sendall(f"GET {INGEST} HTTP/1.1\r\nHost: org\r\nAuthorization: Bearer {ACCESS_TOKEN}\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            wire.recv(1)


@own
def test_an_answer_on_purpose_is_lost_like_any_other(org: Caller) -> None:
    org.go_wrong({"on": "list", "fault": "reset", "when": "after"}, {"on": "list", "fault": "unavailable"})
    with pytest.raises(httpx2.TransportError):
        org.http.get(INGEST)
    assert (last(org)["ended"], last(org)["faults"]) == ("reset", ["reset", "unavailable"])


@own
@pytest.mark.parametrize(("method", "operation"), [("PUT", "upload"), ("DELETE", "delete"), ("HEAD", "status")])
def test_an_answer_without_a_body_is_broken_off_before_its_headers(org: Caller, method: str, operation: str) -> None:
    job_id = org.create()
    if method == "DELETE":
        org.patch(job_id, "Aborted")
    org.go_wrong({"on": operation, "fault": "reset", "when": "download"})
    path = f"{INGEST}/{job_id}/batches" if method == "PUT" else f"{INGEST}/{job_id}"
    with pytest.raises(httpx2.TransportError):
        org.http.request(method, path, headers={"Content-Type": "text/csv"})
    entry = last(org)
    assert (entry["operation"], entry["status"], entry["ended"]) == (operation, None, "reset")


def put(org: Caller, job_id: str, size: int = 1_000_000) -> httpx2.Response:
    body = b"Name\n" + b"x" * 100 + b"\n" * size
    return org.http.put(f"{INGEST}/{job_id}/batches", content=body, headers={"Content-Type": "text/csv"})


@own
@pytest.mark.parametrize("size", [10, 1_000_000])
@pytest.mark.parametrize("when", [{"when": "before"}, {"when": "during"}, {"when": "during", "bytes": 50_000}])
def test_data_whose_upload_was_reset_before_its_end_was_not_taken(org: Caller, when: dict[str, Any], size: int) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "reset", "times": 1, **when})
    with pytest.raises(httpx2.TransportError):
        put(org, job_id, size)
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["faults"]) == (None, "reset", ["reset"])
    assert entry["bytesIn"] <= 105 + size
    org.upload(job_id, b"Name\nAcme\n")
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 1


@own
def test_data_whose_upload_was_reset_after_its_end_was_taken(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "upload", "fault": "reset", "when": "after"})
    body = b"Name\nAcme\nAjax\n"
    with pytest.raises(httpx2.NetworkError):
        org.http.put(f"{INGEST}/{job_id}/batches", content=body, headers={"Content-Type": "text/csv"})
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["bytesIn"]) == (None, "reset", len(body))
    assert org.patch(job_id, "UploadComplete").status_code == 200
    assert org.until(job_id)["numberRecordsProcessed"] == 2


@own
def test_a_create_whose_answer_is_lost_leaves_an_open_job(org: Caller) -> None:
    before = {job["id"] for job in org.http.get(INGEST).json()["records"]}
    org.go_wrong({"on": "create", "fault": "reset", "when": "after", "times": 1})
    with pytest.raises(httpx2.NetworkError):
        org.create()
    (stray,) = [job for job in org.http.get(INGEST).json()["records"] if job["id"] not in before]
    assert stray["state"] == "Open"


@own
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("size", [0, 1000, 10**9])
def test_a_download_can_break_off_after_so_many_bytes_and_is_never_whole(org: Caller, size: int, encoding: str) -> None:
    job = org.load(ROWS)
    url, headers = f"{INGEST}/{job['id']}/successfulResults", {"Accept-Encoding": encoding}
    with org.http.stream("GET", url, headers=headers) as answer:
        whole = b"".join(answer.iter_raw())
    org.go_wrong({"on": "successfulResults", "fault": "reset", "when": "download", "bytes": size})
    got = b""
    with pytest.raises(httpx2.NetworkError), org.http.stream("GET", url, headers=headers) as answer:
        for chunk in answer.iter_raw():
            got += chunk
    assert whole.startswith(got)
    assert len(got) == size if size < len(whole) else len(got) >= len(whole) - 1
    entry = last(org)
    assert (entry["status"], entry["ended"], entry["bytesOut"]) == (200, "reset", len(got))


@own
def test_an_answer_of_known_length_breaks_off_before_its_last_byte(org: Caller) -> None:
    job_id = org.create()
    org.go_wrong({"on": "status", "fault": "reset", "when": "download", "bytes": 10**6})
    with pytest.raises(httpx2.NetworkError):
        org.http.get(f"{INGEST}/{job_id}")


@own
def test_a_server_that_can_not_reset_a_connection_closes_it_in_mid_answer(tmp_path: Path) -> None:
    org_app = create_app(EmulatorConfig(data_dir=tmp_path))

    async def without_extensions(scope: Scope, receive: Receive, send: Send) -> None:
        await org_app({**scope, "extensions": {}} if scope["type"] == "http" else scope, receive, send)

    with running(without_extensions) as url, calling(url) as org:
        job_id = org.create()
        for when in ("before", "during", "after", "download"):
            org.go_wrong({"on": "status", "fault": "reset", "when": when, "bytes": 1, "times": 1})
            with pytest.raises(httpx2.RemoteProtocolError):
                org.http.get(f"{INGEST}/{job_id}")
            assert last(org)["ended"] == "reset"
        assert org.get(job_id)["state"] == "Open"


# What jobs meet.


@seen("UNABLE_TO_LOCK_ROW in results of real jobs")
def test_rows_can_find_their_records_locked(org: Caller) -> None:
    org.go_wrong({"fault": "locked-rows", "every": 100, "times": 3})
    job = org.load(ROWS)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 1000, 3)
    failed = org.rows(job, "failedResults")
    assert sorted(row["Name"] for row in failed) == ["Acme 199", "Acme 299", "Acme 99"]
    assert {(row["sf__Id"], row["sf__Error"]) for row in failed} == {
        ("", "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--")
    }
    assert fired(org) == [(1000, 3)]
    again = org.load("Name\n" + "".join(f"{row['Name']}\n" for row in failed))
    assert (again["numberRecordsProcessed"], again["numberRecordsFailed"]) == (3, 0)


@own
def test_locked_rows_fall_the_same_way_each_time_with_a_seed(org: Caller) -> None:
    runs = []
    for _ in range(2):
        org.go_wrong({"fault": "locked-rows", "probability": 0.1}, seed=11)
        runs.append({row["Name"] for row in org.rows(org.load(ROWS), "failedResults")})
    assert runs[0] == runs[1]
    assert 50 < len(runs[0]) < 200


@seen("the supplied id is echoed in failures: plugin-data")
def test_a_locked_record_stays_as_it_was_and_its_id_is_told(org: Caller) -> None:
    (row,) = org.succeeded(org.load("Name\nBefore\n"))
    org.go_wrong({"fault": "locked-rows"})
    job = org.load(f"Id,Name\n{row['sf__Id']},After\nnonsense,After\n", operation="update")
    failed = {row["Id"]: row["sf__Id"] for row in org.rows(job, "failedResults")}
    assert failed == {row["sf__Id"]: row["sf__Id"], "nonsense": ""}
    assert org.record(row["sf__Id"])["Name"] == "Before"


@own
def test_rows_whose_cells_are_wrong_do_not_count_for_locks(org: Caller) -> None:
    org.go_wrong({"fault": "locked-rows"})
    org.load("Name,NumberOfEmployees\nAcme,many\nAjax,1\n")
    assert fired(org) == [(1, 1)]


@own
@pytest.mark.parametrize(
    ("operation", "data", "code"),
    [
        ("insert", "Name,Site\n,Here\n", "REQUIRED_FIELD_MISSING"),
        ("insert", "Name,ParentId\nAcme,001000000000001AAA\n", "INVALID_CROSS_REFERENCE_KEY"),
        ("update", "Id,Name\n001000000000001AAA,Acme\n", "INVALID_CROSS_REFERENCE_KEY"),
        ("delete", "Id\n001000000000001AAA\n", "INVALID_CROSS_REFERENCE_KEY"),
    ],
)
def test_rows_that_could_not_be_saved_anyway_do_not_count_for_locks(
    org: Caller, operation: str, data: str, code: str
) -> None:
    org.go_wrong({"fault": "locked-rows"})
    (error,) = org.errors(org.load(data, operation=operation))
    assert (error.partition(":")[0], fired(org)) == (code, [(0, 0)])


@own
def test_a_row_is_asked_about_once_though_a_rule_makes_its_chunk_be_saved_again(tmp_path: Path) -> None:
    with an_org_with(RULE, tmp_path) as org:
        org.go_wrong({"fault": "locked-rows", "after": 2})
        job = org.load("Name,NumberOfEmployees\nAcme,1\nAjax,-1\n")
        assert (org.errors(job), fired(org)) == (["FIELD_CUSTOM_VALIDATION_EXCEPTION:No one is left.:--"], [(2, 0)])


@seen("TooManyLockFailure in Bulk API 1.0")
@doc("a batch is retried up to 20 times, then the job fails: Understanding Bulk API 2.0")
@assumed("the wording of a job whose retries are exhausted")
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("too-many-lock-failures", "TooManyLockFailure : Too many lock failure 200 Trying again later."),
        ("retries-exhausted", "Timeout : The batch was retried more than 20 times."),
    ],
)
def test_a_job_can_fail_midway_with_its_retries_counted_and_the_rest_unprocessed(
    org: Caller, fault: str, message: str
) -> None:
    org.go_wrong({"fault": fault, "after": 2, "times": 1})
    job = org.load(ROWS)
    assert (job["state"], job["errorMessage"], job["retries"]) == ("Failed", message, 20)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (400, 0)
    assert len(org.succeeded(job)) == 400
    unprocessed = org.rows(job, "unprocessedrecords")
    assert [row["Name"] for row in unprocessed] == [f"Acme {number}" for number in range(400, 1000)]
    assert org.load("Name\nAcme\n")["state"] == "JobComplete"


@own
def test_a_job_that_fails_may_have_been_retried_less_often(org: Caller) -> None:
    org.go_wrong({"fault": "too-many-lock-failures", "retries": 3})
    job = org.load("Name\nAcme\n")
    assert (job["state"], job["numberRecordsProcessed"], job["retries"]) == ("Failed", 0, 3)


def until_stuck(org: Caller, job_id: str, processed: int) -> None:
    until_fired(org)
    job = org.get(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("InProgress", processed)


@own
def test_a_stuck_job_goes_on_when_the_plan_is_deleted(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 3})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 600)
    org.go_right()
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 1000)
    assert len({row["Name"] for row in org.succeeded(job)}) == 1000


@own
def test_a_stuck_job_does_not_keep_other_jobs_waiting(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "times": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 0)
    assert org.load("Name\nAcme\n")["state"] == "JobComplete"
    assert org.get(job_id)["state"] == "InProgress"
    org.patch(job_id, "Aborted")


@own
def test_a_stuck_job_can_be_aborted(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 200)
    assert org.patch(job_id, "Aborted").status_code == 200
    org.go_right()
    job = org.get(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Aborted", 200)
    assert len(org.rows(job, "unprocessedrecords")) == 800


@own
def test_a_stuck_job_meets_the_plan_that_replaces_its_own(org: Caller) -> None:
    org.go_wrong({"fault": "stuck-job", "after": 1})
    job_id = org.submit(ROWS)
    until_stuck(org, job_id, 200)
    org.go_wrong({"fault": "retries-exhausted", "after": 1})
    job = org.until(job_id)
    assert (job["state"], job["numberRecordsProcessed"]) == ("Failed", 400)


@own
def test_a_stuck_job_goes_on_in_an_org_that_is_opened_again_without_the_plan(tmp_path: Path) -> None:
    with an_org(tmp_path) as org:
        org.go_wrong({"fault": "stuck-job", "after": 1})
        job_id = org.submit(ROWS)
        until_stuck(org, job_id, 200)
    with an_org(tmp_path) as org:
        assert org.until(job_id)["numberRecordsProcessed"] == 1000
