"""What a command works with, made only when it is first asked for."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from decentralml.core import config
from decentralml.core.cli.files import FOLDER_TO_FILL
from decentralml.core.cli.output import Output
from decentralml.core.cli.secrets import Secrets
from decentralml.core.config import Settings
from decentralml.core.errors import DecentralMLError, Misused, Refused, Unavailable
from decentralml.core.paths import Home

if TYPE_CHECKING:
    from decentralml.core.chain.base import Chain
    from decentralml.core.market import Market
    from decentralml.core.signing import Signer
    from decentralml.core.storage.base import Storage
    from decentralml.core.wallet.accounts import Account, Accounts
    from decentralml.core.wallet.addressbook import AddressBook
    from decentralml.core.wallet.keys import UnlockedSigner


class Flags(Struct):
    """The global options as given."""

    home: str = ""
    chain: str = ""
    storage: str = ""
    account: str = ""
    password_fd: int | None = None
    json: bool = False
    yes: bool = False
    readonly: bool = False


OpenApp = Callable[[Flags, str, str], int]
"""Opens the full-screen app with the global options, a word of welcome, and what is asked before it is left;
returns its exit code.
"""


def home_of(flags: Flags) -> Home:
    """The home that --home or DECENTRALML_HOME names, else the XDG folders.

    Raises `Misused` ("NoSuchFile") where it can be no folder.
    """
    named = flags.home or os.environ.get("DECENTRALML_HOME", "")
    return Home(FOLDER_TO_FILL.convert(Path(named).expanduser(), None, None) if named else None)


class Locked:
    """An account that is only looked at: enough to ask the rules what it may do."""

    def __init__(self, account: "Account") -> None:
        self.address = account.address
        self.crypto = account.crypto

    def sign(self, message: bytes) -> bytes:
        raise Unavailable("Locked", f"{self.address} is locked.", "Unlock it to sign.")


class App:
    """One invocation: its flags, and the parts they name."""

    def __init__(self) -> None:
        self.flags = Flags()
        self.open_app: OpenApp | None = None
        self._unlocked: dict[str, UnlockedSigner] = {}

    @cached_property
    def out(self) -> Output:
        return Output(as_json=self.flags.json)

    @cached_property
    def home(self) -> Home:
        return home_of(self.flags)

    @cached_property
    def settings(self) -> Settings:
        flags = self.flags
        return config.load(
            self.home, {"chain": flags.chain, "storage": flags.storage, "account": flags.account}
        )

    @cached_property
    def chain(self) -> "Chain":
        from decentralml.core.chain.connect import connect

        return connect(self.settings.chain, self.home)

    @cached_property
    def storage(self) -> "Storage":
        from decentralml.core.storage.connect import connect

        return connect(self.settings.storage, self.home)

    @cached_property
    def accounts(self) -> "Accounts":
        from decentralml.core.wallet.accounts import Accounts

        return Accounts(self.home)

    @cached_property
    def book(self) -> "AddressBook":
        from decentralml.core.wallet.addressbook import AddressBook

        return AddressBook(self.home)

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self.flags.password_fd)

    def account(self, name: str = "") -> "Account":
        """The account ``name``, else the one in force: --account, the settings', or the only one there is.

        Raises `Unavailable` ("NoAccount") where there is none, `Misused` ("WhichAccount") where there are
        several.
        """
        wanted = name or self.settings.account
        if wanted:
            return self.accounts.get(wanted)
        known = self.accounts.list()
        if len(known) == 1:
            return known[0]
        if not known:
            raise Unavailable(
                "NoAccount", "This home has no account.", "`decentralml account create NAME` makes one."
            )
        names = ", ".join(account.name for account in known)
        raise Misused("WhichAccount", f"This home has several accounts: {names}.", "Name one with --account.")

    def me(self) -> "Account | None":
        """The account in force, where it is clear which."""
        try:
            return self.account()
        except DecentralMLError:
            return None

    def address(self, who: str = "") -> str:
        """The address of an account's name, a name of the address book (in any case), or an address."""
        from decentralml.core.wallet import names

        if not who:
            return self.account().address
        wanted = names.key(who)
        known = next((account for account in self.accounts.list() if names.key(account.name) == wanted), None)
        return known.address if known else self.book.resolve(who)

    def known_name(self, address: str) -> str | None:
        """What this home calls an address: its account's name, or the address book's."""
        return self._names.get(address)

    def person(self, address: str) -> str:
        """An address as a person is shown it where it matters: whole, with its name where it has one."""
        name = self.known_name(address)
        return f"{address} ({name})" if name else address

    @cached_property
    def _names(self) -> dict[str, str]:
        names = {address: name for name, address in self.book.list().items()}
        return {**names, **{account.address: account.name for account in self.accounts.list()}}

    def unlock(self, name: str = "") -> "Signer":
        """The account's signer, by the password remembered, from --password-fd, or asked; once a command.

        Raises `Refused` ("ReadOnly", "WrongPassword"), `Unavailable` ("NoPassword").
        """
        from decentralml.core.wallet import remember

        if self.flags.readonly:
            raise Refused("ReadOnly", "Nothing is signed with --readonly.", "Leave it out to sign.")
        account = self.account(name)
        if account.address in self._unlocked:
            return self._unlocked[account.address]
        secret = remember.get(account.address) if self.flags.password_fd is None else None
        if secret is None:
            secret = self.secrets.password(f"Password of {account.name}: ")
        signer = self._unlocked[account.address] = self.accounts.unlock(account.name, secret)
        return signer

    def market(self, *, signing: bool = False) -> "Market":
        """The verbs for the account in force, which is unlocked when ``signing``."""
        from decentralml.core.market import Market

        signer = self.unlock() if signing else self._looked_at()
        return Market(self.chain, self.storage, self.home, self.settings, signer, on_receipt=self.out.landed)

    def _looked_at(self) -> "Signer | None":
        account = self.me()
        return Locked(account) if account else None

    def close(self) -> None:
        """Give back what was opened, and wipe what was unlocked."""
        for signer in self._unlocked.values():
            signer.lock()
        if "chain" in self.__dict__:
            self.chain.close()
