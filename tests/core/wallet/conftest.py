"""Accounts whose key files are cheap to open."""

import pytest

from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts

CHEAP = 1 << 10


@pytest.fixture
def accounts(home: Home) -> Accounts:
    return Accounts(home, scrypt_n=CHEAP)
