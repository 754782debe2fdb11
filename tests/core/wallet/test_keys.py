"""Keys from words and seeds are those of polkadot-js; they show and leave nothing secret."""

import copy
import pickle

import pytest

from decentralml.core.errors import Misused, Unavailable
from decentralml.core.signing import Crypto, decode_address, encode_address
from decentralml.core.wallet import keys

DEVELOPMENT = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
WORDS = "fine engage seed popular upon round differ belt engage space author pet"
SEED = "0x" + "2a" * 32

# Addresses that polkadot-js gave these mnemonics and paths.
KNOWN = [
    (Crypto.sr25519, DEVELOPMENT, "//Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    (Crypto.ed25519, DEVELOPMENT, "//Alice", "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu"),
    (Crypto.sr25519, WORDS, "", "1WPNKpkYd8YoaXEgJm4wfaFEAcHiZ6WSxvZzj9P8cK7z62d"),
    (Crypto.ed25519, WORDS, "", "14qPJnGe54DjZLpXwWjNSH3WNE3tqu8qzXypV1c9whwBmknM"),
    (Crypto.sr25519, WORDS, "//1//2", "153N7DQL8i3X9r4rkFaw2YbsmrqLeChZqkXEVkQpFdSJtHZV"),
    (Crypto.ed25519, WORDS, "//1//2", "1cQcHKxEGyAw8SqurBhGWmkeFN5C8CK1Zu4pQ6wcSxAgWJ6"),
]


@pytest.mark.parametrize(("crypto", "mnemonic", "path", "address"), KNOWN)
def test_a_mnemonic_gives_the_key_that_polkadot_js_gives(
    crypto: Crypto, mnemonic: str, path: str, address: str
) -> None:
    assert keys.from_mnemonic(mnemonic, crypto, path).public_key == decode_address(address, None)


@pytest.mark.parametrize("path", ["/soft", "//hard/soft", "//7/8", "//" + "long" * 20, "/ünï//x"])
def test_derivation_is_that_of_substrate_interface(path: str) -> None:
    from substrateinterface import Keypair

    assert (
        keys.from_mnemonic(WORDS, Crypto.sr25519, path).address
        == Keypair.create_from_uri(WORDS + path).ss58_address
    )


def test_capitals_and_spaces_do_not_matter_in_a_mnemonic() -> None:
    sloppy = "  " + WORDS.upper().replace(" ", "\n ") + "\t"
    assert (
        keys.from_mnemonic(sloppy, Crypto.sr25519).address
        == keys.from_mnemonic(WORDS, Crypto.sr25519).address
    )


def test_a_passphrase_after_three_slashes_changes_the_key() -> None:
    plain = keys.from_mnemonic(WORDS, Crypto.sr25519, "//a")
    other = keys.from_mnemonic(WORDS, Crypto.sr25519, "//a///secret")
    assert plain.address != other.address


@pytest.mark.parametrize(
    ("mnemonic", "says"),
    [
        ("", "not 0"),
        ("fine engage", "not 2"),
        (WORDS.replace("popular", "popularr"), "Word 4 "),
        (WORDS.replace("author pet", "pet author"), "checksum"),
    ],
)
def test_a_bad_mnemonic_is_refused_without_repeating_a_word_of_it(mnemonic: str, says: str) -> None:
    with pytest.raises(Misused) as caught:
        keys.from_mnemonic(mnemonic, Crypto.sr25519)
    assert caught.value.code == "BadMnemonic"
    assert says in caught.value.message
    assert not {"engage", "popularr", "belt"} & set(str(caught.value).replace(".", "").split())


@pytest.mark.parametrize("path", ["hard", "//", "//a/", "//" + "9" * 90, "//" + "x" * 20_000])
@pytest.mark.parametrize("crypto", list(Crypto))
def test_a_bad_derivation_is_refused(crypto: Crypto, path: str) -> None:
    with pytest.raises(Misused) as caught:
        keys.from_mnemonic(WORDS, crypto, path)
    assert caught.value.code == "BadDerivation"


def test_ed25519_derives_hard_only() -> None:
    with pytest.raises(Misused) as caught:
        keys.from_mnemonic(WORDS, Crypto.ed25519, "//a/b")
    assert caught.value.code == "BadDerivation"


@pytest.mark.parametrize("seed", ["", "0x", "0x12", "2a" * 32, "0x" + "2a" * 31 + "zz", "0x" + "2a" * 33])
def test_a_bad_seed_is_refused_without_repeating_it(seed: str) -> None:
    with pytest.raises(Misused) as caught:
        keys.from_seed(seed, Crypto.sr25519)
    assert caught.value.code == "BadSeed"
    assert "2a2a" not in str(caught.value)


@pytest.mark.parametrize("words", [12, 24])
def test_a_new_mnemonic_can_be_imported(words: int) -> None:
    mnemonic = keys.generate_mnemonic(words)
    assert len(mnemonic.split()) == words
    assert (
        keys.from_mnemonic(mnemonic, Crypto.ed25519).address
        != keys.from_mnemonic(WORDS, Crypto.ed25519).address
    )


@pytest.mark.parametrize("crypto", list(Crypto))
class TestASigner:
    def test_shows_its_address_and_nothing_secret(self, crypto: Crypto) -> None:
        signer = keys.from_seed(SEED, crypto)
        assert signer.address in repr(signer)
        for text in (repr(signer), str(signer), f"{signer}", repr([signer]), repr(dir(signer))):
            assert "2a2a" not in text
            assert "****" not in text  # 0x2a as a character
        assert not hasattr(signer, "__dict__")

    def test_is_neither_pickled_nor_copied(self, crypto: Crypto) -> None:
        signer = keys.from_seed(SEED, crypto)
        for copying in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="secret"):
                copying(signer)

    def test_wipes_its_secret_and_signs_no_more_once_locked(self, crypto: Crypto) -> None:
        signer = keys.from_seed(SEED, crypto)
        held = signer._secret
        view = memoryview(held)  # keeps the buffer from being resized: the wiping alone is seen
        with pytest.raises(BufferError):
            signer.lock()
        assert bytes(view) == bytes(len(view))
        view.release()
        signer.lock()
        assert signer.locked
        with pytest.raises(Unavailable) as caught:
            signer.sign(b"x")
        assert caught.value.code == "Locked"
        assert signer.address in caught.value.message

    def test_is_locked_when_its_block_is_left(self, crypto: Crypto) -> None:
        with keys.from_seed(SEED, crypto) as signer:
            signer.sign(b"x")
        assert signer.locked

    def test_reads_back_from_the_stored_form(self, crypto: Crypto) -> None:
        signer = keys.from_seed(SEED, crypto)
        stored = keys.stored_form(signer)
        assert len(stored) == 64
        again = keys.from_stored_form(crypto, stored)
        assert again.secret() == signer.secret()
        assert again.address == signer.address == encode_address(again.public_key)
