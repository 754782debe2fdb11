"""What is wrong with files, ledgers, disks and clocks has an answer of its own."""

import hashlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from decentralml.core import publishing
from decentralml.core.chain.ledger import Ledger
from decentralml.core.storage.base import File, Manifest
from decentralml.core.storage.local import LocalStorage
from decentralml.core.storage.manifest import encode

from .refusals import ASSETS, UNIT, answer, create, terms

# Files and folders


@pytest.mark.parametrize("name", ["../escaped", "/etc/passwd", "a/../../b", "a//b", "x\x1b[2J"])
def test_a_path_that_climbs(
    market, files: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = market("ada", "bob")
    content = b"hello"
    forged = encode(Manifest((File("harmless.txt", 5, hashlib.sha256(content).hexdigest()),)))
    forged = forged.replace(b"harmless.txt", json.dumps(name)[1:-1].encode())
    digest = hashlib.sha256(forged).hexdigest()
    create(ada, files)
    place = tmp_path / "store" / "manifests" / digest[:2]
    place.mkdir(parents=True, exist_ok=True)
    (place / digest).write_bytes(forged)
    reference = f"local:#sha256={digest}"
    assert answer(bob, "storage", "get", reference, str(tmp_path / "got")) == ("BadManifest", 1)
    assert not (tmp_path / "got").exists()
    assert answer(ada, *terms(Path(reference))) == ("BadManifest", 1)
    with monkeypatch.context() as looks_at_nothing:
        looks_at_nothing.setattr(publishing, "check_files", lambda *_: None)
        looks_at_nothing.setattr(LocalStorage, "renew", lambda *_: None)
        task = create(ada, Path(reference))
    assert answer(bob, "task", "assign", task) == ("BadManifest", 1)
    assert bob("task", "show", task).data["free_slots"] == 1


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("local:../../etc/passwd#sha256=" + "0" * 64, "OtherStorage"),
        ("local:#sha256=" + "0" * 63, "BadReference"),
        ("local:#sha256=" + "0" * 64 + "\x1b[2J", "BadReference"),
    ],
)
def test_a_reference_that_is_none(market, tmp_path: Path, reference: str, code: str) -> None:
    (ada,) = market("ada")
    assert answer(ada, "storage", "get", reference, str(tmp_path / "got")) == (code, 1)


def test_a_folder_with_what_does_not_belong_there(market, files: Path) -> None:
    (ada,) = market("ada")
    (files / "link").symlink_to("/etc/passwd")
    assert answer(ada, *terms(files)) == ("LinkRefused", 1)
    (files / "link").unlink()
    os.mkfifo(files / "pipe")
    assert answer(ada, *terms(files)) == ("SpecialFile", 1)


def test_a_missing_file_and_an_empty_folder(market, files: Path, tmp_path: Path) -> None:
    """What every other command says of a wrong path is in test_files.py."""
    ada, bob = market("ada", "bob")
    nowhere, empty = tmp_path / "nowhere", tmp_path / "empty"
    empty.mkdir()
    task = create(ada, files)
    bob("task", "assign", task)
    assert answer(ada, *terms(nowhere)) == ("NoSuchFile", 2)
    assert answer(bob, "task", "send", task, "--answers", str(nowhere)) == ("NoSuchFile", 2)
    assert answer(ada, *terms(empty)) == ("EmptyFolder", 1)
    assert answer(ada, "storage", "put", str(empty)) == ("EmptyFolder", 1)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("def train_model(): ...\n", "MissingFunction"),
        ("def broken(:\n", "BadScript"),
        ("x = '\x1b[2J' \u202e\n", "BadScript"),
        (None, "MissingScript"),
    ],
)
def test_a_script_without_the_functions(market, tmp_path: Path, script: str | None, code: str) -> None:
    (ada,) = market("ada")
    folder = tmp_path / "role"
    folder.mkdir()
    (folder / "readme.txt").write_text("hello")
    if script is not None:
        (folder / "model_engineer.py").write_text(script)
    made = ("task", "create", "engineer", "--question", "Better?", "--pays-amount", "1")
    assert answer(ada, *made, "--assets", str(folder)) == (code, 1)


def test_a_contributors_task_without_a_model_to_train_holds_no_money(market, tmp_path: Path) -> None:
    (ada,) = market("ada")
    folder = shutil.copytree(
        ASSETS / "model_contributor", tmp_path / "task", ignore=shutil.ignore_patterns("base_model")
    )
    made = ("task", "create", "contributor", "--question", "Digits?", "--pays-amount", "1")
    assert answer(ada, *made, "--assets", str(folder)) == ("NoBaseModel", 1)
    stored = ada("storage", "put", str(folder)).data["reference"]
    assert answer(ada, *made, "--assets", stored) == ("NoBaseModel", 1)
    assert ada.free() == str(100 * UNIT)
    assert ada("task", "list").data["items"] == []


# Ledger, disk, clock


def ledger_of(person: Any) -> Path:
    return Path(person.home.parent / "shared" / "ledger.sqlite")


def test_a_locked_ledger(market, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ada,) = market("ada")
    assert Ledger.__init__.__kwdefaults__["patience"] > 1, "people wait for one another"
    monkeypatch.setitem(Ledger.__init__.__kwdefaults__, "patience", 0.05)
    holder = sqlite3.connect(ledger_of(ada), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert answer(ada, *terms(files)) == ("LedgerLocked", 3)
    assert ada("task", "list").data["total"] == 0, "reading goes on"
    holder.close()


def test_a_ledger_cut_off(market, files: Path) -> None:
    (ada,) = market("ada")
    create(ada, files)
    os.truncate(ledger_of(ada), ledger_of(ada).stat().st_size // 2)
    for words in (("task", "list"), ("chain", "verify"), terms(files)):
        assert answer(ada, *words) == ("LedgerDamaged", 4)


def test_a_ledger_that_is_not_there(market, tmp_path: Path) -> None:
    (ada,) = market("ada")
    assert answer(ada, "--chain", f"local:{tmp_path}/none.sqlite", "task", "list") == ("NoLedger", 3)


def test_a_ledger_of_letters(market, tmp_path: Path) -> None:
    (ada,) = market("ada")
    (tmp_path / "letters").write_text("hello" * 1000)
    assert answer(ada, "--chain", f"local:{tmp_path}/letters", "task", "list") == ("NotALedger", 4)


def test_a_clock_set_back(market, tmp_path: Path) -> None:
    """As it looks from here: somebody wrote rows by a clock that is an hour ahead of this one."""
    from decentralml.core.chain.genesis import create as genesis

    (ada,) = market("ada")
    ahead = tmp_path / "ahead" / "ledger.sqlite"
    genesis(ahead)
    ledger = Ledger(ahead, now=lambda: time.time() + 3600)
    ledger.fund(ada.address, UNIT)
    ledger.close()
    for words in (("task", "list"), ("account", "fund", "1")):
        assert answer(ada, "--chain", f"local:{ahead}", *words) == ("ClockBehind", 3)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Disks of their own, mounted with the options given; where there is no root, folders with a limit."""
    made: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(made)}"
        folder.mkdir()
        if os.geteuid() == 0:
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
            made.append(folder)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_ledger_that_can_only_be_read(market, files: Path, disk: Callable[[str], Path]) -> None:
    (ada,) = market("ada")
    folder = disk("size=4m")
    ledger = folder / "shared" / "ledger.sqlite"
    words = ("--chain", f"local:{ledger}")
    assert ada("chain", "init", str(ledger)).code == 0
    assert ada(*words, "account", "fund", "50").code == 0
    if os.geteuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        ledger.chmod(0o444)
        ledger.parent.chmod(0o555)
    assert answer(ada, *words, "account", "fund", "50") == ("LedgerReadOnly", 3)
    assert answer(ada, *words, *terms(files)) == ("LedgerReadOnly", 3)


def test_a_full_disk(market, files: Path, disk: Callable[[str], Path]) -> None:
    (ada,) = market("ada")
    folder = disk("size=1m")
    (files / "big.bin").write_bytes(os.urandom(3_000_000))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    if os.geteuid() != 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        assert answer(ada, "--storage", f"local:{folder}/store", *terms(files)) == ("DiskFull", 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert ada.free() == str(100 * UNIT)
    assert ada("task", "list").data["total"] == 0
    (files / "big.bin").unlink()
    assert create(ada, files)
