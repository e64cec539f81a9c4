from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.orgs import AppKey, Product, serving_product
from tests.salesforce_emulator.caller import Caller, an_org


@pytest.fixture(scope="session")
def app_key(tmp_path_factory: pytest.TempPathFactory) -> AppKey:
    """The key with which the connected app signs its assertions."""
    return AppKey.made_in(tmp_path_factory.mktemp("key"))


@pytest.fixture
def org(tmp_path: Path, app_key: AppKey) -> Iterator[Caller]:
    """An org of the test's own, which shows the changes that a client made."""
    with an_org(tmp_path / "org", client_public_key=app_key.public_pem) as caller:
        yield caller


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product with its embedded org, started as its users start it."""
    with serving_product(tmp_path_factory.mktemp("product")) as served:
        yield served
