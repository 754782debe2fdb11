"""`decentralml inbox`: what waits, for people and for cron."""

from decentralml.core import inbox as inboxes
from decentralml.core.cli.answers import when
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.text import short, short_address

WORDS = {
    inboxes.Waiting.judge: "judge a result",
    inboxes.Waiting.deliver: "deliver your result",
    inboxes.Waiting.claim: "claim your pay",
    inboxes.Waiting.time_out: "time out a slot",
    inboxes.Waiting.close: "take back money",
}


@command("inbox")
def inbox(app: App) -> int:
    items = inboxes.waiting(app.chain, app.account().address)
    block, constants = app.chain.head().block, app.chain.constants

    def show() -> None:
        if not items:
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
        app.out.table(
            ("TASK", "SUBMISSION", "WHAT", "UNTIL BLOCK", "WHO", "QUESTION"), rows, right="TASK SUBMISSION"
        )

    app.out.done(items, show)
    return 1 if items else 0
