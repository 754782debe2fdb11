"""Names for addresses: found both ways, and a damaged book is never overwritten."""

import pytest

from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.signing import encode_address
from decentralml.core.wallet.addressbook import AddressBook

FIRST, SECOND = encode_address(bytes([1] * 32)), encode_address(bytes([2] * 32))


@pytest.fixture
def book(home: Home) -> AddressBook:
    return AddressBook(home)


def test_an_empty_book_is_no_error(book: AddressBook) -> None:
    assert book.list() == {}
    assert book.name_of(FIRST) is None


def test_names_and_addresses_find_each_other_in_another_process(book: AddressBook, home: Home) -> None:
    book.add("zoe", FIRST)
    book.add("Ada Lovelace", SECOND)
    again = AddressBook(home)
    assert list(again.list().items()) == [("Ada Lovelace", SECOND), ("zoe", FIRST)]
    assert again.name_of(FIRST) == "zoe"
    assert again.resolve("ADA lovelace") == again.resolve(SECOND) == SECOND
    assert home.address_book.stat().st_mode & 0o777 == 0o600


def test_an_address_that_is_not_in_the_book_resolves_to_itself(book: AddressBook) -> None:
    assert book.resolve(FIRST) == FIRST


def test_an_unknown_name_is_refused(book: AddressBook) -> None:
    for use in (book.resolve, book.remove):
        with pytest.raises(Unavailable) as caught:
            use("nobody")
        assert caught.value.code == "UnknownName"


@pytest.mark.parametrize(
    ("name", "address", "kind", "code"),
    [
        ("ZOE", SECOND, Refused, "NameTaken"),
        ("other", FIRST, Refused, "AddressTaken"),
        ("../x", SECOND, Misused, "BadName"),
        (SECOND, SECOND, Misused, "BadName"),
        ("other", "5abc", Misused, "BadAddress"),
        ("other", encode_address(bytes([2] * 32), 0), Misused, "OtherChain"),
    ],
)
def test_a_bad_entry_is_refused_and_changes_nothing(
    book: AddressBook, name: str, address: str, kind: type[DecentralMLError], code: str
) -> None:
    book.add("zoe", FIRST)
    with pytest.raises(kind) as caught:
        book.add(name, address)
    assert caught.value.code == code
    assert book.list() == {"zoe": FIRST}


@pytest.mark.parametrize("by", ["ZOE", FIRST])
def test_an_entry_is_removed_by_name_or_address(book: AddressBook, by: str) -> None:
    book.add("zoe", FIRST)
    book.add("ada", SECOND)
    assert book.remove(by) == ("zoe", FIRST)
    assert book.list() == {"ada": SECOND}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "[]",
        '{"version": 2, "names": {}}',
        '{"version": 1, "names": {"a": "5abc"}}',
        '{"version": 1, "names": {"\\u001b[2J": "' + FIRST + '"}}',
        '{"version": 1, "names": {"a": 1}}',
    ],
)
def test_a_damaged_book_is_said_so_and_never_overwritten(book: AddressBook, text: str) -> None:
    book.path.write_text(text)
    for use in (book.list, lambda: book.add("zoe", FIRST), lambda: book.resolve("zoe")):
        with pytest.raises(Failed) as caught:
            use()
        assert caught.value.code == "BadAddressBook"
        assert str(book.path) in caught.value.message
    assert book.path.read_text() == text
