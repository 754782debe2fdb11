"""Addresses and signatures: one spelling each, those of polkadot-js, and a slip is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decentralml.core.errors import Misused
from decentralml.core.signing import (
    Crypto,
    decode_address,
    encode_address,
    sign_message,
    verify,
    verify_message,
    wrapped,
)
from decentralml.core.wallet import keys

ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
SEED = "0x" + "17" * 32

# Signed by polkadot-js over "hello world" (its own test suite).
POLKADOT_JS_WRAPPED = (
    "J9nD3s7zssCX7bion1xctAF6xcVexcpy2uwy4jTm9JL8yuK",
    "84b6afb1c8e54bbcb3f4872baf172580e21310e9387a53742627d6652d121447"
    "fa406b82805ed3184fb7bd519175cc9f99f283f97954d95cf966ee164df85489",
)
POLKADOT_JS_PLAIN = {
    Crypto.ed25519: (
        "DxN4uvzwPzJLtn17yew6jEffPhXQfdKHTp2brufb98vGbPN",
        "299d3bf4c8bb51af732f8067b3a3015c0862a5ff34721749d8ed6577ea270836"
        "5d1c5f76bd519009971e41156f12c70abc2533837ceb3bad9a05a99ab923de06",
    ),
    Crypto.sr25519: (
        "EK1bFgKm2FsghcttHT7TB7rNyXApFgs9fCbijMGQNyFGBQm",
        "ca01419b5a17219f7b78335658cab3b126db523a5df7be4bfc2bef76c2eb3b1d"
        "cf4ca86eb877d0a6cf6df12db5995c51d13b00e005d053b892bd09c594434288",
    ),
}


@given(st.binary(min_size=32, max_size=32), st.integers(0, (1 << 14) - 1))
def test_an_address_reads_back_as_its_key_whatever_the_network(key: bytes, prefix: int) -> None:
    assert decode_address(encode_address(key, prefix), prefix) == key


@given(st.binary(min_size=32, max_size=32), st.integers(0, (1 << 14) - 1))
def test_addresses_are_those_of_scalecodec(key: bytes, prefix: int) -> None:
    from scalecodec.utils.ss58 import is_valid_ss58_address, ss58_encode

    if prefix in (46, 47):  # reserved: scalecodec refuses them
        return
    assert encode_address(key, prefix) == ss58_encode(key, prefix)
    assert is_valid_ss58_address(encode_address(key, prefix), prefix)


@given(st.integers(0, len(ALICE) - 1), st.characters())
def test_a_slip_in_one_character_is_seen(place: int, character: str) -> None:
    slipped = ALICE[:place] + character + ALICE[place + 1 :]
    if slipped != ALICE:
        with pytest.raises(Misused) as caught:
            decode_address(slipped)
        assert caught.value.code == "BadAddress"


@given(st.text(max_size=80))
def test_text_is_no_address(text: str) -> None:
    with pytest.raises(Misused):
        decode_address(text)


@pytest.mark.parametrize(
    "text", ["", " " + ALICE, ALICE + "\n", ALICE + " ", "1", "11", "ü" * 48, "5" * 10_000]
)
def test_an_address_has_one_spelling(text: str) -> None:
    with pytest.raises(Misused) as caught:
        decode_address(text)
    assert caught.value.code == "BadAddress"


def test_a_small_prefix_in_the_long_form_is_no_address() -> None:
    from hashlib import blake2b

    import base58

    body = bytes([0b0100_1010, 0b1000_0000]) + decode_address(ALICE)  # prefix 42, written in two bytes
    checksum = blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]
    with pytest.raises(Misused) as caught:
        decode_address(base58.b58encode(body + checksum).decode(), None)
    assert caught.value.code == "BadAddress"


def test_an_address_of_another_network_is_refused_and_the_same_key_here_is_named() -> None:
    with pytest.raises(Misused) as caught:
        decode_address(encode_address(decode_address(ALICE), 0))
    assert caught.value.code == "OtherChain"
    assert ALICE in caught.value.hint


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_only_keys_of_32_bytes_have_addresses(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode_address(key)


@pytest.mark.parametrize("crypto", list(Crypto))
def test_a_signature_holds_for_its_message_key_and_kind_alone(crypto: Crypto) -> None:
    signer = keys.from_seed(SEED, crypto)
    signature = signer.sign(b"this")
    assert verify(signer.address, b"this", signature, crypto)
    assert not verify(signer.address, b"that", signature, crypto)
    assert not verify(ALICE, b"this", signature, crypto)
    for other in set(Crypto) - {crypto}:
        assert not verify(signer.address, b"this", signature, other)


@pytest.mark.parametrize("crypto", list(Crypto))
@given(st.binary(max_size=66), st.binary(min_size=32, max_size=32))
def test_a_malformed_signature_or_key_is_invalid_not_an_error(
    crypto: Crypto, signature: bytes, key: bytes
) -> None:
    # The keys of small order, to which everything fits, are known: they start 0x00 or 0x01.
    if key[0] > 1:
        assert not verify(encode_address(key), b"x", signature, crypto)
        assert not verify(encode_address(key), b"x", signature.ljust(64, b"\xff")[:64], crypto)


@pytest.mark.parametrize("crypto", list(Crypto))
def test_what_polkadot_js_signed_verifies(crypto: Crypto) -> None:
    address, signature = POLKADOT_JS_PLAIN[crypto]
    assert verify(address, b"hello world", bytes.fromhex(signature), crypto)


@pytest.mark.parametrize("message", [b"hello world", b"<Bytes>hello world</Bytes>"])
@pytest.mark.parametrize("crypto", [None, Crypto.sr25519])
def test_a_message_that_polkadot_js_wrapped_verifies(message: bytes, crypto: Crypto | None) -> None:
    address, signature = POLKADOT_JS_WRAPPED
    assert verify_message(address, message, bytes.fromhex(signature), crypto)
    assert verify_message(address, message, b"\x01" + bytes.fromhex(signature), crypto)
    assert not verify_message(address, message, b"\x00" + bytes.fromhex(signature), crypto)
    assert not verify_message(address, message + b"!", bytes.fromhex(signature), crypto)


@pytest.mark.parametrize("crypto", list(Crypto))
def test_a_signed_message_is_no_signature_of_its_bytes(crypto: Crypto) -> None:
    """So that nobody can be brought to sign an extrinsic that is called a message."""
    signer = keys.from_seed(SEED, crypto)
    signature = sign_message(signer, b"payload")
    assert verify_message(signer.address, b"payload", signature)
    assert not verify(signer.address, b"payload", signature, crypto)
    assert verify(signer.address, b"<Bytes>payload</Bytes>", signature, crypto)
    assert not verify_message(signer.address, b"payload", signer.sign(b"payload"))


@given(st.binary())
def test_a_message_is_wrapped_once(message: bytes) -> None:
    assert wrapped(message).startswith(b"<Bytes>")
    assert wrapped(message).endswith(b"</Bytes>")
    assert wrapped(wrapped(message)) == wrapped(message)


def test_a_wrapping_that_overlaps_itself_is_none() -> None:
    assert wrapped(b"<Bytes>/Bytes>") == b"<Bytes><Bytes>/Bytes></Bytes>"
