"""Signed calls, each submitted to copies of a ledger by children that are killed. See `kill_each`.

argv: base ledger, folder, the system call, at which count strace kills, clock, names of extrinsic files.
"""

import json
import shutil
import sys
from pathlib import Path

import kill_each

from decentralml.core.chain import codec
from decentralml.core.chain.base import Extrinsic
from decentralml.core.chain.ledger import Ledger


def main() -> None:
    base, folder, name, kills_at, clock, *extrinsics = sys.argv[1:]
    counts = {}
    for file in extrinsics:
        body = (Path(base).parent / file).read_bytes()
        payload = codec.open_sealed(body)
        assert not isinstance(payload.call, codec.Fund)
        extrinsic = Extrinsic(payload.call, payload.signer, payload.nonce, codec.sha256(body), body)

        def place(number: int, file: str = file) -> Path:
            made = Path(folder) / f"{name}-{file}-{number}"
            made.mkdir()
            shutil.copy(base, made / "ledger.sqlite")
            shutil.copy(Path(base).parent / "seen.json", made / "seen.json")
            return made

        def work(at: Path, extrinsic: Extrinsic = extrinsic) -> None:
            submit(at, float(clock), extrinsic)

        counts[file] = kill_each.until_one_lives(name, int(kills_at), place, work)
    sys.stdout.write(json.dumps(counts))


def submit(place: Path, clock: float, extrinsic: Extrinsic) -> None:
    ledger = Ledger(place / "ledger.sqlite", seen=place / "seen.json", now=lambda: clock)
    ledger.submit(extrinsic)
    ledger.close()


if __name__ == "__main__":
    main()
