"""What is found out before a run is ordered: about its task, its data, and what it may touch."""

from dataclasses import dataclass
from pathlib import Path

from decentralml.core import named_path, sandbox, work
from decentralml.core.domain import ResultSubmissionStatus, Submission, Task
from decentralml.core.errors import Failed, Misused, Refused, Unavailable
from decentralml.core.sandboxed import npz
from decentralml.core.text import clean
from decentralml.core.training.run_folder import RunSpec
from decentralml.core.words import size
from decentralml.tui.session import Session
from decentralml.tui.task import facts as task_facts
from decentralml.tui.widgets.prose import Field

_TYPES = {"u": "uint", "i": "int", "f": "float"}


@dataclass(frozen=True)
class Ready:
    """What the form has found out about a task before it is filled in.

    ``spec``: the order, None where an environment has to be made first: then ``packages`` and ``fetch``
    (bytes, 0: not told) say which. ``mine``: the account's submission, whatever became of it.
    ``no_sandbox``: why there is none here.
    """

    task: Task
    mine: Submission | None
    folder: Path
    spec: RunSpec | None
    packages: tuple[str, ...]
    fetch: int
    setup: bool
    no_sandbox: str

    @property
    def slot(self) -> Submission | None:
        """What the result of a run would be delivered for."""
        held = self.mine is not None and self.mine.status is ResultSubmissionStatus.Assigned
        return self.mine if held else None


def get_ready(session: Session, task: Task) -> Ready:
    """Look at the task's folder, its requirements, and at the sandbox. Blocks."""
    market = session.market
    asked: list[tuple[int, list[str]]] = []

    def note(size: int, packages: list[str]) -> bool:
        asked.append((size, packages))
        return False

    spec: RunSpec | None = None
    try:
        spec = work.run_spec(market, task, data=None, epochs=1, consent=note)
    except Refused as error:
        if error.code != "Declined" or not asked:
            raise
    setup = work.read_setup(market, task)
    probe = sandbox.probe()
    mine = task_facts.my_submission(session, task.id)
    return Ready(
        task=task,
        mine=mine,
        folder=work.folder(market, task),
        spec=spec,
        packages=tuple(asked[0][1]) if asked else (),
        fetch=asked[0][0] if asked else 0,
        setup=setup is not None and bool(setup.script.strip()),
        no_sandbox="" if probe.ok else clean(probe.detail),
    )


def card(session: Session, spec: RunSpec) -> list[Field]:
    """What a run may touch, as fields; long paths of this program's own are named. Blocks."""
    own = {str(spec.assets): "the task's files", str(session.home.runs / "N"): "the run's own folder"}
    try:
        lines = session.runs.card(spec)
    except Unavailable as error:
        return [("protection", ((clean(error.message), "bad"),))]
    fields: list[Field] = []
    for line in lines:
        for path, name in own.items():
            line = line.replace(path, name)
        label, _, value = clean(line).partition(" ")
        fields.append((label, (value.strip(),)))
    return fields


@dataclass(frozen=True)
class Says:
    """What a look at the data has found, in a line, and whether a run can begin with them."""

    ok: bool
    text: str


def look_at_data(path: Path | None, assets: Path) -> Says:
    """Whether ``path`` looks like data for the task in ``assets``. Reads headers alone. Blocks."""
    if path is None:
        return Says(True, "the script's own load_data()")
    try:
        kind_of = named_path.kind(path)
    except Misused as error:
        return Says(False, clean(error.message))
    if kind_of not in ("file", "folder"):
        return Says(False, clean(f"There is nothing at {path}."))
    if kind_of == "file" and path.suffix != ".npz":
        return Says(False, clean(f"{path.name} is no .npz; np.savez(path, x=x, y=y) writes one."))
    try:
        found = npz.look(path, assets)
    except Failed as error:
        return Says(False, clean(error.message))
    if not found:
        return Says(True, f"a folder, read by the task's {npz.LOAD_FOLDER}")
    words = "   ".join(f"{name} {_shape(header)}" for name, header in found.items())
    return Says(True, clean(f"{words}   {size(path.stat().st_size)}"))


def _shape(header: npz.Header) -> str:
    """``12x28x28 uint8``."""
    bits = header.descr.lstrip("<>|=")[1:]
    type_ = f"{_TYPES[header.kind]}{int(bits) * 8}" if header.kind in _TYPES else header.descr[:8]
    return f"{'x'.join(map(str, header.shape))} {type_}"
