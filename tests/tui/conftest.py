"""A small market on a real ledger and a real storage, prepared once and copied for each test."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App
from textual.events import Key
from textual.pilot import Pilot

from decentralml.core import config
from decentralml.core.amount import UNIT
from decentralml.core.chain import genesis
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.domain import AnnotationType, TaskType, ValidationStrategy
from decentralml.core.market import Market
from decentralml.core.paths import Home
from decentralml.core.signing import Signer
from decentralml.core.storage.connect import connect as connect_storage
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.app import DecentralMLApp

if TYPE_CHECKING:
    from decentralml.core.training.journal import Event

    from .trainings import Start

PASSWORD = "demo"
SCRYPT_N = 1 << 10
BLOCK_TIME = 6
START = 1_800_000_000
SEEDS = {"ada": "0x" + "a1" * 32, "bo": "0x" + "b0" * 32, "chi": "0x" + "c1" * 32}
# A message on its way is in no queue for one turn of the loop.
_QUIET_TURNS = 3
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
            # By reference: as it is shipped, the folder lacks the base model that its creator makes first.
            shipped = market.storage.put(ASSETS / "model_contributor")
            receipt = market.create_task_model_contributor(model_contributor_script_path=shipped, **common)
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
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        await pilot.pause(0.01)
    await pilot.pause()


async def opened(pilot: Pilot[None]) -> None:
    """Until the session is open and nothing is being read."""
    await until(pilot, lambda: pilot.app.pulse is not None, "the session")
    await settled(pilot)


async def at_once(condition: Callable[[], object]) -> None:
    """Until ``condition`` is true, not a turn of the loop longer: what began with it is still under way."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def settled(pilot: Pilot[None]) -> None:
    """Until no worker runs and every message was handled.

    A worker that waits for a dialog's answer would never end: dialogs count as settled.
    """

    def quiet() -> bool:
        return not any(w.is_running and w.group not in {"who"} for w in pilot.app.workers)

    deadline = time.monotonic() + 30
    while not quiet() and len(pilot.app.screen_stack) == 1:
        assert time.monotonic() < deadline, f"still at work: {list(pilot.app.workers)}"
        await asyncio.sleep(0.01)
    await pilot.pause()


async def handled(app: App[None]) -> None:
    """Until every widget is mounted, which comes before its first message, and every message was handled.

    Textual's pilot takes an app for idle that gets no processor time, and waits for one step of a key's way.
    """
    quiet = 0
    while quiet < _QUIET_TURNS and app.is_running:
        widgets = [widget for screen in app.screen_stack for widget in screen.walk_children(with_self=True)]
        waiting = any(pump.message_queue_size for pump in (app, *widgets))
        quiet = 0 if waiting or not all(widget.is_mounted for widget in widgets) else quiet + 1
        await asyncio.sleep(0)


def burst(app: DecentralMLApp, *keys: str) -> None:
    """Keys as a terminal sends them in one packet."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


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


@pytest.fixture(scope="session")
def prepared_market(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `market_home`, made once."""
    root = copied(prepared_home, tmp_path_factory.mktemp("tui-market"))
    place = Place(root, Clock())
    place.create("ada", "Digits, round 3: train the model on your scans", pays=12, slots=3)
    place.create("bo", "A better head for the castings model", TaskType.ModelEngineer, pays=80)
    place.create("chi", "Label 400 scans", TaskType.DataAnnotators, pays=0.05, slots=20, blocks=40_000)
    place.create("ada", "Defects on castings, 224x224", pays=9.5, slots=1)
    first, second = place.take("bo", 1), place.take("chi", 1)
    place.take("ada", 2)
    place.deliver("bo", first)
    assert (first, second) == (1, 2)
    place.close()
    return root


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


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is looked at ten times a second, so that no test waits for a second; the machine is calm."""
    from .trainings import MACHINE

    monkeypatch.setattr("decentralml.tui.screens.runs.LOOK_SECONDS", 0.1)
    monkeypatch.setattr("decentralml.core.machine.Meter.look", lambda self: MACHINE)


@pytest.fixture
def train(market_home: Place) -> Iterator["Start"]:
    """Puts runs into the market's home."""
    from .trainings import Training

    made: list[Training] = []

    def put(id: int, *events: "Event", **more: Any) -> Training:
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
