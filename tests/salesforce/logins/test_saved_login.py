"""The saved login: processes that share it take turns, and a replaced refresh token is kept."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from filelock import FileLock
from inline_snapshot import snapshot
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials, SalesforceError
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore, StoredLogin
from salesforce_bulk_ingest.salesforce.logins.saved_login import SavedLogin
from salesforce_bulk_ingest.salesforce.logins.token_endpoint import TokenEndpoint
from salesforce_bulk_ingest.salesforce.logins.web_flow import WebFlow
from salesforce_bulk_ingest.salesforce.transport import open_http
from salesforce_bulk_ingest.setting_types import REDIRECT_URI
from salesforce_emulator import Assumptions, EmulatorConfig, create_app
from salesforce_emulator.config import CLIENT_ID
from tests.support.asgi_server import running
from tests.support.web_flow import answer_of_the_user, parameters_of

NOBODY = "Nobody has logged in."


@contextmanager
def replacing_org(folder: Path) -> Iterator[str]:
    """An org that replaces a refresh token each time it is used."""
    assumptions = Assumptions(refresh_token_rotation="on")
    with running(create_app(EmulatorConfig(data_dir=folder, assumptions=assumptions))) as url:
        yield url


@asynccontextmanager
async def logged_in(url: str, folder: Path) -> AsyncIterator[tuple[LoginStore, httpx2.AsyncClient]]:
    """A store with the login of a user of the org."""
    store = LoginStore(folder / "logins", "default")
    async with open_http(trust_env=False) as http:
        flow = WebFlow(TokenEndpoint(http, url, [url]), CLIENT_ID, None, REDIRECT_URI)
        granted = await flow.granted(parameters_of(answer_of_the_user(flow.url)))
        assert granted.refresh_token is not None
        store.save(
            StoredLogin(client_id=CLIENT_ID, login_url=url, instance_url=url, refresh_token=granted.refresh_token)
        )
        yield store, http


async def test_processes_that_share_a_login_take_turns_and_keep_each_new_refresh_token(tmp_path: Path) -> None:
    with replacing_org(tmp_path / "org") as url:
        async with logged_in(url, tmp_path) as (store, http), anyio.create_task_group() as tasks:
            first = store.load()
            for _ in range(5):
                login = SavedLogin(store, http, None, None, NOBODY)
                tasks.start_soon(login.log_in)
        assert store.load() not in (None, first)
        async with open_http(trust_env=False) as http:
            assert (await SavedLogin(store, http, CLIENT_ID, url, NOBODY).log_in()).instance_url == url


async def test_a_call_that_ends_in_mid_login_loses_no_refresh_token(tmp_path: Path) -> None:
    with replacing_org(tmp_path / "org") as url:
        async with logged_in(url, tmp_path) as (store, http):
            before = store.load()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(SavedLogin(store, http, None, None, NOBODY).log_in)
                with anyio.fail_after(10):
                    while not list(store.folder.glob("*.lock")):
                        await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            await SavedLogin(store, http, None, None, NOBODY).log_in()
            assert store.load() != before


async def refusal_of(login: SavedLogin) -> str:
    with pytest.raises(SalesforceError) as raised:
        await login.log_in()
    return f"{type(raised.value).__name__}: {raised.value}"


async def test_what_is_wrong_with_a_saved_login_is_told(tmp_path: Path, org: str) -> None:
    empty = LoginStore(tmp_path / "none", "default")
    async with logged_in(org, tmp_path) as (store, http):
        told = [
            await refusal_of(SavedLogin(empty, http, None, None, NOBODY)),
            await refusal_of(SavedLogin(store, http, "another app", None, NOBODY)),
            await refusal_of(SavedLogin(store, http, None, "https://other.my.salesforce.com", NOBODY)),
            await refusal_of(SavedLogin(store, http, None, None, NOBODY, login_url="https://test.salesforce.com")),
        ]
        kept = store.load()
        assert kept is not None
        store.save(kept.model_copy(update={"refresh_token": SecretStr("ENDED.TOKEN")}))
        told.append(await refusal_of(SavedLogin(store, http, None, None, NOBODY)))
    assert [text.replace(org, "URL") for text in told] == snapshot(
        [
            "NoCredentials: Nobody has logged in.",
            "NoCredentials: The saved login is of another app than client_id (SALESFORCE_CLIENT_ID) names: log in again with `salesforce-bulk-ingest login`, or take client_id out.",
            "NoCredentials: The saved login is of URL, but the settings name https://other.my.salesforce.com: log in again with `salesforce-bulk-ingest login`, or change the settings.",
            "NoCredentials: The saved login is of URL, but the settings name https://test.salesforce.com: log in again with `salesforce-bulk-ingest login`, or change the settings.",
            'NoCredentials: URL refused the login (invalid_grant, "expired access/refresh token"). The refresh token was revoked, has expired, or was used by another program: log in again.',
        ]
    )
    assert not empty.folder.exists()


async def test_a_login_that_another_process_does_not_end_is_not_waited_for_for_ever(tmp_path: Path, org: str) -> None:
    async with logged_in(org, tmp_path) as (store, http):
        with FileLock(store.folder / "default.lock"):
            told = await refusal_of(SavedLogin(store, http, None, None, NOBODY, lock_seconds=0))
    assert told == snapshot("Unreachable: Another process is logging in, and has not ended.")


class OnAFullDisk(LoginStore):
    """A store that can be read, and takes nothing."""

    def save(self, login: StoredLogin) -> None:
        raise NoCredentials("The login can't be kept: the disk is full.")


async def test_a_new_refresh_token_that_can_not_be_kept_is_used_for_as_long_as_the_process_lives(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with replacing_org(tmp_path / "org") as url:
        async with logged_in(url, tmp_path) as (store, http):
            login = SavedLogin(OnAFullDisk(store.folder, store.name), http, None, None, NOBODY)
            for _ in range(3):
                assert (await login.log_in()).instance_url == url
            login.store = store
            await login.log_in()
            assert (await SavedLogin(store, http, None, None, NOBODY).log_in()).instance_url == url
    assert "the new refresh token is known to this process alone" in caplog.text
