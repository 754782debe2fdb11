"""An account is renamed, given another password or forgotten, whole or not at all."""

import json
import os
import resource
import stat

import pytest

from decentralml.core.errors import DecentralMLError, Failed, Refused, Unavailable
from decentralml.core.wallet.accounts import Accounts


def test_the_old_password_opens_no_more(accounts: Accounts) -> None:
    alice, _ = accounts.create("alice", "old")
    accounts.change_password("alice", "old", "new")
    assert accounts.get("alice") == alice
    assert alice.path.stat().st_mode & 0o777 == 0o600
    assert accounts.unlock("alice", "new").address == alice.address
    with pytest.raises(Refused):
        accounts.unlock("alice", "old")


@pytest.mark.parametrize(("old", "new"), [("wrong", "new"), ("old", "")])
def test_a_refused_change_changes_nothing(accounts: Accounts, old: str, new: str) -> None:
    alice, _ = accounts.create("alice", "old")
    before = alice.path.read_bytes()
    with pytest.raises(DecentralMLError):
        accounts.change_password("alice", old, new)
    assert alice.path.read_bytes() == before


@pytest.mark.parametrize("new", ["bob", "Alice", "Ada Lovelace"])
def test_a_renamed_account_keeps_its_key(accounts: Accounts, new: str) -> None:
    alice, _ = accounts.create("alice", "pass")
    renamed = accounts.rename("alice", new)
    assert list(accounts.list()) == [renamed]
    assert (renamed.name, renamed.address) == (new, alice.address)
    assert json.loads(accounts.export_json(new))["meta"]["name"] == new
    assert accounts.unlock(new, "pass").address == alice.address


def test_an_account_that_cannot_be_renamed_keeps_its_name(accounts: Accounts) -> None:
    alice, _ = accounts.create("alice", "pass")
    before = alice.path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))  # as good as a full disk
    try:
        with pytest.raises(Failed, match=r"Nothing was changed\.") as caught:
            accounts.rename("alice", "bob")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert caught.value.code == "CannotWrite"
    assert list(accounts.list()) == [alice]
    assert alice.path.read_bytes() == before


def test_the_name_of_a_key_file_reaches_the_disk(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync
    synced: list[str] = []

    def spy(descriptor: int) -> None:
        sync(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced[:] = sorted(name for name in os.listdir(descriptor) if not name.startswith("."))

    monkeypatch.setattr(os, "fsync", spy)
    accounts.create("alice", "pass")
    assert synced == ["alice.json"]
    accounts.rename("alice", "bob")
    assert synced == ["bob.json"]


def test_no_account_is_renamed_over_another(accounts: Accounts) -> None:
    alice, _ = accounts.create("alice", "pass")
    bob, _ = accounts.create("bob", "pass")
    with pytest.raises(Refused) as caught:
        accounts.rename("alice", "BOB")
    assert caught.value.code == "NameTaken"
    assert list(accounts.list()) == [alice, bob]


def test_a_forgotten_account_is_gone_and_its_name_free(accounts: Accounts) -> None:
    alice, _ = accounts.create("alice", "pass")
    assert accounts.forget(alice.address) == alice
    assert not accounts.list()
    with pytest.raises(Unavailable):
        accounts.unlock("alice", "pass")
    accounts.create("alice", "pass")
