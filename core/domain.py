"""The market's nouns: tasks, submissions, terms, balances. Plain frozen values; no behaviour that acts."""

import hashlib
import re
from enum import StrEnum
from typing import Any

from msgspec import Struct, structs

from decentralml.core.errors import Refused

# Sizes in bytes of UTF-8 that a call may carry (the pallet's bounded vectors).
QUESTION_BYTES = 2048
RESULT_BYTES = 2048
PATH_BYTES = 512
CREDENTIALS_BYTES = 1024
REASON_BYTES = 1024
CLASS_LABELS_BYTES = 1024
CLASS_COORDINATES_BYTES = 2048
ANNOTATION_JSON_BYTES = 4096
ANNOTATION_ITEMS = 100
MAX_ASSIGNMENTS = 1000
MAX_CHANGE_REQUESTS = 2
MAX_U32 = 2**32 - 1


class ValidationStrategy(StrEnum):
    """Who decides on a result. Members stand in SCALE order, here and in every enum below."""

    AutoAccept = "AutoAccept"
    ManualAccept = "ManualAccept"
    CustomAccept = "CustomAccept"


class StorageType(StrEnum):
    IPFS = "IPFS"
    Crust = "Crust"
    S3 = "S3"
    GCP = "GCP"
    Azure = "Azure"
    Local = "Local"


class AnnotationType(StrEnum):
    Image = "Image"
    Audio = "Audio"
    Text = "Text"
    Video = "Video"


class TaskType(StrEnum):
    DataAnnotators = "DataAnnotators"
    ModelContributor = "ModelContributor"
    ModelEngineer = "ModelEngineer"


class ResultSubmissionStatus(StrEnum):
    Assigned = "Assigned"
    PendingValidation = "PendingValidation"
    Validated = "Validated"
    Accepted = "Accepted"
    Rejected = "Rejected"
    Abandoned = "Abandoned"
    TimedOut = "TimedOut"

    @property
    def live(self) -> bool:
        """Whether the submission holds a slot whose outcome is open."""
        return self in LIVE


DELIVERED = (ResultSubmissionStatus.PendingValidation, ResultSubmissionStatus.Validated)
LIVE = (ResultSubmissionStatus.Assigned, *DELIVERED)


class TaskStatus(StrEnum):
    Created = "Created"
    InProgress = "InProgress"
    Completed = "Completed"
    Withdrawn = "Withdrawn"


class Constants(Struct, frozen=True):
    """The chain's constants: periods in blocks, block time in seconds, money in planck."""

    block_time: int = 6
    work_period: int = 100_800
    review_period: int = 43_200
    max_term: int = 5_256_000
    existential_deposit: int = 10**9

    def take_deposit(self, pays_amount: int) -> int:
        """Planck held while a slot is taken and nothing has been delivered."""
        return max(self.existential_deposit, pays_amount // 100)


class Terms(Struct, frozen=True, kw_only=True):
    """What `create_task` carries, in the order of its arguments. ``pays_amount``: planck a result."""

    task_type: TaskType
    question: str
    pays_amount: int
    expiration_block: int
    max_assignments: int
    validation_strategy: ValidationStrategy
    model_contributor_script_path: str | None = None
    model_contributor_script_storage_type: StorageType | None = None
    model_contributor_script_storage_credentials: str | None = None
    annotation_type: AnnotationType | None = None
    annotation_media_samples: tuple[str, ...] | None = None
    annotation_files: tuple[str, ...] | None = None
    annotation_class_labels: str | None = None
    annotation_class_coordinates: str | None = None
    annotation_json: str | None = None
    annotation_files_storage_type: StorageType | None = None
    annotation_files_storage_credentials: str | None = None
    model_engineer_path: str | None = None
    model_engineer_storage_type: StorageType | None = None
    model_engineer_storage_credentials: str | None = None

    @property
    def assets(self) -> tuple[StorageType, str] | None:
        """Storage type and reference of what the task ships: the script folder, or the files to label."""
        if self.task_type is TaskType.ModelContributor:
            pair = (self.model_contributor_script_storage_type, self.model_contributor_script_path)
        elif self.task_type is TaskType.ModelEngineer:
            pair = (self.model_engineer_storage_type, self.model_engineer_path)
        else:
            files = self.annotation_files or ()
            pair = (self.annotation_files_storage_type, files[0] if files else None)
        return (pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None

    def with_assets(self, storage_type: StorageType, reference: str) -> "Terms":
        """These terms, shipping what ``reference`` names on ``storage_type``."""
        fields: dict[TaskType, dict[str, Any]] = {
            TaskType.ModelContributor: {
                "model_contributor_script_path": reference,
                "model_contributor_script_storage_type": storage_type,
            },
            TaskType.ModelEngineer: {
                "model_engineer_path": reference,
                "model_engineer_storage_type": storage_type,
            },
            TaskType.DataAnnotators: {
                "annotation_files": (reference,),
                "annotation_files_storage_type": storage_type,
            },
        }
        return structs.replace(self, **fields[self.task_type])


class Task(Struct, frozen=True, kw_only=True):
    """A task as the chain holds it. Counts are numbers of submissions; ``released`` of slots refunded."""

    id: int
    creator: str
    terms: Terms
    created: int
    closed: bool = False
    live: int = 0
    accepted: int = 0
    rejected: int = 0
    released: int = 0

    @property
    def status(self) -> TaskStatus:
        """Derived: the first of these that holds."""
        if self.accepted == self.terms.max_assignments:
            return TaskStatus.Completed
        if self.closed and self.live == 0:
            return TaskStatus.Withdrawn
        if self.live or self.accepted:
            return TaskStatus.InProgress
        return TaskStatus.Created

    @property
    def held(self) -> int:
        """Planck in escrow: R x (M - accepted - released)."""
        return self.terms.pays_amount * (self.terms.max_assignments - self.accepted - self.released)

    @property
    def free_slots(self) -> int:
        """Slots that nobody holds and nobody was paid for; 0 once closed."""
        return 0 if self.closed else self.terms.max_assignments - self.live - self.accepted


class Submission(Struct, frozen=True, kw_only=True):
    """One worker's place in a task. ``taken``, ``started``, ``delivered`` and ``decided`` are blocks.

    ``started`` is the block of the assign or of the last request for changes; ``delivered`` that of
    the last send (or of the time_out that revived it); ``deposit`` the planck still held.
    """

    id: int
    task_id: int
    worker: str
    status: ResultSubmissionStatus
    taken: int
    started: int
    deposit: int
    delivered: int | None = None
    first_delivered: int | None = None
    result: str | None = None
    result_path: str | None = None
    result_storage_type: StorageType | None = None
    result_storage_credentials: str | None = None
    digest: str | None = None
    report_path: str | None = None
    report_digest: str | None = None
    requests: int = 0
    reason: str | None = None
    decided: int | None = None
    claimed: bool = False


class Balance(Struct, frozen=True):
    """Planck of an account that can be spent, and planck held in escrow or as deposits."""

    free: int = 0
    held: int = 0


_REFERENCE = re.compile(r"[!-~]*#sha256=([0-9a-f]{64})")


def manifest_digest(reference: str) -> str:
    """The manifest's SHA-256 (64 lower-case hex) that ends a storage reference.

    Raises `Refused` ("BadReference") where the reference is too long, not printable ASCII, or has none.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None or len(reference.encode()) > PATH_BYTES:
        raise Refused(
            "BadReference",
            "A storage reference must end in #sha256= and the digest of its manifest.",
            "Upload the folder again; a reference without a digest cannot be verified.",
        )
    return match[1]


def result_digest(result: str | None, result_path: str | None) -> str:
    """What a decision names: the manifest's digest, the SHA-256 of the inline text, or both, concatenated.

    Lower-case hex of 64 or 128 characters. The same content at another URI has the same digest.
    """
    parts = []
    if result_path is not None:
        parts.append(manifest_digest(result_path))
    if result is not None:
        parts.append(hashlib.sha256(result.encode()).hexdigest())
    return "".join(parts)
