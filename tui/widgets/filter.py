"""The line in which a list is filtered."""

from textual.widgets import Input


class Filter(Input):
    """Out of sight until it is asked for, and while it holds nothing."""

    DEFAULT_CSS = """
    Filter { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    Filter.-shown { display: block; }
    """

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, id="filter", compact=True)

    def ask(self) -> None:
        """Let the person type."""
        self.add_class("-shown")
        self.focus()

    def rest(self) -> None:
        """Typing is over."""
        self.set_class(bool(self.value), "-shown")

    def clear_all(self) -> None:
        """Filter nothing any more."""
        self.value = ""
        self.rest()

    def fits(self, *texts: str) -> bool:
        """Whether each word of it stands in one of ``texts``."""
        said = " ".join(texts).casefold()
        return all(word in said for word in self.value.casefold().split())
