"""What belongs together: a task, its submissions, their runs, the accounts; and the ways between them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from decentralml.core.chain.base import SubmissionQuery, TaskQuery
from decentralml.core.domain import DELIVERED, ResultSubmissionStatus, Submission, Task, TaskType
from decentralml.core.text import short, short_address
from decentralml.core.training.runs import Run
from decentralml.core.words import STATUSES, count
from decentralml.tui.screens.base import Thing
from decentralml.tui.session import Session
from decentralml.tui.words import person

# Of each kind: a screen of their own has them all.
_MOST = 9


class Way(NamedTuple):
    """``to``: the place of a screen, or a mode and what the cursor goes to there; see `Places.lead`."""

    name: str
    about: str
    to: tuple[str | int, ...]


@dataclass
class _Found:
    """What belongs to a thing; of people, what they are to it."""

    tasks: list[Task] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)


def read(session: Session, thing: Thing) -> list[Way]:
    """The ways on from ``thing``. Blocks. Raises `Refused` where it is not there, or not any more."""
    match thing:
        case Thing("task", int(id)):
            found = _of_task(session, id)
        case Thing("submission", int(id)):
            found = _of_submission(session, id)
        case Thing("run", int(id)):
            found = _of_run(session, id)
        case _:
            return _from_account(session, str(thing.id))
    return _ways(session, found)


# Reading


def _of_task(session: Session, id: int) -> _Found:
    """A task with its submissions: mine first, then the newest."""
    task, me = session.chain.task(id), session.address
    submissions = sorted(session.chain.submissions_of(id), key=lambda one: (one.worker != me, -one.id))
    runs = [run for run in _runs(session) if run.spec.task_id == id]
    newest = list(map(session.chain.with_report, submissions[:_MOST]))
    return _Found([task], newest, runs[:_MOST], {task.creator: "its creator"})


def _of_submission(session: Session, id: int) -> _Found:
    submission = session.chain.with_report(session.chain.submission(id))
    task = session.chain.task(submission.task_id)
    runs = [run for run in _runs(session) if run.spec.submission_id == id]
    people = {submission.worker: "its worker", task.creator: "the creator of its task"}
    return _Found([task], [submission], runs[:_MOST], people)


def _of_run(session: Session, id: int) -> _Found:
    """The submission that a run was trained for, or else its task, where they are of this chain."""
    run = next((run for run in _runs(session) if run.id == id), None)
    if run is None or run.spec.task_id is None:
        return _Found()
    if run.spec.submission_id is None:
        task = session.chain.task(run.spec.task_id)
        return _Found([task], people={task.creator: "the creator of its task"})
    found = _of_submission(session, run.spec.submission_id)
    found.runs = [run]
    return found


def _runs(session: Session) -> list[Run]:
    """The runs of this home for tasks of this chain, newest first."""
    runs = session.runs.list()
    return [run for run in runs if run.spec.task_id is not None and run.spec.on(session.chain.genesis)]


# The ways


def _ways(session: Session, found: _Found) -> list[Way]:
    ways = [Way(f"task {task.id}", short(task.terms.question, 60), ("task", task.id)) for task in found.tasks]
    for submission in found.submissions:
        ways.append(_to_submission(session, submission))
        if submission.report_path is not None:
            ways.append(Way(f"report {submission.id}", "as published, in full", ("report", submission.id)))
        ways += _to_judging(session, submission, found.tasks[0])
    ways += [_to_run(run) for run in found.runs]
    for address, role in found.people.items():
        ways.append(_to_record(session, address, role))
    return ways + [way for address, role in found.people.items() for way in _to_note(session, address, role)]


def _from_account(session: Session, address: str) -> list[Way]:
    """Its record, money and tasks; the newest of what it works on, and of its runs here."""
    chain = session.chain
    ways = [_to_record(session, address, "as creator and as worker")]
    ways.append(Way("statement", "every movement of its money", ("statement", address)))
    if any(account.address == address for account in session.accounts.list()):
        ways.append(Way("account", "its key, its money, its past", ("accounts", address)))
    published = chain.tasks(TaskQuery(creator=address, limit=1)).total
    if published:
        ways.append(Way("its tasks", f"{published:,} published", ("tasks", f"by:{address}")))
    taken = chain.submissions(SubmissionQuery(worker=address, descending=True, limit=_MOST))
    if taken.total:
        ways.append(Way("its work", f"{count(taken.total, 'task')} taken", ("tasks", f"worker:{address}")))
    ways += [_to_submission(session, submission) for submission in taken.items]
    mine = {submission.id for submission in taken.items}
    ways += [_to_run(run) for run in _runs(session) if run.spec.submission_id in mine][:_MOST]
    return ways + _to_note(session, address, "this account")


def _to_submission(session: Session, submission: Submission) -> Way:
    name = f"submission {submission.id}"
    about = f"of {_who(session, submission.worker)}, {STATUSES[submission.status]}"
    return Way(name, about, ("task", submission.task_id, submission.id))


def _to_judging(session: Session, submission: Submission, task: Task) -> list[Way]:
    """Where the creator decides on a result, or makes a model of it."""
    if task.creator != session.address:
        return []
    number = submission.id
    if submission.status in DELIVERED:
        return [Way(f"validate {number}", "its result beside the baseline", ("validate", number))]
    accepted = submission.status is ResultSubmissionStatus.Accepted
    if accepted and task.terms.task_type is not TaskType.DataAnnotators:
        return [Way(f"federate {number}", "its model among the accepted ones", ("federate", number))]
    return []


def _to_run(run: Run) -> Way:
    return Way(f"run {run.id}", f"{run.state}, for task {run.spec.task_id}", ("runs", run.id))


def _to_record(session: Session, address: str, role: str) -> Way:
    return Way(f"record of {_who(session, address)}", role, ("record", address))


def _to_note(session: Session, address: str, role: str) -> list[Way]:
    """Nobody notes whom they know, and with --readonly nobody is noted."""
    if session.readonly or session.name_of(address) is not None:
        return []
    about = f"{role}: a name for the address book"
    return [Way(f"note {short_address(address)}", about, ("note", address))]


def _who(session: Session, address: str) -> str:
    return person(address, session.names(), session.address)
