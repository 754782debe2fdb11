"""Every canary gets what it is after without the sandbox, and does not get it within: as root and as a user.

A canary is a script of the standard library that prints TOUCHED when it got there. Without root there is one
person, the one who runs the tests.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from decentralml.core import bounds, environments, sandbox
from decentralml.core import cell as cells
from decentralml.core.cell import Cell
from decentralml.core.environments import Interpreter
from decentralml.core.paths import Home

ROOT = os.geteuid() == 0
RUNUSER = shutil.which("runuser") or "/usr/sbin/runuser"
PERSONS = ["root", "nobody"] if ROOT else ["self"]
SYSTEM = Interpreter(Path("/usr/bin/python3"), (), name="the system's Python")
MiB = 1 << 20


@dataclass
class Scene:
    """A person's machine: secrets in files, a listening service, a neighbour process that holds a secret."""

    person: str
    folder: Path
    python: Interpreter
    core: Path
    token: str
    port: int
    neighbour: subprocess.Popen[bytes]

    def as_person(self, argv: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        if self.person == "nobody":
            pairs = [f"{name}={value}" for name, value in env.items()]
            argv = [RUNUSER, "-u", "nobody", "--", "env", "-i", *pairs, *argv]
            env = {}
        return subprocess.run(
            argv,
            env=env,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )

    def outside(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [str(self.python.executable), "-c", script, *arguments]
        return self.as_person(argv, {"HOME": str(self.folder), "CANARY": self.token})

    def argv(self, script: str, *arguments: str) -> list[str]:
        cell = Cell(
            ("python", "-c", script, *arguments),
            reads=((self.folder / "task", Path("/task")),),
            writes=(self.folder / "out", Path("/out")),
            env={"ALLOWED": "yes"},
            memory=512 * MiB,
            disk=64 * MiB,
            python=self.python,
        )
        argv = cells.sandboxed(cell, bounds.Groups((), False), {})
        # A clone may lie where the other person cannot look.
        return [str(self.core) if word == str(cells.CORE) else word for word in argv]

    def inside(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.as_person(self.argv(script, *arguments), {})


@pytest.fixture(scope="module", params=PERSONS)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    person, token = request.param, uuid.uuid4().hex
    folder = Path(tempfile.mkdtemp(prefix="canaries-", dir="/tmp"))
    home = Home(folder / "home")
    files = {
        "ssh": folder / ".ssh" / "id_ed25519",
        "keystore": home.accounts / "alice.json",
        "journal": home.runs / "1" / "journal.jsonl",
        "store": home.storage / "objects" / "ab",
        "environment": home.environments / "another" / "lib" / "x.py",
        "input": folder / "task" / "script.py",
    }
    for file in files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(token)
    (folder / "out").mkdir()
    core = folder / "core"
    core.mkdir()
    shutil.copy(bounds.LAUNCH, core)
    neighbour = ["sleep", f"600.{int(token[:8], 16)}"]
    if person == "nobody":
        subprocess.run(["chown", "-R", "nobody", str(folder)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as service:
        user = "nobody" if person == "nobody" else None
        process = subprocess.Popen(neighbour, env={"CANARY": token, "PATH": os.environ["PATH"]}, user=user)
        python = SYSTEM if person == "nobody" else environments.own()
        yield Scene(person, folder, python, core, token, service.getsockname()[1], process)
        process.terminate()
        process.wait()
    shutil.rmtree(folder)


def both(scene: Scene, script: str, *arguments: str, inside: tuple[str, ...] | None = None) -> None:
    without = scene.outside(script, *arguments)
    assert "TOUCHED" in without.stdout, f"the canary itself does not work: {without.stdout}{without.stderr}"
    within = scene.inside(
        f"print('STARTED', flush=True)\n{script}", *(arguments if inside is None else inside)
    )
    assert "STARTED" in within.stdout, within.stderr
    assert "TOUCHED" not in within.stdout


READ = "import sys; open(sys.argv[1]).read(); print('TOUCHED')"
APPEND = "import sys; open(sys.argv[1], 'a').write('!'); print('TOUCHED')"


@pytest.mark.parametrize(
    "secret", [".ssh/id_ed25519", "home/accounts/alice.json", "home/cache/environments/another/lib/x.py"]
)
def test_a_secret_file_cannot_be_read(scene: Scene, secret: str) -> None:
    both(scene, READ, str(scene.folder / secret))


@pytest.mark.parametrize("record", ["home/runs/1/journal.jsonl", "home/storage/objects/ab"])
def test_a_record_can_be_neither_read_nor_written(scene: Scene, record: str) -> None:
    both(scene, READ, str(scene.folder / record))
    both(scene, APPEND, str(scene.folder / record))


def test_an_input_can_be_read_but_not_written(scene: Scene) -> None:
    path = str(scene.folder / "task" / "script.py")
    assert "TOUCHED" in scene.inside(READ, "/task/script.py").stdout
    both(scene, APPEND, path, inside=("/task/script.py",))
    both(
        scene,
        "import os,sys; open(sys.argv[1] + '/new', 'w'); print('TOUCHED')",
        path[:-10],
        inside=("/task",),
    )


def test_only_the_one_folder_and_the_scratch_can_be_written(scene: Scene) -> None:
    script = """
import os
for folder, inner, _ in os.walk("/"):
    if folder.count("/") > 4:
        inner.clear()
    if folder.startswith("/proc/") and folder.split("/")[2] not in ("sys", "self"):
        continue
    try:
        os.close(os.open(folder + "/canary", os.O_CREAT | os.O_WRONLY))
        print("WROTE", folder)
    except OSError:
        pass
"""
    written = {line.split()[1] for line in scene.inside(script).stdout.splitlines()}
    # An interpreter below /tmp has the folders that lead to it in the scratch.
    python = Path(sys.prefix)
    leading = {str(path) for path in (python, *python.parents) if path.is_relative_to("/tmp/")}
    assert written - leading | {"/tmp"} == {"/tmp", "/out", "/dev/shm"}


def test_a_loopback_service_cannot_be_reached(scene: Scene) -> None:
    script = (
        "import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5); print('TOUCHED')"
    )
    both(scene, script, str(scene.port))


def test_an_abstract_socket_cannot_be_reached(scene: Scene) -> None:
    name = f"canary-{scene.token}"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(f"\0{name}")
        service.listen()
        script = (
            "import socket,sys; socket.socket(socket.AF_UNIX).connect(chr(0) + sys.argv[1]); print('TOUCHED')"
        )
        both(scene, script, name)


def test_other_processes_are_not_seen(scene: Scene) -> None:
    script = """
import glob, sys
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        words = open(path, "rb").read().split(b"\\0")
    except OSError:
        continue
    if words[0].endswith(b"sleep") and sys.argv[1].encode() in words[1]:
        print("TOUCHED")
"""
    both(scene, script, str(int(scene.token[:8], 16)))


def test_no_environment_of_any_process_shows(scene: Scene) -> None:
    script = """
import glob, sys
for path in glob.glob("/proc/[0-9]*/environ") + ["/proc/self/environ"]:
    try:
        if (sys.argv[1] + sys.argv[2]).encode() in open(path, "rb").read():
            print("TOUCHED")
    except OSError:
        pass
"""
    both(scene, script, scene.token[:16], scene.token[16:])


def test_the_first_process_inside_has_an_empty_environment_and_the_command_only_what_was_given(
    scene: Scene,
) -> None:
    told = scene.inside("import os; print(len(open('/proc/1/environ').read()), sorted(os.environ))").stdout
    assert told.startswith("0 ")
    names = set(eval(told[2:]))
    assert names == {"ALLOWED", "PWD", *cells.base(Cell(("true",)), home="/tmp", packages="")}


# On the host a mount namespace of its own keeps /usr as it is; a user gets one by way of a user namespace.
REMOUNT = """
import ctypes
libc = ctypes.CDLL(None)
NEWNS, NEWUSER, RDONLY, REMOUNT, BIND, REC, PRIVATE = 0x20000, 0x10000000, 1, 32, 4096, 16384, 1 << 18
if libc.unshare(NEWNS) == 0 or libc.unshare(NEWNS | NEWUSER) == 0:
    libc.mount(None, b"/", None, REC | PRIVATE, None)
    libc.mount(b"/usr", b"/usr", None, BIND, None)
if libc.mount(None, b"/usr", None, REMOUNT | BIND, None) == 0:
    print("TOUCHED")
"""


def test_usr_cannot_be_remounted(scene: Scene) -> None:
    both(scene, REMOUNT)


def test_no_new_user_namespace_can_be_made(scene: Scene) -> None:
    both(scene, "import ctypes; ctypes.CDLL(None).unshare(0x10000000) == 0 and print('TOUCHED')")


def test_the_settings_of_the_kernel_cannot_be_written(scene: Scene) -> None:
    script = "import sys; open(sys.argv[1], 'r+').close(); print('TOUCHED')"
    setting = "/proc/sys/kernel/core_pattern"
    if scene.person == "root":
        both(scene, script, setting)
    assert "TOUCHED" not in scene.inside(script, setting).stdout


KEYS = """
import ctypes, os, platform, sys
libc = ctypes.CDLL(None)
ADD, CONTROL = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
if sys.argv[1:]:
    libc.syscall(CONTROL, 1, None)
    libc.syscall(ADD, b"user", b"canary", b"secret", 6, -3)
    os.execv(sys.argv[1], sys.argv[1:])
if libc.syscall(CONTROL, 10, -3, b"user", b"canary", 0) > 0:
    print("TOUCHED")
"""


def test_a_key_of_the_kernel_keyring_cannot_be_found(scene: Scene) -> None:
    """A session keyring is inherited: both get one with a key in it."""
    asks = [str(scene.python.executable), "-c", KEYS]
    assert "TOUCHED" in scene.outside(KEYS, *asks).stdout
    within = scene.outside(KEYS, *scene.argv(KEYS))
    assert (within.stdout, within.returncode) == ("", 0), within.stderr


def test_no_descriptor_of_the_program_is_inherited(scene: Scene) -> None:
    with open(scene.folder / ".ssh" / "id_ed25519") as secret:
        script = "import os; print([n for n in range(3, 256) if os.path.lexists(f'/proc/self/fd/{n}')])"
        done = sandbox.run(Cell(("python", "-c", script), env={"OPEN": str(secret.fileno())}))
    assert done.stdout == b"[]\n"


def test_the_devices_are_the_harmless_ones(scene: Scene) -> None:
    told = scene.inside("import os; print(sorted(os.listdir('/dev')))").stdout
    assert set(eval(told)) == {
        "fd",
        "full",
        "null",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "urandom",
        "zero",
    }
