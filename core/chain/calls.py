"""The eleven calls of `DecentralMLModule`, with their arguments in SCALE order."""

from msgspec import Struct

from decentralml.core.domain import StorageType, Terms


class CreateTask(Struct, frozen=True, tag="create_task"):
    terms: Terms


class AssignTask(Struct, frozen=True, tag="assign_task"):
    task_id: int


class SendTaskResult(Struct, frozen=True, tag="send_task_result"):
    submission_id: int
    result: str | None = None
    result_path: str | None = None
    result_storage_type: StorageType | None = None
    result_storage_credentials: str | None = None


class ValidateTaskResults(Struct, frozen=True, tag="validate_task_results"):
    submission_id: int
    digest: str
    report_path: str
    report_digest: str


class AcceptTaskResults(Struct, frozen=True, tag="accept_task_results"):
    submission_id: int
    digest: str


class RejectTaskResults(Struct, frozen=True, tag="reject_task_results"):
    submission_id: int
    digest: str
    reason: str


class RequestChanges(Struct, frozen=True, tag="request_changes"):
    submission_id: int
    digest: str
    reason: str


class ClaimTaskResult(Struct, frozen=True, tag="claim_task_result"):
    submission_id: int


class AbandonTask(Struct, frozen=True, tag="abandon_task"):
    submission_id: int


class TimeOut(Struct, frozen=True, tag="time_out"):
    submission_id: int


class CloseTask(Struct, frozen=True, tag="close_task"):
    task_id: int


Call = (
    CreateTask
    | AssignTask
    | SendTaskResult
    | ValidateTaskResults
    | AcceptTaskResults
    | RejectTaskResults
    | RequestChanges
    | ClaimTaskResult
    | AbandonTask
    | TimeOut
    | CloseTask
)

# Position is the call's index in the pallet.
CALLS: tuple[type[Call], ...] = Call.__args__


def call_name(call: Call | type[Call]) -> str:
    """The call's name on the chain, such as ``assign_task``."""
    return str(call.__struct_config__.tag)
