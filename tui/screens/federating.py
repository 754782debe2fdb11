"""The Federate screen's way to write: asked what to make, then averaged and measured."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual.timer import Timer
from textual.widgets import Static

from decentralml.core import federation, federation_history
from decentralml.core.errors import DecentralMLError, Misused
from decentralml.core.federation import Federation, Gathered
from decentralml.core.federation_history import Past
from decentralml.core.storage.base import Progress
from decentralml.tui import keys
from decentralml.tui.judging.federation import Names
from decentralml.tui.judging.setups import Setups
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.federate_form import FederateForm, Order
from decentralml.tui.screens.panes import PaneScreen
from decentralml.tui.transfers import Handle
from decentralml.tui.words import transfer

if TYPE_CHECKING:
    from decentralml.core.judging import Judge

T = TypeVar("T")
_PROGRESS_SECONDS = 0.5


class Federating(PaneScreen):
    """Makes a model of what the gate let through and shows how it comes on. Signs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._gathered: Gathered | None = None
        self._problem: DecentralMLError | None = None
        self._made: Federation | None = None
        self._measuring = False
        self._past: tuple[Past, ...] = ()
        self._called: Names = {}
        self._doing = ""
        self._handle: Handle | None = None
        self._stop = threading.Event()
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self._timer = self.set_interval(_PROGRESS_SECONDS, self._show_progress, pause=True)
        self.query_one("#progress").display = False

    def _show(self) -> None:
        """Show what was made, or is there now."""
        raise NotImplementedError

    # Writing

    def why_not(self, action: str) -> DecentralMLError | None:
        if action != "write":
            return super().why_not(action)
        if self._doing:
            return Misused("Busy", f"Still {self._doing}.", "Wait until that is done.")
        if self._problem is None and (self._gathered is None or not self._gathered.ingredients):
            return Misused(
                "NoModels", "There is nothing to federate.", keys.said("{mark} marks accepted results.")
            )
        return self._problem

    def action_write(self) -> None:
        self.work(self._write(), group="write")

    async def _write(self) -> None:
        gathered = self._gathered
        assert gathered is not None, "without there is a reason"
        numbers = sorted(entry.submission_id for entry in gathered.ingredients)
        out = await self.call(federation_history.free_folder, self.session.home, numbers)
        judged_by = Setups(self.app).of(gathered.ingredients[0].task_id) or Setup()
        order = await self.app.push_screen_wait(
            FederateForm(gathered, self._called, data=judged_by.data, out=out)
        )
        if order is None:
            return
        await self._federate(gathered, order)

    async def _federate(self, gathered: Gathered, order: Order) -> None:
        """Average, measure, remember; the model is there even where measuring it fails."""
        numbers = sorted(entry.submission_id for entry in gathered.ingredients)
        doing = f"federating {named(numbers)}"
        again = partial(self._once_more, lambda: self._federate(gathered, order))
        self._handle = self.app.transfers.start(doing, again=again)
        self._stop.clear()
        try:
            with self.app.failures.during(doing, again):
                made = await self._make(gathered, order)
            if order.data is not None:
                await self._measure(made, order.data)
        except DecentralMLError as error:
            self._handle.end(error)
            raise
        else:
            self._handle.end()
        finally:
            self._handle = None
            self._measured()
        self._past = await self.call(federation_history.past, self.session.home)
        self._show()

    async def _make(self, gathered: Gathered, order: Order) -> Federation:
        if order.data is not None:
            market = self.session.market
            self._begin("measuring the baseline")
            await self._judged(
                order.data, lambda judge, stop: federation.open_data(market, gathered, judge, cancelled=stop)
            )
        self._begin("averaging")
        self._measuring = order.data is not None
        self._made = made = await self.call(
            federation.run,
            gathered,
            order.out,
            strategy=order.strategy,
            weights=order.weights,
            on_progress=self._averaging,
            cancelled=self._stop.is_set,
        )
        self.panel = "outcome"
        self._show()
        self.app.say(f"The model is in {order.out}.")
        await self.call(federation_history.remember, self.session.home, made)
        return made

    async def _measure(self, made: Federation, data: Path) -> None:
        market = self.session.market
        self._begin("measuring the new model and its inputs")
        again = partial(self._once_more, lambda: self._measure_again(made, data))
        if self._handle is not None:
            self._handle.again = again
        with self.app.failures.during(f"measuring {made.folder.name}", again):
            self._made = await self._judged(
                data, lambda judge, stop: federation.measure(market, made, judge, cancelled=stop)
            )
        await self.call(federation_history.remember, self.session.home, self._made)

    async def _judged(self, data: Path, function: "Callable[[Judge, Callable[[], bool]], T]") -> T:
        """``function`` on the thread and in the sandbox that evaluate."""
        return await asyncio.wrap_future(
            self.app.judging.do(
                Setup(data), lambda judge, closing: function(judge, lambda: closing() or self._stop.is_set())
            )
        )

    async def _measure_again(self, made: Federation, data: Path) -> None:
        self._stop.clear()
        self._measuring = True
        try:
            await self._measure(made, data)
        finally:
            self._measured()

    def _measured(self) -> None:
        """Nothing is measured any more, for whatever reason."""
        self._measuring = False
        self._end()
        self._show()

    def _once_more(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """From Activity: nothing of it is signed."""
        self.app.switch_to(self.SCOPE)
        self.work(make(), group="write")

    # Progress; the first two are called on other threads

    def _fetching(self, progress: Progress) -> None:
        self._tell(f"fetching results  {transfer(progress)}")

    def _averaging(self, done: int, of: int) -> None:
        self._tell(f"averaging {100 * done // of if of else 100} %")

    def _tell(self, doing: str) -> None:
        """How far it is, for this screen and for Activity."""
        self._doing = doing
        if self._handle is not None:
            self._handle.said = doing

    def _begin(self, doing: str) -> None:
        self._tell(doing)
        self._show_progress()
        if self._timer is not None:
            self._timer.resume()

    def _end(self) -> None:
        self._doing = ""
        self._show_progress()
        if self._timer is not None:
            self._timer.pause()

    def _show_progress(self) -> None:
        line = self.query_one("#progress", Static)
        line.display = bool(self._doing)
        if self._doing:
            self.set_part("#progress", f"{self._doing}…")


def named(numbers: Sequence[int]) -> str:
    """``result 1``, ``results 1, 2``."""
    return f"{'results' if len(numbers) > 1 else 'result'} {', '.join(map(str, numbers))}"
