"""The form that publishes a task: checked and priced while one types, and nothing typed is lost."""

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input

from decentralml.core.amount import UNIT
from decentralml.core.domain import TaskType, ValidationStrategy
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.file_picker import FilePicker
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.tasks import Tasks
from decentralml.tui.state import State
from decentralml.tui.task import draft as task_draft
from decentralml.tui.task.draft import Draft
from decentralml.tui.widgets.choice import Choice

from ..conftest import ASSETS, PASSWORD, Place, opened, said, text_of, until
from ..forms import fill, findings, form


async def publish(pilot: Pilot[None]) -> None:
    """Press the button, and say yes."""
    app = pilot.app
    app.screen.query_one("#publish", Button).press()
    await until(pilot, lambda: isinstance(app.screen, Sign), "the question")


async def sign(pilot: Pilot[None]) -> None:
    dialog = pilot.app.screen
    await pilot.press("y", *PASSWORD, "enter")
    await until(pilot, lambda: pilot.app.screen is not dialog, "the receipt")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (110, 24), (160, 48)])
async def test_the_button_stays_in_sight_however_long_the_form_is(
    bare_home: Place, size: tuple[int, int]
) -> None:
    async with bare_home.running(size=size) as (app, pilot):
        await form(app, pilot)
        await pilot.press("right", "right")
        await until(pilot, lambda: "media" in text_of(app), "an annotator's fields")
        assert "Publish…" in text_of(app)


async def test_a_task_is_published_from_the_form_alone(bare_home: Place, contributors_folder: Path) -> None:
    async with bare_home.running(size=(80, 40)) as (app, pilot):
        screen = await form(app, pilot)
        assert screen.query_one("#publish", Button).disabled
        await pilot.press("tab", *"Which digit is it?", "tab")
        await fill(pilot, files=str(contributors_folder), pays="2.5", wanted="4", until="12h")
        await until(pilot, lambda: screen.checked.terms)
        assert "2.5 x 4 = 10.00" in text_of(app)
        assert "990.00" in text_of(app)
        await publish(pilot)
        assert "model_contributor.py" in text_of(app)
        await sign(pilot)
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the new task")
        terms = bare_home.chain.task(1).terms
        assert (terms.question, terms.pays_amount, terms.max_assignments) == (
            "Which digit is it?",
            5 * UNIT // 2,
            4,
        )
        assert terms.expiration_block == 12 * 600
        assert terms.validation_strategy is ValidationStrategy.ManualAccept
        await pilot.press("escape")
        assert isinstance(app.screen, Tasks)
        assert (await form(app, pilot)).draft.empty, "a published task leaves no draft"


async def test_an_annotators_task_asks_for_its_labels(bare_home: Place) -> None:
    async with bare_home.running(size=(80, 30)) as (app, pilot):
        screen = await form(app, pilot)
        assert not screen.query_one("#row-labels").display
        await pilot.press("left")
        assert screen.query_one("#row-labels").display
        await fill(
            pilot,
            question="Which mood?",
            files=str(ASSETS / "data_annotator" / "files"),
            pays="0.1",
            wanted="3",
            labels="complaint, praise, question",
            samples="01.txt is a complaint; 02.txt is praise",
            more='{"language": "en"}',
        )
        await until(pilot, lambda: screen.checked.terms)
        await publish(pilot)
        for argument in ("01.txt is a complaint", "02.txt is praise", '{"language": "en"}'):
            assert argument in text_of(app), "the card shows every argument"
        await sign(pilot)
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        terms = bare_home.chain.task(1).terms
        assert terms.task_type is TaskType.DataAnnotators
        assert terms.annotation_media_samples == ("01.txt is a complaint", "02.txt is praise")
        assert terms.annotation_json == '{"language": "en"}'


async def test_a_task_that_pays_unread_warns_and_asks_a_second_time(
    bare_home: Place, contributors_folder: Path
) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, question="Which?", files=str(contributors_folder), pays="3", wanted="5")
        screen.query_one("#judged", Choice).focus()
        await pilot.press("left")
        await until(pilot, lambda: "judged" in findings(screen))
        assert "unread: up to 15.00" in findings(screen)["judged"][1]
        await publish(pilot)
        dialog = app.screen
        await pilot.press("y")
        await pilot.pause()
        assert app.screen is dialog, "once is not enough"
        assert bare_home.chain.last_cursor() == 3, "nothing but the faucet's grants"
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        assert bare_home.chain.task(1).terms.validation_strategy is ValidationStrategy.AutoAccept


async def test_leaving_by_mistake_keeps_all_that_was_typed_also_over_a_restart(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await form(app, pilot)
        await fill(pilot, question="A long question\nof two lines", pays="7", files="/somewhere")
        await pilot.press("escape")
        assert isinstance(app.screen, Tasks)
        assert "Kept as a draft" in [note.message for note in app._notifications][-1]
        screen = await form(app, pilot)
        assert (screen.draft.question, screen.draft.pays) == ("A long question\nof two lines", "7")
        assert screen.query_one("#question").cursor_at_end_of_text, "one goes on writing"
        app.finish()
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        assert screen.query_one("#files", Input).value == "/somewhere"
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("escape")
        assert screen.draft.pays == "7", "a slip of the key clears nothing"
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("y")
        await until(pilot, lambda: screen.draft.empty)


async def test_what_is_typed_is_written_down_before_anybody_leaves_the_form(bare_home: Place) -> None:
    def kept() -> Draft:
        state = State(bare_home.home)
        state.load()
        return task_draft.from_state(state.get("create.draft"))

    async with bare_home.running() as (app, pilot):
        await form(app, pilot)
        await fill(pilot, question="Cats or dogs?")
        await until(pilot, lambda: kept().question == "Cats or dogs?", "the draft in the file")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("y")
        await until(pilot, lambda: kept().empty, "an empty draft in the file")


async def test_what_keeps_a_task_from_being_published_stands_beside_the_button(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await form(app, pilot)
        await fill(pilot, question="Which?", pays="many", wanted="1")
        await until(pilot, lambda: "not yet: files, pays" in text_of(app))
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app._notifications, "the same, said")
        assert "not yet: files, pays" in [note.message for note in app._notifications][-1]


async def test_enter_goes_to_the_next_field_from_a_choice_too(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        assert screen.focused is screen.query_one("#kind")
        await pilot.press("enter")
        assert screen.focused is screen.query_one("#question")


async def test_from_any_field_one_key_publishes(bare_home: Place, contributors_folder: Path) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, question="Which?", files=str(contributors_folder), pays="6", wanted="1")
        await until(pilot, lambda: screen.checked.terms)
        await pilot.pause()
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(app.screen, Sign), "the question")


async def test_what_stands_in_the_form_is_published_though_its_check_is_not_back_yet(
    bare_home: Place, contributors_folder: Path
) -> None:
    async with bare_home.running(size=(140, 40)) as (app, pilot):
        screen = await form(app, pilot)
        await fill(
            pilot, question="Train it", files=str(contributors_folder), pays="2", wanted="2", until="7d"
        )
        await until(pilot, lambda: screen.checked and screen.checked.terms is not None)
        screen.query_one("#pays", Input).value = "3.25"
        screen.action_go()
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "6.50" in text_of(app)


async def test_a_refusal_after_the_upload_leaves_the_reference_in_the_form(
    bare_home: Place, contributors_folder: Path
) -> None:
    """Somebody spends the money between the proposal and the signature."""
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, question="Which?", files=str(contributors_folder), pays="600", wanted="1")
        await until(pilot, lambda: screen.checked.terms)
        await publish(pilot)
        put = app.session.storage.put

        def put_while_money_goes(folder: Path, **options: object) -> str:
            reference = put(folder, **options)
            bare_home.create("ada", "Another, first", pays=600, slots=1)
            return reference

        app.session.storage.put = put_while_money_goes
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: "too little free money" in text_of(app), "the refusal")
        await pilot.press("escape")
        await until(pilot, lambda: any("uploaded already" in words for words in said(app)), "what is kept")
        await until(pilot, lambda: "#sha256=" in screen.query_one("#files", Input).value)
        assert screen.draft.question == "Which?"
        await fill(pilot, pays="2")
        await until(pilot, lambda: screen.checked.terms)
        assert screen.checked.source == screen.query_one("#files", Input).value


async def test_the_folder_is_picked_from_a_list(
    bare_home: Place, contributors_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(contributors_folder.parent)
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        screen.query_one("#browse", Button).press()
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        await pilot.press(*"model_con", "tab", "enter")
        await until(pilot, lambda: app.screen is screen)
        assert screen.query_one("#files", Input).value == str(contributors_folder)


async def test_every_hint_of_the_form_is_whole_on_a_small_screen(bare_home: Place) -> None:
    async with bare_home.running(size=(60, 20)) as (app, pilot):
        screen = await form(app, pilot)
        for name in ("files", "pays", "wanted", "until"):
            line = screen.query_one(f"#{name}", Input)
            assert len(line.placeholder) <= line.content_size.width, line.placeholder


async def test_typing_letters_and_digits_triggers_no_key(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        screen.query_one("#pays").focus()
        await pilot.press(*"q1t?:n2")
        assert app.screen is screen
        assert screen.query_one("#pays", Input).value == "q1t?:n2"


async def test_readonly_offers_no_form(bare_home: Place) -> None:
    async with bare_home.running(readonly=True) as (app, pilot):
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(app.screen, Tasks)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_the_form_looks_as_it_did(bare_home: Place, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await form(pilot.app, pilot)
        await fill(pilot, question="Which digit is it?", files="/nowhere", pays="2.5", wanted="4")
        screen.query_one("#kind").focus()
        await pilot.pause()

    assert snap_compare(bare_home.app(), terminal_size=size, run_before=show)


async def test_what_is_pasted_holds_nothing_that_a_terminal_would_obey(bare_home: Place) -> None:
    async with bare_home.running(size=(80, 40)) as (app, pilot):
        screen = await form(app, pilot)
        for name in ("question", "files"):
            screen.query_one(f"#{name}").focus()
            await pilot.pause()
            app.post_message(events.Paste("A \x1b]0;pwn\x07B\u202e\u200b\tC\r\nD\x1bc"))
            await until(pilot, lambda name=name: getattr(screen.draft, name), "what was pasted")
        assert screen.draft.question == "A ]0;pwnB C\nDc"
        assert screen.draft.files == "A ]0;pwnB C"


@pytest.mark.parametrize("files", ["/" + "x" * 400, "/nobody/\x00here", "~nobody-of-this-name"])
async def test_a_path_that_no_system_takes_is_a_finding_and_can_be_mended(
    bare_home: Place, contributors_folder: Path, files: str
) -> None:
    async with bare_home.running(size=(80, 40)) as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, files=files)
        await until(pilot, lambda: findings(screen).get("files", ("",))[0] == "bad")
        screen.query_one("#browse", Button).press()
        await until(pilot, lambda: isinstance(app.screen, FilePicker) or len(app.failures))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await fill(pilot, files=str(contributors_folder))
        await until(pilot, lambda: findings(screen)["files"][0] == "good")
        assert "Bug" not in [error.code for error in app.failures]
