"""The three sources of settings, and what a user reads who got a value wrong."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.settings import FILE_NAMES, Settings
from salesforce_bulk_ingest.settings_sources import BadSetting, load_settings
from tests.support.canary import TOKEN

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="file modes")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def _write(file: Path, text: str, mode: int = 0o600) -> Path:
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def _complaint(flags: dict[str, Any], environ: dict[str, str], file: Path | None = None) -> str:
    with pytest.raises(BadSetting) as raised:
        load_settings(flags, environ, file)
    message = str(raised.value)
    assert "\n" not in message
    return message.replace(str(file), "FILE") if file else message


def test_a_flag_beats_the_environment_and_the_environment_beats_the_file(file: Path) -> None:
    _write(file, "mcp_port = 1\nrest_port = 2\napi_version = '61.0'\nread_only = true")
    environ = {"BULK_INGEST_MCP_PORT": "3", "BULK_INGEST_REST_PORT": "4"}
    settings = load_settings({"mcp_port": 5, "rest_port": None, "allow_operation": ()}, environ, file)
    assert (settings.mcp_port, settings.rest_port, settings.api_version, settings.read_only) == (5, 4, "61.0", True)


def test_port_zero_is_a_value() -> None:
    assert load_settings({"mcp_port": 0}, {"BULK_INGEST_MCP_PORT": "3"}).mcp_port == 0


def test_an_empty_variable_is_not_set(file: Path) -> None:
    _write(file, "api_version = '61.0'")
    assert load_settings({}, {"SALESFORCE_API_VERSION": ""}, file).api_version == "61.0"


@pytest.mark.parametrize(
    ("environ", "text", "expected"),
    [
        ({"SALESFORCE_INSTANCE_URL": "http://127.0.0.1:1"}, 'instance = "acme.my"', "http://127.0.0.1:1"),
        ({"SALESFORCE_INSTANCE": "other.my"}, 'instance_url = "https://acme.my.salesforce.com"',
         "https://other.my.salesforce.com"),
    ],
)  # fmt: skip
def test_an_org_named_in_the_environment_beats_one_named_in_another_way_in_the_file(
    environ: dict[str, str], text: str, expected: str, file: Path
) -> None:
    assert load_settings({}, environ, _write(file, text)).upstream_url == expected


def test_a_login_in_the_environment_beats_a_token_in_the_file_and_the_other_way_round(file: Path) -> None:
    _write(file, f'access_token = "{TOKEN}"\ninstance = "acme.my"')
    settings = load_settings({}, {"SALESFORCE_ORG": "acme"}, file)
    assert (settings.org, settings.access_token, settings.upstream_url) == ("acme", None, None)
    _write(file, 'org = "acme"')
    environ = {"SALESFORCE_AUTOMATION_API_KEY": TOKEN, "SALESFORCE_INSTANCE": "acme.my"}
    settings = load_settings({}, environ, file)
    assert (settings.org, settings.upstream_url) == (None, "https://acme.my.salesforce.com")


def test_lists_come_from_one_variable_with_commas(file: Path) -> None:
    environ = {"BULK_INGEST_ALLOW_OPERATION": "delete, hardDelete,", "BULK_INGEST_ALLOWED_HOST": "a.example,b.example"}
    settings = load_settings({}, environ, _write(file, 'allowed_origin = ["https://a.example"]'))
    assert settings.allow_operation == ("delete", "hardDelete")
    assert settings.allowed_host == ("a.example", "b.example")
    assert settings.allowed_origin == ("https://a.example",)


def test_rules_of_confirmation_come_from_each_source_and_none_is_none(file: Path) -> None:
    rules = ("delete", "production update > 1,000")
    environ = {"BULK_INGEST_CONFIRM": "delete, production update > 1,000,"}
    assert load_settings({}, environ, file).confirm == rules
    assert load_settings({"confirm": rules}, {}, file).confirm == rules
    assert load_settings({}, {}, _write(file, 'confirm = ["delete", "production update > 1,000"]')).confirm == rules
    for flags, variables, text in (
        ({}, {}, "confirm = []"),
        ({"confirm": ["none"]}, {}, ""),
        ({}, {"BULK_INGEST_CONFIRM": "none"}, ""),
    ):
        assert load_settings(flags, variables, _write(file, text)).confirm == ()
    for wrong in ("none, delete", "everything"):
        with pytest.raises(BadSetting, match="BULK_INGEST_CONFIRM"):
            load_settings({}, {"BULK_INGEST_CONFIRM": wrong}, _write(file, ""))


def test_the_limit_of_an_upload_can_be_written_with_underscores(file: Path) -> None:
    assert load_settings({}, {"BULK_INGEST_MAX_UPLOAD_BYTES": "50_000_000"}).max_upload_bytes == 50_000_000
    assert load_settings({}, {}, _write(file, "max_upload_bytes = 60_000_000")).max_upload_bytes == 60_000_000


@posix_only
def test_a_file_with_a_token_has_to_be_private(file: Path) -> None:
    _write(file, f'access_token = "{TOKEN}"', 0o640)
    assert _complaint({}, {}, file) == snapshot("FILE holds a secret and others can read it: run `chmod 600 'FILE'`.")
    file.chmod(0o600)
    token = load_settings({}, {}, file).access_token
    assert token is not None and token.get_secret_value() == TOKEN


@posix_only
def test_a_file_without_a_token_may_be_read_by_others(file: Path) -> None:
    assert load_settings({}, {}, _write(file, "org = 'acme'", 0o644)).org == "acme"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tokn = 1", "FILE: 'tokn' is not a setting; see the table in docs/configuration.md."),
        ("instnace = 'acme.my'", "FILE: 'instnace' is not a setting; did you mean 'instance'?"),
        ("emulator = true", "FILE: 'emulator' is not a setting; it is the option --emulator of a command alone."),
        ("data_dir = '/tmp'", "FILE: 'data_dir' is not a setting; it is the option --data-dir of a command alone."),
        ("INSTANCE = 'acme.my'", "FILE: 'INSTANCE' is not a setting; did you mean 'instance'?"),
        ("access-token = 'x'", "FILE: 'access-token' is not a setting; did you mean 'access_token'?"),
        ("accessToken = 'x'", "FILE: 'accessToken' is not a setting; did you mean 'access_token'?"),
        ("--upload-root = '/'", "FILE: '--upload-root' is not a setting; did you mean 'upload_roots'?"),
        ("SALESFORCE_INSTANCE = 'acme.my'", "FILE: 'SALESFORCE_INSTANCE' is not a setting; did you mean 'instance'?"),
        ("SALESFORCE_AUTOMATION_API_KEY = 'x'",
         "FILE: 'SALESFORCE_AUTOMATION_API_KEY' is not a setting; did you mean 'access_token'?"),
        ("BULK_INGEST_UPLOAD_ROOT = '/'",
         "FILE: 'BULK_INGEST_UPLOAD_ROOT' is not a setting; did you mean 'upload_roots'?"),
        ("[orgs.uat]\nSALESFORCE-ORG = 'x'",
         "FILE: 'SALESFORCE-ORG' in [orgs.uat] is not a setting; did you mean 'org'?"),
        (f'"{TOKEN}" = 1',
         "FILE: a name that may be a secret is not a setting; see the table in docs/configuration.md."),
        (f'["{TOKEN}"]', "FILE: a name that may be a secret is not a setting; see the table in docs/configuration.md."),
        (f'[orgs.uat]\n"{TOKEN}" = 1',
         "FILE: a name that may be a secret in [orgs.uat] is not a setting; see the table in docs/configuration.md."),
        ("access_token = '“00D”'",
         "access_token in FILE: expected an access token: one word of plain characters, without quotes or brackets around "
         "it."),
        ("client_id = 'x'\nrefresh_token = 'Bearer x'",
         "refresh_token in FILE: expected one word of plain characters, without the words before it, such as Bearer."),
        ("org = 17", "org in FILE: expected a text in quotes."),
        ("upload_roots = ['/no/such']", f"upload_roots in FILE: expected a folder that exists, not {Path('/no/such')}."),
        ("upload_root = '/'", "FILE: 'upload_root' is not a setting; did you mean 'upload_roots'?"),
        ("access_token = ''", "access_token in FILE: expected an access token: one word of plain characters."),
        ("read_only = 'perhaps'", "read_only in FILE: expected true or false."),
        ("read_only = []", "read_only in FILE: expected true or false."),
        ("api_version = 63", 'api_version in FILE: expected a text in quotes, such as "63.0".'),
        ("max_upload_bytes = '100 MB'",
         "max_upload_bytes in FILE: expected a whole number, in digits alone, such as 100000000."),
        ("org = ''", "org in FILE: expected a text that is not empty."),
        ("mcp_host = 1", 'mcp_host in FILE: expected a text in quotes, such as "127.0.0.1".'),
        ("allow_operation = ['upsert']", "allow_operation in FILE: expected 'delete' or 'hardDelete'."),
        ("hide_fields = ['Contact.Email Address']",
         "hide_fields in FILE: expected the name of one field, such as SSN__c, *Email* or Contact.*Email*."),
        ("allowed_host = true",
         "allowed_host in FILE: expected texts in quotes, in brackets and with commas between them."),
        ("spool_days = 0", "spool_days in FILE: expected 1 or more."),
        ("instance = 'acme.my'\ninstance_url = 'https://acme.my.salesforce.com'",
         "instance in FILE and instance_url in FILE: two names for the org, keep one."),
        ("client_id = 'x'\nrefresh_token = 'two words'", "refresh_token in FILE: expected one word of plain characters."),
        ("client_id = 'x'\nusername = 'u'\njwt_key_file = 'k.pem'\nrefresh_token = 'r'",
         "jwt_key_file in FILE and refresh_token in FILE: two ways to log in, keep one."),
        ("instance = 'acme.my'\naccess_token = 'a'\nclient_id = 'x'\nclient_secret = 's'",
         "access_token in FILE and client_secret in FILE: two ways to log in, keep one."),
        ("client_id = 'x'\nclient_secret = 's'\norg = 'acme'",
         "org in FILE and client_secret in FILE: two ways to log in, keep one."),
        ("client_secret = 's'\ninstance = 'acme.my'",
         "client_secret in FILE: client_id (SALESFORCE_CLIENT_ID) belongs to it, and is missing."),
        ("client_id = 'x'\njwt_key_file = 'k.pem'",
         "jwt_key_file in FILE: username (SALESFORCE_USERNAME) belongs to it, and is missing."),
        ("client_id = 'x'\ncertificate_file = 'c.pem'",
         "certificate_file in FILE: jwt_key_file (SALESFORCE_JWT_KEY_FILE) belongs to it, and is missing."),
        ("refresh_token = 'r'", "refresh_token in FILE: client_id (SALESFORCE_CLIENT_ID) belongs to it, and is missing."),
        ("client_id = 'x'\nclient_secret = 's'",
         "client_secret in FILE: an app logs in at the My Domain alone: name it as instance (SALESFORCE_INSTANCE), such as "
         "acme.my."),
        ("client_id = 'x'\nclient_secret = 's'\nlogin_url = 'test'",
         "login_url in FILE: an app logs in at the My Domain alone: name it as instance (SALESFORCE_INSTANCE), such as "
         "acme.my."),
        ("login_url = 'acme.lightning.force.com'",
         "login_url in FILE: 'acme.lightning.force.com' shows pages and has no API: expected a My Domain name such as acme.my; "
         "did you mean 'acme.my'?"),
        ("instance = 'acme'",
         "instance in FILE: expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com, not "
         "'acme'; did you mean 'acme.my'?"),
        ("instance = 'login'",
         "instance in FILE: 'login' is a login host and no org: expected a My Domain name such as acme.my; login_url names the "
         "login host."),
        ("redirect_uri = 'https://example.com/callback'",
         "redirect_uri in FILE: expected a URL of this machine, such as http://localhost:1717/OauthRedirect, as it is among "
         "the app's callback URLs."),
        ("redirect_uri = 'http://localhost:0/x'",
         "redirect_uri in FILE: expected a URL of this machine, such as http://localhost:1717/OauthRedirect, as it is among "
         "the app's callback URLs."),
        ("redirect_uri = 'http://localhost:1799/{a'",
         "redirect_uri in FILE: expected a URL of this machine, such as http://localhost:1717/OauthRedirect, as it is among "
         "the app's callback URLs."),
        ("redirect_uri = 'http://localhost:1717'",
         "redirect_uri in FILE: expected a URL of this machine, such as http://localhost:1717/OauthRedirect, as it is among "
         "the app's callback URLs."),
        ("redirect_uri = 'http://localhost:99999999/x'",
         "redirect_uri in FILE: expected a URL of this machine, such as http://localhost:1717/OauthRedirect, as it is among "
         "the app's callback URLs."),
        ("org = 'acme'\ninstance = 'acme.my'",
         "org in FILE and instance in FILE: keep either the CLI's login or a token with an instance, not both."),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named(text: str, complaint: str, file: Path) -> None:
    assert _complaint({}, {}, _write(file, text)) == complaint


def test_a_file_that_is_not_toml_is_named(file: Path) -> None:
    assert _complaint({}, {}, _write(file, "org ")).startswith("FILE is not TOML: ")


def test_a_text_in_the_file_without_quotes_is_told_to_take_them(file: Path) -> None:
    assert _complaint({}, {}, _write(file, "instance = acme.my")) == snapshot(
        'FILE is not TOML: Invalid value (at line 1, column 12); texts stand in straight quotes, as in instance = "acme.my".'
    )


def test_a_file_that_is_not_utf_8_is_named(file: Path) -> None:
    file.write_bytes(b'org = "M\xfcller"')
    assert _complaint({}, {}, file) == snapshot("FILE is not TOML: it has to be saved as UTF-8.")


def test_a_file_from_notepad_is_read_with_its_byte_order_mark(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + b'org = "acme"\r\n')
    assert load_settings({}, {}, file).org == "acme"


def test_a_file_in_utf_16_is_named(file: Path) -> None:
    file.write_bytes('org = "acme"'.encode("utf-16"))
    assert _complaint({}, {}, file) == snapshot("FILE is not TOML: it is saved as UTF-16 and has to be saved as UTF-8.")


def test_a_file_that_can_not_be_read_is_named(file: Path) -> None:
    file.mkdir()
    assert _complaint({}, {}, file) == snapshot("FILE can't be read: Is a directory.")


@pytest.mark.parametrize("name", sorted(FILE_NAMES))
@pytest.mark.parametrize(
    "value", ["63", "-1", "1.5", "nan", "1e300", "true", "[]", "[1]", "{a = 1}", "''", "2026-11-28"]
)
def test_no_setting_is_refused_in_the_words_of_a_library(name: str, value: str, file: Path) -> None:
    try:
        load_settings({}, {}, _write(file, f"{name} = {value}"))
    except BadSetting as error:
        assert "should" not in str(error) and "valid" not in str(error)


ONE_NAME = "expected a My Domain name such as acme.my, or a URL such as https://acme.my.salesforce.com."


PUBLIC_URL = (
    "expected scheme and host and nothing after, such as https://bulk.example (http:// for this machine only, so that no "
    "token travels in clear)."
)
ISSUER = "expected a URL such as https://login.example (http:// for this machine only)."


VERSION = "expected a version such as 63.0, 41.0 or later."


NO_FOLDER = "expected a folder that exists"


BYTES = (
    "expected 1,000 to 112,500,000: Salesforce takes 150 MB an upload as base64, which makes four bytes of three, and "
    "advises 100,000,000 at most."
)


HOST = "expected a name as in a Host header, such as bulk.example or bulk.example:8443."


ORIGIN = "expected scheme and host and nothing after, such as https://app.example or http://localhost:3000."


@pytest.mark.parametrize(
    ("flags", "environ", "complaint"),
    [
        ({}, {"SALESFORCE_INSTANCE": TOKEN}, f"SALESFORCE_INSTANCE: {ONE_NAME}"),
        ({}, {"SALESFORCE_INSTANCE_URL": f"https://x/{TOKEN}"},
         "SALESFORCE_INSTANCE_URL: expected scheme and host only, such as https://acme.my.salesforce.com."),
        ({}, {"SALESFORCE_INSTANCE_URL": "http://acme.my.salesforce.com"},
         "SALESFORCE_INSTANCE_URL: expected https:// (http:// is taken for this machine only, so that no token travels "
         "in clear); did you mean 'acme.my'?"),
        ({}, {"SALESFORCE_API_VERSION": TOKEN}, f"SALESFORCE_API_VERSION: {VERSION}"),
        ({}, {"SALESFORCE_API_VERSION": "63"}, f"SALESFORCE_API_VERSION: {VERSION}"),
        ({}, {"SALESFORCE_API_VERSION": "40.0"}, f"SALESFORCE_API_VERSION: {VERSION}"),
        ({}, {"SALESFORCE_AUTOMATION_API_KEY": f"{TOKEN} {TOKEN}"},
         "SALESFORCE_AUTOMATION_API_KEY: expected an access token: one word of plain characters."),
        ({}, {"SALESFORCE_INSTANCE": "acme.my", "SALESFORCE_INSTANCE_URL": "https://acme.my.salesforce.com"},
         "SALESFORCE_INSTANCE and SALESFORCE_INSTANCE_URL: two names for the org, keep one."),
        ({}, {"SALESFORCE_ORG": "acme", "SALESFORCE_AUTOMATION_API_KEY": TOKEN},
         "SALESFORCE_ORG and SALESFORCE_AUTOMATION_API_KEY: keep either the CLI's login or a token with an instance, "
         "not both."),
        ({}, {"BULK_INGEST_MCP_PORT": TOKEN},
         "BULK_INGEST_MCP_PORT: expected a whole number, in digits alone, such as 9090."),
        ({"mcp_port": 65_536}, {}, "--mcp-port: expected 65535 or less."),
        ({"rest_port": -1}, {"BULK_INGEST_REST_PORT": "1"},
         "--rest-port: expected 0 or more."),
        ({"mcp_port": 1, "rest_port": 1}, {}, "--mcp-port and --rest-port: MCP and REST can't share one port."),
        ({"mcp_port": 8080}, {}, "--mcp-port and --rest-port: MCP and REST can't share one port."),
        ({"allow_operation": [TOKEN]}, {}, "--allow-operation: expected 'delete' or 'hardDelete'."),
        ({}, {"BULK_INGEST_ALLOW_OPERATION": "upsert"},
         "BULK_INGEST_ALLOW_OPERATION: expected 'delete' or 'hardDelete'."),
        ({"upload_roots": [Path(TOKEN)]}, {}, f"--upload-root: {NO_FOLDER}."),
        ({"upload_roots": [Path("SECRET" * 20)]}, {}, f"--upload-root: {NO_FOLDER}."),
        ({"upload_roots": [Path("~nobody-of-this-name/x")]}, {},
         f"--upload-root: {NO_FOLDER}, not {Path('~nobody-of-this-name/x')}."),
        ({"upload_roots": [Path(__file__)]}, {}, f"--upload-root: {NO_FOLDER}, not {Path(__file__)}."),
        ({"upload_roots": [Path("none")]}, {}, f"--upload-root: {NO_FOLDER}, not {Path.cwd() / 'none'}."),
        ({}, {"BULK_INGEST_UPLOAD_ROOT": TOKEN}, f"BULK_INGEST_UPLOAD_ROOT: {NO_FOLDER}."),
        ({}, {"BULK_INGEST_UPLOAD_ROOT": os.pathsep.join((str(Path(__file__).parent), os.path.abspath("/nope")))},
         f"BULK_INGEST_UPLOAD_ROOT: {NO_FOLDER}, not {os.path.abspath('/nope')}."),
        ({}, {"BULK_INGEST_READ_ONLY": "maybe"}, "BULK_INGEST_READ_ONLY: expected true or false."),
        ({"max_upload_bytes": 999}, {}, f"--max-upload-bytes: {BYTES}"),
        ({"max_upload_bytes": 112_500_001}, {}, f"--max-upload-bytes: {BYTES}"),
        ({"allowed_host": ["http://x y/"]}, {}, f"--allowed-host: {HOST}"),
        ({"allowed_host": ["a.example", "https://b.example"]}, {}, f"--allowed-host: {HOST}"),
        ({}, {"BULK_INGEST_ALLOWED_HOST": "a.example/v1"}, f"BULK_INGEST_ALLOWED_HOST: {HOST}"),
        ({"allowed_host": ["2001:db8::1"]}, {}, f"--allowed-host: {HOST}"),
        ({"allowed_origin": ["nope"]}, {}, f"--allowed-origin: {ORIGIN}"),
        ({"allowed_origin": ["https://app.example/"]}, {}, f"--allowed-origin: {ORIGIN}"),
        ({"allowed_origin": ["https://app.example/page"]}, {}, f"--allowed-origin: {ORIGIN}"),
        ({"allowed_origin": ["https://ann@app.example"]}, {}, f"--allowed-origin: {ORIGIN}"),
        ({"data_dir": Path(TOKEN)}, {}, "--data-dir: that is about the embedded org, so add --emulator."),
        ({"public_url": "http://bulk.example"}, {}, f"--public-url: {PUBLIC_URL}"),
        ({"public_url": "https://bulk.example/mcp"}, {}, f"--public-url: {PUBLIC_URL}"),
        ({"public_url": "https://ann@bulk.example"}, {}, f"--public-url: {PUBLIC_URL}"),
        ({"public_url": "https://bulk.example?x"}, {}, f"--public-url: {PUBLIC_URL}"),
        ({"oauth_issuer": "login.example"}, {}, f"--oauth-issuer: {ISSUER}"),
        ({"oauth_issuer": "http://login.example"}, {}, f"--oauth-issuer: {ISSUER}"),
        ({"oauth_issuer": "https://ann:b@login.example"}, {}, f"--oauth-issuer: {ISSUER}"),
        ({"oauth_issuer": "https://[x"}, {}, f"--oauth-issuer: {ISSUER}"),
        ({}, {"BULK_INGEST_OAUTH_JWKS_URL": "file:///etc/passwd"}, f"BULK_INGEST_OAUTH_JWKS_URL: {ISSUER}"),
        ({"oauth_issuer": "https://login.example"}, {},
         "--oauth-issuer: public_url (BULK_INGEST_PUBLIC_URL) belongs to it, and is missing: tokens have to be for this "
         "server."),
        ({}, {"BULK_INGEST_OAUTH_JWKS_URL": "https://login.example/keys"},
         "BULK_INGEST_OAUTH_JWKS_URL: oauth_issuer (BULK_INGEST_OAUTH_ISSUER) belongs to it, and is missing."),
        ({}, {"BULK_INGEST_READ_SCOPE": "a b"},
         "BULK_INGEST_READ_SCOPE: expected one scope: plain characters without spaces and quotes."),
        ({}, {"BULK_INGEST_READ_SCOPE": "x", "BULK_INGEST_WRITE_SCOPE": "x"},
         "BULK_INGEST_READ_SCOPE and BULK_INGEST_WRITE_SCOPE: reading and writing need two scopes."),
        ({"max_connections": 0}, {}, "--max-connections: expected 1 or more."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_flag_or_variable_without_its_value(
    flags: dict[str, Any], environ: dict[str, str], complaint: str, file: Path
) -> None:
    assert _complaint(flags, environ, file) == complaint
    assert "SECRET" not in complaint


def test_the_emulator_drops_everything_that_is_said_about_salesforce(file: Path) -> None:
    environ = {
        "SALESFORCE_AUTOMATION_API_KEY": TOKEN, "SALESFORCE_INSTANCE": "acme.my", "SALESFORCE_API_VERSION": "60.0",
        "SALESFORCE_INSTANCE_URL": "no URL at all", "SALESFORCE_ORG": "acme", "SALESFORCE_CLI": "/bin/false",
        "BULK_INGEST_MCP_PORT": "7",
    }  # fmt: skip
    _write(file, f'access_token = "{TOKEN}"\ninstance = "acme.my"\norg = "x"\nrest_port = 8')
    settings = load_settings({"emulator": True}, environ, file)
    assert settings == Settings(emulator=True, mcp_port=7, rest_port=8)


def test_the_process_s_own_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setitem(os.environ, "SALESFORCE_ORG", "acme")
    assert load_settings({}, {}, file).org is None


TABLES = """
client_id = "of the top level"
read_only = true
mcp_port = 1

[orgs.prod]
instance = "acme.my"
access_token = "PROD"

[orgs.uat]
org = "acme-uat"
read_only = false
allow_operation = ["hardDelete"]
"""


def test_the_table_of_the_chosen_org_counts_in_place_of_all_that_names_another_one(file: Path) -> None:
    _write(file, TABLES)
    environ = {"SALESFORCE_INSTANCE": "other.my", "SALESFORCE_AUTOMATION_API_KEY": TOKEN, "BULK_INGEST_MCP_PORT": "2"}
    for flags, variable in (({"org_name": "uat"}, {"BULK_INGEST_ORG": "prod"}), ({}, {"BULK_INGEST_ORG": "uat"})):
        settings = load_settings(flags, environ | variable, file)
        assert settings == Settings(org_name="uat", org="acme-uat", allow_operation=("hardDelete",), mcp_port=2)
    prod = load_settings({"org_name": "prod"}, {}, file)
    assert (prod.upstream_url, prod.read_only, prod.client_id) == ("https://acme.my.salesforce.com", True, None)


def test_without_a_chosen_org_the_tables_say_nothing(file: Path) -> None:
    _write(file, TABLES)
    assert load_settings({}, {}, file) == Settings(client_id="of the top level", read_only=True, mcp_port=1)


def test_the_policy_of_a_flag_or_a_variable_beats_that_of_a_table(file: Path) -> None:
    _write(file, TABLES)
    environ = {"BULK_INGEST_READ_ONLY": "1"}
    settings = load_settings({"org_name": "uat", "allow_operation": ["delete"]}, environ, file)
    assert (settings.read_only, settings.allow_operation) == (True, ("delete",))


def test_the_hidden_fields_of_the_chosen_table_count_in_place_of_those_above(file: Path) -> None:
    _write(file, f'hide_fields = ["SSN__c"]{TABLES}hide_fields = ["*Email*", "Lead.Phone"]\n')
    assert load_settings({}, {}, file).hide_fields == ("SSN__c",)
    assert load_settings({"org_name": "uat"}, {}, file).hide_fields == ("*Email*", "Lead.Phone")
    by_variable = load_settings({"org_name": "uat"}, {"BULK_INGEST_HIDE_FIELD": "A__c, Account.*"}, file)
    assert by_variable.hide_fields == ("A__c", "Account.*")


def test_the_embedded_org_is_none_of_the_tables(file: Path) -> None:
    _write(file, TABLES)
    assert _complaint({"emulator": True, "org_name": "uat"}, {}, file) == snapshot(
        "--emulator and --org: the embedded org is none of the orgs in settings.toml, keep one."
    )
    environ = {"BULK_INGEST_ORG": "no org"}
    assert load_settings({"emulator": True}, environ, file) == Settings(emulator=True, read_only=True, mcp_port=1)


@posix_only
def test_a_token_in_a_table_has_to_be_private_whichever_org_is_chosen(file: Path) -> None:
    _write(file, TABLES, 0o644)
    for flags in ({}, {"org_name": "uat"}):
        assert _complaint(flags, {}, file) == snapshot(
            "FILE holds a secret and others can read it: run `chmod 600 'FILE'`."
        )


@pytest.mark.parametrize(
    ("flags", "environ", "text", "complaint"),
    [
        ({"org_name": "UTA"}, {}, TABLES,
         "--org: FILE has no such org, only 'prod' and 'uat'; did you mean 'uat'?"),
        ({}, {"BULK_INGEST_ORG": TOKEN}, TABLES, "BULK_INGEST_ORG: FILE has no such org, only 'prod' and 'uat'."),
        ({"org_name": TOKEN}, {}, "[orgs.UAT]", "--org: FILE has no such org, only 'UAT'."),
        ({"org_name": "uat"}, {}, "instance = 'acme.my'", "--org: there is no table [orgs.NAME] in FILE."),
        ({"org_name": TOKEN, "emulator": True}, {}, TABLES,
         "--org: expected the name of an [orgs.NAME] table: at most 40 letters, digits, - and _."),
        ({"org_name": "uat"}, {}, "[orgs.uat]\naccess_token = 'a b'",
         "access_token in [orgs.uat] of FILE: expected an access token: one word of plain characters."),
        ({"org_name": "uat"}, {}, "[orgs.uat]\ninstance = 'acme.my'\norg = 'acme'",
         "org in [orgs.uat] of FILE and instance in [orgs.uat] of FILE: keep either the CLI's login or a token with an "
         "instance, not both."),
        ({"org_name": "uat"}, {}, "[orgs.uat]\nexpect_org = '00D000000000001EAB'",
         "expect_org in [orgs.uat] of FILE: expected the id of an organization; its last three characters do not fit the "
         "others."),
        ({}, {}, "[orgs.uat]\ninstnace = 'acme.my'",
         "FILE: 'instnace' in [orgs.uat] is not a setting; did you mean 'instance'?"),
        ({}, {}, "[orgs.uat]\ncolour = 1",
         "FILE: 'colour' in [orgs.uat] is not a setting; see the table in docs/configuration.md."),
        ({}, {}, "[orgs.uat]\nmcp_port = 1",
         "FILE: 'mcp_port' in [orgs.uat] is the same for all orgs: it has to stand above the first table."),
        ({}, {}, "[orgs.uat.login]\ninstance = 'acme.my'",
         "FILE: 'login' in [orgs.uat] is not a setting; see the table in docs/configuration.md."),
        ({}, {}, "[orgs]\ninstance = 'acme.my'",
         "FILE: the settings of an org stand in a table of their own, such as [orgs.uat]."),
        ({}, {}, "orgs = 'uat'", "FILE: the settings of an org stand in a table of their own, such as [orgs.uat]."),
        ({}, {}, "[[orgs]]", "FILE: the settings of an org stand in a table of their own, such as [orgs.uat]."),
        ({}, {}, "[orgs.'my uat']",
         "FILE: the name of an org has at most 40 letters, digits, - and _, as in [orgs.uat]."),
        ({}, {}, "[org.uat]", "FILE: 'org' is not a setting; did you mean [orgs.NAME]?"),
        ({}, {}, "[uat]", "FILE: 'uat' is not a setting; did you mean [orgs.uat]?"),
        ({}, {}, "[uat]\ninstance = 'acme.my'\nmax_job_rows = 5",
         "FILE: 'uat' is not a setting; did you mean [orgs.uat]?"),
        ({}, {}, "[policy]\nallow_objects = ['Account']",
         "FILE: 'policy' is not a setting; what is in it stands above the first table, or in that of an org: [orgs.NAME]."),
        ({}, {}, "[server]\nmcp_port = 1",
         "FILE: 'server' is not a setting; what is in it stands above the first table."),
        ({}, {}, "[ogrs.uat]", "FILE: 'ogrs' is not a setting; did you mean 'orgs'?"),
        ({}, {}, "org_name = 'uat'", "FILE: 'org_name' is not a setting; it is the option --org of a command alone."),
    ],
)  # fmt: skip
def test_what_is_wrong_about_the_tables_is_named_without_the_name_that_was_given(
    flags: dict[str, Any], environ: dict[str, str], text: str, complaint: str, file: Path
) -> None:
    assert _complaint(flags, environ, _write(file, text)) == complaint
