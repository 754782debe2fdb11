"""The whole market by keys alone: what people at a keyboard do, whatever the keyboard is plugged into."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.cli.main import main as run_command
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts

SIZE = (100, 30)
PASSWORD = "a long password"
QUESTION = "Which side of the line?"
_PATIENCE = 90.0
_WORD = re.compile(r"(?<= )(\d+) ([a-z]+)(?=  )")


class Terminal(Protocol):
    """Where the app runs: in this process, or on a terminal of its own."""

    @property
    def screen(self) -> str:
        """What stands on it, line by line."""

    @property
    def ended(self) -> bool:
        """Whether the app is gone."""

    async def press(self, *keys: str) -> None:
        """Press keys, by Textual's names."""

    async def type(self, text: str) -> None:
        """Press the keys of ``text``."""

    async def wait(self) -> None:
        """Let the app go on for a moment."""


class Person:
    """Somebody at a keyboard, who reads the screen and presses keys."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._unlocked = False
        self.press = terminal.press
        self.type = terminal.type

    @property
    def screen(self) -> str:
        return self._terminal.screen

    async def sees(self, *texts: str) -> None:
        """Wait until every one of ``texts`` stands on the screen."""
        await self.until(lambda screen: all(text in screen for text in texts), " and ".join(texts))

    async def until(self, condition: Callable[[str], object], what: str) -> None:
        """Wait until ``condition`` holds of the screen."""
        deadline = time.monotonic() + _PATIENCE
        while not condition(self.screen):
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}; on the screen:\n{self.screen}")
            await self._terminal.wait()
        await self._terminal.wait()

    async def leaves(self) -> None:
        await self.press("q")
        await self.until(lambda _: self._terminal.ended, "the app to end")

    # What people do more than once

    async def makes_an_account(self, name: str) -> None:
        """From the form on: name, password, words copied on paper, three of them asked for."""
        await self.sees("New account", "Password again")
        for text in (name, PASSWORD, PASSWORD):
            await self.type(text)
            await self.press("enter")
        await self.press("enter")
        await self.until(
            lambda screen: "I have written them down" in screen and len(_words(screen)) == 12, "words"
        )
        paper = _words(self.screen)
        await self.press("enter")
        await self.sees("Type them from your paper", "Check")
        asked = re.findall(r"Word (\d+)", self.screen)
        assert len(asked) == 3
        for number in asked:
            await self.type(paper[number])
            await self.press("enter")
        made = f"{name} is made"  # what is asked next may cover the word
        await self.until(lambda screen: made in screen or "are granted by the faucet" in screen, made)

    async def signs(self, what: str) -> None:
        """Read the card, say yes, see the receipt."""
        await self.sees(what, "effect", "Sign and send")
        await self.press("y")
        if not self._unlocked:
            await self.sees("Password of this account")
            await self.type(PASSWORD)
            await self.press("enter")
        self._unlocked = True
        await self.until(lambda screen: "Sign and send" not in screen, f"{what} to be sent")

    async def is_funded(self) -> None:
        await self.sees("from the faucet", "granted by the faucet", "Sign and send")
        await self.press("y")
        await self.sees("The faucet gives")

    async def publishes(self, folder: Path) -> None:
        """Fill in the form from top to bottom."""
        await self.press("n")
        await self.sees("contributor", "Publish", "CHECKS")
        await self.press("tab")
        await self.type(QUESTION)
        await self.press("tab")
        await self.type(str(folder))
        await self.press("tab", "tab")
        await self.type("3")
        await self.press("tab", "backspace")
        await self.type("2")
        await self.sees("3 x 2 = 6.00", "94.00")
        await self.press("tab", "tab", "tab", "enter")
        await self.signs("Publish a task")
        await self.sees(QUESTION, "6.00 open")

    async def tries(self, data: Path) -> None:
        """Try the task under the cursor before a slot is held."""
        await self.press("T")
        await self.sees("WHAT IT MAY TOUCH", "Nothing of the task has run yet")
        await self.type(str(data))
        await self.press("enter")
        await self.sees("It runs here", "an hour", "360 samples")
        await self.press("escape")
        await self.until(lambda screen: "Try task" not in screen, "the dialog to close")
        await self.sees(QUESTION, "escrow")

    async def takes(self, submission: int) -> None:
        await self.press("t")
        await self.signs("Take a slot of task")
        await self.sees(f"you deliver #{submission}")

    async def trains(self, data: Path, *, run: int) -> None:
        """From the task's screen: start a run, and watch it on the runs' until it has finished."""
        await self.press("r")
        await self.sees("network", "none")
        await self.type(str(data))
        await self.press("enter")
        await self.sees(f"run {run}  finished")

    async def delivers(self, submission: int) -> None:
        await self.press("d")
        await self.sees(f"Deliver submission {submission}", "GOES OUT", "its creator can load it")
        await self.sees("Nothing has been sent yet")
        await self.press("y")
        await self.signs("Send the result of submission")

    async def becomes_another(self, name: str) -> None:
        """Make a second account, have it funded, and be it."""
        await self.press("5")
        await self.sees("ADDRESS", "in use")
        await self.press("n")
        await self.makes_an_account(name)
        await self.press("f")
        await self.sees(f"gives them to {name}")
        await self.press("ctrl+g")
        await self.is_funded()
        await self.press("u")
        await self.sees(f"You are {name}")
        self._unlocked = False

    async def evaluates_all(self, data: Path) -> None:
        await self.press("V")
        await self.sees("Held-out data")
        await self.type(str(data))
        await self.press("enter")
        await self.until(
            lambda screen: screen.count(" measured ") + screen.count("says") >= 2, "both figures"
        )

    async def accepts(self, submission: int) -> None:
        await self.sees(f"#{submission}  task 1", "accuracy")
        await self.press("a")
        await self.signs("accept")
        await self.sees("is accepted", "Close")
        await self.press("enter")

    async def rejects(self, submission: int) -> None:
        await self.sees(f"#{submission}  task 1", "accuracy")
        await self.press("R")
        await self.sees("Why? The worker reads it.")
        await self.type("worse than the baseline")
        await self.press("enter")
        await self.signs("reject")
        await self.sees("is rejected", "Close")
        await self.press("enter")

    async def federates(self) -> None:
        await self.press("4")
        await self.sees("1 accepted", "GOES IN  1")
        await self.press("w")
        await self.sees("Federate 1 result", "Held-out data")
        await self.press("enter")
        await self.sees("federated", "baseline", "made with")


def _words(screen: str) -> dict[str, str]:
    return dict(_WORD.findall(screen))


# The three acts. ``desk`` holds what both people brought along: see `test_market.desk`.


async def ada_begins(ada: Person, desk: Path) -> None:
    """From the first start to a published task."""
    await ada.sees("Create an account", "Try the demo market")
    await ada.press("enter")
    await ada.makes_an_account("ada")
    await ada.is_funded()
    await ada.sees("open tasks", "100.00 free")
    await ada.publishes(desk / "task")


async def bo_and_eve_work(bo: Person, desk: Path) -> None:
    """bo tries, takes, trains and delivers; then eve does, at the same keyboard, with wrong labels."""
    await bo.sees("Create an account", "Try the demo market")
    await bo.press("enter")
    await bo.makes_an_account("bo")
    await bo.is_funded()
    await bo.sees("100.00 free", QUESTION)
    await bo.tries(desk / "bo.npz")
    await bo.takes(1)
    await bo.trains(desk / "bo.npz", run=1)
    await bo.delivers(1)

    await bo.becomes_another("eve")
    await bo.press("1", "g", "enter")
    await bo.sees(QUESTION, "escrow")
    await bo.takes(2)
    await bo.trains(desk / "eve.npz", run=2)
    await bo.delivers(2)


async def ada_judges(ada: Person, desk: Path) -> None:
    """bo's model is good and eve's is not; what is accepted becomes the next model."""
    await ada.sees(QUESTION, "escrow")  # where she was
    await ada.press("3")
    await ada.sees("2 to judge", "by due")
    await ada.evaluates_all(desk / "held-out.npz")
    await ada.press("g")
    await ada.accepts(1)
    await ada.rejects(2)
    await ada.sees("0 to judge")
    await ada.federates()
    await ada.press("5")
    await ada.sees("ada", "94.00")


def homes(desk: Path) -> tuple[Path, Path, dict[str, str]]:
    """ada's home and bo's, and what leads bo to the ledger and the store in ada's."""
    ada = Home(desk / "ada")
    return ada.root, desk / "bo-home", {"chain": f"local:{ada.ledger}", "storage": f"local:{ada.storage}"}


def is_settled(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The ledger's table holds, bo was paid, eve was not, and the federated model is there."""
    ada, bo, _ = homes(desk)
    assert run_command(["--home", str(ada), "--json", "chain", "verify"]) == 0
    assert json.loads(capfd.readouterr().out)["ok"]
    chain = connect_chain("local", Home(ada))
    free = {
        account: chain.balance(Accounts(Home(home)).get(account).address).free / UNIT
        for home, account in ((ada, "ada"), (bo, "bo"), (bo, "eve"))
    }
    chain.close()
    assert (free["ada"], free["bo"]) == (94, 103)
    assert free["eve"] <= 100
    assert len(list(Home(ada).root.rglob("provenance.json"))) == 1
