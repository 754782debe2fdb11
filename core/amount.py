"""Money: integers of planck inside, decimal units for people (1 unit = 10^12 planck)."""

import re

from decentralml.core.errors import Misused

DECIMALS = 12
UNIT = 10**DECIMALS
MAX_AMOUNT = 2**128 - 1  # Balance is a u128.

_AMOUNT = re.compile(r"(\d{1,39})(?:\.(\d{1,12}))?")


def parse_amount(text: str) -> int:
    """Planck of a decimal number of units such as ``"2.5"``.

    Raises `Misused` ("BadAmount") for signs, exponents, more than 12 decimals, or more than a u128.
    """
    match = _AMOUNT.fullmatch(text.strip())
    planck = -1
    if match and match[1].isascii() and (match[2] or "").isascii():
        planck = int(match[1]) * UNIT + int((match[2] or "").ljust(DECIMALS, "0"))
    if not 0 <= planck <= MAX_AMOUNT:
        raise Misused(
            "BadAmount",
            f"{text[:60]!r} is not an amount.",
            "Give units as a plain decimal number with at most 12 decimals, like 2.5.",
        )
    return planck


def format_amount(planck: int, decimals: int = 2) -> str:
    """Units with thousands separators; as many of the 12 decimals as are needed, at least ``decimals``."""
    sign = "-" if planck < 0 else ""
    whole, rest = divmod(abs(planck), UNIT)
    fraction = f"{rest:012d}".rstrip("0").ljust(decimals, "0")
    return f"{sign}{whole:,}" + (f".{fraction}" if fraction else "")
