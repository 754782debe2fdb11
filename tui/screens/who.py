"""Be another account: the list of this home's accounts, over any screen."""

from rich.text import Text

from decentralml.core.text import clean
from decentralml.core.wallet.accounts import Account
from decentralml.tui.hints import NO_ACCOUNT_READONLY
from decentralml.tui.screens.dialog import Choose


class Who(Choose):
    """Choose among ``accounts``; of none it is told with --readonly. Answers with the address to be."""

    def __init__(self, accounts: list[Account]) -> None:
        super().__init__(
            "Switch account",
            [(account.address, Text(f"{clean(account.name):<24} {account.address}")) for account in accounts],
            text="" if accounts else NO_ACCOUNT_READONLY,
        )
