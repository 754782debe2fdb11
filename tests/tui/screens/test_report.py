"""A report in full, also after the decision: by who judged, and by whose result was judged."""

import shutil

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button

from decentralml.core import judging
from decentralml.core.chain.calls import ValidateTaskResults
from decentralml.core.cli.storage import references
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.report import ReportScreen
from decentralml.tui.screens.submission import SubmissionDetails
from decentralml.tui.screens.task import TaskDetail

from .. import judged
from ..conftest import Place, opened, settled, text_of, until


@pytest.fixture
def decided(known: Place) -> Place:
    """ada has published her reports on task 1, paid for bo's result 1, and rejected chi's result 2."""
    ada = known.market("ada")
    ada.accept_task_results(1, digest=published(known, 1))
    ada.reject_task_results(2, "It claims what it is not.", digest=published(known, 2))
    return known


def published(place: Place, number: int) -> str:
    """Let ada publish her report on a result; the result's digest."""
    digest = place.chain.submission(number).digest
    assert digest is not None
    folder = judging.report_folder(place.home, number, digest)
    place.market("ada").publish_report(number, folder, digest)
    return digest


def elsewhere(place: Place) -> None:
    """Let the home be one that has evaluated nothing, as the worker's is."""
    shutil.rmtree(place.home.reports)


async def shown(app: DecentralMLApp, pilot: Pilot[None]) -> ReportScreen:
    """The report in front, once it was read."""
    await until(pilot, lambda: isinstance(app.screen, ReportScreen), "the report's screen")
    screen = app.screen
    assert isinstance(screen, ReportScreen)
    await until(pilot, lambda: screen.reading or screen.problem, "the report")
    await settled(pilot)
    return screen


async def panel(pilot: Pilot[None], screen: ReportScreen, name: str) -> str:
    screen.panel = name
    screen.show_panels()
    await pilot.pause()
    return screen.query_one("#first").plain


@pytest.mark.parametrize(
    ("who", "number", "standing", "figure"),
    [("bo", 1, "accepted", "0.9480"), ("chi", 2, "rejected", "0.8710")],
)
async def test_a_worker_reads_the_whole_report_by_which_he_was_paid_or_rejected(
    decided: Place, who: str, number: int, standing: str, figure: str
) -> None:
    elsewhere(decided)
    async with decided.running(size=(100, 40), as_=who) as (app, pilot):
        await app.push_screen(TaskDetail(1))
        detail = app.screen
        assert isinstance(detail, TaskDetail)
        await until(pilot, lambda: detail.facts and detail.query_one("#history-table").loaded, "the task")
        detail.work(detail._open_submission(number))
        await until(pilot, lambda: isinstance(app.screen, SubmissionDetails), "the submission")
        app.screen.query_one("#report", Button).press()
        screen = await shown(app, pilot)
        said = f"{standing}  published by its creator; its digest is the one on the chain"
        assert said in text_of(app)
        assert ("why: It claims what it is not." in text_of(app)) == (standing == "rejected")
        told = judged.figures(decided.chain.submission(number), 0.5, 0.5, 0.5)
        assert figure in await panel(pilot, screen, "figures")
        assert "BASELINE" in await panel(pilot, screen, "matrix")
        assert "layers/dense" in await panel(pilot, screen, "layers")
        assert "Sequential" in await panel(pilot, screen, "model")
        details = await panel(pilot, screen, "report")
        assert all(digest in details for digest in (told.result_digest, told.dataset_digest))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is detail, "back")


async def test_a_worker_reads_the_report_and_why_while_he_works_on_changes(known: Place) -> None:
    known.market("ada").request_changes(2, "Train it longer.", digest=published(known, 2))
    elsewhere(known)
    async with known.running(size=(100, 40), as_="chi") as (app, pilot):
        await app.push_screen(TaskDetail(1))
        detail = app.screen
        assert isinstance(detail, TaskDetail)
        await until(pilot, lambda: detail.facts and detail.query_one("#history-table").loaded, "the task")
        detail.work(detail._open_submission(2))
        await until(pilot, lambda: isinstance(app.screen, SubmissionDetails), "the submission")
        await until(pilot, lambda: "PUBLISHED BY THE CREATOR" in text_of(app), "its report")
        assert "to change" in text_of(app)
        assert "Train it longer." in text_of(app)
        await pilot.press("X")
        await shown(app, pilot)
        assert "at work  published by its creator" in text_of(app)
        assert "to change: Train it longer." in text_of(app)
        assert "0.8710" in text_of(app)


def test_a_report_for_which_changes_were_asked_is_kept_in_the_store(known: Place) -> None:
    known.market("ada").request_changes(2, "Train it longer.", digest=published(known, 2))
    asked = known.chain.last_report(2)
    assert asked is not None
    assert asked.report_path in set(references(known.chain))


async def test_its_creator_reads_it_after_the_decision(decided: Place) -> None:
    async with decided.running(size=(100, 40)) as (app, pilot):
        app.push_screen(ReportScreen(2))
        await shown(app, pilot)
        assert "chi  rejected  measured here, and published" in text_of(app)


async def test_accepted_results_lead_to_their_reports_where_they_are_federated(decided: Place) -> None:
    async with decided.running(size=(120, 40)) as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: app.screen.SCOPE == "federate" and app.screen.table.row, "the list")
        await settled(pilot)
        await pilot.press("X")
        await shown(app, pilot)
        assert "accepted  measured here, and published" in text_of(app)


async def test_where_the_report_cannot_be_fetched_it_says_so_and_is_fetched_again(decided: Place) -> None:
    elsewhere(decided)
    away = decided.home.root / "away"
    decided.home.storage.rename(away)
    async with decided.running(size=(100, 40), as_="chi") as (app, pilot):
        app.push_screen(ReportScreen(2))
        screen = await shown(app, pilot)
        assert "The report cannot be shown" in text_of(app)
        assert app.failures[-1].doing == "reading the report on result 2"
        away.rename(decided.home.storage)
        app.failures[-1].again()
        await until(pilot, lambda: screen.reading, "the report")
        assert "0.8710" in text_of(app)


async def test_a_result_that_nobody_measured_has_no_report_and_says_so(decided: Place) -> None:
    async with decided.running(size=(100, 40), as_="chi") as (app, pilot):
        app.push_screen(ReportScreen(4))
        await shown(app, pilot)
        assert "No report was published on this result" in text_of(app)


async def test_the_report_that_was_open_is_open_after_a_restart(decided: Place) -> None:
    async with decided.running(size=(100, 40)) as (app, pilot):
        app.push_screen(ReportScreen(2))
        await shown(app, pilot)
        await pilot.press("right_square_bracket")
        await settled(pilot)
    async with decided.running(size=(100, 40)) as (app, pilot):
        screen = await shown(app, pilot)
        assert screen.submission_id == 2
        assert screen.panel == "matrix"


async def test_a_report_that_is_not_the_one_the_chain_names_is_not_shown(known: Place) -> None:
    published(known, 2)
    path, digest = known.chain.submission(2).report_path, known.chain.submission(1).digest
    assert path is not None
    assert digest is not None
    known.market("ada").send(ValidateTaskResults(1, digest, path, "0" * 64))
    elsewhere(known)
    async with known.running(size=(100, 40), as_="bo") as (app, pilot):
        app.push_screen(ReportScreen(1))
        screen = await shown(app, pilot)
        assert screen.problem is not None
        assert screen.problem.code == "BadReport"
        assert "another digest than the chain has" in " ".join(text_of(app).split())
        assert "0.8710" not in text_of(app)


async def test_what_a_report_says_and_the_chain_denies_is_said(known: Place) -> None:
    submission = known.chain.submission(2)
    said = judged.figures(submission, 0.871, 0.402, 0.99)
    lie = replace(said, result_digest="f" * 64, worker=known.address("bo"))
    judged.write_report(known, submission, lie)
    published(known, 2)
    elsewhere(known)
    async with known.running(size=(100, 40), as_="chi") as (app, pilot):
        app.push_screen(ReportScreen(2))
        await shown(app, pilot)
        assert "another result than the one delivered: fffffffffffffff" in text_of(app)
        assert "another worker than the chain does" in text_of(app)


async def test_a_report_that_was_measured_anew_gives_way_to_the_published_one(decided: Place) -> None:
    submission = decided.chain.submission(2)
    judged.write_report(decided, submission, judged.figures(submission, 0.555, 0.402, 0.99))
    async with decided.running(size=(100, 40)) as (app, pilot):
        app.push_screen(ReportScreen(2))
        await shown(app, pilot)
        assert "published by its creator" in text_of(app)
        assert "0.8710" in text_of(app)


async def test_what_fits_is_not_doubted(decided: Place) -> None:
    async with decided.running(size=(100, 40), as_="chi") as (app, pilot):
        app.push_screen(ReportScreen(2))
        await shown(app, pilot)
        assert not app.screen.query_one("#misfits").display


@pytest.mark.parametrize("size", [(60, 20), (160, 48)])
@pytest.mark.parametrize("panel_name", ["figures", "matrix"])
def test_a_report_looks_as_it_did(
    decided: Place, snap_compare, size: tuple[int, int], panel_name: str
) -> None:
    elsewhere(decided)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        pilot.app.push_screen(ReportScreen(2))
        screen = await shown(pilot.app, pilot)
        await panel(pilot, screen, panel_name)

    assert snap_compare(decided.app(as_="chi"), terminal_size=size, run_before=show)
