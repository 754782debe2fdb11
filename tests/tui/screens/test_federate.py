"""Federating on the screen: what goes in and what does not, and what comes of it."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from decentralml.core import federation_history
from decentralml.core.domain import TaskType, ValidationStrategy
from decentralml.core.models import aggregate
from decentralml.core.models.metrics import Metrics
from decentralml.tui.screens.create import CreateTask
from decentralml.tui.screens.federate import Federate
from decentralml.tui.screens.federate_form import FederateForm

from .. import judged
from ..conftest import START, Clock, Place, copied, place_at, played, settled, text_of, until


@pytest.fixture(scope="module")
def prepared_accepted(prepared_home: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `accepted`, made once."""

    def play(place: Place) -> None:
        judged.hire(place)
        task = judged.publish_with_base(place, trained, ValidationStrategy.ManualAccept)
        for who, name in (("bo", "honest"), ("chi", "second"), ("dev", "wide"), ("eli", "broken")):
            judged.send(place, who, task, trained / name)
        labels = place.create("ada", "Label 8 scans", TaskType.DataAnnotators)
        place.market("bo").send_task_result(place.take("bo", labels), result='{"0.png": "3"}')
        for number in range(1, 6):
            place.market("ada").accept_task_results(number)

    return played(prepared_home, tmp_path_factory.mktemp("accepted"), play)


@pytest.fixture
def accepted(prepared_accepted: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    """ada accepted: 1 and 2 fit the base, 3 is of another structure, 4 is broken, 5 are labels."""
    with place_at(copied(prepared_accepted, tmp_path), clock) as place:
        yield place


async def federating(pilot) -> None:
    """On the screen, when the gate has said its word."""
    await pilot.press("4")
    await until(pilot, lambda: pilot.app.screen.table.loaded, "the list")
    await settled(pilot)


async def panel(pilot, name: str) -> str:
    screen = pilot.app.screen
    screen.panel = name
    screen.show_panels()
    await pilot.pause()
    return screen.query_one("#first").plain


async def order(pilot, fill: Callable[[FederateForm], None]) -> None:
    """Ask for a model, and fill the form in."""
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, FederateForm), "the form")
    fill(pilot.app.screen)
    await pilot.pause()
    pilot.app.screen.query_one("#yes", Button).press()


async def unmeasured(pilot) -> Federate:
    """The page when a model was made, without data to measure it by."""

    def fill(form: FederateForm) -> None:
        form.query_one("#data", Input).value = ""

    await federating(pilot)
    screen = pilot.app.screen
    await order(pilot, fill)
    await until(pilot, lambda: screen._past, "the model")
    await settled(pilot)
    return screen


async def test_accepted_results_are_filtered_by_words_and_back_shows_them_all(accepted: Place) -> None:
    async with accepted.running() as (app, pilot):
        await federating(pilot)
        table = app.screen.table
        assert table.total == 4
        await pilot.press("slash", *accepted.address("chi")[:8], "enter")
        await until(pilot, lambda: table.total == 1)
        assert table.row.key == 2
        await pilot.press("slash", *" zz")
        await until(pilot, lambda: "No result fits this filter" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: table.total == 4)


async def test_the_gate_says_what_goes_in_what_stays_apart_and_what_is_refused(accepted: Place) -> None:
    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        said = await panel(pilot, "gate")
        assert "GOES IN  2" in said
        assert "+ #1 bo  task 1" in said, "people are called as one calls them"
        assert "~ #3 dev" in said
        assert "- #4 eli: config.json names keras.layers.Lambda" in said
        assert "ForeignCode" not in said
        shown = text_of(app)
        assert "4 accepted" in shown
        assert "left out: 1 accepted answer" in shown
        assert all(word in shown for word in ("goes in", "apart", "refused"))


async def test_what_kept_the_gate_from_looking_stands_in_activity_and_is_tried_again_from_there(
    accepted: Place,
) -> None:
    store = accepted.home.storage
    aside = store.rename(store.with_name("aside"))
    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        (failure,) = app.failures
        assert failure.doing == "passing results 1, 2, 3, 4 through the gate"
        aside.rename(store)
        failure.again()
        await until(pilot, lambda: "GOES IN  2" in app.screen.query_one("#first").plain, "the gate's word")


async def test_marks_choose_what_goes_in(accepted: Place) -> None:
    async with accepted.running(size=(120, 40)) as (_, pilot):
        await federating(pilot)
        await pilot.press("j", "j", "space")
        await settled(pilot)
        said = await panel(pilot, "gate")
        assert "GOES IN  1" in said
        assert "#3" in said
        assert "no base model of that structure" in said
        assert "one alone: its average is that result again" in said
        await pilot.press("k", "space", "space")
        await settled(pilot)
        said = await panel(pilot, "gate")
        assert "nothing: see below" in said
        assert "structure of" not in said, "of what goes in"


async def test_marks_cursor_and_panel_are_where_they_were_after_a_restart(accepted: Place) -> None:
    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        await pilot.press("space")
        await settled(pilot)
        await pilot.press("j", "space")
        await settled(pilot)
        await pilot.press("k", "right_square_bracket", "right_square_bracket")
        await settled(pilot)
        assert (app.screen.table.row.key, app.screen.panel) == (3, "earlier")
        app.finish()
    async with accepted.running(size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: app.screen.SCOPE == "federate", "the mode")
        await settled(pilot)
        assert app.screen.table.marked == {1, 3}
        assert app.screen.table.row.key == 3
        assert "No other model was federated" in app.screen.query_one("#first").plain
        assert "GOES IN  1" in await panel(pilot, "gate"), "the gate has looked at what is marked"


async def test_a_model_is_written_measured_and_listed_after_a_restart(accepted: Place, trained: Path) -> None:
    out = accepted.home.federations / "mine"

    def fill(form: FederateForm) -> None:
        form.query_one("#data", Input).value = str(trained / "held-out.npz")
        form.query_one("#out", Input).value = str(out)

    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        screen = app.screen
        await order(pilot, fill)
        await until(pilot, lambda: screen._made, "the model")
        assert "being measured" in await panel(pilot, "outcome")
        await until(pilot, lambda: screen._made.figures, "its figures")
        await settled(pilot)
        (handle,) = app.transfers.newest()
        assert (handle.state, handle.said) == ("done", ""), "what is done measures nothing any more"
        said = await panel(pilot, "outcome")
        assert "being measured" not in said
        assert all(word in said for word in ("baseline", "federated", "average of 2", str(out)))
        assert aggregate.verify(out).output in said
        assert "No other model" in await panel(pilot, "earlier"), "what was just written stands in one panel"
    async with accepted.running(size=(120, 40)) as (_, pilot):
        await federating(pilot)
        said = await panel(pilot, "earlier")
        assert aggregate.read(out).output in said
        assert "ACCURACY" in said


async def test_a_new_task_begins_from_a_federated_model(accepted: Place) -> None:
    out = accepted.home.federations / "mine"

    def fill(form: FederateForm) -> None:
        form.query_one("#data", Input).value = ""
        form.query_one("#out", Input).value = str(out)

    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        await order(pilot, fill)
        await until(pilot, out.exists, "the model")
        await settled(pilot)
        screen = app.screen
        await until(pilot, lambda: screen._past, "it is listed")
        ways = {f"{name} {about}": go for name, about, go in await screen.related()}
        ways["new task from mine"]()
        await until(pilot, lambda: isinstance(app.screen, CreateTask), "the form")
        await until(pilot, lambda: app.screen.checked and app.screen.checked.terms, "its checks")
        draft, before = app.screen.draft, accepted.chain.task(1).terms
        assert (draft.question, draft.wanted) == (before.question, str(before.max_assignments))
        files = Path(draft.files)
        weights = (files / "base_model" / "model.weights.h5").read_bytes()
        assert weights == (out / "model.weights.h5").read_bytes()
        assert (files / "model_contributor.py").exists()
        assert not list(files.rglob("*provenance*")), "who contributed stays here"


async def test_the_outcome_is_of_what_is_chosen_and_of_when_it_was_written(
    accepted: Place,
) -> None:
    other = accepted.create("ada", "Digits, round 4")
    submission = accepted.take("bo", other)
    accepted.deliver("bo", submission, judged.plain_model(1))
    accepted.market("ada").accept_task_results(submission)

    async with accepted.running(size=(120, 40)) as (_, pilot):
        screen = await unmeasured(pilot)
        screen._made = replace(screen._made, made=86_400.0)
        said = await panel(pilot, "outcome")
        assert "average of 2  1970-01-0" in said, "not the time at which it is drawn"
        await pilot.press("G")
        await settled(pilot)
        assert "Nothing of these results was written" in screen.query_one("#first").plain
        assert "average of 2" in await panel(pilot, "earlier")
        await pilot.press("g", "space", "G")
        await settled(pilot)
        assert "average of 2" in await panel(pilot, "outcome"), "of what is marked, wherever the cursor is"


async def test_weights_change_the_shares(accepted: Place) -> None:
    out = accepted.home.federations / "weighted"

    def fill(form: FederateForm) -> None:
        form.query_one("#strategy", Button).press()
        form.query_one("#weight-1", Input).value = "3"
        form.query_one("#data", Input).value = ""
        form.query_one("#out", Input).value = str(out)

    async with accepted.running(size=(120, 40)) as (_, pilot):
        await federating(pilot)
        await order(pilot, fill)
        await until(pilot, out.exists, "the model")
        await settled(pilot)
        assert "not measured" in await panel(pilot, "outcome")
    shares = {entry.name.split()[0]: entry.share for entry in aggregate.read(out).inputs}
    assert shares == {"#1": 0.75, "#2": 0.25}


async def test_a_folder_that_is_there_is_refused_in_the_form(accepted: Place) -> None:
    def fill(form: FederateForm) -> None:
        form.query_one("#out", Input).value = str(accepted.home.data_dir)

    async with accepted.running(size=(120, 40)) as (app, pilot):
        await federating(pilot)
        await order(pilot, fill)
        await until(pilot, lambda: "is there already" in said(app.screen), "the refusal")


def said(form: FederateForm) -> str:
    return str(form.query_one("#problem", Static).content)


async def test_without_accepted_results_the_screen_says_where_they_come_from(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await federating(pilot)
        assert "No result was accepted yet" in text_of(app)


def test_what_was_federated_elsewhere_or_is_broken_is_listed_too(accepted: Place) -> None:
    broken = accepted.home.federations / "broken"
    broken.mkdir()
    (broken / aggregate.PROVENANCE).write_text("{")
    (entry,) = federation_history.past(accepted.home)
    assert entry.provenance is None
    assert "cannot be read" in entry.problem


def test_federate_with_nothing_to_do_looks_as_it_did(bare_home: Place, snap_compare) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await federating(pilot)

    assert snap_compare(bare_home.app(), terminal_size=(80, 24), run_before=show)


@pytest.fixture
def plain(home_of_one_path: Place) -> Place:
    """As `accepted`, of models whose every weight is known, under a hostile question."""
    place = home_of_one_path
    judged.hire(place)
    task = place.create("ada", f"Digits, round 3 {judged.HOSTILE} {'and more of it ' * 8}", slots=5)
    models = [judged.plain_model(1), judged.plain_model(2), judged.plain_model(3, units=3)]
    models.append({**judged.plain_model(4), "config.json": b'{"class_name": "Lambda"}'})
    for who, model in zip(("bo", "chi", "dev", "eli"), models, strict=True):
        submission = place.take(who, task)
        place.deliver(who, submission, model)
        place.market("ada").accept_task_results(submission)
    return place


async def test_a_wide_screen_shows_every_figure_that_a_small_one_does_and_the_question(
    accepted: Place,
) -> None:
    values = {"accuracy": 0.9, "loss": 0.3}
    figures = Metrics(kind="classification", main="accuracy", values=values, samples=30)

    async with accepted.running(size=(160, 48)) as (app, pilot):
        screen = await unmeasured(pilot)
        made = screen._made
        inputs = tuple((entry.name, figures) for entry in made.provenance.inputs)
        screen._made = replace(made, figures=figures, baseline=figures, inputs=inputs)
        await panel(pilot, "outcome")
        shown = text_of(app)
        assert "Digits, round 3" in shown
        titles = next(line for line in shown.splitlines() if "SHARE" in line)
        assert re.findall(r"(#\d).* 0\.500 ", shown) == ["#1", "#2"], "by their numbers"
        assert titles.split()[-6:] == ["MODEL", "SHARE", "ACCURACY", "+/-", "LOSS", "+/-"]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40), (160, 48)])
def test_the_gates_word_looks_as_it_did(plain: Place, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await federating(pilot)

    assert snap_compare(plain.app(), terminal_size=size, run_before=show)


@pytest.mark.parametrize("shown", ["outcome", "earlier"])
@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_what_was_federated_looks_as_it_did(
    plain: Place, snap_compare, size: tuple[int, int], shown: str
) -> None:
    """The model that was just written; and, opened anew, those of before."""

    async def write(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        screen = await unmeasured(pilot)
        known = replace(screen._made.provenance, versions={"numpy": "2"})
        screen._made = replace(screen._made, made=START, provenance=known)
        federation_history.remember(plain.home, screen._made)
        (screen._made.folder / aggregate.PROVENANCE).write_bytes(json.encode(known))
        pilot.app.clear_notifications()
        await panel(pilot, "outcome")

    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await federating(pilot)
        await panel(pilot, "earlier")

    if shown == "earlier":
        asyncio.run(_written(plain, write))
    assert snap_compare(plain.app(), terminal_size=size, run_before=write if shown == "outcome" else show)


async def _written(place: Place, write: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    async with place.running() as (_, pilot):
        await write(pilot)
