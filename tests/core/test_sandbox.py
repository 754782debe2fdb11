"""The sandbox starts what it is told, where it is told, within its bounds, and ends with its parent."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from cells import MiB, python

from decentralml.core import bounds, environments, launch, sandbox
from decentralml.core import cell as cells
from decentralml.core.errors import Failed, Unavailable
from decentralml.core.sandbox import Cell

# --- starting -----------------------------------------------------------------------------------------------


def test_a_command_gets_its_input_and_gives_its_output_and_code() -> None:
    done = sandbox.run(
        python("import sys; print(sys.stdin.read()[::-1]); sys.stderr.write('e'); sys.exit(7)"), input=b"abc"
    )
    assert (done.returncode, done.stdout, done.stderr, done.stopped) == (7, b"cba\n", b"e", "")


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_the_same_cell_runs_within_and_without(tmp_path: Path, out: Path, unsandboxed: bool) -> None:
    task = tmp_path / "task"
    task.mkdir()
    (task / "word.txt").write_text("seen")
    script = """
import os, sys
from decentralml.core import errors
assert sys.argv[1].endswith("out/deep/result") or sys.argv[1] == "/out/deep/result"
os.makedirs(os.path.dirname(sys.argv[1]))
open(sys.argv[1], "w").write(open("word.txt").read() + os.environ["WORD"] + open(os.environ["FILE"]).read())
open(os.environ["TMPDIR"] + "/scratch", "w").close()
"""
    cell = Cell(
        ("python", "-c", script, "/out/deep/result"),
        reads=((task, Path("/task")),),
        writes=(out, Path("/out")),
        cwd=Path("/task"),
        env={"WORD": "+", "FILE": "/task/word.txt"},
    )
    done = sandbox.run(cell, unsandboxed=unsandboxed)
    assert done.returncode == 0, done.stderr.decode()
    assert (out / "deep" / "result").read_text() == "seen+seen"
    expected = str(out / "deep") if unsandboxed else "/out/deep"
    assert cell.path("/out/deep", unsandboxed=unsandboxed) == expected


def test_what_runs_unsandboxed_leaves_no_scratch_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sandbox.run(python("import os; open(os.environ['TMPDIR'] + '/x', 'w')"), unsandboxed=True)
    assert not list(tmp_path.glob("decentralml-*"))


def test_a_descriptor_arrives_under_the_number_asked_for() -> None:
    read, write = os.pipe()
    other_read, other_write = os.pipe()
    script = "import os; os.write(3, b'three'); os.write(4, b'four')"
    process = sandbox.popen(python(script), fds={3: write, 4: other_write})
    os.close(write)
    os.close(other_write)
    assert (os.read(read, 10), os.read(other_read, 10), process.wait()) == (b"three", b"four", 0)
    os.close(read)
    os.close(other_read)


def test_numbers_that_overlap_are_placed_right(tmp_path: Path) -> None:
    script = "import os; print(os.read(3, 9), os.read(4, 9))"
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    shell = f'exec 3<{tmp_path}/a 4<{tmp_path}/b; exec "$@"'
    orders = json.dumps({"fds": {"3": 4, "4": 3}})
    launch = [sys.executable, "-I", "-S", str(bounds.LAUNCH), orders, sys.executable, "-c", script]
    done = subprocess.run(["sh", "-c", shell, "sh", *launch], capture_output=True, text=True, check=True)
    assert done.stdout == "b'b' b'a'\n"


def test_an_input_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(Failed) as caught:
        sandbox.run(python("pass", reads=((tmp_path / "gone", Path("/task")),)))
    assert caught.value.code == "MissingInput"


def test_a_command_that_is_not_there_is_said() -> None:
    done = sandbox.run(Cell(("/no/such/program",)))
    assert done.returncode == 125
    assert b"/no/such/program" in done.stderr


def test_a_hanging_command_is_ended_at_its_time() -> None:
    done = sandbox.run(python("import signal; signal.pause()"), timeout=0.3)
    assert done.stopped == "It did not end within 0.3 seconds."


def test_a_flood_of_output_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "OUTPUT_LIMIT", MiB)
    done = sandbox.run(python("while True: print('x' * 100000)"), timeout=30)
    assert done.stopped == "It printed more than 1 MiB."
    assert len(done.stdout) <= MiB


def test_the_number_of_threads_and_the_device_are_told() -> None:
    script = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['CUDA_VISIBLE_DEVICES'])"
    assert sandbox.run(python(script, threads=3)).stdout == b"3 -1\n"


def test_a_script_is_as_nice_as_asked() -> None:
    assert (
        sandbox.run(python("import os; print(os.nice(0))", nice=7)).stdout == f"{os.nice(0) + 7}\n".encode()
    )


def test_it_is_of_no_session_that_has_a_terminal_to_type_into() -> None:
    # 0 would be the session of somebody outside.
    assert int(sandbox.run(python("import os; print(os.getsid(0))")).stdout) > 0


# --- ending -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_it_outlives_the_thread_that_started_it(unsandboxed: bool) -> None:
    started: list[sandbox.Process] = []
    cell = python("import sys; print(sys.stdin.readline())")

    def start() -> None:
        pipe = subprocess.PIPE
        started.append(sandbox.popen(cell, stdin=pipe, stdout=pipe, unsandboxed=unsandboxed))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert started[0].communicate(b"still here\n", timeout=30)[0] == b"still here\n\n"


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_it_ends_when_its_parent_is_killed(unsandboxed: bool) -> None:
    read, write = os.pipe()
    script = f"""
import os, signal
from decentralml.core import sandbox
cell = sandbox.Cell(("python", "-c", "import os, signal; os.write({write}, b'up'); signal.pause()"))
sandbox.popen(cell, pass_fds=({write},), unsandboxed={unsandboxed})
signal.pause()
"""
    parent = subprocess.Popen([sys.executable, "-c", script], pass_fds=(write,))
    os.close(write)
    assert os.read(read, 10) == b"up"
    parent.kill()
    parent.wait()
    assert os.read(read, 10) == b""  # the last holder of the other end is gone
    os.close(read)


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_it_is_not_left_behind_by_a_parent_that_dies_while_it_starts(unsandboxed: bool) -> None:
    read, write = os.pipe()
    script = f"""
import os
from decentralml.core import sandbox
cell = sandbox.Cell(("python", "-c", "import signal; signal.pause()"))
sandbox.popen(cell, pass_fds=({write},), unsandboxed={unsandboxed})
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], pass_fds=(write,), check=True)
    os.close(write)
    assert select.select([read], [], [], 30)[0], "nobody holds the other end any more"
    assert os.read(read, 10) == b""
    os.close(read)


def test_what_started_it_has_ended_before_it_begins() -> None:
    alive, lifeline = os.pipe()
    os.close(lifeline)
    argv = cells.sandboxed(python("print('began')"), bounds.Groups((), False), {}, alive)
    done = subprocess.run(
        argv, env={}, cwd="/", pass_fds=(alive,), capture_output=True, text=True, check=False
    )
    os.close(alive)
    assert (done.returncode, done.stdout) == (launch.FAILED, "")
    assert "what started it has ended" in done.stderr


@pytest.mark.parametrize("unsandboxed", [False, True])
def test_killing_it_ends_its_children_too(unsandboxed: bool) -> None:
    read, write = os.pipe()
    script = f"import os, signal; os.fork(); os.write({write}, b'u'); signal.pause()"
    process = sandbox.popen(python(script), pass_fds=(write,), unsandboxed=unsandboxed)
    os.close(write)
    assert os.read(read, 1) + os.read(read, 1) == b"uu"
    process.kill()
    process.wait()
    assert os.read(read, 10) == b""
    os.close(read)


# --- the probe and the words --------------------------------------------------------------------------------


def test_the_sandbox_holds_here() -> None:
    assert sandbox.probe().ok, sandbox.probe().detail
    assert sandbox.protection(False) == sandbox.probe().detail
    assert sandbox.protection(True) == "none"


VERSION = '[ "$1" = --version ] && echo bubblewrap 0.9 && exit; '
BAD_SANDBOXES = {
    "not installed": None,
    "--disable-userns": VERSION + 'echo "Unknown option --disable-userns" >&2; exit 1',
    "remount /usr": VERSION + "echo it can remount /usr",
    "it said nothing": VERSION + "exit 0",
}


@pytest.mark.parametrize(("why", "bwrap"), BAD_SANDBOXES.items(), ids=BAD_SANDBOXES)
def test_without_a_sandbox_that_holds_nothing_runs(
    bwrap: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bwrap:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{bwrap}\n")
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        sandbox.run(python("pass"))
    assert caught.value.code == "NoSandbox"
    assert why in caught.value.message
    assert "bubblewrap" in caught.value.hint
    assert "--unsandboxed" in caught.value.hint
    assert sandbox.run(python("print('ran')"), unsandboxed=True).stdout == b"ran\n"


def test_the_card_says_what_may_be_touched(tmp_path: Path, out: Path) -> None:
    cell = python("pass", reads=((tmp_path, Path("/task")),), writes=(out, Path("/out")), processes=99)
    card = "\n".join(sandbox.describe(cell))
    for said in (
        str(tmp_path),
        str(out),
        "network    none",
        "512 MiB",
        "16 MiB",
        "99",
        "CPU",
        "bwrap",
        "Python",
    ):
        assert said in card
    assert "loopback" in "\n".join(sandbox.describe(python("pass", network=True)))
    assert "NONE" in "\n".join(sandbox.describe(cell, unsandboxed=True))


def test_a_granted_network_reaches_loopback() -> None:
    import socket

    script = (
        "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5); print('reached')"
    )
    with socket.create_server(("127.0.0.1", 0)) as service:
        cell = Cell(("python", "-c", script, str(service.getsockname()[1])), network=True)
        assert sandbox.run(cell).stdout == b"reached\n"


def test_a_signal_ends_it_with_a_code_that_says_so() -> None:
    done = sandbox.run(python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"))
    assert done.returncode == 128 + signal.SIGTERM


def test_an_interpreter_below_tmp_is_found_without_the_sandbox_too() -> None:
    # /tmp is another folder inside, and where a checkout may well stand.
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        (folder / "python").symlink_to(sys.executable)
        own = environments.own()
        there = environments.Interpreter(folder / "python", (*own.binds, folder), own.site)
        done = sandbox.run(python("print('here')", python=there), unsandboxed=True)
        assert (done.returncode, done.stdout) == (0, b"here\n")
    finally:
        shutil.rmtree(folder)
