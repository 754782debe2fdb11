"""Accounts of a home: one file each, readable by nobody else, found by name or address."""

import json
import os
import threading
from pathlib import Path

import pytest
from unprivileged import unprivileged

from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.signing import Crypto, decode_address, encode_address, verify
from decentralml.core.wallet import keys
from decentralml.core.wallet.accounts import Accounts

WORDS = "fine engage seed popular upon round differ belt engage space author pet"
SEED = "0x" + "2a" * 32


def code_of(error: pytest.ExceptionInfo[DecentralMLError]) -> str:
    return error.value.code


@pytest.mark.parametrize("crypto", list(Crypto))
def test_a_new_account_signs_after_unlocking(accounts: Accounts, crypto: Crypto) -> None:
    account, mnemonic = accounts.create("alice", "pass", crypto)
    assert (account.name, account.crypto) == ("alice", crypto)
    signer = accounts.unlock("alice", "pass")
    assert signer.address == account.address
    assert verify(account.address, b"x", signer.sign(b"x"), crypto)
    assert keys.from_mnemonic(mnemonic, crypto).address == account.address


def test_a_key_file_is_readable_by_its_owner_alone_whatever_the_umask(home: Home, accounts: Accounts) -> None:
    before = os.umask(0)
    try:
        account, _ = accounts.create("alice", "pass")
    finally:
        os.umask(before)
    assert account.path.stat().st_mode & 0o777 == 0o600
    assert home.accounts.stat().st_mode & 0o077 == 0
    assert [path.name for path in home.accounts.iterdir() if not path.name.startswith(".")] == ["alice.json"]


def test_neither_mnemonic_nor_password_stands_in_any_file(home: Home, accounts: Accounts) -> None:
    _, mnemonic = accounts.create("alice", "a password")
    accounts.import_seed("bob", "a password", SEED)
    for path in home.accounts.rglob("*"):
        text = path.read_bytes()
        for secret in (mnemonic.encode(), mnemonic.split()[0].encode() + b" ", b"a password", b"2a2a"):
            assert secret not in text


def test_accounts_are_listed_by_name_and_found_by_name_in_any_case_or_address(accounts: Accounts) -> None:
    bob = accounts.import_seed("Bob", "pass", SEED)
    alice, _ = accounts.create("alice", "pass")
    assert list(accounts.list()) == [alice, bob]
    assert accounts.get("BOB") == accounts.get(bob.address) == bob


def test_an_unknown_account_is_refused_and_the_known_are_named(accounts: Accounts) -> None:
    accounts.create("alice", "pass")
    for wanted in ("carol", encode_address(bytes(32)), "../alice", "\x1b[2J"):
        with pytest.raises(Unavailable) as caught:
            accounts.get(wanted)
        assert code_of(caught) == "UnknownAccount"
        assert "alice" in caught.value.hint
        assert "\x1b" not in str(caught.value)


def test_an_address_of_another_network_is_its_own_error(accounts: Accounts) -> None:
    account = accounts.import_seed("alice", "pass", SEED)
    with pytest.raises(Misused) as caught:
        accounts.get(encode_address(decode_address(account.address), 0))
    assert code_of(caught) == "OtherChain"


@pytest.mark.parametrize("taken", ["alice", "Alice", "ALICE", "ａlice"])
def test_a_name_is_given_once_without_regard_to_case(accounts: Accounts, taken: str) -> None:
    accounts.create("alice", "pass")
    for make in (
        lambda: accounts.create(taken, "pass"),
        lambda: accounts.import_seed(taken, "pass", SEED),
        lambda: accounts.import_mnemonic(taken, "pass", WORDS),
    ):
        with pytest.raises(Refused) as caught:
            make()
        assert code_of(caught) == "NameTaken"
    assert len(accounts.list()) == 1


def test_an_address_is_kept_once(accounts: Accounts) -> None:
    accounts.import_seed("alice", "pass", SEED)
    with pytest.raises(Refused) as caught:
        accounts.import_seed("bob", "other", SEED)
    assert code_of(caught) == "AddressTaken"
    assert "'alice'" in caught.value.message
    assert len(accounts.list()) == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " a",
        "a ",
        "a/b",
        "../a",
        ".a",
        "-a",
        "a\nb",
        "a\x1b[2J",
        "a\u202eb",
        "a" * 65,
        "\U0001f600" * 60,
        encode_address(bytes(32)),
        encode_address(bytes(32), 0),
        "a\\b",
        "a\0b",
        "a\udc80",
    ],
)
def test_a_bad_name_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(Misused) as caught:
        accounts.create(name, "pass")
    assert code_of(caught) == "BadName"
    assert str(caught.value).isprintable()
    assert not accounts.list()


@pytest.mark.parametrize("name", ["a", "Ada Lovelace", "李小龍", "x" * 64, "a.b", "*", "[a]", "%s", "'; --"])
def test_an_odd_but_printable_name_works(accounts: Accounts, name: str) -> None:
    accounts.import_seed(name, "pass", SEED)
    assert accounts.unlock(name, "pass").address == accounts.get(name).address
    assert [account.name for account in accounts.list()] == [name]


def test_ten_threads_that_take_one_name_leave_one_account(home: Home) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(10)

    def create() -> None:
        start.wait()
        try:
            Accounts(home, scrypt_n=2).create("alice", "pass")
            outcomes.append("made")
        except DecentralMLError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=create) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["NameTaken"] * 9 + ["made"]
    assert len(Accounts(home).list()) == 1
    assert not [path for path in home.accounts.iterdir() if path.suffix in (".new", ".tmp")]


def test_a_wrong_password_is_its_own_error(accounts: Accounts) -> None:
    accounts.create("alice", "pass")
    with pytest.raises(Refused) as caught:
        accounts.unlock("alice", "Pass")
    assert code_of(caught) == "WrongPassword"


def test_no_account_is_made_without_a_password(accounts: Accounts) -> None:
    with pytest.raises(Misused) as caught:
        accounts.create("alice", "")
    assert code_of(caught) == "EmptyPassword"
    assert not accounts.list()


class TestDamagedFiles:
    def test_one_that_breaks_off_is_its_own_error_and_hides_no_other(self, accounts: Accounts) -> None:
        alice, _ = accounts.create("alice", "pass")
        bob, _ = accounts.create("bob", "pass")
        alice.path.write_bytes(alice.path.read_bytes()[:300])
        with pytest.raises(Failed) as caught:
            accounts.unlock("alice", "pass")
        assert code_of(caught) == "HalfWrittenKeyFile"
        assert list(accounts.list()) == [bob]
        assert [(path, error.code) for path, error in accounts.damaged()] == [
            (alice.path, "HalfWrittenKeyFile")
        ]
        with pytest.raises(Unavailable) as unknown:
            accounts.get(alice.address)
        assert "alice.json" in unknown.value.hint

    def test_one_that_is_no_key_file_is_its_own_error(self, accounts: Accounts) -> None:
        alice, _ = accounts.create("alice", "pass")
        alice.path.write_text("words")
        with pytest.raises(Failed) as caught:
            accounts.get("alice")
        assert code_of(caught) == "UnreadableKeyFile"

    def test_a_folder_that_is_closed_is_said_so_and_no_account_counts_as_forgotten(
        self, accounts: Accounts
    ) -> None:
        alice, _ = accounts.create("alice", "pass")
        accounts.folder.chmod(0)
        try:
            with unprivileged():
                assert [(path, error.code) for path, error in accounts.damaged()] == [
                    (accounts.folder, "KeyFolder")
                ]
                with pytest.raises(Unavailable, match="cannot be read: Permission denied"):
                    accounts.holds(alice)
        finally:
            accounts.folder.chmod(0o700)
        assert accounts.holds(alice)
        accounts.forget("alice")
        assert not accounts.holds(alice)

    def test_its_name_stays_taken(self, accounts: Accounts) -> None:
        alice, _ = accounts.create("alice", "pass")
        alice.path.write_bytes(b"")
        with pytest.raises(Refused) as caught:
            accounts.create("alice", "pass")
        assert code_of(caught) == "NameTaken"
        assert alice.path.read_bytes() == b""

    def test_a_pipe_or_folder_in_its_place_is_refused_without_waiting(
        self, accounts: Accounts, home: Home
    ) -> None:
        os.mkfifo(home.accounts / "pipe.json")
        (home.accounts / "folder.json").mkdir()
        for name in ("pipe", "folder"):
            with pytest.raises(Failed) as caught:
                accounts.get(name)
            assert code_of(caught) == "UnreadableKeyFile"

    def test_one_of_another_network_is_named_as_such(self, accounts: Accounts) -> None:
        alice = accounts.import_seed("alice", "pass", SEED)
        file = json.loads(alice.path.read_text())
        file["address"] = encode_address(decode_address(alice.address), 2)
        alice.path.write_text(json.dumps(file))
        with pytest.raises(Misused) as caught:
            accounts.unlock("alice", "pass")
        assert code_of(caught) == "OtherChain"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_not_used_until_mended(accounts: Accounts, mode: int) -> None:
    alice, _ = accounts.create("alice", "pass")
    alice.path.chmod(mode)
    for use in (
        lambda: accounts.unlock("alice", "pass"),
        lambda: accounts.change_password("alice", "pass", "new"),
    ):
        with pytest.raises(Refused) as caught:
            use()
        assert code_of(caught) == "KeyFilePermissions"
        assert "chmod 600" in caught.value.hint
    assert list(accounts.list()) == [alice]
    alice.path.chmod(0o600)
    accounts.unlock("alice", "pass")


class TestImportAndExport:
    @pytest.mark.parametrize("crypto", list(Crypto))
    def test_an_export_goes_into_another_home_and_keeps_its_age(
        self, accounts: Accounts, tmp_path: Path, crypto: Crypto
    ) -> None:
        alice, _ = accounts.create("alice", "pass", crypto)
        text = accounts.export_json("alice")
        other = Accounts(Home(tmp_path / "other"), scrypt_n=2)
        again = other.import_json(None, "pass", text)
        assert (again.name, again.address, again.created) == ("alice", alice.address, alice.created)
        assert other.unlock("alice", "pass").secret() == accounts.unlock("alice", "pass").secret()

    def test_it_may_be_stored_under_a_new_password_and_name(self, accounts: Accounts, tmp_path: Path) -> None:
        alice, _ = accounts.create("alice", "pass")
        other = Accounts(Home(tmp_path / "other"), scrypt_n=2)
        other.import_json("mine", "pass", accounts.export_json("alice"), new_password="new")
        assert other.unlock("mine", "new").address == alice.address

    def test_the_wrong_password_stores_nothing(self, accounts: Accounts, tmp_path: Path) -> None:
        accounts.create("alice", "pass")
        other = Accounts(Home(tmp_path / "other"), scrypt_n=2)
        with pytest.raises(Refused) as caught:
            other.import_json(None, "Pass", accounts.export_json("alice"))
        assert code_of(caught) == "WrongPassword"
        assert not other.list()

    def test_a_file_of_another_network_goes_in_only_on_purpose(
        self, accounts: Accounts, tmp_path: Path
    ) -> None:
        alice = accounts.import_seed("alice", "pass", SEED)
        file = json.loads(accounts.export_json("alice"))
        file["address"] = encode_address(decode_address(alice.address), 0)
        other = Accounts(Home(tmp_path / "other"), scrypt_n=2)
        with pytest.raises(Misused) as caught:
            other.import_json("a", "pass", json.dumps(file))
        assert code_of(caught) == "OtherChain"
        assert other.import_json("a", "pass", json.dumps(file), any_prefix=True).address == alice.address

    def test_an_unencrypted_file_is_warned_of_and_stored_encrypted(self, accounts: Accounts) -> None:
        bare = {
            "encoded": "MFMCAQEwBQYDK2VwBCIEIGFiYTJkZDFhMTJlZWFmZGEzZmRhNjJhYTZkZmEyMWNhzwQ+E9kijYqTHOTMWO"
            "+9GtbF4vGTLDF06xUN+vkWW3OhIwMhAM8EPhPZIo2KkxzkzFjvvRrWxeLxkywxdOsVDfr5Fltz",
            "encoding": {"content": ["pkcs8", "ed25519"], "type": ["none"], "version": "3"},
            "address": "5Gk92fkWPUg6KNHSfP93UcPFhwGurM9RKAKU62Dg6upaCfH7",
            "meta": {},
        }
        warnings: list[str] = []
        account = accounts.import_json("bare", "pass", json.dumps(bare), warn=warnings.append)
        assert "not encrypted" in warnings[0]
        assert accounts.unlock("bare", "pass").address == bare["address"]
        account.path.write_text(json.dumps(bare))
        with pytest.raises(Refused) as caught:
            accounts.unlock("bare", "anything")
        assert code_of(caught) == "UnprotectedKeyFile"

    def test_a_file_without_a_usable_name_needs_one(self, accounts: Accounts, tmp_path: Path) -> None:
        accounts.create("alice", "pass")
        for name in ("../../x", "", None, 5):
            file = json.loads(accounts.export_json("alice"))
            file["meta"]["name"] = name
            with pytest.raises(DecentralMLError) as caught:
                Accounts(Home(tmp_path / "other"), scrypt_n=2).import_json(None, "wrong", json.dumps(file))
            assert code_of(caught) in ("BadName", "WrongPassword")

    def test_a_mnemonic_may_be_derived_from(self, accounts: Accounts) -> None:
        account = accounts.import_mnemonic("a", "pass", WORDS, Crypto.sr25519, "//1//2")
        assert encode_address(decode_address(account.address), 0).startswith("153N7DQL8i3X9")

    def test_bad_words_and_seeds_store_nothing(self, accounts: Accounts) -> None:
        with pytest.raises(Misused) as caught:
            accounts.import_mnemonic("a", "pass", WORDS + " pet")
        assert code_of(caught) == "BadMnemonic"
        with pytest.raises(Misused) as caught:
            accounts.import_seed("a", "pass", "0x12")
        assert code_of(caught) == "BadSeed"
        assert not accounts.list()

    def test_a_key_file_laid_into_the_folder_is_an_account(self, accounts: Accounts, tmp_path: Path) -> None:
        other = Accounts(Home(tmp_path / "other"), scrypt_n=2)
        account = other.import_seed("alice", "pass", SEED)
        laid = accounts.folder / f"{account.address}.json"
        laid.write_text(other.export_json("alice"))
        laid.chmod(0o600)
        assert accounts.unlock(account.address, "pass").address == account.address


def test_a_folder_that_cannot_be_written_is_said_in_words(accounts: Accounts) -> None:
    accounts.folder.with_name(".accounts.lock").mkdir()
    with pytest.raises(Failed) as caught:
        accounts.create("alice", "pass")
    assert code_of(caught) == "CannotWrite"
    assert not accounts.list()
