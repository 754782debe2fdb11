"""One person's access to the market: a chain, a storage, a home, and a signer where one is unlocked."""

from collections.abc import Callable
from pathlib import Path

from decentralml.core.chain import rules
from decentralml.core.chain.base import Chain, Receipt, SubmissionPage, SubmissionQuery
from decentralml.core.chain.calls import Call, call_name
from decentralml.core.config import Settings
from decentralml.core.domain import MAX_U32, StorageType, Submission, Task, manifest_digest
from decentralml.core.errors import Refused, Unavailable
from decentralml.core.intents import Intents, about
from decentralml.core.paths import Home, used
from decentralml.core.signing import Signer
from decentralml.core.storage.base import Caps, OnProgress, Storage

# A model's four files, and room for what a script saves beside them.
RESULT_FILES = 1_000


class MarketClient:
    """What every verb stands on: what is on the chain, files on this machine, calls that are sent once.

    ``signer`` may be None for reading; ``on_receipt`` is told of every receipt, whatever becomes of the verb.
    """

    def __init__(
        self,
        chain: Chain,
        storage: Storage,
        home: Home,
        settings: Settings,
        signer: Signer | None = None,
        *,
        on_receipt: Callable[[Receipt], None] = lambda receipt: None,
    ) -> None:
        self.chain = chain
        self.storage = storage
        self.home = home
        self.settings = settings
        self.signer = signer
        self._on_receipt = on_receipt
        self._intents = Intents(home, chain)

    # The chain

    def list_task_results(self, task_id: int) -> SubmissionPage:
        """All submissions of a task, oldest first. Raises `Refused` ("TaskNotFound")."""
        self.chain.task(task_id)
        return self.chain.submissions(SubmissionQuery(task_id=task_id, limit=MAX_U32))

    def delivered_digest(self, submission_id: int) -> str:
        """The digest of what was delivered last. Raises `Refused` ("NothingDelivered")."""
        digest = self.chain.submission(submission_id).digest
        if digest is None:
            raise Refused(
                "NothingDelivered",
                f"Submission {submission_id} has delivered nothing.",
                "Wait until its worker has sent a result.",
            )
        return digest

    def may(
        self, call: str, *, task_id: int | None = None, submission_id: int | None = None
    ) -> Refused | None:
        """Why the signer may not send ``call`` now, or None where it may."""
        with self.chain.view() as view:
            return rules.check(view, call, self.address, task_id=task_id, submission_id=submission_id)

    def send(self, call: Call) -> Receipt:
        """Sign and submit ``call`` once, even when an earlier try of the same call was cut off.

        Raises `Refused` with the chain's code, `Unavailable` ("NoSigner", "MissingCall").
        """
        signer = self._signer
        name = call_name(call)
        if name not in self.chain.capabilities:
            raise Unavailable(
                "MissingCall", f"The chain {self.chain.name} has no call {name}.", "Use another chain."
            )
        receipt = self._intents.send_once(call, signer)
        self._on_receipt(receipt)
        return receipt

    def landed(self, call: Call, address: str) -> bool:
        """Whether an earlier try of ``call`` was cut off and has landed all the same, as far as is known."""
        return self._intents.landed(call_name(call), about(call), address)

    def require(self, call: str, *, task_id: int | None = None, submission_id: int | None = None) -> None:
        """Refuse early what the chain would refuse; not where this very call has landed already."""
        refusal = self.may(call, task_id=task_id, submission_id=submission_id)
        subject = submission_id if task_id is None else task_id
        if refusal is not None and not self._intents.landed(call, subject, self.address):
            raise refusal

    @property
    def address(self) -> str:
        """Who signs. Raises `Unavailable` ("NoSigner")."""
        return self._signer.address

    @property
    def _signer(self) -> Signer:
        if self.signer is None:
            raise Unavailable(
                "NoSigner",
                "No account is unlocked.",
                "Name one with --account, or make one with `decentralml account create NAME`.",
            )
        return self.signer

    # Files

    def fetch_assets(self, task: Task, *, on_progress: OnProgress | None = None) -> Path:
        """The task's folder on this machine, downloaded and verified where it is not here yet."""
        assets = task.terms.assets
        if assets is None:
            raise Refused("NoAssets", f"Task {task.id} ships no files.", "Ask its creator for another.")
        return self.fetch(*assets, on_progress=on_progress)

    def fetch(
        self,
        storage_type: StorageType,
        reference: str,
        *,
        caps: Caps = Caps(),  # noqa: B008 - frozen
        on_progress: OnProgress | None = None,
    ) -> Path:
        """The folder behind a reference, verified, in this home's cache."""
        destination = self.home.assets / manifest_digest(reference)
        self.storage_for(storage_type).get(reference, destination, caps=caps, on_progress=on_progress)
        used(destination)
        return destination

    def fetch_result(self, submission: Submission, *, on_progress: OnProgress | None = None) -> Path:
        """The delivered folder on this machine, verified; at most `RESULT_FILES`, and ``result-size``.

        Raises `Refused` ("NothingDelivered") and as `Storage.get`.
        """
        if submission.result_path is None or submission.result_storage_type is None:
            raise Refused(
                "NothingDelivered",
                f"Submission {submission.id} has no result folder.",
                "Wait until its worker has sent one.",
            )
        caps = Caps(files=RESULT_FILES, size=self.settings.result_size << 20)
        return self.fetch(
            submission.result_storage_type, submission.result_path, caps=caps, on_progress=on_progress
        )

    def storage_for(self, storage_type: StorageType) -> Storage:
        """Where files of this type are. Raises `Unavailable` ("OtherStorage") where it is not connected."""
        if storage_type is not self.storage.type:
            raise Unavailable(
                "OtherStorage",
                f"These files are on {storage_type}; this terminal is connected to {self.storage.type}.",
                "Choose the storage with --storage.",
            )
        return self.storage
