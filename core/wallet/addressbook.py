"""Names for other people's addresses."""

from typing import Literal

import msgspec
from msgspec import Struct

from decentralml.core.errors import DecentralMLError, Failed, Refused, Unavailable
from decentralml.core.paths import Home, write_atomic, writing
from decentralml.core.signing import decode_address
from decentralml.core.text import short
from decentralml.core.wallet import names


class _Book(Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1] = 1
    names: dict[str, str] = {}


class AddressBook:
    """The address book of ``home``: names are unique without regard to case, an address has one name."""

    def __init__(self, home: Home) -> None:
        self.path = home.address_book
        home.folder(self.path.parent)

    def list(self) -> dict[str, str]:
        """Addresses by name, sorted. Raises `Failed` ("BadAddressBook")."""
        hint = "Mend the file, or move it aside to begin a new one."
        try:
            book = msgspec.json.decode(self.path.read_bytes(), type=_Book)
            for name, address in book.names.items():
                names.checked(name)
                decode_address(address)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Failed("BadAddressBook", f"{self.path} cannot be read: {error.strerror}.", hint) from error
        except (msgspec.MsgspecError, ValueError, RecursionError, DecentralMLError) as error:
            raise Failed("BadAddressBook", f"{self.path} is no address book: {error}", hint) from error
        return dict(sorted(book.names.items(), key=lambda entry: names.key(entry[0])))

    def add(self, name: str, address: str) -> None:
        """Give ``address`` its name.

        Raises `Misused` ("BadName", "BadAddress", "OtherChain"), `Refused` ("NameTaken",
        "AddressTaken"), `Failed` ("BadAddressBook", "CannotWrite").
        """
        name = names.checked(name)
        decode_address(address)
        with writing(self.path):
            entries = self.list()
            for other_name, other_address in entries.items():
                if names.key(other_name) == names.key(name):
                    raise Refused(
                        "NameTaken",
                        f"{short(other_name, 40)!r} is the name of {other_address}.",
                        "Remove it first, or choose another name.",
                    )
                if other_address == address:
                    raise Refused(
                        "AddressTaken",
                        f"{address} is in the book as {short(other_name, 40)!r}.",
                        "Remove that entry first.",
                    )
            self._write({**entries, name: address})

    def remove(self, name_or_address: str) -> tuple[str, str]:
        """Take out an entry and return its name and address.

        Raises `Unavailable` ("UnknownName"), `Failed` ("BadAddressBook", "CannotWrite").
        """
        with writing(self.path):
            entries = self.list()
            for name, address in entries.items():
                if address == name_or_address or names.key(name) == names.key(name_or_address):
                    del entries[name]
                    self._write(entries)
                    return name, address
        raise self._unknown(name_or_address)

    def name_of(self, address: str) -> str | None:
        """The name of ``address``, None where it has none. Raises `Failed` ("BadAddressBook")."""
        return next((name for name, known in self.list().items() if known == address), None)

    def resolve(self, name_or_address: str) -> str:
        """The address meant: itself, or that of the name.

        Raises `Unavailable` ("UnknownName"), `Misused` ("OtherChain"), `Failed` ("BadAddressBook").
        """
        if names.is_address(name_or_address):
            decode_address(name_or_address)
            return name_or_address
        for name, address in self.list().items():
            if names.key(name) == names.key(name_or_address):
                return address
        raise self._unknown(name_or_address)

    def _unknown(self, name: str) -> Unavailable:
        return Unavailable(
            "UnknownName",
            f"{short(name, 60)!r} is neither an address nor a name in the address book.",
            "`account list` and `account book list` have the names known here; an address is given whole.",
        )

    def _write(self, entries: dict[str, str]) -> None:
        text = msgspec.json.format(msgspec.json.encode(_Book(names=entries)), indent=2)
        write_atomic(self.path, text + b"\n")
