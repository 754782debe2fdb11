"""The list of tasks: what it shows, and that it stays quick, true and in place."""

import shutil
from pathlib import Path

import psutil
import pytest
from textual.widgets import Input

from decentralml.core import config
from decentralml.core.amount import UNIT
from decentralml.core.paths import Home
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.tasks import ORDERS, Tasks
from decentralml.tui.widgets.prose import Prose

from ..conftest import Clock, Place, settled, text_of, until
from ..crowd import fill

HOSTILE = "\x1b[31mred \u202egnp.exe 数字の zero\u200bwidth\u2066 [b]markup[/] \x07"


def table(app: DecentralMLApp) -> list[str]:
    """The rows that are in sight, without what stands beside them or below."""
    region = app.screen.table.region
    lines = text_of(app).splitlines()[region.y + 1 : region.bottom]
    return [line[: region.width].rstrip() for line in lines if line[: region.width].strip()]


async def test_each_row_says_what_one_can_do_next(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("m", "m")
        await settled(pilot)
        shown = table(app)
        assert len(shown) == 4
        assert "Defects on castings" in shown[0]
        assert "no takers yet" in shown[0]
        assert "take it" in shown[1]
        assert "yours: train" in shown[2]
        assert "judge 1" in shown[3]


async def test_m_shows_the_open_ones_then_mine_then_all(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        assert len(table(app)) == 4
        await pilot.press("m")
        await settled(pilot)
        assert app.screen.table.total == 2  # the one bo published, and the one bo took
        assert "my tasks" in text_of(app)
        await pilot.press("m")
        await settled(pilot)
        assert app.screen.table.total == 4


async def test_a_task_that_somebody_publishes_appears_by_itself(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("j")
        before = app.screen.table.row
        task_id = market_home.create("bo", "Fresh from another process")
        await until(pilot, lambda: "Fresh from another" in text_of(app), "the new task")
        assert app.screen.table.row.key == before.key, "the cursor stays on its row"
        assert task_id == 5


async def test_what_is_typed_into_the_filter_filters_and_triggers_nothing(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("slash", *"castings")
        await settled(pilot)
        await until(pilot, lambda: app.screen.table.total == 2, "the filtered list")
        assert isinstance(app.screen, Tasks)
        assert app.screen.query_one("#filter", Input).value == "castings"
        await pilot.press("escape")
        assert app.screen.table.has_focus
        assert app.screen.table.total == 2
        await pilot.press("slash", "ctrl+u", *"type:engineer pays:>5")
        await until(pilot, lambda: app.screen.table.total == 1, "the engineer's task")
        await pilot.press("enter")
        assert app.screen.table.has_focus


async def test_a_filter_that_is_not_finished_leaves_the_list_as_it_is(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.screen.query_one("#filter", Input).value = "pays:lots"
        await settled(pilot)
        assert app.screen.table.total == 4
        assert "not an amount" in text_of(app)


async def test_what_is_wrong_with_a_filter_stands_beside_it_in_the_words_of_the_command(
    market_home: Place,
) -> None:
    async with market_home.running() as (app, pilot):
        app.screen.query_one("#filter", Input).value = "pays:abc"
        await until(pilot, lambda: "not an amount" in text_of(app), "the reason")
        assert app.screen.query_one("#count").has_class("-bad")
        await app.screen.table.reload()
        assert "not an amount" in text_of(app), "the list that is read again writes nothing over it"
        app.screen.query_one("#filter", Input).value = "pays:>1"
        await until(pilot, lambda: "shown" in text_of(app))
        assert not app.screen.query_one("#count").has_class("-bad")


async def test_while_one_types_a_filter_all_that_can_be_typed_stands_below_it(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        assert "worker:WHO" not in text_of(app)
        await pilot.press("slash", *"type:")
        await until(pilot, lambda: "type: lacks its value" in text_of(app))
        await until(pilot, lambda: app.screen.table.total == 4, "all of them")
        for word in ("type:contributor|", "status:open|", "worker:WHO", "mine"):
            await until(pilot, lambda word=word: word in text_of(app), word)
        await pilot.press("escape")
        await until(pilot, lambda: "worker:WHO" not in text_of(app))


async def test_a_filter_that_nothing_fits_says_so(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("slash", *"zebra", "enter")
        await until(pilot, lambda: app.screen.table.total == 0, "the empty list")
        assert "No task fits this filter" in text_of(app)
        await pilot.press("j", "k", "G", "g", "enter", "t")
        await pilot.pause()
        assert any("There is no task under the cursor" in said.message for said in app._notifications)


async def test_a_filter_knows_people_by_the_names_that_one_gave_them(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("m", "slash", *"by:BO")
        await until(pilot, lambda: app.screen.table.total == 1)
        assert "1 shown" in text_of(app)


async def test_a_thousand_free_slots_are_not_cut(bare_home: Place) -> None:
    bare_home.create("bo", slots=1000, pays=0.01)
    async with bare_home.running() as (app, pilot):
        await settled(pilot)
        assert " 1000 " in table(app)[0]


async def test_an_empty_market_says_how_to_publish_and_leads_to_one_that_is_alive(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await settled(pilot)
        assert "No task yet: n publishes the first. `:` demo opens a market" in text_of(app)
        await pilot.press("colon")
        await until(pilot, lambda: app.screen.query("CommandInput"))
        await pilot.press(*"demo")
        await until(pilot, lambda: "leave for a market in which others act" in text_of(app))
        while app.screen.query("CommandInput") and not app.after:
            await pilot.press("enter")
            await pilot.pause()
        await until(pilot, lambda: app.after == ["demo", "--app"], "the demo market")


async def test_who_has_no_money_for_a_deposit_is_told_where_to_get_some(market_home: Place) -> None:
    dan, _ = market_home.accounts.create("dan", "pw")
    async with market_home.running(as_="dan") as (app, pilot):
        await until(pilot, lambda: "fund first" in text_of(app))
        assert "take it" not in text_of(app)
        await until(pilot, lambda: "f in 5 Accounts funds it" in " ".join(text_of(app).split()))
        market_home.chain.fund(dan.address, UNIT)
        market_home.clock.blocks(1)
        await until(pilot, lambda: "take it" in text_of(app))
        assert "fund first" not in text_of(app)


async def test_sorting_goes_through_the_columns_and_a_click_on_a_title_sorts(market_home: Place) -> None:
    async with market_home.running(size=(140, 24)) as (app, pilot):
        screen = app.screen
        await pilot.press("s")
        await settled(pilot)
        assert screen.order == "pays"
        assert "80.00" in table(app)[0]
        await pilot.press("S")
        await settled(pilot)
        assert "0.05" in table(app)[0]
        header = next(line for line in text_of(app).splitlines() if "QUESTION" in line)
        await pilot.click(screen.table, offset=(header.index("QUESTION") + 2, 0))
        await settled(pilot)
        assert screen.order == "question"


async def test_view_filter_order_and_row_survive_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("m", "m", "s")
        await settled(pilot)
        await pilot.press("j", "j")
        await pilot.press("slash", *"a", "enter")
        await settled(pilot)
        await pilot.press("j")
        row = app.screen.table.cursor
        app.finish()
    async with market_home.running() as (app, _):
        screen = app.screen
        assert (screen.view, screen.filter, screen.order) == ("all", "a", "pays")
        assert screen.table.cursor == row == 1


async def test_a_filter_is_saved_under_a_name_and_found_again(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("slash", *'castings "x', "enter", "M")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query("#name"))
        await pilot.press(*"metal", "enter")
        await until(pilot, lambda: app.session.settings.filters)
        assert config.load(market_home.home).filters == {"metal": 'castings "x'}
        await pilot.press("slash", "ctrl+u", "enter")
        assert app.screen.filter == ""
        await pilot.press("M", "enter")
        await until(pilot, lambda: app.screen.filter == 'castings "x')
        await pilot.press("M")
        await until(pilot, lambda: "Delete metal" in text_of(app))
        assert "under a name" not in text_of(app), "it has one"
        await pilot.press("down", "enter")
        await until(pilot, lambda: not app.session.settings.filters)
        assert config.load(market_home.home).filters == {}


async def test_taking_shows_what_it_does_and_then_the_receipt(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        before = market_home.chain.balance(market_home.address("bo"))
        await pilot.press("t")
        await until(pilot, lambda: app.screen.query("#password"), "the question")
        shown = text_of(app)
        assert "assign_task" in shown
        assert market_home.address("bo") in shown
        assert market_home.chain.balance(market_home.address("bo")) == before
        await pilot.press("y", *"demo", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the task")
        after = market_home.chain.balance(market_home.address("bo"))
        assert after.held - before.held == before.free - after.free == 95 * 10**9
        said = [n.message for n in app._notifications][-1]
        assert said == "Submission 4 takes a slot of task 4, deposit 0.095 (block 0, finalised)."
        await pilot.press("escape", "m")
        await until(pilot, lambda: "yours: train" in text_of(app))


async def test_what_cannot_be_taken_says_why(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: app._notifications, "the reason")
        said = [notification.message for notification in app._notifications][-1]
        assert said.endswith("The creator of a task cannot work on it. U switches the account.")


async def test_a_full_task_with_an_overdue_slot_says_what_becomes_of_it_and_asks_before_two_calls(
    market_home: Place,
) -> None:
    task_id = market_home.create("ada", "One slot", slots=1, blocks=300_000)
    late = market_home.take("bo", task_id)
    market_home.clock.blocks(market_home.chain.constants.work_period + 1)
    async with market_home.running() as (app, pilot):
        await pilot.press("m")
        await until(pilot, lambda: "time out 1" in table(app)[0])
    async with market_home.running(as_="chi", size=(100, 30)) as (app, pilot):
        await pilot.press("m", "m")
        await until(pilot, lambda: "open tasks" in text_of(app), "the open ones")
        await until(pilot, lambda: "time out, take" in table(app)[0])
        await until(pilot, lambda: f"t times out #{late}" in text_of(app), "what t would do")
        assert app.screen.why_not("take") is None
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        assert "Two calls" in text_of(app)


async def test_a_wide_screen_shows_the_task_beside_the_list(market_home: Place) -> None:
    async with market_home.running(size=(160, 48)) as (app, pilot):
        await pilot.press("G")
        await until(pilot, lambda: "Digits, round 3" in str(app.screen.query_one("#terms", Prose)._blocks))
        shown = text_of(app)
        assert "12.00 each, 3 wanted" in shown
        assert "you cannot" not in shown
        assert "The creator of a task cannot work on it." in shown
        assert "the result of #1" in shown, "its history"
        await pilot.resize_terminal(80, 16)
        await until(pilot, lambda: not app.screen.query_one("#preview").display, "the list alone")


async def test_the_rows_that_a_short_list_leaves_show_the_task_below_it(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        await until(pilot, lambda: "12.00 each" in text_of(app) or "9.50 each" in text_of(app))
        below, listed = app.screen.query_one("#preview").region, app.screen.table.region
        assert below.y == listed.bottom
        assert listed.height == app.screen.table.total + 2
        assert "PendingValidation" not in text_of(app)
        for number in range(12):
            market_home.create("ada", f"One of {number}")
        await until(pilot, lambda: app.screen.table.total == 16, "the long list")
        await until(pilot, lambda: not app.screen.query_one("#preview").display, "the list alone")


async def test_below_a_short_list_on_a_wide_screen_the_history_stands_beside_the_terms(
    market_home: Place,
) -> None:
    async with market_home.running(size=(120, 36)) as (app, pilot):
        await pilot.press("G")
        await until(pilot, lambda: "the result of #1 is delivered" in text_of(app), "its history")
        terms, history = (app.screen.query_one(part).region for part in ("#terms", "#history"))
        assert (history.x, history.y) == (terms.right, terms.y)
        await pilot.resize_terminal(80, 36)
        await until(pilot, lambda: not app.screen.query_one("#history").display, "the terms alone")


async def test_strings_of_strangers_are_harmless(bare_home: Place) -> None:
    bare_home.create("bo", HOSTILE)
    async with bare_home.running(size=(120, 30)) as (app, pilot):
        await settled(pilot)
        shown = text_of(app)
        assert "[b]markup[/]" in shown
        assert not {"\x1b", "\u202e", "\u200b", "\u2066", "\x07"} & set(shown)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (160, 48)])
async def test_no_line_is_wider_than_the_terminal_and_what_to_do_is_always_there(
    market_home: Place, size: tuple[int, int]
) -> None:
    async with market_home.running(size=size) as (app, _):
        strips = app.screen._compositor.render_strips()
        assert all(strip.cell_length == size[0] for strip in strips)
        shown = text_of(app)
        for word in ("QUESTION", "PAYS", "NEXT", "no takers yet", "? help", ": menu"):
            assert word in shown


@pytest.fixture(scope="module")
def crowded(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("crowd") / "home"
    shutil.copytree(prepared_home, root)
    (root / "seen.json").unlink(missing_ok=True)
    fill(Home(root).ledger, 100_000)
    return root


async def test_a_hundred_thousand_tasks_stay_on_the_disk(crowded: Path) -> None:
    """End, each order, and a filter that nothing fits; at most 50 MB more than before."""
    clock = Clock()
    app = DecentralMLApp(Home(crowded), {"account": "ada"}, now=clock)
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: app.pulse is not None and app.screen.table.total == 100_000)
        await settled(pilot)
        before = psutil.Process().memory_info().rss
        screen = app.screen
        for order in ORDERS:
            await until(pilot, lambda order=order: screen.order == order)
            await until(pilot, lambda: screen.table.loaded and screen.table.row is not None)
            await pilot.press("G")
            await until(pilot, lambda: screen.table.cursor == 99_999 and screen.table.row is not None)
            last = screen.table.row
            await pilot.press("g")
            await until(pilot, lambda: screen.table.cursor == 0 and screen.table.row is not None)
            assert screen.table.row.key != last.key
            await pilot.press("s")
            await settled(pilot)
        await pilot.press("slash", *"zebra crossing")
        await until(pilot, lambda: screen.table.total == 0)
        await pilot.press("ctrl+u", *"id:77777")
        await until(pilot, lambda: screen.table.total == 1)
        assert len(screen.table._pages) <= 8
        assert psutil.Process().memory_info().rss - before < 50 * 2**20
    app.finish()


async def test_paging_down_through_many_shows_each_row_once(crowded: Path) -> None:
    Home(crowded).ui_state.unlink(missing_ok=True)
    app = DecentralMLApp(Home(crowded), {"account": "ada"}, now=Clock())
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.pulse is not None and app.screen.table.total == 100_000)
        await pilot.press("g")
        await until(pilot, lambda: app.screen.table.cursor == 0)
        seen = []
        for _ in range(12):
            rows = app.screen.table
            await until(pilot, lambda rows=rows: rows.row is not None)
            seen.append(rows.row.key)
            await pilot.press("ctrl+d")
        step = seen[0] - seen[1]
        assert seen == [100_000 - step * number for number in range(12)]
    app.finish()


async def test_free_slots_are_counted_as_the_command_line_counts_them(market_home: Place) -> None:
    """Task 1 wants three results, and two slots are taken; of task 4's one slot none is."""
    async with market_home.running(size=(120, 30)) as (app, _):
        table = app.screen.table
        table.move_to(0)
        rows = [table._row(index) for index in range(table.total)]
        free = {row.key: row.cells["slots"] for row in rows}
        assert (free[1], free[4]) == ("1/3", "1/1")
        assert "FREE" in text_of(app)
