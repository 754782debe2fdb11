"""How fast a journal of 100,000 events is read again, beside parsing the same lines with json."""

import json
import tempfile
import time
from pathlib import Path

from decentralml.core.training import journal
from decentralml.core.training.curves import Curves
from decentralml.core.training.progress import Progress, fold

EVENTS = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal.jsonl"
        writer = journal.Writer(path)
        began = time.perf_counter()
        for n in range(EVENTS):
            metrics = {"loss": 1 / (n + 1), "accuracy": 0.5}
            writer.write(
                journal.Step(t=1e9 + n, fit=1, epoch=1 + n // 100, step=n % 100, steps=100, metrics=metrics)
            )
        written = time.perf_counter()
        events, _ = journal.read(path)
        read = time.perf_counter()
        fold(Progress(), events)
        folded = time.perf_counter()
        Curves(path.parent).refresh()
        drawn = time.perf_counter()
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        control = time.perf_counter()
        assert len(lines) == len(events) == EVENTS
        print(f"journal of {EVENTS:,} events, {path.stat().st_size / 1e6:.1f} MB")
        print(f"  write    {1e6 * (written - began) / EVENTS:8.1f} us an event")
        print(f"  read     {read - written:8.3f} s")
        print(f"  fold     {folded - read:8.3f} s")
        print(f"  curves   {drawn - folded:8.3f} s   (reading included)")
        print(f"  control  {control - drawn:8.3f} s   (json.loads of each line)")


if __name__ == "__main__":
    main()
