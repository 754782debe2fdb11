"""One plain phrase for each of the market's values, for a number of things, and for bytes.

Lists, sentences and help use these; ``--json`` and the codes of errors keep the values' own names.
"""

from collections.abc import Iterable

from decentralml.core.domain import DELIVERED, Submission, TaskStatus, TaskType, ValidationStrategy
from decentralml.core.domain import ResultSubmissionStatus as S

KINDS = {
    TaskType.ModelContributor: "contributor",
    TaskType.ModelEngineer: "engineer",
    TaskType.DataAnnotators: "annotator",
}
TASK_STATUSES = {
    TaskStatus.Created: "open",
    TaskStatus.InProgress: "in progress",
    TaskStatus.Completed: "completed",
    TaskStatus.Withdrawn: "withdrawn",
}
STATUSES = {
    S.Assigned: "at work",
    S.PendingValidation: "to judge",
    S.Validated: "measured",
    S.Accepted: "accepted",
    S.Rejected: "rejected",
    S.Abandoned: "given back",
    S.TimedOut: "timed out",
}
POLICIES = {
    ValidationStrategy.ManualAccept: "by hand",
    ValidationStrategy.CustomAccept: "by script",
    ValidationStrategy.AutoAccept: "paid unread",
}

MOVEMENTS = {
    "Funded": "from the faucet",
    "Escrowed": "into escrow",
    "EscrowReleased": "back from escrow",
    "EscrowPaid": "paid out of escrow",
    "Paid": "earned",
    "DepositHeld": "deposit held",
    "DepositReleased": "deposit back",
    "DepositLost": "deposit lost",
    "DepositReceived": "worker's deposit",
}


def judged(policy: ValidationStrategy) -> str:
    """``judged by hand``, ``judged by script``, ``paid unread``."""
    words = POLICIES[policy]
    return words if policy is ValidationStrategy.AutoAccept else f"judged {words}"


def either(statuses: Iterable[S]) -> str:
    """``to judge or measured``."""
    return " or ".join(STATUSES[status] for status in statuses)


def holding(submissions: Iterable[Submission]) -> str:
    """Who holds the slots that are neither free nor paid: ``1 at work, 2 to judge``."""
    held = [submission.status for submission in submissions if submission.status.live]
    delivered = sum(status in DELIVERED for status in held)
    counts = ((len(held) - delivered, S.Assigned), (delivered, S.PendingValidation))
    return ", ".join(f"{n:,} {STATUSES[status]}" for n, status in counts if n) or "0 at work"


def count(number: int, noun: str) -> str:
    """``1 task``, ``2 tasks``, ``1,000 tasks``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def size(count: float) -> str:
    """Bytes for people: ``3.1 kB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
