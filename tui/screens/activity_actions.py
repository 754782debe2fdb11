"""What is done with the work under the cursor of Activity: it is stopped, or begun again after it broke."""

from collections.abc import Callable
from functools import partial

from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.training.runs import Run
from decentralml.tui import activity_rows, keys
from decentralml.tui.failures import Again, Failure
from decentralml.tui.judging.work import Stage
from decentralml.tui.run.words import goes_on
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.transfers import Handle
from decentralml.tui.widgets.paged_table import Row


class ActivityActions(MarketScreen):
    """Base of Activity. Its tables ``work`` and ``failed`` have the rows of `activity_rows`."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[Run] = []

    async def show_work(self) -> None:
        """Read again what goes on and what went wrong."""
        raise NotImplementedError

    def look(self) -> None:
        """`show_work`, if the screen is seen."""
        if self.is_current and self.app.session is not None:
            self.work(self.show_work(), group="work", exclusive=True)

    def why_not(self, action: str) -> DecentralMLError | None:
        if action == "stop" and self._stops() is None:
            return Refused(
                "NothingToStop", "There is no transfer under the cursor.", keys.said("{runs} stops runs.")
            )
        if action == "retry" and self._again() is None:
            return Refused(
                "NothingToRetry",
                "What the cursor is on cannot be tried again from here.",
                "What broke since the start can, where its row says so, and a run that did not finish.",
            )
        return super().why_not(action)

    def _again(self) -> Again | None:
        """What `retry` would do: again what broke, or go on with a run that did not finish."""
        row, kind = self.table.row, self.table.id
        if row is None:
            return None
        if kind == "failed":
            failure = self.failure(row)
            return None if failure is None else failure.again
        if kind != "work":
            return None
        match row.key[0]:
            case "transfer":
                handle = self.transfer(row)
                return handle.again if handle is not None and handle.error is not None else None
            case "evaluation":
                judging = self.app.judging
                job = next((job for job in judging.failed() if job.submission_id == row.key[1]), None)
                return None if job is None else partial(judging.evaluate, job.submission_id, job.setup)
        run = next((run for run in self._runs if run.id == row.key[1]), None)
        if run is None or run.state not in activity_rows.RETRYABLE:
            return None
        return partial(self._go_on, run)

    def transfer(self, row: Row) -> Handle | None:
        """The transfer of a row, where it is about one."""
        found = self.app.transfers.newest()
        return next((one for one in found if ("transfer", one.started, one.name) == row.key), None)

    def _go_on(self, run: Run) -> None:
        self.work(self._resume(run))

    async def _resume(self, run: Run) -> None:
        await self.call(self.session.runs.resume, run.id)
        self.app.say(f"Run {run.id} {goes_on(run)}.")
        await self.show_work()

    def action_retry(self) -> None:
        again = self._again()
        assert again is not None, "what cannot be done again has a reason"
        again()
        self.look()

    def _stops(self) -> Callable[[], None] | None:
        """What ends the transfer or the evaluation under the cursor."""
        row = self.table.row
        if row is None or self.table.id != "work":
            return None
        if row.key[0] == "transfer":
            handle = self.transfer(row)
            return None if handle is None or handle.ended is not None else handle.cancel
        job = self.app.judging.job(row.key[1]) if row.key[0] == "evaluation" else None
        going = job is not None and job.stage in (Stage.waiting, Stage.working)
        return partial(self.app.judging.cancel, row.key[1]) if going else None

    def action_stop(self) -> None:
        stop = self._stops()
        assert stop is not None, "what cannot be stopped has a reason"
        stop()
        self.look()

    def failure(self, row: Row) -> Failure | None:
        """The failure of a row."""
        return next((one for one in self.app.failures.newest() if one.key == row.key), None)
