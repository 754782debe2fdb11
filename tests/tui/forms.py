"""Dialogs as a person fills them in, and what comes of it."""

from textual import events
from textual.pilot import Pilot

from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.accounts import AccountsScreen
from decentralml.tui.screens.create import CreateTask

from .conftest import said, settled, until


async def go_to_accounts(app: DecentralMLApp, pilot: Pilot[None]) -> AccountsScreen:
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, AccountsScreen) and app.screen.table.loaded)
    await settled(pilot)
    assert isinstance(app.screen, AccountsScreen)
    return app.screen


async def dialog(pilot: Pilot[None], kind: type) -> None:
    """Until a dialog of ``kind`` is in front."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), kind.__name__)


async def fill_in(pilot: Pilot[None], *texts: str) -> None:
    """Paste each text into its field; enter goes to the next, and from the last one sends the form."""
    for text in texts:
        if text:
            pilot.app.screen.focused.post_message(events.Paste(text))
        await pilot.press("enter")


def told(app: DecentralMLApp) -> str:
    """Everything that was said, and every failure."""
    return "\n".join([*said(app), *map(str, app.failures)])


def problem(app: DecentralMLApp) -> str:
    """What the form in front says is wrong."""
    return str(app.screen.query_one("#problem").content)


async def form(app: DecentralMLApp, pilot: Pilot[None]) -> CreateTask:
    """The form of a new task, by its key."""
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, CreateTask) and app.screen.checked, "the form")
    return app.screen


async def fill(pilot: Pilot[None], **fields: str) -> None:
    """Type into the form's lines, and wait for what is said of them."""
    screen = pilot.app.screen
    for name, text in fields.items():
        widget = screen.query_one(f"#{name}")
        widget.focus()
        if name == "question":
            widget.text = text
        else:
            widget.value = text
    await until(pilot, lambda: all(getattr(screen.draft, name) == text for name, text in fields.items()))
    draft = screen.draft
    checks = [worker for worker in screen.workers if worker.group == "check"]
    await until(pilot, lambda: not any(worker.is_running for worker in checks) and screen.draft is draft)


def findings(screen: CreateTask) -> dict[str, tuple[str, str]]:
    return {found.field: (found.tone, found.text) for found in screen.checked.findings}
