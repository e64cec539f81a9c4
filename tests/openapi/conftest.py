from collections.abc import Iterator

import pytest

from tests.clients.orgs import serving_product


@pytest.fixture(scope="session")
def document_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the product, started with its embedded org as its users start it, has its OpenAPI document."""
    with serving_product(tmp_path_factory.mktemp("product")) as product:
        yield f"{product.rest_url}/openapi.json"
