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


def test_an_unknown_setting_names_the_known_ones(run) -> None:
    result = run("config", "set", "colour", "red", "--json")
    assert (result.code, result.error["code"]) == (2, "UnknownSetting")
    assert "theme" in result.error["hint"]
