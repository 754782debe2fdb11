"""What the app says to do about an error: a key or a page wherever one of them does it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from decentralml.core.errors import Refused, Unavailable
from decentralml.tui.hints import HINTS, explain, names_command

CORE = Path(__file__).parents[2] / "core"
# Codes of errors about which only a command does something, or another start of the app; or which the app
# never meets, as it has no backup of a home.
WITHOUT_A_KEY = {
    *("BadStorage", "LedgerDamaged", "NoHome", "NoLedger", "NoSandbox", "NoStorage"),
    *("NotStored", "NothingToBackUp", "OtherChain", "OtherStorage", "StorageDenied", "UnknownStorage"),
    *("AddressTaken", "DiskFull", "NotALedger", "UnprotectedKey", "WouldOverwrite"),
}


def hints_of_core() -> Iterator[tuple[str, str]]:
    """The code and each text of every error that core makes, but for what only the command line runs."""
    for path in CORE.rglob("*.py"):
        if path.relative_to(CORE).parts[0] in ("cli", "demo"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                code, *texts = map(_text, node.args)
                if code.isidentifier() and code[0].isupper():
                    yield from ((code, text) for text in texts)


def _text(node: ast.expr) -> str:
    """What is written in a text, whatever is put into it."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def test_no_hint_of_core_sends_the_app_to_a_command_where_a_key_does_it() -> None:
    named = {code for code, text in hints_of_core() if names_command(text)}
    assert named - set(HINTS) == WITHOUT_A_KEY


@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
def test_no_hint_of_the_app_names_a_command(hint: str) -> None:
    assert not names_command(hint)


def test_a_hint_that_names_no_command_stays() -> None:
    known = Unavailable("UnknownAccount", "There is no account 'bob' here.", "There is: ada.")
    assert explain(known) == "There is no account 'bob' here. There is: ada."
    none = Unavailable(
        "UnknownAccount", "There is no account 'bob' here.", "`decentralml account create` it."
    )
    assert explain(none) == "There is no account 'bob' here. n in 5 Accounts makes one."
    assert explain(Refused("Anything", "It is so.")) == "It is so."
