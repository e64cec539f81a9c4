"""Plans of faults, sent and in files."""

import errno
import json
import os
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from salesforce_emulator import EmulatorConfig
from salesforce_emulator.faults.plan import BadPlan
from salesforce_emulator.org import Org
from tests.salesforce_emulator.behaviours import own
from tests.salesforce_emulator.caller import FAULTS, Caller, an_org
from tests.salesforce_emulator.faults.observations import statuses

UNFINISHED = '{"rules": [\n'


def json_problem(text: str) -> str:
    """What Python says of text that is no JSON; the words are Python's, and differ between its versions."""
    with pytest.raises(json.JSONDecodeError) as error:
        json.loads(text)
    return error.value.msg


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
            "rules.0.on: use 'create', 'upload', 'close', 'abort', 'status', 'list', 'delete', 'successfulResults', 'failedResults', 'unprocessedrecords', 'query', 'describe', 'objects', 'record', 'limits', 'resources', 'versions', 'login', 'authorize', 'token', 'introspect', 'revoke', 'userinfo', 'identity', 'other' or 'any'",
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
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["faults.json", "faults.yaml"])
def test_a_plan_in_a_file_is_in_force_from_the_start(tmp_path: Path, name: str, mark: str) -> None:
    text = "rules:\n- {on: list, fault: unavailable, times: 1}\n"
    if name.endswith(".json"):
        text = json.dumps({"rules": [{"on": "list", "fault": "unavailable", "times": 1}]})
    (tmp_path / name).write_text(mark + text, "utf-8")
    with an_org(tmp_path / "org", faults_file=tmp_path / name) as org:
        assert statuses(org, 2) == [503, 200]


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
            f"The plan of faults <folder>/faults.yaml can't be read: {os.strerror(errno.ENOENT)}; correct its name or its rights",
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
                "<folder>/faults.yaml, line 2, rules.0.on: use 'create', 'upload', 'close', 'abort', 'status', 'list', 'delete', 'successfulResults', 'failedResults', 'unprocessedrecords', 'query', 'describe', 'objects', 'record', 'limits', 'resources', 'versions', 'login', 'authorize', 'token', 'introspect', 'revoke', 'userinfo', 'identity', 'other' or 'any'"
            ),
        ),
        (
            "faults.yaml",
            "rules: []\nseed: 1\nrules: []\n",
            snapshot("The plan of faults <folder>/faults.yaml, line 3: rules stands there twice; keep one of them"),
        ),
        (
            "faults.json",
            UNFINISHED,
            f"The plan of faults <folder>/faults.json, line 2, character 1: this is not JSON ({json_problem(UNFINISHED)}); correct it",
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
