"""By what results are measured, as was said of their tasks: remembered over restarts, by chain and task."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.tui.judging.work import Setup

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_NAME = "validate.setups"


class Setups:
    """Those of an app whose session is open. Leave to load models without a sandbox is never remembered."""

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app

    def of(self, task_id: int) -> Setup | None:
        """By what the results of a task were measured last."""
        return _read(self._all.get(self._key(task_id)))

    def last(self) -> Setup | None:
        """What was said last, of whichever task."""
        return _read([*self._all.values()][-1]) if self._all else None

    def remember(self, task_ids: Iterable[int], setup: Setup) -> None:
        """The results of these tasks are measured by ``setup`` from now on."""
        self._set({**self._all, **{self._key(task_id): _written(setup) for task_id in task_ids}})

    def forget(self, setup: Setup) -> None:
        """It is of no use, for whichever task."""
        gone = _written(setup)
        self._set({key: kept for key, kept in self._all.items() if kept != gone})

    @property
    def _all(self) -> dict[str, Any]:
        found: dict[str, Any] = self._app.state.get(_NAME, {})
        return found

    def _set(self, setups: dict[str, Any]) -> None:
        if self._app.state.set(_NAME, setups):
            self._app.save_state()

    def _key(self, task_id: int) -> str:
        return f"{self._app.opened.chain.genesis[:16]}:{task_id}"


def _written(setup: Setup) -> list[str]:
    return [str(setup.data or ""), str(setup.policy or "")]


def _read(kept: Any) -> Setup | None:
    if not (isinstance(kept, list) and len(kept) == 2 and all(isinstance(part, str) for part in kept)):
        return None
    data, policy = (Path(part) if part else None for part in kept)
    return Setup(data, policy)
