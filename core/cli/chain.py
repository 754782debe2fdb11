"""`decentralml chain`: the chain that this home is connected to."""

import time
from pathlib import Path
from typing import Any

import click

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Event
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.files import Target
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import PLANCK, duration
from decentralml.core.cli.progress import working
from decentralml.core.domain import MAX_U32, Constants
from decentralml.core.errors import Misused, Refused
from decentralml.core.text import short_address
from decentralml.core.words import count

_STANDARD = Constants()
_PERIOD = Number(1, MAX_U32)


@command("chain init")
@click.argument("file", required=False, type=Target("file", folders=True))
@click.option(
    "--block-time", type=_PERIOD, default=_STANDARD.block_time, show_default=True, metavar="SECONDS"
)
@click.option(
    "--work-period", type=_PERIOD, default=_STANDARD.work_period, show_default=True, metavar="BLOCKS"
)
@click.option(
    "--review-period", type=_PERIOD, default=_STANDARD.review_period, show_default=True, metavar="BLOCKS"
)
@click.option(
    "--faucet", default="open", show_default=True, metavar="open|none|KEY", help="Who may give money away."
)
def init(
    app: App, file: Path | None, block_time: int, work_period: int, review_period: int, faucet: str
) -> None:
    """
    FILE is where the ledger goes: by default where --chain or the settings say. Who shares it uses
    --chain local:FILE. Everybody who may write the file could rewrite it; each home notices.
    """
    from decentralml.core.chain import ledger

    path = (file or _ledger_file(app)).absolute()
    granter = faucet if faucet in ("open", "none") else app.address(faucet)
    ledger.create(
        path,
        block_time=block_time,
        work_period=work_period,
        review_period=review_period,
        faucet=granter,
        seen=app.home.seen,
    )
    data = {
        "path": str(path),
        "chain": f"local:{path}",
        "block_time": block_time,
        "work_period": work_period,
        "review_period": review_period,
        "faucet": granter,
    }

    def show() -> None:
        app.out.say(f"A new ledger is at {path}")
        if path != app.home.ledger:
            app.out.note(f"Use it with --chain local:{path}, or `decentralml config set chain local:{path}`.")

    app.out.done(data, show)


@command("chain status")
def status(app: App) -> None:
    chain = app.chain
    head, constants, total = chain.head(), chain.constants, chain.total_issuance()
    data: dict[str, Any] = {
        "name": chain.name,
        "genesis": chain.genesis,
        "block": head.block,
        "block_hash": head.hash,
        "time": head.time,
        "total_issuance": total,
        "constants": constants,
        "capabilities": sorted(chain.capabilities),
    }
    fields = [
        ("chain", f"{chain.name} ({app.settings.chain})"),
        ("genesis", chain.genesis),
        ("block", f"{head.block:,}"),
        ("last row", head.hash),
        ("money", f"{format_amount(total)} in all"),
        ("block time", f"{constants.block_time} s"),
        ("work period", _period(constants.work_period, constants)),
        ("review", _period(constants.review_period, constants)),
    ]
    app.out.done(data, lambda: app.out.fields(fields))


@command("chain verify")
def verify(app: App) -> None:
    """
    Exit code 1 when a row does not fit. A cleanly cut tail shows only to a home that has seen it.
    """
    from decentralml.core.chain.connect import ledger_file
    from decentralml.core.chain.ledger import verify_file

    with working("replaying the ledger"):
        report = verify_file(ledger_file(app.settings.chain, app.home))
    if not report.ok:
        raise Refused(
            "LedgerBroken",
            f"{report.table}, row {report.row}: {report.why}. {count(report.rows, 'row')} before it fit.",
            "Somebody or something changed the file. Restore a copy that verifies.",
        )
    app.chain.head()  # refused where this home has seen another tail
    app.out.done(
        {"rows": report.rows, "ok": True},
        lambda: app.out.say(f"{count(report.rows, 'row')}, every one follows."),
    )


@command("chain events")
@click.option("--since", type=Number(0), default=0, metavar="CURSOR", help="Only what came after.")
@click.option("--limit", type=Number(1, 1_000_000), help="At most so many.")
@click.option("--task", "task_id", type=Number(0, MAX_U32), metavar="ID", help="Of this task only.")
@click.option("--of", metavar="WHO", default="", help="That touch this account, name or address.")
@click.option("--follow", is_flag=True, help="Wait for more until interrupted.")
def events(app: App, since: int, limit: int | None, task_id: int | None, of: str, follow: bool) -> None:
    """
    With --json one object a line; the field cursor of the last is the --since of the next call.
    """
    if follow and limit is not None:
        raise Misused("Usage", "--follow has no end, so no --limit.", "Leave one of them out.")
    account = app.address(of) if of else None
    left = limit
    while left is None or left > 0:
        page = app.chain.events(since, limit=min(left or 1000, 1000), task_id=task_id, account=account)
        for event in page:
            app.out.line(event, _words(event))
        if page:
            since = page[-1].cursor
            left = None if left is None else left - len(page)
        elif not follow:
            return
        else:
            time.sleep(min(app.chain.constants.block_time, 1))


def _words(event: Event) -> str:
    what = [f"{event.cursor:>6}", f"block {event.block:>7,}", f"{event.name:<18}"]
    if event.task_id is not None:
        what.append(f"task {event.task_id}")
    if event.submission_id is not None:
        what.append(f"submission {event.submission_id}")
    if event.account is not None:
        what.append(short_address(event.account))
    what += [
        f"{name}={format_amount(int(value)) if name in PLANCK else value}"
        for name, value in event.data.items()
    ]
    return "  ".join(what)


def _period(blocks: int, constants: Constants) -> str:
    return f"{count(blocks, 'block')} ({duration(blocks * constants.block_time)})"


def _ledger_file(app: App) -> Path:
    scheme, _, file = app.settings.chain.partition(":")
    if scheme != "local":
        raise Misused(
            "NotLocal", f"{app.settings.chain} is no ledger that could be made here.", "Name a FILE."
        )
    return Path(file).expanduser() if file else app.home.ledger
