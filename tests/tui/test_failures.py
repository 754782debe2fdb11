"""Failures: kept with their whole story, over a restart too, and done again from where they are told."""

import re
import shutil
import stat
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import ValidationStrategy
from decentralml.core.drafts import Draft, Word
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.models import aggregate
from decentralml.core.storage.base import Progress
from decentralml.tui import activity_rows, background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.failures import Failures, story
from decentralml.tui.judging import decisions
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.failure import FailureStory
from decentralml.tui.screens.federate_form import Order
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.screens.try_task import TryTask
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal

from . import judged
from .conftest import PASSWORD, Place, settled, text_of, until

SECRET = "correct horse battery"


def broken(secret: str = SECRET) -> Failed:
    """A failure with a cause, raised where a secret is in a variable."""
    try:
        try:
            raise FileNotFoundError(2, "No such file\x1b[31m", "weights.h5")
        except OSError as error:
            assert secret
            raise Failed("TransferBroken", "It broke off.", "Start it again.") from error
    except Failed as failure:
        return failure


# What is kept


def test_the_story_names_every_cause_and_the_line_and_no_value_of_a_variable() -> None:
    told = story(broken())
    assert "because FileNotFoundError: [Errno 2] No such file: 'weights.h5'" in told
    assert 'raise Failed("TransferBroken"' in told
    assert "\x1b" not in told
    assert SECRET not in told


def test_the_words_of_a_refusal_are_its_story() -> None:
    with pytest.raises(Refused) as caught:
        raise Refused("TaskFull", "Task 3 is full.")
    assert story(caught.value) == ""


def test_a_long_story_keeps_its_beginning_and_its_end() -> None:
    told = story(Failed("X", "a" * 100_000 + "the end"))
    assert told == ""
    long = broken()
    long.__cause__ = ValueError("first " + "x" * 100_000 + " last")
    told = story(long)
    assert len(told) < 13_000
    assert "first" in told
    assert told.endswith("It broke off. Start it again.")


def test_what_was_being_done_is_told_by_the_innermost_who_knows(tmp_path: Path) -> None:
    failures = Failures(tmp_path / "failures.jsonl")
    with (
        pytest.raises(Failed) as caught,
        failures.during("training"),
        failures.during("fetching the files", lambda: None),
    ):
        raise Failed("X", "It broke.")
    kept = failures.append(caught.value, "something")
    assert kept.doing == "fetching the files"
    assert kept.again is not None


def test_failures_survive_a_restart_without_their_retry(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    first = Failures(path)
    first.append(broken(), "fetching", lambda: None)
    first.save()
    first.append(Refused("TaskFull", "Task 3 is full."), "taking")
    first.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("ab") as file:
        file.write(b'{"when": 1}\nnot json\n{"when": "soon", "doing": ""')
    again = Failures(path)
    again.load()
    assert list(again) == list(first)
    assert again[0].story
    assert again[0].again is None


def test_the_file_of_failures_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    for start in range(3):
        failures = Failures(path)
        failures.load()
        for number in range(250):
            failures.append(Refused("TaskFull", f"{start}: {number}"))
        failures.save()
    last = Failures(path)
    last.load()
    assert len(last) == 200
    assert str(last[-1]) == "2: 249"
    assert len(path.read_bytes().splitlines()) == 200


# On the screen


def test_the_same_failure_again_is_one_row_that_says_how_often(tmp_path: Path) -> None:
    failures = Failures(tmp_path / "failures.jsonl")
    for number in (1, 1, 2, 1):
        failures.append(Refused("TaskFull", f"Task {number} has no free slot."), "taking a slot")
    rows = activity_rows.failures(failures.newest())
    assert [row.cells["what"] for row in rows] == [
        "3x taking a slot: Task 1 has no free slot.",
        "taking a slot: Task 2 has no free slot.",
    ]
    assert rows[0].key == failures[-1].key


async def at_failures(app: DecentralMLApp, pilot: Pilot[None]) -> Activity:
    """In Activity, with the cursor on what went wrong last."""
    app.switch_to("activity")
    await until(pilot, lambda: isinstance(app.screen, Activity), "Activity")
    screen = app.screen
    await until(pilot, lambda: screen._part("failed").total, "what went wrong")
    screen._part("failed").focus()
    await until(pilot, lambda: screen._part("failed").row, "its row")
    return screen


async def test_a_bug_is_told_with_its_traceback(market_home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DECENTRALML_DEBUG")

    async def slip() -> None:
        {}["the key that is missing"]

    async with market_home.running(size=(120, 40)) as (app, pilot):
        app.screen.work(slip())
        await at_failures(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FailureStory), "the story")
        assert "because KeyError: 'the key that is missing'" in text_of(app)
        told = str(app.screen.query_one("#text Static", Static).content)
        assert "in slip" in told
        assert 'test_failures.py", line' in told


async def test_after_a_restart_failures_are_there_and_say_that_they_cannot_be_retried(
    market_home: Place,
) -> None:
    async with market_home.running() as (app, pilot):
        app.screen.work(fail(app, "fetching the files of task 7"))
        await settled(pilot)
    async with market_home.running() as (app, pilot):
        screen = await at_failures(app, pilot)
        assert "fetching the files of task 7: It broke off." in text_of(app)
        assert screen.why_not("retry").code == "NothingToRetry"


async def fail(app: DecentralMLApp, doing: str) -> None:
    with app.failures.during(doing, lambda: None):
        raise broken()


async def test_a_fetch_that_failed_in_a_dialog_is_tried_again_after_that_was_closed(
    market_home: Place,
) -> None:
    shutil.rmtree(market_home.home.assets)
    stored, away = market_home.home.storage, market_home.home.root / "away"
    stored.rename(away)
    async with market_home.running(as_="chi") as (app, pilot):
        app.push_screen(TryTask(4))
        await until(pilot, lambda: len(app.failures) == 1, "the failure")
        await pilot.press("escape")
        await at_failures(app, pilot)
        assert "fetching the files of task 4" in text_of(app)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: len(app.failures) == 2, "the next failure")
        away.rename(stored)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: app.transfers.newest()[0].state == "done", "the files")
        assert isinstance(app.screen, Activity)
        assert all(one.again is None for one in (*app.failures, *app.transfers.newest()))


async def test_a_signature_that_failed_is_tried_again_by_its_card_alone(market_home: Place) -> None:
    """Somebody takes the last slot first, and gives it back."""
    async with market_home.running(as_="chi") as (app, pilot):
        app.screen.work(app.screen.propose(proposals.assign, 4))
        await until(pilot, lambda: isinstance(app.screen, Sign), "the card")
        taken = market_home.take("bo", 4)
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: len(app.failures) == 1, "the refusal")
        await pilot.press("escape")
        market_home.market("bo").abandon(taken)
        await at_failures(app, pilot)
        assert "take a slot of task 4: " in text_of(app)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Sign), "the card")
        assert not market_home.chain.has_taken(4, market_home.address("chi"))
        await pilot.press("y")
        await until(pilot, lambda: market_home.chain.has_taken(4, market_home.address("chi")), "the slot")


async def test_what_has_gone_well_since_is_not_offered_again(market_home: Place) -> None:
    """Its card was still open: the storage came back, and the second yes was enough."""
    shutil.rmtree(market_home.home.assets)
    stored, away = market_home.home.storage, market_home.home.root / "away"
    stored.rename(away)
    async with market_home.running(as_="chi") as (app, pilot):
        broke = app.transfers.start("files, to take a slot of task 4", again=lambda: None)
        broke.end(broken())
        app.screen.work(app.screen.propose(proposals.assign, 4))
        await until(pilot, lambda: isinstance(app.screen, Sign), "the card")
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: app.failures and app.failures[0].again, "the failure, to be tried again")
        away.rename(stored)
        await pilot.press("y")
        await until(pilot, lambda: market_home.chain.has_taken(4, market_home.address("chi")), "the slot")
        await until(pilot, lambda: not isinstance(app.screen, Sign), "the receipt")
        screen = await at_failures(app, pilot)
        for part in ("failed", "work"):
            screen._part(part).focus()
            await settled(pilot)
            assert screen.why_not("retry") is not None, part


async def test_a_decision_that_failed_is_tried_again_by_its_card_alone(known: Place) -> None:
    submission = known.chain.submission(1)
    draft = Draft(submission_id=1, digest=submission.digest, word=Word.accept, reason="")
    async with known.running() as (app, pilot):
        plan = await background.call(decisions.plan, app.session, draft)
        away = known.home.root / "away"
        known.home.storage.rename(away)
        await pilot.press("3")
        await until(pilot, lambda: app.screen.SCOPE == "validate" and app.screen.table.loaded, "the inbox")
        app.screen.work(app.screen._sign([plan], []))
        await until(pilot, lambda: isinstance(app.screen, SignAll), "the card")
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: "1 of 1 not decided" in text_of(app), "the failure")
        await pilot.press("escape")
        await until(pilot, lambda: app.failures, "its row")
        away.rename(known.home.storage)
        await at_failures(app, pilot)
        assert "signing: accept result 1" in text_of(app)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, SignAll), "the card")
        assert known.chain.submission(1).status is S.PendingValidation
        await pilot.press("y")
        await until(pilot, lambda: known.chain.submission(1).status is S.Accepted, "the decision")
        await until(pilot, lambda: "Signed" in text_of(app), "the receipts")
        await pilot.press("escape")
        await until(pilot, lambda: app.failures[0].again is None, "nothing more to try again")


async def test_an_evaluation_that_failed_has_a_row_and_is_done_again(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    number = judged.send(bare_home, "bo", task, trained / "honest")
    data = tmp_path / "held-out.npz"
    data.write_bytes(b"no archive")
    async with bare_home.running(size=(140, 40)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: app.screen.SCOPE == "validate" and app.screen.table.loaded, "the inbox")
        app.judging.evaluate(number, Setup(data))
        await until(pilot, lambda: app.judging.failed(), "the failure")
        screen = await at_failures(app, pilot)
        assert f"evaluating result {number}: " in text_of(app)
        row = rf"evaluation of result {number} +failed !"
        await until(pilot, lambda: re.search(row, text_of(app)), "its row")
        shutil.copy(trained / "held-out.npz", data)
        screen._part("work").focus()
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: app.judging.job(number).stage == "done", "the report")
        assert not app.judging.failed()
        await until(pilot, lambda: app.failures[0].again is None, "nothing more to try again")


async def test_a_federation_that_failed_has_a_row_and_is_done_again(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    numbers = [judged.send(bare_home, who, task, trained / "honest") for who in ("bo", "chi")]
    for number in numbers:
        bare_home.market("ada").accept_task_results(number)
    data = tmp_path / "held-out.npz"
    data.write_bytes(b"no archive")
    out = bare_home.home.federations / "mine"
    async with bare_home.running(size=(140, 40)) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: app.screen.SCOPE == "federate" and app.screen._gathered, "the gate")
        screen = app.screen
        screen.work(screen._federate(screen._gathered, Order("average", {}, data, out)))
        await until(pilot, lambda: app.failures, "the failure")
        activity = await at_failures(app, pilot)
        assert "federating results 1, 2: " in text_of(app)
        row = r"federating results 1, 2 +failed !"
        await until(pilot, lambda: re.search(row, text_of(app)), "its row")
        activity._part("work").focus()
        shutil.copy(trained / "held-out.npz", data)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: screen._made and screen._made.figures, "the figures")
        assert app.screen is screen
        assert aggregate.verify(out)
        assert all(one.again is None for one in (*app.failures, *app.transfers.newest()))


async def test_escape_stops_an_upload_before_anything_is_signed(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)

        def send() -> None:
            for done in range(1, 10**9):
                proposal.transfer.moved(Progress(done, 10**9, 1e6, 500.0, "weights.h5"))

        proposal = Proposal("send_task_result", "Send it", [], "It goes out.", send)
        answers: list[object] = []
        app.push_screen(Sign(proposal), answers.append)
        await until(pilot, lambda: isinstance(app.screen, Sign) and app.screen.query("#card"), "the card")
        await pilot.press("y")
        await until(pilot, lambda: "1.0 MB/s  8 m left" in text_of(app), "the progress")
        (handle,) = app.transfers.newest()
        await pilot.press("escape")
        await until(pilot, lambda: "The transfer was cancelled." in text_of(app), "the end")
        assert handle.state == "stopped"
        assert not app.failures
        await pilot.press("escape")
        await until(pilot, lambda: answers == [None], "the dialog to close")


async def test_x_stops_the_transfer_under_the_cursor(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        handle = app.transfers.start("upload")
        handle.on_progress(Progress(50, 100, 10.0, 5.0, "weights.h5"))
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("work").total)
        app.screen._part("work").focus()
        await until(pilot, lambda: app.screen.why_not("stop") is None, "the cursor on it")
        await pilot.press("x")
        with pytest.raises(Interrupted):
            handle.on_progress(Progress(60, 100, 10.0, 4.0, "weights.h5"))
