"""`decentralml account`: keys, money, signatures."""

import csv
import sys
from pathlib import Path
from typing import Any

import click

from decentralml.core import named_path
from decentralml.core.amount import format_amount, parse_amount
from decentralml.core.cli.chain_values import receipt_data, record_fields
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, NEW_FILE
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import error_data
from decentralml.core.errors import Misused, Refused, Unavailable
from decentralml.core.signing import Crypto, Signer, sign_message, verify_message
from decentralml.core.words import MOVEMENTS

CRYPTO = click.Choice([kind.value for kind in Crypto])
MAX_KEY_FILE = 1_000_000
MAX_MESSAGE = 16 * 2**20
SIGNATURE_BYTES = (64, 65)  # some wallets say first of which kind the key is


@command("account create")
@click.argument("name")
@click.option("--crypto", type=CRYPTO, default="sr25519", show_default=True)
@click.option("--show-mnemonic", is_flag=True, help="Put the mnemonic into the output, for scripts.")
def create(app: App, name: str, crypto: str, show_mnemonic: bool) -> None:
    """
    The mnemonic is shown once, on the terminal only; it is never written into a pipe or a file unless
    --show-mnemonic asks for it.
    """
    app.accounts.require_free(name)
    password = app.secrets.new_password(f"A password for {name}: ")
    account, mnemonic = app.accounts.create(name, password, Crypto(crypto))
    data = {**_data(account), "mnemonic": mnemonic if show_mnemonic else None}

    def show() -> None:
        app.out.fields(_fields(account))
        if show_mnemonic or sys.stdout.isatty():
            app.out.say("")
            app.out.say("Write these words down and keep them from others. They are shown this once:")
            app.out.say("")
            app.out.fields([("", mnemonic)])  # at the edge of the screen no word is broken

    app.out.done(data, show)
    if not show_mnemonic and (app.out.json or not sys.stdout.isatty()):
        app.out.note(
            "The mnemonic was not shown: it goes to a terminal, or with --show-mnemonic. "
            "`account export` makes a backup."
        )


@command("account import")
@click.argument("name", required=False)
@click.option("--mnemonic", "source", flag_value="mnemonic", help="Ask for 12 to 24 words.")
@click.option("--seed", "source", flag_value="seed", help="Ask for a seed, 0x and 64 hex digits.")
@click.option("--json-file", type=FILE, help="An encrypted JSON file (polkadot-js).")
@click.option("--crypto", type=CRYPTO, default="sr25519", show_default=True)
@click.option("--derive", default="", metavar="PATH", help="Derive from the mnemonic, such as //work.")
@click.option("--any-prefix", is_flag=True, help="Take a JSON file that was written for another network.")
def import_(
    app: App,
    name: str | None,
    source: str | None,
    json_file: Path | None,
    crypto: str,
    derive: str,
    any_prefix: bool,
) -> None:
    """
    Words and seeds are asked without echo, or read as a line of stdin where that is no terminal; never
    from the command line, where others would see them.
    """
    if (source is None) == (json_file is None):
        raise Misused(
            "Usage", "It is not said what to import.", "Give one of --mnemonic, --seed, --json-file FILE."
        )
    if json_file is not None:
        text = named_path.read(json_file, MAX_KEY_FILE)
        password = app.secrets.password("Password of the file: ")
        try:
            account = app.accounts.import_json(name, password, text, any_prefix=any_prefix, warn=app.out.note)
        except Misused as error:
            if error.code == "OtherChain":
                error.hint += " --any-prefix takes the file."
            raise
    else:
        if name is None:
            raise Misused("Usage", "The account needs a name.", "`account import NAME --mnemonic`")
        app.accounts.require_free(name)
        secret = app.secrets.phrase("Mnemonic: " if source == "mnemonic" else "Seed: ")
        password = app.secrets.new_password(f"A password for {name}: ")
        if source == "mnemonic":
            account = app.accounts.import_mnemonic(name, password, secret, Crypto(crypto), derive)
        else:
            account = app.accounts.import_seed(name, password, secret, Crypto(crypto))
    app.out.done(_data(account), lambda: app.out.fields(_fields(account)))


@command("account export")
@click.argument("name", required=False)
@click.option("--to", type=NEW_FILE, help="Write it to this new file (0600), not to stdout.")
def export(app: App, name: str | None, to: Path | None) -> None:
    """
    The file stays encrypted under the account's password.
    """
    account = app.account(name or "")
    text = app.accounts.export_json(account.name)
    if to is None:
        import json

        app.out.done({**_data(account), "export": json.loads(text)}, lambda: app.out.say(text))
        return
    named_path.write_new(to, text.encode())
    app.out.done({**_data(account), "path": str(to)}, lambda: app.out.say(f"{account.name} is in {to}"))


@command("account list")
def list_(app: App) -> None:
    accounts = app.accounts.list()
    balances = [app.chain.balance(account.address) for account in accounts]
    damaged = app.accounts.damaged()
    data: list[dict[str, Any]] = [
        {**_data(account), "free": balance.free, "held": balance.held, "error": None}
        for account, balance in zip(accounts, balances, strict=True)
    ]
    for path, error in damaged:
        unknown = dict.fromkeys(("address", "crypto", "free", "held"))
        data.append({"name": path.stem, **unknown, "error": error_data(error)})
    rows = [
        (account.name, format_amount(balance.free), format_amount(balance.held), account.address)
        for account, balance in zip(accounts, balances, strict=True)
    ]

    def show() -> None:
        if rows:
            app.out.table(("NAME", "FREE", "HELD", "ADDRESS"), rows, right="FREE HELD")
        else:
            app.out.say("No account yet. `decentralml account create NAME` makes one.")
        for path, error in damaged:
            app.out.note(f"{path.name} cannot be used: {error}")

    app.out.done(data, show)


@command("account show")
@click.argument("who", required=False)
def show(app: App, who: str | None) -> None:
    """
    WHO is an account of this home, a name of the address book, or an address. The record counts what this
    address did as creator and as worker, by distinct counterparties and by value.
    """
    address = app.address(who or "")
    balance, record = app.chain.balance(address), app.chain.record(address)
    data = {
        "name": app.known_name(address),
        "address": address,
        "free": balance.free,
        "held": balance.held,
        "record": {"creator": record.creator, "worker": record.worker},
    }
    fields = [
        ("name", app.known_name(address) or "-"),
        ("address", address),
        ("free", format_amount(balance.free)),
        ("held", format_amount(balance.held)),
        *record_fields(record, app.chain.constants),
    ]
    app.out.done(data, lambda: app.out.fields(fields))


@command("account fund")
@click.argument("amount")
@click.option("--to", metavar="WHO", default="", help="Fund this account, name or address.")
def fund(app: App, amount: str, to: str) -> None:
    """
    AMOUNT is in units, such as 2.5. Only a chain with a faucet gives money away.
    """
    planck = parse_amount(amount)
    chain: Any = app.chain
    if not hasattr(chain, "fund"):
        raise Refused(
            "NoFaucet",
            f"The chain {chain.name} has no faucet.",
            "Ask somebody who has money there to hire you.",
        )
    address = app.address(to)
    # An open faucet signs for itself; else only the key that the genesis names does.
    signer = None if chain.faucet in ("open", "none") else _granter(app, chain.faucet)
    confirm(app, f"Fund {address}", [("amount", f"+{format_amount(planck)}"), ("chain", app.chain.name)])
    receipt = chain.fund(address, planck, signer)
    app.out.landed(receipt)
    balance = chain.balance(address)
    data = {
        **receipt_data(receipt),
        "address": address,
        "amount": planck,
        "free": balance.free,
        "held": balance.held,
    }
    app.out.done(
        data,
        lambda: app.out.say(f"{address} got {format_amount(planck)}: {format_amount(balance.free)} free"),
    )


def _granter(app: App, faucet: str) -> Signer:
    try:
        return app.unlock(faucet)
    except Unavailable as error:
        if error.code != "UnknownAccount":
            raise
        raise Refused(
            "NotTheFaucet", f"Only {faucet} grants money on this ledger.", "Ask who keeps that key."
        ) from error


@command("account forget")
@click.argument("name")
def forget(app: App, name: str) -> None:
    """
    Without the mnemonic or an exported file the money of the account is lost for ever.
    """
    account = app.accounts.get(name)
    confirm(
        app,
        f"Remove the key of {account.name} from this home",
        [("address", account.address), ("file", str(account.path))],
    )
    app.accounts.forget(account.name)
    _forget_password(app, account.address)
    app.out.done(_data(account), lambda: app.out.say(f"{account.name} is forgotten here."))


@command("account rename")
@click.argument("name")
@click.argument("new_name")
def rename(app: App, name: str, new_name: str) -> None:
    account = app.accounts.rename(name, new_name)
    app.out.done(_data(account), lambda: app.out.say(f"{name} is now {account.name}."))


@command("account sign")
@click.argument("message", required=False)
@click.option("--file", type=FILE, help="Sign a file's bytes, not the words given.")
def sign(app: App, message: str | None, file: Path | None) -> None:
    """
    The message is wrapped in <Bytes>…</Bytes> as polkadot-js does, so that no signature can pass for a
    call on the chain.
    """
    data = _message(message, file)
    signer = app.unlock()
    confirm(app, "Sign a message", [("account", signer.address), ("message", _preview(data))])
    signature = sign_message(signer, data).hex()
    answer = {"address": signer.address, "crypto": signer.crypto.value, "signature": f"0x{signature}"}
    app.out.done(answer, lambda: app.out.say(f"0x{signature}"))


@command("account verify")
@click.argument("signature")
@click.argument("message", required=False)
@click.option("--file", type=FILE, help="The signed file, instead of the words given.")
@click.option("--from", "signed_by", metavar="WHO", default="", help="Account, name or address that signed.")
@click.option("--crypto", type=CRYPTO, help="Kind of key; both are tried without it.")
def verify(
    app: App, signature: str, message: str | None, file: Path | None, signed_by: str, crypto: str | None
) -> None:
    data = _message(message, file)
    address = app.address(signed_by)
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) not in SIGNATURE_BYTES:
        raise Misused("BadSignature", "A signature is 128 hex digits.", "Paste it whole.")
    if not verify_message(address, data, raw, Crypto(crypto) if crypto else None):
        raise Refused(
            "WrongSignature",
            f"{address} did not sign this message.",
            "A space or a line feed more is another message.",
        )
    app.out.done({"address": address, "valid": True}, lambda: app.out.say(f"{address} signed this."))


@command("account history")
@click.argument("who", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV on stdout, amounts in units.")
@click.option("--since", type=Number(0), default=0, metavar="CURSOR", help="Only what came after.")
def history(app: App, who: str | None, as_csv: bool, since: int) -> None:
    address = app.address(who or "")
    movements: list[Any] = []
    while page := app.chain.statement(address, since=movements[-1].cursor if movements else since):
        movements += page
    header = ("block", "name", "task_id", "submission_id", "free", "held")
    rows = [
        (
            str(m.block),
            m.name,
            "" if m.task_id is None else str(m.task_id),
            "" if m.submission_id is None else str(m.submission_id),
            format_amount(m.free),
            format_amount(m.held),
        )
        for m in movements
    ]
    columns = ("BLOCK", "WHAT", "TASK", "SUBMISSION", "FREE", "HELD")

    def show() -> None:
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(header)
            writer.writerows((*row[:4], row[4].replace(",", ""), row[5].replace(",", "")) for row in rows)
        else:
            said = [(row[0], MOVEMENTS.get(row[1], row[1]), *row[2:]) for row in rows]
            app.out.table(columns, said, right="BLOCK TASK SUBMISSION FREE HELD")

    app.out.done(movements, show)


@command("account password")
@click.argument("name", required=False)
def password(app: App, name: str | None) -> None:
    """
    With --password-fd the password in force is the first line and the new one the second.
    """
    account = app.account(name or "")
    old = app.secrets.password(f"Password of {account.name}: ")
    new = app.secrets.new_password("The new one: ")
    app.accounts.change_password(account.name, old, new)
    _forget_password(app, account.address)
    app.out.done(_data(account), lambda: app.out.say(f"{account.name} has a new password."))


@command("account remember")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.argument("name", required=False)
def remember_(app: App, state: str, name: str | None) -> None:
    """
    Only where a real keyring answers; `decentralml doctor` says which.
    """
    from decentralml.core.wallet import remember

    account = app.account(name or "")
    if state == "on":
        secret = app.secrets.password(f"Password of {account.name}: ")
        app.accounts.unlock(account.name, secret).lock()
        remember.store(account.address, secret)
    else:
        remember.forget(account.address)
    words = "is remembered" if state == "on" else "is not remembered any more"
    app.out.done(
        {**_data(account), "remembered": state == "on"},
        lambda: app.out.say(f"The password of {account.name} {words}."),
    )


def _forget_password(app: App, address: str) -> None:
    """Take the old password out of the keyring; what was done to the key file stands whatever it says."""
    from decentralml.core.wallet import remember

    try:
        remember.forget(address)
    except Unavailable as error:
        app.out.note(f"Its password may still be in the keyring. {error}")


def _message(message: str | None, file: Path | None) -> bytes:
    if (message is None) == (file is None):
        raise Misused("Usage", "Give a message or a file, one of the two.", "--file FILE names a file.")
    if file is not None:
        return named_path.read(file, MAX_MESSAGE)
    return (message or "").encode(errors="surrogateescape")


def _preview(data: bytes) -> str:
    text = data[:200].decode(errors="backslashreplace")
    return text if len(data) <= 200 else f"{text}… ({len(data)} bytes)"


def _data(account: Any) -> dict[str, Any]:
    return {"name": account.name, "address": account.address, "crypto": account.crypto.value}


def _fields(account: Any) -> list[tuple[str, str]]:
    return [("name", account.name), ("address", account.address), ("crypto", account.crypto.value)]
