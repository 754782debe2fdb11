"""One plain phrase for each of the market's values, and for a number of things.

Lists, sentences and help use these; ``--json`` and the codes of errors keep the values' own names.
"""

from collections.abc import Iterable

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import TaskStatus, TaskType, ValidationStrategy

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


def judged(policy: ValidationStrategy) -> str:
    """``judged by hand``, ``judged by script``, ``paid unread``."""
    words = POLICIES[policy]
    return words if policy is ValidationStrategy.AutoAccept else f"judged {words}"


def either(statuses: Iterable[S]) -> str:
    """``to judge or measured``."""
    return " or ".join(STATUSES[status] for status in statuses)


def count(number: int, noun: str) -> str:
    """``1 task``, ``2 tasks``, ``1,000 tasks``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
