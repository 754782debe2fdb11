"""The process that owns a run: it starts the sandboxed worker, writes the journal, and outlives the terminal.

``python -m decentralml.core.training.supervisor RUN_FOLDER``, in a session of its own. It holds the run's
lock for its life, so that a free lock without a final event means a crash; the sandbox dies with it.
"""

import argparse
import contextlib
import math
import os
import selectors
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from decentralml.core import hostile, sandbox
from decentralml.core.errors import DecentralMLError
from decentralml.core.training import job as jobs
from decentralml.core.training import journal, queue
from decentralml.core.training.intake import Intake
from decentralml.core.training.load import Watch, out_of_memory_kills
from decentralml.core.training.locks import hold
from decentralml.core.training.output import Output
from decentralml.core.training.progress import fold
from decentralml.core.training.run_folder import RunFolder

GRACE = 20.0
SAVING = 100.0  # more, for a worker that has obeyed and saves what it has
JOURNAL_BYTES = 256 * 1024 * 1024

_BLOCK = 256 * 1024
_TICK = 0.2
_LOOK = 1.0
_KEEP = 30.0
_LOAD_SECONDS = (2.0, 60.0)
_LOAD_LINES = 5_000


class Supervisor:
    """One attempt at a run, from its place in the queue to its final event."""

    def __init__(self, folder: RunFolder, *, place: int | None = None) -> None:
        self._folder = folder
        self._place = place
        self._file = folder.current()
        # A try that was given up has nothing to save, and is over before a slow sample could see its peak.
        self._grace = 0.0 if self._file.spec.trial else GRACE
        self._load = (0.3, 0.3) if self._file.spec.trial else _LOAD_SECONDS
        self._journal = journal.Writer(folder.journal)
        self._output = Output(folder.log)
        self._terminated = False
        self._claim: journal.Finished | journal.Failed | None = None
        self._kept = 0.0

    def run(self) -> None:
        """Wait for a turn, train, and write how it ended."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_terminate)
        with contextlib.ExitStack() as stack:
            if self._file.queue is not None and not self._admitted(self._file.queue, stack):
                self._end(journal.Stopped())
                return
            try:
                final = self._attempt()
            except DecentralMLError as error:
                final = journal.Failed(
                    error=error.message, hint=error.hint, where="supervisor", code=error.code
                )
            except OSError as error:
                final = journal.Failed(error=f"The run could not go on: {error}.", where="supervisor")
            self._end(final)

    def _on_terminate(self, *_: object) -> None:
        self._terminated = True

    def _told_to_stop(self) -> bool:
        if self._terminated and self._folder.told() != "stop":
            self._folder.tell("stop")
        return self._folder.told() == "stop"

    def _admitted(self, folder: Path, stack: contextlib.ExitStack) -> bool:
        """Whether the run's turn has come; False when it was stopped while it waited."""
        ticket = queue.Ticket(folder, int(self._folder.path.name), self._place)
        stack.callback(ticket.leave)
        said = False
        while not ticket.admitted():
            if self._told_to_stop():
                return False
            if not said:
                said = True
                self._write(journal.Queued(running=ticket.running()))
            time.sleep(_TICK)
        return True

    # --- one attempt --------------------------------------------------------------------------------------

    def _attempt(self) -> journal.Event:
        spec, bounds = self._file.spec, self._file.bounds
        attempt = self._file.progress.attempt + 1
        _sweep(self._folder.out)
        cell = jobs.cell(spec, bounds, self._folder)
        order = jobs.job(spec, cell, resume=attempt > 1)
        (self._folder.job / "job.json").write_bytes(msgspec.json.encode(order))
        protection = sandbox.protection(spec.unsandboxed)
        self._write(
            journal.Started(attempt=attempt, resumed=attempt > 1, protection=protection, pid=os.getpid())
        )
        kills = out_of_memory_kills()
        events, events_end = os.pipe()
        output, output_end = os.pipe()
        try:
            worker = sandbox.popen(
                cell, stdout=output_end, stderr=output_end, fds={3: events_end}, unsandboxed=spec.unsandboxed
            )
        finally:
            os.close(output_end)
            os.close(events_end)
        try:
            ended = self._attend(worker, events, output)
        finally:
            worker.kill()
            code = worker.wait()
            os.close(events)
            os.close(output)
        if ended.excess:
            return journal.Failed(error=ended.excess, where="bounds", code="BoundPassed")
        if isinstance(self._claim, journal.Finished) and code == 0:
            return self._claim
        if ended.stopped:
            return journal.Stopped(forced=ended.forced)
        if isinstance(self._claim, journal.Failed):
            return self._claim
        error = _how(code, out_of_memory_kills() > kills)
        return journal.Failed(error=error, where="worker", code="WorkerEnded")

    def _attend(self, worker: sandbox.Process, events: int, output: int) -> "_Ended":
        """Read, watch and obey until the worker has gone, or has to go."""
        watch = Watch(worker.pid, self._folder.out, self._file.bounds)
        feeds = {events: Intake(self._from_worker).feed, output: self._output.write}
        began = time.monotonic()
        obey = look = load = 0.0
        stopped = False
        deadline = math.inf
        with contextlib.ExitStack() as stack:
            selector = stack.enter_context(selectors.DefaultSelector())
            # Told of its end by descriptor, since a process that was waited for has no bounds to ask about.
            process = os.pidfd_open(worker.pid)
            stack.callback(os.close, process)
            for descriptor in (events, output, process):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                gone = process not in selector.get_map()
                ready = [key.fd for key, _ in selector.select(0 if gone else _TICK)]
                for descriptor in ready:
                    block = b"" if descriptor == process else os.read(descriptor, _BLOCK)
                    if block:
                        feeds[descriptor](block)
                    else:
                        selector.unregister(descriptor)
                if gone and not ready:
                    # Its pipes are empty. Whoever still holds them open goes with the sandbox.
                    return _Ended(worker.exceeded(), stopped or self._told_to_stop())
                now = time.monotonic()
                if now >= obey:
                    obey = now + _TICK
                    stopped = stopped or self._told_to_stop()
                    if stopped or self._claim is not None:
                        deadline = min(deadline, now + (self._grace if stopped else GRACE))
                saving = self._file.progress.phase == "stopping"
                if now > deadline + (SAVING if saving else 0.0):
                    return _Ended("", stopped, forced=True)
                if now >= look:
                    look = now + _LOOK
                    excess = worker.exceeded()
                    if excess or self._journal.offset > JOURNAL_BYTES:
                        return _Ended(excess or "It reported more than a journal takes.", stopped)
                if now >= load:
                    least, most = self._load
                    load = now + min(max((now - began) / _LOAD_LINES, least), most)
                    sample = watch.sample()
                    if sample.rss:
                        self._write(sample)

    # --- the journal --------------------------------------------------------------------------------------

    def _from_worker(self, event: journal.Event) -> None:
        """A final event of the worker's is a claim: it counts once the worker has ended as it says."""
        if isinstance(event, journal.Finished | journal.Failed):
            self._claim = event
        elif self._claim is None:
            self._write(event)
            if isinstance(event, journal.Hello):
                asked = self._file.spec.device
                text = jobs.gpu_warning(asked, event.device, present=jobs.gpus_present())
                if text:
                    self._write(journal.Warning(text=text))

    def _write(self, event: journal.Event) -> None:
        event.t = time.time()
        self._journal.write(event)
        fold(self._file.progress, [event])
        if isinstance(event, journal.Started) or time.monotonic() > self._kept + _KEEP:
            self._keep()

    def _keep(self) -> None:
        self._kept = time.monotonic()
        self._file.offset = self._journal.offset
        self._folder.store(self._file)

    def _end(self, final: journal.Event) -> None:
        self._write(final)
        self._keep()


@dataclass(frozen=True)
class _Ended:
    """Why the worker was attended no longer: a bound passed, an order to stop, a period that ran out."""

    excess: str
    stopped: bool
    forced: bool = False


def _sweep(out: Path) -> None:
    """Take away what an earlier attempt left half done; its checkpoint stays."""
    out.chmod(0o700)
    for path in out.iterdir():
        if path.name == "checkpoint":
            continue
        if path.is_dir() and not path.is_symlink():
            hostile.delete(path)
        else:
            path.unlink()


def _how(code: int, out_of_memory: bool) -> str:
    """How a worker ended that did not say so itself, from its exit code."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if not number:
        return f"The worker ended (exit code {code}) without saying that it finished."
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    why = " The machine ran out of memory meanwhile." if out_of_memory else ""
    return f"The worker was killed ({name}).{why}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="supervisor")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lock", type=int, help="descriptor of the run's lock, held by whoever starts this")
    parser.add_argument("--place", type=int, help="descriptor of its place in the queue")
    arguments = parser.parse_args()
    folder = RunFolder(arguments.folder)
    for descriptor in (arguments.lock, arguments.place):
        if descriptor is not None:
            os.set_inheritable(descriptor, False)
    if arguments.lock is None and hold(folder.lock) is None:
        sys.exit(f"{folder.path} is being run already.")
    Supervisor(folder, place=arguments.place).run()


if __name__ == "__main__":
    main()
