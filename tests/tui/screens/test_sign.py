"""The dialog before a signature: it shows all, signs only on a clear yes, and keeps no password."""

import re
from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input, Static

from decentralml.core.drafts import Draft, Word
from decentralml.tui import background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.judging import decisions
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.signing import money, proposals
from decentralml.tui.signing.proposal import Proposal

from ..conftest import PASSWORD, Place, text_of, until


async def ask(app: DecentralMLApp, pilot: object, proposal: Proposal, answers: list[object]) -> None:
    app.push_screen(Sign(proposal), answers.append)
    await until(pilot, lambda: isinstance(app.screen, Sign) and app.screen.query("#card"))


async def test_call_arguments_who_cost_and_effect_are_shown_in_full(market_home: Place) -> None:
    async with market_home.running(size=(100, 40), as_="bo") as (app, pilot):
        proposal = await background.call(proposals.assign, app.session, 4)
        await ask(app, pilot, proposal, [])
        shown = text_of(app)
        for words in (
            "Take a slot of task 4",
            "assign_task",
            "Defects on castings, 224x224",
            market_home.address("bo"),
            "fee",
            "A deposit of 0.095 is held.",
            "- 0.095 =",
            "+ 0.095 =",
        ):
            assert words in shown


async def test_a_wrong_password_is_said_and_the_field_is_empty(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        await pilot.press("y", *"wrong", "enter")
        problem = app.screen.query_one("#problem", Static)
        await until(pilot, lambda: "password" in str(problem.content))
        assert app.screen.query_one("#password", Input).value == ""
        assert not answers
        assert market_home.chain.submissions_of(4) == ()
        await pilot.press(*PASSWORD, "enter")
        await until(pilot, lambda: answers)
        assert len(market_home.chain.submissions_of(4)) == 1


async def test_a_password_that_comes_in_one_packet_with_the_yes_is_typed(
    market_home: Place,
) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        for key in ("y", *PASSWORD, "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: answers and answers[0] is not None, "the receipt")


async def test_while_the_account_is_locked_every_key_does_what_its_button_says(market_home: Place) -> None:
    async with market_home.running(size=(80, 24), as_="bo") as (app, pilot):
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        assert not app.screen.query_one("#password").display
        await pilot.press(*"demo")
        assert app.screen.query_one("#password", Input).value == ""
        await pilot.press("enter")
        await until(pilot, lambda: answers == [None], "the focus is on Cancel")


async def test_escape_signs_nothing(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        await pilot.press("y", *PASSWORD, "escape")
        await until(pilot, lambda: answers == [None])
        assert market_home.chain.submissions_of(4) == ()


async def test_enter_on_an_unlocked_account_does_not_sign_by_itself(market_home: Place) -> None:
    """The focus is on Cancel: a second, different key says yes."""
    async with market_home.running(as_="bo") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        answers: list[object] = []
        proposal = await background.call(proposals.assign, app.session, 4)
        await ask(app, pilot, proposal, answers)
        await pilot.press("enter")
        await until(pilot, lambda: answers == [None])
        await ask(app, pilot, proposal, answers)
        await pilot.press("y")
        await until(pilot, lambda: len(answers) == 2 and answers[1] is not None)


async def test_a_refusal_after_the_yes_stays_in_the_dialog(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        await background.call(market_home.take, "chi", 4)  # somebody was quicker
        await pilot.press("y")
        problem = app.screen.query_one("#problem", Static)
        await until(pilot, lambda: "slot" in str(problem.content))
        assert not answers


async def test_what_asks_again_needs_a_second_yes(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        sent: list[bool] = []

        def send() -> None:
            sent.append(True)
            raise AssertionError("not to be sent")

        proposal = Proposal("create_task", "Publish it", [], "pays", send, again="Pay whoever delivers?")
        await ask(app, pilot, proposal, [])
        await pilot.press("y")
        await until(pilot, lambda: "Pay whoever delivers?" in text_of(app))
        await until(pilot, lambda: "all the same" in text_of(app))
        assert not sent
        await pilot.press("escape")


async def test_what_a_stranger_wrote_makes_no_row_of_the_card(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        task = "Cat or dog?\nfree       10.00 → 510.00\n" + "a " * 80 + "\nfree       20.00"
        await ask(app, pilot, Proposal("assign_task", "Take it", [("task", task)], "", lambda: None), [])
        shown = text_of(app)
        assert "\\nfree" in shown
        assert not [line for line in shown.splitlines() if re.match(r"[\s│┃]{0,6}free +[12]0", line)]
        await pilot.press("escape")


async def test_each_file_that_goes_out_is_a_line_of_the_card(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        files = [("", "one.json, 1 kB"), ("", "two.h5, 2 kB")]
        await ask(app, pilot, Proposal("send_task_result", "Send it", files, "", lambda: None), [])
        lines = text_of(app).splitlines()
        first = next(at for at, line in enumerate(lines) if "one.json" in line)
        assert "files" in lines[first]
        assert "two.h5, 2 kB" in lines[first + 1]
        assert "\\n" not in text_of(app)
        await pilot.press("escape")


@pytest.mark.parametrize("text", ["a\u202eb", "x\x1b[2Jy", "z\u200bz"])
async def test_what_is_signed_is_shown_with_its_hidden_characters(market_home: Place, text: str) -> None:
    async with market_home.running() as (app, pilot):
        proposal = Proposal("reject_task_results", "Reject it", [("reason", text)], "", lambda: None)
        await ask(app, pilot, proposal, [])
        shown = text_of(app)
        assert text not in shown
        assert "\\" in shown
        await pilot.press("escape")


async def test_a_session_that_locks_while_one_reads_asks_for_the_password(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        answers: list[object] = []
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), answers)
        app.identity.lock("Locked.")
        await pilot.press("y")
        await until(pilot, lambda: app.screen.query_one("#password").display)
        await pilot.press(*PASSWORD, "enter")
        await until(pilot, lambda: answers and answers[0] is not None)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 48)])
async def test_the_buttons_are_always_in_sight(market_home: Place, size: tuple[int, int]) -> None:
    async with market_home.running(size=size, as_="bo") as (app, pilot):
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), [])
        await pilot.pause()
        assert "Sign and send  y" in text_of(app)
        await pilot.press("y")
        await pilot.pause()
        assert "password" in text_of(app).lower()
        assert "Sign and send  enter" in text_of(app)
        await pilot.press("escape")


@pytest.mark.parametrize("size", [(60, 20), (40, 12), (80, 24)])
@pytest.mark.parametrize("kind", ["one call", "decisions"])
async def test_on_a_small_screen_the_warning_and_the_buttons_stay_in_sight(
    market_home: Place, size: tuple[int, int], kind: str
) -> None:
    """ada's, of the result that waits; the account is locked, so that the password takes its room too."""
    async with market_home.running(size=size) as (app, pilot):
        session, digest = app.session, market_home.chain.submission(1).digest
        if kind == "one call":
            proposal = await background.call(proposals.close, session, 1)
            dialog = Sign(replace(proposal, warnings=("It cannot be taken back.",)))
        else:
            draft = Draft(submission_id=1, digest=digest, word=Word.accept, reason="")
            plan = await background.call(decisions.plan, session, draft)
            dialog = SignAll([plan], opinion="It cannot be taken back.", may_keep=True)
        app.push_screen(dialog)
        await until(pilot, lambda: app.screen is dialog and dialog.query("#card"))
        if kind == "one call":
            await pilot.press("y")
            await until(pilot, lambda: dialog.query_one("#password").display)

        def all_is_inside() -> bool:
            parts = dialog.query("#care, #password, #buttons Button")
            inside = dialog.query_one("#dialog").content_region
            return all(part.region in inside for part in parts if part.display)

        await until(pilot, all_is_inside)
        assert "It cannot be taken back." in text_of(app)
        assert dialog.query_one("#text").region.height >= 2


async def test_twenty_columns_have_words_and_no_crash(market_home: Place) -> None:
    async with market_home.running(size=(20, 12), as_="bo") as (app, pilot):
        await ask(app, pilot, await background.call(proposals.assign, app.session, 4), [])
        await until(pilot, lambda: "Sign and send" in text_of(app) and "Cancel  esc" in text_of(app))


@pytest.mark.parametrize("size", [(20, 12), (40, 12)])
async def test_on_the_smallest_screen_what_it_costs_is_in_sight(
    market_home: Place, size: tuple[int, int]
) -> None:
    async with market_home.running(size=size, as_="bo") as (app, pilot):
        proposal = await background.call(proposals.assign, app.session, 4)
        await ask(app, pilot, proposal, [])
        await until(pilot, lambda: "Cancel  esc" in text_of(app), "the buttons")
        shown = "".join(line.strip("│▁▂▃▄▅▆▇█ ") + " " for line in text_of(app).splitlines())
        for label, text in money.rows([proposal], app.pulse.balance):
            if label != "fee":
                assert " ".join(f"{label} {text}".split()) in " ".join(shown.split()), label


async def test_a_dialog_that_is_left_before_it_was_laid_out_breaks_nothing(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        proposal = await background.call(proposals.assign, app.session, 4)
        for _ in range(20):
            dialog = Sign(proposal)
            await app.push_screen(dialog)
            dialog.on_resize()
            app.say("a word about something else")
            dialog.dismiss(None)
            await dialog.remove_children()
            dialog.hear("and another")
            await pilot.pause()
        assert "Digits, round 3" in text_of(app)
