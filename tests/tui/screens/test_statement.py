"""A statement: every movement of an account's money, on the screen and as a file."""

import csv
import re
from pathlib import Path

from textual.widgets import Input

from decentralml.core.amount import UNIT
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.statement import StatementScreen

from ..conftest import Place, text_of, until
from ..forms import dialog, go_to_accounts, told


async def test_a_statement_tells_every_movement_and_what_was_left(market_home: Place) -> None:
    async with market_home.running(size=(110, 30)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("H")
        await dialog(pilot, StatementScreen)
        await until(pilot, lambda: "from the faucet" in text_of(app))
        rows = [
            re.split(r" {2,}", line.strip("› ")) for line in text_of(app).splitlines()[5:-1] if line.strip()
        ]
        balance = market_home.chain.balance(market_home.address("ada"))
        assert len(rows) == len(market_home.chain.statement(market_home.address("ada")))
        assert rows[0][1] == "deposit held"
        assert [float(cell.replace(",", "")) for cell in rows[0][-2:]] == [
            balance.free / UNIT,
            balance.held / UNIT,
        ]
        assert rows[-1][-1] == "0.00"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.SCOPE == "task")


async def test_a_statement_is_exported_as_csv(market_home: Place, tmp_path: Path) -> None:
    async with market_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("H")
        await dialog(pilot, StatementScreen)
        await until(pilot, lambda: "from the faucet" in text_of(app))
        await pilot.press("E")
        await dialog(pilot, Form)
        app.screen.query_one("#file", Input).value = str(tmp_path / "ada.csv")
        await pilot.press("enter")
        await until(pilot, lambda: "The statement is in" in told(app))
    with (tmp_path / "ada.csv").open() as file:
        rows = list(csv.DictReader(file))
    balance = market_home.chain.balance(market_home.address("ada"))
    assert float(rows[-1]["free_after"]) * UNIT == balance.free
    assert sum(float(row["held"]) for row in rows) * UNIT == balance.held
