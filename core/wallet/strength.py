"""How long a password would hold against whoever has the key's file and guesses."""

import math
from itertools import pairwise
from typing import Literal

Strength = Literal["weak", "fair", "strong"]

# Bits of guessing. scrypt makes each guess dear; what people choose is likelier than chance would have it.
_FAIR = 40
_STRONG = 60


def strength(password: str) -> Strength:
    """By length and variety alone, where what repeats or counts on adds nothing: no list of words is read."""
    kinds = (
        (26, str.islower),
        (26, str.isupper),
        (10, str.isdecimal),
        (26, lambda character: character.isalpha() and character.lower() == character.upper()),
        (33, lambda character: not character.isalnum()),
    )
    alphabet = sum(size for size, of_it in kinds if any(map(of_it, password)))
    fresh = sum(abs(ord(after) - ord(before)) > 1 for before, after in pairwise(f"\0{password}"))
    bits = fresh * math.log2(max(alphabet, 1))
    return "weak" if bits < _FAIR else "fair" if bits < _STRONG else "strong"
