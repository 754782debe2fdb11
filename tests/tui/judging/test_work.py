"""The queue of evaluations, without a screen."""

import threading
from pathlib import Path

from decentralml.core.market import Market
from decentralml.core.validation import STEPS
from decentralml.tui.judging.work import Job, JudgeWork, Setup, Stage

from ..conftest import Place


def test_what_is_ordered_while_its_cancelled_evaluation_still_works_is_done_after_it(
    known: Place, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def market() -> Market:
        begun.set()
        go_on.wait(30)
        return known.market("ada")

    work = JudgeWork(market)
    first, second = Setup(tmp_path / "first.npz"), Setup(tmp_path / "second.npz")
    work.evaluate(4, first)
    assert begun.wait(30)
    work.evaluate(4, second)
    assert ordered(work) == first, "one that works is not ordered twice"
    work.cancel(4)
    work.evaluate(4, second)
    assert ordered(work) == second
    go_on.set()
    work.do(Setup(), lambda judge, cancelled: None).result(30)
    [job] = work.failed()
    assert job.stage is Stage.failed
    assert job.setup == second
    assert "second.npz" in str(job.error)
    work.close()


def ordered(work: JudgeWork) -> Setup:
    job = work.job(4)
    assert job is not None
    return job.setup


def test_each_step_of_an_evaluation_is_a_word_of_its_own_on_the_screen() -> None:
    words = [Job(1, Setup(), step=step).doing for step in ("", "fetch", *STEPS)]
    assert all(word.endswith("ing") for word in words)
    assert len(set(words)) == len(words)
