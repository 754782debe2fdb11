"""Filters that are kept under a name, in the settings."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rich.text import Text

from decentralml.core import config
from decentralml.core.errors import Misused
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.screens.base import MarketScreen


class SavedFilters(MarketScreen):
    """Base of a screen with a `filter`, which can be saved, used again and deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""

    def use_filter(self, text: str) -> None:
        """Show what fits ``text``."""
        raise NotImplementedError

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        if not self.app.readonly:
            yield "save this filter", "keep it under a name in the settings", self._save
        for name, text in self._saved().items():
            yield f"filter {clean(name)}", clean(text), partial(self.use_filter, text)
            if not self.app.readonly:
                yield f"delete filter {clean(name)}", clean(text), partial(self._delete, name)

    def _saved(self) -> dict[str, str]:
        return dict(self.app.session.settings.filters) if self.app.session else {}

    def action_saved_filters(self) -> None:
        self.work(self._choose())

    async def _choose(self) -> None:
        from decentralml.tui.screens.dialog import Choose

        saved = self._saved()
        choices = [
            (f"={name}", Text.assemble(f"{clean(name):<16} ", (clean(text), "dim")))
            for name, text in saved.items()
        ]
        known = next((name for name, text in saved.items() if text == self.filter), None)
        if self.filter and not self.app.readonly:
            words = f"Save {clean(self.filter)!r} under a name" if known is None else f"Delete {clean(known)}"
            choices.append(("+" if known is None else "-", Text(words)))
        hint = "" if choices else keys.said("None yet. Type a filter with {filter}, then save it here.")
        chosen = await self.app.push_screen_wait(Choose("Saved filters", choices, text=hint))
        if chosen == "+":
            await self._keep_as()
        elif chosen == "-" and known is not None:
            await self._without(known)
        elif chosen is not None:
            self.use_filter(saved[chosen[1:]])

    def _save(self) -> None:
        self.work(self._keep_as())

    async def _keep_as(self) -> None:
        from decentralml.tui.screens.form import Field, Form

        if not self.filter:
            raise Misused("NoFilter", "There is no filter to save.", keys.said("{filter} types one."))
        name = await self.app.push_screen_wait(
            Form(
                "Save this filter",
                (Field("name", "Name"),),
                lambda name: name.strip(),
                text=f"A name for {clean(self.filter)}\n",
                yes="Save",
            )
        )
        if name:
            await self._store({**self._saved(), name: self.filter})
            self.app.say(f"Saved as {name}.")

    def _delete(self, name: str) -> None:
        self.work(self._without(name))

    async def _without(self, name: str) -> None:
        await self._store({other: text for other, text in self._saved().items() if other != name})
        self.app.say(f"The saved filter {clean(name)} is deleted.")

    async def _store(self, saved: dict[str, str]) -> None:
        table = ", ".join(f"{_toml(name)} = {_toml(text)}" for name, text in saved.items())
        self.session.settings = await self.call(config.store, self.app.home, "filters", f"{{{table}}}")


def _toml(text: str) -> str:
    """``text`` as a basic TOML string."""
    return '"' + "".join(c if c >= " " and c not in '"\\\x7f' else f"\\u{ord(c):04x}" for c in text) + '"'
