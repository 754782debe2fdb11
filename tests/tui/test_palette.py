"""The palette: everything by name."""

from textual.command import CommandList

from decentralml.tui.screens.dialog import Show

from .conftest import Place, text_of, until
from .trainings import Start, at_runs, finished, fit, shows, started


async def test_the_palette_knows_verbs_tabs_accounts_and_themes(market_home: Place) -> None:
    async with market_home.running(size=(100, 40)) as (app, pilot):
        for query, found in (
            ("take", "take a slot of this task"),
            ("take", "Not now: The creator"),
            ("runs", "the runs screen"),
            ("be bo", "switch account"),
            ("light", "theme light"),
            ("save", "save this filter"),
        ):
            await pilot.press("colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press(*query)
            await until(pilot, lambda found=found: found in text_of(app), found)
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_command_of_the_palette_does_what_its_key_does(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query("CommandInput"))
        await pilot.press(*"take a slot")
        await until(pilot, lambda: "take a slot" in text_of(app))
        while app.screen.query("CommandInput"):
            await pilot.press("enter")
            await pilot.pause()
        await until(pilot, lambda: app.screen.query("#password"), "the question")


async def test_over_a_dialog_only_the_colours_can_be_changed(market_home: Place) -> None:
    """Whoever reads a card to sign must not be another one when it is signed."""
    async with market_home.running(as_="bo") as (app, pilot):
        app.push_screen(Show("A card", "words"))
        await until(pilot, lambda: isinstance(app.screen, Show))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query("CommandInput"))
        found = app.screen.query_one(CommandList)
        await until(pilot, lambda: found.option_count, "what the palette offers")
        offered = [str(option.prompt) for option in found.options]
        assert all(words.startswith("theme ") for words in offered), offered


async def test_what_belongs_to_a_run_may_have_gone_and_all_else_is_found(
    market_home: Place, train: Start
) -> None:
    train(14, *started(), *fit(2, 2), *finished(), task_id=99)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("colon")
        await until(pilot, lambda: app.screen.query("CommandInput"))
        await pilot.press(*"remove")
        await until(pilot, lambda: "remove run 14" in text_of(app))


async def test_what_a_stranger_wrote_stands_in_the_menu_as_it_is(market_home: Place, train: Start) -> None:
    question = "Digits [/] [@click=app.quit]here[/] [1]"
    task = market_home.create("bo", question)
    train(14, *started(), *fit(2, 2), *finished(), task_id=task, title=question)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        for query in ("", "Digits"):
            await pilot.press("colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press(*query)
            found = app.screen.query_one(CommandList)
            await until(
                pilot,
                lambda found=found: any(question in str(option.prompt) for option in found.options),
                f"the task, by {query!r}",
            )
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
