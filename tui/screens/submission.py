"""One submission with everything that is known of it, and the ways on from there."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core import judging
from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.domain import Submission
from decentralml.core.errors import Refused
from decentralml.core.report import Report
from decentralml.core.text import clean
from decentralml.core.words import count
from decentralml.tui import keys
from decentralml.tui.judging.canvas import number
from decentralml.tui.screens.working import Working
from decentralml.tui.task import words as task_words
from decentralml.tui.task.facts import Facts
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.prose import Block, Field, Prose
from decentralml.tui.words import reason_is


class SubmissionDetails(Working[str]):
    """Answers with where to go on: "judge", "report" or "related"; None where it was only read."""

    def __init__(self, submission: Submission, facts: Facts, now: int) -> None:
        super().__init__(f"Submission {submission.id} of task {submission.task_id}")
        self._submission = submission
        self._facts = facts
        self._now = now

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Prose(id="fields")
            yield Prose(id="measured")
        yield Static("", id="problem")
        with Buttons():
            if self.app.refusal_of(self, "evaluate") is None:
                yield Button(self.label("Evaluate", "evaluate"), id="judge", variant="primary", compact=True)
            if self._can("report"):
                yield Button(self.label("Report", "report"), id="report", compact=True)
            yield Button(self.label("Go to", "related"), id="related", compact=True)
            yield Button(self.label("Close", "back"), id="close", compact=True)

    def _can(self, what: str) -> bool:
        if what == "judge":
            return self._submission.id in self._facts.fitting.get("evaluate", ())
        return self._submission.id in self._facts.reports or self._submission.report_path is not None

    def on_mount(self) -> None:
        self.query_one("#fields", Prose).show(fields(self._submission, self._facts, self._now))
        self.query_one("#close").focus()
        own = self._facts.reports.get(self._submission.id)
        if own is not None:
            self.query_one("#measured", Prose).show(report_blocks(own, "MEASURED HERE"))
        elif self._submission.report_path is not None:
            self.work(self._published())

    async def _published(self) -> None:
        """What the creator published, fetched: their word."""
        self.say("fetching the published report…")
        found = await self.call(judging.published_report, self.session.market, self._submission)
        self.say("")
        if found is not None:
            self.query_one("#measured", Prose).show(report_blocks(found, "PUBLISHED BY THE CREATOR"))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(None if event.button.id == "close" else event.button.id)

    def why_not(self, action: str) -> Refused | None:
        if action == "evaluate" and not self._can("judge"):
            words = "Its creator evaluates a result, from its delivery to the decision."
            return Refused("NotToJudge", words, "")
        if action == "report" and not self._can("report"):
            return Refused(
                "NoReport",
                "There is no report on this result.",
                keys.said("{evaluate} in {validate} makes one."),
            )
        return None

    def action_evaluate(self) -> None:
        self.dismiss("judge")

    def action_report(self) -> None:
        self.dismiss("report")

    def action_related(self) -> None:
        self.dismiss("related")

    def action_copy(self) -> None:
        self.app.copy(self._submission.result_path or self._submission.digest or self._submission.worker)


def fields(submission: Submission, facts: Facts, now: int) -> list[Block]:
    """Every field of a submission that says something, in words."""
    s, pays = submission, facts.task.terms.pays_amount
    words, tone = task_words.standing(s, facts, now)
    found: list[Field] = [
        ("status", ((words, tone),)),
        ("worker", (task_words.person_full(facts, s.worker),)),
        ("record", (task_words.worker_record(facts.workers[s.worker].worker),)),
        ("taken", (task_words.when(s.taken, facts, now),)),
    ]
    if s.started != s.taken:
        found.append(("started anew", (task_words.when(s.started, facts, now),)))
    if s.first_delivered is not None and s.first_delivered != s.delivered:
        found.append(("first sent", (task_words.when(s.first_delivered, facts, now),)))
    if s.delivered is not None:
        found.append(("delivered", (task_words.when(s.delivered, facts, now),)))
    found += [(label, (task_words.when(block, facts, now),)) for label, block in _due(s, facts)]
    if s.decided is not None:
        claimed = "  claimed: the creator stayed silent" if s.claimed else ""
        found.append(("decided", (task_words.when(s.decided, facts, now), claimed)))
    if task_words.paid(s, facts):
        found.append(("paid", ((format_amount(pays), "good"),)))
    if s.deposit:
        found.append(("deposit", (f"{format_amount(s.deposit)} held",)))
    if s.requests:
        found.append(("changes asked", (f"{s.requests} of 2 times",)))
    if s.reason:
        found.append((reason_is(s), ((clean(s.reason, keep_newlines=True), "bold"),)))
    texts = (
        ("answer", s.result),
        ("result", s.result_path),
        ("stored on", s.result_storage_type.value if s.result_storage_type else None),
        ("digest", s.digest),
        ("report", s.report_path),
        ("report digest", s.report_digest),
    )
    found += [(label, (clean(text),)) for label, text in texts if text]
    run = facts.runs.get(s.id)
    if run is not None:
        found.append(("run here", (f"{run.id}, {run.state}, {count(run.last.epoch, 'epoch')}",)))
    return [found]


def _due(submission: Submission, facts: Facts) -> list[tuple[str, int]]:
    found = rules.deadlines(facts.task, submission, facts.constants)
    pairs = (
        ("deliver by", found.deliver),
        ("give back free", found.abandon_free),
        ("decide by", found.decide),
    )
    return [(label, block) for label, block in pairs if block is not None]


def report_blocks(report: Report, title: str) -> list[Block]:
    """A report in short: figures beside the baseline and the claims, and the policy's word."""
    found: list[Field] = []
    if report.candidate is not None:
        for name, value in report.candidate.values.items():
            parts = [number(value)]
            if report.baseline is not None and name in report.baseline.values:
                parts.append(f"baseline {number(report.baseline.values[name])}")
            change = report.differences.get(name)
            if change is not None:
                parts.append(f"{change:+.4f}")
            if report.claimed is not None and name in report.claimed.metrics:
                parts.append(f"claimed {number(report.claimed.metrics[name])}")
            found.append((clean(name), ("   ".join(parts),)))
    if report.model is not None:
        found.append(("parameters", (f"{report.model.parameters:,}",)))
    if report.distance is not None and report.distance.layers:
        found.append(("distance", (f"{number(report.distance.total)} from the base",)))
    if report.answers is not None:
        found.append(("given", (report.answers.given,)))
    if report.refused is not None:
        refused = f"{report.refused.step}: {report.refused.message}"
        found.append(("refused at", ((clean(refused), "bad"),)))
    if report.verdict is not None:
        found.append(("policy", (f"{report.verdict.decision.value}: {clean(report.verdict.reason)}",)))
    samples = "no data" if report.samples is None else count(report.samples, "sample")
    found.append(("measured on", (f"{samples}, sandbox {clean(report.protection)}",)))
    found += [("warning", ((clean(warning), "warn"),)) for warning in report.warnings]
    return [("",), ((title, "dim"),), found]
