"""A dialog that works while it is open: in the background, with progress, and up to a signature."""

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from rich.text import Text
from textual.widgets import Static

from decentralml.core.chain.base import Receipt
from decentralml.core.domain import Task
from decentralml.core.errors import Interrupted
from decentralml.core.text import clean
from decentralml.core.words import size
from decentralml.tui import background
from decentralml.tui.failures import Again
from decentralml.tui.guarded import found_nothing, ours
from decentralml.tui.hints import explain
from decentralml.tui.screens.dialog import Answer, Ask, Dialog
from decentralml.tui.screens.sign import sign
from decentralml.tui.session import Session
from decentralml.tui.signing.proposal import Proposal

T = TypeVar("T")
_PACKAGES = 30
_LEFT_SECONDS = 0.2


class Working(Dialog[Answer], Generic[Answer]):
    """Has a `Static` with the id ``problem``, in which it says how far it is and what went wrong."""

    @property
    def session(self) -> Session:
        return self.app.opened

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A blocking ``function`` on a background thread."""
        return await background.call(function, *args, **kwargs)

    def work(self, coroutine: Coroutine[Any, Any, Any], *, group: str = "default") -> None:
        """Run ``coroutine`` on the loop; what it raises is said in the dialog, and kept for Activity."""
        self.run_worker(self._said(coroutine), group=group)

    async def _said(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            await coroutine
        except Exception as error:
            if found_nothing(error, self):
                return
            found = ours(error)
            if not self.query("#problem"):  # it was left
                self.app.show_error(found, otherwise=self._title)
                return
            if not isinstance(found, Interrupted):
                self.app.note(found, self._title, self.again())
            self.say(explain(found), bad=True)
            self.broke()

    def again(self) -> Again | None:
        """What a retry from Activity does after a failure in here; None where none makes sense."""
        return None

    def opening(self, make: Callable[[], Dialog[Any]]) -> Again:
        """A retry that opens a dialog as it is at first."""
        app = self.app

        def again() -> None:
            app.push_screen(make())

        return again

    def broke(self) -> None:
        """Something failed and was said: the dialog goes back to where it can be tried again."""

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line on how far it is, or what went wrong."""
        for line in self.query("#problem").results(Static):  # none where the dialog was left meanwhile
            line.set_class(not bad, "-quiet")
            line.update(Text(clean(text)))

    async def sign(self, proposal: Proposal) -> Receipt | None:
        """Show what would be signed, and send it on a yes; the receipt, or None."""
        return await sign(self.app, proposal)

    async def fetch(self, task: Task) -> None:
        """Bring the task's files here, verified, and say how far they are."""
        from decentralml.tui.task import verbs as task_verbs

        self.say("looking at the task's files…")
        await task_verbs.fetch(self.app, task, self.say)
        self.say("")

    def consent(self, size_: int, packages: list[str]) -> bool:
        """Ask whether an environment may be made; of the thread that would make it. Blocks.

        No, where the dialog was left meanwhile, or the app.
        """
        much = size(size_) if size_ else "the index does not say how much"
        listed = "\n".join(clean(package) for package in packages[:_PACKAGES])
        more = f"\nand {len(packages) - _PACKAGES} more" if len(packages) > _PACKAGES else ""
        text = (
            f"The task asks for Python packages that this program does not have. They are fetched as "
            f"wheels, into an environment of their own; nothing of them runs now.\n\n{much}\n\n{listed}{more}"
        )
        answer: Future[bool | None] = Future()

        def ask() -> None:
            self.app.push_screen(Ask("Fetch an environment", text, yes="Fetch"), answer.set_result)

        here = self.call_later(ask)
        while here:
            try:
                return bool(answer.result(_LEFT_SECONDS))
            except TimeoutError:
                here = self.is_running  # a dialog that is left answers nothing
        return False
