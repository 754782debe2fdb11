"""The journal of a run: one JSON event a line, as the worker sends them and as ``journal.jsonl`` has them.

The supervisor alone writes it. What comes from the worker is a claim of a stranger's script: it is
checked against `WORKER_EVENT`, which knows nothing of the kinds that only the supervisor may write.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from decentralml.core.text import clean

MAX_LINE = 64 * 1024

Name = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=MAX_LINE)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Shape = Annotated[list[Count | None], Meta(max_length=16)]
Names = Annotated[list[Name], Meta(max_length=200)]
# A script may say anything of time: within these bounds all that follows from it can be reckoned out.
# By a `Divisor` is divided.
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Divisor = Annotated[float, Meta(ge=1e-9, le=1e9)]
# NaN and infinity travel as None beside their name in ``nonfinite``.
Metrics = Annotated[dict[Name, float | None], Meta(max_length=200)]


class Event(Struct, kw_only=True, tag_field="kind", tag=str.lower, omit_defaults=True):
    """Something that happened in a run. ``t``: unix seconds, stamped by the supervisor."""

    t: float = 0.0


class Hello(Event):
    """The worker has imported Keras. ``device``: what trains; ``gpus``: what is there."""

    python: Name = ""
    keras: Name = ""
    tensorflow: Name = ""
    device: Name = ""
    gpus: Names = field(default_factory=list)


class Data(Event):
    """The data are loaded: ``samples`` to train on, ``holdout`` kept back, ``digest`` over both."""

    samples: Count | None = None
    holdout: Count | None = None
    x_shape: Shape | None = None
    y_shape: Shape | None = None
    classes: Count | None = None
    digest: Name | None = None


class Fit(Event):
    """A call of ``Model.fit`` begins. ``fit``: its ordinal; ``steps``: batches an epoch where known."""

    fit: Count = 0
    epochs: Count = 0
    steps: Count | None = None
    initial_epoch: Count = 0
    metrics: Names = field(default_factory=list)


class Step(Event):
    """A batch has ended. ``metrics`` are running means of the epoch; ``seconds`` since the epoch began."""

    fit: Count = 0
    epoch: Count = 0
    step: Count = 0
    steps: Count | None = None
    metrics: Metrics = field(default_factory=dict)
    nonfinite: Names = field(default_factory=list)
    rate: Divisor | None = None
    seconds: Seconds | None = None


class Epoch(Event):
    """An epoch has ended, with what Keras puts in its History."""

    fit: Count = 0
    epoch: Count = 0
    metrics: Metrics = field(default_factory=dict)
    nonfinite: Names = field(default_factory=list)
    lr: float | None = None
    seconds: Seconds | None = None


class Checkpoint(Event):
    """Weights and optimizer are kept; a resume begins after this epoch."""

    fit: Count = 0
    epoch: Count = 0
    bytes: Count = 0


class Paused(Event):
    """The worker waits at a batch end."""


class Resumed(Event):
    """The worker goes on after a pause."""


class Stopping(Event):
    """The worker was told to stop and obeys."""


class Warning(Event):
    """Something a person should know; the run goes on."""

    text: Text = ""


class Evaluated(Event):
    """The worker's own figures on held-out data: a claim, never a fact."""

    metrics: Metrics = field(default_factory=dict)
    baseline: Metrics | None = None
    nonfinite: Names = field(default_factory=list)


class Saved(Event):
    """The result stands in ``folder``, a name below the run's out/."""

    folder: Name = ""
    model_name: Name = ""
    parameters: Count | None = None


class Tried(Event):
    """A trial is over: bytes of memory, seconds and samples an epoch, samples a batch, parameters."""

    peak_memory: Count = 0
    seconds_epoch: Divisor | None = None
    samples: Count | None = None
    batch: Count | None = None
    parameters: Count | None = None
    folder: Name = ""


class Finished(Event):
    """The script came to its end. Final."""


class Failed(Event):
    """It broke. ``where``: the part of the work; ``code``: a name for the reason. Final."""

    error: Text = ""
    traceback: Text = ""
    where: Name = ""
    hint: Text = ""
    code: Name = ""


class Queued(Event):
    """The run waits for its turn; ``running`` others hold the slots."""

    running: Count = 0


class Started(Event):
    """An attempt begins: the first, or one that ``resumed`` from the last checkpoint."""

    attempt: Count = 1
    resumed: bool = False
    protection: Name = ""
    pid: Count = 0


class Load(Event):
    """What the sandbox takes: ``cpu`` in percent of one core, ``rss`` and ``disk`` (of out/) in bytes."""

    cpu: float = 0.0
    rss: Count = 0
    disk: Count = 0
    processes: Count = 0


class Stopped(Event):
    """A person ended it. ``forced``: the grace period ran out. Final."""

    forced: bool = False


FROM_WORKER = (
    Hello
    | Data
    | Fit
    | Step
    | Epoch
    | Checkpoint
    | Paused
    | Resumed
    | Stopping
    | Warning
    | Evaluated
    | Saved
    | Tried
    | Finished
    | Failed
)
ANY = FROM_WORKER | Queued | Started | Load | Stopped
FINAL = (Finished, Failed, Stopped)

_worker_line = msgspec.json.Decoder(FROM_WORKER)
_journal_line = msgspec.json.Decoder(ANY)
_encoder = msgspec.json.Encoder()


def from_worker(line: bytes) -> Event:
    """The event in a line that a worker sent, without control and bidi characters.

    Raises `msgspec.DecodeError` for what is no event, or one that only the supervisor may write.
    """
    event: Event = _worker_line.decode(line)
    if not line.isascii() or b"\\" in line or b"\x7f" in line:
        for name in event.__struct_fields__:
            setattr(event, name, _cleaned(getattr(event, name), keep_newlines=name == "traceback"))
    return event


def _cleaned(value: Any, *, keep_newlines: bool) -> Any:
    if isinstance(value, str):
        return clean(value, keep_newlines=keep_newlines)
    if isinstance(value, list):
        return [_cleaned(item, keep_newlines=keep_newlines) for item in value]
    if isinstance(value, dict):
        return {clean(key): item for key, item in value.items()}
    return value


class Writer:
    """Appends events, one write a line, so that a reader sees a line whole or not yet at all.

    Raises `OSError` when the disk is full; what was torn by it is closed by the next writer.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.offset = os.fstat(self._file).st_size
        if self.offset and os.pread(self._file, 1, self.offset - 1) != b"\n":
            self.offset += os.write(self._file, b"\n")

    def write(self, event: Event) -> None:
        line = _encoder.encode(event) + b"\n"
        written = os.write(self._file, line)
        self.offset += written
        if written != len(line):
            raise OSError(28, "No space left on device")

    def close(self) -> None:
        os.close(self._file)


def read(path: Path, offset: int = 0, most: int = -1) -> tuple[list[Event], int]:
    """The events from byte ``offset`` on, of at most ``most`` bytes, and the offset to go on from.

    A last line without its newline is not read yet; a line that is no event (torn by a crash, or of
    a newer version) is passed over. No file yet: nothing.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read(most)
    except FileNotFoundError:
        return [], offset
    block = block[: block.rfind(b"\n") + 1]
    return _events(block), offset + len(block)


def _events(block: bytes) -> list[Event]:
    try:
        return list(_journal_line.decode_lines(block))
    except (msgspec.DecodeError, UnicodeDecodeError):
        events: list[Event] = []
        for line in block.splitlines():
            try:
                events.append(_journal_line.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        return events
