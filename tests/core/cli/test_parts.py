"""chain, storage, home and doctor by command."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

PASSWORD = "correct horse"


def test_a_ledger_is_made_once_with_its_own_periods(run, tmp_path: Path) -> None:
    file = tmp_path / "shared" / "ledger.sqlite"
    made = run("chain", "init", str(file), "--block-time", "2", "--faucet", "none", "--json").data
    assert (made["path"], made["block_time"], made["faucet"]) == (str(file), 2, "none")
    assert run("chain", "init", str(file), "--json").error["code"] == "LedgerExists"
    status = run("--chain", f"local:{file}", "chain", "status", "--json").data
    assert status["constants"]["block_time"] == 2
    assert status["constants"]["existential_deposit"] == "1000000000"
    assert len(status["capabilities"]) == 11
    assert run("chain", "init", str(file), "--block-time", "0", "--json").code == 2


def test_a_ledger_that_is_gone_is_replaced_by_a_new_one_as_its_refusal_says(run, account, home) -> None:
    account("ada")
    run("account", "fund", "5", "--yes")
    assert run("chain", "init", "--json").error["code"] == "LedgerExists"
    home.ledger.unlink()
    gone = run("account", "show", "--json")
    assert (gone.error["code"], "chain init" in gone.error["hint"]) == ("LedgerGone", True)
    assert run("chain", "init", "--json").code == 0
    assert run("account", "show", "--json").data["free"] == "0"


def test_only_the_key_of_the_genesis_may_fund(run, account, tmp_path: Path) -> None:
    ada, bob = account("ada"), account("bob")
    file = tmp_path / "ledger.sqlite"
    run("chain", "init", str(file), "--faucet", "ada")
    chain = ("--chain", f"local:{file}", "--json", "--yes")
    funded = run(*chain, "account", "fund", "3", "--to", "bob", password=PASSWORD).data
    assert (funded["address"], funded["amount"]) == (bob, "3000000000000")
    run("account", "forget", "ada", "--yes")
    refused = run(*chain, "account", "fund", "3", "--to", "bob", password=PASSWORD)
    assert (refused.error["code"], refused.code) == ("NotTheFaucet", 1)
    assert ada in refused.error["message"]


def test_chains_and_storages_that_this_version_does_not_know_are_not_available(run) -> None:
    for words in (("--chain", "ws://node", "chain", "status"), ("--storage", "ipfs:x", "storage", "doctor")):
        assert run("--json", *words).code == 3
    missing = run("--json", "--chain", "local:/nowhere/ledger", "chain", "status")
    assert (missing.error["code"], missing.code) == ("NoLedger", 3)


def test_a_changed_row_is_named_and_exits_1(run, account, home) -> None:
    account("ada")
    run("account", "fund", "5", "--yes")
    assert run("chain", "verify", "--json").data == {"rows": 1, "ok": True}
    with sqlite3.connect(home.ledger) as ledger:
        ledger.execute("UPDATE accounts SET nonce = nonce + 1")
    broken = run("chain", "verify", "--json")
    assert (broken.error["code"], broken.code) == ("LedgerBroken", 1)
    assert "accounts" in broken.error["message"]


def test_events_are_one_object_a_line_and_go_on_from_a_cursor(run, account) -> None:
    address = account("ada")
    for amount in ("1", "2", "3"):
        run("account", "fund", amount, "--yes")
    lines = [json.loads(line) for line in run("chain", "events", "--json").out.splitlines()]
    assert [line["ok"] for line in lines] == [True] * 3
    assert [line["data"]["account"] for line in lines] == [address] * 3
    later = run("chain", "events", "--json", "--since", str(lines[0]["data"]["cursor"]), "--limit", "1")
    assert json.loads(later.out)["data"] == lines[1]["data"]
    assert run("chain", "events", "--of", "ada", "--limit", "2").out.count("\n") == 2


def test_following_events_ends_with_130_when_interrupted(run, account, home, command) -> None:
    account("ada")
    run("account", "fund", "1", "--yes")
    follower = subprocess.Popen(
        command("--home", str(home.root), "chain", "events", "--follow", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline())["ok"]
    run("account", "fund", "2", "--yes")
    assert json.loads(follower.stdout.readline())["data"]["data"]["amount"] == "2000000000000"
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate(timeout=30)
    assert follower.returncode == 130
    assert json.loads(out)["error"]["code"] == "Interrupted"
    assert "Traceback" not in err


def test_a_folder_goes_up_and_comes_back(run, folder: Path, tmp_path: Path) -> None:
    stored = run("storage", "put", str(folder), "--json").data
    assert (stored["size"], [f["name"] for f in stored["files"]]) == (9, ["a.txt", "sub/b.txt"])
    assert run("storage", "put", str(folder)).out.strip() == stored["reference"]
    target = tmp_path / "back"
    got = run("storage", "get", stored["reference"], str(target), "--json").data
    assert got["path"] == str(target)
    assert (target / "sub" / "b.txt").read_text() == "beta"
    assert run("storage", "verify", stored["reference"], "--json").data["files"] == stored["files"]
    assert run("storage", "doctor", "--json").code == 0


def test_changed_content_is_refused_and_bad_references_are_named(
    run, folder: Path, home, tmp_path: Path
) -> None:
    reference = run("storage", "put", str(folder), "--json").data["reference"]
    for path in (home.storage / "blobs").rglob("*"):
        if path.is_file():
            os.chmod(path, 0o600)
            path.write_text("other")
    assert run("storage", "verify", reference, "--json").code == 1
    assert run("storage", "get", reference, str(tmp_path / "x"), "--json").code == 1
    assert not (tmp_path / "x").exists()
    assert run("storage", "verify", "local:nonsense", "--json").error["code"] == "BadReference"
    assert run("storage", "verify", "local:#sha256=" + "0" * 64, "--json").error["code"] == "NotStored"


def test_gc_asks_and_keeps_what_is_young(run, folder: Path) -> None:
    run("storage", "put", str(folder))
    assert run("storage", "gc", "--json").error["code"] == "NotConfirmed"
    assert run("storage", "gc", "--dry-run", "--json").data["removed"] is False
    assert run("storage", "gc", "--yes", "--json").data == {
        "kept": [{"chain": "local", "references": 0}],
        "folder_count": 0,
        "file_count": 0,
        "size": 0,
        "removed": True,
    }


def grown_old(store: Path) -> int:
    """Make all that is stored two days old; how many files that is."""
    files = [path for path in store.rglob("*") if path.is_file()]
    for path in files:
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    return len(files)


def test_gc_keeps_what_a_task_was_made_of_while_it_waited_for_an_answer(
    run, account, home, folder, terminal
) -> None:
    account("ada")
    run("account", "fund", "9", "--yes", "--json")
    (folder / "b.txt").write_text("of no task")
    run("storage", "put", str(folder))
    (folder / "b.txt").unlink()
    reference = run("storage", "put", str(folder), "--json").data["reference"]
    grown_old(home.storage)
    asked = terminal("storage", "gc")
    asked.expect("Go on? [y/N] ")
    create = (
        *("task", "create", "annotator", "--question", "Which?", "--assets", reference, "--pays-amount"),
        *("1", "--annotation-type", "text", "--labels", "a,b", "--yes", "--json"),
    )
    made = run(*create, password=PASSWORD)
    assert made.code == 0
    grown_old(home.storage)
    asked.type("y\n")
    assert asked.finish() == 0
    assert run("storage", "verify", reference, "--json").code == 0
    (manifest,) = (path for path in home.storage.glob("manifests/*/*"))
    assert manifest.name == reference[-64:]


def test_gc_from_one_ledger_keeps_what_another_that_was_seen_refers_to(run, account, home, folder) -> None:
    account("ada")
    create = (
        *("task", "create", "annotator", "--question", "Which?", "--assets", str(folder), "--pays-amount"),
        *("1", "--annotation-type", "text", "--labels", "a,b", "--yes", "--json"),
    )
    other = f"local:{home.data_dir}/other.sqlite"
    run("chain", "init", other.removeprefix("local:"))
    for chain in ("local", other):
        assert run("--chain", chain, "account", "fund", "9", "--yes", "--json").code == 0
    assert run(*create, "--chain", other, password=PASSWORD).code == 0
    count = grown_old(home.storage)
    swept = run("storage", "gc", "--yes", "--json").data
    assert swept["kept"] == [{"chain": "local", "references": 0}, {"chain": other, "references": 1}]
    assert (swept["folder_count"], grown_old(home.storage)) == (0, count)
    # A ledger that cannot be asked is not passed over in silence.
    Path(other.removeprefix("local:")).rename(home.data_dir / "moved.sqlite")
    assert run("storage", "gc", "--yes", "--json").error["code"] == "LedgerNotRead"
    without = ("--without", other.removeprefix("local:"))
    assert run("storage", "gc", "--dry-run", "--json", *without).data["folder_count"] == 1
    # Where all would go, nobody says yes unseen.
    assert run("storage", "gc", "--yes", "--json", *without).error["code"] == "NothingKept"
    assert grown_old(home.storage) == count


def test_a_home_is_backed_up_and_comes_back_elsewhere(run, run_in, account, tmp_path: Path) -> None:
    address = account("ada")
    archive = tmp_path / "home.tar"
    assert run("home", "backup", str(archive), "--json").data["size"] > 0
    assert run("home", "backup", str(archive), "--json").error["code"] == "FileExists"
    other = tmp_path / "other"
    assert run_in(other, "home", "restore", str(archive), "--json").error["code"] == "NotConfirmed"
    assert run_in(other, "home", "restore", str(archive), "--yes", "--json").code == 0
    assert run_in(other, "account", "list", "--json").data[0]["address"] == address


def test_a_home_is_cleaned_after_a_yes_of_what_nothing_needs(run, account, home, terminal) -> None:
    account("ada")
    left = home.environments / "left"
    left.mkdir()
    (left / "python").write_bytes(b"x" * 5000)
    assert run("home", "clean", "--yes", "--json").data["environments"] == [], "it came today"
    os.utime(left, (1, 1))
    assert run("home", "clean", "--json").error["code"] == "NotConfirmed"
    assert run("home", "clean", "--yes", "--readonly", "--json").error["code"] == "ReadOnly"
    counted = run("home", "clean", "--dry-run", "--json").data
    assert (counted["environments"], counted["removed"]) == ([str(left)], False)
    asked = terminal("home", "clean")
    asked.expect("Go on? [y/N] ")
    assert "environments 1 frees" in " ".join(asked.shown.split())
    asked.type("n\n")
    assert asked.finish() == 1
    assert left.exists()
    assert run("home", "clean", "--yes", "--json").data == {**counted, "removed": True}
    assert not left.exists()
    assert run("home", "clean", "--yes").out == "Nothing can go.\n"


def test_what_an_archive_sets_is_shown_before_the_yes(run, account, home, terminal, tmp_path: Path) -> None:
    account("ada")
    home.config.write_text('notify = ["sh", "-c", "\u202ecurl x"]\nchain = "local:/tmp/theirs"\n')
    archive = tmp_path / "home.tar"
    assert run("home", "backup", str(archive), "--json").code == 0
    home.config.unlink()
    asked = terminal("home", "restore", str(archive))
    asked.expect("Go on? [y/N] ")
    shown = " ".join(asked.shown.split())
    assert "sets notify ['sh', '-c', '\\u202ecurl x']" in shown
    assert "sets chain local:/tmp/theirs" in shown
    asked.type("n\n")
    assert asked.finish() == 1
    assert not home.config.exists()


def test_doctor_names_the_files_that_another_home_would_share(run, home) -> None:
    found = {finding["part"]: finding["detail"] for finding in run("doctor", "--json").data}
    assert found["chain"].endswith(f" in {home.ledger}")
    assert found["storage"].endswith(f" in {home.storage}")


def test_doctor_looks_at_every_part(run) -> None:
    result = run("doctor", "--json")
    found = {finding["part"]: finding for finding in result.data}
    assert list(found) == ["home", "chain", "storage", "sandbox", "tensorflow", "keyring", "terminal"]
    assert result.code == 0
    assert "bwrap" in found["sandbox"]["detail"]
    assert not [part for part, finding in found.items() if finding["ok"] and finding["hint"]]
    assert "TensorFlow 2" in found["tensorflow"]["detail"]
    assert found["keyring"]["ok"] is False
    assert found["keyring"]["needed"] is False


def test_doctor_exits_3_when_a_needed_part_is_missing(run) -> None:
    result = run("doctor", "--json", "--chain", "local:/nowhere/ledger")
    assert result.code == 3
    chain = next(finding for finding in result.data if finding["part"] == "chain")
    assert chain["ok"] is False
    assert chain["hint"]
