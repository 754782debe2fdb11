"""`task try`: what a task takes and pays is known before a slot is held; a real model in the real sandbox."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[1] / "sandboxed" / "scripts"
ASSETS = Path(__file__).parents[3] / "assets"
UNIT = 10**12


@pytest.fixture
def digits(tmp_path: Path) -> Callable[..., str]:
    """600 of the digits that come with the project, in a file; ``spoilt`` changes the labels."""

    def save(spoilt: Callable[[Any], Any] = lambda y: y) -> str:
        whole = np.load(ASSETS / "mnist5k.npz")
        np.savez(tmp_path / "digits.npz", x=whole["x"][:600], y=spoilt(whole["y"][:600].astype(np.int64)))
        return str(tmp_path / "digits.npz")

    return save


def publish(creator: Any, root: Path, script: str) -> str:
    folder = root / "role"
    folder.mkdir()
    (folder / "small.py").write_text((SCRIPTS / "small.py").read_text())
    (folder / "model_engineer.py").write_text(script)
    made = creator(
        *("task", "create", "engineer", "--question", "Digits?", "--pays-amount", "3"),
        *("--assets", str(folder)),
    )
    return str(made.data["task_id"])


def test_it_says_what_the_task_takes_and_what_it_pays_an_hour(market, digits, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = publish(ada, tmp_path, (SCRIPTS / "plain.py").read_text())
    tried = bob("task", "try", task, "--data", digits(), "--epochs", "7")
    assert tried.code == 0
    report = tried.data["report"]
    shipped = sum(path.stat().st_size for path in (tmp_path / "role").iterdir())
    assert tried.data["download"] == shipped
    # It needs nothing that this program's own Python has not.
    assert report["environment"].startswith("this program's own Python")
    assert report["environment_size"] == 0
    assert (report["samples"], report["holdout"], report["classes"]) == (540, 60, 10)
    assert (report["x_shape"], report["y_shape"], report["batch_size"]) == ([540, 28, 28], [540], 32)
    assert report["peak_memory"] > 100 * 2**20
    assert (report["device"], report["protection"][:5]) == ("CPU", "bwrap")
    assert report["epochs"] == 7
    assert report["seconds_epoch"] > 0
    assert report["seconds_total"] == pytest.approx(7 * report["seconds_epoch"])
    assert tried.data["pays_amount_per_hour"] == str(int(3 * UNIT * 3600 / report["seconds_total"]))
    # What the creator's own inspection says of the model that was saved after the batch.
    model = report["model"]
    assert (model["class_name"], model["input_shape"], model["output_shape"]) == (
        *("Sequential", [None, 28, 28], [None, 10]),
    )
    assert report["parameters"] == model["parameters"] == 28 * 28 * 8 + 8 + 8 * 10 + 10


def test_it_says_so_in_words_with_the_card_of_what_the_script_may_touch(
    market, digits, tmp_path: Path
) -> None:
    ada, bob = market("ada", "bob")
    task = publish(ada, tmp_path, (SCRIPTS / "plain.py").read_text())
    spoken = bob.words("task", "try", task, "--data", digits(), "--epochs", "7")
    assert spoken.code == 0
    told = dict(re.split(r"  +", line, maxsplit=1) for line in spoken.out.splitlines())
    assert list(told) == [
        *("download", "environment", "memory", "data", "an epoch", "7 epochs", "pays an hour"),
        *("device", "model", "protection"),
    ]
    assert "540 samples, 60 held out, x (540, 28, 28) y (540,)" in told["data"]
    assert told["model"] == "6,370 parameters, can be loaded by its creator"
    assert re.search(r"network +none", spoken.err)


def test_it_holds_no_slot_and_leaves_no_run(market, digits, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = publish(ada, tmp_path, (SCRIPTS / "plain.py").read_text())
    assert bob("task", "try", task, "--data", digits()).code == 0
    assert bob("task", "show", task).data["free_slots"] == 1
    assert bob("run", "list").data == []
    assert list((bob.home / "cache" / "tries").iterdir()) == []


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (lambda y: np.where(y == 3, 10, y), "BadLabels"),
        (lambda y: y[:500], "BadData"),
        (lambda y: np.stack([y, y], axis=1), "BadShape"),
    ],
    ids=["a class that the model does not know", "too few labels", "two labels a sample"],
)
def test_labels_that_do_not_fit_are_found_out(
    market, digits, tmp_path: Path, spoilt: Callable[[Any], Any], code: str
) -> None:
    ada, bob = market("ada", "bob")
    task = publish(ada, tmp_path, (SCRIPTS / "plain.py").read_text())
    refused = bob("task", "try", task, "--data", digits(spoilt))
    assert (refused.error["code"], refused.code) == (code, 4)


def test_a_model_that_no_creator_could_load_is_refused(market, digits, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    script = (SCRIPTS / "plain.py").read_text() + (
        "\n\nimport keras\n\n\nclass Odd(keras.layers.Dense):\n    pass\n\n\n"
        "def redefine_model():\n"
        "    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), Odd(10)])\n"
        "    model.compile('adam', 'mse')\n"
        "    return model\n"
    )
    task = publish(ada, tmp_path, script)
    refused = bob("task", "try", task, "--data", digits())
    assert (refused.error["code"], refused.code) == ("NotSaveable", 4)
    assert "Odd" in refused.error["message"]
