"""An account made, imported, exported, forgotten; its password: flows of dialogs, awaited in a worker."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from decentralml.core import named_path
from decentralml.core.errors import Misused, Unavailable
from decentralml.core.signing import Crypto
from decentralml.core.text import clean
from decentralml.core.wallet import remember
from decentralml.core.wallet.accounts import Account
from decentralml.core.wallet.strength import strength
from decentralml.core.words import count
from decentralml.tui import background, keys
from decentralml.tui.screens.dialog import Choose
from decentralml.tui.screens.file_picker import Purpose
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.screens.new_words import Words, words_check

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

Flow = Callable[["DecentralMLApp"], Awaitable[Account | None]]

_MAX_KEY_FILE = 1_000_000
_ANY_NETWORK = "any network"
_KEY_FILE = Purpose(
    "key",
    "The account's file",
    holds="the JSON file of polkadot-js or of this app",
    fits=lambda path: path.suffix == ".json",
)
_CRYPTO = Field("crypto", "Kind of key", choices=tuple(kind.value for kind in Crypto))
_STRENGTHS = {"weak": "weak: soon guessed", "fair": "fair", "strong": "strong"}


def _strength(password: str) -> str:
    return _STRENGTHS[strength(password)] if password else ""


def _new_password(label: str = "Password") -> tuple[Field, Field]:
    """What is asked twice, and how long it would hold."""
    return (
        Field("password", label, secret=True, says=_strength),
        Field("again", f"{label} again", secret=True, repeats="password"),
    )


# Creating


async def create(app: "DecentralMLApp") -> Account | None:
    """Name, password, words shown once, and three of them asked for. None where the person said no."""
    accounts = app.opened.accounts

    def make(name: str, password: str, crypto: str) -> tuple[Account, str]:
        return accounts.create(name.strip(), password, Crypto(crypto))

    made = await app.push_screen_wait(
        Form(
            "New account",
            (Field("name", "Name", placeholder="only you see it"), *_new_password(), _CRYPTO),
            make,
            text="The key is made on this machine and kept in a file that only your password opens.\n",
            doing="encrypting the key…",
            yes="Create",
        )
    )
    if made is None:
        return None
    account, mnemonic = made
    await app.push_screen_wait(Words(account.name, mnemonic))
    checked = await app.push_screen_wait(words_check(account.name, mnemonic))
    if checked:
        app.say(f"{account.name} is made, and you have its words.")
    else:
        app.say(
            keys.said(
                "{name} is made, but its words are unchecked. If you do not have them: {export} exports its "
                "key, or {forget} forgets it and {new} makes another.",
                name=account.name,
            )
        )
    return account


# Importing


async def import_(app: "DecentralMLApp") -> Account | None:
    """An account from elsewhere: words, a seed, or a polkadot-js file. None where the person said no."""
    source = await app.push_screen_wait(
        Choose(
            "Import an account",
            [
                ("words", Text("words          12 to 24 of them, from paper or another wallet")),
                ("seed", Text("seed           0x and 64 hexadecimal digits")),
                ("json", Text("JSON file      an encrypted key file of polkadot-js or of this app")),
            ],
        )
    )
    if source is None:
        return None
    warnings: list[str] = []
    forms: dict[str, Callable[[DecentralMLApp], Form[Account]]] = {
        "words": _from_words,
        "seed": _from_seed,
        "json": partial(_from_json, warnings=warnings),
    }
    account = await app.push_screen_wait(forms[source](app))
    if account is not None:
        app.say(" ".join((f"{account.name} is imported.", *warnings)))
    return account


def _words(mnemonic: str) -> str:
    return count(len(mnemonic.split()), "word")


def _from_words(app: "DecentralMLApp") -> Form[Account]:
    accounts = app.opened.accounts

    def act(name: str, mnemonic: str, path: str, password: str, crypto: str) -> Account:
        return accounts.import_mnemonic(name.strip(), password, mnemonic, Crypto(crypto), path.strip())

    return Form(
        "Import words",
        (
            Field("name", "Name", placeholder="only you see it"),
            Field("mnemonic", "Words", secret=True, says=_words),
            Field("path", "Derivation", optional=True, placeholder="none; or //hard/soft"),
            *_new_password(),
            _CRYPTO,
        ),
        act,
        text="The password is a new one, for the key's file on this machine.\n",
        doing="encrypting the key…",
        yes="Import",
    )


def _from_seed(app: "DecentralMLApp") -> Form[Account]:
    accounts = app.opened.accounts

    def act(name: str, seed: str, password: str, crypto: str) -> Account:
        return accounts.import_seed(name.strip(), password, seed, Crypto(crypto))

    return Form(
        "Import a seed",
        (
            Field("name", "Name", placeholder="only you see it"),
            Field("seed", "Seed", secret=True),
            *_new_password(),
            _CRYPTO,
        ),
        act,
        text="The password is a new one, for the key's file on this machine.\n",
        doing="encrypting the key…",
        yes="Import",
    )


def _from_json(app: "DecentralMLApp", warnings: list[str]) -> Form[Account]:
    """What is to be known of the file's account is left in ``warnings``."""
    accounts = app.opened.accounts

    def act(file: str, password: str, name: str, network: str) -> Account:
        warnings.clear()
        return accounts.import_json(
            name.strip() or None,
            password,
            named_path.read(named_path.typed(file.strip()), _MAX_KEY_FILE),
            any_prefix=network == _ANY_NETWORK,
            warn=warnings.append,
        )

    return Form(
        "Import a JSON file",
        (
            Field("file", "File", placeholder="~/account.json", finds=_KEY_FILE),
            Field("password", "Its password", secret=True),
            Field("name", "Name here", optional=True, placeholder="as in the file"),
            Field("network", "Written for", choices=("this network", _ANY_NETWORK)),
        ),
        act,
        text="The account keeps the file's password here.\n",
        doing="opening the key…",
        yes="Import",
    )


# One account


async def export(app: "DecentralMLApp", account: Account) -> None:
    """Its key file, as it is encrypted, under a name of the person's choosing."""
    accounts = app.opened.accounts

    def act(file: str) -> Path:
        path = named_path.typed(file.strip())
        named_path.write_new(path, accounts.export_json(account.name).encode())
        return path

    path = await app.push_screen_wait(
        Form(
            f"Export {account.name}",
            (Field("file", "Into the new file", value=f"~/{account.name}.json"),),
            act,
            text="The account's key, encrypted under its password, as polkadot-js and this app read it. "
            "Only you may read the file. Who has it and the password has the account.\n",
            yes="Export",
        )
    )
    if path is not None:
        app.say(f"{account.name} is in {path}.")


async def change_password(app: "DecentralMLApp", account: Account) -> bool:
    """The present password, then the new one twice. Whether it was changed."""
    accounts = app.opened.accounts

    def act(old: str, password: str) -> bool:
        accounts.change_password(account.name, old, password)
        return True

    if not await app.push_screen_wait(
        Form(
            f"Password of {account.name}",
            (Field("old", "Password now", secret=True), *_new_password("New password")),
            act,
            text="The words stay the same. A file exported earlier keeps the password it had.\n",
            doing="encrypting the key…",
            yes="Change",
        )
    ):
        return False
    app.say(f"{account.name} has a new password.")
    return True


async def keep_in_keyring(app: "DecentralMLApp", account: Account, keyring: str) -> bool:
    """Ask for the password and let ``keyring`` remember it. Whether it does."""
    accounts = app.opened.accounts

    def act(password: str) -> str:
        accounts.unlock(account.name, password).lock()
        return remember.store(account.address, password)

    kept_by = await app.push_screen_wait(
        Form(
            f"Keyring for {account.name}",
            (Field("password", "Password", secret=True),),
            act,
            text=f"{keyring} remembers the password, and signing does not ask for it any more. "
            "Every signature is still shown first.\n",
            doing="checking the password…",
            yes="Remember",
        )
    )
    if kept_by is None:
        return False
    app.say(f"{kept_by} remembers the password of {account.name}.")
    return True


async def forget(app: "DecentralMLApp", account: Account, warning: str) -> bool:
    """Delete the key's file, once its name was typed. Whether it is gone."""
    accounts = app.opened.accounts

    def act(name: str) -> bool:
        if name.strip() != account.name:
            raise Misused("WrongName", "That is another name.", f"Type {account.name} to forget it.")
        accounts.forget(account.name)
        return True

    text = Text(
        "The key is removed from this machine. Without its words or an exported file it is gone for ever, "
        "and with it whatever the account owns.\n"
    )
    if warning:
        text.append(f"\n{warning}\n", "bold")
    text.append(f"\n{account.address}\n")
    if not await app.push_screen_wait(
        Form(
            f"Forget {account.name}",
            (Field("name", f"Type {clean(account.name)}"),),
            act,
            text=text,
            yes="Forget",
            danger=True,
        )
    ):
        return False
    app.say(f"{account.name} is forgotten here.")
    try:
        await background.call(remember.forget, account.address)
    except Unavailable as error:
        app.say(f"Its password may still be in the keyring. {error}")
    return True
