"""What of a result goes out: a model and its claims, copied out of the sandbox's reach and looked at as the
creator will.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from decentralml.core import hostile
from decentralml.core.bounds import in_words
from decentralml.core.errors import Failed, Refused

if TYPE_CHECKING:
    from decentralml.core.models.inspect import ModelInfo

MODEL = ("config.json", "metadata.json", "model.weights.h5")
FILES = (*MODEL, "result.json")
_CAPS = hostile.Caps(entries=1_000)


class Parcel(Struct, frozen=True, kw_only=True):
    """A result ready to be uploaded. ``files``: (name, bytes); ``left_out``: what stays here."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    left_out: tuple[str, ...]
    model: "ModelInfo"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)


def prepare(result: Path, into: Path, *, most: int) -> Parcel:
    """Copy what goes out of ``result``, which a sandbox wrote, to a folder of the same name in ``into``.

    ``into`` is made where it is missing; an earlier copy is replaced. Raises `Refused` for a result that is
    not whole ("MissingFile"), has more than ``most`` bytes ("TooLarge"), holds links or other things that are
    no files, or whose model no creator could load (the codes of `hostile.tree` and
    `models.inspect.inspect`); `Failed` ("DiskFull") without room.
    """
    from decentralml.core.models.inspect import inspect

    found = {file.name: file.size for file in hostile.tree(result, _CAPS)}
    missing = [name for name in MODEL if name not in found]
    if missing:
        raise Refused(
            "MissingFile",
            f"The result has no {', '.join(missing)}.",
            "It must be a Keras 3 folder, as model.save(folder, zipped=False) writes it.",
        )
    # A model that was trained by hand claims nothing.
    files = [name for name in FILES if name in found]
    size = sum(found[name] for name in files)
    if size > most:
        raise Refused(
            "TooLarge",
            f"The result has {in_words(size)}, a creator takes {in_words(most)} unless told otherwise.",
            "Save it without its optimizer. If its creator takes more: `config set result-size MIB`.",
        )
    folder = into / result.name
    if folder.exists():
        hostile.delete(folder)
    folder.mkdir(mode=0o700, parents=True)
    try:
        for name in files:
            _copy(result, name, found[name], folder / name)
        model = inspect(folder)
    except OSError as error:
        hostile.delete(folder)
        raise Failed(
            "DiskFull",
            f"{folder} cannot be written: {error.strerror}.",
            "Make room, or see to the permissions.",
        ) from error
    except BaseException:
        hostile.delete(folder)
        raise
    return Parcel(
        folder=folder,
        files=tuple((name, (folder / name).stat().st_size) for name in files),
        left_out=tuple(sorted(found.keys() - set(FILES))),
        model=model,
    )


def _copy(result: Path, name: str, size: int, target: Path) -> None:
    """Copy one file of at most ``size`` bytes, the size that it had when it was looked at."""
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with hostile.open_file(result, name, size) as source, os.fdopen(handle, "wb") as sink:
        shutil.copyfileobj(source, sink, hostile.BLOCK)
