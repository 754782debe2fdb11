"""`decentralml task create`: from options to terms."""

import re
from pathlib import Path
from typing import Any

import click

from decentralml.core import publishing
from decentralml.core.amount import format_amount, parse_amount
from decentralml.core.answers import labels_of
from decentralml.core.chain.calls import CreateTask
from decentralml.core.cli.acting import act, answer
from decentralml.core.cli.chain_values import task_data, when
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, FOLDER
from decentralml.core.cli.free_text import FREE_TEXT, read_text
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.progress import transfer
from decentralml.core.domain import (
    ANNOTATION_JSON_BYTES,
    MAX_ASSIGNMENTS,
    MAX_U32,
    AnnotationType,
    TaskType,
    Terms,
    ValidationStrategy,
    manifest_digest,
)
from decentralml.core.errors import Misused
from decentralml.core.market import Market
from decentralml.core.storage.base import STAND_IN
from decentralml.core.words import KINDS, POLICIES

TYPES = {
    "contributor": TaskType.ModelContributor,
    "engineer": TaskType.ModelEngineer,
    "annotator": TaskType.DataAnnotators,
}
STRATEGIES = {
    "manual": ValidationStrategy.ManualAccept,
    "custom": ValidationStrategy.CustomAccept,
    "auto": ValidationStrategy.AutoAccept,
}
ANNOTATIONS = {kind.value.lower(): kind for kind in AnnotationType}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Assets(click.ParamType[Path | str]):
    """A folder that is there, as a `Path`; or the reference of one that is uploaded, as it stands."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        if "#sha256=" not in value:
            return FOLDER.convert(value, param, ctx)
        manifest_digest(value)
        return str(value)


@command("task create")
@click.argument("kind", type=click.Choice(list(TYPES)))
@click.option(
    "--question",
    type=FREE_TEXT,
    required=True,
    metavar="TEXT",
    help="What is wanted, in words; at most 2048 bytes.",
)
@click.option(
    "--assets",
    type=Assets(),
    required=True,
    metavar="FOLDER",
    help="What the task ships: a folder, or a reference.",
)
@click.option("--pays-amount", required=True, metavar="AMOUNT", help="Units for each accepted result.")
@click.option(
    "--max-assignments",
    type=Number(1, MAX_ASSIGNMENTS),
    default=1,
    show_default=True,
    metavar="N",
    help="How many results you buy.",
)
@click.option("--expires-in", default="7d", show_default=True, metavar="TIME", help="90s, 30m, 12h, 7d.")
@click.option("--expiration-block", type=Number(0, MAX_U32), metavar="N", help="Instead of a time.")
@click.option(
    "--validation-strategy",
    type=click.Choice(list(STRATEGIES)),
    default="manual",
    show_default=True,
    help="You decide, your validation.py decides, or whatever comes is paid.",
)
@click.option("--annotation-type", type=click.Choice(list(ANNOTATIONS)), help="Of an annotator's files.")
@click.option("--labels", type=FREE_TEXT, metavar="A,B,…", help="The labels that an annotator may give.")
@click.option(
    "--sample",
    "samples",
    type=FREE_TEXT,
    multiple=True,
    metavar="TEXT",
    help="A labelled example; repeatable.",
)
@click.option("--coordinates", type=FREE_TEXT, metavar="TEXT", help="What to mark in the files.")
@click.option("--annotation-json", type=FILE, metavar="FILE", help="More, as JSON.")
def create(app: App, kind: str, assets: Path | str, pays_amount: str, **options: Any) -> None:
    """
    The folder is uploaded first and the whole reward (AMOUNT x N) is held second. A reference that
    `storage put` or an earlier try printed is not uploaded again.
    """
    task_type = TYPES[kind]
    head, constants = app.chain.head(), app.chain.constants
    # In the order in which people mistake them: what is asked, the folder, the money.
    with transfer("fetching the files") as on_progress:
        publishing.check_files(app.market(), task_type, app.storage.type, assets, on_progress)
    expires = options["expiration_block"]
    if expires is None:
        expires = head.block + _seconds(options["expires_in"]) // constants.block_time
    arguments: dict[str, Any] = {
        "question": options["question"],
        "pays_amount": parse_amount(pays_amount),
        "expiration_block": expires,
        "max_assignments": options["max_assignments"],
        "validation_strategy": STRATEGIES[options["validation_strategy"]],
        **_annotation(task_type, options),
    }
    terms = Terms(task_type=task_type, **arguments).with_assets(
        app.storage.type, STAND_IN if isinstance(assets, Path) else assets
    )
    total = terms.pays_amount * terms.max_assignments

    def publish(market: Market) -> Any:
        with transfer("uploading") as on_progress:
            verb, field = VERBS[task_type]
            source = {field: assets, "on_progress": on_progress}
            return getattr(market, verb)(**arguments, **source)

    facts = [
        ("question", terms.question),
        ("type", KINDS[task_type]),
        ("files", str(assets)),
        ("pays", f"{format_amount(terms.pays_amount)} each, {terms.max_assignments} wanted"),
        ("take until", when(expires, head.block, constants)),
        ("judged", POLICIES[terms.validation_strategy]),
    ]
    if terms.validation_strategy is ValidationStrategy.AutoAccept:
        confirm(
            app,
            f"Whoever delivers anything is paid, unread, up to {format_amount(total)}",
            [("instead", "--validation-strategy manual lets you judge each result")],
        )
    market, receipt = act(app, "Publish a task and hold its reward", facts, CreateTask(terms), publish)
    assert receipt.task_id is not None, "a task that was created has an id"
    task = market.chain.task(receipt.task_id)
    answer(
        app,
        receipt,
        f"Task {task.id} is published, {format_amount(task.held)} held",
        {"task": task_data(task, receipt.block)},
    )


# The market's verb for each type, and its argument that takes the folder.
VERBS = {
    TaskType.ModelContributor: ("create_task_model_contributor", "model_contributor_script_path"),
    TaskType.ModelEngineer: ("create_task_model_engineer", "model_engineer_path"),
    TaskType.DataAnnotators: ("create_task_data_annotator", "annotation_files"),
}


def _annotation(task_type: TaskType, options: dict[str, Any]) -> dict[str, Any]:
    """The arguments that only an annotator's task has. Raises `Misused` where they do not fit the type."""
    given = [
        name
        for name in ("annotation_type", "labels", "samples", "coordinates", "annotation_json")
        if options[name]
    ]
    if task_type is not TaskType.DataAnnotators:
        if given:
            raise Misused(
                "Usage", f"--{given[0].replace('_', '-')} is for an annotator's task.", "Leave it out."
            )
        return {}
    if not options["annotation_type"] or not labels_of(options["labels"]):
        raise Misused(
            "Usage", "An annotator needs to know what to label.", "Give --annotation-type and --labels A,B."
        )
    described = options["annotation_json"]
    return {
        "annotation_type": ANNOTATIONS[options["annotation_type"]],
        "annotation_class_labels": options["labels"],
        "annotation_media_samples": options["samples"] or None,
        "annotation_class_coordinates": options["coordinates"],
        "annotation_json": read_text(described, ANNOTATION_JSON_BYTES) if described else None,
    }


def _seconds(text: str) -> int:
    """Raises `Misused` ("BadTime")."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise Misused("BadTime", f"{text[:60]!r} is no time.", "A number and s, m, h or d, such as 12h.")
    return int(match[1]) * _SECONDS[match[2]]
