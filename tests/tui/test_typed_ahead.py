"""Many keys at once, as over a slow link, mean what they would one by one; a dialog opens once a wish."""

import asyncio

import pytest
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input, TextArea

from decentralml.tui import background
from decentralml.tui.screens.create import CreateTask
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.help import Help
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail

from .conftest import PASSWORD, Place, settled, until
from .turns import at_once, burst


@pytest.mark.parametrize(
    ("mode", "key"),
    [("1", "t"), ("1", "M"), ("2", "r"), ("3", "a"), ("5", "n"), ("5", "f"), ("5", "I"), ("5", "E")],
)
async def test_a_key_pressed_three_times_opens_one_dialog(mode: str, key: str, market_home: Place) -> None:
    async with market_home.running(as_="ada" if mode == "3" else "chi") as (app, pilot):
        await pilot.press(mode)
        await settled(pilot)
        burst(app, key, key, key)
        await until(pilot, lambda: len(app.screen_stack) == 2, "the dialog")
        await until(pilot, lambda: app.focused is not None)
        assert len(app.screen_stack) == 2
        assert [field.value for field in app.screen.query(Input) if field.value == key * 2] == []
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1, "nothing beneath it")


async def test_what_is_typed_while_a_form_opens_stands_in_it(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await settled(pilot)
        burst(app, "n", "d", "o", "r", "a")
        await until(pilot, lambda: isinstance(app.screen, Form))
        await until(pilot, lambda: app.screen.query_one("#name", Input).value == "dora")


async def test_a_yes_typed_before_the_question_was_seen_signs_nothing(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        burst(app, "t", "y", "y")
        await until(pilot, lambda: isinstance(app.screen, Sign) and app.focused is not None)
        await pilot.pause()
        assert not app.screen._sending
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert all(s.worker != market_home.address("chi") for s in market_home.chain.submissions_of(4))


async def test_a_repeated_answer_is_not_given_to_what_lies_beneath_the_question(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[object] = []
        app.push_screen(Ask("Beneath", "Not answered"), answers.append)
        app.push_screen(Ask("In front", "Answered"), answers.append)
        await until(pilot, lambda: app.focused is not None)
        burst(app, "y", "y", "y", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert answers == [True]


async def test_a_yes_typed_as_soon_as_the_question_is_seen_counts(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        burst(app, "t")
        await at_once(lambda: isinstance(app.screen, Sign))
        app.screen.call_after_refresh(burst, app, "y")
        await until(pilot, lambda: not isinstance(app.screen, Sign))
        assert [s.task_id for s in market_home.chain.submissions_of(4)] == [4]


async def test_a_yes_counts_from_the_paint_in_which_its_button_stands(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        done, yes = app.post_display_hook, [Key("y", "y")]

        def paint() -> None:
            done()
            if isinstance(app.screen, Sign) and yes and any(part.region for part in app.screen.query("#yes")):
                app.post_message(yes.pop())

        monkeypatch.setattr(app, "post_display_hook", paint)
        burst(app, "t")
        await until(pilot, lambda: not yes and not isinstance(app.screen, Sign))
        assert [s.task_id for s in market_home.chain.submissions_of(4)] == [4]


async def test_keys_that_open_nothing_all_count(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        burst(app, "m", "m", "s", "s", "s", "j")
        await until(pilot, lambda: app.screen.view == "all" and app.screen.order == "slots")
        await until(pilot, lambda: app.screen.table.cursor == 1)


async def test_the_same_dialog_is_not_stacked_on_itself_by_any_way(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[object] = []
        app.push_screen(Ask("Sure?", "once"), answers.append)
        app.push_screen(Ask("Sure?", "twice"), answers.append)
        app.push_screen(Ask("Really?", "another question"))
        assert answers == [None]
        assert len(app.screen_stack) == 3
        await pilot.pause()


async def test_enter_twice_opens_a_task_once(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        burst(app, "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        await settled(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_each_line_of_a_form_gets_what_was_typed_for_it(market_home: Place) -> None:
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, CreateTask))
        burst(app, "tab", *"Which", "tab", *"/data", "tab", "tab", *"12", "enter", "backspace", *"3")
        burst(app, "enter", *"12h")
        form = app.screen
        await until(pilot, lambda: form.query_one("#until", Input).value.endswith("12h"))
        assert form.query_one("#question", TextArea).text == "Which"
        typed = {name: form.query_one(f"#{name}", Input).value for name in ("files", "pays", "wanted")}
        assert typed == {"files": "/data", "pays": "12", "wanted": "3"}


async def test_what_follows_the_key_that_opens_a_filter_is_typed_into_it_in_its_order(
    market_home: Place,
) -> None:
    text = "".join(chr(ord("a") + number * 7 % 26) for number in range(500))
    async with market_home.running() as (app, pilot):
        burst(app, "slash", *text)
        await until(pilot, lambda: len(app.screen.query_one("#filter", Input).value) == 500)
        assert app.screen.query_one("#filter", Input).value == text


async def test_what_follows_a_tabs_key_is_for_that_tab(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        burst(app, "5", "question_mark", "escape", "6", "1", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert app.current_mode == "tasks"


class Stuck(Widget, can_focus=True):
    """Comes to no end over a key until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.let_go = asyncio.Event(), asyncio.Event()

    async def on_key(self, event: Key) -> None:
        event.stop()
        self.began.set()
        await self.let_go.wait()


async def test_a_widget_that_is_stuck_over_a_key_does_not_hold_up_the_keyboard(market_home: Place) -> None:
    async with market_home.running() as (app, pilot), asyncio.timeout(30):
        stuck = Stuck()
        await app.screen.mount(stuck)
        app.screen.set_focus(stuck)
        burst(app, "x")
        await stuck.began.wait()
        app.screen.set_focus(app.screen.table)
        burst(app, "5")
        await at_once(lambda: app.current_mode == "accounts")
        assert not stuck.let_go.is_set()
        stuck.let_go.set()
        await settled(pilot)
