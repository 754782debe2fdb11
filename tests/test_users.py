"""Two users of one group on one server, as the kernel sees them: one ledger, one store, a home each.

Needs root, to make the users and to become them: see `pytest_ignore_collect` in conftest.py.
"""

import fcntl
import grp
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
CACHE = Path("/var/tmp")
GROUP = "dml-test"
PASSWORD = "correct horse"
UNIT = 10**12
# Of the person who runs the tests, before any test is given folders of its own: uv's cache is there.
ENVIRONMENT = dict(os.environ)
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def as_user(name: str, *command: str | Path) -> list[str | Path]:
    return ["runuser", "-u", name, "--", *command]


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter that every user can run, with this tree installed, not linked.

    What the project depends on is kept between runs, outside the tree, until it changes.
    """
    base = next(path for path in _interpreters() if _anyone_can_run(path))
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    version = run(base, "-c", "import sys; print(sys.version)")
    key = hashlib.sha256(json.dumps([wanted, version, str(base)]).encode()).hexdigest()[:16]
    place = CACHE / f"decentralml-users-{key}"
    place.mkdir(mode=0o755, exist_ok=True)
    assert place.lstat().st_uid == 0, f"{place} is somebody else's"
    with open(place / "lock", "w") as lock, tempfile.TemporaryDirectory() as copy:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made, tree = place / "env" / "bin" / "python", Path(copy)
        if not (place / "complete").exists():
            run(UV, "venv", "--clear", "--quiet", "--python", base, place / "env", env=ENVIRONMENT)
            run(UV, "pip", "install", "--quiet", "--python", made, *wanted, env=ENVIRONMENT)
            (place / "complete").touch()
        for name in ("core", "tui", "assets", "themes"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, tree / name)
        run(
            *(UV, "pip", "install", "--quiet", "--python", made, "--no-deps"),
            *("--reinstall-package", "decentralml", tree),
            env=ENVIRONMENT,
        )
        yield made


def _interpreters() -> Iterator[Path]:
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    for path in (own, *(Path(f"/usr{at}/bin/{name}") for at in ("", "/local") for name in _NAMES)):
        if path.exists():
            yield path
    pytest.fail("No Python of 3.11 to 3.13 that other users can run: apt-get install python3")


_NAMES = ("python3", "python3.11", "python3.12", "python3.13")


def _anyone_can_run(path: Path) -> bool:
    new_enough = "import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))"
    return subprocess.run(as_user("nobody", path, "-c", new_enough), capture_output=True).returncode == 0


@dataclass
class User:
    """A user of this machine, with a home and an account of the same name."""

    name: str
    login: str
    python: Path
    folder: Path
    shared: Path

    def run(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """A command with --json --yes, as this user, whose umask leaves nothing to others."""
        read, write = os.pipe()
        try:
            os.write(write, f"{PASSWORD}\n".encode())
            os.close(write)
            return subprocess.run(
                [
                    *as_user(
                        self.login, self.python.with_name("decentralml"), "--home", self.folder / "market"
                    ),
                    *("--chain", f"local:{self.shared}/ledger/ledger.sqlite"),
                    *("--storage", f"local:{self.shared}/store"),
                    *("--json", "--yes", "--password-fd", str(read), *words),
                ],
                pass_fds=(read,),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=0o077,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder)},
            )
        finally:
            os.close(read)

    def __call__(self, *words: str | Path) -> Any:
        """The data of a command that goes well. Whatever it left to be shared is shared."""
        done = self.run(*words)
        answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {"ok": False}
        assert answer["ok"], f"{self.name}: {words}: {done.stdout}{done.stderr}"
        assert_shared(self.shared)
        return answer["data"]

    def refused(self, *words: str | Path) -> tuple[int, str]:
        """Exit code and code of a command that does not."""
        done = self.run(*words)
        error = json.loads(done.stdout)["error"]
        assert error["message"], error
        assert error["hint"], error
        return done.returncode, error["code"]

    def free(self) -> float:
        return int(self("account", "show")["free"]) / UNIT


def assert_shared(folder: Path) -> None:
    """All that lies in ``folder`` can be used by its whole group and by nobody else."""
    group = grp.getgrnam(GROUP).gr_gid
    for path in folder.rglob("*"):
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        assert found.st_gid == group, path
        if path.is_dir():
            assert mode == 0o2770, f"{path} {mode:o}"
        elif "store" in path.parts:
            assert mode == 0o440, f"{path} {mode:o}"
        else:
            assert mode == 0o660, f"{path} {mode:o}"


@pytest.fixture(scope="module")
def logins() -> Iterator[dict[str, str]]:
    """Two users of one group and one outside it; none of them is left behind."""
    names = {name: f"{GROUP}-{name}" for name in ("ada", "bob", "eve")}

    def remove() -> None:
        for login in names.values():
            subprocess.run(["userdel", "--force", login], capture_output=True, check=False)
        subprocess.run(["groupdel", GROUP], capture_output=True, check=False)

    remove()
    run("groupadd", GROUP)
    try:
        for name, login in names.items():
            own = ("--user-group",) if name == "eve" else ("--no-user-group", "--gid", GROUP)
            run("useradd", "--no-create-home", "--home-dir", "/nonexistent", *own, login)
        yield names
    finally:
        remove()


@pytest.fixture(scope="module")
def people(python: Path, logins: dict[str, str]) -> Iterator[dict[str, User]]:
    """Everybody with an account; a folder that was given to the group, with a ledger that ada made."""
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        root = Path(made)
        root.chmod(0o755)
        shared = root / "shared"
        shared.mkdir()
        os.chown(shared, 0, grp.getgrnam(GROUP).gr_gid)
        shared.chmod(0o2770)
        found = {}
        for name, login in logins.items():
            folder = root / name
            folder.mkdir(mode=0o700)
            os.chown(folder, pwd.getpwnam(login).pw_uid, pwd.getpwnam(login).pw_gid)
            found[name] = User(name, login, python, folder, shared)
        found["ada"]("chain", "init", shared / "ledger" / "ledger.sqlite")
        for user in found.values():
            user("account", "create", user.name)
        for name in ("ada", "bob"):
            found[name]("account", "fund", "100")
        yield found


@pytest.fixture
def ada(people: dict[str, User]) -> User:
    return people["ada"]


@pytest.fixture
def bob(people: dict[str, User]) -> User:
    return people["bob"]


def own_file(user: User, name: str, content: bytes) -> Path:
    """A file that only ``user`` can read."""
    path = user.folder / name
    path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    path.write_bytes(content)
    for made in (path.parent, path):
        os.chown(made, pwd.getpwnam(user.login).pw_uid, -1)
    path.chmod(0o600)
    return path


def create(ada: User, *more: str) -> str:
    for number in range(3):
        texts = own_file(ada, f"texts/{number}.txt", f"text {number}".encode()).parent
    made = ada(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", texts),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *more),
    )
    return str(made["task_id"])


def answers(bob: User, label: str) -> Path:
    labels = {f"{number}.txt": label for number in range(3)}
    return own_file(bob, f"{label}.json", json.dumps(labels).encode())


def test_each_command_runs_as_its_user_by_an_interpreter_that_both_can_read(
    people: dict[str, User], python: Path
) -> None:
    here = run(python, "-c", "import sys; print(sys.version)")
    words = (
        "import os, sys, decentralml.core as core; print(sys.version);"
        "print(os.getuid(), os.getgid(), core.__file__)"
    )
    for user in people.values():
        version, _, rest = run(*as_user(user.login, python, "-c", words), cwd="/").strip().rpartition("\n")
        assert version == here.strip()
        uid, gid, file = rest.split()
        login = pwd.getpwnam(user.login)
        assert (int(uid), int(gid)) == (login.pw_uid, login.pw_gid)
        assert int(uid) != 0
        assert file.startswith(str(python.parents[1])), "the tree itself is what runs"


def test_labels_are_bought_between_two_users_and_what_is_left_comes_back(ada: User, bob: User) -> None:
    before = ada.free(), bob.free()
    task = create(ada, "--max-assignments", "2")
    assert ada.free() == before[0] - 4
    submission = str(bob("task", "assign", task)["submission_id"])
    assert bob("task", "send", task, "--answers", answers(bob, "cat"))["status"] == "PendingValidation"
    assert ada("task", "validate", submission)["status"] == "Validated"
    assert ada("task", "accept", submission)["status"] == "Accepted"
    assert ada("task", "close", task)["amount"] == str(2 * UNIT)
    assert (ada.free(), bob.free()) == (before[0] - 2, before[1] + 2)
    for user in (ada, bob):
        assert user("chain", "verify")["ok"] is True


def test_changes_are_requested_and_a_result_is_rejected_between_two_users(ada: User, bob: User) -> None:
    before = bob.free()
    task = create(ada)
    submission = str(bob("task", "assign", task)["submission_id"])
    bob("task", "send", task, "--answers", answers(bob, "cat"))
    ada("task", "validate", submission)
    ada("task", "request-changes", submission, "--reason", "more dogs")
    bob("task", "send", task, "--answers", answers(bob, "dog"))
    ada("task", "validate", submission)
    assert ada("task", "reject", submission, "--reason", "too many dogs")["status"] == "Rejected"
    assert bob("task", "show", task)["submissions"][0]["reason"] == "too many dogs"
    assert bob.free() == before


def test_a_model_is_trained_by_one_user_and_measured_by_the_other(ada: User, bob: User) -> None:
    with np.load(ROOT / "assets" / "mnist5k.npz") as digits:
        for user, part in ((ada, slice(0, 200)), (bob, slice(200, 500))):
            path = user.folder / "digits.npz"
            np.savez(path, x=digits["x"][part], y=digits["y"][part])
            own_file(user, "digits.npz", path.read_bytes())
    role = ada.python.parents[1] / "lib"
    assets = next(role.glob("python3*/site-packages/decentralml/assets/model_engineer"))
    made = ada(
        *("task", "create", "engineer", "--question", "Better digits", "--pays-amount", "3"),
        *("--assets", assets, "--validation-strategy", "custom"),
    )
    task = str(made["task_id"])
    submission = str(bob("task", "assign", task)["submission_id"])
    trained = bob("task", "train", task, "--data", bob.folder / "digits.npz", "--epochs", "1")
    assert (trained["state"], trained["spec"]["unsandboxed"]) == ("finished", False)
    bob("task", "send", task)
    policy = own_file(ada, "policy/validation.py", b'def decide(report):\n    return "accept", "good"\n')
    judged = ada("task", "validate", submission, "--data", ada.folder / "digits.npz", "--policy", policy)
    assert (judged["status"], judged["report"]["protection"][:5]) == ("Accepted", "bwrap")


def test_whoever_is_outside_the_group_is_told_so(people: dict[str, User], ada: User) -> None:
    eve = people["eve"]
    ada("task", "list")
    for words in (("task", "list"), ("account", "fund", "5"), ("chain", "verify")):
        assert eve.refused(*words) == (3, "LedgerUnreachable")
    reference = "local:#sha256=" + "0" * 64
    assert eve.refused("storage", "verify", reference) == (3, "StorageDenied")


def test_nobody_reads_anothers_home(people: dict[str, User], ada: User) -> None:
    keys = list((ada.folder / "market" / "accounts").iterdir())
    assert keys
    for name in ("bob", "eve"):
        for path in (ada.folder / "market", *keys):
            done = subprocess.run(as_user(people[name].login, "ls", path), capture_output=True, check=False)
            assert done.returncode != 0
