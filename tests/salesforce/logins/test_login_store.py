"""The place of a saved login: a keyring, or a private file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore, StoredLogin
from tests.support.keyrings import FILE, FileKeyring, LockedKeyring

UseKeyring = Callable[[type[FileKeyring]], None]


def login(refresh_token: str = "A.TOKEN", client_secret: str | None = None) -> StoredLogin:
    return StoredLogin(
        client_id="an-app",
        client_secret=SecretStr(client_secret) if client_secret else None,
        login_url="https://login.salesforce.com",
        instance_url="https://acme.my.salesforce.com",
        refresh_token=SecretStr(refresh_token),
    )


@pytest.fixture
def use_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UseKeyring]:
    before = keyring.get_keyring()
    monkeypatch.setenv(FILE, str(tmp_path / "keyring"))
    yield lambda kind: keyring.set_keyring(kind())
    keyring.set_keyring(before)


def store(folder: Path, name: str = "default") -> LoginStore:
    return LoginStore(folder / "logins", name)


def test_without_a_keyring_a_login_is_kept_in_a_private_file(tmp_path: Path) -> None:
    kept = store(tmp_path)
    assert kept.load() is None
    kept.save(login(client_secret="A.SECRET"))
    assert kept.load() == login(client_secret="A.SECRET")
    assert kept.where() == str(kept.file)
    assert (kept.file.stat().st_mode & 0o777, kept.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(kept.folder.iterdir()) == [kept.file]
    kept.remove()
    assert kept.load() is None


def test_a_login_is_kept_in_the_keyring_of_the_system(tmp_path: Path, use_keyring: UseKeyring) -> None:
    use_keyring(FileKeyring)
    kept = store(tmp_path)
    kept.save(login())
    assert (kept.load(), kept.where()) == (login(), "the system's keyring")
    assert not kept.folder.exists()
    kept.remove()
    assert kept.load() is None


def test_a_login_in_a_file_stays_there_although_there_is_a_keyring_now(tmp_path: Path, use_keyring: UseKeyring) -> None:
    kept = store(tmp_path)
    kept.save(login("FIRST"))
    use_keyring(FileKeyring)
    kept.save(login("SECOND"))
    assert (kept.load(), kept.where()) == (login("SECOND"), str(kept.file))


def test_each_org_has_a_login_of_its_own(tmp_path: Path) -> None:
    for name in ("default", "uat"):
        store(tmp_path, name).save(login(name))
    store(tmp_path, "uat").remove()
    assert store(tmp_path).load() == login("default")


def test_a_locked_keyring_is_told_without_what_it_says(tmp_path: Path, use_keyring: UseKeyring) -> None:
    use_keyring(LockedKeyring)
    with pytest.raises(NoCredentials) as raised:
        store(tmp_path).load()
    assert str(raised.value) == (
        "The login can't be read from the system's keyring (RuntimeError): unlock the keyring, and try again."
    )
    with pytest.raises(NoCredentials, match="can't be kept in the system's keyring"):
        store(tmp_path).save(login())


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"refresh_token": "A.TOKEN"}'])
def test_a_damaged_login_is_told_without_quoting_it(text: str, tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(login())
    kept.file.write_text(text)
    with pytest.raises(NoCredentials) as raised:
        kept.load()
    assert str(raised.value) == f"The saved login in {kept.file} is damaged: log in again."


def test_a_login_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save(login())
    kept.file.chmod(0o644)
    with pytest.raises(NoCredentials, match="others can read it: run `chmod 600 "):
        kept.load()


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text("a file in the way")
    with pytest.raises(NoCredentials, match=r"^The login can't be kept in "):
        store(tmp_path).save(login())


def test_no_secret_is_in_the_repr_of_a_login() -> None:
    assert "A.TOKEN" not in repr(login()) and "A.SECRET" not in repr(login(client_secret="A.SECRET"))
