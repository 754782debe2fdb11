"""The verbs of the market, over a chain, a storage and a signer."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import msgspec

from decentralml.core.chain.base import (
    Receipt,
    SubmissionQuery,
    TaskPage,
    TaskQuery,
)
from decentralml.core.chain.calls import (
    AbandonTask,
    AcceptTaskResults,
    AssignTask,
    ClaimTaskResult,
    CloseTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    TimeOut,
    ValidateTaskResults,
)
from decentralml.core.domain import (
    MAX_ASSIGNMENTS,
    REASON_BYTES,
    AnnotationType,
    ResultSubmissionStatus,
    StorageType,
    Submission,
    TaskType,
    Terms,
    ValidationStrategy,
    manifest_digest,
)
from decentralml.core.market_client import MarketClient
from decentralml.core.publishing import publish
from decentralml.core.storage.base import OnProgress
from decentralml.core.text import fit

if TYPE_CHECKING:
    from decentralml.core.judging import Judge, Judgement
    from decentralml.core.validation import OnStep


class Offer(TypedDict):
    """What every task offers. ``pays_amount`` in planck, per accepted result."""

    question: str
    pays_amount: int
    expiration_block: int
    max_assignments: int
    validation_strategy: ValidationStrategy


class Market(MarketClient):
    """One method a verb. Those that sign raise `Refused` with the chain's code where a rule says no.

    Every signing verb answers with the chain's `Receipt`.
    """

    # Creating

    def create_task_model_engineer(
        self,
        *,
        model_engineer_path: str | Path,
        model_engineer_storage_type: StorageType | None = None,
        model_engineer_storage_credentials: str | None = None,
        on_progress: OnProgress | None = None,
        **offer: Unpack[Offer],
    ) -> Receipt:
        """Publish a task whose workers redefine a model.

        ``model_engineer_path`` is a folder (uploaded first) or a reference from an earlier upload.
        Raises what the rules and `task_folder.check` refuse, and `Failed` when the upload breaks.
        """
        return publish(
            self,
            Terms(
                task_type=TaskType.ModelEngineer,
                **offer,
                model_engineer_storage_credentials=model_engineer_storage_credentials,
            ),
            model_engineer_storage_type or self.storage.type,
            model_engineer_path,
            on_progress,
        )

    def create_task_model_contributor(
        self,
        *,
        model_contributor_script_path: str | Path,
        model_contributor_script_storage_type: StorageType | None = None,
        model_contributor_script_storage_credentials: str | None = None,
        on_progress: OnProgress | None = None,
        **offer: Unpack[Offer],
    ) -> Receipt:
        """Publish a task whose workers train the shipped model on their own data. As the verb above."""
        return publish(
            self,
            Terms(
                task_type=TaskType.ModelContributor,
                **offer,
                model_contributor_script_storage_credentials=model_contributor_script_storage_credentials,
            ),
            model_contributor_script_storage_type or self.storage.type,
            model_contributor_script_path,
            on_progress,
        )

    def create_task_data_annotator(
        self,
        *,
        annotation_type: AnnotationType,
        annotation_files: str | Path,
        annotation_class_labels: str,
        annotation_media_samples: tuple[str, ...] | None = None,
        annotation_class_coordinates: str | None = None,
        annotation_json: str | None = None,
        annotation_files_storage_type: StorageType | None = None,
        annotation_files_storage_credentials: str | None = None,
        on_progress: OnProgress | None = None,
        **offer: Unpack[Offer],
    ) -> Receipt:
        """Publish a task whose workers label files. ``annotation_class_labels`` are separated by commas."""
        return publish(
            self,
            Terms(
                task_type=TaskType.DataAnnotators,
                **offer,
                annotation_type=annotation_type,
                annotation_media_samples=annotation_media_samples,
                annotation_class_labels=annotation_class_labels,
                annotation_class_coordinates=annotation_class_coordinates,
                annotation_json=annotation_json,
                annotation_files_storage_credentials=annotation_files_storage_credentials,
            ),
            annotation_files_storage_type or self.storage.type,
            annotation_files,
            on_progress,
        )

    # Reading

    def list_task(self, query: TaskQuery | None = None) -> TaskPage:
        """One page of the market, newest first unless the query says otherwise."""
        return self.chain.tasks(query or TaskQuery())

    # Working

    def assign_task(self, task_id: int, *, on_progress: OnProgress | None = None) -> Receipt:
        """Take a slot: download and verify the assets first, then sign."""
        self.require("assign_task", task_id=task_id)
        self.fetch_assets(self.chain.task(task_id), on_progress=on_progress)
        return self.send(AssignTask(task_id))

    def overdue_slot(self, task_id: int) -> Submission | None:
        """The submission to `time_out` first, where that is all that keeps the signer from a slot."""
        refusal = self.may("assign_task", task_id=task_id)
        if refusal is None or refusal.code != "TaskFull":
            return None
        taken = SubmissionQuery(
            task_id=task_id, statuses=(ResultSubmissionStatus.Assigned,), limit=MAX_ASSIGNMENTS
        )
        for submission in self.chain.submissions(taken).items:
            if submission.delivered is None and self.may("time_out", submission_id=submission.id) is None:
                return submission
        return None

    def send_task_result(
        self,
        submission_id: int,
        *,
        result_path: Path | str | None = None,
        result: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Receipt:
        """Deliver: upload the result folder (where there is one), then sign its reference.

        ``result_path`` is a folder that holds nothing but the result, or a reference; ``result`` an
        annotator's inline answer, at most 2048 bytes.
        """
        self.require("send_task_result", submission_id=submission_id)
        reference = None
        if isinstance(result_path, Path):
            reference = self.storage.put(result_path, on_progress=on_progress)
        elif result_path is not None:
            self.storage.renew(result_path)
            reference = result_path
        return self.send(
            SendTaskResult(
                submission_id,
                result=result,
                result_path=reference,
                result_storage_type=self.storage.type if reference else None,
            )
        )

    def claim(self, submission_id: int) -> Receipt:
        """Be paid for a result on which the creator stayed silent."""
        return self.send(ClaimTaskResult(submission_id))

    def abandon(self, submission_id: int) -> Receipt:
        """Give a slot back."""
        return self.send(AbandonTask(submission_id))

    def time_out(self, submission_id: int) -> Receipt:
        """End a submission whose worker let the work period pass."""
        return self.send(TimeOut(submission_id))

    # Judging

    def validate_task_results(
        self,
        submission_id: int,
        judge: "Judge",
        *,
        sign: bool = True,
        go_on: bool = False,
        on_progress: OnProgress | None = None,
        on_step: "OnStep" = lambda step: None,
        on_judged: "Callable[[Judgement], None]" = lambda judgement: None,
    ) -> "Judgement":
        """Evaluate a result beside the baseline, publish the report, and do what the task's policy says.

        Under CustomAccept a clear word of the creator's validation.py accepts (and pays) or rejects at once;
        undecided never does. With ``sign`` False nothing goes to the chain. With ``go_on`` what the policy
        has said of it already is not asked again (`Judge.left_open`). ``on_judged`` is told of the
        judgement when it is made and with each receipt: all that stands where a later step is refused.
        Raises as `Judge.evaluate` and the verbs below.
        """
        from decentralml.core.judging import is_published

        if sign:
            self.require("validate_task_results", submission_id=submission_id)
        earlier = judge.left_open(submission_id) if go_on else None
        found = earlier or judge.evaluate(submission_id, on_progress=on_progress, on_step=on_step)
        on_judged(found)
        if not sign:
            return found

        def signed(receipt: Receipt) -> None:
            nonlocal found
            found = msgspec.structs.replace(found, receipts=(*found.receipts, receipt))
            on_judged(found)

        if not is_published(self.home, self.chain.submission(submission_id)):
            signed(self.publish_report(submission_id, found.folder, found.digest))
        task = self.chain.task(self.chain.submission(submission_id).task_id)
        if task.terms.validation_strategy is ValidationStrategy.CustomAccept:
            decided = self._apply(found)
            if decided is not None:
                signed(decided)
        return found

    def _apply(self, found: "Judgement") -> Receipt | None:
        if found.verdict.decision == "accept":
            return self.accept_task_results(found.submission_id, digest=found.digest)
        if found.verdict.decision == "reject":
            reason = fit(found.verdict.reason.strip() or "The policy rejects it.", REASON_BYTES)
            return self.reject_task_results(found.submission_id, reason, digest=found.digest)
        return None

    def publish_report(self, submission_id: int, report: Path, digest: str) -> Receipt:
        """`validate_task_results` on the chain: upload the report's folder, sign its reference.

        ``digest`` is that of the result which the report is about.
        """
        self.require("validate_task_results", submission_id=submission_id)
        reference = self.storage.put(report)
        return self.send(ValidateTaskResults(submission_id, digest, reference, manifest_digest(reference)))

    def accept_task_results(self, submission_id: int, *, digest: str | None = None) -> Receipt:
        """Accept and pay. ``digest`` names the result meant; without it, the one delivered last."""
        return self.send(AcceptTaskResults(submission_id, digest or self.delivered_digest(submission_id)))

    def reject_task_results(self, submission_id: int, reason: str, *, digest: str | None = None) -> Receipt:
        """Reject a validated result, with a reason of 1 to 1024 bytes."""
        return self.send(
            RejectTaskResults(submission_id, digest or self.delivered_digest(submission_id), reason)
        )

    def request_changes(self, submission_id: int, reason: str, *, digest: str | None = None) -> Receipt:
        """Send a validated result back to its worker, with what should change."""
        return self.send(
            RequestChanges(submission_id, digest or self.delivered_digest(submission_id), reason)
        )

    def close(self, task_id: int) -> Receipt:
        """Stop a task: what no live submission can still earn goes back to the creator."""
        return self.send(CloseTask(task_id))
