"""Key files: read and written as polkadot-js does, and refused in words where they are none."""

import base64
import json

import msgspec
import pytest
from bare_key import BARE
from hypothesis import given, settings
from hypothesis import strategies as st

from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused
from decentralml.core.signing import Crypto, decode_address, encode_address
from decentralml.core.wallet import keys, keystore

CHEAP = 1 << 10
SEED = "0x" + "2a" * 32


def _exported(encoded: str, crypto: str, address: str, name: str = "test") -> bytes:
    encoding = {"content": ["pkcs8", crypto], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3"}
    meta = {
        "genesisHash": "0x91b1",
        "isHardware": False,
        "name": name,
        "tags": [],
        "whenCreated": 1754995216570,
    }
    return json.dumps({"encoded": encoded, "encoding": encoding, "address": address, "meta": meta}).encode()


# Exports of polkadot-js, published as test data by other wallets. The first was written with
# N = 2^15, the others with N = 2^17 and from the mnemonic of test_keys.
EXPORTS = {
    "sr25519, N = 2^15": (
        "Password123",
        _exported(
            "Z1yzxASuj21ej3CANbZKc3ibDaOpQPMahTT0qkniyZgAgAAAAQAAAAgAAACSDgflXWKXrX36EmX9XcA6cRpkN+oZX30/9FhtNP17"
            "krIG/yHLKmDnL1km1W/nZ+BpC7Qid6IuBvbZeboFyewFeXsKtcoY/bRY6nx/cLB5BND9WpXXS6Enf4RXAX7vPu/BY+o2z7VwPaXy"
            "FARfyPTiqJKqLDJWm3W5ZlvK0ks8FBv66mWEBYc+lLx8jvuzDNkdD3pnV3G802OwwHTy",
            "sr25519",
            "5CuByUQBWZci5AtXonuHHhcbRL3yxM5xDdJsTNaYN3vPDY6f",
        ),
    ),
    "sr25519, N = 2^17": (
        "12345",
        _exported(
            "jmYHIrtqukPPz9E02Tu+aiVZD6xc6APktjpgYZJ24bIAAAIAAQAAAAgAAAD7mRHDCPMBNJ8sWiek4TQhry+YeHj4gZICVWIryZKj"
            "SyzChNHl46M32mbyL6GeEwj3GRofvgL1kPSRRRpDZTLqYm1oY03WRRwUejU4iL1/YVp0MJIVRZMebTRADrqLZ+a5ZNZtHUQjv1Uh"
            "9J31zY2ZETuI5b2MmAMdgO930AFRBpDD8s11dDiMJiepZ82XsrPvpJ6AebT3sRwuGcMp",
            "sr25519",
            "1WPNKpkYd8YoaXEgJm4wfaFEAcHiZ6WSxvZzj9P8cK7z62d",
        ),
    ),
    "ed25519, N = 2^17": (
        "12345",
        _exported(
            "2WEZBQOw8o8/Fw5mzM37cHQ9NqdtJNm2FmTyx0tLsSIAAAIAAQAAAAgAAADIGDb9IIJKKPBxDYr0a/3SIJPEOFR/u12rsWJqrdug"
            "f5K/GmhwTredg6aaJ3Uq2d59Llxy4VjvDGbzTHEYBefkqb4MxLB79i7Hp0g9w85cAN2R4aL90jcCEl/E8+NGQZCKfpyjlK/bRpKr"
            "HDqLA2VXFBvcGo5afdzk4LPc9xbZQ61iLIPFKrVJ+YoHwkqOZqNq+ANNagH+3Rvux8zl",
            "ed25519",
            "14qPJnGe54DjZLpXwWjNSH3WNE3tqu8qzXypV1c9whwBmknM",
        ),
    ),
}


def cheap_file(crypto: Crypto = Crypto.sr25519, password: str = "pass") -> keystore.KeyFile:
    return keystore.encrypt(keys.from_seed(SEED, crypto), password, name="n", scrypt_n=CHEAP)


def changed(file: keystore.KeyFile, place: int, to: bytes) -> keystore.KeyFile:
    raw = bytearray(base64.b64decode(file.encoded))
    raw[place : place + len(to)] = to
    return msgspec.structs.replace(file, encoded=base64.b64encode(raw).decode())


@pytest.mark.parametrize("which", EXPORTS)
def test_an_export_of_polkadot_js_opens(which: str) -> None:
    password, text = EXPORTS[which]
    file = keystore.parse(text)
    signer = keystore.decrypt(file, password)
    assert signer.crypto == which[:7]
    assert signer.public_key == decode_address(file.address, None)
    assert file.created == 1754995216.570


def test_an_unencrypted_export_opens_and_says_that_it_is_one() -> None:
    file = keystore.parse(BARE)
    assert not file.protected
    assert keystore.decrypt(file, "").address == file.address


def test_substrate_interface_opens_what_is_written_here() -> None:
    from substrateinterface import Keypair

    for crypto in Crypto:
        signer = keys.from_seed(SEED, crypto)
        # Its scrypt has room for no more than N = 2^15.
        text = keystore.encode(keystore.encrypt(signer, "pass wörd", name="n", scrypt_n=1 << 15))
        theirs = Keypair.create_from_encrypted_json(text.decode(), "pass wörd")
        assert theirs.ss58_address == signer.address
        assert theirs.private_key == signer.secret()


def test_what_substrate_interface_writes_opens_here() -> None:
    from substrateinterface import Keypair

    theirs = Keypair.create_from_seed(SEED)
    file = keystore.parse(json.dumps(theirs.export_to_encrypted_json("pass", "n")).encode())
    assert keystore.decrypt(file, "pass").secret() == theirs.private_key


def test_what_is_written_has_the_cost_that_polkadot_js_has_today() -> None:
    file = keystore.encrypt(keys.from_seed(SEED, Crypto.sr25519), "pass", name="n", created=12.5)
    parameters = base64.b64decode(file.encoded)[32:44]
    assert parameters == base64.b64decode(json.loads(EXPORTS["sr25519, N = 2^17"][1])["encoded"])[32:44]
    assert file.meta == {"name": "n", "whenCreated": 12500}
    assert keystore.decrypt(file, "pass").secret() == keys.from_seed(SEED, Crypto.sr25519).secret()


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.sampled_from(Crypto), st.text(min_size=1, max_size=40))
def test_a_key_comes_back_from_its_file_under_any_password(
    seed: bytes, crypto: Crypto, password: str
) -> None:
    signer = keys.from_seed("0x" + seed.hex(), crypto)
    file = keystore.encrypt(signer, password, name="n", scrypt_n=2)
    again = keystore.decrypt(keystore.parse(keystore.encode(file)), password)
    assert (again.secret(), again.public_key) == (signer.secret(), signer.public_key)


def test_two_files_of_one_key_share_no_salt() -> None:
    first, second = (base64.b64decode(cheap_file().encoded) for _ in range(2))
    assert first[:32] != second[:32]
    assert first[44:68] != second[44:68]


@pytest.mark.parametrize("password", ["", "Pass", "pass "])
def test_a_wrong_password_is_named_as_such(password: str) -> None:
    with pytest.raises(Refused) as caught:
        keystore.decrypt(cheap_file(), password)
    assert caught.value.code == "WrongPassword"


def test_no_key_is_written_without_a_password() -> None:
    with pytest.raises(Misused) as caught:
        cheap_file(password="")
    assert caught.value.code == "EmptyPassword"


def test_a_password_that_is_no_text_is_refused() -> None:
    with pytest.raises(Misused) as caught:
        cheap_file(password="a\udc80")
    assert caught.value.code == "BadPassword"


@pytest.mark.parametrize(
    ("n", "p", "r"),
    [
        (0, 1, 8),
        (1, 1, 8),
        (3, 1, 8),
        (1 << 18, 1, 8),
        (1 << 31, 1, 8),
        (2, 0, 8),
        (1 << 17, 100, 8),
        (1 << 15, 1 << 20, 8),
        (1 << 15, 1, 0),
        (1 << 15, 1, 1 << 20),
        (2**32 - 1, 2**32 - 1, 2**32 - 1),
    ],
)
def test_a_file_that_asks_for_absurd_work_is_refused_before_any_is_done(n: int, p: int, r: int) -> None:
    parameters = b"".join(number.to_bytes(4, "little") for number in (n, p, r))
    with pytest.raises(Refused) as caught:
        keystore.decrypt(changed(cheap_file(), 32, parameters), "pass")
    assert caught.value.code == "AbsurdKeyFile"


@pytest.mark.parametrize("cut", [1, 40, 300, 500])
def test_a_file_that_breaks_off_is_named_as_half_written(cut: int) -> None:
    with pytest.raises(Failed) as caught:
        keystore.parse(keystore.encode(cheap_file())[:-cut].rstrip()[:-1], "alice.json")
    assert caught.value.code == "HalfWrittenKeyFile"
    assert "alice.json" in caught.value.message


@pytest.mark.parametrize("text", [b"", b"\n ", bytes(600)])
def test_an_empty_file_is_named_as_half_written(text: bytes) -> None:
    with pytest.raises(Failed) as caught:
        keystore.parse(text)
    assert caught.value.code == "HalfWrittenKeyFile"


@pytest.mark.parametrize(
    "text",
    [
        b"words",
        b"[]",
        b"{}",
        b"[" * 60_000,
        b"\xff\xfe",
        b'{"encoded": 1}',
        b" " * 65_537,
        b"null",
        BARE + b"x",
    ],
)
def test_what_is_no_key_file_is_refused(text: bytes) -> None:
    with pytest.raises(Failed) as caught:
        keystore.parse(text)
    assert caught.value.code in ("UnreadableKeyFile", "HalfWrittenKeyFile")


@pytest.mark.parametrize(
    "encoding",
    [
        {"version": "2"},
        {"version": "4"},
        {"content": ["pkcs8", "ecdsa"]},
        {"content": ["pkcs8"]},
        {"content": []},
        {"content": ["other", "sr25519"]},
        {"type": []},
        {"type": ["scrypt"]},
        {"type": ["none", "scrypt", "xsalsa20-poly1305"]},
        {"type": ["argon2", "xsalsa20-poly1305"]},
    ],
)
def test_an_unknown_kind_of_key_file_is_refused(encoding: dict[str, object]) -> None:
    known = json.loads(keystore.encode(cheap_file()))
    known["encoding"].update(encoding)
    with pytest.raises(Failed) as caught:
        keystore.parse(json.dumps(known).encode())
    assert caught.value.code == "UnreadableKeyFile"


def test_a_file_that_names_another_address_is_refused() -> None:
    file = msgspec.structs.replace(cheap_file(), address=encode_address(bytes(32)))
    with pytest.raises(Refused) as caught:
        keystore.decrypt(file, "pass")
    assert caught.value.code == "KeyMismatch"


@pytest.mark.parametrize("when", [None, "yesterday", -1, 0, 1e300, True, [1]])
def test_a_creation_time_that_is_none_is_unknown(when: object) -> None:
    file = msgspec.structs.replace(cheap_file(), meta={"whenCreated": when})
    assert file.created is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(1, 255))
def test_a_flipped_byte_never_opens(place: int, flip: int) -> None:
    file = cheap_file()
    byte = base64.b64decode(file.encoded)[place] ^ flip
    hostile = changed(file, place, bytes([byte]))
    n = int.from_bytes(base64.b64decode(hostile.encoded)[32:36], "little")
    if n <= 1 << 14:
        with pytest.raises(Refused) as caught:
            keystore.decrypt(hostile, "pass")
        assert caught.value.code in ("WrongPassword", "AbsurdKeyFile")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_anything_encoded_is_opened_or_refused_in_words(raw: bytes) -> None:
    for encoding in (["none"], ["scrypt", "xsalsa20-poly1305"]):
        file = msgspec.structs.replace(
            cheap_bare(),
            encoded=base64.b64encode(raw).decode(),
            encoding=keystore.Encoding(["pkcs8", "sr25519"], encoding, "3"),
        )
        with pytest.raises(DecentralMLError):
            keystore.decrypt(file, "pass")


def cheap_bare() -> keystore.KeyFile:
    return keystore.parse(BARE)


def test_a_body_whose_key_is_none_is_refused() -> None:
    body = keystore._HEADER + b"\xff" * 64 + keystore._DIVIDER + bytes(32)
    file = msgspec.structs.replace(
        cheap_bare(),
        encoded=base64.b64encode(body).decode(),
        encoding=keystore.Encoding(["pkcs8", "sr25519"], ["none"], "3"),
    )
    with pytest.raises(Failed) as caught:
        keystore.decrypt(file, "")
    assert caught.value.code == "UnreadableKeyFile"


def test_encoded_that_is_not_base64_is_refused() -> None:
    with pytest.raises(Failed) as caught:
        keystore.decrypt(msgspec.structs.replace(cheap_bare(), encoded="§§"), "")
    assert caught.value.code == "UnreadableKeyFile"
