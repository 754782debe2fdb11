"""What is said of a password before it is all that keeps a key."""

import pytest

from decentralml.core.wallet.strength import strength


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "weak"),
        ("xx", "weak"),
        ("password", "weak"),
        ("12345678901234", "weak"),
        ("aaaaaaaaaaaaaaaa", "weak"),
        ("pass-bob", "fair"),
        ("Tr0ub4dor&3", "strong"),
        ("correct horse battery staple", "strong"),
        ("пароль длинный", "strong"),
        ("正確な馬の電池ホチキス三本", "strong"),
        ("كلمةسر", "weak"),
    ],
)
def test_length_and_variety_make_a_password_strong_and_repetition_does_not(password: str, said: str) -> None:
    assert strength(password) == said
