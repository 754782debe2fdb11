"""The acts of the demo: open a market, work in it, judge, federate, settle."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct

from decentralml.core.amount import parse_amount
from decentralml.core.demo import cheats, props
from decentralml.core.demo.person import Person
from decentralml.core.errors import Failed
from decentralml.core.paths import Home
from decentralml.core.words import count

CREATOR = "ada"
CONTRIBUTORS = ("bo", "chi", "dev", "eli", "fay", "gus", "hal", "ivy")
ENGINEER = "zoe"
PAYS, ENGINEER_PAYS = "12", "20"
EPOCHS = 4
_AT_ONCE = 2

Say = Callable[[str], None]


class Part(Struct, frozen=True, kw_only=True):
    """What became of one worker. ``paid`` and balances are planck; ``how`` is how they worked."""

    name: str
    role: str
    submission_id: int
    how: str
    accuracy: float | None
    claimed: float | None
    decision: str
    reason: str
    paid: int


class Outcome(Struct, frozen=True, kw_only=True):
    """The whole market at the end: figures are accuracies on the creator's held-out data."""

    home: Path
    people: tuple[Part, ...]
    baseline: float | None
    federated: float | None
    federated_of: int
    apart: int
    refunded: int
    creator_before: int
    creator_after: int
    funds_before: int
    funds_after: int
    verified_rows: int


class Play:
    """One market in ``home``, which is the creator's; the others live below it, under people/."""

    def __init__(
        self,
        home: Home,
        *,
        contributors: int = 3,
        seed: int = 0,
        say: Say = lambda text: None,
        strategy: str = "custom",
    ) -> None:
        self.home = home
        self.root = home.root or home.data_dir
        self.seed = seed
        self.say = say
        self._strategy = strategy
        self.creator = Person(CREATOR, self.root)
        self.contributors = [self._worker(name) for name in CONTRIBUTORS[:contributors]]
        self.engineer = self._worker(ENGINEER)
        self.data = self.root / "data"
        self.folders = self.root / "tasks"
        self.held_out = self.data / "held-out.npz"
        self.policy = self.folders / "validation.py"
        self.task = self.engineers_task = self.offered_task = 0
        # Only the play knows who cheats: nothing of it reaches the creator.
        rng = random.Random(seed)
        self._cheat = rng.choice(self.contributors).name
        self._how = rng.choice(cheats.HOW)
        self._rng = rng

    @property
    def workers(self) -> list[Person]:
        return [*self.contributors, self.engineer]

    def _worker(self, name: str) -> Person:
        return Person(
            name,
            self.root / "people" / name,
            chain=f"local:{self.home.ledger}",
            storage=f"local:{self.home.storage}",
        )

    def perform(self) -> Outcome:
        """All acts, one after the other. Raises `Failed` ("DemoFailed") where a command goes wrong."""
        funds = self.open()
        creator = int(self.creator.do("account", "show")["held"]) + self._free(self.creator)
        self.work()
        self.judge()
        return self.settle(funds, creator)

    # The acts

    def open(self) -> int:
        """Accounts, money, data, a base model, two tasks with their rewards in escrow. Returns all funds."""
        self.say(f"{len(self.workers) + 1} people open their accounts; {CREATOR} trains a base model.")
        for folder in (self.data, self.folders):
            folder.mkdir(parents=True, exist_ok=True)
        own_x, own_y, _ = props.deal(self.seed, len(self.workers))
        own = props.save(self.data / "own.npz", own_x, own_y)
        props.save(self.held_out, own_x[: props.HELD_OUT], own_y[: props.HELD_OUT])
        self.policy.write_bytes((props.assets() / "model_creator" / "validation.py").read_bytes())
        contributors = props.task_folder("model_contributor", self.folders)
        engineers = props.task_folder("model_engineer", self.folders)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            base = pool.submit(props.train_base, own, contributors, self.seed)
            # Her first command makes the ledger that the others open.
            self._arrive(self.creator, "500")
            for done in [pool.submit(self._arrive, worker, "5") for worker in self.workers]:
                done.result()
            base.result()
        props.share_base(contributors, engineers)
        funds = self._funds()
        self.task = self._publish(
            "contributor",
            "Digits: train the model on your own scans",
            contributors,
            PAYS,
            len(self.contributors),
            self._strategy,
        )
        self.engineers_task = self._publish(
            "engineer", "Digits: a better model than this one", engineers, ENGINEER_PAYS, 1, "manual"
        )
        return funds

    def offer(self) -> int:
        """A task of the engineer's own, for whoever plays the creator to take. Returns its id."""
        x, y, _ = props.deal(self.seed + 1, len(self.workers))
        props.save(self.data / "spare.npz", x[props.HELD_OUT :], y[props.HELD_OUT :])
        props.save(self.engineer.home / "held-out.npz", x[: props.HELD_OUT], y[: props.HELD_OUT])
        self.engineer.do("account", "fund", "50")
        self.offered_task = self._publish(
            "contributor",
            "Digits: lend me your training time",
            self.folders / "model_contributor",
            "8",
            2,
            "custom",
            by=self.engineer,
        )
        return self.offered_task

    def judge_offer(self) -> None:
        """The engineer evaluates whatever was delivered to their task; their validation.py decides."""
        if any(
            row["status"] == "PendingValidation"
            for row in self.engineer.do("task", "show", str(self.offered_task))["submissions"]
        ):
            self.engineer.do(
                *("task", "validate", str(self.offered_task), "--pending"),
                *("--data", str(self.engineer.home / "held-out.npz"), "--policy", str(self.policy)),
            )

    def work(self) -> None:
        """Every worker takes a slot, trains on data of their own, and delivers. Two train at a time."""
        self.say(f"{len(self.workers)} workers take their slots and train, each on data of their own.")
        # In turn, so that a seed gives everybody the same submission.
        for worker in self.workers:
            worker.submission = int(worker.do("task", "assign", self._task_of(worker))["submission_id"])
        _, _, shards = props.deal(self.seed, len(self.workers))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in [
                pool.submit(self._work, worker, shard)
                for worker, shard in zip(self.workers, shards, strict=True)
            ]:
                done.result()

    def judge(self) -> None:
        """The creator evaluates what came in: validation.py decides on one task, a person on the other."""
        self.say(f"{CREATOR} evaluates every result on data that nobody else has.")
        measured = ("--data", str(self.held_out))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            by_policy = pool.submit(self._evaluate, self.task, *measured, "--policy", str(self.policy))
            by_hand = self._evaluate(self.engineers_task, *measured)
            by_policy.result()
        for row in by_hand:
            number, gain = str(row["submission_id"]), row["report"]["differences"].get("accuracy")
            if gain is not None and gain > 0:
                self.creator.do("task", "accept", number)
            else:
                self.creator.do("task", "reject", number, "--reason", "no better than the baseline")

    def settle(self, funds_before: int, creator_before: int) -> Outcome:
        """Federate what was accepted, close the tasks, and count everybody's money."""
        self.say("The accepted models are federated, the tasks closed, and the money counted.")
        tasks = (self.task, self.engineers_task)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = pool.map(lambda task: self.creator.do("task", "results", str(task))["items"], tasks)
            rows = {row["submission"]["id"]: row for items in results for row in items}
            accepted = [n for n, row in rows.items() if row["submission"]["status"] == "Accepted"]
            federating = pool.submit(self._federate, accepted)
            before_close = self._free(self.creator)
            for task in tasks:
                if self.creator.do("task", "show", str(task))["status"] != "Completed":
                    self.creator.do("task", "close", str(task))
            after = self._free(self.creator)
            federated = federating.result()
        return Outcome(
            home=self.root,
            people=tuple(self._part(worker, rows[worker.submission]) for worker in self.workers),
            baseline=_accuracy(federated.get("baseline")),
            federated=_accuracy(federated.get("figures")),
            federated_of=len(federated.get("ingredients", ())),
            apart=len(federated.get("apart", ())),
            refunded=after - before_close,
            creator_before=creator_before,
            creator_after=after,
            funds_before=funds_before,
            funds_after=self._funds(),
            verified_rows=self.creator.do("chain", "verify")["rows"],
        )

    # Steps

    def _evaluate(self, task: int, *more: str) -> list[dict[str, Any]]:
        """Evaluate what waits in one of the creator's tasks. Raises `Failed` ("DemoFailed")."""
        judged = self.creator.do("task", "validate", str(task), "--pending", *more)
        items: list[dict[str, Any]] = judged["items"]
        for error in (item["error"] for item in items if item["error"]):
            raise Failed("DemoFailed", f"An evaluation failed: {error['message']}", error["hint"])
        return items

    def _federate(self, accepted: list[int]) -> dict[str, Any]:
        if not accepted:
            return {}
        found: dict[str, Any] = self.creator.do(
            *("federate", "run", *(str(number) for number in accepted)),
            *("--out", str(self.root / "federated"), "--data", str(self.held_out)),
        )
        return found

    def _arrive(self, person: Person, units: str) -> None:
        """Make an account and take money from the faucet."""
        person.do("account", "create", person.name)
        person.do("account", "fund", units)

    def _publish(
        self,
        kind: str,
        question: str,
        folder: Path,
        pays: str,
        slots: int,
        strategy: str,
        *,
        by: Person | None = None,
    ) -> int:
        creator = by or self.creator
        receipt = creator.do(
            *("task", "create", kind, "--question", question, "--assets", str(folder)),
            *("--pays-amount", pays, "--max-assignments", str(slots), "--validation-strategy", strategy),
        )
        self.say(
            f"{creator.name} publishes task {receipt['task_id']}: {question}, {slots} x {pays} in escrow."
        )
        return int(receipt["task_id"])

    def _task_of(self, worker: Person) -> str:
        return str(self.engineers_task if worker is self.engineer else self.task)

    def _work(self, worker: Person, shard: tuple[Any, Any]) -> None:
        task = self._task_of(worker)
        how = self._how if worker.name == self._cheat else ""
        x, y = shard
        if how == cheats.FLIPPED:
            y = cheats.flip_labels(y, self._rng)
        data = props.save(worker.home / "shard.npz", x, y)
        run = worker.do("task", "train", task, "--data", str(data), "--epochs", str(EPOCHS))
        result = Path(run["result_folder"])
        if how in cheats.AFTER_TRAINING:
            cheats.AFTER_TRAINING[how](result, self.folders / "model_contributor", self._rng)
        worker.do("task", "send", task, "--run", str(run["id"]))
        self.say(f"{worker.name} delivers submission {worker.submission}, {count(len(x), 'sample')} seen.")

    def _part(self, worker: Person, row: dict[str, Any]) -> Part:
        report, submission = row["report"], row["submission"]
        accepted = submission["status"] == "Accepted"
        verdict = report["verdict"] or {"reason": ""}
        return Part(
            name=worker.name,
            role="engineer" if worker is self.engineer else "contributor",
            submission_id=submission["id"],
            how=self._how if worker.name == self._cheat else "honest",
            accuracy=_accuracy(report["candidate"]),
            claimed=(report["claimed"] or {"metrics": {}})["metrics"].get("accuracy"),
            decision=submission["status"],
            reason=submission["reason"] or verdict["reason"],
            paid=parse_amount(ENGINEER_PAYS if worker is self.engineer else PAYS) if accepted else 0,
        )

    def _free(self, person: Person) -> int:
        return int(person.do("account", "show")["free"])

    def _funds(self) -> int:
        return int(self.creator.do("chain", "status")["total_issuance"])


def _accuracy(metrics: dict[str, Any] | None) -> float | None:
    return metrics["values"].get("accuracy") if metrics else None
