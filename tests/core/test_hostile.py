"""What a sandbox left behind is read without following a link, and never more than was agreed."""

import gc
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from unprivileged import unprivileged

from decentralml.core import hostile
from decentralml.core.errors import Failed, Refused
from decentralml.core.hostile import Caps, File

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "config.json").write_text("{}")
    (folder / "run.sh").write_text("true\n")
    (folder / "run.sh").chmod(0o4755)
    (tmp_path / "secret").write_text("secret")
    return folder


CAPS = Caps()


def refusal(folder: Path, caps: Caps = CAPS) -> str:
    with pytest.raises(Refused) as caught:
        hostile.tree(folder, caps)
    return caught.value.code


def test_regular_files_are_listed_with_their_sizes(out: Path) -> None:
    assert hostile.tree(out) == [File("model/config.json", 2, False), File("run.sh", 5, True)]
    assert hostile.read_bytes(out, "model/config.json", 2) == b"{}"


def test_a_link_to_a_file_is_refused_by_every_reader(out: Path, tmp_path: Path) -> None:
    (out / "weights").symlink_to(tmp_path / "secret")
    assert refusal(out) == "LinkInOutput"
    for read in (
        lambda: hostile.read_bytes(out, "weights", 100),
        lambda: hostile.open_file(out, "weights", 100),
        lambda: hostile.copy_tree(out, tmp_path / "copy"),
    ):
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.code == "LinkInOutput"
    assert not (tmp_path / "copy").exists()


def test_a_linked_folder_on_the_way_is_refused(out: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("secret")
    (out / "sub").symlink_to(tmp_path / "other")
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, "sub/file", 100)
    assert caught.value.code == "LinkInOutput"


def test_scripts_can_be_parsed_by_several_threads_at_once() -> None:
    """As while somebody types a path, and the list of folders marks those that fit."""
    source = (ASSETS / "model_contributor" / "model_contributor.py").read_bytes()
    failures: list[BaseException] = []

    def parse(deeper: int) -> None:
        if deeper:
            parse(deeper - 1)
            return
        for _ in range(20):
            try:
                hostile.parsed(source)
            except BaseException as failure:
                failures.append(failure)

    def another_thread(*_: object) -> None:
        time.sleep(0)  # no wait: it lets go of the interpreter, in the middle of a parse

    before = gc.get_threshold()
    gc.callbacks.append(another_thread)
    gc.set_threshold(100)
    try:
        threads = [threading.Thread(target=parse, args=(deeper,)) for deeper in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(another_thread)
    assert not failures


def test_a_folder_that_became_a_link_is_refused(out: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(out)
    assert refusal(link) == "LinkInOutput"


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "", "model/../../secret", "a\0b", "model//config.json"]
)
def test_a_name_that_leaves_the_folder_is_refused(out: Path, name: str) -> None:
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, name, 100)
    assert caught.value.code == "HostileName"


def test_a_pipe_and_a_socket_are_refused_and_do_not_hang(out: Path) -> None:
    os.mkfifo(out / "pipe")
    assert refusal(out) == "NotAFile"
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, "pipe", 100)
    assert caught.value.code == "NotAFile"
    (out / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(out / "socket"))
        assert refusal(out) == "NotAFile"
        with pytest.raises(Refused):
            hostile.read_bytes(out, "socket", 100)


def test_a_folder_where_a_file_is_asked_for_is_refused(out: Path) -> None:
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, "model", 100)
    assert caught.value.code == "NotAFile"


def test_holes_count_as_bytes(out: Path) -> None:
    with open(out / "sparse", "wb") as file:
        file.truncate(1 << 40)
    assert refusal(out) == "TooLarge"
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, "sparse", 1 << 20)
    assert caught.value.code == "TooLarge"


def test_too_many_files_and_too_deep_folders_are_refused(out: Path) -> None:
    for number in range(20):
        (out / str(number)).touch()
    assert refusal(out, Caps(entries=10)) == "TooManyFiles"
    out.joinpath(*"abcdefgh").mkdir(parents=True)
    assert refusal(out, Caps(depth=5)) == "TooDeep"


@pytest.mark.parametrize("name", [b"a\x1b[2J", b"a\xe2\x80\xaeb", b"\xff\xfe", b"a\nb"])
def test_a_name_with_characters_that_nobody_sees_is_refused(out: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(out), name), "wb"):
        pass
    with pytest.raises(Refused) as caught:
        hostile.tree(out)
    assert caught.value.code == "HostileName"
    assert caught.value.message.isprintable()


def test_a_missing_file_is_said(out: Path) -> None:
    with pytest.raises(Refused) as caught:
        hostile.read_bytes(out, "nothing", 10)
    assert caught.value.code == "NoSuchFile"


def test_a_copy_has_the_files_and_plain_modes(out: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    hostile.copy_tree(out, copy)
    assert (copy / "model" / "config.json").read_text() == "{}"
    assert (copy / "run.sh").stat().st_mode & 0o7777 == 0o700
    assert (copy / "model" / "config.json").stat().st_mode & 0o7777 == 0o600


def test_a_copy_past_the_caps_leaves_nothing(out: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        hostile.copy_tree(out, tmp_path / "copy", Caps(bytes=6))
    assert not (tmp_path / "copy").exists()


def test_swapping_a_file_for_a_link_while_it_is_read_wins_nothing(out: Path, tmp_path: Path) -> None:
    """One thread swaps as fast as it can; a reader sees the file or a refusal, no more."""
    path, link, plain = out / "swap", out / ".link", out / ".plain"
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            link.symlink_to(tmp_path / "secret")
            link.rename(path)
            plain.write_text("plain")
            plain.rename(path)

    path.write_text("plain")
    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    for _ in range(2000):
        try:
            seen.add(hostile.read_bytes(out, "swap", 100))
        except Refused as refused:
            seen.add(refused.code.encode())
    done.set()
    thread.join()
    assert seen <= {b"plain", b"LinkInOutput"}


def test_a_link_left_in_out_by_a_sandboxed_script_is_refused(tmp_path: Path) -> None:
    from decentralml.core import sandbox

    out = tmp_path / "left"
    out.mkdir()
    script = "import os; os.symlink('/etc/passwd', '/out/model.weights.h5')"
    cell = sandbox.Cell(("python", "-I", "-S", "-c", script), writes=(out, Path("/out")))
    assert sandbox.run(cell).returncode == 0
    assert refusal(out) == "LinkInOutput"
    assert subprocess.run(["cat", out / "model.weights.h5"], capture_output=True, check=True).stdout


def test_a_folder_whose_files_may_not_be_looked_at_is_said(out: Path) -> None:
    (out / "model").chmod(0o400)
    with unprivileged(), pytest.raises(Failed) as caught:
        hostile.tree(out)
    assert (caught.value.code, "model/config.json" in caught.value.message) == ("Unreadable", True)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder that a script has closed, with another in it, and a link to one of the person's own."""
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    left = tmp_path / "left"
    (left / "closed" / "deeper").mkdir(parents=True)
    (left / "closed" / "deeper" / "file").touch()
    (left / "link").symlink_to(own)
    for folder in (left / "closed" / "deeper", left / "closed", left):
        folder.chmod(0)
    return left


def test_closed_folders_are_deleted_and_what_a_link_names_stays_as_it_was(left: Path) -> None:
    with unprivileged():
        hostile.delete(left)
    assert not os.path.lexists(left)
    assert (left.parent / "own").stat().st_mode & 0o777 == 0o755


def test_folders_too_deep_for_a_path_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.chdir(left)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    hostile.delete(left)
    assert not left.exists()
