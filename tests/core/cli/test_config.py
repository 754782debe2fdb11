"""Settings by command: one order of what counts, and a wrong value named with its key."""

import subprocess

from decentralml.core.config import FIELDS


def test_path_show_set_and_check_agree(run, home) -> None:
    assert run("config", "path", "--json").data == {"path": str(home.config), "exists": False}
    assert run("config", "set", "threads", "3", "--json").data == {"name": "threads", "value": 3}
    assert run("config", "set", "account", "ada").code == 0
    shown = run("config", "show", "--json").data
    assert (shown["threads"], shown["account"]) == (3, "ada")
    assert {row["name"] for row in run("config", "check", "--json").data} == set(shown)
    assert "threads" in run("config", "check").out


def test_flags_beat_environment_beats_file(run, monkeypatch) -> None:
    run("config", "set", "chain", "local:one")
    assert run("config", "show", "--json").data["chain"] == "local:one"
    monkeypatch.setenv("DECENTRALML_CHAIN", "local:two")
    assert run("config", "show", "--json").data["chain"] == "local:two"
    assert run("config", "show", "--json", "--chain", "local:three").data["chain"] == "local:three"


def test_a_file_that_does_not_fit_is_refused_with_its_key(run, home) -> None:
    home.folder(home.config.parent)
    home.config.write_text('threads = "many"\n')
    result = run("config", "check", "--json")
    assert (result.code, result.error["code"]) == (2, "BadConfig")
    assert "threads" in result.error["message"]


def test_a_theme_that_is_not_there_is_refused_with_those_that_are(run, home) -> None:
    result = run("config", "set", "theme", "neon", "--json")
    assert (result.code, result.error["code"]) == (2, "BadConfig")
    for name in ("ansi", "colour-blind", "dark", "high-contrast", "light"):
        assert name in result.error["hint"]
        assert name in run("config", "show").out
        assert name in run("config", "set", "--help").out
    home.folder(home.config_dir)
    home.config.write_text('theme = "neon"\n')
    assert run("config", "check", "--json").error["code"] == "BadConfig"
    (home.themes / "neon.toml").write_text('primary = "#ff00ff"\n')
    assert run("config", "check", "--json").code == 0
    assert run("config", "set", "theme", "neon").code == 0


def test_help_names_every_setting(run) -> None:
    said = run("config", "set", "--help").out
    for name in FIELDS:
        assert name in said


def test_an_unknown_setting_names_the_known_ones(run) -> None:
    result = run("config", "set", "colour", "red", "--json")
    assert (result.code, result.error["code"]) == (2, "UnknownSetting")
    assert "theme" in result.error["hint"]


def test_processes_that_set_different_keys_at_once_lose_none(run, home, command) -> None:
    wanted = {"threads": 3, "nice": 7, "max-runs": 2, "idle-lock": 60, "sandbox-disk": 99, "theme": "light"}
    setting = [
        subprocess.Popen(
            command("--home", str(home.root), "config", "set", name, str(value)), stdout=subprocess.DEVNULL
        )
        for name, value in wanted.items()
    ]
    assert [process.wait(60) for process in setting] == [0] * len(wanted)
    shown = run("config", "show", "--json").data
    assert {name: shown[name] for name in wanted} == wanted


def test_a_place_that_cannot_be_written_is_said(run, home, tmp_path) -> None:
    home.folder(home.config.parent)
    home.config.symlink_to(tmp_path / "nowhere" / "dotfiles.toml")
    result = run("config", "set", "threads", "3", "--json")
    assert (result.code, result.error["code"]) == (4, "CannotWrite")
