"""Run under strace, which kills each child at its n-th call of one system call.

strace counts a system call for every process by itself, from the first. So each child makes some
harmless ones before it opens the ledger: one fewer than the child before, so that the kill falls
one call later in the work each time, until a child gets through.

argv: base ledger, folder, the system call, at which count strace kills, clock, names of extrinsic files.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from decentralml.core.chain import codec
from decentralml.core.chain.base import Extrinsic
from decentralml.core.chain.ledger import Ledger


def main() -> None:
    base, folder, name, kills_at, clock, *extrinsics = sys.argv[1:]
    counts = {}
    for file in extrinsics:
        body = (Path(base).parent / file).read_bytes()
        payload = codec.open_sealed(body)
        extrinsic = Extrinsic(payload.call, payload.signer, payload.nonce, codec.sha256(body), body)
        for number in range(1, int(kills_at) + 1):
            place = Path(folder) / f"{name}-{file}-{number}"
            place.mkdir()
            shutil.copy(base, place / "ledger.sqlite")
            shutil.copy(Path(base).parent / "seen.json", place / "seen.json")
            child = os.fork()
            if child == 0:
                make_harmless_calls(name, int(kills_at) - number, place / "scratch")
                submit(place, float(clock), extrinsic)
                os._exit(0)
            status = os.waitpid(child, 0)[1]
            if os.WIFEXITED(status):
                assert os.WEXITSTATUS(status) == 0
                counts[file] = number - 1
                break
    sys.stdout.write(json.dumps(counts))


def make_harmless_calls(name: str, count: int, scratch: Path) -> None:
    descriptor = os.open(scratch, os.O_RDWR | os.O_CREAT)
    for _ in range(count):
        if name == "pwrite64":
            os.pwrite(descriptor, b"x", 0)
        elif name == "fdatasync":
            os.fdatasync(descriptor)
        elif name == "fsync":
            os.fsync(descriptor)
        else:
            os.rename(scratch, scratch)
    os.close(descriptor)


def submit(place: Path, clock: float, extrinsic: Extrinsic) -> None:
    ledger = Ledger(place / "ledger.sqlite", seen=place / "seen.json", now=lambda: clock)
    ledger.submit(extrinsic)
    ledger.close()


if __name__ == "__main__":
    main()
