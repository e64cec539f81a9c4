"""An embedded org to log in to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
)

from salesforce_emulator import EmulatorConfig, create_app
from tests.support.asgi_server import running
from tests.support.logins import Place, key


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    public = key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with running(create_app(EmulatorConfig(data_dir=tmp_path_factory.mktemp("org"), client_public_key=public))) as url:
        yield url


@pytest.fixture
def place(org: str, tmp_path: Path) -> Place:
    return Place(org, tmp_path)
