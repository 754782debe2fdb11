"""Ringing: once for what begins to wait or is nearly due, never for what one did oneself."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from decentralml.core.training import journal
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.notify import osc9
from decentralml.tui.screens.dialog import Ask

from .conftest import Place, opened, said, text_of, until
from .trainings import BEGAN, Start, finished, fit, started


def bells(app: DecentralMLApp) -> list[bool]:
    """Has an entry for each time that the bell rings from now on."""
    rung: list[bool] = []
    app.bell = lambda: rung.append(True)
    return rung


async def test_a_delivered_result_rings_for_its_creator_once(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        rung = bells(app)
        market_home.deliver("chi", 2)
        await until(pilot, lambda: any("result 2 of task 1 waits for your decision" in t for t in said(app)))
        await app.refresh_pulse()
        assert len(rung) == 1
        assert "3 Validate ●2" in str(app.screen.query_one("#tab-validate").render())


async def test_changes_asked_for_ring_for_the_worker_and_say_which(market_home: Place) -> None:
    ada = market_home.market("ada")
    digest = market_home.chain.submission(1).digest
    report = market_home.home.folder(market_home.home.cache_dir / "report")
    (report / "report.json").write_text("{}")
    ada.publish_report(1, report, digest)
    async with market_home.running(as_="bo") as (app, pilot):
        rung = bells(app)
        ada.request_changes(1, "Longer.", digest=digest)
        await until(pilot, lambda: "ada asks for changes to #1: Longer." in said(app))
        await app.refresh_pulse()
        assert len([text for text in said(app) if "#1" in text or "submission 1" in text]) == 1
        assert len(rung) == 1


async def test_payday_is_said_on_whatever_page_one_is(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        rung = bells(app)
        await pilot.press("5")
        market_home.market("ada").accept_task_results(1)
        await until(pilot, lambda: "+12.00  ada accepted #1" in said(app))
        await app.refresh_pulse()
        assert len(rung) == 1


async def test_a_rejection_is_said_with_its_reason(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        ada = market_home.market("ada")
        report = market_home.home.folder(market_home.home.cache_dir / "report")
        (report / "report.json").write_text("{}")
        digest = market_home.chain.submission(1).digest
        ada.publish_report(1, report, digest)
        ada.reject_task_results(1, "It guesses.", digest=digest)
        await until(pilot, lambda: "ada rejected #1: It guesses." in said(app))


async def test_what_is_decided_on_the_work_of_others_is_no_news(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        market_home.market("ada").accept_task_results(1)
        await until(pilot, lambda: app.pulse.cursor == market_home.chain.last_cursor())
        assert not any("accepted" in text for text in said(app))


async def test_news_covers_no_dialog_and_stands_on_its_border(market_home: Place) -> None:
    app = market_home.app(as_="bo")
    async with app.run_test(notifications=True) as pilot:
        await opened(pilot)
        app.push_screen(Ask("A question", "Of three lines,\nwhich all\nstay in sight."))
        await until(pilot, lambda: "stay in sight" in text_of(app))
        market_home.market("ada").accept_task_results(1)
        await until(pilot, lambda: "+12.00  ada accepted #1" in text_of(app))
        await until(pilot, lambda: app.screen.query("Toast"))
        assert text_of(app).count("+12.00  ada accepted #1") == 1
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query("Toast") and "+12.00  ada accepted #1" in text_of(app))


async def test_what_was_said_as_a_dialog_opened_stands_on_its_border(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        app.say("2 of 3 can be signed.")
        app.push_screen(Ask("A question", "Yes?"))
        await until(pilot, lambda: "2 of 3 can be signed." in text_of(app))


async def test_a_deadline_that_comes_near_rings(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        rung = bells(app)
        market_home.clock.blocks(43_200 - 43_200 // 8 - 1)
        await until(pilot, lambda: app.pulse.head.block > 30_000)
        assert not any("not much time" in text for text in said(app))
        rung.clear()
        market_home.clock.blocks(2)
        await until(pilot, lambda: any("not much time left: result 1" in text for text in said(app)))
        assert len(rung) == 1


async def test_a_training_that_came_to_its_end_is_told_on_whatever_page_one_is(
    market_home: Place, train: Start
) -> None:
    run = train(2, *started(), *fit(20, 9.5), alive=True, task_id=3)
    gone = train(3, *started(), *fit(20, 2), alive=True)
    async with market_home.running(size=(100, 30)) as (app, pilot):
        rung = bells(app)
        await until(pilot, lambda: "run 2  48 %  +1" in text_of(app), "how far it is, on the page of tasks")
        run.write(*fit(20, 10), *finished())
        run.die()
        await until(
            pilot, lambda: "run 2 of task 3 is finished: loss 0.191, accuracy 0.948" in said(app), "the news"
        )
        await until(pilot, lambda: "run 3  10 %" in text_of(app), "the one that is left")
        gone.die()
        await until(
            pilot, lambda: any("run 3 of task 1 crashed: Its supervisor" in t for t in said(app)), "its end"
        )
        await until(pilot, lambda: "run 3  " not in text_of(app), "nothing at work")
        assert len(rung) == 2


async def test_a_training_that_one_has_stopped_and_those_of_earlier_starts_are_no_news(
    market_home: Place, train: Start
) -> None:
    train(2, *started(), *fit(20, 20), *finished())
    run = train(3, *started(), *fit(20, 2), alive=True)
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: "run 3  10 %" in text_of(app))
        run.write(journal.Stopped(t=BEGAN + 60))
        run.die()
        await until(pilot, lambda: not app.pulse.training, "its end")
        assert not any("run " in text for text in said(app))


async def test_another_account_s_inbox_is_no_news(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        rung = bells(app)
        await app.identity.be(market_home.accounts.get("ada"))
        await until(pilot, lambda: app.pulse.address == market_home.address("ada"))
        assert app.pulse.inbox
        assert not rung


async def test_the_person_s_own_command_gets_the_words(
    market_home: Place, tmp_path: Path, wait_for: Callable[..., object]
) -> None:
    heard = tmp_path / "heard"
    script = tmp_path / "hear.py"
    script.write_text(f"import sys; open({str(heard)!r}, 'a').write(sys.argv[-1] + chr(10))")
    market_home.home.config.write_text(f"notify = [{sys.executable!r}, {str(script)!r}]\n")
    async with market_home.running() as (_, pilot):
        market_home.deliver("chi", 2)
        await until(pilot, heard.exists, "the command")
    wait_for(lambda: heard.read_text() == "result 2 of task 1 waits for your decision\n")


async def test_a_command_that_is_not_there_ruins_nothing(market_home: Place) -> None:
    market_home.home.config.write_text('notify = ["/nowhere/at/all"]\n')
    async with market_home.running() as (app, pilot):
        market_home.deliver("chi", 2)
        await until(pilot, lambda: said(app))
        assert not app.failures


@pytest.mark.parametrize("in_tmux", [False, True])
def test_osc_9_carries_no_other_sequence(in_tmux: bool) -> None:
    sequence = osc9("evil \x1b]0;title\a text", in_tmux=in_tmux)
    assert sequence.count("\a") == 1
    assert "]0;" in sequence
    assert "\x1b]0;" not in sequence
