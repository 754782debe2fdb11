"""What a run's order means inside."""

from pathlib import Path

import msgspec
import pytest

from decentralml.core.bounds import Bounds
from decentralml.core.training.job import cell, gpu_warning, job
from decentralml.core.training.run_folder import RunFolder, RunSpec

BOUNDS = Bounds(1 << 30, 1 << 30, 100)


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    (tmp_path / "d.npz").touch()
    return RunSpec(assets=tmp_path, script="s.py", data=tmp_path / "d.npz", threads=2, nice=3)


def test_the_cell_holds_what_the_worker_needs_and_no_more(spec: RunSpec, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    made = cell(spec, BOUNDS, run)
    assert {str(inside): host for host, inside in made.reads} == {
        "/task": tmp_path,
        "/data/d.npz": tmp_path / "d.npz",
        "/job": run.job,
        "/control": run.control,
    }
    assert made.writes == (run.out, Path("/out"))
    assert not made.network
    assert (made.bounds, made.threads, made.nice) == (BOUNDS, 2, 3)


def test_the_job_names_paths_as_the_worker_has_to(spec: RunSpec, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    inside = job(spec, cell(spec, BOUNDS, run), resume=False)
    assert (inside["data"], inside["out"], inside["task_dir"]) == ("/data/d.npz", "/out", "/task")
    bare = msgspec.structs.replace(spec, unsandboxed=True, data=tmp_path)
    outside = job(bare, cell(bare, BOUNDS, run), resume=True)
    assert (outside["data"], outside["out"], outside["resume"]) == (str(tmp_path), str(run.out), True)


def test_a_gpu_that_lies_idle_is_told_of() -> None:
    assert "cuda" in gpu_warning("", "CPU", present=True)
    assert "asked for" in gpu_warning("gpu:1", "CPU", present=False)
    assert gpu_warning("cpu", "CPU", present=True) == ""
    assert gpu_warning("", "CPU", present=False) == ""
    assert gpu_warning("gpu", "NVIDIA H100", present=True) == ""
