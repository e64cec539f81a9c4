"""Fixtures that all tests share."""

import gc
import json
import os
from collections.abc import Callable, Generator, Iterator
from types import CodeType
from typing import Any

import pytest
import stamina
from hypothesis import settings
from jsonschema import Draft202012Validator
from mcp.server.mcpserver.resources import ResourceTemplate
from pydantic import validate_call

from tests.support import canary
from tests.support.keyrings import NO_KEYRING
from tests.support.orgs import emulator
from tests.support.watched_org import WatchedOrg, watched_org

# A deadline would only measure how busy the machine is. `make test` tries a few examples of each property, `make test-slow`
# many, and `make fuzz` looks for new ones for some minutes.
settings.register_profile("few", deadline=None, max_examples=25)
settings.register_profile("many", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "few"))

# The keyring of whoever runs the tests is neither read nor written.
os.environ["PYTHON_KEYRING_BACKEND"] = NO_KEYRING


def pytest_configure(config: pytest.Config) -> None:
    """Look for the token of the tests in everything that they write."""
    config.pluginmanager.register(canary)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from the objects that exist before the tests: they stay for the whole run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _no_pauses_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(autouse=True, scope="session")
def _each_schema_is_checked_once() -> Iterator[None]:
    """Every client of the SDK checks the schemas of the answers that it gets, though all clients of a run get the same few."""
    check, checked = Draft202012Validator.check_schema, set[str]()

    def check_once(schema: dict[str, Any]) -> None:
        text = json.dumps(schema)
        if text not in checked:
            check(schema)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Draft202012Validator, "check_schema", check_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _the_arguments_of_each_resource_are_modelled_once() -> Iterator[None]:
    """Every server declares the same few resources, whose functions differ only in the services that they call.

    What the servers share is what the SDK makes of the names and the types of a function's arguments. Each has a template of its
    own around its own function, whose arguments are checked as without this.
    """
    declare = ResourceTemplate.from_function
    declared: dict[tuple[CodeType, str, str], ResourceTemplate] = {}

    def declare_once(fn: Callable[..., Any], uri_template: str, **options: Any) -> ResourceTemplate:
        key = fn.__code__, uri_template, repr(options)
        if key not in declared:
            # Without its function, whose services would live as long as the run.
            declared[key] = declare(fn, uri_template, **options).model_copy(update={"fn": None})
        # Few of the servers are asked for a resource.
        return declared[key].model_copy(update={"fn": validate_call(config={"defer_build": True})(fn)})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ResourceTemplate, "from_function", declare_once)
        yield


@pytest.fixture(scope="module")
def org_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded org that the tests of a module share; each test makes its own jobs in the org."""
    with emulator(tmp_path_factory.mktemp("org")) as url:
        yield url


@pytest.fixture(scope="module")
def _shared_watched_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedOrg]:
    with watched_org(tmp_path_factory.mktemp("watched")) as org:
        yield org


@pytest.fixture
def org(_shared_watched_org: WatchedOrg) -> Iterator[WatchedOrg]:
    """An org that the tests of a module share, with an empty record of requests and no faults."""
    _shared_watched_org.forget()
    yield _shared_watched_org
    _shared_watched_org.gate.open()
    _shared_watched_org.go_right()
