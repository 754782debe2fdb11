"""setup.sh runs in the sandbox, on a copy, and its end is told."""

import os
import socket
from pathlib import Path

import pytest

from decentralml.core import environments, hostile, setup_script
from decentralml.core.errors import Refused
from decentralml.core.sandbox import Cell

MiB = 1 << 20


@pytest.fixture
def task(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "model.py").write_text("pass\n")
    return folder


def cell(tmp_path: Path, *, network: bool = False, disk: int = 64 * MiB) -> Cell:
    return setup_script.cell(
        tmp_path / "copy", environments.own(), network=network, memory=512 * MiB, disk=disk, processes=64
    )


def run(task: Path, script: str, what: Cell, silence: float = 60) -> setup_script.Result:
    (task / "setup.sh").write_text(script)
    (task / "setup.sh").chmod(0o755)
    return setup_script.prepare(
        task, what, log=task.parent / "setup.log", caps=hostile.Caps(), silence=silence
    )


def test_it_prepares_the_copy_and_leaves_the_task_alone(task: Path, tmp_path: Path) -> None:
    result = run(task, "#!/bin/bash\necho preparing\npython -c 'print(1+1)' > made.txt\n", cell(tmp_path))
    assert result.ok, result.log.read_text()
    assert (result.folder / "made.txt").read_text() == "2\n"
    assert (result.folder / "model.py").exists()
    assert not (task / "made.txt").exists()
    assert result.log.read_text() == "preparing\n"


def test_a_script_that_fails_is_said_with_its_output(task: Path, tmp_path: Path) -> None:
    result = run(task, "echo sorry >&2; exit 3", cell(tmp_path))
    assert (result.ok, result.returncode, result.log.read_text()) == (False, 3, "sorry\n")


def test_it_has_no_network_unless_granted(task: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        script = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached"
        assert "reached" not in run(task, script, cell(tmp_path)).log.read_text()
        os.rename(tmp_path / "copy", tmp_path / "first")
        assert run(task, script, cell(tmp_path, network=True)).log.read_text() == "reached\n"


def test_a_silent_script_is_ended(task: Path, tmp_path: Path) -> None:
    result = run(task, "echo begun; sleep 600", cell(tmp_path), silence=0.5)
    assert not result.ok
    assert "for 0.5 seconds" in result.stopped


def test_a_script_that_fills_the_disk_is_ended(task: Path, tmp_path: Path) -> None:
    script = "for n in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > $n; done; sleep 600"
    assert run(task, script, cell(tmp_path, disk=4 * MiB)).stopped.startswith("It wrote more than 4 MiB")


def test_the_script_is_read_without_following_a_link(task: Path) -> None:
    assert setup_script.read_script(task) is None
    (task / "setup.sh").write_text("echo é\n")
    assert setup_script.read_script(task) == "echo é\n"
    (task / "setup.sh").unlink()
    (task / "setup.sh").symlink_to("/etc/passwd")
    with pytest.raises(Refused) as caught:
        setup_script.read_script(task)
    assert caught.value.code == "LinkInOutput"


def test_a_task_with_a_link_is_not_copied(task: Path, tmp_path: Path) -> None:
    (task / "data").symlink_to("/etc")
    with pytest.raises(Refused):
        run(task, "true", cell(tmp_path))
    assert not (tmp_path / "copy").exists()
