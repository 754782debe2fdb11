"""A training in words."""

import pytest

from decentralml.core.cli.run_words import line_of, status
from decentralml.core.training import journal
from decentralml.core.training.progress import Progress


@pytest.mark.parametrize(
    ("running", "said"),
    [
        (0, "starts"),
        (1, "waits for its turn, 1 run before it"),
        (3, "waits for its turn, 3 runs before it"),
    ],
)
def test_a_run_says_how_many_are_before_it(running: int, said: str) -> None:
    assert line_of(journal.Queued(running=running)) == said


def test_the_live_line_of_a_usual_training_fits_80_columns_and_what_comes_last_can_be_missed() -> None:
    usual = Progress(
        phase="running",
        fit=1,
        epoch=25,
        epochs=4000,
        step=30,
        steps=43,
        rate=424.53,
        eta=190.2,
        metrics={"accuracy": 0.95387, "loss": 0.224712},
    )
    line = "epoch 25/4000  step 30/43, 425/s  3 min left  mean loss 0.2247  accuracy 0.9539"
    assert status(usual) == line
    assert len(line) < 80
