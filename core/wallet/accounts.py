"""The accounts of one person: one encrypted key file each, in a folder that only that person can read."""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.errors import DecentralMLError, Failed, Refused, Unavailable
from decentralml.core.paths import Home, sync, write_atomic, writing
from decentralml.core.signing import Crypto, decode_address
from decentralml.core.text import short
from decentralml.core.wallet import keys, keystore, names
from decentralml.core.wallet.keys import UnlockedSigner, without_traces
from decentralml.core.wallet.keystore import KeyFile


class Account(Struct, frozen=True):
    """What is known of an account without its password. ``created``: Unix seconds, None if unknown."""

    name: str
    address: str
    crypto: Crypto
    created: float | None
    path: Path


class Accounts:
    """The key files of ``home``. The file's stem is the account's name.

    Names are unique without regard to case, addresses are unique. Every file is 0600, appears whole
    or not at all, and is never overwritten by another account. ``scrypt_n`` is the cost of what is
    written. Methods that take a password keep it out of the tracebacks of what they raise.
    """

    def __init__(self, home: Home, *, scrypt_n: int = keystore.SCRYPT_N) -> None:
        self.folder = home.accounts
        self.scrypt_n = scrypt_n

    # Making accounts

    @without_traces
    def create(self, name: str, password: str, crypto: Crypto = Crypto.sr25519) -> tuple[Account, str]:
        """A new account and its 12-word mnemonic, which is nowhere stored: show it once.

        Raises `Misused` ("BadName", "EmptyPassword", "BadPassword"), `Refused` ("NameTaken") and
        `Failed` ("CannotWrite").
        """
        self.require_free(name)
        mnemonic = keys.generate_mnemonic()
        return self.import_mnemonic(name, password, mnemonic, crypto), mnemonic

    @without_traces
    def import_mnemonic(
        self, name: str, password: str, mnemonic: str, crypto: Crypto = Crypto.sr25519, path: str = ""
    ) -> Account:
        """The account of a mnemonic; ``path`` derives from it (``//hard/soft``).

        Raises as `create`, and `Misused` ("BadMnemonic", "BadDerivation"), `Refused` ("AddressTaken").
        """
        with keys.from_mnemonic(mnemonic, crypto, path) as signer:
            return self._add(name, signer, password)

    @without_traces
    def import_seed(self, name: str, password: str, seed: str, crypto: Crypto = Crypto.sr25519) -> Account:
        """The account of a seed (0x and 64 hex digits).

        Raises as `create`, and `Misused` ("BadSeed"), `Refused` ("AddressTaken").
        """
        with keys.from_seed(seed, crypto) as signer:
            return self._add(name, signer, password)

    @without_traces
    def import_json(
        self,
        name: str | None,
        password: str,
        text: str | bytes,
        *,
        new_password: str | None = None,
        any_prefix: bool = False,
        warn: Callable[[str], None] | None = None,
    ) -> Account:
        """The account in the text of a key file, stored anew under ``new_password`` (None: the same).

        ``name`` None takes the name that the file gives. A file that is not encrypted is read with a
        word to ``warn``, and stored under ``password``. ``any_prefix`` takes a file that was written for
        another network: the key is the same, the address is written anew.
        Raises as `create`, and `Refused` ("WrongPassword", "KeyMismatch", "AbsurdKeyFile",
        "AddressTaken"), `Failed` ("UnreadableKeyFile", "HalfWrittenKeyFile"), `Misused` ("OtherChain").
        """
        file = keystore.parse(text.encode(errors="replace") if isinstance(text, str) else text)
        if not any_prefix:
            decode_address(file.address)
        if name is None:
            name = str(file.meta.get("name") or "")
        self.require_free(name)
        with keystore.decrypt(file, password) as signer:
            account = self._add(name, signer, new_password or password, file.created)
        if not file.protected and warn:
            warn(
                "The imported file is not encrypted: who has read it has the key. "
                "Here it is stored under your password. Delete the file, or move the funds elsewhere."
            )
        return account

    # Reading

    def list(self) -> Sequence[Account]:
        """Every account that can be read, by name. What cannot be read: see `damaged`."""
        return self._scan()[0]

    def damaged(self) -> Sequence[tuple[Path, DecentralMLError]]:
        """Files among the key files that cannot be used, each with the reason."""
        return self._scan()[1]

    def holds(self, account: Account) -> bool:
        """Whether the key file of ``account`` is where it was. Raises `Unavailable` ("KeyFolder")."""
        try:
            account.path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _closed(account.path.parent, error) from error
        return True

    def get(self, name_or_address: str) -> Account:
        """The account of that name (in any case) or address.

        Raises `Unavailable` ("UnknownAccount"), `Misused` ("OtherChain") for an address of another
        network, and for a damaged file of that name `Failed` ("HalfWrittenKeyFile",
        "UnreadableKeyFile").
        """
        wanted = names.key(name_or_address)
        for path in self._paths():
            if names.key(path.stem) == wanted:
                return self._read(path)[0]
        if names.is_address(name_or_address):
            decode_address(name_or_address)
        accounts, damaged = self._scan()
        for account in accounts:
            if account.address == name_or_address:
                return account
        known = ", ".join(short(account.name, 24) for account in accounts[:10])
        hint = f"There is: {known}." if known else "Make one with `decentralml account create NAME`."
        if damaged:
            hint += f" Not readable: {', '.join(path.name for path, _ in damaged[:5])}."
        raise Unavailable("UnknownAccount", f"There is no account {short(name_or_address, 60)!r} here.", hint)

    def export_json(self, name_or_address: str) -> str:
        """The key file as polkadot-js reads it, encrypted under the account's password. Raises as `get`."""
        return keystore.encode(self._read(self.get(name_or_address).path)[1]).decode()

    @without_traces
    def unlock(self, name_or_address: str, password: str) -> UnlockedSigner:
        """A signer for the account, until its `lock`.

        Raises as `get`, and `Refused` ("WrongPassword", "KeyFilePermissions", "UnprotectedKeyFile",
        "KeyMismatch", "AbsurdKeyFile").
        """
        return self._open(self.get(name_or_address), password)

    # Changing

    @without_traces
    def change_password(self, name_or_address: str, password: str, new_password: str) -> None:
        """Store the key under ``new_password``. Raises as `unlock` and `create`.

        What a keyring remembers of the old password is the caller's to forget.
        """
        with writing(self.folder):
            account = self.get(name_or_address)
            with self._open(account, password) as signer:
                file = keystore.encrypt(
                    signer,
                    new_password,
                    name=account.name,
                    created=account.created,
                    scrypt_n=self.scrypt_n,
                )
            write_atomic(account.path, keystore.encode(file))

    def rename(self, name_or_address: str, new_name: str) -> Account:
        """Raises as `get`, and `Misused` ("BadName"), `Refused` ("NameTaken"), `Failed` ("CannotWrite")."""
        new_name = names.checked(new_name)
        with writing(self.folder):
            account, file = self._read(self.get(name_or_address).path)
            if names.key(account.name) != names.key(new_name):
                self.require_free(new_name)
            path = self._path(new_name)
            # The stem is the name that counts: the name inside may be ahead after a crash or on a full disk.
            renamed = msgspec.structs.replace(file, meta={**file.meta, "name": new_name})
            write_atomic(account.path, keystore.encode(renamed))
            os.rename(account.path, path)
            sync(self.folder)
        return msgspec.structs.replace(account, name=new_name, path=path)

    def forget(self, name_or_address: str) -> Account:
        """Delete the key file: without the mnemonic or an export the key is gone for ever.

        What a keyring remembers of it is the caller's to forget. Raises as `get`, `Failed` ("CannotWrite").
        """
        with writing(self.folder):
            account = self.get(name_or_address)
            account.path.unlink()
        return account

    # Inside

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _paths(self) -> Sequence[Path]:
        paths = (path for path in self.folder.glob("*.json") if not path.name.startswith("."))
        return sorted(paths, key=lambda path: (names.key(path.stem), path.name))

    def _scan(self) -> tuple[Sequence[Account], Sequence[tuple[Path, DecentralMLError]]]:
        accounts: list[Account] = []
        damaged: list[tuple[Path, DecentralMLError]] = []
        try:
            os.listdir(self.folder)  # `glob` takes a folder that is closed for an empty one
        except OSError as error:
            damaged.append((self.folder, _closed(self.folder, error)))
        for path in self._paths():
            try:
                accounts.append(self._read(path)[0])
            except DecentralMLError as error:
                damaged.append((path, error))
        return accounts, damaged

    def _read(self, path: Path) -> tuple[Account, KeyFile]:
        file = keystore.parse(_contents(path), f"The key file {path}")
        decode_address(file.address)
        return Account(path.stem, file.address, file.crypto, file.created, path), file

    def _open(self, account: Account, password: str) -> UnlockedSigner:
        file = self._read(account.path)[1]
        mode = stat.S_IMODE(account.path.stat().st_mode)
        if mode & 0o077:
            raise Refused(
                "KeyFilePermissions",
                f"Others may read or change the key file {account.path} (mode {mode:04o}).",
                f"If nobody did: chmod 600 {str(account.path)!r}. Else move the funds to a new account.",
            )
        if not file.protected:
            raise Refused(
                "UnprotectedKeyFile",
                f"The key file {account.path} is not encrypted.",
                "Move it elsewhere and import it: it is then stored under a password.",
            )
        return keystore.decrypt(file, password)

    def require_free(self, name: str) -> None:
        """Raises `Misused` ("BadName"), `Refused` ("NameTaken") where no account can have that name."""
        name = names.checked(name)
        if any(names.key(path.stem) == names.key(name) for path in self._paths()):
            raise Refused(
                "NameTaken", f"There is an account {short(name, 40)!r} already.", "Choose another name."
            )

    def _add(self, name: str, signer: UnlockedSigner, password: str, created: float | None = None) -> Account:
        name = names.checked(name)
        self.require_free(name)
        file = keystore.encrypt(signer, password, name=name, created=created, scrypt_n=self.scrypt_n)
        path = self._path(name)
        with writing(self.folder):
            self.require_free(name)
            for other in self.list():
                if other.address == file.address:
                    raise Refused(
                        "AddressTaken",
                        f"This account is here already, as {short(other.name, 40)!r}.",
                        "`decentralml account rename` gives it another name.",
                    )
            # A link, unlike a rename, never replaces what came there in between.
            whole = path.with_name(f".{path.name}.new")
            write_atomic(whole, keystore.encode(file))
            try:
                os.link(whole, path)
            finally:
                whole.unlink()
            sync(self.folder)
        return Account(name, file.address, file.crypto, file.created, path)


def _closed(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "KeyFolder",
        f"The key folder {folder} cannot be read: {error.strerror}.",
        "See to its owner and permissions.",
    )


def _contents(path: Path) -> bytes:
    try:
        # A pipe among the files must not make anybody wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Failed("UnreadableKeyFile", f"{path} is no regular file.")
            return stream.read(keystore.MAX_SIZE + 1)
    except OSError as error:
        raise Failed(
            "UnreadableKeyFile",
            f"The key file {path} cannot be read: {error.strerror}.",
            "See to its owner and permissions.",
        ) from error
