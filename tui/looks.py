"""How the app looks: its theme, the person's own themes as they change, and ascii alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from textual.theme import BUILTIN_THEMES

from decentralml.core import config
from decentralml.core.errors import Misused
from decentralml.tui import background, keys, theme

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


class Looks:
    """The themes of one app. Those that are shipped are there at once, the person's own after `reload`."""

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app
        self._own: theme.UserThemes | None = None
        for shipped in theme.shipped():
            app.register_theme(shipped)

    @property
    def names(self) -> list[str]:
        """Names of the shipped and the person's own themes."""
        return sorted(name for name in self._app.available_themes if name not in BUILTIN_THEMES)

    def begin(self) -> bool:
        """Look as the settings say from the first paint on; whether to draw in ascii alone.

        What is wrong with the settings is said later. Blocks.
        """
        app = self._app
        try:
            settings = config.load(app.home, app.overrides)
        except Misused:
            settings = config.Settings()
        app.theme = self._seen_here(settings.theme if settings.theme in self.names else "dark")
        return settings.ascii

    def begin_with(self, chosen: str) -> None:
        """Use the ``chosen`` theme, which may be the person's own."""
        self.use(self._seen_here(chosen))

    def _seen_here(self, name: str) -> str:
        """A theme, or the terminal's own colours where it has sixteen, or is to show none."""
        app = self._app
        theme = app.get_theme(name)
        few = app.no_color or app.console.color_system == "standard"
        return "ansi" if few and theme is not None and not theme.ansi else name

    async def reload(self) -> None:
        """Show what changed in the person's own themes. What is wrong with one is said.

        Raises `Unavailable` ("NoHome") where their folder cannot be made.
        """
        if self._own is None:
            self._own = await background.call(lambda: theme.UserThemes(self._app.home.themes))
        changed, problems = await background.call(self._own.changed)
        for problem in problems:
            self._app.show_error(problem)
        for own in changed:
            self._app.register_theme(own)
            if self._app.theme == own.name:
                self._app._watch_theme(own.name)

    def use(self, name: str) -> bool:
        """Switch to a theme by name. An unknown name is said, and changes nothing."""
        if name in self.names:
            self._app.theme = name
            return True
        self._app.show_error(
            Misused("UnknownTheme", f"There is no theme {name!r}.", keys.said("{palette} lists them."))
        )
        return False

    def choose(self, name: str) -> None:
        """Use a theme from now on: the settings remember it, but with --readonly."""
        app = self._app
        if self.use(name) and not app.readonly:
            app.run_worker(app.guarded(background.call(config.store, app.home, "theme", name)))

    async def load_sheets(self, folder: Path) -> None:
        """The style sheets of the screens that were not needed for the first paint."""
        sheets = await background.call(
            lambda: [(str(path), path.read_text()) for path in sorted(folder.glob("*.tcss"))]
        )
        stylesheet = self._app.stylesheet
        missing = [(path, css) for path, css in sheets if not stylesheet.has_source(path, "")]
        for path, css in missing:
            stylesheet.add_source(css, read_from=(path, ""))
        if missing:  # a page may have come before its sheet: keys are typed ahead
            self._app.refresh_css(animate=False)
