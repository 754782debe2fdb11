"""Passwords and keys stay out of what a crash report prints."""

import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest

from decentralml.core.errors import DecentralMLError, Unavailable
from decentralml.core.signing import Crypto
from decentralml.core.wallet import keys, keystore, remember
from decentralml.core.wallet.accounts import Accounts

PASSWORD = "correct horse battery"
OLD = "staple of old"
WORDS = "fine engage seed popular upon round differ belt engage space author pet"
BAD_WORDS = WORDS.replace("popular", "xpopular")
SEED = "0x" + "2a" * 32


def _everything_said(work: Callable[[], object]) -> str:
    """The report of what ``work`` raises, with every variable of every frame below this one."""
    try:
        work()
    except BaseException as error:
        below = error.__traceback__.tb_next if error.__traceback__ else None
        report = traceback.TracebackException(type(error), error, below, capture_locals=True)
        # The outermost frame is the lambda of the test, which knows only names.
        return "".join(report.format()) + repr(error) + repr(error.args)
    raise AssertionError("nothing was raised")


def _assert_silent(said: str) -> None:
    # A key of 0x2a bytes shows as hex or as asterisks.
    for secret in (PASSWORD, OLD, "xpopular", "engage", "2a2a2a2a", "*" * 8):
        assert secret not in said


def test_the_reports_looked_at_here_do_show_what_is_not_protected() -> None:
    def careless(password: str) -> None:
        raise ValueError

    assert PASSWORD in _everything_said(lambda: careless(PASSWORD))


@pytest.mark.parametrize("crypto", list(Crypto))
def test_a_wrong_password_is_not_in_the_traceback(accounts: Accounts, crypto: Crypto) -> None:
    accounts.import_seed("alice", OLD, SEED, crypto)
    said = _everything_said(lambda: accounts.unlock("alice", PASSWORD))
    assert "does not open" in said
    _assert_silent(said)
    _assert_silent(_everything_said(lambda: accounts.change_password("alice", OLD, "")))
    _assert_silent(_everything_said(lambda: accounts.change_password("alice", PASSWORD, OLD)))


def test_no_failing_import_puts_its_secret_in_the_traceback(accounts: Accounts) -> None:
    accounts.import_seed("alice", PASSWORD, SEED)
    export = accounts.export_json("alice")
    for work in (
        lambda: accounts.import_mnemonic("b", PASSWORD, BAD_WORDS),
        lambda: accounts.import_mnemonic("alice", PASSWORD, WORDS),
        lambda: accounts.import_seed("b", PASSWORD, SEED + "2a"),
        lambda: accounts.import_seed("b", PASSWORD, SEED),
        lambda: accounts.import_json("b", PASSWORD + "!", export),
        lambda: accounts.import_json("b", PASSWORD, export),
        lambda: accounts.create("alice", PASSWORD),
    ):
        _assert_silent(_everything_said(work))


def test_not_even_an_error_that_nobody_expected_shows_them(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.import_seed("alice", PASSWORD, SEED)

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hashlib.scrypt", broken)
    said = _everything_said(lambda: accounts.unlock("alice", PASSWORD))
    assert "KeyboardInterrupt" in said
    _assert_silent(said)


def test_a_bug_inside_keeps_its_kind_but_not_its_frames() -> None:
    @keys.without_traces
    def buggy(password: str) -> None:
        try:
            raise KeyError(len(password))
        except KeyError as error:
            raise ZeroDivisionError("bug") from error

    said = _everything_said(lambda: buggy(PASSWORD))
    assert "ZeroDivisionError: bug" in said
    _assert_silent(said)


def test_a_locked_signer_says_nothing_of_what_it_held() -> None:
    signer = keys.from_seed(SEED, Crypto.ed25519)
    signer.lock()
    _assert_silent(_everything_said(lambda: signer.sign(b"x")))


def test_an_unlocked_signer_among_the_variables_of_a_crash_shows_nothing() -> None:
    signer = keys.from_seed(SEED, Crypto.ed25519)

    def crash(held: object) -> None:
        raise DecentralMLError("X", "crash")

    said = _everything_said(lambda: crash(signer))
    assert signer.address in said
    _assert_silent(said)


def test_a_password_that_no_keyring_takes_is_not_in_the_traceback() -> None:
    with pytest.raises(Unavailable):
        remember.store("5abc", PASSWORD)
    _assert_silent(_everything_said(lambda: remember.store("5abc", PASSWORD)))


def test_a_key_file_object_shows_only_what_is_encrypted() -> None:
    file = keystore.encrypt(keys.from_seed(SEED, Crypto.ed25519), PASSWORD, name="n", scrypt_n=2)
    _assert_silent(repr(file))


def test_the_wallet_loads_neither_keyring_nor_substrate_interface_before_they_are_needed() -> None:
    code = (
        "import sys\n"
        "from decentralml.core.wallet import accounts, addressbook, remember\n"
        "heavy = {'keyring', 'substrateinterface', 'nacl', 'sr25519', 'bip39', 'ed25519_zebra', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
