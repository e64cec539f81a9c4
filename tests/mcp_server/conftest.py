"""Fixtures that the tests of tools and answers share."""

from collections.abc import AsyncIterator

import pytest
from mcp import Client

from tests.support.orgs import ERAS, Era, agent


@pytest.fixture(params=[ERAS[0], pytest.param(ERAS[1], marks=pytest.mark.slow)])
async def client(request: pytest.FixtureRequest, org_url: str) -> AsyncIterator[Client]:
    era: Era = request.param
    async with agent(org_url, era=era, rest_url="http://127.0.0.1:8080/v1") as connected:
        yield connected
