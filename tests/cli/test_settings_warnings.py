"""The warnings about settings that can be used, and yet may not be what the user meant."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr

from salesforce_bulk_ingest.app.chosen_login import login_store
from salesforce_bulk_ingest.cli.settings_warnings import login_warning, production_warning, settings_warnings
from salesforce_bulk_ingest.salesforce.logins.login_store import StoredLogin
from salesforce_bulk_ingest.settings import Settings
from tests.cli.conftest import RunHere
from tests.support.canary import TOKEN
from tests.support.commands import Environ, anonymous, write_settings
from tests.support.orgs import paths_in


def test_what_may_not_be_what_was_meant_is_a_warning(run_here: RunHere, environ: Environ) -> None:
    """Whatever is set: the command runs on."""
    odd = {
        "BULK_INGEST_COLOUR": "red",
        "SALESFORCE_INSTANCE_ULR": "https://acme.my.salesforce.com",
        "SALESFORCE_ORG_ID": "00D000000000001",
        "SALESFORCE_USERNAME": "ann@acme.example",
    }
    for args in ([], ["--emulator"]):
        done = run_here("check", "--upload-root", environ["HOME"], "--upload-root", "/", *args, more=odd)
        ours = """\
salesforce-bulk-ingest: warning: BULK_INGEST_COLOUR is not read: there is no such setting.
"""
        theirs = """\
salesforce-bulk-ingest: warning: SALESFORCE_INSTANCE_ULR is not read: did you mean SALESFORCE_INSTANCE_URL?
"""
        roots = """\
salesforce-bulk-ingest: warning: every file under /home/me may be uploaded: name the folder of the data alone as --upload-root.
salesforce-bulk-ingest: warning: every file under / may be uploaded: name the folder of the data alone as --upload-root.
"""
        assert anonymous(done.stderr, environ) == f"{ours}{'' if args else theirs}{roots}"
        assert "policy" in done.stdout


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("BULK_INGEST_DENY_OBJECTS", "BULK_INGEST_DENY_OBJECT"), ("BULK_INGEST_REED_ONLY", "BULK_INGEST_READ_ONLY")],
)
def test_a_variable_that_is_nearly_one_of_ours_is_refused(variable: str, meant: str, run_here: RunHere) -> None:
    """A rule that is not read would be missed when it is needed."""
    done = run_here("check", "--emulator", more={variable: TOKEN})
    complaint = f"salesforce-bulk-ingest: {variable} is not a setting: did you mean {meant}?\n"
    assert (done.returncode, done.stderr) == (2, complaint)


def test_variables_that_are_read_or_empty_or_another_tool_s_are_no_warning() -> None:
    environ = {
        "BULK_INGEST_READ_ONLY": "1",
        "BULK_INGEST_COLOUR": "",
        "SALESFORCE_ORG_ID": "00D000000000001",
        "HOME": "/",
    }
    assert settings_warnings(Settings(), environ, Path("/home/ann")) == []


def test_a_folder_beside_the_home_is_no_warning(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    settings = Settings(upload_roots=(tmp_path / "exports",))
    assert settings_warnings(settings, {}, tmp_path / "home") == []
    assert len(settings_warnings(settings, {}, tmp_path / "exports" / "home")) == 1


def test_a_folder_to_save_in_with_the_home_in_it_is_a_warning(tmp_path: Path) -> None:
    settings = Settings(save_roots=(tmp_path,))
    assert settings_warnings(settings, {}, tmp_path.parent / "home") == []
    assert settings_warnings(settings, {}, tmp_path) == [
        f"callers may make files anywhere under {tmp_path}: name a folder for them alone as --save-root."
    ]


def test_variables_that_the_table_of_the_chosen_org_replaces_are_named_in_one_line_without_their_values(
    run_here: RunHere, environ: Environ
) -> None:
    write_settings(environ, "[orgs.uat]\ninstance = 'acme.my'")
    variables = {
        "SALESFORCE_INSTANCE_URL": "https://other.my.salesforce.com",
        "SALESFORCE_INSTANCE_ULR": "x",
        "SALESFORCE_AUTOMATION_API_KEY": TOKEN,
    }
    done = run_here("check", more=variables | {"BULK_INGEST_ORG": "uat"})
    assert done.stderr == snapshot(
        "salesforce-bulk-ingest: warning: [orgs.uat] counts, so SALESFORCE_AUTOMATION_API_KEY and SALESFORCE_INSTANCE_URL are ignored.\n"
    )
    assert run_here("check", "--org", "uat", more={"SALESFORCE_ORG": "acme"}).stderr == snapshot(
        "salesforce-bulk-ingest: warning: [orgs.uat] counts, so SALESFORCE_ORG is ignored.\n"
    )
    assert run_here("check", "--org", "uat", "--emulator").stderr == snapshot(
        "salesforce-bulk-ingest: --emulator and --org: the embedded org is none of the orgs in settings.toml, keep one.\n"
    )


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"instance": "acme.my"}, "acme.my.salesforce.com"),
        ({"org": "me"}, 'login "me" of the Salesforce CLI'),
        ({"client_id": "x", "refresh_token": "y"}, "login at https://login.salesforce.com"),
        ({"instance_url": "https://proxy.example"}, "proxy.example"),
    ],
)
def test_a_server_that_may_write_into_production_without_an_expected_org_is_warned_of(
    settings: dict[str, Any], place: str, tmp_path: Path
) -> None:
    paths = replace(paths_in(tmp_path), settings_file=Path("FILE"))
    warning = production_warning(Settings(**settings), paths)
    assert warning == (
        f'this server may write into production ({place}), whichever org its login opens: paste expect_org = "00D..." into '
        "the top of FILE; `salesforce-bulk-ingest check` prints the line with the id."
    )
    named = production_warning(Settings(**settings, org_name="prod"), paths)
    assert named is not None and 'paste expect_org = "00D..." into [orgs.prod] of FILE;' in named


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"emulator": True},
        {"instance": "acme.my", "read_only": True},
        {"instance": "acme.my", "expect_org": "00D000000000001"},
        {"instance": "acme--uat.sandbox.my"},
        {"instance": "acme.scratch.my"},
        {"instance_url": "http://127.0.0.1:1"},
        {"client_id": "x", "refresh_token": "y", "login_url": "test"},
    ],
)
def test_a_server_that_can_not_write_into_production_or_expects_its_org_is_not(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    assert production_warning(Settings(**settings), paths_in(tmp_path)) is None


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", None),
    ],
)
def test_a_saved_login_to_production_is_warned_of_by_its_host(url: str, place: str | None, tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    login = StoredLogin(client_id="x", login_url=url, instance_url=url, refresh_token=SecretStr("R"))
    login_store(Settings(), paths).save(login)
    warning = production_warning(Settings(), paths)
    assert f"({place})" in warning if warning is not None else place is None
    assert production_warning(Settings(org_name="uat"), paths) is None


def test_a_login_that_is_known_to_fail_is_warned_of(tmp_path: Path) -> None:
    without_cli = {"org": "me", "cli": "no-such-sf"}
    assert login_warning(Settings(**without_cli), paths_in(tmp_path)) == snapshot(
        "no call reaches the org: The Salesforce CLI ('no-such-sf') is neither on the PATH of this program nor where it is usually installed: install it, or name its full path in SALESFORCE_CLI."
    )
    for settings in ({"emulator": True}, {"instance": "acme.my", "access_token": SecretStr("x")}, {}):
        assert login_warning(Settings(**settings), paths_in(tmp_path)) is None


def test_a_saved_login_may_open_production(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    for name in (None, "uat"):
        settings = Settings(org_name=name)
        store = login_store(settings, paths)
        assert production_warning(settings, paths) is None
        store.folder.mkdir(parents=True, exist_ok=True)
        store.file.touch()
        assert "may write into production (saved login)" in (production_warning(settings, paths) or "")
