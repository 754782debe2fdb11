"""Themes: the shipped ones fit the app, a person's own reload live, and a bad file says what is wrong."""

import os
from collections.abc import Callable, Iterator

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme
from textual.widgets import OptionList, Static

from decentralml.core.errors import Misused
from decentralml.tui import theme
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.widgets.paged_table import PagedTable
from decentralml.tui.widgets.pane import Pane

from .conftest import Place, settled, text_of, until
from .pages import PAGES

SHIPPED = {"dark", "light", "high-contrast", "colour-blind", "ansi"}
COLOURED = [shipped for shipped in theme.shipped() if not shipped.ansi]

READ = ("task", "runs", "validate", "related", "federate", "accounts", "activity", "try")


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""

    def luminance(colour: str) -> float:
        parts = [part / 255 for part in Color.parse(colour).rgb]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def in_256(colour: str) -> str:
    """As a terminal of 256 colours shows it."""
    return RichColor.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex


def in_full(colour: str) -> str:
    return colour


def words_of(app: DecentralMLApp) -> Iterator[tuple[str, str, str]]:
    """Each text on the page, or in the dialog in front, but of the line of keys, with its colours."""
    screen = app.screen
    region = (
        screen.query_one("#dialog").region
        if isinstance(screen, Dialog)
        else screen.region.shrink((0, 0, 1, 0))
    )
    for line in screen._compositor.render_strips()[region.y : region.bottom]:
        for text, style, _ in line.crop(region.x, region.right):
            if any(map(str.isalnum, text)):
                ground, ink = (style.color, style.bgcolor) if style.reverse else (style.bgcolor, style.color)
                yield text, ink.get_truecolor().hex, ground.get_truecolor().hex


def test_five_themes_are_shipped() -> None:
    assert {shipped.name for shipped in theme.shipped()} == SHIPPED


@pytest.mark.parametrize("shown", [in_full, in_256])
@pytest.mark.parametrize("shipped", COLOURED, ids=lambda t: t.name)
def test_text_can_be_read_on_every_background(shipped: Theme, shown: Callable[[str], str]) -> None:
    variables = shipped.variables
    words = (shipped.foreground, variables["text-dim"])
    tones = (shipped.primary, shipped.accent, shipped.success, shipped.warning, shipped.error)
    for ground in (shipped.background, shipped.surface, shipped.panel, variables["row-cursor"]):
        for colour in words:
            assert contrast(shown(colour), shown(ground)) >= (7.0 if shipped.name == "high-contrast" else 4.5)
        for colour in tones:
            assert contrast(shown(colour), shown(ground)) >= (4.5 if shown is in_full else 4.0)


@pytest.mark.parametrize("name", [t.name for t in COLOURED])
async def test_every_word_on_the_screen_can_be_read(painted: Place, name: str) -> None:
    async with painted.running(size=(140, 40)) as (app, pilot):
        app.looks.use(name)
        for page in READ:
            await PAGES[page](painted, pilot)
            await settled(pilot)
            for text, ink, ground in words_of(app):
                assert contrast(ink, ground) >= 4.5, f"{page}: {text!r}, {ink} on {ground}"
            while len(app.screen_stack) > 1:
                await pilot.press("escape")
                await pilot.pause()


@pytest.mark.parametrize("name", [t.name for t in COLOURED])
async def test_every_count_of_a_confusion_can_be_read(painted: Place, name: str) -> None:
    async with painted.running() as (app, pilot):
        app.looks.use(name)
        await PAGES["validate"](painted, pilot)
        pane = app.screen.query(Pane).first()
        for hundredths in range(101):
            for good in (True, False):
                shade = pane.shade(hundredths / 100, good)
                assert contrast(shade.color.get_truecolor().hex, shade.bgcolor.get_truecolor().hex) >= 4.5


@pytest.mark.parametrize("name", sorted(SHIPPED))
async def test_every_theme_can_be_used(market_home: Place, name: str) -> None:
    market_home.home.config.write_text(f'theme = "{name}"\n')
    async with market_home.running() as (app, pilot):
        assert app.theme == name
        await pilot.press("question_mark", "escape", "colon")
        await until(pilot, lambda: app.screen.query("CommandInput"))


async def test_a_theme_chosen_in_the_palette_is_remembered(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.looks.choose("light")
        await until(pilot, lambda: market_home.home.config.exists())
    async with market_home.running() as (app, _):
        assert app.theme == "light"


async def test_an_empty_pane_takes_the_colours_of_another_theme_too(bare_home: Place) -> None:
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: "Nothing to judge" in text_of(app), "the pane")

        def colour() -> object:
            return app.screen.query_one("#first .content", Static).content.style.color

        before = colour()
        app.looks.choose("light")
        await pilot.press("1", "3")
        await until(pilot, lambda: colour() != before, "the new colour")


async def test_a_persons_own_theme_reloads_while_the_app_runs(market_home: Place) -> None:
    file = market_home.home.themes / "mine.toml"
    file.write_text('primary = "#112233"\nbackground = "#000000"\n')
    market_home.home.config.write_text('theme = "mine"\n')
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: app.theme == "mine")
        file.write_text('primary = "#112233"\nbackground = "#223344"\n')
        os.utime(file, ns=(1, 1))
        await until(pilot, lambda: app.screen.styles.background.hex == "#223344", "the new colour")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("primary = 3", "primary"),
        ('primary = "no colour"', "no colour"),
        ('pretty = "#000000"', "pretty"),
        ("primary = ", "Invalid value"),
        ("", "primary"),
        ('primary = "#ffffff"\nvariables = 3', "variables"),
        ('primary = "#ffffff"\n[variables]\ntext-dim = 5', "text-dim"),
        ('primary = "#ffffff"\n[variables]\ntext-dim = "nope"', "nope"),
        ('primary = "#ffffff"\nansi = "yes"', "ansi"),
    ],
)
def test_a_bad_theme_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(Misused) as refused:
        theme.parse("mine", text)
    assert words in str(refused.value)
    assert "mine" in str(refused.value)
    assert "surface, panel, dark, ansi" in refused.value.hint, "all that it may have"


async def test_a_bad_theme_file_is_said_once_and_the_app_goes_on(market_home: Place) -> None:
    (market_home.home.themes / "bad.toml").write_bytes(b"\xff\xfe primary")
    (market_home.home.themes / "good.toml").write_text('primary = "#abcdef"\n')
    market_home.home.config.write_text('theme = "bad"\n')
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: "good" in app.looks.names)
        await app.heart.beat()
        assert [e.code for e in app.failures].count("BadTheme") == 1
        assert app.theme == "dark"
        assert "Digits, round 3" in text_of(app)


async def test_no_colour_where_it_is_not_wanted(market_home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with market_home.running() as (app, _):
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                style = segment.style
                assert style is None or style.color is None or style.color.is_default
                assert style is None or style.bgcolor is None or style.bgcolor.is_default

        assert any(
            segment.style and segment.style.reverse
            for strip in app.screen._compositor.render_strips()
            for segment in strip
        ), "the row one is on can still be told"


async def test_without_colours_a_choice_can_be_told_too(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with market_home.running() as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: app.screen.query(OptionList), "the accounts")
        await settled(pilot)
        lines = [line for line in app.screen._compositor.render_strips() if "ada" in line.text]
        assert any(segment.style and segment.style.underline for line in lines for segment in line)


async def test_a_terminal_of_sixteen_colours_has_its_own(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "screen")
    monkeypatch.delenv("COLORTERM")
    market_home.home.config.write_text('theme = "light"\n')
    (market_home.home.themes / "mine.toml").write_text('primary = "ansi_red"\nansi = true\n')
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: "mine" in app.looks.names)
        assert app.theme == "ansi"
        app.looks.begin_with("mine")
        assert app.theme == "mine"


async def test_ascii_mode_draws_nothing_else(market_home: Place) -> None:
    market_home.create("bo", "数字 “quoted” – dash ● dot")
    market_home.home.config.write_text("ascii = true\n")
    async with market_home.running(size=(140, 40)) as (app, pilot):
        for key in ("question_mark", "colon"):
            assert text_of(app).isascii()
            await pilot.press(key)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            await pilot.pause()
            assert text_of(app).isascii()
            assert "?? Search" not in text_of(app), "the palette's sign has a likeness"
            assert {strip.cell_length for strip in app.screen._compositor.render_strips()} == {140}
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)
        assert "3 Validate *1" in text_of(app)


def test_every_theme_has_every_variable_of_the_app() -> None:
    for shipped in theme.shipped():
        assert set(shipped.variables) >= {"text-dim", "border-soft", "row-cursor"}


async def test_in_sixteen_colours_the_row_under_the_cursor_is_in_one(market_home: Place) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        app.theme = "ansi"
        await pilot.press("5")
        await until(pilot, lambda: "› ada" in text_of(app), "the accounts")
        table = app.screen.query_one(PagedTable)
        assert len({part.style and part.style.color for part in table.render_line(1)}) == 1
        assert len({part.style and part.style.color for part in table.render_line(2)}) > 1
