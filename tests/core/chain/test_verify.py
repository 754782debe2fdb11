"""`verify` names the first row that does not fit, whatever was changed in the file."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain import codec
from decentralml.core.chain.calls import CloseTask
from decentralml.core.chain.ledger import Ledger, verify_file
from decentralml.core.cli.main import main
from decentralml.core.errors import DecentralMLError, Failed, Refused
from decentralml.core.paths import Home

# Every table but the genesis, and the column by which its rows are named.
KEYS = {
    "extrinsics": "row",
    "accounts": "address",
    "tasks": "id",
    "terms": "task_id",
    "submissions": "id",
    "events": "cursor",
    "event_accounts": "account, cursor",
    "movements": "cursor",
}


@pytest.fixture
def copy(played: Any, tmp_path: Path) -> Path:
    """A copy of a ledger with every call in it."""
    return Path(shutil.copy(played[0], tmp_path / "ledger.sqlite"))


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def name(table: str, row: dict[str, Any]) -> str:
    return " ".join(str(row[key.strip()]) for key in KEYS[table].split(","))


def flipped(value: object) -> object:
    """Something else of the same kind."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + 1_000_000
    if isinstance(value, bytes):
        return value[:-2] + bytes([value[-2] ^ 1]) + value[-1:]
    assert isinstance(value, str)
    return value[:-1] + ("x" if value[-1:] != "x" else "y")


# What no honest row has anywhere, as SQL.
OTHER_KINDS = ("'x'", "x'78'", "1.5", "NULL", "CAST(x'ff' AS TEXT)", "-9223372036854775808")


def someone(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT address FROM accounts").fetchone()[0])


def columns_of(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return columns(connection, table)


def test_a_ledger_with_every_call_is_green(copy: Path, played: Any) -> None:
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    assert (report.ok, report.rows, report.table) == (True, 24 + 1, None)
    ledger.close()


def flips(path: Path, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every column of the first, a middle and the last row."""
    connection = sqlite3.connect(path)
    names = columns(connection, table)
    rows = connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]}").fetchall()
    connection.close()
    for place in sorted({0, len(rows) // 2, len(rows) - 1}):
        for column in names:
            yield column, dict(zip(names, rows[place], strict=True))


def change(path: Path, statement: str, values: tuple[Any, ...] = ()) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute(statement, values).rowcount > 0
    connection.commit()
    connection.close()


@pytest.mark.parametrize("table", KEYS)
def test_any_flipped_column_of_any_row_is_named(copy: Path, table: str) -> None:
    for column, row in list(flips(copy, table)):
        where = " AND ".join(f"{key.strip()} = ?" for key in KEYS[table].split(","))
        keys = tuple(row[key.strip()] for key in KEYS[table].split(","))
        change(copy, f"UPDATE {table} SET {column} = ? WHERE {where}", (flipped(row[column]), *keys))
        report = verify_file(copy)
        assert not report.ok
        assert (report.table, report.row) == (table, name(table, row)), (column, report)
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        moved = {**row, column: flipped(row[column])}
        keys = tuple(moved[key.strip()] for key in KEYS[table].split(","))
        change(copy, f"DELETE FROM {table} WHERE {where}", keys)
        change(copy, f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    assert verify_file(copy).ok


@pytest.mark.parametrize("table", KEYS)
def test_a_column_of_another_kind_is_named_in_the_last_row_too(copy: Path, table: str) -> None:
    whole = copy.read_bytes()
    keys = [key.strip() for key in KEYS[table].split(",")]
    where = " AND ".join(f"{key} = ?" for key in keys)
    tried = 0
    for column, row in list(flips(copy, table))[-len(columns_of(copy, table)) :]:
        for other in OTHER_KINDS:
            values = [row[key] for key in keys]
            with closing(sqlite3.connect(copy)) as connection:
                same = connection.execute(f"SELECT {column} IS {other} FROM {table} WHERE {where}", values)
                if same.fetchone() == (1,):
                    continue
                try:
                    connection.execute(f"UPDATE {table} SET {column} = {other} WHERE {where}", values)
                except sqlite3.IntegrityError:  # a column that takes nothing else
                    continue
                connection.commit()
            report = verify_file(copy)
            assert (report.ok, report.table) == (False, table), (column, other, report)
            # A key that sorts elsewhere now shows at the first row that it comes before.
            assert column in keys or report.row == name(table, row), (column, other, report)
            copy.write_bytes(whole)
            tried += 1
    assert tried > len(keys)
    assert verify_file(copy).ok


@pytest.mark.parametrize("block", ["'x'", "1.5", "block + 1000000000"])
def test_a_last_row_that_no_ledger_opens_is_named_by_the_command(
    copy: Path, home: Home, capsys: pytest.CaptureFixture[str], block: str
) -> None:
    change(copy, f"UPDATE extrinsics SET block = {block} WHERE row = 25")
    with pytest.raises(DecentralMLError) as caught:
        Ledger(copy)
    assert caught.value.code in ("LedgerDamaged", "ClockBehind")
    assert main(["--home", str(home.root), "--chain", f"local:{copy}", "chain", "verify"]) == 1
    assert "LedgerBroken: extrinsics, row 25: " in capsys.readouterr().err


@pytest.mark.parametrize("column", ["free", "held", "nonce"])
def test_a_balance_that_is_none_is_a_damaged_ledger(copy: Path, played: Any, column: str) -> None:
    change(copy, f"UPDATE accounts SET {column} = 'x'")
    ledger = Ledger(copy, now=played[1])
    for read in (lambda: ledger.balance(someone(copy)), ledger.total_issuance):
        with pytest.raises(Failed) as caught:
            read()
        assert caught.value.code == "LedgerDamaged"
    ledger.close()


@pytest.mark.parametrize("table", [table for table in KEYS if table != "event_accounts"])
def test_two_swapped_rows_are_named_by_the_first(copy: Path, played: Any, table: str) -> None:
    connection = sqlite3.connect(copy)
    names = columns(connection, table)
    first, second = connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]} LIMIT 2").fetchall()
    key = names.index(KEYS[table].split(",")[0])
    connection.execute(f"DELETE FROM {table} WHERE {names[key]} IN (?, ?)", (first[key], second[key]))
    marks = ", ".join("?" * len(names))
    for one, other in ((first, second), (second, first)):
        swapped = tuple(one[i] if i == key else other[i] for i in range(len(names)))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", swapped)
    connection.commit()
    connection.close()
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    ledger.close()
    row = dict(zip(names, first, strict=True))
    assert (report.ok, report.table, report.row) == (False, table, name(table, row))


@pytest.mark.parametrize("table", KEYS)
def test_a_missing_row_is_named(copy: Path, played: Any, table: str) -> None:
    connection = sqlite3.connect(copy)
    names = columns(connection, table)
    rows = connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]}").fetchall()
    connection.close()
    row = dict(zip(names, rows[len(rows) // 2], strict=True))
    keys = [key.strip() for key in KEYS[table].split(",")]
    change(
        copy,
        f"DELETE FROM {table} WHERE " + " AND ".join(f"{key} = ?" for key in keys),
        tuple(row[key] for key in keys),
    )
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    ledger.close()
    assert (report.ok, report.table, report.row) == (False, table, name(table, row))


@pytest.mark.parametrize("table", [table for table in KEYS if table != "extrinsics"])
def test_a_row_that_nobody_signed_is_named(copy: Path, played: Any, table: str) -> None:
    connection = sqlite3.connect(copy)
    names = columns(connection, table)
    last = connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS[table]} DESC LIMIT 1").fetchone()
    row = dict(zip(names, last, strict=True))
    row[KEYS[table].split(",")[0]] = flipped(row[KEYS[table].split(",")[0]])
    if table == "submissions":
        row["worker"] = "5x"
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    connection.commit()
    connection.close()
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    ledger.close()
    assert (report.ok, report.table) == (False, table)
    # Another account of an event may sort before those that belong there, and shows at the first of these.
    assert table == "event_accounts" or report.row == name(table, row)


def relink(connection: sqlite3.Connection) -> None:
    """Make the hash chain whole again, as somebody who rewrites the file would."""
    (genesis,) = connection.execute("SELECT body FROM genesis").fetchone()
    link = codec.sha256(genesis)
    for row, block, body in connection.execute(
        "SELECT row, block, body FROM extrinsics ORDER BY row"
    ).fetchall():
        link = codec.link(link, row, block, body)
        connection.execute(
            "UPDATE extrinsics SET link = ?, hash = ? WHERE row = ?", (link, codec.sha256(body), row)
        )


def test_a_forged_call_in_a_whole_chain_of_hashes_lacks_its_signature(copy: Path, played: Any) -> None:
    connection = sqlite3.connect(copy)
    (body,) = connection.execute("SELECT body FROM extrinsics WHERE row = 5").fetchone()
    forged = body.replace(b'"pays_amount":5000000000000', b'"pays_amount":4000000000000')
    assert forged != body
    connection.execute("UPDATE extrinsics SET body = ? WHERE row = 5", (forged,))
    relink(connection)
    connection.commit()
    connection.close()
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    ledger.close()
    assert (report.table, report.row) == ("extrinsics", "5")
    assert report.why is not None
    assert "signature" in report.why


def test_a_call_taken_out_of_a_whole_chain_of_hashes_is_named(copy: Path, played: Any) -> None:
    connection = sqlite3.connect(copy)
    connection.execute("DELETE FROM extrinsics WHERE row = 7")
    connection.execute("UPDATE extrinsics SET row = row - 1 WHERE row > 7")
    relink(connection)
    connection.commit()
    connection.close()
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    ledger.close()
    assert (report.ok, report.table, report.row) == (False, "extrinsics", "7")


def test_a_signed_call_that_the_rules_refuse_is_named(copy: Path, played: Any, key: Any) -> None:
    """Written into the file past the ledger, by somebody whose key and nonce are right."""
    ledger = Ledger(copy, now=played[1])
    closed_already = ledger.sign(CloseTask(2), key("creator"))
    block = ledger.head().block
    ledger.close()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(
            "INSERT INTO extrinsics SELECT 26, ?, ?, ?, '', '', max(cursor) + 1, ? FROM events",
            (block, closed_already.signer, closed_already.nonce, closed_already.body),
        )
        relink(connection)
        connection.commit()
    report = verify_file(copy)
    assert (report.ok, report.table, report.row) == (False, "extrinsics", "26")
    assert report.why is not None
    assert "closed" in report.why


def test_a_home_refuses_a_tail_that_was_cut_and_one_that_was_rewritten(copy: Path, played: Any) -> None:
    seen, whole = copy.parent / "seen.json", copy.parent / "whole.sqlite"
    Ledger(copy, seen=seen, now=played[1]).close()
    shutil.copy(copy, whole)
    for statement in (
        "DELETE FROM extrinsics WHERE row > 20",
        "UPDATE extrinsics SET block = block + 1 WHERE row = 25",
    ):
        connection = sqlite3.connect(copy)
        connection.execute(statement)
        relink(connection)
        connection.commit()
        connection.close()
        with pytest.raises(Refused) as caught:
            Ledger(copy, seen=seen, now=played[1])
        assert caught.value.code == "LedgerRewritten"
        shutil.copy(whole, copy)
    Ledger(copy, seen=seen, now=played[1]).close()


def test_a_tail_cut_under_an_open_ledger_is_refused(copy: Path, played: Any) -> None:
    ledger = Ledger(copy, now=played[1])
    change(copy, "DELETE FROM extrinsics WHERE row > 20")
    with pytest.raises(Refused) as caught:
        ledger.head()
    assert caught.value.code == "LedgerRewritten"
    ledger.close()


def test_a_rewritten_genesis_is_another_chain(copy: Path, played: Any) -> None:
    change(copy, "UPDATE genesis SET body = replace(CAST(body AS TEXT), 'open', 'none')")
    with pytest.raises(Failed) as caught:
        Ledger(copy, now=played[1])
    assert caught.value.code == "LedgerDamaged"
    change(copy, "UPDATE genesis SET body = CAST(body AS BLOB)")
    ledger = Ledger(copy, now=played[1])
    report = ledger.verify()
    assert (report.table, report.row) == ("extrinsics", "1")
    ledger.close()


def test_a_derived_row_that_cannot_be_read_is_a_damaged_ledger(copy: Path, played: Any) -> None:
    change(copy, "UPDATE submissions SET status = 99")
    change(copy, "UPDATE terms SET body = x'7b'")
    ledger = Ledger(copy, now=played[1])
    for read in (lambda: ledger.submission(1), lambda: ledger.task(1)):
        with pytest.raises(Failed) as caught:
            read()
        assert caught.value.code == "LedgerDamaged"
    ledger.close()


def test_a_trigger_slipped_into_the_file_is_refused(copy: Path, played: Any) -> None:
    connection = sqlite3.connect(copy)
    connection.execute("CREATE TRIGGER evil AFTER INSERT ON events BEGIN DELETE FROM accounts; END")
    connection.close()
    with pytest.raises(Failed) as caught:
        Ledger(copy, now=played[1])
    assert caught.value.code == "LedgerDamaged"
