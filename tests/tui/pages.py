"""Every page and dialog of the app, and how a person gets there, in a market with strangers' strings."""

import json
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from decentralml.core.domain import TaskType
from decentralml.core.wallet.accounts import Account
from decentralml.core.wallet.addressbook import AddressBook
from decentralml.tui.failures import Failure
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens import account_dialogs
from decentralml.tui.screens.address_book import AddressBookScreen
from decentralml.tui.screens.dialog import Choose, Show
from decentralml.tui.screens.failure import FailureStory
from decentralml.tui.screens.federate_form import FederateForm
from decentralml.tui.screens.file_picker import FilePicker
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.held_out import HELD_OUT, HeldOut
from decentralml.tui.screens.label import LabelFiles
from decentralml.tui.screens.new_words import Words
from decentralml.tui.screens.reason import AskReason
from decentralml.tui.screens.record import RecordScreen
from decentralml.tui.screens.report import ReportScreen
from decentralml.tui.screens.send import SendResult
from decentralml.tui.screens.set_up import SetUp
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.screens.statement import StatementScreen
from decentralml.tui.screens.submission import SubmissionDetails
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.train import StartTraining
from decentralml.tui.screens.try_task import TryTask
from decentralml.tui.screens.viewer import Viewer

from . import judged
from .conftest import ASSETS, START, Place, opened, settled, text_of, until
from .judged import HOSTILE
from .trainings import Training, finished, fit, started

LONG = f"{HOSTILE} {'and a question that does not end ' * 8}"


def paint(place: Place) -> None:
    """ada's market: results of every kind, a task of bo's that she works on, letters to label, two models."""
    judged.known_market(place)
    engineering = place.create("bo", LONG, TaskType.ModelEngineer, pays=123.456789)
    place.take("ada", engineering)
    letters = place.create("chi", "Praise or blame?", TaskType.DataAnnotators, pays=0.05, slots=20)
    place.take("ada", letters)
    digits = place.create("ada", "Digits, round 2", pays=8, slots=3)
    for number, who in enumerate(("bo", "chi"), 1):
        submission = place.take(who, digits)
        place.deliver(who, submission, judged.plain_model(number))
        place.market("ada").accept_task_results(submission)
    AddressBook(place.home).add("the people of the second ward", place.address("dev"))
    for account in place.accounts.list():
        made_in_2025(account)


def made_in_2025(account: Account) -> None:
    """Let a key file be of a known time."""
    file = json.loads(account.path.read_text())
    file["meta"]["whenCreated"] = 1_750_000_000_000
    account.path.write_text(json.dumps(file))


def train_long(place: Place) -> None:
    """A training that has ended, of the task with the long question."""
    events = [*started(), *fit(20, 20), *finished()]
    Training(place.home.runs / "12", events, title=LONG, task_id=3)


Page = Callable[[Place, Pilot[None]], Awaitable[None]]


async def mode(pilot: Pilot[None], key: str) -> None:
    await pilot.press(key)
    await settled(pilot)


async def sees(pilot: Pilot[None], *texts: str) -> None:
    await until(pilot, lambda: all(text in text_of(pilot.app) for text in texts), " and ".join(texts))
    await settled(pilot)


async def task(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(TaskDetail(3))
    await sees(pilot, "escrow", "creator")


async def submission(place: Place, pilot: Pilot[None]) -> None:
    screen = TaskDetail(1)
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.facts, "the task")
    facts = screen.facts
    pilot.app.push_screen(SubmissionDetails(place.chain.submission(1), facts, place.chain.head().block))
    await sees(pilot, "Submission 1")


async def report(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(ReportScreen(1))
    await sees(pilot, "measured here", "BASELINE")


async def record(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(RecordScreen(place.address("bo")))
    await sees(pilot, "AS WORKER")


async def validate(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "3")
    await sees(pilot, "BASELINE")


async def federate(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "4")
    await sees(pilot, "GOES IN  2")


async def related(place: Place, pilot: Pilot[None]) -> None:
    await validate(place, pilot)
    await pilot.press("full_stop")
    await sees(pilot, "Go to", "task 1")


async def accounts(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "5")
    await sees(pilot, "ADDRESS", "in use", "as creator")


async def activity(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "6")
    await sees(pilot, "WAITS FOR YOU", "judge")


async def runs(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "2")
    await sees(pilot, "run 12", "loss")


async def create(place: Place, pilot: Pilot[None]) -> None:
    await pilot.press("n", "tab", *"Which digit is it?", "tab", *"/nowhere")
    await sees(pilot, "CHECKS", "digit is it?")


async def statement(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(StatementScreen(place.address("ada")))
    await sees(pilot, "into escrow", "from the faucet")


async def address_book(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(AddressBookScreen())
    await sees(pilot, "second")


async def viewer(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(Viewer(ASSETS / "model_contributor", "model_contributor.py"))
    await sees(pilot, "def ")


async def label(place: Place, pilot: Pilot[None]) -> None:
    await pilot.app.push_screen(LabelFiles(4))
    await sees(pilot, "0 of 6 labelled")


async def sign(place: Place, pilot: Pilot[None]) -> None:
    from decentralml.tui.signing import proposals

    pilot.app.push_screen(Sign(proposals.close(pilot.app.session, 1)))
    await sees(pilot, "Close task 1", "effect")


async def decide(place: Place, pilot: Pilot[None]) -> None:
    await mode(pilot, "3")
    await until(pilot, lambda: pilot.app.screen.look, "the result")
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, SignAll), "the card")


async def reason(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.push_screen(
        AskReason("Reject #1", "Why? The worker reads it.", "no better than the baseline", "#1")
    )
    await sees(pilot, "Reject #1")


async def held_out(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.push_screen(HeldOut("Evaluate results of task 1", Setup(), policy_needed=False))
    await sees(pilot, "Held-out data")


async def train(place: Place, pilot: Pilot[None]) -> None:
    screen = StartTraining(3)
    pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.query("#start") and not screen.query_one("#start").disabled, "the card")
    await until(
        pilot, lambda: screen.query_one("#card").size.height > 1 and screen.query_one("#machine").size
    )


async def try_task(place: Place, pilot: Pilot[None]) -> None:
    screen = TryTask(3)
    pilot.app.push_screen(screen)
    await until(pilot, lambda: screen.query("#try") and not screen.query_one("#try").disabled, "the card")
    await until(pilot, lambda: screen.query_one("#found").size.height > 1, "the card")


async def set_up(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.push_screen(SetUp(3))
    await sees(pilot, "setup.sh")


async def send(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.push_screen(SendResult(6))
    await sees(pilot, "Deliver submission 6")
    await settled(pilot)


async def picker(place: Place, pilot: Pilot[None]) -> None:
    folder = place.home.root.parent / "shelf"
    folder.mkdir(exist_ok=True)
    for name in ("images", "labels", "scans \u202e of \x1b[2J the ward"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "digits.npz").write_bytes(b"x" * 1234)
    pilot.app.push_screen(FilePicker(folder, HELD_OUT))
    await sees(pilot, "digits.npz")


async def words(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.push_screen(
        Words("dora", "legal winner thank year wave sausage worth useful legal winner thank yellow")
    )
    await sees(pilot, "The words of dora")


async def help_page(place: Place, pilot: Pilot[None]) -> None:
    await until(pilot, lambda: pilot.app.screen._preview, "why a task cannot be taken")
    await pilot.press("question_mark")
    await sees(pilot, "enter", "open what")


async def palette(place: Place, pilot: Pilot[None]) -> None:
    await pilot.press("colon")
    await pilot.press(*"theme")
    await sees(pilot, "theme dark")


async def federate_form(place: Place, pilot: Pilot[None]) -> None:
    await federate(place, pilot)
    await pilot.press("w")
    await until(pilot, lambda: isinstance(pilot.app.screen, FederateForm), "the form")


async def new_account(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.run_worker(account_dialogs.create(pilot.app))
    await until(pilot, lambda: isinstance(pilot.app.screen, Form), "the form")


async def failure(place: Place, pilot: Pilot[None]) -> None:
    frames = "\n".join(f'  File "base.py", line {number}, in call_{number}' for number in range(1, 30))
    broken = Failure(
        when=START,
        doing=f"fetching the files of {LONG}",
        code="TransferBroken",
        message="It broke off \x1b[31m数字 zero\u200bwidth.",
        hint="Start it again.",
        story=f"because OSError: [Errno 5] Input/output error\nTraceback:\n{frames}",
        again=list,
    )
    pilot.app.push_screen(FailureStory(broken))
    await until(pilot, lambda: isinstance(pilot.app.screen, FailureStory), "the story")


async def ask(place: Place, pilot: Pilot[None]) -> None:
    await create(place, pilot)
    await pilot.press("ctrl+l")
    await sees(pilot, "Clear the form")


async def welcome(place: Place, pilot: Pilot[None]) -> None:
    words = "You are ada, the creator of tasks 1 and 2. Your password is demo.\n\n" + "Look around. " * 99
    pilot.app.push_screen(Show("The demo market", words))
    await sees(pilot, "You are ada")


async def who(place: Place, pilot: Pilot[None]) -> None:
    await pilot.press("U")
    await sees(pilot, "Switch account", place.address("chi"))


PAGES: dict[str, Page] = {
    "task": task,
    "submission": submission,
    "report": report,
    "record": record,
    "runs": runs,
    "validate": validate,
    "related": related,
    "federate": federate,
    "accounts": accounts,
    "activity": activity,
    "create": create,
    "statement": statement,
    "address-book": address_book,
    "viewer": viewer,
    "label": label,
    "sign": sign,
    "decide": decide,
    "reason": reason,
    "held-out": held_out,
    "train": train,
    "try": try_task,
    "set-up": set_up,
    "send": send,
    "picker": picker,
    "words": words,
    "help": help_page,
    "palette": palette,
    "federate-form": federate_form,
    "new-account": new_account,
    "failure": failure,
    "ask": ask,
    "welcome": welcome,
    "who": who,
}


async def import_account(place: Place, pilot: Pilot[None], source: str) -> None:
    pilot.app.run_worker(account_dialogs.import_(pilot.app))
    await until(pilot, lambda: isinstance(pilot.app.screen, Choose), "the sources")
    sources = pilot.app.screen.query_one(OptionList)
    sources.highlighted = sources.get_option_index(source)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Form), "the form")


async def import_words(place: Place, pilot: Pilot[None]) -> None:
    await import_account(place, pilot, "words")


async def import_json(place: Place, pilot: Pilot[None]) -> None:
    await import_account(place, pilot, "json")


async def change_password(place: Place, pilot: Pilot[None]) -> None:
    pilot.app.run_worker(account_dialogs.change_password(pilot.app, place.accounts.get("ada")))
    await until(pilot, lambda: isinstance(pilot.app.screen, Form), "the form")


async def forget(place: Place, pilot: Pilot[None]) -> None:
    account = place.accounts.get("ada")
    pilot.app.run_worker(account_dialogs.forget(pilot.app, account, "It has 900.00 free and 3 open tasks."))
    await until(pilot, lambda: isinstance(pilot.app.screen, Form), "the form")


# What is asked in the same form as for a new account: no picture shows more of it.
FORMS: dict[str, Page] = {
    "import-words": import_words,
    "import-json": import_json,
    "change-password": change_password,
    "forget": forget,
}


def opener(place: Place, page: str, theme: str = "dark") -> Callable[[Pilot[None]], Awaitable[None]]:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        pilot.app.looks.use(theme)
        await (PAGES | FORMS)[page](place, pilot)
        await settled(pilot)
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False
        await pilot.pause()

    return show


DIALOGS = ("submission", "sign", "decide", "reason", "held-out", "train", "try", "set-up", "send")
DIALOGS += ("picker", "words", "help", "federate-form", "new-account", "failure", "ask", "welcome", *FORMS)
