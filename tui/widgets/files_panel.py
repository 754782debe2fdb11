"""A task's files as a tree of folders: fetched, verified, and opened in the viewer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from decentralml.core.domain import manifest_digest
from decentralml.core.text import clean
from decentralml.core.words import size
from decentralml.tui import background, keys
from decentralml.tui.task import assets
from decentralml.tui.task import verbs as task_verbs
from decentralml.tui.task.facts import Facts
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

COLUMNS = (
    Column("name", "FILE", 22, flexible=True, priority=100),
    Column("about", "", 14, priority=20),
    Column("size", "SIZE", 8, right=True, priority=80),
)


class FilesPanel(Vertical):
    """The files of the task of which it is shown the facts."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    class Fetched(Message):
        """The files are on this machine now, verified."""

    def __init__(self, *, id: str, classes: str) -> None:
        super().__init__(id=id, classes=classes)
        self._facts: Facts | None = None
        self._tree: list[assets.Node] = []
        self._folded: set[str] = set()
        self._verified = False

    def compose(self) -> ComposeResult:
        yield Static("FILES", classes="title")
        yield Static("", id="fetching")
        yield PagedTable(COLUMNS, self._fetch_rows, empty="No files.", id="asset-table")

    def on_mount(self) -> None:
        self.query_one("#fetching").display = False

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)

    @property
    def title(self) -> str:
        """Their size, and where they are; or why there are none."""
        facts = self._facts
        if facts is None or facts.manifest is None:
            problem = facts.manifest_problem if facts else ""
            return f"FILES  {clean(problem)}" if problem else "FILES"
        where = (
            "verified"
            if self._verified
            else "on this machine"
            if facts.fetched
            else keys.said("{open} fetches them")
        )
        return f"FILES  {size(facts.manifest.size)}, {where}"

    async def show(self, facts: Facts) -> None:
        """Show the task's files as they are now."""
        self._facts = facts
        if facts.manifest is not None and not self._tree:
            self._tree = assets.nodes(facts.manifest)
            self._folded = assets.closed_at_first(self._tree)
        await self.table.reload()

    async def _fetch_rows(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        rows = assets.rows(self._tree, self._folded)
        return rows[offset : offset + limit], len(rows)

    @property
    def node(self) -> assets.Node | None:
        """The file or folder under the cursor."""
        row = self.table.row
        return next((node for node in self._tree if row is not None and node.name == row.key), None)

    def fold(self, *, shut: bool) -> bool:
        """Shut or open the folder under the cursor; whether there was anything to shut or open."""
        node = self.node
        if node is None or not node.folder or shut == (node.name in self._folded):
            return False
        self._folded ^= {node.name}
        self.run_worker(self.app.guarded(self.table.reload()))
        return True

    async def open(self) -> None:
        """Open or shut a folder; fetch the files, and show the one under the cursor."""
        node, facts = self.node, self._facts
        if node is None or facts is None:
            return
        if node.folder and not node.model:
            self.fold(shut=node.name not in self._folded)
            return
        await self.fetch()
        if not self.screen.is_active:  # one has gone elsewhere meanwhile
            return
        from decentralml.tui.screens.viewer import Viewer

        reference, session = facts.task.terms.assets, self.app.session
        assert reference is not None, "the rows are those of the task's files"
        assert session is not None, "who has read facts has a session"
        kept = await background.call(lambda: session.home.assets)
        self.app.push_screen(Viewer(kept / manifest_digest(reference[1]), node.name, model=node.model))

    async def fetch(self) -> None:
        """Bring the files here, verified, and show how far they are."""
        if self._facts is None or self._verified:
            return
        line = self.query_one("#fetching", Static)
        line.display = True
        line.update("looking at the files…")
        try:
            await task_verbs.fetch(self.app, self._facts.task, line.update)
        finally:
            line.display = False
        self._verified = True
        self.post_message(self.Fetched())
