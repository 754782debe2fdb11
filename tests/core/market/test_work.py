"""The worker's side of a task, as far as nothing has to be trained for it."""

import shutil
from pathlib import Path

import pytest

from decentralml.core import work
from decentralml.core.domain import TaskType, ValidationStrategy
from decentralml.core.errors import Unavailable
from decentralml.core.market import Market
from decentralml.core.training.run_folder import RunSpec

ENGINEER = Path(__file__).parents[3] / "assets" / "model_engineer"


def test_a_storage_that_is_away_is_told_before_a_try(ada: Market, bob: Market) -> None:
    created = ada.create_task_model_engineer(
        model_engineer_path=ENGINEER,
        question="Better?",
        pays_amount=10**12,
        expiration_block=1000,
        max_assignments=1,
        validation_strategy=ValidationStrategy.ManualAccept,
    )
    assets = bob.fetch_assets(bob.chain.task(created.task_id))
    shutil.rmtree(ada.storage.root)
    order = RunSpec(
        assets=assets, script="model_engineer.py", task_type=TaskType.ModelEngineer, task_id=created.task_id
    )
    heard: list[object] = []
    with pytest.raises(Unavailable, match="There is no storage folder"):
        work.try_task(bob, order, on_event=heard.append)
    assert heard == []
