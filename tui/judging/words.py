"""What stands around the panels of a result: whose it is, until when, and what the policy says of it."""

from rich.text import Text

from decentralml.core.domain import Constants
from decentralml.core.report import Decision, Report
from decentralml.core.text import clean, short, short_address
from decentralml.core.validation import opinion
from decentralml.tui import keys
from decentralml.tui.hints import explain, hint
from decentralml.tui.judging.desk import Look
from decentralml.tui.judging.work import Job
from decentralml.tui.widgets.columns import Tone
from decentralml.tui.words import ago, duration


def head(look: Look, block: int, constants: Constants) -> Text:
    """Two lines: which result of what, from whom, and how long one may still decide."""
    submission = look.submission
    delivered = block if submission.delivered is None else submission.delivered
    since = max(block - delivered, 0)
    left = constants.review_period - since
    name = look.names.get(submission.worker)
    who = f"{short(name, 24)}  " if name else ""
    within = (
        f"decide within {duration(max(left, 1) * constants.block_time)}"
        if left >= 0
        else "the time to reject is over: who claims is paid"
    )
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"#{submission.id}", "bold")
    text.append(f"  task {look.task.id}  ")
    text.append(f"{clean(look.task.terms.question)}\n", "dim")
    text.append(f"{who}{short_address(submission.worker)}  ")
    text.append(f"delivered {ago(since * constants.block_time)}  {within}", "dim")
    if look.report is not None:
        text.append(f"  {clean(look.report.protection)}", "dim")
    return text


def unevaluated(look: Look, job: Job | None, tone: Tone) -> Text:
    """What there is to read of a result without a report; ``job``: its evaluation, or the last one."""
    text = Text()
    if look.problem is not None:
        text.append(f"The published report cannot be shown: {clean(explain(look.problem))}\n", tone("warn"))
    if job is not None and job.error is not None:
        text.append("The evaluation failed. ", tone("bad"))
        text.append(f"{clean(job.error.message)}\n{'' if job.bad_setup else f'{clean(hint(job.error))} '}")
        text.append(keys.row("evaluate").shown, tone("accent"))
        text.append(" asks again by what to measure it.\n" if job.bad_setup else " tries it again.\n")
    else:
        text.append("Not evaluated yet. ")
        text.append(keys.row("evaluate").shown, tone("accent"))
        text.append(" measures it beside the baseline; nothing is signed by that.\n")
    if look.submission.result is not None:
        text.append("\nDELIVERED\n", tone("head"))
        text.append(f"{clean(look.submission.result, keep_newlines=True)}\n")
    if look.submission.digest is not None:
        text.append(f"\nresult {look.submission.digest}\n", tone("dim"))
    return text


def said(report: Report) -> tuple[str, str, str]:
    """Who speaks of a result, the word, and why: the policy; or the figures, an opinion without a word."""
    found = report.verdict
    if found is None or found.decision is Decision.undecided:
        return "opinion", "", found.reason if found else opinion(report)
    return "policy", found.decision.value, found.reason


def verdict(look: Look, job: Job | None) -> Text:
    """The policy's word, or the figures as an opinion, where the report stands, and why there is no newer."""
    text = Text(overflow="ellipsis")
    if look.report is not None:
        who, word, why = said(look.report)
        text.append(f"{who} ", "dim")
        if word:
            text.append(f"{word}, ", "bold")
        text.append(clean(why))
        if look.published:
            text.append("  (as published, not measured here)", "dim")
        elif not look.to_publish:
            text.append("  (published)", "dim")
        if job is not None and job.error is not None:
            text.append(f"\nnot measured again: {clean(job.error.message)}", "bold")
    if look.draft is not None and look.draft.reason:
        text.append(f"\ndraft reason: {clean(look.draft.reason)}", "dim")
    return text
