"""What one does with a task, from whichever screen: awaited inside `MarketScreen.work`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from decentralml.core.chain.base import Receipt
from decentralml.core.domain import Task, TaskType
from decentralml.core.errors import DecentralMLError
from decentralml.core.market import Market
from decentralml.core.text import short_address
from decentralml.tui import background
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.signing import proposals
from decentralml.tui.task import facts as task_facts
from decentralml.tui.transfers import Handle
from decentralml.tui.words import transfer

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp
    from decentralml.tui.screens.base import MarketScreen

_PROGRESS_SECONDS = 0.5


async def take(screen: "MarketScreen", task_id: int) -> Receipt | None:
    """Take a slot. Where the only free one is overdue: time it out first, which is a signed call too."""
    session = screen.session
    if session.address is not None and not session.readonly:
        slot = await screen.call(session.market.overdue_slot, task_id)
        if slot is not None:
            text = (
                f"Every slot of task {task_id} is held, but {short_address(slot.worker)} is overdue with "
                f"submission {slot.id}.\n\nTwo calls, each signed by itself: first that one is timed out "
                "(its deposit goes to the creator), then the slot is yours to take. Somebody may come "
                "between."
            )
            if not await screen.app.push_screen_wait(Ask("Time out, then take", text, yes="Go on")):
                return None
            if await screen.propose(proposals.time_out, slot.id) is None:
                return None
    return await screen.propose(proposals.assign, task_id)


async def try_first(screen: "MarketScreen", task_id: int) -> None:
    """Train a few batches in the sandbox before a slot is held; an annotator's files are looked at."""
    task = await screen.call(screen.session.chain.task, task_id)
    if task.terms.task_type is TaskType.DataAnnotators:
        _label(screen, task)
        return
    from decentralml.tui.screens.try_task import TryTask

    await screen.app.push_screen_wait(TryTask(task_id))


async def set_up(screen: "MarketScreen", task_id: int) -> None:
    """Show the task's setup.sh and what it may touch, and run it after a yes."""
    from decentralml.tui.screens.set_up import SetUp

    await screen.app.push_screen_wait(SetUp(task_id))


async def deliver(screen: "MarketScreen", task_id: int) -> None:
    """Send the result of my submission of a task; an annotator labels first."""
    session = screen.session
    mine = await screen.call(task_facts.my_submission, session, task_id)
    task = await screen.call(session.chain.task, task_id)
    refusal = await screen.call(
        session.may, "send_task_result", submission_id=None if mine is None else mine.id
    )
    if mine is None:
        raise task_facts.not_taken(task)
    if refusal is not None:
        raise refusal
    if task.terms.task_type is TaskType.DataAnnotators:
        _label(screen, task)
        return
    from decentralml.tui.screens.send import SendResult

    await screen.app.push_screen_wait(SendResult(mine.id))


def _label(screen: "MarketScreen", task: Task) -> None:
    from decentralml.tui.screens.label import LabelFiles

    screen.app.push_screen(LabelFiles(task.id))


async def train(screen: "MarketScreen", task_id: int) -> None:
    """Start a training run of a task, and show it live."""
    from decentralml.tui.screens.train import start

    await start(screen, task_id)


async def fetch(app: "DecentralMLApp", task: Task, say: Callable[[str], object] | None = None) -> None:
    """Bring the task's folder to this machine, verified, and ``say`` how far it is. Activity shows it too.

    It is brought whole, and tried again, whether or not the screen that asked for it is still there.
    """

    def again() -> None:
        app.run_worker(app.guarded(fetch(app, task)))

    def tell() -> None:
        if say is not None and handle.progress is not None:
            say(transfer(handle.progress))

    handle = app.transfers.start(f"files of task {task.id}", again=again)
    timer = app.set_interval(_PROGRESS_SECONDS, tell)
    try:
        with app.failures.during(f"fetching the {handle.name}", again):
            await background.call(_fetch, app.opened.market, task, handle)
    finally:
        timer.stop()


def _fetch(market: Market, task: Task, handle: Handle) -> None:
    try:
        market.fetch_assets(task, on_progress=handle.on_progress)
    except DecentralMLError as error:
        handle.end(error)
        raise
    handle.end()
