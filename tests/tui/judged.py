"""Markets to judge in: one of real models, and one of reports whose every figure is known."""

import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
from textual.pilot import Pilot

from decentralml.core import report
from decentralml.core.answers import AnswerCheck
from decentralml.core.claims import Claims
from decentralml.core.domain import Submission, TaskType, ValidationStrategy
from decentralml.core.judging import report_folder
from decentralml.core.models.distance import Distance, LayerDistance
from decentralml.core.models.layers import Layer
from decentralml.core.models.metrics import Metrics
from decentralml.core.models.structure import LayerChange, StructureDiff
from decentralml.core.report import Decision, Model, Refusal, Report, Verdict

from .conftest import ASSETS, PASSWORD, Place, settled, until

HOSTILE = "\x1b[31mred \u202egnp.exe 数字 zero\u200bwidth [b]markup[/]"
WORKERS = {"dev": "0x" + "d1" * 32, "eli": "0x" + "e1" * 32}


def train(into: Path) -> Path:
    """The models of `train_results.py`, and the held-out data beside them."""
    into.mkdir()
    script = Path(__file__).with_name("train_results.py")
    subprocess.run(
        [sys.executable, script, into, ASSETS / "mnist5k.npz"], check=True, capture_output=True, timeout=120
    )
    return into


def hire(place: Place) -> None:
    """Two more workers with money."""
    for name, seed in WORKERS.items():
        account = place.accounts.import_seed(name, PASSWORD, seed)
        place.chain.fund(account.address, 10 * 10**12)


def publish_with_base(place: Place, models: Path, strategy: ValidationStrategy) -> int:
    """A contributor's task of ada's that ships the base model."""
    folder = place.home.folder(place.home.cache_dir) / "task"
    leave = shutil.ignore_patterns("__pycache__", "__init__.py", "base_model")
    shutil.copytree(ASSETS / "model_contributor", folder, ignore=leave)
    shutil.copytree(models / "base_model", folder / "base_model")
    receipt = place.market("ada").create_task_model_contributor(
        question="Digits, round 3",
        pays_amount=12 * 10**12,
        expiration_block=10_000,
        max_assignments=6,
        validation_strategy=strategy,
        model_contributor_script_path=folder,
    )
    assert receipt.task_id is not None
    return receipt.task_id


def send(place: Place, who: str, task_id: int, folder: Path) -> int:
    """Take a slot and deliver ``folder``."""
    submission_id = place.take(who, task_id)
    place.market(who).send_task_result(submission_id, result_path=folder)
    return submission_id


def write_report(place: Place, submission: Submission, found: Report) -> None:
    """Let this home have evaluated what was delivered."""
    assert submission.digest is not None
    report.write(found, report_folder(place.home, submission.id, submission.digest))


def known_market(place: Place) -> None:
    """ada's: 1 better than the baseline, 2 worse and boasting, 3 refused, 4 new, 5 answers (bo, chi, …)."""
    hire(place)
    contributors = place.create("ada", f"Digits, round 3 {HOSTILE}", pays=12, slots=6)
    labels = place.create("ada", "Label 8 scans", TaskType.DataAnnotators, pays=0.05, slots=20)
    for who in ("bo", "chi", "dev", "eli"):
        place.deliver(who, place.take(who, contributors), {"model.txt": who.encode()})
    annotated = place.take("bo", labels)
    place.market("bo").send_task_result(annotated, result=json.dumps({"0.png": "3", "no.png": "x"}))
    for number, found in {
        1: figures(place.chain.submission(1), 0.948, 0.191, 0.956),
        2: figures(place.chain.submission(2), 0.871, 0.402, 0.99),
        3: refused(place.chain.submission(3)),
        5: answers(place.chain.submission(5)),
    }.items():
        write_report(place, place.chain.submission(number), found)


async def judging(pilot: Pilot[None], *keys: str) -> None:
    """To the inbox, and there press ``keys``, each when the one before has had its effect."""
    await pilot.press("3")
    await until(pilot, lambda: pilot.app.screen.table.loaded, "the inbox")
    await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def whole(pilot: Pilot[None], panel: str) -> str:
    """Everything that a panel says of the result under the cursor."""
    screen = pilot.app.screen
    screen.panel = panel
    screen.show_panels()
    await pilot.pause()
    return screen.query_one("#first").plain


def figures(submission: Submission, accuracy: float, loss: float, claimed: float) -> Report:
    """A report in which every field is set."""
    candidate, baseline = _metrics(accuracy, loss, 9), _metrics(0.921, 0.284, 7)
    layer = Layer("dense", "Dense", "layers/dense", 0, 101_770, (None, 10), {"units": "10"})
    model = Model(
        name="model",
        class_name="Sequential",
        format="keras-folder",
        keras_version="3.15.1",
        parameters=101_770,
        size=412_345,
        structure="5" * 64,
        layers=(layer,),
    )
    changes = (
        LayerChange("changed", "layers/dense", "Dense", {"units": ("10", "12")}),
        LayerChange("added", "layers/dropout", "Dropout"),
    )
    better = accuracy > 0.921
    return Report(
        task_id=submission.task_id,
        submission_id=submission.id,
        worker=submission.worker,
        result_digest=submission.digest,
        base_digest="b" * 64,
        dataset_digest="d" * 64,
        policy_digest="c" * 64,
        samples=30,
        candidate=candidate,
        baseline=baseline,
        differences=report.differences(candidate, baseline),
        claimed=Claims(
            metrics={"accuracy": claimed}, seed=7, versions={"keras": "3.15.1"}, dataset_digest="e" * 64
        ),
        claim_gaps={"accuracy": claimed - accuracy},
        model=model,
        base=model,
        structure=StructureDiff(
            same=better, parameters=(101_770, 101_772), changes=() if better else changes
        ),
        distance=Distance(4.12, (LayerDistance("layers/dense", 4.12, 9.5, 0.91),), 0 if better else 1),
        summary="Model: sequential\n│ dense (Dense) │ (None, 10) │",
        warnings=(f"odd but harmless {HOSTILE}",),
        protection="bwrap 0.8.0",
        versions={"decentralml": "0.1.0", "keras": "3.15.1"},
        verdict=Verdict(
            Decision.accept if better else Decision.reject,
            "better by more than 0.01" if better else "no better",
        ),
    )


def _metrics(accuracy: float, loss: float, right: int) -> Metrics:
    return Metrics(
        kind="classification",
        main="accuracy",
        values={"loss": loss, "accuracy": accuracy, "calibration": None},
        samples=30,
        per_class=(right / 10, 0.5, None),
        confusion=((right, 10 - right, 0), (2, 5, 3), (0, 0, 0)),
        nonfinite=("calibration",),
    )


def refused(submission: Submission) -> Report:
    return Report(
        task_id=1,
        submission_id=submission.id,
        worker=submission.worker,
        result_digest=submission.digest,
        protection="bwrap 0.8.0",
        refused=Refusal("inspect", "ForeignCode", f"config.json names Lambda {HOSTILE}"),
        verdict=Verdict(Decision.reject, "config.json names Lambda"),
    )


def answers(submission: Submission) -> Report:
    found = AnswerCheck(
        answers=2,
        files=8,
        per_label={"0": 0, "3": 1},
        missing=("1.png",),
        unknown_files=("no.png",),
        unknown_labels=("no.png: x",),
        missing_count=7,
        unknown_files_count=1,
        unknown_labels_count=1,
    )
    return Report(
        task_id=2,
        submission_id=submission.id,
        worker=submission.worker,
        result_digest=submission.digest,
        protection="nothing runs",
        answers=found,
    )


def plain_model(seed: int, units: int = 2) -> dict[str, bytes]:
    """The files of a Keras 3 folder: one Dense of ``units`` and known weights."""
    layers = [
        ("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "name": "input"}),
        ("Dense", {"name": "dense", "units": units, "use_bias": False}),
    ]
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": "plain",
            "layers": [
                {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}
                for name, config in layers
            ],
            "build_input_shape": [None, 4],
        },
        "registered_name": None,
    }
    weights = BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = np.full((4, units), seed, np.float32)
    metadata = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}
    return {
        "config.json": json.dumps(config).encode(),
        "metadata.json": json.dumps(metadata).encode(),
        "model.weights.h5": weights.getvalue(),
    }
