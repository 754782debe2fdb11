"""Accounts by command: made, shown, exported, funded, signed with, and no secret ever printed unasked."""

import json
import os
import stat
from pathlib import Path

import pytest

from decentralml.core.signing import decode_address, encode_address

PASSWORD = "correct horse"
WORDS = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
ALICE_ROOT = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"


def test_an_account_is_made_shown_exported_forgotten_and_comes_back(run, tmp_path: Path) -> None:
    made = run("account", "create", "ada", "--json", password=PASSWORD).data
    assert made["mnemonic"] is None
    assert [a["name"] for a in run("account", "list", "--json").data] == ["ada"]
    for name in ("ada", "ADA"):
        assert run("account", "show", name, "--json").data["address"] == made["address"]
    exported = tmp_path / "ada.json"
    assert run("account", "export", "ada", "--to", str(exported), "--json").code == 0
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    assert run("account", "export", "ada", "--to", str(exported), "--json").error["code"] == "FileExists"
    assert run("account", "forget", "ada", "--yes", "--json").code == 0
    assert run("account", "list", "--json").data == []
    back = run("account", "import", "ada", "--json-file", str(exported), "--json", password=PASSWORD)
    assert back.data["address"] == made["address"]


def test_the_words_are_shown_only_where_they_were_asked_for(run) -> None:
    shown = run("account", "create", "ada", "--show-mnemonic", "--json", password=PASSWORD).data
    assert len(shown["mnemonic"].split()) == 12
    hidden = run("account", "create", "bob", password=PASSWORD)
    assert "mnemonic was not shown" in hidden.err
    assert not [
        line for line in (hidden.out + hidden.err).splitlines() if len(line.split()) == 12 and "." not in line
    ]


@pytest.mark.parametrize(
    ("option", "secret"),
    [
        ("--mnemonic", WORDS),
        ("--seed", "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e"),
    ],
)
def test_secrets_come_in_by_pipe_and_never_come_out(run, option: str, secret: str) -> None:
    read, write = os.pipe()
    os.write(write, f"{secret}\n".encode())
    os.close(write)
    kept = os.dup(0)
    os.dup2(read, 0)
    try:
        result = run("account", "import", "ada", option, "--json", password=PASSWORD)
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(read)
    assert result.data["address"] == ALICE_ROOT
    assert secret not in result.out + result.err
    assert PASSWORD not in result.out + result.err


def test_a_wrong_password_is_its_own_error(run, account) -> None:
    account("ada")
    result = run("account", "sign", "hello", "--yes", "--json", password="wrong")
    assert (result.code, result.error["code"]) == (1, "WrongPassword")


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("account", "create", "ada"), "NameTaken", 1),
        (("account", "create", "a/b"), "BadName", 2),
        (("account", "show", "nobody"), "UnknownName", 3),
        (("account", "show", "1FRMM8PEiWXYax7rpS6X4XZX1aAAxSWx1CrKTyrVYhV24fg"), "OtherChain", 2),
        (("account", "forget", "nobody"), "UnknownAccount", 3),
        (("account", "fund", "1e999"), "BadAmount", 2),
        (("account", "fund", "-1"), "Usage", 2),
        (("account", "fund", "0"), "BadGrant", 1),
        (("account", "import", "bob", "--json-file", "nowhere"), "NoSuchFile", 2),
        (("account", "remember", "on"), "NoKeyring", 3),
        (("--password-fd", "99", "account", "sign", "x"), "BadDescriptor", 2),
        (("--account", "nobody", "account", "sign", "x"), "UnknownAccount", 3),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(run, account, words, code: str, exit_code: int) -> None:
    account("ada")
    lines = () if "--password-fd" in words else (PASSWORD, PASSWORD)
    result = run("--json", "--yes", *words, lines=lines)
    assert (result.error["code"], result.code) == (code, exit_code)


def test_without_an_account_the_hint_says_how_to_make_one(run) -> None:
    result = run("account", "show", "--json")
    assert (result.error["code"], result.code) == ("NoAccount", 3)
    assert "account create" in result.error["hint"]


def test_with_several_accounts_one_must_be_named(run, account) -> None:
    ada, bob = account("ada"), account("bob")
    result = run("account", "show", "--json")
    assert (result.error["code"], result.code) == ("WhichAccount", 2)
    assert run("account", "show", "--json", "--account", "bob").data["address"] == bob
    run("config", "set", "account", "ada")
    assert run("account", "show", "--json").data["address"] == ada


def test_a_signature_is_verified_and_a_changed_message_is_not(run, account, tmp_path: Path) -> None:
    address = account("ada")
    signed = run("account", "sign", "hello", "--yes", "--json", password=PASSWORD).data
    assert signed["address"] == address
    check = ("account", "verify", signed["signature"])
    assert run(*check, "hello", "--from", "ada", "--json").data["valid"] is True
    assert run(*check, "hello!", "--from", "ada", "--json").error["code"] == "WrongSignature"
    for text in ("0xzz", "0x12", signed["signature"][:-2]):
        assert run("account", "verify", text, "hello", "--json").error["code"] == "BadSignature"
    (tmp_path / "message").write_text("hello")
    assert run(*check, "--file", str(tmp_path / "message"), "--from", address, "--json").code == 0


def test_the_password_is_changed(run, account) -> None:
    account("ada")
    assert run("account", "password", "--json", lines=(PASSWORD, "battery staple")).code == 0
    assert run("account", "sign", "x", "--yes", "--json", password=PASSWORD).error["code"] == "WrongPassword"
    assert run("account", "sign", "x", "--yes", "--json", password="battery staple").code == 0


def test_funding_shows_in_balance_and_history(run, account) -> None:
    account("ada")
    funded = run("account", "fund", "2.5", "--yes", "--json").data
    assert (funded["amount"], funded["free"], funded["stage"]) == (
        "2500000000000",
        "2500000000000",
        "finalised",
    )
    run("account", "fund", "1000", "--yes")
    history = run("account", "history", "--json").data
    assert [movement["free"] for movement in history] == ["2500000000000", "1000000000000000"]
    lines = run("account", "history", "--csv").out.splitlines()
    assert lines[0] == "block,name,task_id,submission_id,free,held"
    assert [line.split(",")[4] for line in lines[1:]] == ["2.50", "1000.00"]
    assert run("account", "history", "--since", str(history[0]["cursor"]), "--json").data == history[1:]
    told = run("account", "history").out
    assert ("from the faucet" in told, "Funded" in told) == (True, False)
    assert "amount=2.50 " in run("chain", "events").out


def test_a_key_file_of_another_network_is_refused_with_the_way_to_take_it(
    run, account, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    exported = run("account", "export", account("ada") and "ada", "--json").data["export"]
    run("account", "forget", "ada", "--yes")
    file.write_text(
        json.dumps({**exported, "address": encode_address(decode_address(exported["address"]), 0)})
    )
    taking = ("account", "import", "ada", "--json-file", str(file), "--json")
    refused = run(*taking, password=PASSWORD).error
    assert refused["code"] == "OtherChain"
    assert "--any-prefix" in refused["hint"]
    assert run(*taking, "--any-prefix", password=PASSWORD).data["address"] == exported["address"]


def test_names_stand_for_addresses(run, account) -> None:
    address = account("ada")
    assert run("account", "book", "add", "alice", ALICE_ROOT, "--json").code == 0
    assert run("account", "book", "list", "--json").data == [{"name": "alice", "address": ALICE_ROOT}]
    for name in ("alice", "ALICE"):
        assert run("account", "show", name, "--json").data["address"] == ALICE_ROOT
    assert run("account", "fund", "1", "--to", "alice", "--yes", "--json").data["address"] == ALICE_ROOT
    assert run("account", "book", "remove", "alice", "--json").data["address"] == ALICE_ROOT
    assert run("account", "show", "alice", "--json").error["code"] == "UnknownName"
    assert run("account", "rename", "ada", "Ada L", "--json").data["address"] == address


def test_a_damaged_key_file_is_named_and_the_others_work(run, account, home) -> None:
    account("ada")
    (home.accounts / "bob.json").write_text('{"half')
    listed = run("account", "list", "--json").data
    assert [(a["name"], a["error"] and a["error"]["code"]) for a in listed] == [
        ("ada", None),
        ("bob", "HalfWrittenKeyFile"),
    ]
    assert listed[0].keys() == listed[1].keys()
    assert "bob.json" in run("account", "list").err


def test_a_name_that_cannot_be_is_refused_before_a_password_is_asked(run, account) -> None:
    account("ada")
    # Nobody could be asked here.
    assert run("account", "create", "Ada", "--json").error["code"] == "NameTaken"
    assert run("account", "import", "ada", "--mnemonic", "--json").error["code"] == "NameTaken"
    assert run("account", "create", "a/b", "--json").error["code"] == "BadName"


def test_a_name_that_nobody_has_is_said_to_be_none(run) -> None:
    refused = run("account", "fund", "1", "--to", "nobody", "--json", "--yes")
    assert refused.error["code"] == "UnknownName"
    assert "account list" in refused.error["hint"]


def test_no_secret_is_in_any_file_but_encrypted(run, account, home) -> None:
    account("ada")
    run("account", "sign", "x", "--yes", "--json", password=PASSWORD)
    for path in home.data_dir.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()
            assert path.parent.name == "ledger" or not path.stat().st_mode & 0o077, path
    assert json.loads((home.accounts / "ada.json").read_text())["encoding"]["type"][0] == "scrypt"
