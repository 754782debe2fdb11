"""The one table of keys: dispatch, footer, help, palette and every text that names a key read it, and nothing
else binds one. A person's own keys (`use`) take the place of its own.

A key means one thing on every screen and in every dialog: a row is that meaning, its scopes are where it
is offered. Where a field has the focus, letters are typed.
Left out on purpose: ctrl+q, ctrl+s and ctrl+j (terminals), ctrl+b and ctrl+a (tmux, screen), function keys;
and the tilde, which ssh takes after enter, and which is dead on many keyboards.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding
from textual.keys import format_key

MODES = ("tasks", "runs", "validate", "federate", "accounts", "activity")
_OVER = ("task", "record", "viewer", "statement", "address_book", "first_start", "label", "report")
EVERYWHERE = (*MODES, *_OVER)
ALSO_DIALOGS = (*EVERYWHERE, "dialog")
# In a form keys are typed, and few mean anything else.
ALSO_FORMS = (*ALSO_DIALOGS, "create")


def _but(left_out: str, scopes: tuple[str, ...] = EVERYWHERE) -> tuple[str, ...]:
    return tuple(scope for scope in scopes if scope != left_out)


LISTS = tuple(scope for scope in EVERYWHERE if scope not in ("viewer", "report", "record"))
THINGS = _but("first_start", ALSO_DIALOGS)
PANELLED = ("task", "validate", "federate", "runs", "activity", "report")
# While files are labelled a digit is a label.
TABBED = _but("label")


@dataclass(frozen=True)
class Key:
    """One meaning: ``action`` is the method that does it; ``call`` what it signs on the chain, if anything.

    A row whose call is not in the table of the market's rules is not offered anywhere. One that ``writes``
    changes accounts, runs or whatever else this home keeps, as a command of the same meaning does; so does
    each that signs. With --readonly these are refused, by the key and not by what it would be about: a
    download of one's own is neither stopped nor begun again by them.
    """

    keys: str
    action: str
    label: str
    about: str
    scopes: tuple[str, ...]
    footer: bool = True
    shown_as: str | None = None
    call: str | None = None
    writes: bool = False

    @property
    def refused_readonly(self) -> bool:
        """Whether it signs or changes anything."""
        return self.writes or self.call is not None

    @property
    def method(self) -> str:
        """The action's name without arguments: ``action_<method>`` does it."""
        return self.action.partition("(")[0]

    @property
    def name(self) -> str:
        """What a keymap file calls it: ``take``, ``tab_runs``."""
        return re.sub(r"\W+", "_", self.action).strip("_")

    @property
    def dispatched(self) -> str:
        """The action as Textual runs it: those that mean the app run there, whatever screen is up."""
        return f"app.{self.action}" if self.method in OF_THE_APP else self.action

    @property
    def pressed(self) -> list[str]:
        """The keys that do it, by Textual's names: the person's own, or the table's."""
        return OWN.get(self.name, self.keys).split(",")

    @property
    def shown(self) -> str:
        """The key as it stands on the screen."""
        if self.name not in OWN and self.shown_as is not None:
            return self.shown_as
        return " ".join(map(_sign, self.pressed))


# The keys that the person at this terminal has of their own, by name of the row: see `use`.
OWN: dict[str, str] = {}
# Actions that the app does, from any screen.
OF_THE_APP = frozenset({"help", "lock", "palette", "quit", "tab", "who"})
# Actions that only move: the palette leaves them out.
MOVING = frozenset(
    {"down", "up", "left", "right", "top", "bottom", "page_down", "page_up", "back", "palette"}
)


TABLE: tuple[Key, ...] = (
    # Doing something with the row or the thing on screen
    Key("enter", "open", "open", "open what the cursor is on", (*LISTS, "dialog")),
    Key(
        "full_stop",
        "related",
        "go to",
        "to what belongs to it: task, submission, run, account; or note an address",
        THINGS,
    ),
    Key(
        "n",
        "new",
        "new",
        "publish a task, make an account, or note an address",
        ("tasks", "accounts", "address_book", "first_start"),
        writes=True,
    ),
    Key(
        "t",
        "take",
        "take",
        "take a slot of this task: assets are verified, a deposit is held",
        ("tasks", "task"),
        call="assign_task",
    ),
    Key(
        "T", "try_first", "try", "train a few batches in the sandbox before holding a slot", ("tasks", "task")
    ),
    Key(
        "e",
        "set_up",
        "set up",
        "make the task's environment and run its setup.sh, after a yes",
        ("task",),
        writes=True,
    ),
    Key("r", "train", "train", "start a training run", ("tasks", "task", "runs"), writes=True),
    Key(
        "d",
        "deliver",
        "deliver",
        "send the result of a run, or the labels",
        ("task", "runs", "label"),
        call="send_task_result",
    ),
    Key(
        "v",
        "evaluate",
        "evaluate",
        "evaluate this result beside the baseline",
        ("task", "validate", "dialog"),
        writes=True,
    ),
    Key(
        "V",
        "evaluate_all",
        "evaluate all",
        "evaluate every result that waits, in the background",
        ("validate",),
        writes=True,
    ),
    Key(
        "N",
        "held_out",
        "held-out data",
        "name other data by which the results of this task are measured",
        ("validate",),
        False,
        writes=True,
    ),
    Key("a", "accept", "accept", "accept this result, which pays", ("validate",), call="accept_task_results"),
    Key(
        "R",
        "reject",
        "reject",
        "reject this result, with a reason",
        ("validate",),
        call="reject_task_results",
    ),
    Key(
        "c",
        "request_changes",
        "ask changes",
        "send this result back, with what should change",
        ("validate",),
        call="request_changes",
    ),
    Key(
        "D", "sign_drafts", "sign drafts", "sign the decisions that were drafted", ("validate",), writes=True
    ),
    Key(
        "B",
        "take_back",
        "take back",
        "take the draft of this decision back",
        ("validate",),
        False,
        writes=True,
    ),
    Key(
        "J",
        "claim",
        "claim",
        "be paid for a result on which its creator stayed silent",
        ("task", "activity"),
        False,
        call="claim_task_result",
    ),
    Key("b", "abandon", "abandon", "give the slot back", ("task",), False, call="abandon_task"),
    Key(
        "O",
        "time_out",
        "time out",
        "end a submission whose worker is overdue",
        ("task", "activity"),
        False,
        call="time_out",
    ),
    Key(
        "C",
        "close",
        "close task",
        "close the task: what nobody can earn any more comes back",
        ("task",),
        False,
        call="close_task",
    ),
    Key("w", "write", "federate", "write the federated model", ("federate",), writes=True),
    Key("space", "mark", "mark", "mark or unmark the row", ("federate", "validate", "runs")),
    # Training
    Key("p", "pause", "pause", "pause the run, or go on", ("runs",), writes=True),
    Key("x", "stop", "stop", "stop the run and save, or the transfer", ("runs", "activity"), writes=True),
    Key("z", "zoom", "zoom", "give the chart or panel the whole screen", ("runs", "validate")),
    Key("plus,equals_sign", "closer", "closer", "fewer epochs, around the crosshair", ("runs",), False, "+"),
    Key("minus", "wider", "wider", "more epochs", ("runs",), False),
    Key("0", "all_epochs", "all epochs", "all epochs of the curves", ("runs",), False),
    Key("less_than_sign", "earlier", "earlier", "the epochs before these", ("runs",), False),
    Key("greater_than_sign", "later", "later", "the epochs after these", ("runs",), False),
    Key("i", "log_scale", "log", "logarithmic scale", ("runs",)),
    Key("o", "overlay", "overlay", "draw the marked runs over this one", ("runs",)),
    Key("underscore", "smooth", "smooth", "smooth the curves", ("runs",), False),
    # Accounts
    Key("u", "use", "use", "be this account", ("accounts",), writes=True),
    Key(
        "I",
        "import",
        "import",
        "import an account: words, seed or JSON",
        ("accounts", "first_start"),
        writes=True,
    ),
    Key(
        "E",
        "export",
        "export",
        "export into a file: the account as encrypted JSON, a statement as CSV",
        ("accounts", "statement"),
    ),
    Key("P", "password", "password", "change the account's password", ("accounts",), False, writes=True),
    Key(
        "K",
        "remember",
        "keyring",
        "let the keyring remember the password, or forget it",
        ("accounts",),
        False,
        writes=True,
    ),
    Key("f", "fund", "fund", "take units from the faucet of the embedded ledger", ("accounts",), writes=True),
    Key(
        "F",
        "forget",
        "forget",
        "remove the account, or the address, from this machine",
        ("accounts", "address_book"),
        writes=True,
    ),
    Key("A", "address_book", "addresses", "the address book", ("accounts",)),
    Key("H", "statement", "statement", "every movement of the account's money", ("accounts",)),
    # What a dialog asks
    Key("y", "yes", "yes", "yes: sign, send, or do what the dialog asks", ("dialog",)),
    Key("ctrl+g", "go", "go", "do what the first button says, from any field", ("dialog", "create"), False),
    Key("ctrl+o", "browse", "browse", "find the file or folder for a field", ("dialog", "create"), False),
    Key("ctrl+l", "clear", "clear", "empty all fields, after a yes", ("create",), False),
    Key("W", "keep_draft", "draft", "wait: keep the decision as a draft, unsigned", ("dialog",), writes=True),
    # Seeing
    Key("slash", "filter", "filter", "filter the list as you type", (*MODES, "dialog")),
    Key("s", "sort", "sort", "sort by the next column", ("tasks", "validate"), True),
    Key("S", "reverse", "reverse", "reverse the order", ("tasks", "validate"), False),
    Key("M", "saved_filters", "saved filters", "use or save a filter", ("tasks",), False),
    Key("m", "view", "mine/open/all", "show my tasks, the open ones, or all", ("tasks",)),
    Key("right_square_bracket", "next_panel", "panel", "the next panel", PANELLED),
    Key("left_square_bracket", "previous_panel", "panel back", "the panel before", PANELLED, False),
    Key(
        "exclamation_mark",
        "retry",
        "retry",
        "try what failed again",
        ("activity", "runs", "dialog"),
        writes=True,
    ),
    Key("X", "report", "report", "the whole report on this result", ("federate", "dialog")),
    Key("Y", "copy", "copy", "copy it (OSC 52), and into a file", THINGS, False),
    # Moving
    Key("j,down", "down", "down", "a row down", ALSO_DIALOGS, False, "j ↓"),
    Key("k,up", "up", "up", "a row up", ALSO_DIALOGS, False, "k ↑"),
    Key("h,left", "left", "left", "to the left: pane, folder, crosshair", ALSO_DIALOGS, False, "h ←"),
    Key("l,right", "right", "right", "to the right: pane, folder, crosshair", ALSO_DIALOGS, False, "l →"),
    Key("g,home", "top", "top", "the first row", ALSO_DIALOGS, False, "g"),
    Key("G,end", "bottom", "bottom", "the last row", ALSO_DIALOGS, False, "G"),
    Key("ctrl+d,pagedown", "page_down", "page down", "a page down", ALSO_DIALOGS, False, "^d"),
    Key("ctrl+u,pageup", "page_up", "page up", "a page up", ALSO_DIALOGS, False, "^u"),
    *(
        Key(str(n), f"tab('{mode}')", mode, f"the {mode} screen", TABBED, False)
        for n, mode in enumerate(MODES, 1)
    ),
    Key("escape,backspace", "back", "back", "back to where you were", ALSO_FORMS, False, "esc"),
    # The app
    Key("U", "who", "switch account", "be another account", EVERYWHERE, False),
    Key("L", "lock", "lock", "forget the unlocked key of this session", EVERYWHERE, False),
    Key(
        "question_mark",
        "help",
        "help",
        "what every key does here",
        ALSO_FORMS,
    ),
    Key("colon,ctrl+p", "palette", "menu", "every command by name", ALSO_FORMS, True, ":"),
    Key("q", "quit", "quit", "leave; runs go on", EVERYWHERE, False),
)


_ROWS = {key.name: key for key in TABLE}


def _sign(key: str) -> str:
    """A key of Textual's name as it stands on the screen: ``/``, ``^t``, ``enter``."""
    *modifiers, name = key.split("+")
    held = "".join("^" if modifier == "ctrl" else f"{modifier}+" for modifier in modifiers)
    return held + (name if name in ("enter", "backspace") else format_key(name))


def use(own: Mapping[str, str]) -> None:
    """From now on have keys that are a person's ``own``, by name of the row, in place of the table's."""
    OWN.clear()
    OWN.update(own)


def said(text: str, **words: object) -> str:
    """A ``text`` that names keys: ``{take}`` is the key of that row as the person has it, ``{runs}`` a page
    by its key and name, and anything else one of ``words``.
    """
    return text.format_map(_Said(words))


class _Said(dict[str, object]):
    def __missing__(self, name: str) -> str:
        if name in MODES:
            return f"{row(f'tab_{name}').shown} {name.capitalize()}"
        return row(name).shown.split()[0]


def bindings(scope: str) -> list[Binding]:
    """Textual bindings of one scope: a mode, ``task``, ``dialog``, or another that rows name."""
    return [
        Binding(key.keys, key.dispatched, key.label, show=key.footer, key_display=key.shown_as, id=key.name)
        for key in TABLE
        if scope in key.scopes
    ]


def binding(name: str, action: str) -> Binding:
    """The keys of a row, for a widget that does ``action`` at them while it has the focus."""
    return Binding(row(name).keys, action, show=False, id=name)


def row(name: str) -> Key:
    """The row that a keymap file calls ``name``."""
    return _ROWS[name]


def writes(action: str) -> bool:
    """Whether ``action`` is of a row that signs or changes anything."""
    return any(key.method == action and key.refused_readonly for key in TABLE)


def keys_of(scope: str) -> list[Key]:
    """The rows that are offered on one screen, in the table's order."""
    from decentralml.core.chain import rules

    known = {rule.name for rule in rules.TABLE}
    return [key for key in TABLE if scope in key.scopes and (key.call is None or key.call in known)]
