"""The faucet grants what its genesis allows, as a signed row that everyone can check."""

from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain.ledger import Ledger, create

from .conftest import code

RICH = 10**15


@pytest.mark.parametrize("amount", [0, -1, 10**9 - 1, 2**128])
def test_a_grant_of_a_bad_amount_is_refused(ledger: Ledger, key: Any, amount: int) -> None:
    assert code(lambda: ledger.fund(key("anna").address, amount)) in ("BadGrant", "NotEncodable")
    assert ledger.total_issuance() == 0


def test_a_grant_is_a_signed_row_that_everyone_can_check(ledger: Ledger, key: Any) -> None:
    receipt = ledger.fund(key("anna").address, RICH)
    assert (receipt.call, receipt.events[0].name, receipt.events[0].account) == (
        "fund",
        "Funded",
        key("anna").address,
    )
    assert ledger.receipt(receipt.extrinsic_hash) == receipt
    assert [line.free for line in ledger.statement(key("anna").address)] == [RICH]
    assert ledger.verify().ok


def test_a_grant_to_no_address_is_refused(ledger: Ledger) -> None:
    assert code(lambda: ledger.fund("nobody", RICH)) == "BadAddress"


def test_only_the_faucets_key_grants(tmp_path: Path, key: Any, clock: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    create(path, faucet=key("bank").address, now=clock)
    ledger = Ledger(path, now=clock)
    assert code(lambda: ledger.fund(key("anna").address, RICH)) == "NotTheFaucet"
    assert code(lambda: ledger.fund(key("anna").address, RICH, key("anna"))) == "NotTheFaucet"
    ledger.fund(key("anna").address, RICH, key("bank"))
    assert ledger.verify().ok
    ledger.close()


def test_a_ledger_without_a_faucet_grants_nothing(tmp_path: Path, key: Any, clock: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    create(path, faucet="none", now=clock)
    ledger = Ledger(path, now=clock)
    assert code(lambda: ledger.fund(key("anna").address, RICH, key("anna"))) == "NoFaucet"
    ledger.close()
