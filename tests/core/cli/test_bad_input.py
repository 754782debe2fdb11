"""Whatever is put in wrongly, and whatever is wrong with files, disks and clocks, has an answer of its own.

Each answer is one object with a code, words and a next step, its exit code fits, and nothing of it can
draw on a terminal.
"""

import hashlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.chain.ledger import Ledger
from decentralml.core.limits import Bounds
from decentralml.core.paths import Home
from decentralml.core.storage.base import File, Manifest
from decentralml.core.storage.manifest import encode
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec

SCRIPTS = Path(__file__).parents[1] / "training" / "scripts"
ASSETS = Path(__file__).parents[3] / "assets"
UNIT = 10**12
HOSTILE = "\x1b[2J\x1b]0;title\x07\u202egnp\u200b\x9b31m\r\n" + "x" * 10_000
Answer = tuple[str, int]


def answer(person: Any, *words: str) -> Answer:
    """Code and exit code of a command that is refused, which says the same to people and to programs."""
    result = person(*words)
    assert_harmless(result.out + result.err)
    error = result.error
    assert error["message"], error
    assert error["hint"], error
    assert len(error["message"]) < 5000, "a terminal is not flooded"
    return error["code"], result.code


def assert_harmless(out: str) -> None:
    """Nothing in ``out`` moves a cursor, hides, or turns letters around; nor what its JSON decodes to."""
    for char in set(out) - {"\n"}:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"), f"{char!r} in {out[:300]!r}"
    for line in out.splitlines():
        if line.startswith("{"):
            for text in strings(json.loads(line)):
                assert_harmless(text)


def strings(value: Any) -> Iterator[str]:
    """All names and texts in decoded JSON."""
    if isinstance(value, str):
        # A text that is JSON in itself is not what a terminal gets.
        yield value.replace("{", " ")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.txt").write_text(f"text {number}")
    return folder


def terms(files: Path | str, *more: str) -> tuple[str, ...]:
    return (
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *more),
    )


def create(person: Any, files: Path, *more: str) -> str:
    return str(person(*terms(files, *more)).data["task_id"])


def deliver(person: Any, task: str, tmp_path: Path, label: str = "cat") -> str:
    path = tmp_path / f"{label}.json"
    path.write_text(json.dumps({"0.txt": label, "1.txt": label}))
    return str(person("task", "send", task, "--answers", str(path)).data["submission_id"])


# Who, when, how often, for how much


def test_an_unknown_task(market) -> None:
    (ada,) = market("ada")
    for verb in ("show", "assign", "results", "close", "train", "try", "send"):
        assert answer(ada, "task", verb, "4294967295") == ("TaskNotFound", 1)
    assert answer(ada, "task", "accept", "4294967295") == ("SubmissionNotFound", 1)
    assert answer(ada, "task", "show", "99999999999999999999999") == ("TaskNotFound", 1)
    assert answer(ada, "task", "show", "-1") == ("Usage", 2)


def test_the_wrong_caller(market, files: Path, tmp_path: Path) -> None:
    ada, bob, eve = market("ada", "bob", "eve")
    task = create(ada, files)
    assert answer(ada, "task", "assign", task) == ("CreatorCannotWork", 1)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    for person in (bob, eve):
        assert answer(person, "task", "close", task) == ("NotTheCreator", 1)
        for verb in ("accept", "validate"):
            assert answer(person, "task", verb, submission) == ("NotTheCreator", 1)
        for verb in ("reject", "request-changes"):
            assert answer(person, "task", verb, submission, "--reason", "no") == ("NotTheCreator", 1)
    assert answer(eve, "task", "abandon", task) == ("NotTaken", 1)
    assert answer(eve, "task", "send", task, "--answers", str(files / "0.txt")) == ("NotTaken", 1)


def test_an_expired_task(market, files: Path, wait_for: Callable[..., Any]) -> None:
    ada, bob = market("ada", "bob", init=("--block-time", "1"))
    task = create(ada, files, "--expires-in", "1s")
    wait_for(lambda: not bob("task", "show", task).data["takeable"], what="the last block")
    assert answer(bob, "task", "assign", task) == ("TaskExpired", 1)


def test_a_full_task_and_everything_twice(market, files: Path, tmp_path: Path) -> None:
    ada, bob, eve = market("ada", "bob", "eve")
    task = create(ada, files)
    bob("task", "assign", task)
    assert answer(eve, "task", "assign", task) == ("TaskFull", 1)
    submission = deliver(bob, task, tmp_path)
    labels = str(tmp_path / "cat.json")
    assert answer(bob, "task", "send", task, "--answers", labels) == ("WrongState", 1)
    ada("task", "validate", submission)
    ada("task", "accept", submission)
    assert answer(ada, "task", "accept", submission) == ("WrongState", 1)
    assert answer(ada, "task", "reject", submission, "--reason", "no") == ("WrongState", 1)
    again = create(ada, files, "--max-assignments", "2", "--question", "Again?")
    bob("task", "assign", again)
    assert answer(bob, "task", "assign", again) == ("AlreadyTaken", 1)
    ada("task", "close", again)
    assert answer(ada, "task", "close", again) == ("TaskClosed", 1)
    assert answer(eve, "task", "assign", again) == ("TaskClosed", 1)
    assert bob.free() == str(102 * UNIT - 2 * 10**10)


def test_too_little_money(market, files: Path) -> None:
    ada, bob = market("ada", "bob")
    assert answer(ada, *terms(files, "--pays-amount", "100")) == ("InsufficientBalance", 1)
    assert answer(ada, *terms(files, "--pays-amount", "60", "--max-assignments", "2")) == (
        "InsufficientBalance",
        1,
    )
    task = create(ada, files, "--pays-amount", "90")
    # bob puts all but half a unit into a task of his own: the deposit is more.
    create(bob, files, "--pays-amount", "99.5")
    assert answer(bob, "task", "assign", task) == ("InsufficientBalance", 1)
    assert bob("task", "show", task).data["free_slots"] == 1


def ascii_id(text: str) -> str:
    return ascii(text)[:20]


@pytest.mark.parametrize(
    "amount", ["1e999", "-1", "0.0000000000001", "nan", "inf", "", "1,5", "٣", HOSTILE], ids=ascii_id
)
def test_a_bad_amount(market, files: Path, amount: str) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--pays-amount", amount)) == ("BadAmount", 2)
    assert answer(ada, "account", "fund", "--", amount) == ("BadAmount", 2)


def test_an_amount_beyond_all_money(market, files: Path) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--pays-amount", "9" * 40)) == ("BadAmount", 2)
    most = str((2**128 - 1) // UNIT)
    assert answer(ada, *terms(files, "--pays-amount", most, "--max-assignments", "1000")) == ("Overflow", 1)


@pytest.mark.parametrize("question", ["x" * 2049, "é" * 1025, "x" * 10_000], ids=ascii_id)
def test_a_question_too_long(market, files: Path, question: str) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--question", question)) == ("QuestionTooLong", 1)
    assert create(ada, files, "--question", "x" * 2048)


# Files and folders


@pytest.mark.parametrize("name", ["../escaped", "/etc/passwd", "a/../../b", "a//b", "x\x1b[2J"])
def test_a_path_that_climbs(market, files: Path, tmp_path: Path, name: str) -> None:
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
    assert ada.free() == str(100 * UNIT)
    assert ada("task", "list").data["items"] == []


# Texts


def test_hostile_texts_are_refused_or_harmless_wherever_they_go_in(
    market, files: Path, tmp_path: Path
) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    ada("task", "validate", submission)
    for words in (
        ("account", "create", HOSTILE),
        ("account", "show", HOSTILE),
        ("account", "book", "add", HOSTILE, ada.address),
        ("account", "book", "add", "name", HOSTILE),
        ("account", "verify", HOSTILE, "message"),
        ("--account", HOSTILE, "task", "assign", task),
        ("--chain", HOSTILE, "task", "list"),
        ("--storage", HOSTILE, "storage", "doctor"),
        ("task", "list", f"type:{HOSTILE}"),
        ("task", "show", HOSTILE),
        ("task", HOSTILE),
        (HOSTILE,),
        terms(files, "--labels", HOSTILE),
        terms(files, "--expires-in", HOSTILE),
        terms(HOSTILE),
        ("task", "reject", submission, "--reason", HOSTILE),
        ("task", "accept", submission, "--digest", HOSTILE),
        ("task", "validate", submission, "--policy", HOSTILE),
        ("storage", "get", HOSTILE, str(tmp_path / "got")),
        ("federate", "run", HOSTILE, "--out", str(tmp_path / "out")),
        ("run", "show", HOSTILE),
        ("config", "set", HOSTILE, HOSTILE),
        ("home", "backup", f"{tmp_path}/{HOSTILE}"),
    ):
        code, exit_code = answer(ada, *words)
        assert code != "Bug", words
        assert exit_code in (1, 2, 3, 4)
        spoken = ada.words(*words)
        assert spoken.code == exit_code
        assert_harmless(spoken.out + spoken.err)


def test_hostile_file_names_reach_no_terminal(market, files: Path, tmp_path: Path) -> None:
    (ada,) = market("ada")
    (files / "a\x1b[2J\u202e.txt").write_text("hello")
    assert answer(ada, *terms(files)) == ("BadName", 1)
    spoken = ada.words(*terms(files))
    assert_harmless(spoken.out + spoken.err)


def test_hostile_answers_reach_no_terminal(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"0.txt": HOSTILE[:600], HOSTILE[:600]: "cat"}))
    sent = bob("task", "send", task, "--answers", str(path))
    submission = str(sent.data["submission_id"])
    for person in (ada, bob):
        for words in (("task", "validate", submission, "--dry-run"), ("task", "show", task)):
            for result in (person(*words), person.words(*words)):
                assert_harmless(result.out + result.err)


# What was decided on


def test_a_result_changed_after_the_report(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    first = ada("task", "validate", submission).data["digest"]
    ada("task", "request-changes", submission, "--reason", "dogs")
    deliver(bob, task, tmp_path, "dog")
    assert answer(ada, "task", "accept", submission, "--digest", first) == ("ResultChanged", 1)
    assert ada("task", "show", task).data["submissions"][0]["status"] == "PendingValidation"


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


def test_a_clock_set_back(market, run_in, tmp_path: Path) -> None:
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


# Trainings


@pytest.fixture(scope="module")
def studio(
    lasting_market, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Any, Path, Callable[..., str]]:
    """A creator, a worker, 60 small pictures, and how to publish one of the scripts that go wrong."""
    ada, bob = lasting_market("ada", "bob")
    root = tmp_path_factory.mktemp("scripts")
    data = root / "data.npz"
    generator = np.random.default_rng(0)
    x = generator.integers(0, 255, (60, 28, 28), dtype=np.uint8)
    np.savez(data, x=x, y=(np.arange(60) % 10).astype(np.uint8))

    def publish(name: str, *more: str) -> str:
        folder = root / f"task-{len(list(root.iterdir()))}"
        folder.mkdir()
        text = (SCRIPTS / f"{name}.py").read_text()
        small = (SCRIPTS / "small.py").read_text()
        (folder / "small.py").write_text(small)
        (folder / "model_engineer.py").write_text(text)
        made = ada(
            *("task", "create", "engineer", "--question", f"{name}?", "--pays-amount", "1"),
            *("--assets", str(folder), *more),
        )
        task = str(made.data["task_id"])
        assert bob("task", "assign", task).code == 0
        return task

    return ada, bob, data, publish


def test_a_script_that_raises(studio) -> None:
    _, bob, data, publish = studio
    task = publish("raises")
    result = bob("task", "train", task, "--data", str(data))
    assert_harmless(result.out + result.err)
    assert result.code == 4
    assert "broken" in result.error["message"]
    assert len(result.error["message"]) < 5000
    assert result.error["hint"]
    assert answer(bob, "task", "send", task) == ("NoResult", 1)


def test_losses_that_are_no_numbers(studio) -> None:
    _, bob, data, publish = studio
    task = publish("diverges")
    result = bob("task", "train", task, "--data", str(data), "--epochs", "3")
    run = str(bob("run", "list").data[0]["id"])
    assert_harmless(result.out + result.err)
    events = [json.loads(line)["data"] for line in bob("run", "tail", run).out.splitlines()]
    assert any("loss" in event.get("nonfinite", []) for event in events)
    assert (result.error["code"], result.code) == ("NotFinite", 4)
    assert result.error["hint"]
    assert answer(bob, "task", "send", task, "--run", run)[1] == 1


@pytest.mark.parametrize(
    "option",
    [
        ("--seed", "-1"),
        ("--seed", str(2**32)),
        ("--seed", "x"),
        ("--epochs", "0"),
        ("--epochs", str(10**20)),
        ("--batch-size", str(2**31)),
    ],
)
def test_numbers_with_which_nothing_can_be_trained(studio, option: tuple[str, str]) -> None:
    _, bob, data, publish = studio
    task, before = publish("plain"), bob("run", "list").data
    for verb in ("train", "try"):
        assert answer(bob, "task", verb, task, "--data", str(data), *option) == ("Usage", 2)
    assert bob("run", "list").data == before


def test_data_on_which_nothing_can_be_trained_get_no_run(studio, tmp_path: Path) -> None:
    _, bob, _, publish = studio
    task, before = publish("plain"), bob("run", "list").data
    bad = tmp_path / "bad.npz"
    for content in (b"", b"x,y\n1,2\n"):
        bad.write_bytes(content)
        assert answer(bob, "task", "train", task, "--data", str(bad)) == ("BadData", 4)
    np.savez(bad, x=np.zeros((8, 28, 28)), y=np.zeros(7))
    assert answer(bob, "task", "train", task, "--data", str(bad)) == ("BadData", 4)
    assert answer(bob, "task", "try", task, "--data", str(bad)) == ("BadData", 4)
    assert answer(bob, "task", "train", task, "--data", str(tmp_path)) == ("NoData", 4)
    assert bob("run", "list").data == before
    spoken = bob.words("task", "train", task, "--data", str(bad))
    assert "network" not in spoken.err, "bad data are said before what the script may touch"


def test_a_result_of_another_task_and_one_changed_on_the_way(studio, tmp_path: Path) -> None:
    ada, bob, data, publish = studio
    first, second = publish("plain"), publish("plain", "--question", "Another?")
    run = str(bob("task", "train", first, "--data", str(data)).data["id"])
    assert answer(bob, "task", "send", second, "--run", run) == ("OtherTask", 1)
    assert answer(bob, "task", "send", second) == ("NoResult", 1)
    assert answer(bob, "task", "send", first, "--result", str(tmp_path)) == ("MissingFile", 1)
    sent = bob("task", "send", first, "--run", run).data
    submission = str(sent["submission_id"])
    manifest = tmp_path_store(ada) / "manifests" / sent["digest"][:2] / sent["digest"]
    (weights,) = [f for f in json.loads(manifest.read_bytes())["files"] if f["name"].endswith(".h5")]
    blob = tmp_path_store(ada) / "blobs" / weights["sha256"][:2] / weights["sha256"]
    whole = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    judged = ada("task", "validate", submission, "--data", str(data)).data
    assert judged["report"]["refused"]["code"] == "ContentDiffers"
    rejected = ada("task", "reject", submission, "--reason", "Not what you delivered.").data
    assert rejected["status"] == "Rejected"


def test_a_result_of_another_ledgers_task_is_not_delivered(market, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    second = ("--chain", f"local:{tmp_path}/second/ledger.sqlite")
    assert ada("chain", "init", second[1].removeprefix("local:")).code == 0
    submissions = set()
    for chain in (ada.shared[:2], second):
        for person in (ada, bob):
            assert person(*chain, "account", "fund", "50").code == 0
        made = ada(
            *(*chain, "task", "create", "engineer", "--question", "Digits?", "--pays-amount", "1"),
            *("--assets", str(ASSETS / "model_engineer")),
        )
        submissions.add(bob(*chain, "task", "assign", str(made.data["task_id"])).data["submission_id"])
    assert len(submissions) == 1, "the same number on both"

    genesis = bob("chain", "status").data["genesis"]
    folder = Home(bob.home).runs / "1"
    folder.mkdir()
    run = RunFolder(folder)
    spec = RunSpec(assets=tmp_path, script="", task_id=1, submission_id=submissions.pop(), chain=genesis)
    progress = Progress(phase="finished", folder="model_abcdefghij")
    run.create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0, progress=progress))
    (run.out / "model_abcdefghij").mkdir()

    assert answer(bob, *second, "task", "send", "1") == ("NoResult", 1)
    assert answer(bob, *second, "task", "send", "1", "--run", "1") == ("OtherChain", 1)
    # On its own ledger it is looked at: this one is empty.
    assert answer(bob, "task", "send", "1") == ("MissingFile", 1)


def tmp_path_store(person: Any) -> Path:
    return Path(person.home.parent / "store")
