"""The screens, one module each; imported when first shown."""

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decentralml.tui.screens.base import MarketScreen


def make(mode: str) -> "MarketScreen":
    """A new screen of a mode of `decentralml.tui.keys.MODES`."""
    return of(mode)()


def of(mode: str) -> "type[MarketScreen]":
    """The class of a mode's screen."""
    if mode == "tasks":
        from decentralml.tui.screens.tasks import Tasks

        return Tasks
    if mode == "runs":
        from decentralml.tui.screens.runs import RunsScreen

        return RunsScreen
    if mode == "validate":
        from decentralml.tui.screens.validate import Validate

        return Validate
    if mode == "federate":
        from decentralml.tui.screens.federate import Federate

        return Federate
    if mode == "accounts":
        from decentralml.tui.screens.accounts import AccountsScreen

        return AccountsScreen
    from decentralml.tui.screens.activity import Activity

    return Activity


def reopened(place: object) -> "MarketScreen | None":
    """A new screen whose `MarketScreen.place` is ``place``; None where no screen is there."""
    match place:
        case ["task", int(id)]:
            from decentralml.tui.screens.task import TaskDetail

            return TaskDetail(id)
        case ["report", int(id)]:
            from decentralml.tui.screens.report import ReportScreen

            return ReportScreen(id)
        case ["task", int(id), int(submission_id)]:
            from decentralml.tui.screens.task import TaskDetail

            return TaskDetail(id, submission_id)
        case ["record", str(address)]:
            from decentralml.tui.screens.record import RecordScreen

            return RecordScreen(address)
        case ["label", int(id)]:
            from decentralml.tui.screens.label import LabelFiles

            return LabelFiles(id)
        case ["viewer", str(folder), str(name), bool(model)]:
            from decentralml.tui.screens.viewer import Viewer

            return Viewer(Path(folder), name, model=model)
        case ["statement", str(address)]:
            from decentralml.tui.screens.statement import StatementScreen

            return StatementScreen(address)
        case ["address_book"]:
            from decentralml.tui.screens.address_book import AddressBookScreen

            return AddressBookScreen()
        case ["create"]:
            from decentralml.tui.screens.create import CreateTask

            return CreateTask()
    return None


def warm() -> None:
    """Import every screen, so that none is imported while one waits for it. Takes a while; blocks."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
