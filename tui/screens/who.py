"""Be another account: the list of this home's accounts, over any screen."""

from rich.text import Text

from decentralml.core.text import clean
from decentralml.core.wallet.accounts import Account
from decentralml.tui.screens.dialog import Choose


class Who(Choose):
    """Choose among ``accounts``. Answers with the address of the one to be."""

    def __init__(self, accounts: list[Account]) -> None:
        super().__init__(
            "Switch account",
            [(account.address, Text(f"{clean(account.name):<24} {account.address}")) for account in accounts],
            text="" if accounts else "There is no account yet: 5 Accounts makes one.",
        )
