"""A market in one folder: a ledger, a store, and people whose keys are their names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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

PEOPLE = ("ada", "bob", "eve")
FUNDS = 100 * UNIT
PAYS = 2 * UNIT
REPORTED = "reported"  # a link, whose making no test kills: the verb returned, and its person was told


def make(at: Path, clock: float) -> None:
    """Everybody funded; ada's task 1 taken by bob (submission 1) and delivered by eve (submission 2)."""
    for name in ("texts", "more", "answers"):
        (at / name).mkdir(parents=True)
    for number in range(2):
        (at / "texts" / f"{number}.txt").write_text(f"text {number}")
        (at / "more" / f"{number}.txt").write_text(f"another text {number}")
    (at / "answers" / "answers.json").write_text('{"0.txt": "cat", "1.txt": "dog"}')
    genesis.create(at / "ledger" / "ledger.sqlite", now=lambda: clock)
    local.create(at / "storage")
    with opened(at, clock) as people:
        for person in people.values():
            person.chain.fund(person.signer.address, FUNDS)
        publish(people["ada"], at / "texts", question="Cat or dog?")
        for name in ("bob", "eve"):
            people[name].assign_task(1)
        people["eve"].send_task_result(2, result='{"0.txt": "cat", "1.txt": "cat"}')


@contextmanager
def opened(at: Path, clock: float) -> Iterator[dict[str, Market]]:
    """Everybody's market over the one ledger and the one store in ``at``, by name."""
    ledger = Ledger(at / "ledger" / "ledger.sqlite", seen=at / "seen.json", now=lambda: clock)
    store = local.LocalStorage(at / "storage")
    try:
        yield {
            name: Market(ledger, store, Home(at / "homes" / name), Settings(), _key(name)) for name in PEOPLE
        }
    finally:
        ledger.close()


def publish(creator: Market, folder: Path, *, question: str, slots: int = 2) -> Receipt:
    return creator.create_task_data_annotator(
        question=question,
        pays_amount=PAYS,
        expiration_block=1000,
        max_assignments=slots,
        validation_strategy=ValidationStrategy.ManualAccept,
        annotation_type=AnnotationType.Text,
        annotation_files=folder,
        annotation_class_labels="cat,dog",
    )


def do(people: dict[str, Market], at: Path, verb: str) -> None:
    """ada's "create" of a second task, bob's "send" to the first, or her "accept" of what eve delivered."""
    if verb == "create":
        publish(people["ada"], at / "more", question="Another?")
    elif verb == "send":
        people["bob"].send_task_result(1, result_path=at / "answers")
    else:
        people["ada"].accept_task_results(2)


def _key(name: str) -> keys.UnlockedSigner:
    return keys.from_seed("0x" + name.encode().hex().ljust(64, "0"), keys.Crypto.sr25519)
