"""The one table of commands: parser, help and the palette's names are made from it."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command: its words, one line of help, the chain call it signs, whether it changes anything.

    ``module`` of this package declares it; the one named after the group without one.
    """

    name: str
    help: str
    call: str | None = None
    writes: bool = False
    module: str = ""


# Groups and commands without one, with their line of help, in the order in which help shows them.
TOP = {
    "demo": "A whole market played on this machine, narrated.",
    "task": "Tasks: publish, take, train, deliver, judge, pay.",
    "run": "Trainings on this machine.",
    "federate": "Accepted results become the next model.",
    "inbox": "What waits for you. Exit code 1 when something does.",
    "account": "Keys and money: make, unlock, fund and sign with accounts.",
    "storage": "Folders on the shared storage.",
    "chain": "The chain this home is connected to.",
    "config": "Settings of this home.",
    "home": "What this home keeps: as one archive, and back; and what of it can go.",
    "doctor": "What works on this machine, and what to do about the rest.",
}

ENTRIES = (
    Entry("demo", TOP["demo"]),
    Entry(
        "task create", "Publish a task; its reward is held from now on.", "create_task", True, "task_create"
    ),
    Entry("task list", "Tasks of the market.", module="task_read"),
    Entry("task show", "One task: terms, escrow, deadlines, results, what you may do.", module="task_read"),
    Entry("task assign", "Take a slot of a task.", "assign_task", True, "task_slot"),
    Entry("task try", "Train a few batches before a slot is held.", module="task_train"),
    Entry("task setup", "Run a task's setup.sh in the sandbox.", writes=True, module="task_train"),
    Entry("task train", "Train a task's script on your data.", writes=True, module="task_train"),
    Entry("task label", "Label a task's files one by one.", module="task_label"),
    Entry("task send", "Deliver a result.", "send_task_result", True, "task_send"),
    Entry("task abandon", "Give a slot back.", "abandon_task", True, "task_slot"),
    Entry("task results", "All results of a task beside the baseline, best first.", module="task_evaluate"),
    Entry("task validate", "Evaluate a result.", "validate_task_results", True, "task_evaluate"),
    Entry("task accept", "Accept a result and pay it.", "accept_task_results", True, "task_judge"),
    Entry("task reject", "Reject a measured result.", "reject_task_results", True, "task_judge"),
    Entry("task request-changes", "Send a result back to its worker.", "request_changes", True, "task_judge"),
    Entry(
        "task claim",
        "Pay a result on which its creator stayed silent.",
        "claim_task_result",
        True,
        "task_close",
    ),
    Entry("task time-out", "End a slot whose worker let the time pass.", "time_out", True, "task_close"),
    Entry("task close", "Stop a task and take back what nobody can earn.", "close_task", True, "task_close"),
    Entry("run list", "Trainings, newest first."),
    Entry("run show", "One training: what it is, how far it is, where its result is."),
    Entry("run tail", "Follow a training's events, or its output."),
    Entry("run stop", "End a training; what it has learned is kept.", writes=True),
    Entry("run pause", "Hold a training at the next batch.", writes=True),
    Entry(
        "run resume",
        "Let a paused training go on, or a broken one start from its last checkpoint.",
        writes=True,
    ),
    Entry("run remove", "Delete a training that has ended.", writes=True),
    Entry("federate run", "Average accepted results into a new model.", writes=True),
    Entry("federate verify", "Check that a model is what its provenance says."),
    Entry("inbox", TOP["inbox"]),
    Entry("account create", "Make a new account.", writes=True),
    Entry("account import", "Bring in an account by mnemonic, seed or JSON file.", writes=True),
    Entry("account export", "Write an account's encrypted JSON file, readable by polkadot-js."),
    Entry("account list", "Accounts of this home with their balances."),
    Entry("account show", "Balance and record of an account, from the chain alone."),
    Entry("account fund", "Ask the chain's faucet for money.", writes=True),
    Entry("account forget", "Remove an account's key file from this home.", writes=True),
    Entry("account rename", "Give an account of this home another name.", writes=True),
    Entry("account sign", "Sign a message; it can be no extrinsic."),
    Entry("account verify", "Check the signature of a message."),
    Entry("account history", "What came in and what went out, call by call."),
    Entry("account password", "Give an account another password.", writes=True),
    Entry(
        "account remember", "Keep an account's password in the system's keyring, or no longer.", writes=True
    ),
    Entry("account book add", "Give an address a name.", writes=True, module="account_book"),
    Entry("account book remove", "Take a name out of the address book.", writes=True, module="account_book"),
    Entry("account book list", "Names of the address book.", module="account_book"),
    Entry("storage put", "Upload a folder and print its reference.", writes=True),
    Entry("storage get", "Download a folder, verified."),
    Entry("storage verify", "Read every byte of a reference and compare."),
    Entry("storage doctor", "Look the storage over for damage and wrong permissions."),
    Entry(
        "storage gc",
        "Remove what no task and no submission refers to, on any ledger seen.",
        writes=True,
    ),
    Entry("chain init", "Write a new embedded ledger.", writes=True),
    Entry("chain status", "Which chain, which block, which rules."),
    Entry("chain verify", "Replay the ledger and name the first row that does not fit."),
    Entry("chain events", "What happened, oldest first."),
    Entry("config path", "Where the settings file is."),
    Entry("config show", "The settings in force."),
    Entry("config set", "Change one setting in the file.", writes=True),
    Entry("config check", "Check the settings file and explain every key."),
    Entry("home backup", "Put accounts, settings, runs and reports into one archive."),
    Entry("home restore", "Unpack such an archive into this home.", writes=True),
    Entry("home clean", "Remove downloads and environments that nothing here needs now.", writes=True),
    Entry("doctor", TOP["doctor"]),
)

GROUPS = {**TOP, "account book": "Names for addresses."}

BY_NAME = {entry.name: entry for entry in ENTRIES}


def children(group: str) -> list[str]:
    """Last words of the commands and groups directly below ``group`` ("" is the root), in order."""
    prefix = f"{group} " if group else ""
    words = (entry.name[len(prefix) :].split()[0] for entry in ENTRIES if entry.name.startswith(prefix))
    return list(dict.fromkeys(words))


def help_of(name: str) -> str:
    """The line of help of a command or group."""
    return BY_NAME[name].help if name in BY_NAME else GROUPS[name]
