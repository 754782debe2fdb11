"""A task's requirements are bare lines; the environment made of them is whole or absent, and asked for."""

import base64
import hashlib
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from decentralml.core import environments, sandbox
from decentralml.core.errors import Refused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.sandbox import Cell


def wheel(
    folder: Path, name: str, files: dict[str, str], *, version: str = "1.0", requires: str = ""
) -> None:
    """A wheel of pure Python, by hand: the tests need no index."""
    info = f"{name}-{version}.dist-info"
    extra = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{extra}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """uv sees only this folder, and keeps its cache in the test's own."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return folder


def yes(size: int, lines: list[str]) -> bool:
    return True


def never(size: int, lines: list[str]) -> bool:
    raise AssertionError("nobody was to be asked")


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "-e .",
        "--index-url https://evil.example/simple",
        "https://evil.example/x.whl",
        "./local",
        "../x",
        "x.whl",
        "name @ https://evil.example/x.whl",
        "name @ file:///tmp/x",
        "numpy --hash=sha256:00",
        "git+https://evil.example/x",
        "numpy>=2 \\",
        "$HOME",
        "numpy; os.system('x')",
        "numpy; sys_platform ~= 'x'",
        "numpy; 'x' in extras",
    ],
)
def test_a_line_that_is_more_than_a_name_with_versions_is_refused(line: str) -> None:
    with pytest.raises(Refused) as caught:
        environments.parse(f"numpy\n{line}\n")
    assert caught.value.code == "BadRequirement"
    assert "Line 2" in caught.value.message


def test_comments_blank_lines_extras_and_markers_are_taken() -> None:
    text = '# head\n\nnumpy>=2,<3  # why\nkeras[x] ; python_version >= "3.11"\n'
    assert [str(r) for r in environments.parse(text)] == ["numpy<3,>=2", 'keras[x]; python_version >= "3.11"']


def test_a_flood_of_lines_is_refused() -> None:
    with pytest.raises(Refused):
        environments.parse("numpy\n" * 501)


def test_what_the_program_has_already_is_run_by_its_own_python(tmp_path: Path, home: Home) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(
        'numpy>=2\nkeras\nnot-for-us; sys_platform == "plan9"\ncoverage[toml]; python_version < "3"\n'
    )
    assert environments.interpreter_for(file, home, consent=never) == environments.own()
    assert environments.interpreter_for(None, home, consent=never) == environments.own()


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        ("numpy", True),
        ("numpy>=99", False),
        ("no-such-package-as-this", False),
        ("NumPy>=2", True),
        ("tensorflow[and-cuda]", False),
    ],
)
def test_a_requirement_fits_or_not(line: str, fits: bool) -> None:
    assert environments.satisfied(environments.parse(line)[0]) is fits


def test_a_linked_requirements_file_is_not_followed(tmp_path: Path, home: Home) -> None:
    (tmp_path / "requirements.txt").symlink_to("/etc/passwd")
    with pytest.raises(Refused) as caught:
        environments.interpreter_for(tmp_path / "requirements.txt", home, consent=never)
    assert caught.value.code == "LinkInOutput"


def test_an_environment_is_made_once_after_a_yes_and_runs_in_the_sandbox(
    wheels: Path, tmp_path: Path, home: Home
) -> None:
    for (
        name
    ) in environments.NEEDED:  # light stand-ins of the index, under the names and versions that are asked for
        wheel(wheels, name, {f"{name}.py": "stand_in = True\n"}, version=importlib.metadata.version(name))
    trap = tmp_path / "trap"
    line = f"import os; os.path.exists('/out') or open({str(trap)!r}, 'w')\n"
    files = {"tasktool.py": "word = 'ready'\n", "trap.pth": line}
    wheel(wheels, "tasktool", files, requires="helper")
    wheel(wheels, "helper", {"helper.py": ""})
    file = tmp_path / "requirements.txt"
    file.write_text("tasktool==1.0  # of the task\n")
    asked: list[list[str]] = []

    def ask(size: int, lines: list[str]) -> bool:
        asked.append(lines)
        return True

    python = environments.interpreter_for(file, home, consent=ask)
    assert [line.split()[0] for line in asked[0]] == sorted({*environments.NEEDED, "helper", "tasktool"})
    out = tmp_path / "out"
    out.mkdir()
    script = """
import tasktool, keras, decentralml.core.sandboxed.worker
print(tasktool.word, keras.stand_in)
try:
    open(tasktool.__file__, "a")
except OSError as error:
    print(error.strerror)
"""
    done = sandbox.run(Cell(("python", "-c", script), python=python, writes=(out, Path("/out"))))
    assert done.stdout == b"ready True\nRead-only file system\n", done.stderr.decode()
    assert not trap.exists(), "a line of the environment's own .pth ran on the host"
    assert environments.interpreter_for(file, home, consent=never) == python
    assert not list(home.environments.glob(".making-*"))


def test_the_worker_needs_no_package_that_an_environment_lacks() -> None:
    """Refused to it is every package but those of `NEEDED`; what the program itself runs on is installed."""
    script = f"""
import sys
class OnlyNeeded:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {("decentralml", *environments.NEEDED)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, OnlyNeeded())
import decentralml.core.sandboxed.worker
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_a_no_installs_nothing(wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "tasktool", {"tasktool.py": ""})
    with pytest.raises(Refused) as caught:
        environments.make(tmp_path / "made", ["tasktool"], lambda size, lines: False)
    assert caught.value.code == "Declined"
    assert not (tmp_path / "made").exists()


def test_a_source_package_is_never_built(wheels: Path, tmp_path: Path) -> None:
    import io
    import tarfile

    trap = tmp_path / "trap"
    setup = f"open({str(trap)!r}, 'w')\nfrom setuptools import setup\nsetup(name='tasktool')\n".encode()
    with tarfile.open(wheels / "tasktool-1.0.tar.gz", "w:gz") as archive:
        for name, data in (
            ("setup.py", setup),
            ("PKG-INFO", b"Metadata-Version: 2.1\nName: tasktool\nVersion: 1.0\n"),
        ):
            info = tarfile.TarInfo(f"tasktool-1.0/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with pytest.raises(Unavailable) as caught:
        environments.make(tmp_path / "made", ["tasktool"], yes)
    assert caught.value.code == "InstallFailed"
    assert not trap.exists()
    assert not (tmp_path / "made").exists()


def test_an_index_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    with pytest.raises(Unavailable) as caught:
        environments.make(tmp_path / "made", ["tasktool"], yes)
    assert caught.value.code == "NoNetwork"


def test_what_an_interrupted_making_left_is_swept(wheels: Path, tmp_path: Path) -> None:
    wheel(wheels, "tasktool", {"tasktool.py": ""})
    left = tmp_path / f".making-{2**22 + 1}-x"
    left.mkdir()
    environments.make(tmp_path / "made", ["tasktool"], yes)
    assert not left.exists()
    assert (tmp_path / "made" / "bin" / "python").exists()
