"""Files under roots: however a path is written, whatever lies there, and what a refusal tells."""

import errno
import os
import shlex
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.errors import IngestError, InvalidArgument, RefusedByPolicy
from salesforce_bulk_ingest.loading.roots import OPENS_BELOW, RootedFile
from salesforce_bulk_ingest.loading.upload_roots import UploadRoots

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="links, FIFOs and folders opened as such")


@pytest.fixture(params=["from the root down", "where links are rare"])
def roots(tmp_path: Path, request: pytest.FixtureRequest) -> UploadRoots:
    """One root, `in`, with a file and a folder; beside it, `out` with a secret."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "a.csv").write_bytes(b"in")
    (tmp_path / "in" / "deep" / "b.csv").write_bytes(b"deep")
    (tmp_path / "out" / "secret.csv").write_bytes(b"out")
    opens_below = OPENS_BELOW and request.param == "from the root down"
    return UploadRoots([tmp_path / "in"], opens_below=opens_below)


def read(roots: UploadRoots, path: str | Path) -> bytes:
    with roots.open(str(path)) as file:
        return file.read()


def refusal(roots: UploadRoots, path: str | Path) -> str:
    with pytest.raises(IngestError) as raised:
        roots.open(str(path))
    return f"{type(raised.value).__name__}: {raised.value}".replace(str(roots.roots[0].parent), "/data")


def test_a_file_is_found_by_any_way_of_writing_that_stays_below_a_root(roots: UploadRoots, tmp_path: Path) -> None:
    ways: list[str | Path] = ["a.csv", "./a.csv", "deep/../a.csv", "../in/a.csv", tmp_path / "in" / "a.csv"]
    ways += [tmp_path / "out" / ".." / "in" / "a.csv", f"{tmp_path}//in//a.csv"]
    assert {read(roots, way) for way in ways} == {b"in"}
    assert read(roots, "deep/b.csv") == b"deep"


def test_a_file_below_the_home_of_the_server_s_user_is_found_by_a_tilde(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_bytes(b"in")
    roots = UploadRoots([tmp_path / "in"], tmp_path)
    assert read(roots, "~/in/a.csv") == read(roots, "~//in/./a.csv") == b"in"
    assert refusal(roots, "~/out/a.csv") == refusal(roots, tmp_path / "out" / "a.csv")
    assert refusal(roots, "~").startswith("RefusedByPolicy: This server reads files under /data/in only")
    assert refusal(roots, "~root/in/a.csv").startswith("InvalidArgument: file begins with ~ and a name")


@posix_only
def test_links_that_stay_below_a_root_are_followed(roots: UploadRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / "link.csv").symlink_to("deep/b.csv")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "in" / "deep")
    for way in ("link.csv", "folder/b.csv"):
        assert read(roots, way) == b"deep"


@posix_only
def test_nothing_is_looked_at_on_a_way_that_is_not_written_below_a_root(
    roots: UploadRoots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link outside that leads to a root would tell, by being followed, that it is there."""
    (tmp_path / "out" / "link").symlink_to(tmp_path / "in")
    monkeypatch.setattr(os.path, "realpath", lambda path: pytest.fail(f"{path} was looked at"))
    for path in (tmp_path / "out" / "link" / "a.csv", "../out/link/a.csv"):
        assert refusal(roots, path).startswith("RefusedByPolicy: This server reads files under /data/in only;")


@posix_only
def test_a_folder_that_may_not_be_entered_is_told_as_such(roots: UploadRoots, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied")

    found = roots.find("a.csv")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "lstat", deny)
        assert roots.find("a.csv") == found


@posix_only
def test_a_root_that_is_a_link_is_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_bytes(b"in")
    (tmp_path / "link").symlink_to("real")
    roots = UploadRoots([tmp_path / "link", tmp_path / "real"])
    assert roots.roots == ((tmp_path / "real").resolve(),)
    assert read(roots, tmp_path / "link" / "a.csv") == b"in"


def test_of_several_roots_the_first_that_has_the_file_counts(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "a.csv").write_bytes(b"two")
    roots = UploadRoots([tmp_path / "one", tmp_path / "two"])
    assert read(roots, "a.csv") == b"two"
    (tmp_path / "one" / "a.csv").write_bytes(b"one")
    assert read(roots, "a.csv") == b"one"


def test_a_file_elsewhere_is_refused_with_the_line_to_add_and_no_word_on_whether_it_exists(roots: UploadRoots) -> None:
    out = roots.roots[0].parent / "out"
    assert refusal(roots, out / "secret.csv") == snapshot(
        'RefusedByPolicy: This server reads files under /data/in only; relative paths begin there. To allow "/data/out", the operator starts it with --upload-root /data/in --upload-root /data/out among its arguments.'
    )
    assert refusal(roots, out / "secret.csv") == refusal(roots, out / "absent.csv")
    assert refusal(roots, "../out/secret.csv") == refusal(roots, "../out/absent.csv")
    assert refusal(roots, "../out/secret.csv") == refusal(roots, out / "secret.csv")
    below = refusal(roots, out / "secret.csv" / "x")
    assert below.replace("secret", "absent") == refusal(roots, out / "absent.csv" / "x")


def test_without_roots_every_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"in")
    roots = UploadRoots([])
    for path in ("a.csv", "/a.csv", "../a.csv"):
        with pytest.raises(RefusedByPolicy) as raised:
            roots.find(path)
        assert str(raised.value) == snapshot(
            'This server may read no files: no folder is named, and no folder is known in which it was started. To allow "/data/exports", the operator starts it with --upload-root /data/exports among its arguments.'
        )


@posix_only
@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/home/ann/.ssh/id_rsa", "../.aws/credentials"])
def test_nobody_is_advised_to_allow_a_folder_of_the_system_or_a_hidden_one(
    path: str, roots: UploadRoots, tmp_path: Path
) -> None:
    told = refusal(roots, path)
    assert "have the user copy it into /data/in" in told and "--upload-root" not in told
    with pytest.raises(RefusedByPolicy, match=r"copy it to another folder.*--upload-root /data/exports") as raised:
        UploadRoots([]).find(str(tmp_path / path))
    assert "etc" not in str(raised.value)


def test_the_flags_to_start_with_are_for_a_shell_whatever_the_folder_is_called(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" \\ ü'
    with pytest.raises(RefusedByPolicy) as raised:
        UploadRoots([]).find(str(folder / "x.csv"))
    flags = str(raised.value).partition("starts it with ")[2].partition(" among its arguments")[0]
    assert shlex.split(flags) == ["--upload-root", str(folder)]


@posix_only
@pytest.mark.parametrize("name", ["file.csv", "folder/secret.csv", "folder/absent.csv", "loop", "up/out/secret.csv"])
def test_links_that_leave_are_refused(name: str, roots: UploadRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / "file.csv").symlink_to(tmp_path / "out" / "secret.csv")
    (tmp_path / "in" / "folder").symlink_to("../out")
    (tmp_path / "in" / "up").symlink_to("..")
    (tmp_path / "in" / "loop").symlink_to("loop")
    with pytest.raises(IngestError) as raised:
        roots.open(name)
    assert "secret" not in str(raised.value).replace(name, "")


@posix_only
def test_a_link_that_leaves_tells_nothing_of_what_is_there(roots: UploadRoots) -> None:
    (roots.roots[0] / "folder").symlink_to("../out")
    assert refusal(roots, "folder/secret.csv") == snapshot(
        'RefusedByPolicy: This server reads files under /data/in only; relative paths begin there. "folder/secret.csv" leads to none: it is a link to elsewhere.'
    )
    assert refusal(roots, "folder/absent.csv") == refusal(roots, "folder/secret.csv").replace("secret", "absent")


@posix_only
@pytest.mark.parametrize("replaced", ["a.csv", "deep"])
def test_a_link_that_is_put_there_after_the_look_is_not_followed(
    replaced: str, roots: UploadRoots, tmp_path: Path
) -> None:
    found = roots.find("a.csv" if replaced == "a.csv" else "deep/b.csv")
    (tmp_path / "out" / "b.csv").write_bytes(b"out")
    (tmp_path / "in" / replaced).rename(tmp_path / "moved")
    (tmp_path / "in" / replaced).symlink_to(tmp_path / "out" / ("secret.csv" if replaced == "a.csv" else ""))
    with pytest.raises(InvalidArgument, match=r"can't be read"):
        found.open()


@posix_only
def test_a_file_that_is_replaced_between_opening_and_looking_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On systems without `openat`, which the tests above only imitate."""
    (tmp_path / "a.csv").write_bytes(b"in")
    (tmp_path / "b.csv").write_bytes(b"other")
    found = RootedFile(tmp_path.resolve(), ("a.csv",), opens_below=False)
    really_open = os.open

    def open_and_replace(path: Path, flags: int, mode: int, *, dir_fd: None) -> int:
        opened = really_open(path, flags, mode, dir_fd=dir_fd)
        (tmp_path / "b.csv").replace(tmp_path / "a.csv")
        return opened

    monkeypatch.setattr(os, "open", open_and_replace)
    with pytest.raises(InvalidArgument, match="replaced meanwhile"):
        found.open()


@posix_only
def test_what_is_no_regular_file_is_refused_at_once(roots: UploadRoots, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "in" / "fifo")
    assert refusal(roots, "fifo") == snapshot(
        'InvalidArgument: "/data/in/fifo" is no regular file: name a file of CSV, or one with gzip around it.'
    )
    assert refusal(roots, "deep") == snapshot(
        'InvalidArgument: "/data/in/deep" is a folder: name a file of CSV, or one with gzip around it.'
    )


@posix_only
def test_a_folder_that_may_be_read_is_told_as_a_folder_by_each_of_its_names(roots: UploadRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / "up").symlink_to(".")
    assert refusal(roots, ".") == snapshot('InvalidArgument: "." is a folder: name a file of CSV in it.')
    for name in (str(tmp_path / "in"), f"{tmp_path / 'in'}/", "up", "deep/.."):
        assert "is a folder: name a file of CSV in it." in refusal(roots, name)
    (tmp_path / "out" / "back").symlink_to(tmp_path / "in")
    assert refusal(roots, str(tmp_path / "out" / "back")).startswith("RefusedByPolicy")


def test_a_file_that_is_not_there_is_looked_for_under_every_root(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.csv").write_bytes(b"in")
    roots = UploadRoots([tmp_path / "one", tmp_path / "two"])
    for path in ("b.csv", "a.csv/b.csv"):
        assert refusal(roots, path) == f'InvalidArgument: There is no file "{path}" under /data/one and /data/two.'


def test_a_file_that_is_not_there_is_told_with_one_of_a_like_name_in_its_folder(
    roots: UploadRoots, tmp_path: Path
) -> None:
    (tmp_path / "in" / "contacts_2026.csv").write_bytes(b"in")
    (tmp_path / "in" / ".leads_2026.csv").write_bytes(b"hidden")
    (tmp_path / "in" / "accounts_2026.csv").mkdir()
    (tmp_path / "out" / "cases_2026.csv").write_bytes(b"out")
    meant = ' Did you mean "/data/in/contacts_2026.csv"?'
    for path in ("contacts-2026.csv", str(tmp_path / "in" / "Contacts_2026.CSV"), "contacts_2026.csv.gz"):
        assert refusal(roots, path).endswith(f" under /data/in.{meant}")
    assert refusal(roots, "deep/b.xlsx").endswith(' under /data/in. Did you mean "/data/in/deep/b.csv"?')
    for path in ("leads_2026.csv", "accounts-2026.csv", "cases_2026.csv", "nowhere/contacts_2026.csv", "zzz"):
        assert refusal(roots, path).endswith(" under /data/in.")


@pytest.mark.parametrize(
    ("missing", "meant"),
    [
        ("contacts2.csv", "contacts.csv"),
        ("contacts2.tsv", "Contacts.tsv"),
        ("contacts2.xlsx", None),
        ("contacts_2026.csv", None),
        ("contacts_12.csv", None),
        ("contacts-2027.csv", "contacts_2027.csv"),
        ("lead.csv", "leads.csv.gz"),
        ("id_rsb", None),
        ("id_rsa.csv", None),
        ("backup.csv", None),
    ],
)
def test_only_a_single_nearest_file_of_rows_is_told(missing: str, meant: str | None, tmp_path: Path) -> None:
    names = ("contacts_2025.csv", "contacts_2027.csv", "contacts.csv", "Contacts.tsv", "leads.csv.gz", "id_rsa")
    for name in (*names, "backup.tar.gz"):
        (tmp_path / name).write_bytes(b"in")
    _, _, hint = refusal(UploadRoots([tmp_path]), missing).partition(" Did you mean ")
    assert Path(hint.rstrip("?").strip('"')).name == (meant or "")


def test_of_files_of_one_name_that_in_the_first_root_is_told(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "contacts.csv").write_bytes(b"in")
    roots = UploadRoots([tmp_path / "one", tmp_path / "two"])
    assert refusal(roots, "contact.csv").endswith(' Did you mean "/data/one/contacts.csv"?')
    (tmp_path / "two" / "contact.tsv").write_bytes(b"in")
    assert refusal(roots, "contact.csv").endswith(' Did you mean "/data/two/contact.tsv"?')


@posix_only
def test_a_name_that_is_a_link_is_not_told(roots: UploadRoots, tmp_path: Path) -> None:
    (tmp_path / "in" / "secrets.csv").symlink_to(tmp_path / "out" / "secret.csv")
    assert refusal(roots, "secret.csv").endswith(" under /data/in.")


def test_a_file_that_may_not_be_read_is_told_by_its_reason(roots: UploadRoots, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", deny)
    assert refusal(roots, "a.csv") == 'InvalidArgument: "/data/in/a.csv" can\'t be read: Permission denied.'


def test_a_file_that_the_machine_keeps_back_is_no_fault_of_its_path(
    roots: UploadRoots, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "open", fail)
    assert refusal(roots, "a.csv") == snapshot(
        "StorageFailure: \"/data/in/a.csv\" can't be read: the disk can't be read or written there. Check the disk, and the limits of this user (ulimit -a)."
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "file is empty or no path"),
        ("  ", "file is empty or no path"),
        ("a\0.csv", "file is empty or no path"),
        ("~root/a.csv", "file begins with ~"),
        ("\ud800.csv", "file holds half of a character"),
    ],
)
@posix_only
def test_what_is_no_path_is_refused_in_words(path: str, reason: str, roots: UploadRoots) -> None:
    assert refusal(roots, path).startswith(f"InvalidArgument: {reason}")


def test_a_file_is_read_from_its_start_as_often_as_asked(roots: UploadRoots) -> None:
    found = roots.find("a.csv")
    for _ in range(2):
        with found.open() as file:
            assert file.read() == b"in"


@posix_only
@pytest.mark.usefixtures("roots")
def test_a_folder_that_is_swapped_for_a_link_again_and_again_is_read_or_refused_in_words(tmp_path: Path) -> None:
    """The names change places in another thread at every moment of the look-up."""
    roots = UploadRoots([tmp_path / "in"])
    root, done = tmp_path / "in", threading.Event()
    (root / "link").symlink_to(tmp_path / "out")
    (tmp_path / "out" / "b.csv").write_bytes(b"out")

    def swap() -> None:
        while not done.is_set():
            for source, target in (("deep", "aside"), ("link", "deep"), ("deep", "link"), ("aside", "deep")):
                (root / source).rename(root / target)

    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(swap)
        try:
            for _ in range(2_000):
                with suppress(InvalidArgument, RefusedByPolicy):
                    assert read(roots, "deep/b.csv") == b"deep"
        finally:
            done.set()
        swapping.result()


PARTS = st.sampled_from(["..", ".", "", "in", "out", "deep", "up", "folder", "a.csv", "secret.csv", "b.csv", "~"])


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders that are the same below the root `in`; beside it, one has a secret and the other nothing."""
    base = tmp_path_factory.mktemp("twins")
    full, bare = base / "full", base / "bare"
    for folder in (full, bare):
        (folder / "in" / "deep").mkdir(parents=True)
        (folder / "in" / "a.csv").write_bytes(b"in")
        (folder / "in" / "deep" / "b.csv").write_bytes(b"in")
        (folder / "in" / "up").symlink_to("..")
        (folder / "in" / "folder").symlink_to(folder / "out")
    (full / "out").mkdir()
    (full / "out" / "secret.csv").write_bytes(b"out")
    return full, bare


@posix_only
@settings(deadline=None)
@given(parts=st.lists(PARTS, max_size=8), is_absolute=st.booleans())
def test_no_path_of_any_parts_leads_outside_or_tells_what_is_there(
    parts: list[str], is_absolute: bool, twins: tuple[Path, Path]
) -> None:
    def answer(folder: Path) -> str:
        roots = UploadRoots([folder / "in"])
        try:
            return read(roots, "/".join([str(folder), *parts] if is_absolute else parts)).decode()
        except IngestError as error:
            return str(error).replace(str(folder), "FOLDER")

    with_secret, without = map(answer, twins)
    assert with_secret == without
    assert with_secret != "out"
