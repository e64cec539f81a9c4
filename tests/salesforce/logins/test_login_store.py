"""The place of a saved login: a keyring, or a private file."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from inline_snapshot import snapshot
from pydantic import SecretStr

from salesforce_bulk_ingest.salesforce.errors import NoCredentials
from salesforce_bulk_ingest.salesforce.logins import login_store
from salesforce_bulk_ingest.salesforce.logins.login_store import LoginStore, StoredLogin
from tests.support.keyrings import FILE, FileKeyring, LockedKeyring, NoKeyring, UnavailableKeyring

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
    assert "A.TOKEN" not in kept.file.read_text() and kept.file.stat().st_mode & 0o777 == 0o600
    outline = kept.outline()
    assert outline is not None and outline.instance_url == "https://acme.my.salesforce.com"
    kept.remove()
    assert keyring.get_password("salesforce-bulk-ingest", "default") is None
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


def test_a_new_login_takes_the_place_of_the_one_before_wherever_that_is(
    tmp_path: Path, use_keyring: UseKeyring
) -> None:
    kept = store(tmp_path)
    kept.replace(login("FIRST"))
    use_keyring(FileKeyring)
    kept.file.write_text("damaged")
    kept.replace(login("SECOND"))
    assert (kept.load(), kept.where()) == (login("SECOND"), "the system's keyring")
    assert "SECOND" not in kept.file.read_text()


def test_a_login_that_can_not_be_replaced_stays(tmp_path: Path, use_keyring: UseKeyring) -> None:
    kept = store(tmp_path)
    kept.save(login("FIRST"))
    use_keyring(LockedKeyring)
    with pytest.raises(NoCredentials, match="can't be kept in the system's keyring"):
        kept.replace(login("SECOND"))
    assert kept.load() == login("FIRST")
    kept.remove()  # what is in the file has no need of the keyring
    assert kept.load() is None


def test_a_keyring_that_can_not_be_used_is_told_without_what_it_says(tmp_path: Path, use_keyring: UseKeyring) -> None:
    kept = store(tmp_path)
    use_keyring(FileKeyring)
    kept.save(login())
    told = []
    kinds: list[type[FileKeyring]] = [LockedKeyring, NoKeyring, UnavailableKeyring]
    for kind in kinds:
        use_keyring(kind)
        with pytest.raises(NoCredentials) as raised:
            kept.load()
        told.append(str(raised.value))
    use_keyring(LockedKeyring)
    works: list[Callable[[], None]] = [lambda: kept.save(login()), kept.remove]
    for work in works:
        with pytest.raises(NoCredentials) as raised:
            work()
        told.append(str(raised.value))
    use_keyring(FileKeyring)
    keyring.set_password("salesforce-bulk-ingest", "default", "A.TOKEN")
    with pytest.raises(NoCredentials) as raised:
        kept.load()
    told.append(str(raised.value))
    keyring.delete_password("salesforce-bulk-ingest", "default")
    with pytest.raises(NoCredentials) as raised:
        kept.load()
    told.append(str(raised.value))
    assert told == snapshot(
        [
            "The login can't be read from the system's keyring (RuntimeError): unlock the keyring, and try again; or log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file.",
            "The saved login is in the system's keyring, which can't be used from here: start the server in the session of the desktop, or log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file.",
            "The saved login is in the system's keyring, which can't be used from here: start the server in the session of the desktop, or log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file.",
            "The login can't be kept in the system's keyring (RuntimeError): unlock the keyring, and try again; or log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file.",
            "The login can't be removed from the system's keyring (RuntimeError): unlock the keyring, and try again; or log in again with PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring set, to keep it in a private file.",
            "The saved login in the system's keyring is damaged: log in again.",
            "The system's keyring no longer has the saved login: log in again.",
        ]
    )


@pytest.mark.parametrize("kind", [NoKeyring, UnavailableKeyring])
def test_a_keyring_that_keeps_nothing_or_fails_is_none(
    kind: type[FileKeyring], tmp_path: Path, use_keyring: UseKeyring
) -> None:
    use_keyring(kind)
    kept = store(tmp_path)
    kept.save(login())
    assert kept.where() == str(kept.file)


def test_a_keyring_that_waits_for_a_password_for_ever_is_not_waited_for(
    tmp_path: Path, use_keyring: UseKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = threading.Event()

    class AskingKeyring(FileKeyring):
        def get_password(self, service: str, username: str) -> str | None:
            typed.wait()
            return None

    kept = store(tmp_path)
    use_keyring(FileKeyring)
    kept.save(login())
    use_keyring(AskingKeyring)
    monkeypatch.setattr(login_store, "KEYRING_SECONDS", 0.01)
    with pytest.raises(NoCredentials, match=r"\(TimeoutError\): unlock the keyring"):
        kept.load()
    typed.set()


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


async def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text("a file in the way")
    with pytest.raises(
        NoCredentials, match=r"^The login can't be kept in .*: a file or a link is in the place of a folder\."
    ):
        store(tmp_path).replace(login())
    with pytest.raises(NoCredentials, match=r"^The login can't be locked in "):
        async with store(tmp_path).locked(0):
            raise AssertionError("it can't be")


def test_no_secret_is_in_the_repr_of_a_login() -> None:
    assert "A.TOKEN" not in repr(login()) and "A.SECRET" not in repr(login(client_secret="A.SECRET"))
