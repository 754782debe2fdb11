"""Work on the loop whose errors become words on the screen."""

import os
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from decentralml.core.errors import DecentralMLError, Failed

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


class Guarded:
    """Awaits a coroutine; what it raises, `DecentralMLApp.show_error` says.

    One that is cancelled before it began is closed without a word, as screens cancel what is outdated.
    """

    def __init__(self, app: "DecentralMLApp", coroutine: Coroutine[Any, Any, Any]) -> None:
        self._app = app
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    def __del__(self) -> None:
        self._coroutine.close()

    async def _run(self) -> None:
        try:
            await self._coroutine
        except DecentralMLError as error:
            self._app.show_error(error)
        except Exception as error:
            if not self._app.is_running:
                return  # what it would have shown is gone already
            if os.environ.get("DECENTRALML_DEBUG"):
                raise
            self._app.show_error(
                Failed(
                    "Bug",
                    f"This should not have happened: {type(error).__name__}: {error}",
                    "Set DECENTRALML_DEBUG=1 to see where, and report it.",
                )
            )
