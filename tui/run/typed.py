"""What was typed for a task when it was tried or trained last: the next one begins with it, over restarts."""

from typing import TYPE_CHECKING

from decentralml.tui.state import State

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_NAME = "train"
_TASKS = 50  # the newest of which it is remembered


def last(state: State, task_id: int) -> dict[str, str]:
    """By the fields' names; empty where nothing was typed yet."""
    found = state.get(_NAME, {}).get(str(task_id))
    return {name: str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def remember(app: "DecentralMLApp", task_id: int, typed: dict[str, str]) -> None:
    """Fields that are not among those ``typed`` stay as they were."""
    key, kept = str(task_id), dict(app.state.get(_NAME, {}))
    kept.pop(key, None)
    kept[key] = {**last(app.state, task_id), **typed}
    if app.state.set(_NAME, dict(list(kept.items())[-_TASKS:])):
        app.save_state()
