"""What a command prints: exact to programs, readable to people, harmless to a terminal."""

import json
import math
from pathlib import Path

import pytest

from decentralml.core.chain.base import WorkerRecord
from decentralml.core.cli.output import Output, duration, plain
from decentralml.core.domain import Balance
from decentralml.core.environments import Interpreter
from decentralml.core.errors import Refused

HOSTILE = "a\x1b[31mred\x1b[0m\u202egnp.exe\u200b\x07b"
CLEANED = "a[31mred[0mgnp.exeb"


def test_planck_goes_out_as_decimal_strings() -> None:
    assert plain(Balance(free=2**127, held=0)) == {"free": str(2**127), "held": "0"}
    record = plain(WorkerRecord(taken=3, earned=5))
    assert (record["taken"], record["earned"]) == (3, "5")


def test_not_a_number_is_null_beside_a_flag() -> None:
    made = plain({"loss": math.nan, "accuracy": 0.5, "lr": math.inf, "curve": [1.0, math.nan]})
    assert made == {
        "loss": None,
        "accuracy": 0.5,
        "lr": None,
        "curve": [1.0, None],
        "nonfinite": ["loss", "lr", "curve"],
    }
    json.dumps(made, allow_nan=False)


def test_a_python_value_goes_out_as_an_object_or_not_at_all() -> None:
    interpreter = Interpreter(executable=Path("/usr/bin/python3"), binds=(Path("/usr"),))
    assert plain(interpreter) == {"executable": "/usr/bin/python3", "binds": ["/usr"], "site": [], "name": ""}
    with pytest.raises(TypeError, match="interpreter: a object has no form"):
        plain({"interpreter": object()})


def test_hostile_text_is_cleaned_in_values_and_names() -> None:
    assert plain({HOSTILE: [HOSTILE]}) == {CLEANED: [CLEANED]}


@pytest.mark.parametrize("as_json", [True, False])
def test_hostile_text_reaches_no_terminal(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=as_json)
    out.done({"q": HOSTILE}, lambda: out.say(HOSTILE))
    out.line({"q": HOSTILE}, HOSTILE)
    out.note(HOSTILE)
    out.fields([("q", HOSTILE)])
    out.table(("Q",), [(HOSTILE,)])
    out.failed(Refused("X", HOSTILE, HOSTILE))
    captured = capsys.readouterr()
    for char in "\x1b\x07\u202e\u200b":
        assert char not in captured.out + captured.err


def test_a_table_in_a_pipe_is_neither_cut_nor_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 3000
    Output().table(("NAME", "AMOUNT"), [("[red]markup[/]", "1.00"), (long, "22.00")], right="AMOUNT")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["NAME", "AMOUNT"],
        ["[red]markup[/]", "1.00"],
        [long, "22.00"],
    ]
    assert lines[1].endswith(" 1.00")
    assert len(lines[1]) == len(lines[2])


def test_durations_read_well() -> None:
    assert [duration(0), duration(61), duration(90_061), duration(86_400)] == [
        "0 s",
        "1 min 1 s",
        "1 d 1 h",
        "1 d",
    ]
