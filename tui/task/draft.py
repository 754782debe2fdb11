"""A task that is being written: its fields as typed, and what they come to under the market's rules."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from decentralml.core import answers, named_path, task_folder, words
from decentralml.core.amount import format_amount, parse_amount
from decentralml.core.chain import rules
from decentralml.core.chain.calls import CreateTask
from decentralml.core.domain import (
    MAX_ASSIGNMENTS,
    MAX_U32,
    QUESTION_BYTES,
    AnnotationType,
    TaskType,
    Terms,
    ValidationStrategy,
    manifest_digest,
)
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.storage import manifest
from decentralml.core.storage.base import STAND_IN
from decentralml.core.text import clean
from decentralml.core.words import size
from decentralml.tui.hints import explain
from decentralml.tui.session import Session
from decentralml.tui.state import State
from decentralml.tui.words import ahead

KINDS = {word: kind for kind, word in words.KINDS.items()}
STRATEGIES = {word: policy for policy, word in words.POLICIES.items()}
MEDIA = {kind.value.lower(): kind for kind in AnnotationType}
_KEPT = "create.draft"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Draft:
    """The fields of the form, as typed."""

    kind: str = "contributor"
    question: str = ""
    files: str = ""
    pays: str = ""
    wanted: str = "1"
    until: str = "7d"
    judged: str = "by hand"
    media: str = "image"
    labels: str = ""
    samples: str = ""
    coordinates: str = ""
    more: str = ""

    def to_state(self) -> dict[str, str]:
        """As it is kept between two starts."""
        return asdict(self)

    @property
    def empty(self) -> bool:
        """Whether nothing of one's own was typed."""
        return self == Draft()


def from_state(kept: object) -> Draft:
    """The draft that was kept; an empty one where what was kept is none."""
    found = kept if isinstance(kept, dict) else {}
    known = {field.name for field in fields(Draft)}
    draft = Draft(
        **{name: value for name, value in found.items() if name in known and isinstance(value, str)}
    )
    return replace(
        draft,
        kind=draft.kind if draft.kind in KINDS else "contributor",
        judged=draft.judged if draft.judged in STRATEGIES else "by hand",
        media=draft.media if draft.media in MEDIA else "image",
    )


def kept(state: State) -> Draft:
    """The draft with which the form begins."""
    return from_state(state.get(_KEPT, {}))


def keep(draft: Draft, state: State) -> None:
    """Begin with ``draft`` from now on, once the state is saved over restarts too."""
    state.set(_KEPT, {} if draft.empty else draft.to_state())


def like(terms: Terms, files: str) -> Draft:
    """A task for models on the terms of an earlier one, with files of its own."""
    return Draft(
        kind=words.KINDS[terms.task_type],
        question=clean(terms.question, keep_newlines=True),
        files=files,
        pays=format_amount(terms.pays_amount).replace(",", ""),
        wanted=str(terms.max_assignments),
        judged=words.POLICIES[terms.validation_strategy],
    )


@dataclass(frozen=True)
class Finding:
    """What is said of one field: ``tone`` is good, bad, warn, or "" where it is not filled in yet."""

    field: str
    text: str
    tone: str


@dataclass(frozen=True)
class Checked:
    """``terms`` and ``source`` are there when the task could be published now. Amounts in planck."""

    findings: tuple[Finding, ...]
    terms: Terms | None = None
    source: Path | str | None = None
    escrow: int | None = None
    free: int | None = None

    @property
    def left(self) -> int | None:
        """What is free after the escrow."""
        return None if self.escrow is None or self.free is None else self.free - self.escrow


def check(session: Session, draft: Draft) -> Checked:
    """What ``draft`` comes to. Blocks: it looks at the folder and asks the rules; nothing is sent."""
    found: list[Finding] = []

    def field(name: str, parse: Callable[[], tuple[Any, str]], typed: str) -> Any:
        if not typed.strip():
            found.append(Finding(name, "to be filled in", ""))
            return None
        try:
            value, said = parse()
        except DecentralMLError as error:
            found.append(Finding(name, explain(error), "bad"))
            return None
        found.append(Finding(name, said, "good"))
        return value

    kind, block = KINDS[draft.kind], session.chain.head().block
    constants = session.chain.constants
    question = field("question", lambda: _question(draft.question), draft.question)
    source = field("files", lambda: _files(draft.files.strip(), kind), draft.files)
    pays = field("pays", lambda: _pays(draft.pays), draft.pays)
    wanted = field("wanted", lambda: _wanted(draft.wanted), draft.wanted)
    until = field("until", lambda: _until(draft.until, block, constants.block_time), draft.until)
    labels: Any = ""
    if kind is TaskType.DataAnnotators:
        labels = field("labels", lambda: _labels(draft.labels), draft.labels)
        if draft.more.strip() and field("more", lambda: _more(draft.more), draft.more) is None:
            labels = None
    strategy = STRATEGIES[draft.judged]
    if strategy is ValidationStrategy.AutoAccept:
        most = format_amount((pays or 0) * (wanted or 0))
        found.append(Finding("judged", f"pays whoever delivers anything, unread: up to {most}", "warn"))
    free = session.chain.balance(session.address).free if session.address else None
    escrow = None if pays is None or wanted is None else pays * wanted
    if any(value is None for value in (question, source, pays, wanted, until, labels)):
        return Checked(tuple(found), escrow=escrow, free=free)
    terms = Terms(
        task_type=kind,
        question=question,
        pays_amount=pays,
        expiration_block=until,
        max_assignments=wanted,
        validation_strategy=strategy,
        **(_annotation(draft) if kind is TaskType.DataAnnotators else {}),
    )
    refusal = _refusal(session, terms)
    if refusal is not None:
        found.append(Finding("the chain", explain(refusal), "bad"))
        return Checked(tuple(found), escrow=escrow, free=free)
    return Checked(tuple(found), terms, source, escrow, free)


def _question(typed: str) -> tuple[str, str]:
    count = len(typed.encode())
    if count > QUESTION_BYTES:
        raise Misused("TooLong", f"{count:,} bytes: at most {QUESTION_BYTES:,} fit.")
    return typed.strip(), f"{count:,} of {QUESTION_BYTES:,} bytes"


def _files(typed: str, kind: TaskType) -> tuple[Path | str, str]:
    if "#sha256=" in typed:
        manifest_digest(typed)
        return typed, "a reference from an earlier upload"
    folder = named_path.typed(typed)
    named_path.kind(folder)
    try:
        task_folder.check(folder, kind)
        with manifest.opened(folder) as root:
            entries = manifest.entries(root)
        base = task_folder.base_model(folder)
    except OSError as error:
        raise Misused("NoSuchFile", f"It cannot be read: {error.strerror}.", named_path.HINT) from error
    model = "" if kind is TaskType.DataAnnotators else ", no base model: results are measured alone"
    model = f", base model {base.name}" if base is not None and model else model
    return folder, f"{words.count(len(entries), 'file')}, {size(sum(entry.size for entry in entries))}{model}"


def _pays(typed: str) -> tuple[int, str]:
    amount = parse_amount(typed)
    return amount, f"{format_amount(amount)} for each accepted result"


def _wanted(typed: str) -> tuple[int, str]:
    text = typed.strip().replace(",", "")
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if not 1 <= count <= MAX_ASSIGNMENTS:
        raise Misused("BadNumber", f"{typed.strip()[:20]} results: 1 to {MAX_ASSIGNMENTS:,} can be wanted.")
    return (
        count,
        f"{count:,} accepted results at most are paid" if count > 1 else "one accepted result is paid",
    )


def _until(typed: str, block: int, block_time: int) -> tuple[int, str]:
    text = typed.strip().lower().replace(",", "")
    given = re.fullmatch(r"([0-9]{1,9})\s*([smhd])", text)
    named = re.fullmatch(r"(?:block\s*)?([0-9]{1,10})", text)
    if given is not None:
        until = block + int(given[1]) * _SECONDS[given[2]] // block_time
    elif named is not None:
        until = int(named[1])
    else:
        raise Misused("BadTime", f"{typed.strip()[:20]} is no time.", "Like 12h, 7d, or block 120,000.")
    if until > MAX_U32:
        raise Misused("BadTime", f"Block {until:,} is too far ahead.", "Like 12h, 7d, or block 120,000.")
    if until <= block:
        raise Misused("BadTime", f"Block {until:,} is not ahead.", "Like 12h, 7d, or block 120,000.")
    return until, f"until block {until:,} ({ahead((until - block) * block_time)})"


def _labels(typed: str) -> tuple[str, str]:
    labels = answers.labels_of(typed)
    if len(labels) < 2:
        raise Misused("TooFewLabels", "One label is no choice.", "Name several, separated by commas.")
    return typed, f"{words.count(len(labels), 'label')}: {', '.join(labels[:6])}"


def _more(typed: str) -> tuple[str, str]:
    try:
        json.loads(typed)
    except (ValueError, RecursionError) as error:
        why = (
            f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else error
        )
        raise Misused("BadJson", f"This is no JSON: {why}.", 'Like {"language": "en"}.') from error
    return typed, "it is JSON"


def _annotation(draft: Draft) -> dict[str, Any]:
    samples = tuple(part for text in draft.samples.split(";") if (part := text.strip()))
    return {
        "annotation_type": MEDIA[draft.media],
        "annotation_class_labels": draft.labels,
        "annotation_media_samples": samples or None,
        "annotation_class_coordinates": draft.coordinates.strip() or None,
        "annotation_json": draft.more.strip() or None,
    }


def _refusal(session: Session, terms: Terms) -> Refused | None:
    """Why the chain would not take the task; None where it would."""
    refusal = session.cannot_sign()
    if refusal is not None or session.address is None:
        return refusal
    call = CreateTask(terms.with_assets(session.storage.type, STAND_IN))
    try:
        with session.chain.view() as view:
            rules.apply(view, call, session.address, view.block)
    except Refused as refused:
        return refused
    return None
