"""Amounts are exact: what is shown reads back, and what is no amount is refused."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decentralml.core.amount import MAX_AMOUNT, UNIT, format_amount, parse_amount
from decentralml.core.errors import Misused

amounts = st.integers(0, MAX_AMOUNT)


@given(amounts, st.integers(0, 12))
def test_what_is_shown_reads_back_exactly(planck: int, decimals: int) -> None:
    assert parse_amount(format_amount(planck, decimals).replace(",", "")) == planck


@given(amounts)
def test_an_amount_is_its_decimal_number_of_units(planck: int) -> None:
    with localcontext(prec=60):
        text = f"{Decimal(planck) / UNIT:f}"
    assert parse_amount(text) == planck


@given(st.text(max_size=50))
def test_any_text_is_an_exact_amount_or_refused(text: str) -> None:
    try:
        planck = parse_amount(text)
    except Misused as misused:
        assert misused.code == "BadAmount"  # noqa: PT017
    else:
        assert 0 <= planck <= MAX_AMOUNT
        with localcontext(prec=80):
            assert Decimal(text.strip()) * UNIT == planck


@given(st.integers(min_value=MAX_AMOUNT + 1, max_value=10**60))
def test_more_than_the_chain_can_hold_is_refused(planck: int) -> None:
    with pytest.raises(Misused):
        parse_amount(format_amount(planck).replace(",", ""))


@given(amounts)
def test_a_loss_is_shown_as_the_gain_with_a_sign(planck: int) -> None:
    assert format_amount(-planck) == ("-" if planck else "") + format_amount(planck)


@pytest.mark.parametrize(
    "text",
    ["", " ", "1e999", "1E3", "-1", "+1", "0.0000000000001", "1.", ".5", "1,000", "1_000", "0x10", "NaN",
     "inf", "1 2", "1.2.3", "٣", "1.٣", "１", "9" * 40, "9" * 10_000, "1\x00", "1\n2"],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_a_word_on_how(text: str) -> None:
    with pytest.raises(Misused) as misused:
        parse_amount(text)
    assert misused.value.code == "BadAmount"
    assert "2.5" in misused.value.hint
    assert len(misused.value.message) < 300


@pytest.mark.parametrize(
    ("planck", "shown"),
    [
        (0, "0.00"),
        (1, "0.000000000001"),
        (25 * UNIT // 10, "2.50"),
        (1234567 * UNIT, "1,234,567.00"),
        (MAX_AMOUNT, "340,282,366,920,938,463,463,374,607.431768211455"),
    ],
)
def test_amounts_as_people_read_them(planck: int, shown: str) -> None:
    assert format_amount(planck) == shown
    assert format_amount(UNIT, 0) == "1"
