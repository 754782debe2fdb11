"""A small market on a real ledger and a real storage, prepared once and copied for each test."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from decentralml.core import config
from decentralml.core.amount import UNIT
from decentralml.core.chain import genesis
from decentralml.core.chain.calls import CreateTask
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.domain import AnnotationType, TaskType, Terms, ValidationStrategy
from decentralml.core.market import Market
from decentralml.core.paths import Home
from decentralml.core.signing import Signer
from decentralml.core.storage.connect import connect as connect_storage
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.app import DecentralMLApp

from .turns import handled

PASSWORD = "demo"
SCRYPT_N = 1 << 10
BLOCK_TIME = 6
# Seconds: a model is loaded and run in less on a machine that has much else to do.
_PATIENCE = 100
START = 1_800_000_000
SEEDS = {"ada": "0x" + "a1" * 32, "bo": "0x" + "b0" * 32, "chi": "0x" + "c1" * 32}
ASSETS = Path(__file__).parents[2] / "assets"


class Clock:
    """Unix time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = float(START)

    def __call__(self) -> float:
        return self.time

    def blocks(self, count: int) -> None:
        """Let ``count`` blocks pass."""
        self.time += count * BLOCK_TIME


class Place:
    """A home with the accounts ada, bo and chi, 1,000 units each, and markets that sign for them."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.home = Home(root)
        self.clock = clock
        self.settings = config.load(self.home)
        self.chain = connect_chain("local", self.home, now=clock)
        self.storage = connect_storage("local", self.home)
        self.accounts = Accounts(self.home, scrypt_n=SCRYPT_N)
        self._signers: dict[str, Signer] = {}
        self._apps: list[DecentralMLApp] = []

    def address(self, name: str) -> str:
        return self.accounts.get(name).address

    def market(self, name: str) -> Market:
        """The verbs, signed by ``name``."""
        if name not in self._signers:
            self._signers[name] = self.accounts.unlock(name, PASSWORD)
        return Market(self.chain, self.storage, self.home, self.settings, self._signers[name])

    def create(
        self,
        who: str = "ada",
        question: str = "Digits: train the model on your scans",
        kind: TaskType = TaskType.ModelContributor,
        *,
        pays: float = 2,
        slots: int = 2,
        blocks: int = 10_000,
        strategy: ValidationStrategy = ValidationStrategy.ManualAccept,
    ) -> int:
        """Publish a task with the assets that the project ships; its id."""
        market = self.market(who)
        common = {
            "question": question,
            "pays_amount": int(pays * UNIT),
            "expiration_block": self.chain.head().block + blocks,
            "max_assignments": slots,
            "validation_strategy": strategy,
        }
        if kind is TaskType.ModelContributor:
            # Past the verb: as it is shipped, the folder lacks the base model that its creator makes first.
            shipped = market.storage.put(ASSETS / "model_contributor")
            terms = Terms(task_type=kind, **common).with_assets(market.storage.type, shipped)
            receipt = market.send(CreateTask(terms))
        elif kind is TaskType.ModelEngineer:
            folder = ASSETS / "model_engineer"
            receipt = market.create_task_model_engineer(model_engineer_path=folder, **common)
        else:
            receipt = market.create_task_data_annotator(
                annotation_type=AnnotationType.Image,
                annotation_files=ASSETS / "data_annotator" / "files",
                annotation_class_labels="0,1,2,3",
                **common,
            )
        assert receipt.task_id is not None
        return receipt.task_id

    def take(self, who: str, task_id: int) -> int:
        """Take a slot; the submission's id."""
        submission_id = self.market(who).assign_task(task_id).submission_id
        assert submission_id is not None
        return submission_id

    def deliver(self, who: str, submission_id: int, files: dict[str, bytes] | None = None) -> None:
        """Deliver a folder of ``files``."""
        folder = self.home.folder(self.home.cache_dir / f"result-{submission_id}")
        for name, data in (files or {"model.txt": b"weights"}).items():
            (folder / name).write_bytes(data)
        self.market(who).send_task_result(submission_id, result_path=folder)

    def app(self, *, as_: str = "ada", readonly: bool = False) -> DecentralMLApp:
        """The app on this home, as ``as_``, by the test's clock."""
        app = DecentralMLApp(self.home, {"account": as_}, readonly=readonly, now=self.clock)
        self._apps.append(app)
        return app

    @asynccontextmanager
    async def running(
        self, *, size: tuple[int, int] = (80, 24), as_: str = "ada", readonly: bool = False
    ) -> AsyncIterator[tuple[DecentralMLApp, Pilot[None]]]:
        """The app on a terminal of ``size``, once it shows the market."""
        app = self.app(as_=as_, readonly=readonly)
        async with app.run_test(size=size) as pilot:
            await opened(pilot)
            yield app, pilot

    def close(self) -> None:
        for app in self._apps:
            app.finish()
        self.chain.close()


async def until(pilot: Pilot[None], condition: Callable[[], object], what: str = "the screen") -> None:
    """Let the app go on until ``condition`` is true."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        await pilot.pause(0.01)
    await pilot.pause()


async def opened(pilot: Pilot[None]) -> None:
    """Until the session is open and nothing is being read."""
    await until(pilot, lambda: pilot.app.pulse is not None, "the session")
    await settled(pilot)


async def settled(pilot: Pilot[None]) -> None:
    """Until no worker runs and every message was handled.

    A worker that waits for a dialog's answer would never end: dialogs count as settled.
    """

    def quiet() -> bool:
        return not any(w.is_running and w.group not in {"who"} for w in pilot.app.workers)

    deadline = time.monotonic() + _PATIENCE
    while not quiet() and len(pilot.app.screen_stack) == 1:
        assert time.monotonic() < deadline, f"still at work: {list(pilot.app.workers)}"
        await asyncio.sleep(0.01)
    await pilot.pause()


def said(app: DecentralMLApp) -> list[str]:
    """What was said in passing, the oldest first."""
    return [notification.message for notification in app._notifications]


def text_of(app: DecentralMLApp) -> str:
    """What the screen in front shows, line by line."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


@pytest.fixture(autouse=True)
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bugs are not turned into words, and the terminal is the same everywhere."""
    monkeypatch.setenv("DECENTRALML_DEBUG", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("TMUX", raising=False)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pilot presses, clicks and waits for is done when it says so."""
    wait = Pilot._wait_for_screen

    async def wait_until_handled(pilot: Pilot[None], timeout: float = 30.0) -> bool:
        done = await wait(pilot, timeout)
        await handled(pilot.app)
        return done

    monkeypatch.setattr(Pilot, "_wait_for_screen", wait_until_handled)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a genesis that is always the same, and three accounts with money."""
    root = tmp_path_factory.mktemp("tui") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genesis.secrets, "token_hex", lambda count: "5a" * count)
        home = Home(root)
        genesis.create(home.ledger, seen=home.seen, now=Clock())
    accounts = Accounts(home, scrypt_n=SCRYPT_N)
    chain = connect_chain("local", home, now=Clock())
    for name, seed in SEEDS.items():
        account = accounts.import_seed(name, PASSWORD, seed)
        chain.fund(account.address, 1000 * UNIT)
    chain.close()
    return root


def copied(prepared: Path, folder: Path) -> Path:
    """A copy of a home in ``folder``, without what it remembers of the ledger at its old place."""
    root = Path(shutil.copytree(prepared, folder / "home"))
    (root / "seen.json").unlink(missing_ok=True)
    return root


@contextmanager
def place_at(root: Path, clock: Clock) -> Iterator[Place]:
    """The home at ``root``, let go of in the end."""
    place = Place(root, clock)
    yield place
    place.close()


@pytest.fixture
def bare_home(prepared_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Accounts with money, and no task yet."""
    with place_at(copied(prepared_home, tmp_path), clock) as place:
        yield place


@pytest.fixture(scope="session", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What goes on after `at_one_path` has ended, or was cut off, finds no checkout to write into."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@contextmanager
def at_one_path(prepared: Path, folder: Path, clock: Clock, patch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A copy of ``prepared`` whose path and time zone are the same in every run, for pictures of them."""
    copied(prepared, folder)
    patch.chdir(folder)
    patch.setenv("TZ", "UTC")
    time.tzset()
    with place_at(Path("/proc/self/cwd/home"), clock) as place:
        yield place


@pytest.fixture
def home_of_one_path(
    prepared_home: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """As `bare_home`, at one path."""
    with at_one_path(prepared_home, tmp_path, clock, monkeypatch) as place:
        yield place


def played(prepared: Path, folder: Path, play: Callable[[Place], object]) -> Path:
    """A copy of ``prepared`` in ``folder``, in which ``play`` has happened."""
    root = copied(prepared, folder)
    with place_at(root, Clock()) as place:
        play(place)
    return root


@pytest.fixture(scope="session")
def prepared_market(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `market_home`, made once."""
    from .four_tasks import four_tasks

    return played(prepared_home, tmp_path_factory.mktemp("tui-market"), four_tasks)


@pytest.fixture
def market_home(prepared_market: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """Four tasks, three submissions.

    bo delivered 1 of task 1 (ada's, to judge); chi works on 2 of task 1, ada on 3 of task 2 (bo's).
    """
    with place_at(copied(prepared_market, tmp_path), clock) as place:
        yield place


@pytest.fixture
def market_of_one_path(
    prepared_market: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """As `market_home`, at one path."""
    with at_one_path(prepared_market, tmp_path, clock, monkeypatch) as place:
        yield place


@pytest.fixture(scope="session")
def prepared_results(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `known`, made once."""
    from .judged import known_market

    return played(prepared_home, tmp_path_factory.mktemp("tui-results"), known_market)


@pytest.fixture
def known(prepared_results: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """The market of results whose every figure is known: see `judged.py`."""
    with place_at(copied(prepared_results, tmp_path), clock) as place:
        yield place


@pytest.fixture(scope="session")
def prepared_pages(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `painted`, made once."""
    from .pages import paint

    return played(prepared_home, tmp_path_factory.mktemp("tui-pages"), paint)


@pytest.fixture
def painted(
    prepared_pages: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """The market of `pages.py`, at one path, on a calm machine."""
    from .pages import train_long
    from .trainings import MACHINE

    monkeypatch.setattr("decentralml.core.machine.Meter.look", lambda self: MACHINE)
    with at_one_path(prepared_pages, tmp_path, clock, monkeypatch) as place:
        train_long(place)
        yield place


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is looked at ten times a second, so that no test waits for a second; the machine is calm."""
    from .trainings import MACHINE

    monkeypatch.setattr("decentralml.tui.screens.runs.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("decentralml.core.machine.Meter.look", lambda self: MACHINE)


@pytest.fixture
def train(market_home: Place) -> Iterator[Callable[..., Any]]:
    """Puts runs into the market's home."""
    from .trainings import Training

    made: list[Training] = []

    def put(id: int, *events: Any, **more: Any) -> Training:
        made.append(Training(market_home.home.runs / str(id), events, **more))
        return made[-1]

    yield put
    for training in made:
        training.die()


@pytest.fixture(scope="session")
def contributors_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a contributors' task ships, with something in its base model's place. Read only."""
    folder = tmp_path_factory.mktemp("assets") / "model_contributor"
    shutil.copytree(
        ASSETS / "model_contributor", folder, ignore=shutil.ignore_patterns("__pycache__", "base_model")
    )
    (folder / "base_model.keras").write_text("stands for a model")
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model, results of many kinds, and held-out data: see `train_results.py`. Read only."""
    from .judged import train

    return train(tmp_path_factory.mktemp("trained") / "models")
