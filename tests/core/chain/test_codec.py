"""Extrinsics have one form: what was signed is what is read, and nothing else is taken for it."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decentralml.core.chain import codec
from decentralml.core.chain.calls import CALLS, AssignTask, Call, CloseTask, CreateTask
from decentralml.core.chain.ledger import Ledger
from decentralml.core.domain import StorageType, TaskType, Terms, ValidationStrategy
from decentralml.core.errors import Misused, Refused

GENESIS = "e" * 64
OFTEN = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = {
    "submission_id": st.integers(0, 2**32 - 1),
    "result_storage_type": st.none() | st.sampled_from(StorageType),
    **dict.fromkeys(("digest", "report_path", "report_digest", "reason"), TEXT),
    **dict.fromkeys(("result", "result_path", "result_storage_credentials"), st.none() | TEXT),
}
TERMS = st.builds(
    Terms,
    task_type=st.sampled_from(TaskType),
    question=TEXT,
    pays_amount=st.integers(0, 2**128 - 1),
    expiration_block=st.integers(0, 2**32 - 1),
    max_assignments=st.integers(0, 2**32 - 1),
    validation_strategy=st.sampled_from(ValidationStrategy),
    annotation_files=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    annotation_json=st.none() | TEXT,
)
CALL = st.one_of(
    st.builds(CreateTask, TERMS),
    *(st.builds(call, st.integers(0, 2**32 - 1)) for call in (AssignTask, CloseTask)),
    *(
        st.builds(call, **{name: VALUES[name] for name in call.__struct_fields__})
        for call in CALLS
        if "submission_id" in call.__struct_fields__
    ),
)


@given(call=CALL, nonce=st.integers(0, 2**32))
@OFTEN
def test_what_is_opened_is_what_was_signed(key: Any, call: Call, nonce: int) -> None:
    body = codec.seal(call, key("anna"), nonce, 5, GENESIS)
    payload = codec.open_sealed(body)
    assert (payload.call, payload.nonce, payload.signer) == (call, nonce, key("anna").address)
    assert (payload.genesis, payload.era) == (GENESIS, (5, 5 + codec.MORTAL_BLOCKS))


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
@OFTEN
def test_no_flipped_bit_passes(key: Any, place: int, bit: int) -> None:
    body = bytearray(codec.seal(AssignTask(7), key("anna"), 3, 5, GENESIS))
    body[place % len(body)] ^= 1 << bit
    with pytest.raises(Refused) as caught:
        codec.open_sealed(bytes(body))
    assert caught.value.code in ("BadExtrinsic", "BadSignature")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b" " + body,
        lambda body: body + b"\n",
        lambda body: body.replace(b'"nonce":3', b'"nonce":3.0'),
        lambda body: body.replace(b'"nonce":3', b'"nonce":3,"nonce":3'),
        lambda body: body.replace(b'"task_id":7', b'"task_id":7,"more":1'),
        lambda body: body.replace(b'"task_id":7', b'"task_id":true'),
        lambda body: body.replace(b"assign_task", b"\\u0061ssign_task"),
        lambda body: b"[" * 100_000,
        lambda body: b"",
        lambda body: b"\xff" + body,
        lambda body: body.replace(b'"task_id":7', b'"task_id":' + b"9" * 5000),
    ],
)
def test_any_other_spelling_is_refused(key: Any, change: Any) -> None:
    body = change(codec.seal(AssignTask(7), key("anna"), 3, 5, GENESIS))
    with pytest.raises(Refused) as caught:
        codec.open_sealed(body)
    assert caught.value.code == "BadExtrinsic"


def test_a_call_with_arguments_of_the_wrong_kind_is_not_signed(key: Any) -> None:
    for call in (AssignTask("7"), AssignTask(7.5), AssignTask(True)):  # type: ignore[arg-type]
        with pytest.raises(Refused) as caught:
            codec.seal(call, key("anna"), 3, 5, GENESIS)
        assert caught.value.code == "NotEncodable"


def test_half_a_character_is_not_signed(key: Any, terms: Any) -> None:
    with pytest.raises(Refused) as caught:
        codec.seal(CreateTask(terms(question="\ud800")), key("anna"), 3, 5, GENESIS)
    assert caught.value.code == "BadText"


def test_an_address_has_one_spelling(key: Any) -> None:
    address = key("anna").address
    assert codec.canonical_address(address) == address
    for other in (address + " ", "\n" + address, address[:-1], ""):
        with pytest.raises(Misused):
            codec.canonical_address(other)


def test_a_call_for_another_chain_is_refused(ledger: Ledger, key: Any) -> None:
    call = codec.extrinsic(AssignTask(1), key("anna"), 0, 0, GENESIS)
    with pytest.raises(Refused) as caught:
        ledger.submit(call)
    assert caught.value.code == "OtherChain"


@pytest.mark.parametrize("passed", [-1, codec.MORTAL_BLOCKS + 1])
def test_a_call_outside_its_era_is_refused(
    ledger: Ledger, key: Any, clock: Any, terms: Any, passed: int
) -> None:
    anna = key("anna")
    clock.advance(5)
    ledger.fund(anna.address, 10**15)
    call = codec.extrinsic(CreateTask(terms()), anna, 0, 5, ledger.genesis)
    late = codec.extrinsic(CreateTask(terms()), anna, 0, 6, ledger.genesis)
    clock.advance(max(passed, 0))
    with pytest.raises(Refused) as caught:
        ledger.submit(late if passed < 0 else call)
    assert caught.value.code == "BadEra"


@pytest.mark.parametrize("last", [codec.MORTAL_BLOCKS + 1, 2**32 - 1])
def test_a_call_that_would_be_good_for_longer_than_any_is_refused(
    ledger: Ledger, key: Any, terms: Any, last: int
) -> None:
    anna = key("anna")
    ledger.fund(anna.address, 10**15)
    call = codec.extrinsic(CreateTask(terms()), anna, 0, 0, ledger.genesis)
    longer = msgspec.structs.replace(codec.open_sealed(call.body), era=(0, last))
    body = codec.encode(codec.Signed(longer, anna.sign(codec.encode(longer)).hex()))
    with pytest.raises(Refused) as caught:
        ledger.submit(msgspec.structs.replace(call, hash=codec.sha256(body), body=body))
    assert caught.value.code == "BadEra"
    ledger.submit(call)
