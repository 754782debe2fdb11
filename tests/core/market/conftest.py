"""Two people over one real ledger and one real folder store, their clock in the test's hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain import genesis
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.ledger import Ledger
from decentralml.core.config import Settings
from decentralml.core.domain import AnnotationType, ValidationStrategy
from decentralml.core.market import Market
from decentralml.core.paths import Home
from decentralml.core.storage import local
from decentralml.core.wallet import keys

BLOCK_TIME = 6


@dataclass
class Clock:
    """Seconds that pass only when told to."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_blocks(self, count: int) -> None:
        self.now += count * BLOCK_TIME


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    path = tmp_path / "ledger" / "ledger.sqlite"
    genesis.create(path, block_time=BLOCK_TIME, work_period=80, review_period=10, now=clock)
    chain = Ledger(path, seen=None, now=clock, patience=0.2)
    yield chain
    chain.close()


@pytest.fixture
def person(tmp_path: Path, ledger: Ledger) -> Callable[[str], Market]:
    """A funded person by name: always the same key, a home of their own."""

    def make(name: str, units: int = 100) -> Market:
        signer = keys.from_seed("0x" + name.encode().hex().ljust(64, "0"), keys.Crypto.sr25519)
        if units:
            ledger.fund(signer.address, units * UNIT)
        root = tmp_path / "storage"
        if not root.exists():
            local.create(root)
        return Market(ledger, local.LocalStorage(root), Home(tmp_path / "homes" / name), Settings(), signer)

    return make


@pytest.fixture
def ada(person: Callable[[str], Market]) -> Market:
    return person("ada")


@pytest.fixture
def bob(person: Callable[[str], Market]) -> Market:
    return person("bob")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(f"text {name}")
    return folder


@pytest.fixture
def publish(texts: Path) -> Callable[..., Receipt]:
    """Publish a labelling task: nothing has to be trained for it."""

    def call(creator: Market, *, pays: int = 2 * UNIT, slots: int = 1, **changes: object) -> Receipt:
        terms = {
            "question": "Cat or dog?",
            "pays_amount": pays,
            "expiration_block": 1000,
            "max_assignments": slots,
            "validation_strategy": ValidationStrategy.ManualAccept,
            "annotation_type": AnnotationType.Text,
            "annotation_files": texts,
            "annotation_class_labels": "cat,dog",
        }
        return creator.create_task_data_annotator(**{**terms, **changes})

    return call
