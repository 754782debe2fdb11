"""What every dialog keeps to: its buttons seen, readable and named by their keys, its paths browsed for."""

import pytest
from textual.widgets import Button, Input

from decentralml.tui import keys
from decentralml.tui.screens.file_picker import FilePicker
from decentralml.tui.screens.train import StartTraining

from ..conftest import Place, opened, text_of, until
from ..pages import DIALOGS, opener


@pytest.mark.parametrize("page", ["create", *DIALOGS])
async def test_every_button_names_the_key_that_does_the_same(painted: Place, page: str) -> None:
    """Where nobody has a mouse, no button is reached by tab alone."""
    app = painted.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opener(painted, page)(pilot)
        shown = {row.shown for row in keys.TABLE} | {"enter", "enter: another"}
        for button in app.screen.query(Button):
            assert str(button.label).rpartition("  ")[2].strip() in shown, button


@pytest.mark.parametrize("no_color", [False, True], ids=["ansi", "NO_COLOR"])
@pytest.mark.parametrize("page", ["create", "validate", *DIALOGS])
async def test_a_disabled_button_can_be_read_in_the_colours_of_the_terminal(
    painted: Place, monkeypatch: pytest.MonkeyPatch, page: str, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = painted.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await opener(painted, page, "dark" if no_color else "ansi")(pilot)
        buttons = [button for button in app.screen.query(Button) if button.display]
        for button in buttons:
            button.disabled = True
        await pilot.pause()
        for button in buttons:
            assert button.size.height == 1
            assert str(button.label) in text_of(app)


WITH_PATHS = ("create", "held-out", "train", "try", "send", "federate-form", "import-json")


@pytest.mark.parametrize("page", WITH_PATHS)
async def test_one_key_browses_for_the_field_of_a_path(painted: Place, page: str) -> None:
    app = painted.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await opener(painted, page)(pilot)
        before = app.screen
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FilePicker), "the picker")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is before, "the form again")


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12)], ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("page", DIALOGS)
async def test_every_dialog_shows_all_its_buttons(painted: Place, page: str, size: tuple[int, int]) -> None:
    app = painted.app()
    async with app.run_test(size=size) as pilot:
        await opener(painted, page)(pilot)

        def all_is_inside() -> bool:
            inside = app.screen.query_one("#dialog").content_region
            buttons = app.screen.query("#buttons Button").results(Button)
            return all(
                button.region in inside and str(button.label) in text_of(app)
                for button in buttons
                if button.display
            )

        await until(pilot, all_is_inside, "every button")


async def test_on_a_small_screen_every_number_of_a_training_can_be_read(painted: Place) -> None:
    app = painted.app()
    async with app.run_test(size=(40, 12)) as pilot:
        await opener(painted, "train")(pilot)
        inside = app.screen.query_one("#dialog").content_region
        for field in app.screen.query("#numbers Input").results(Input):
            assert field.content_size.width >= 4, field
            assert field.region in inside


async def test_on_the_smallest_screen_the_data_of_a_training_can_be_typed(painted: Place) -> None:
    app = painted.app()
    async with app.run_test(size=(20, 10)) as pilot:
        await opened(pilot)
        await app.push_screen(StartTraining(3))
        box, field = app.screen.query_one("#dialog").content_region, app.screen.query_one("#data").region
        assert field.width >= 7
        assert (field.x, field.right) == (max(field.x, box.x), min(field.right, box.right))
