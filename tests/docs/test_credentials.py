"""docs/credentials.md, line by line: what it tells to paste is accepted, and each way opens the embedded org."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from salesforce_bulk_ingest.settings_sources import load_settings, org_names
from salesforce_emulator import EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.commands import fresh_environ, run, write_settings

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "credentials.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^<!-- (real|embedded: \w+) -->\n```\w+\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
URL = "http://127.0.0.1:8081"


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key and the certificate that the document tells to make."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    folder = tmp_path_factory.mktemp("keys")
    (command,) = blocks("embedded: key")
    subprocess.run(["sh", "-e"], input=command.encode(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def org(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An embedded org whose app has the certificate."""
    public_key = (keys / "server.crt").read_text()
    with running(
        create_app(EmulatorConfig(data_dir=tmp_path_factory.mktemp("org"), client_public_key=public_key))
    ) as url:
        yield url


def test_each_way_has_what_to_paste() -> None:
    assert (len(blocks("real")), len(blocks("embedded: settings"))) == (6, 4)


@pytest.mark.parametrize("settings", blocks("embedded: settings"))
def test_each_way_opens_the_embedded_org_as_it_is_written(settings: str, org: str, keys: Path, tmp_path: Path) -> None:
    assert URL in settings
    environ = fresh_environ(tmp_path)
    write_settings(environ, settings.replace(URL, org))
    done = run(environ, "check", folder=keys)
    assert done.returncode == 0, done.stdout
    assert "admin@emulator.example" in done.stdout


@pytest.mark.parametrize("settings", blocks("real"))
def test_what_is_to_paste_for_a_real_org_is_accepted(settings: str, tmp_path: Path) -> None:
    (file := tmp_path / "settings.toml").touch(mode=0o600)
    file.write_text(settings, encoding="utf-8")
    names: list[str | None] = [*org_names(file)]
    for name in names or [None]:
        assert load_settings({"org_name": name}, {}, file).ways_to_log_in


def test_every_error_that_is_explained_is_one_that_has_advice_or_a_code() -> None:
    table = TEXT.rpartition("## If it does not work")[2]
    said = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "server").rglob("*.py") if path.name != "__init__.py"
    )
    assert len(said) == 9
    assert [text for text in said if text.lower() not in source.lower()] == []
