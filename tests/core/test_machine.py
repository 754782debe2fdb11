"""How busy this machine is, by what it says of itself."""

import os
import threading
from pathlib import Path

import psutil
import pytest

from decentralml.core.machine import Gpu, Meter

_ANSWER = """#!/bin/sh
echo 'NVIDIA A10, PCIe, 45, 1024, 23028'
printf 'Tesla \\033[31mT4, [N/A], 0, 15360\\n'
"""


def driver(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let ``script`` be the first nvidia-smi on the path."""
    program = folder / "nvidia-smi"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_cores_and_memory_are_those_of_the_machine() -> None:
    found = Meter().look()
    assert found.cores == psutil.cpu_count()
    assert found.memory == psutil.virtual_memory().total
    assert 0 < found.memory_free <= found.memory
    assert found.load >= 0


def test_a_core_that_works_between_two_looks_is_busy() -> None:
    meter = Meter()
    assert meter.look().busy is None, "there is nothing yet to compare with"
    used = threading.Event()
    worker = threading.Thread(target=_work, args=(used,))
    worker.start()
    try:
        before = psutil.Process().cpu_times().user
        while psutil.Process().cpu_times().user - before < 0.3:
            pass
        busy = meter.look().busy
        assert busy is not None
        assert 0 < busy <= (psutil.cpu_count() or 1)
    finally:
        used.set()
        worker.join()


def _work(until: threading.Event) -> None:
    while not until.is_set():
        sum(range(1000))


def test_gpus_are_those_that_the_driver_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver(tmp_path, monkeypatch, _ANSWER)
    assert Meter().look().gpus == (
        Gpu("NVIDIA A10, PCIe", 0.45, 2**30, 23028 * 2**20),
        Gpu("Tesla [31mT4", None, 0, 15360 * 2**20),
    )


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 9\n", "#!/bin/sh\necho no devices\n", "no program"])
def test_a_driver_that_says_nothing_useful_counts_as_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    driver(tmp_path, monkeypatch, script)
    assert Meter().look().gpus == ()


def test_the_driver_is_not_asked_at_every_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    driver(tmp_path, monkeypatch, f"#!/bin/sh\necho x >> {asked}\necho 'A10, 1, 2, 3'\n")
    meter = Meter()
    for _ in range(3):
        assert meter.look().gpus
    assert asked.read_text() == "x\n"
