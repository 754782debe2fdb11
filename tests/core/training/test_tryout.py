"""Trying a task with real Keras: what it says, what it leaves behind, and what a broken script comes to."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.paths import Home
from decentralml.core.training import journal
from decentralml.core.training.runs import RunSpec
from decentralml.core.training.tryout import try_task


def left(home: Home) -> list[Path]:
    return list((home.cache_dir / "tries").iterdir())


def test_a_try_measures_and_inspects_and_leaves_nothing_behind(home: Home, spec: RunSpec) -> None:
    seen: list[journal.Event] = []
    report = try_task(
        msgspec.structs.replace(spec, epochs=50), home, Settings(threads=1), on_event=seen.append
    )
    assert report.seconds_epoch is not None
    assert report.seconds_total == pytest.approx(report.seconds_epoch * 50)
    assert report.peak_memory > 200 * 2**20
    assert (report.device, report.protection[:5]) == ("CPU", "bwrap")
    assert (report.samples, report.holdout, report.batch_size) == (288, 32, 16)
    assert (report.x_shape, report.y_shape, report.classes) == ((288, 4), (288,), 2)
    assert report.parameters == report.model.parameters == 10
    assert report.environment_size == 0
    assert isinstance(seen[-1], journal.Finished)
    assert left(home) == []


def test_a_script_that_fails_says_so_in_its_own_words(home: Home, speaking: Callable[[str], RunSpec]) -> None:
    spec = speaking('say("failed", error="x has 3 columns", code="BadShape", hint="Reshape x."); os._exit(1)')
    with pytest.raises(Failed, match="x has 3 columns") as raised:
        try_task(spec, home, Settings())
    assert (raised.value.code, raised.value.hint) == ("BadShape", "Reshape x.")
    assert left(home) == []


def test_what_a_library_prints_is_no_hint_and_is_told_only_when_nobody_said_what_is_wrong(
    home: Home, speaking: Callable[[str], RunSpec]
) -> None:
    noise = 'print("cudart_stub.cc:31] Could not find cuda drivers", file=sys.stderr, flush=True)\n'
    with pytest.raises(Failed) as raised:
        try_task(speaking(noise + 'say("failed", error="no", code="NotSaveable")'), home, Settings())
    assert (raised.value.code, raised.value.hint) == ("NotSaveable", "")
    with pytest.raises(Failed) as raised:
        try_task(speaking(noise + "os._exit(3)"), home, Settings())
    assert (raised.value.code, "cuda" in raised.value.hint) == ("WorkerEnded", True)


def test_a_link_in_place_of_the_model_is_refused(home: Home, speaking: Callable[[str], RunSpec]) -> None:
    spec = speaking("""
        os.symlink("/etc", "/out/model_abcdefghij")
        say("tried", peak_memory=1, folder="model_abcdefghij")
        say("finished")
    """)
    with pytest.raises(Refused) as raised:
        try_task(spec, home, Settings())
    assert raised.value.code == "NoResult"
    assert left(home) == []


def test_a_try_that_is_given_up_ends_at_once(home: Home, speaking: Callable[[str], RunSpec]) -> None:
    seen: list[journal.Event] = []
    with pytest.raises(Interrupted):
        try_task(
            speaking('say("hello")\nhang()'),
            home,
            Settings(),
            on_event=seen.append,
            cancelled=lambda: any(isinstance(event, journal.Hello) for event in seen),
        )
    assert left(home) == []
