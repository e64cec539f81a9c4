"""Who may call, by the settings and the file of tokens; and what does not start."""

from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.app.chosen_callers import check_callers, describe_callers, door_of
from salesforce_bulk_ingest.serving.ports import CantStart
from salesforce_bulk_ingest.settings import Settings
from tests.support.callers import serving, token_in
from tests.support.orgs import paths_in
from tests.support.plain_http import plain_http

OAUTH: dict[str, Any] = {"oauth_issuer": "https://id.example", "public_url": "https://bulk.example"}
OPEN = {"allow_unauthenticated": True}
ELSEWHERE = {"mcp_host": "0.0.0.0"}
NAMED = {"allowed_host": ["bulk.example"]}


def complaint(folder: Path, **settings: Any) -> str:
    with pytest.raises(CantStart) as raised:
        check_callers(Settings.model_validate(settings), paths_in(folder))
    return str(raised.value).replace(str(folder), "FOLDER")


def test_other_machines_are_not_served_before_it_is_settled_how_they_sign_in(tmp_path: Path) -> None:
    said = complaint(tmp_path, rest_host="::", **NAMED)
    assert said == snapshot(
        "--rest-host: other machines would reach this server without signing in: make a token for each caller (`salesforce-bulk-ingest token add NAME`), name an issuer of access tokens (--oauth-issuer and --public-url), or, if nobody has to sign in, add --allow-unauthenticated."
    )
    for host in ("10.0.0.1", "bulk.example", "127.0.0.2"):
        assert complaint(tmp_path, mcp_host=host, emulator=True).startswith("--mcp-host: other machines")


@pytest.mark.parametrize("settings", [OAUTH, {**OPEN, **NAMED}])
def test_other_machines_are_served_where_it_is_settled(settings: dict[str, Any], tmp_path: Path) -> None:
    check_callers(Settings.model_validate({**ELSEWHERE, **settings}), paths_in(tmp_path))


def test_other_machines_are_served_with_named_tokens_by_a_name(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    check_callers(Settings.model_validate({**ELSEWHERE, **NAMED}), paths_in(tmp_path))
    assert complaint(tmp_path, **ELSEWHERE) == snapshot(
        "--mcp-host: other machines call this server by a name: add --allowed-host NAME (and --allowed-origin for browsers)."
    )


def test_a_door_that_stands_open_beside_a_guarded_one_is_refused(tmp_path: Path) -> None:
    assert complaint(tmp_path, **OPEN, **OAUTH) == snapshot(
        "--allow-unauthenticated lets in callers without a token, but --oauth-issuer is set: keep one of both."
    )
    token_in(tmp_path, "ann")
    assert complaint(tmp_path, **OPEN) == snapshot(
        "--allow-unauthenticated lets in callers without a token, but there are named tokens in FOLDER/callers.json: keep one of both."
    )


def test_a_file_of_tokens_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    assert complaint(tmp_path, token_file=tmp_path / "other.json") == snapshot(
        "--token-file: there is no file FOLDER/other.json; `token add NAME` makes it, with a first token."
    )


async def test_a_damaged_file_of_tokens_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    paths_in(tmp_path).token_file.write_text("{")
    with pytest.raises(CantStart, match="is damaged"):
        async with serving(tmp_path):
            raise AssertionError("it serves")


def told(folder: Path, **settings: Any) -> str:
    return describe_callers(Settings.model_validate(settings), paths_in(folder))


def test_who_may_call_is_told_in_a_line(tmp_path: Path) -> None:
    assert told(tmp_path) == "anyone on this machine"
    assert told(tmp_path, **ELSEWHERE, **OPEN, **NAMED) == "anyone who reaches this machine"
    assert told(tmp_path, **OAUTH) == "OAuth of https://id.example"
    token_in(tmp_path, "ann")
    assert told(tmp_path) == "1 named token"
    token_in(tmp_path, "bob")
    assert told(tmp_path, **OAUTH) == "2 named tokens and OAuth of https://id.example"


async def test_tokens_count_on_this_machine_too_and_also_when_all_are_revoked(tmp_path: Path) -> None:
    token_in(tmp_path, "ann")
    paths_in(tmp_path).token_file.write_text('{"tokens": []}')
    async with serving(tmp_path) as addresses, plain_http() as http:
        assert (await http.get(f"{addresses.rest_url}/jobs/ingest")).status_code == 401


def test_callers_without_a_name_are_people_of_this_machine_only_where_no_other_calls(tmp_path: Path) -> None:
    for settings, trusts in (({}, True), ({**ELSEWHERE, **OPEN, **NAMED}, False)):
        door = door_of(Settings.model_validate(settings), paths_in(tmp_path), None)
        assert (door.verifier, door.trusts_anyone) == (None, trusts)


async def test_the_public_url_is_a_name_of_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path, **OAUTH) as addresses, plain_http() as http:
        url = addresses.rest_url.replace("/v1", "/health/live")
        assert (await http.get(url, headers={"Host": "bulk.example"})).status_code == 200
        assert (await http.get(url, headers={"Host": "other.example"})).status_code == 421
