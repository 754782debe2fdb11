"""What is secret can be seen, or typed as dots, and reaches no clipboard."""

from textual.app import App, ComposeResult
from textual.widgets import Static

from decentralml.tui.widgets.secret import Secret, SecretInput


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("open to all", id="open")
        yield Secret("twelve words", id="words")
        yield SecretInput("a password", id="password")


async def test_words_that_are_shown_cannot_be_copied() -> None:
    app = Page()
    async with app.run_test() as pilot:
        for widget, copied in (("#open", "open to "), ("#words", "")):
            app.screen.clear_selection()
            await pilot.mouse_down(widget, offset=(0, 0))
            await pilot.hover(widget, offset=(7, 0))
            await pilot.mouse_up(widget, offset=(7, 0))
            assert (app.screen.get_selected_text() or "") == copied
        app.screen.text_select_all()
        assert app.screen.get_selected_text() == "open to all"


async def test_a_password_is_neither_copied_nor_cut_into_the_clipboard() -> None:
    app = Page()
    async with app.run_test() as pilot:
        line = app.query_one(SecretInput)
        line.focus()
        await pilot.press("end", "shift+home", "ctrl+c")
        assert (app.clipboard, line.value) == ("", "a password")
        await pilot.press("ctrl+x")
        assert (app.clipboard, line.value) == ("", "")
