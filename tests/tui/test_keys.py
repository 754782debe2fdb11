"""The table of keys: one meaning a key, no key that terminals take, one source for what is shown and done."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Input

import decentralml.tui as tui
from decentralml.core.chain import rules
from decentralml.core.errors import Misused, Refused
from decentralml.tui import keymap, keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.hints import explain
from decentralml.tui.keys import TABLE, Key, bindings, keys_of
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.screens.help import Help
from decentralml.tui.screens.sign import Sign
from decentralml.tui.signing import proposals

from .conftest import Place, text_of, until
from .test_ways import go

# Terminals, flow control, tmux and screen take these; function keys are caught by desktops and consoles.
TAKEN = {"ctrl+q", "ctrl+s", "ctrl+j", "ctrl+m", "ctrl+i", "ctrl+z", "ctrl+b", "ctrl+a", "ctrl+c"}
TAKEN |= {f"f{number}" for number in range(1, 13)}
# ssh takes it after enter, and "~." ends the link.
TAKEN |= {"tilde"}
APP = Path(tui.__file__).parent
SCOPES = {scope for key in TABLE for scope in key.scopes}


def names(key: Key) -> list[str]:
    return key.keys.split(",")


def test_a_key_means_one_thing_on_every_screen() -> None:
    meanings: dict[str, set[str]] = {}
    for key in TABLE:
        for name in names(key):
            meanings.setdefault(name, set()).add(key.action)
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


def test_a_meaning_stands_in_one_row() -> None:
    assert len({key.name for key in TABLE}) == len(TABLE)


def test_no_key_is_needed_that_terminals_take() -> None:
    for key in TABLE:
        assert [name for name in names(key) if name not in TAKEN], key
    assert not {name for key in TABLE for name in names(key)} & TAKEN
    assert not [name for key in TABLE for name in names(key) if name.startswith(("alt+", "super+", "shift+"))]


def test_every_action_has_a_key_of_one_character_or_one_that_every_keyboard_has() -> None:
    plain = {"enter", "escape", "space", "tab", "backspace"}
    plain |= {f"ctrl+{letter}" for letter in "dglopu"}
    signs = {"slash", "colon", "question_mark", "exclamation_mark", "underscore", "full_stop"}
    signs |= {"left_square_bracket", "right_square_bracket"}
    signs |= {"plus", "minus", "less_than_sign", "greater_than_sign"}
    for key in TABLE:
        assert any(len(name) == 1 or name in plain | signs for name in names(key)), key


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_what_is_bound_is_what_the_table_says(scope: str) -> None:
    made = {(binding.key, binding.id) for binding in bindings(scope)}
    assert made == {(key.keys, key.name) for key in keys_of(scope)}


def classes(base: type) -> Iterator[type]:
    """The classes of the app that derive from ``base``, however deep."""
    for kind in base.__subclasses__():
        yield from classes(kind)
        if kind.__module__.startswith("decentralml.tui"):
            yield kind


def every_module() -> None:
    """Import all of the app, so that no class is left out."""
    for module in pkgutil.walk_packages(tui.__path__, "decentralml.tui."):
        importlib.import_module(module.name)


def test_what_a_screen_dialog_or_widget_binds_stands_in_the_table() -> None:
    """By the row's name, by which a keymap file changes it, and with the row's keys."""
    every_module()
    free = {"enter", "tab", "shift+tab", "backspace", "escape"}
    for kind in {*classes(Widget)}:
        for bound in kind.__dict__.get("BINDINGS", ()):
            assert isinstance(bound, Binding), kind
            rows = {key.name: key for key in TABLE}
            if bound.id is None:
                assert set(bound.key.split(",")) <= free, f"{kind.__name__}: {bound.key}"
            else:
                assert bound.key == rows[bound.id].keys, f"{kind.__name__}: {bound.key}"


def test_every_screen_and_dialog_binds_its_scope_and_nothing_else() -> None:
    every_module()
    for kind in {*classes(MarketScreen), *classes(Dialog)}:
        if hasattr(kind, "SCOPE"):
            own = {bound.key for bound in kind.BINDINGS}
            assert own == {key.keys for key in TABLE if kind.SCOPE in key.scopes}, kind


def test_of_every_row_there_is_a_screen_that_does_it() -> None:
    every_module()
    kinds = [kind for kind in {*classes(MarketScreen), *classes(Dialog)} if hasattr(kind, "SCOPE")]
    nobody = [
        (scope, key.name)
        for key in TABLE
        if key.method not in keys.OF_THE_APP | keys.MOVING
        for scope in key.scopes
        if not any(scope == kind.SCOPE and hasattr(kind, f"action_{key.method}") for kind in kinds)
    ]
    assert nobody == []


def test_every_call_of_the_market_has_a_key_or_belongs_to_one() -> None:
    """create is `new`, validate comes with `evaluate`; every other call has a row of its own."""
    bound = {key.call for key in TABLE if key.call}
    assert {rule.name for rule in rules.TABLE} - bound == {"create_task", "validate_task_results"}


async def test_a_row_deleted_from_the_rules_is_gone_from_rule_help_and_screen(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with market_home.chain.view() as view:
        bo = market_home.address("bo")
        assert rules.check(view, "assign_task", bo, task_id=4) is None
        monkeypatch.setattr(rules, "TABLE", tuple(r for r in rules.TABLE if r.name != "assign_task"))
        refusal = rules.check(view, "assign_task", bo, task_id=4)
        assert refusal is not None
        assert refusal.code == "UnknownCall"
    async with market_home.running(size=(120, 50), as_="bo") as (app, pilot):
        assert "t take" not in text_of(app).splitlines()[-1]
        await pilot.press("t")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert "take a slot of this task" not in text_of(app)
        assert "train a few batches in the sandbox" in text_of(app)


async def test_the_help_shows_every_row_with_its_rule_and_why_not_now(market_home: Place) -> None:
    async with market_home.running(size=(100, 70)) as (app, pilot):
        await until(pilot, lambda: app.screen.why_not("take") is not None, "the reason")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        shown = " ".join(text_of(app).replace("│", " ").split())
        for key in keys_of("tasks"):
            if app.screen_stack[0].check_action(key.method, ()):
                assert key.label in shown, key
        assert "For anyone but the creator" in shown
        assert "Not now: The creator of a task cannot work on it." in shown


async def test_the_footer_shows_the_persons_own_keys(market_home: Place) -> None:
    market_home.home.keymap.write_text('take = "ctrl+t"\nhelp = "?,ctrl+h"\n')
    async with market_home.running(as_="bo") as (app, pilot):
        assert "^t take" in text_of(app)
        await pilot.press("t")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        await pilot.press("ctrl+t")
        await until(pilot, lambda: len(app.screen_stack) == 2, "the question")


async def test_a_persons_own_keys_are_those_of_the_dialogs_too(market_home: Place) -> None:
    market_home.home.keymap.write_text('yes = "Z"\nback = "Q"\n')
    async with market_home.running(as_="bo") as (app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "Sign and send  Z" in text_of(app)
        assert "Cancel  Q" in text_of(app)
        await pilot.press("y")
        assert not app.screen.query_one("#password").display
        await pilot.press("Z")
        assert app.screen.query_one("#password").display
        await pilot.press("Q")
        assert app.screen.query_one("#password", Input).value == "Q", "a letter is typed"
        app.screen.query_one("#no").focus()
        await pilot.press("Q")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_every_text_that_names_a_key_names_the_persons_own(bare_home: Place) -> None:
    bare_home.home.keymap.write_text('new = "Z"\nview = "ctrl+t,%"\ntab_tasks = "&"\n')
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "No task yet: Z publishes the first" in text_of(app), "an empty list")
        assert text_of(app).splitlines()[0].startswith(" & Tasks  2 Runs"), "a tab"
        await pilot.press("t")
        await until(pilot, lambda: app._notifications, "a toast")
        assert [said.message for said in app._notifications] == [
            "There is no task under the cursor. ^t shows others, / filters."
        ]
        await pilot.press("3")
        await until(pilot, lambda: "Nothing to judge here. ^t in & Tasks shows" in text_of(app), "a pane")
        assert explain(Refused("UnknownAccount", "There is none.", "`decentralml account create`")) == (
            "There is none. Z in 5 Accounts makes one."
        )


def test_what_is_said_of_others_is_no_name_of_a_key() -> None:
    assert keys.said("{name} is gone. {who} chooses.", name="{take}") == "{take} is gone. U chooses."


def texts_of(path: Path) -> Iterator[str]:
    """Every text that a module writes, but for what it says about itself."""
    tree = ast.parse(path.read_text())
    about = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in about:
            yield node.value


def test_no_text_names_a_key_that_a_person_may_have_moved() -> None:
    """They say ``{take}``, for `keys.said`. "a" and "I" are words too; enter presses any button and list."""
    shown = {sign for key in TABLE for sign in key.shown.split() if not sign.isdigit()}
    shown -= {"a", "A", "I", ":", "enter"}
    sign = "|".join(map(re.escape, sorted(shown, key=len, reverse=True)))
    named = re.compile(
        rf"(?<![^\s,(;:.`])(?:{sign})(?:,? (?:and )?(?:{sign}))*`?"
        r"(?:: [a-z]| (?:[a-z]+s|choose|make|next|again)\b)"
        rf"|\b[1-6] (?:{'|'.join(mode.capitalize() for mode in keys.MODES)})\b"
        rf"|\b(?:with|by) (?:{sign})(?:[.,;]|$)"
    )
    for text in ("t takes one.", "Now j and k choose", "in 5 Accounts", "taken back with B."):
        assert named.search(text)
    found = {
        (path.name, text)
        for path in [*APP.rglob("*.py"), APP.parent / "core" / "demo" / "living.py"]
        if path.name != "keys.py"
        for text in texts_of(path)
        if named.search(text)
    }
    assert found == set()


def test_no_key_is_drawn_beside_its_words() -> None:
    """As a text of its own, in a tone: ``text.append("v", tone("accent"))``."""
    found = {
        (path.name, node.lineno)
        for path in APP.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append"
        for first in node.args[:1]
        if isinstance(first, ast.Constant) and first.value in {key.shown for key in TABLE} and node.args[1:]
    }
    assert found == set()


async def test_a_dialog_says_what_its_keys_do(market_home: Place) -> None:
    async with market_home.running(size=(100, 50), as_="bo") as (app, pilot):
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert "yes: sign, send, or do what the dialog asks" in text_of(app)
        assert "keep the decision as a draft" not in text_of(app), "this one has no draft"
        await pilot.press("question_mark")
        await pilot.pause()
        assert len(app.screen_stack) == 3, "the help has none of its own"
        await pilot.press("escape", "escape")
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('fly = "f"', "no action"),
        ("take = 3", "no action"),
        ('take = "r"', "both take and train"),
        ('take = "x,contrl+t"', r"'contrl\+t', given to take, is no key"),
        ('take = "alt+2"', r"'alt\+2', given to take, is no key that every terminal sends"),
        ('take = "ctrl+i"', r"'ctrl\+i', given to take, is no key"),
        ('take = "', "Unterminated string"),
    ],
)
def test_a_keymap_that_is_wrong_is_refused_with_its_reason(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text(text)
    with pytest.raises(Misused, match=words):
        keymap.read(path)


def test_every_key_of_the_table_may_stand_in_a_keymap(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    own = {key.name: key.keys for key in keys.TABLE}
    path.write_text("\n".join(f'{name} = "{given}"' for name, given in own.items()))
    assert keymap.read(path) == own


async def test_a_keymap_that_is_wrong_is_said_and_the_app_goes_on(market_home: Place) -> None:
    market_home.home.keymap.write_text('take = "r"')
    async with market_home.running() as (app, _):
        assert app.failures[-1].code == "BadKeymap"
        assert "Digits, round 3" in text_of(app)


def test_two_actions_can_change_places(tmp_path: Path) -> None:
    path = tmp_path / "keymap.toml"
    path.write_text('take = "r"\ntrain = "t"')
    assert keymap.read(path) == {"take": "r", "train": "t"}


def is_dim(app: DecentralMLApp, words: str) -> bool:
    """Whether a key of the footer and its label stand there dimmed: all others are bold."""
    strip = app.screen._compositor.render_strips()[-1]
    at = strip.text.index(words)
    (style,) = [part.style for part in strip.crop(at, at + 1)]
    return style is not None and not style.bold


async def test_with_read_only_a_key_that_signs_is_dim_and_says_why(market_home: Place) -> None:
    async with market_home.running(size=(120, 40), as_="bo", readonly=True) as (app, pilot):
        assert "read-only" in text_of(app)
        await until(pilot, lambda: is_dim(app, "t take") and is_dim(app, "n new"), "the footer")
        assert not is_dim(app, "enter open")
        for pressed in ("t", "n"):
            app.clear_notifications()
            await pilot.press(pressed)
            assert [
                "Nothing is signed or changed with --readonly." in said.message for said in app._notifications
            ] == [True]
        assert len(app.screen_stack) == 1
        with pytest.raises(Refused, match="--readonly"):
            proposals.assign(app.session, 4)


async def test_the_footer_is_dim_where_a_key_cannot_act_and_follows_the_cursor(market_home: Place) -> None:
    """ada is the creator of the first task in the list, and not of the second."""
    async with market_home.running(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: is_dim(app, "t take"), "her own task")
        await pilot.press("j")
        await until(pilot, lambda: not is_dim(app, "t take"), "the task of another")
        await pilot.press("k")
        await until(pilot, lambda: is_dim(app, "t take"), "her own task again")


async def test_where_there_is_room_the_footer_shows_the_other_keys_too(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.places.lead(("record", market_home.address("bo")))
        await until(pilot, lambda: "AS WORKER" in text_of(app), "the record")
        assert ". go to  Y copy" in text_of(app).splitlines()[-1]


@pytest.mark.parametrize("scope", [*keys.MODES, "task", "report", "label", "statement", "record"])
async def test_the_footer_has_room_for_where_it_leads_for_the_help_and_for_the_menu(
    market_home: Place, scope: str
) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await go(app, pilot, scope, market_home)
        footer = text_of(app).splitlines()[-1]
        assert ". go to" in footer
        assert footer.rstrip().endswith("? help  : menu")


async def test_the_help_shows_why_there_is_no_draft_to_sign_or_take_back(bare_home: Place) -> None:
    async with bare_home.running(size=(100, 70)) as (app, pilot):
        await pilot.press("3", "question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert "Not now: There is no draft to sign." in text_of(app)
        assert "Not now: This result has no draft." in text_of(app)
