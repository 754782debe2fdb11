"""What is typed as dots reaches no clipboard."""

from textual.app import App, ComposeResult

from decentralml.tui.widgets.secret import SecretInput


class Page(App[None]):
    def compose(self) -> ComposeResult:
        yield SecretInput("a password")


async def test_a_password_is_neither_copied_nor_cut_into_the_clipboard() -> None:
    app = Page()
    async with app.run_test() as pilot:
        line = app.query_one(SecretInput)
        line.focus()
        await pilot.press("end", "shift+home", "ctrl+c")
        assert (app.clipboard, line.value) == ("", "a password")
        await pilot.press("ctrl+x")
        assert (app.clipboard, line.value) == ("", "")
