"""Texts that a person gives to be read by others: what nobody would see in them is refused."""

from pathlib import Path
from typing import Any

import click

from decentralml.core import named_path
from decentralml.core.errors import Misused
from decentralml.core.text import hidden


class FreeText(click.ParamType[str]):
    """A text as it stands."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return _seen(str(value), param.opts[0] if param else "The text")


FREE_TEXT = FreeText()


def read_text(path: Path, most: int) -> str:
    """The text in a file. Raises as `named_path.read`, and `Misused` ("BadText")."""
    try:
        return _seen(named_path.read(path, most).decode(), str(path))
    except UnicodeDecodeError:
        raise Misused("BadText", f"{path} is not UTF-8 text.", "Is it the right file?") from None


def _seen(text: str, what: str) -> str:
    """Raises `Misused` ("BadText") where ``text`` has characters that are dropped wherever it is shown."""
    unseen = hidden(text)
    if unseen:
        named = ", ".join(unseen[:5])
        raise Misused("BadText", f"{what} has characters that nobody would see: {named}.", "Leave them out.")
    return text
