"""The supervisor, with a worker that says in its real cell what a hostile script could make a worker say."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from decentralml.core.config import Settings
from decentralml.core.paths import Home
from decentralml.core.training import journal
from decentralml.core.training.follow import follow
from decentralml.core.training.runs import Run, Runs, RunSpec

Speaking = Callable[[str], RunSpec]


def played(runs: Runs, spec: RunSpec) -> tuple[Run, list[journal.Event]]:
    """The run when it has ended, and its events."""
    run = runs.start(spec)
    events = list(follow(run.folder))
    return runs.get(run.id), events


def of(events: list[journal.Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_what_the_worker_says_stands_in_the_journal_with_its_time(runs: Runs, speaking: Speaking) -> None:
    run, events = played(
        runs,
        speaking("""
            say("hello", device="CPU", keras="3", gpus=[])
            say("fit", fit=1, epochs=2, steps=4, initial_epoch=0)
            say("step", fit=1, epoch=1, step=2, steps=4, metrics={"loss": 0.5}, rate=8.0, seconds=0.25)
            say("epoch", fit=1, epoch=1, metrics={"loss": None}, nonfinite=["loss"], seconds=0.5)
            os.mkdir("/out/model_abcdefghij")
            say("saved", folder="model_abcdefghij", model_name="model", parameters=3)
            say("finished")
        """),
    )
    assert run.state == "finished"
    assert run.last.device == "CPU"
    assert run.last.epoch_metrics == {"loss": None}
    assert run.last.eta is None
    assert run.result_folder == run.folder / "out" / "model_abcdefghij"
    assert run.last.protection.startswith("bwrap")
    assert all(run.created <= event.t for event in events)
    assert [event.t for event in events] == sorted(event.t for event in events)


def test_a_line_forged_on_stdout_lands_in_the_log_alone(runs: Runs, speaking: Speaking) -> None:
    run, events = played(
        runs,
        speaking("""
            print('{"kind":"epoch","fit":1,"epoch":9,"metrics":{"loss":0.0}}')
            print('\\x1b[31mred\\x1b[0m \\u202egnp', flush=True)
            say("finished")
        """),
    )
    assert run.state == "finished"
    assert not of(events, journal.Epoch)
    assert runs.tail(run.id) == ['{"kind":"epoch","fit":1,"epoch":9,"metrics":{"loss":0.0}}', "red gnp"]


def test_a_worker_cannot_write_what_is_the_supervisors_to_say(runs: Runs, speaking: Speaking) -> None:
    run, events = played(
        runs,
        speaking("""
            say("stopped")
            say("load", rss=1)
            say("weather")
            raw(b"{" * 1000 + b"\\n" + b"\\xff\\n\\n")
            raw(b"x" * 300_000 + b"\\n")
            say("warning", text="a\\x1b[2Jb", t=5)
            say("finished")
        """),
    )
    assert run.state == "finished"
    assert run.last.warnings == [
        "The script sent lines that are no events; they are dropped.",
        "The script sent a line of more than 64 KiB; it is dropped.",
        "a[2Jb",
    ]
    assert not of(events, journal.Stopped)


def test_a_flood_of_events_is_thinned(runs: Runs, speaking: Speaking) -> None:
    run, events = played(
        runs,
        speaking("""
            for step in range(20_000):
                say("step", fit=1, epoch=1, step=step)
            for _ in range(2_000):
                say("warning", text="x" * 60_000)
            say("finished")
        """),
    )
    assert run.state == "finished"
    seconds = events[-1].t - events[0].t
    assert len(of(events, journal.Step)) <= 10 * (seconds + 1)
    assert (run.folder / "journal.jsonl").stat().st_size < 4 * 2**20 + (seconds + 1) * 256 * 1024


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('say("finished"); os._exit(3)', "exit code 3"),
        ("pass", "without saying that it finished"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        (
            'say("failed", error="No data.", where="data", code="NoData", hint="Give some."); os._exit(1)',
            "No data.",
        ),
    ],
)
def test_a_run_that_did_not_finish_says_how_it_ended(
    runs: Runs, speaking: Speaking, code: str, words: str
) -> None:
    run, events = played(runs, speaking(code))
    assert run.state == "failed"
    assert words in run.last.error
    assert "checkpoint" not in run.last.error + run.last.hint, "none was written"
    assert len(of(events, journal.Failed)) == 1
    assert not of(events, journal.Finished)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("kept = bytearray(200 << 20); hang()", "memory"),
        (
            """
            for part in range(4):
                with open(f"/out/{part}", "wb") as file:
                    file.write(bytes(16 << 20))
            hang()
            """,
            "wrote more",
        ),
    ],
)
def test_a_run_that_takes_more_than_it_may_is_ended(
    home: Home, runs: Runs, speaking: Speaking, code: str, words: str
) -> None:
    tight = Runs(home, Settings(sandbox_memory=120, sandbox_disk=40))
    run, _ = played(tight, speaking(code))
    assert run.state == "failed"
    assert words in run.last.error or "MemoryError" in "".join(runs.tail(run.id))


def test_a_worker_that_will_not_stop_is_ended_after_the_grace_period(
    runs: Runs, speaking: Speaking, wait_for: Callable[..., Any]
) -> None:
    # A trial has no grace period.
    spec = msgspec.structs.replace(speaking('say("hello")\nhang()'), trial=True)
    run = runs.start(spec)
    wait_for(lambda: runs.get(run.id).last.versions, what="hello")
    runs.stop(run.id)
    assert runs.get(run.id).state in ("stopping", "stopped")
    events = list(follow(run.folder))
    assert of(events, journal.Stopped)[-1].forced
    assert runs.get(run.id).state == "stopped"


def test_the_worker_sees_its_own_folders_and_may_write_one(runs: Runs, speaking: Speaking) -> None:
    run, _ = played(
        runs,
        speaking("""
            seen = {name: sorted(os.listdir(name)) for name in ("/task", "/data", "/job", "/control", "/out")}
            refused = []
            for name in ("/task", "/data", "/job", "/control"):
                try:
                    open(name + "/x", "w")
                except OSError:
                    refused.append(name)
            open("/out/x", "w").close()
            say("warning", text=json.dumps([seen, refused]))
            say("finished")
        """),
    )
    seen, refused = msgspec.json.decode(run.last.warnings[0])
    assert seen == {
        "/task": ["model_engineer.py"],
        "/data": ["data.npz"],
        "/job": ["job.json"],
        "/control": ["control.json"],
        "/out": [],
    }
    assert refused == ["/task", "/data", "/job", "/control"]
    assert run.state == "finished"


def test_a_run_outside_the_sandbox_says_so(runs: Runs, speaking: Speaking, task: Path) -> None:
    spec = speaking("""
        job = json.load(open(sys.orig_argv[-1]))
        say("warning", text=job["task_dir"])
        say("finished")
    """)
    run, _ = played(runs, msgspec.structs.replace(spec, unsandboxed=True))
    assert run.state == "finished"
    assert run.spec.unsandboxed
    assert run.last.protection == "none"
    assert run.last.warnings == [str(task)]


def test_a_supervisor_that_is_asked_to_end_stops_its_run(
    runs: Runs, speaking: Speaking, wait_for: Callable[..., Any]
) -> None:
    run = runs.start(
        speaking("""
            say("hello", device="CPU")
            until_told("stop")
            say("stopping")
        """)
    )
    ready = wait_for(lambda: (r := runs.get(run.id)).last.device and r, what="hello")
    os.kill(ready.last.pid, signal.SIGTERM)
    list(follow(run.folder))
    assert runs.get(run.id).state == "stopped"


def test_an_attempt_finds_no_leavings_but_the_checkpoint(runs: Runs, speaking: Speaking) -> None:
    spec = speaking("""
        resume = json.load(open("/job/job.json"))["resume"]
        say("warning", text=json.dumps([sorted(os.listdir("/out")), resume]))
        for name in ("checkpoint", "half", "half/deeper"):
            os.mkdir("/out/" + name)
        os.symlink("/etc", "/out/half/link")
        os.chmod("/out/half/deeper", 0)
        os.chmod("/out/half", 0)
        os.chmod("/out", 0)
        os._exit(1)
    """)
    run, _ = played(runs, spec)
    runs.resume(run.id)
    list(follow(run.folder))
    run = runs.get(run.id)
    assert run.last.attempt == 2
    assert [msgspec.json.decode(text) for text in run.last.warnings] == [[[], False], [["checkpoint"], True]]
    runs.remove(run.id)
    assert not run.folder.exists()


def test_what_a_run_may_touch_is_told_before_it_starts(runs: Runs, spec: RunSpec, task: Path) -> None:
    card = "\n".join(runs.card(spec))
    assert str(task) in card
    assert str(spec.data) in card
    assert "network    none" in card
    assert runs.list() == []
