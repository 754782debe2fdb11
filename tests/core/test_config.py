"""Settings: flags, environment, file, defaults; what is wrong is named, what is stored keeps the rest."""

import stat
from pathlib import Path

import msgspec
import pytest

from decentralml.core import config
from decentralml.core.errors import Misused
from decentralml.core.paths import Home


def written(home: Home, text: str) -> Home:
    home.folder(home.config.parent)
    home.config.write_text(text)
    return home


def test_without_a_file_the_defaults_are_in_force(home: Home) -> None:
    assert config.load(home) == config.Settings()
    assert not home.config.exists()


def test_flags_beat_environment_beats_file_beats_defaults(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config.load(home).theme == "dark"
    written(home, 'theme = "file"\n')
    assert config.load(home).theme == "file"
    monkeypatch.setenv("DECENTRALML_THEME", "environment")
    assert config.load(home).theme == "environment"
    assert config.load(home, {"theme": "flag"}).theme == "flag"


def test_an_empty_flag_or_variable_counts_as_not_given(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, 'account = "alice"\n')
    monkeypatch.setenv("DECENTRALML_ACCOUNT", "")
    assert config.load(home, {"account": ""}).account == "alice"


def test_names_have_dashes_in_the_file_and_underscores_in_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(home, "idle-lock = 60\n")
    assert config.load(home).idle_lock == 60
    monkeypatch.setenv("DECENTRALML_IDLE_LOCK", "90")
    assert config.load(home).idle_lock == 90


@pytest.mark.parametrize(
    "text",
    [
        "theme = 3\n",
        "max-runs = '2'\n",
        "max-runs = 1.5\n",
        "max_runs = 2\n",
        "unknown = 1\n",
        "theme = \n",
        "theme = 'a'\ntheme = 'b'\n",
        "notify = 'one string'\n",
        "[filters]\na = 1\n",
        "\x00",
        "x = " + "[" * 2000,
    ],
    ids=lambda text: text.split("\n")[0][:20].replace("\x00", "NUL"),
)
def test_a_wrong_file_is_named(home: Home, text: str) -> None:
    with pytest.raises(Misused) as misused:
        config.load(written(home, text))
    assert misused.value.code == "BadConfig"
    assert str(home.config) in misused.value.message


def test_a_file_that_is_no_text_is_named(home: Home) -> None:
    home.folder(home.config.parent)
    home.config.write_bytes(b"\xff\xfe")
    with pytest.raises(Misused):
        config.load(home)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("theme", "light", "light"),
        ("theme", '"quoted"', '"quoted"'),
        ("chain", "local:/a b", "local:/a b"),
        ("ascii", "true", True),
        ("threads", "4", 4),
        ("notify", '["beep", "-x"]', ["beep", "-x"]),
        ("filters", '{mine = "open"}', {"mine": "open"}),
    ],
)
def test_a_text_becomes_the_type_of_its_setting(name: str, text: str, value: object) -> None:
    assert config.from_text(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ascii", "yes"),
        ("threads", "4.5"),
        ("threads", ""),
        ("threads", "1\ntheme = 'x'"),
        ("nice", "many"),
        ("notify", "beep"),
        ("filters", "[1]"),
        ("threads", "9" * 5000),
        ("notify", "[" * 2000),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_does_not_fit_is_refused(name: str, text: str) -> None:
    with pytest.raises(Misused) as misused:
        config.from_text(name, text)
    assert misused.value.code == "BadConfig"


def test_an_unknown_setting_is_refused_with_those_that_are(home: Home) -> None:
    with pytest.raises(Misused) as misused:
        config.store(home, "teme", "dark")
    assert misused.value.code == "UnknownSetting"
    assert "theme" in misused.value.hint
    assert not home.config.exists()


def test_storing_keeps_comments_and_the_rest(home: Home) -> None:
    written(home, '# mine\ntheme = "light"  # easy on the eyes\n\n[filters]\nmine = "open"\n')
    assert config.store(home, "threads", "2").threads == 2
    assert config.store(home, "theme", "ansi").theme == "ansi"
    text = home.config.read_text()
    assert "# mine" in text
    assert "# easy on the eyes" in text
    assert config.load(home) == config.Settings(theme="ansi", threads=2, filters={"mine": "open"})
    assert stat.S_IMODE(home.config.stat().st_mode) == 0o600


def test_storing_into_a_broken_file_leaves_it(home: Home) -> None:
    written(home, "theme = \n")
    with pytest.raises(Misused):
        config.store(home, "threads", "2")
    assert home.config.read_text() == "theme = \n"


def test_storing_a_number_out_of_bounds_leaves_the_file(home: Home) -> None:
    with pytest.raises(Misused):
        config.store(home, "threads", "-1")
    assert not home.config.exists()


@pytest.mark.parametrize("name", ["idle-lock", "max-runs", "threads", "sandbox-memory", "sandbox-disk"])
def test_no_size_or_count_is_negative(home: Home, name: str) -> None:
    with pytest.raises(Misused):
        config.load(written(home, f"{name} = -1\n"))


def test_every_default_can_be_stored_and_read_back(home: Home) -> None:
    defaults = msgspec.to_builtins(config.Settings())
    for name, value in defaults.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        config.store(home, name, text)
    assert config.load(home) == config.Settings()


def test_a_configuration_that_is_a_link_stays_one(home: Home, tmp_path: Path) -> None:
    (tmp_path / "dotfiles.toml").write_text('theme = "light"\n')
    home.folder(home.config.parent)
    home.config.symlink_to(tmp_path / "dotfiles.toml")
    config.store(home, "threads", "2")
    assert home.config.is_symlink()
    assert config.load(home).threads == 2
