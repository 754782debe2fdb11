"""No key of a screen is dead: each does something, or says why it cannot."""

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from decentralml.tui import keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.screens.dialog import Ask, Choose
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.screens.submission import SubmissionDetails

from .conftest import Place, settled, text_of, until

# They move, leave the screen, or are the person's own affair; other tests are about them.
_LEFT_OUT = keys.MOVING | {"tab", "quit", "lock", "who", "help", "next_panel", "previous_panel"}
_MODES = {mode: str(number) for number, mode in enumerate(keys.MODES, 1)}


def acting(screen: MarketScreen) -> list[keys.Key]:
    """The rows of a screen that do something with what is on it."""
    rows = keys.keys_of(screen.SCOPE)
    return [row for row in rows if row.method not in _LEFT_OUT and screen.check_action(row.method, ())]


async def go(app: DecentralMLApp, pilot: Pilot[None], scope: str, place: Place) -> None:
    """To a screen of ``scope``: what it is about is there, or the nearest to it."""
    if scope in _MODES:
        await pilot.press(_MODES[scope])
    else:
        about = {"task": 1, "report": 1, "label": 3}.get(scope, place.address("bo"))
        to = (scope,) if scope == "address_book" else (scope, about)
        app.places.lead(to)
    await until(pilot, lambda: scope == app.screen.SCOPE, scope)
    await settled(pilot)


def state(app: DecentralMLApp) -> tuple[object, ...]:
    """What a key may change."""
    screen = app.screen
    return screen, len(app.screen_stack), screen.focused, text_of(app), len(app._notifications)


@pytest.mark.parametrize("scope", [*keys.MODES, "statement", "address_book", "record"])
async def test_where_there_is_nothing_each_key_does_something_or_says_why_not(
    bare_home: Place, scope: str
) -> None:
    async with bare_home.running(size=(100, 30)) as (app, pilot):
        await go(app, pilot, scope, bare_home)
        await each_key_is_answered(app, pilot)


@pytest.mark.parametrize("scope", [*keys.MODES, "task", "report", "label", "statement", "record"])
async def test_in_a_market_each_key_does_something_or_says_why_not(market_home: Place, scope: str) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await go(app, pilot, scope, market_home)
        await each_key_is_answered(app, pilot)


@pytest.mark.parametrize("scope", ["tasks", "validate", "accounts", "activity", "task", "label"])
async def test_with_read_only_each_key_does_something_or_says_why_not(market_home: Place, scope: str) -> None:
    async with market_home.running(size=(100, 30), readonly=True) as (app, pilot):
        await go(app, pilot, scope, market_home)
        await each_key_is_answered(app, pilot)


@pytest.mark.parametrize("scope", [*keys.MODES, "task", "report", "statement", "record", "address_book"])
async def test_each_key_of_the_table_is_answered_on_a_page_that_has_no_use_for_it(
    market_home: Place, scope: str
) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await go(app, pilot, scope, market_home)
        screen = app.screen
        used = {name for row in keys.keys_of(scope) for name in row.keys.split(",")}
        for row in keys.TABLE:
            pressed = row.keys.partition(",")[0]
            if row.method in _LEFT_OUT or pressed in used:
                continue
            app.clear_notifications()
            await pilot.press(pressed)
            said = f"({row.label}) does nothing on this page"
            assert any(said in notification.message for notification in app._notifications), row.name
            assert app.screen is screen


async def test_each_key_of_the_table_is_answered_in_a_dialog_that_has_no_use_for_it(
    market_home: Place,
) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        dialog = Ask("Leave it", "Is it to be left?")
        await app.push_screen(dialog)
        box = dialog.query_one("#dialog")
        for row in keys.TABLE:
            if row.method in _LEFT_OUT | {"yes", "go", "open"}:
                continue
            await pilot.press(row.keys.partition(",")[0])
            said = f"({row.label}) does nothing in this dialog"
            assert said in str(box.border_subtitle), row.name
            assert app.screen is dialog


async def test_no_letter_of_a_password_that_is_typed_beside_its_field_is_named(market_home: Place) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        form = Form("Password", (Field("secret", "of ada", secret=True),), str)
        await app.push_screen(form)
        form.query_one("#no").focus()
        box = form.query_one("#dialog")
        for letter in "cta1":
            await pilot.press(letter)
            assert str(box.border_subtitle) == "What is typed here goes nowhere: tab leads to a field."


async def test_a_dialog_says_why_what_it_does_elsewhere_it_cannot_do_now(market_home: Place) -> None:
    """Submission 2 is not delivered: there is nothing to evaluate, and no report."""
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await go(app, pilot, "task", market_home)
        chain = market_home.chain
        await until(pilot, lambda: app.screen.facts, "the task")
        dialog = SubmissionDetails(chain.submission(2), app.screen.facts, chain.head().block)
        await app.push_screen(dialog)
        for pressed, why in (("v", "Its creator evaluates a result"), ("X", "There is no report")):
            await pilot.press(pressed)
            await until(pilot, lambda why=why: why in text_of(app), why)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Not now: There is no report" in text_of(app), "the help")


async def test_the_help_of_a_choice_says_which_key_chooses(market_home: Place) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        dialog = Choose("Which?", [("one", "the first"), ("two", "the second")])
        await app.push_screen(dialog)
        await pilot.press("question_mark")
        await until(pilot, lambda: "enter  open" in text_of(app), "the key that chooses")


@pytest.mark.parametrize(
    ("scope", "pressed", "said"),
    [
        ("validate", "W", "does nothing on this page"),
        ("validate", "m", "m (mine/open/all) does nothing on this page, but on page 1"),
        ("validate", "x", "x (stop) does nothing on this page, but on pages 2, 6"),
        ("report", "a", "a (accept) does nothing on this page, but on page 3"),
        ("report", "R", "R (reject) does nothing on this page, but on page 3"),
        ("report", "v", "v (evaluate) does nothing on this page, but on page 3"),
        ("report", "enter", "(open) does nothing on this page"),
        ("tasks", "e", "e (set up) does nothing on this page, but on a task's page."),
        ("tasks", "J", "J (claim) does nothing on this page, but on page 6 and a task's page."),
    ],
)
async def test_a_key_of_another_page_says_so(market_home: Place, scope: str, pressed: str, said: str) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await go(app, pilot, scope, market_home)
        await pilot.press(pressed, pressed)
        await settled(pilot)
        assert [said in notification.message for notification in app._notifications] == [True]


async def each_key_is_answered(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    screen = app.screen
    for row in acting(screen):
        refusal, failed = app.refusal_of(screen, row.method), len(app.failures)
        app.clear_notifications()
        app._said = ("", 0.0)
        before = state(app)
        await pilot.press(row.keys.partition(",")[0])
        if refusal is not None:
            assert [refusal.message in said.message for said in app._notifications] == [True], row.name
            assert len(app.failures) == failed, f"nothing went wrong by {row.name}"
            assert app.screen is screen, f"{row.name} is refused, and nothing is opened"
        else:
            await until(pilot, lambda before=before: state(app) != before, f"what {row.name} does")
        await back_to(app, pilot, screen)


async def back_to(app: DecentralMLApp, pilot: Pilot[None], screen: MarketScreen) -> None:
    """Out of whatever was opened."""
    while app.screen is not screen or isinstance(screen.focused, Input):
        if isinstance(app.screen, ModalScreen):
            app.screen.dismiss(None)
        elif app.screen is screen or app.screen not in app.screen_stack[1:]:
            await pilot.press("escape")
        else:
            app.pop_screen()
        await pilot.pause()
