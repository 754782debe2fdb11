"""What is cleaned out of a home's cache can be had again, and nothing that is needed goes."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from decentralml.core import home_clean, work
from decentralml.core.chain.base import Receipt
from decentralml.core.config import Settings
from decentralml.core.drafts import Drafts, Word
from decentralml.core.environments import Interpreter
from decentralml.core.home_clean import Unneeded
from decentralml.core.judging import Judge
from decentralml.core.market import Market
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec
from decentralml.core.training.runs import Runs, bounds

Publish = Callable[..., Receipt]


def grown_old(market: Market) -> None:
    """Nothing of the cache was used today."""
    then = time.time() - 2 * home_clean.YOUNG
    for folder in (market.home.assets, market.home.prepared, market.home.environments):
        for path in folder.iterdir():
            os.utime(path, (then, then))


def unneeded(market: Market) -> Unneeded:
    runs = Runs(market.home, market.settings).list()
    return home_clean.find(market.home, market.chain, [market.address], runs)


def fetched(market: Market, publish: Publish, creator: Market, texts: Path) -> tuple[int, Path]:
    """A new task of its own content, and its folder in the cache of ``market``."""
    (texts / "a.txt").write_text(f"text {os.urandom(8).hex()}")
    task = publish(creator).task_id
    return task, market.fetch_assets(market.chain.task(task))


def ordered(market: Market, spec: RunSpec) -> None:
    """A run that was ordered, and whose supervisor is gone."""
    path = market.home.runs / "1"
    path.mkdir()
    RunFolder(path).create(RunFile(spec=spec, bounds=bounds(Settings()), created=time.time()))


def test_what_a_slot_a_run_or_today_needs_stays_and_the_rest_goes(
    ada: Market, bob: Market, publish: Publish, texts: Path
) -> None:
    (held, held_folder), (_, trained), (free, free_folder) = (
        fetched(bob, publish, ada, texts) for _ in range(3)
    )
    bob.assign_task(held)
    made = bob.home.environments / "used"
    for folder in (made, bob.home.environments / "left", bob.home.prepared / "left"):
        folder.mkdir()
        (folder / "python").write_bytes(b"x" * 5000)
    ordered(bob, RunSpec(assets=trained, script="s.py", interpreter=Interpreter(made / "bin" / "python", ())))
    assert unneeded(bob).paths == (), "all of it came today"
    grown_old(bob)
    found = unneeded(bob)
    assert found.downloads == (free_folder,)
    assert found.prepared == (bob.home.prepared / "left",)
    assert found.environments == (bob.home.environments / "left",)
    assert 10_000 < found.size < 100_000
    home_clean.remove(found)
    assert not any(path.exists() for path in found.paths)
    assert held_folder.exists()
    assert trained.exists()
    assert made.exists()
    assert unneeded(bob).paths == ()
    assert bob.fetch_assets(bob.chain.task(free)) == free_folder, "it can be had again"


def test_what_waits_for_a_word_stays_with_a_draft_of_it_or_without(
    ada: Market, bob: Market, publish: Publish, tmp_path: Path
) -> None:
    task = publish(ada).task_id
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "answers.json").write_text('{"a.txt": "cat", "b.txt": "dog"}')
    submission = bob.assign_task(task).submission_id
    bob.send_task_result(submission, result_path=answers)
    with Judge(ada, data=None) as judge:
        ada.validate_task_results(submission, judge)
    result = ada.fetch_result(ada.chain.submission(submission))
    Drafts(ada.home, ada.chain.genesis).put(submission, ada.delivered_digest(submission), Word.accept)
    grown_old(ada)
    assert result not in unneeded(ada).paths
    ada.accept_task_results(submission)
    assert result in unneeded(ada).paths


def test_what_is_used_again_is_not_old(ada: Market, bob: Market, publish: Publish, texts: Path) -> None:
    task, folder = fetched(bob, publish, ada, texts)
    grown_old(bob)
    assert work.folder(bob, bob.chain.task(task)) == folder
    assert unneeded(bob).paths == ()


def test_a_download_that_broke_off_goes_and_one_that_goes_on_stays(bob: Market) -> None:
    broken, going = (bob.home.assets / f".{digit * 64}.part" for digit in "ab")
    for part in (broken, going):
        part.mkdir()
    lock = os.open(going, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    grown_old(bob)
    assert unneeded(bob).paths == (broken,)
    os.close(lock)
    assert unneeded(bob).paths == (broken, going)


def test_what_an_earlier_one_left_half_way_goes(bob: Market) -> None:
    aside = bob.home.environments / ".gone-1"
    (aside / "lib").mkdir(parents=True)
    home_clean.remove(unneeded(bob))
    assert not aside.exists()
