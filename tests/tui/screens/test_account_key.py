"""One account's key: exported, under another password, in the keyring, forgotten."""

import json
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from textual.widgets import Input

from decentralml.tui.screens.form import Form

from ..conftest import PASSWORD, Place, text_of, until
from ..forms import dialog, fill_in, go_to_accounts, problem, told


async def test_an_export_is_a_new_file_that_only_its_owner_reads(bare_home: Place, tmp_path: Path) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        for _ in range(2):
            await pilot.press("E")
            await dialog(pilot, Form)
            app.screen.query_one("#file", Input).value = str(tmp_path / "out.json")
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, Form) or "there already" in problem(app))
        assert "is there already" in problem(app)
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "out.json").read_text())["address"] == bare_home.address("ada")


async def test_a_password_is_changed_by_who_knows_it(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("P")
        await dialog(pilot, Form)
        await fill_in(pilot, "guess", "new", "new")
        await until(pilot, lambda: "password" in problem(app))
        assert [field.value for field in app.screen.query(Input)] == ["", "", ""]
        await fill_in(pilot, PASSWORD, "new", "new")
        await until(pilot, lambda: "ada has a new password" in told(app))
    bare_home.accounts.unlock("ada", "new").lock()


async def test_without_a_keyring_k_says_so_and_the_help_too(bare_home: Place) -> None:
    async with bare_home.running(size=(120, 60)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("K")
        await until(pilot, lambda: "No keyring answers" in told(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Not now: No keyring answers" in text_of(app))


class Desktop(KeyringBackend):
    """A desktop's keyring, as far as it is asked."""

    priority = 10
    name = "Desktop of the test"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    monkeypatch.setattr(Desktop, "__module__", "keyring.backends.SecretService")
    before = keyring.get_keyring()
    backend = Desktop()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


async def test_the_keyring_remembers_a_password_and_forgets_it(bare_home: Place, desktop: Desktop) -> None:
    async with bare_home.running(size=(80, 24)) as (app, pilot):
        screen = await go_to_accounts(app, pilot)
        await until(pilot, lambda: screen._keyring)
        await pilot.press("K")
        await dialog(pilot, Form)
        assert "Desktop of the test" in text_of(app)
        await fill_in(pilot, "guess")
        await until(pilot, lambda: "password" in problem(app))
        assert not desktop.kept
        await fill_in(pilot, PASSWORD)
        await until(pilot, lambda: "  in use, keyring" in text_of(app).split("────")[0])
        assert list(desktop.kept.values()) == [PASSWORD]
        await pilot.press("K")
        await until(pilot, lambda: not desktop.kept)
        await until(pilot, lambda: "  in use, locked" in text_of(app).split("────")[0])


async def test_forgetting_asks_for_the_name_and_says_what_is_lost(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("F")
        await dialog(pilot, Form)
        assert "It owns 1,000.00" in text_of(app)
        await fill_in(pilot, "bo")
        await until(pilot, lambda: "That is another name" in problem(app))
        assert bare_home.accounts.get("ada")
        app.screen.query_one("#name", Input).value = ""
        await fill_in(pilot, "ada")
        await until(pilot, lambda: app.session.account.name == "bo")
    assert [account.name for account in bare_home.accounts.list()] == ["bo", "chi"]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_the_name_to_type_is_shown_whole(bare_home: Place, size: tuple[int, int]) -> None:
    name = "Margarethe von Hohenzollern-Sigmaringen"
    bare_home.accounts.rename("ada", name)
    async with bare_home.running(as_=name, size=size) as (app, pilot):
        await go_to_accounts(app, pilot)
        app.screen.table.go_to(bare_home.address(name))
        await until(pilot, lambda: app.screen.table.row.key == bare_home.address(name))
        await pilot.press("F")
        await dialog(pilot, Form)
        await until(pilot, lambda: app.screen.focused is not None)
        label = app.screen.query_one(".label")
        lines = [label.render_line(y).text.strip() for y in range(label.size.height)]
        assert "".join(lines).replace(" ", "") == f"Type{name}".replace(" ", "")
        assert app.screen.can_view_entire(label)


async def test_who_forgets_the_last_account_is_nobody(bare_home: Place) -> None:
    bare_home.accounts.forget("bo")
    bare_home.accounts.forget("chi")
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("F")
        await dialog(pilot, Form)
        await fill_in(pilot, "ada")
        await until(pilot, lambda: "no account yet" in text_of(app))
        await until(pilot, lambda: "No account yet. n makes one" in text_of(app))
