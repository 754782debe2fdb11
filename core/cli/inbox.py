"""`decentralml inbox`: what waits, for people and for cron."""

from collections import Counter

import click

from decentralml.core import inbox as inboxes
from decentralml.core.cli.chain_values import when
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.numbers import Number
from decentralml.core.text import short, short_address

WORDS = {
    inboxes.Waiting.judge: "judge a result",
    inboxes.Waiting.deliver: "deliver your result",
    inboxes.Waiting.claim: "claim your pay",
    inboxes.Waiting.time_out: "time out a slot",
    inboxes.Waiting.close: "take back money",
}


@command("inbox")
@click.option("--limit", type=Number(1), default=100, show_default=True)
def inbox(app: App, limit: int) -> int:
    """
    What is due first stands first.
    """
    waiting = inboxes.waiting(app.chain, app.account().address)
    items, total = waiting[:limit], len(waiting)
    counts = Counter(item.why for item in waiting)
    data = {"items": items, "total": total, "counts": {why: counts[why] for why in inboxes.Waiting}}
    block, constants = app.chain.head().block, app.chain.constants

    def show() -> None:
        if not total:
            app.out.say("Nothing waits for you.")
            return
        rows = [
            (
                str(item.task_id),
                "-" if item.submission_id is None else str(item.submission_id),
                WORDS[item.why],
                "-" if item.due_block is None else when(item.due_block, block, constants),
                (app.known_name(item.counterparty) or short_address(item.counterparty))
                if item.counterparty
                else "-",
                short(item.question, 60),
            )
            for item in items
        ]
        columns = ("TASK", "SUBMISSION", "WHAT", "UNTIL BLOCK", "WHO", "QUESTION")
        app.out.table(columns, rows, right="TASK SUBMISSION")
        if total > len(items):
            of_each = ", ".join(f"{counts[why]:,} x {WORDS[why]}" for why in inboxes.Waiting if counts[why])
            app.out.say(f"+{total - len(items):,} more; in all {of_each}. --limit N shows more.")

    app.out.done(data, show)
    return 1 if total else 0
