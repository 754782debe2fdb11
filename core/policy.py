"""The creator's own validation.py: `metrics(y, p)` and `decide(report)`, each in a sandbox of its own.

The script is one file that stands on its own; it is the creator's, but it was perhaps taken from elsewhere,
and what it judges is a stranger's. It never shares a process with a candidate.
"""

import ast
import hashlib
import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.core import hostile, sandbox
from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.models.metrics import Metrics, custom
from decentralml.core.report import Decision, Report, Verdict, encode
from decentralml.core.text import clean, short

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SCRIPT = "validation.py"
_SCRIPT_BYTES = 1_000_000
_ANSWER_BYTES = 64 * 1024
_REASON = 1000
# As it is, and as bubblewrap says it.
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
_FORM = 'decide(report) returns "accept" or "reject", or one of them and a reason: ("reject", "why").'


class Policy:
    """A creator's validation.py. ``digest``: SHA-256 (hex) of the file.

    Raises `Misused` ("BadPolicy") when it cannot be read or parsed; nothing of it runs for that.
    """

    def __init__(
        self,
        script: Path,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        *,
        unsandboxed: bool = False,
        timeout: float = 60.0,
    ) -> None:
        self._settings = settings
        self._unsandboxed = unsandboxed
        self._timeout = timeout
        try:
            self._source = hostile.read_bytes(script.parent.resolve(), script.name, _SCRIPT_BYTES)
            self._names = {
                node.name for node in hostile.parsed(self._source).body if isinstance(node, ast.FunctionDef)
            }
        except (Refused, Failed, SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = str(error) or "It is nested too deep."  # a parser's MemoryError says nothing
            raise Misused(
                "BadPolicy", f"{script.name} cannot be used: {why}", "Mend the script and validate again."
            ) from error
        self.digest = hashlib.sha256(self._source).hexdigest()

    @property
    def decides(self) -> bool:
        """Whether it defines `decide`."""
        return "decide" in self._names

    @property
    def measures(self) -> bool:
        """Whether it defines `metrics`."""
        return "metrics" in self._names

    def metrics(self, y: "Array", p: "Array") -> Metrics:
        """What `metrics(y, p)` gives for labels and predictions: numbers by name, ranked by the first.

        Raises `Failed` ("PolicyFailed" when it raises, hangs or passes a bound, "PolicyDied" when something
        else killed it), `Refused` ("BadMetrics").
        """
        import numpy as np

        with tempfile.TemporaryDirectory(prefix="policy-") as root:
            np.save(Path(root, "y.npy"), y, allow_pickle=False)
            np.save(Path(root, "p.npy"), p, allow_pickle=False)
            answer, error = self._run(Path(root), "metrics")
        if error:
            raise Failed(
                "PolicyFailed", f"{SCRIPT}: metrics(y, p) gave no figures: {error}", "Mend the script."
            )
        return custom(answer if isinstance(answer, dict) else {}, len(y))

    def decide(self, report: Report) -> Verdict:
        """What `decide(report)` says, ``report`` being the JSON object of a `Report`.

        It answers "accept" or "reject", alone or with a reason after it. One that raises, hangs, passes a
        bound or answers anything else is undecided.
        """
        if not self.decides:
            return Verdict(Decision.undecided, f"{SCRIPT} has no function decide(report).")
        with tempfile.TemporaryDirectory(prefix="policy-") as root:
            Path(root, "report.json").write_bytes(encode(report))
            try:
                answer, error = self._run(Path(root), "decide")
            except Failed as died:
                answer, error = None, died.message
        if error:
            return Verdict(Decision.undecided, f"{SCRIPT} gave no decision: {error}")
        word, reason = answer if isinstance(answer, list) and len(answer) == 2 else (answer, "")
        if word not in ("accept", "reject") or not isinstance(reason, str):
            shown = short(json.dumps(answer), 80)
            return Verdict(Decision.undecided, f"{SCRIPT} answered {shown}, which decides nothing. {_FORM}")
        return Verdict(Decision(word), short(reason, _REASON))

    def _run(self, given: Path, what: str) -> tuple[Any, str]:
        """The answer of one call, and why there is none ("" when there is one)."""
        with tempfile.TemporaryDirectory(prefix="policy-") as answers:
            (given / SCRIPT).write_bytes(self._source)
            cell = sandbox.Cell(
                command=(
                    *("python", "-m", "decentralml.core.sandboxed.policy_child", f"/given/{SCRIPT}"),
                    *("/given", "/answers", what),
                ),
                reads=((given, Path("/given")),),
                writes=(Path(answers), Path("/answers")),
                memory=self._settings.sandbox_memory << 20,
                disk=1 << 30,
                processes=self._settings.sandbox_processes,
                threads=self._settings.threads,
            )
            done = sandbox.run(cell, timeout=self._timeout, unsandboxed=self._unsandboxed)
            if done.stopped:
                return None, done.stopped
            if done.returncode in _KILLED:
                why = f"{SCRIPT} was killed, and by no bound: this machine may be short of memory."
                raise Failed("PolicyDied", why, "Free some memory and validate again.")
            try:
                found = json.loads(hostile.read_bytes(Path(answers), "answer", _ANSWER_BYTES))
            except (Refused, Failed, ValueError, RecursionError) as error:
                said = clean(done.stderr.decode(errors="replace")[-200:])
                return None, short(f"it ended with code {done.returncode}: {said or error}", 400)
        if not isinstance(found, dict) or "answer" not in found:
            error_text = found.get("error") if isinstance(found, dict) else None
            return None, short(str(error_text or "it said nothing").rpartition("\n")[2], 400)
        return found["answer"], ""
