"""Kept work: a record is there whole or not at all, and one process writes."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from estimator.errors import OutputError
from estimator.store import journal as module
from estimator.store.journal import Journal, Record, key_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path, "sweep") as journal:
        yield journal


def keys(journal: Journal, kind: str = "set") -> list[str]:
    return [key for key, _, _ in journal.facts(kind)]


# What is kept comes back


def test_records_come_back_by_kind_in_the_order_of_key_and_number(journal: Journal) -> None:
    records = [
        Record("set", "b", {"ess": 1.5}, b"content"),
        Record("world", "a", ["x"], None, 10),
        Record("world", "a", None, b"", 9),
    ]
    journal.keep(records)
    assert list(journal.records("world")) == [records[2], records[1]]
    assert list(journal.facts("set")) == [("b", 0, {"ess": 1.5})]
    assert journal.record("set", "b") == records[0]
    assert journal.record("set", "a") is None


def test_a_record_that_is_kept_again_replaces_the_first(journal: Journal) -> None:
    for content in (b"first", b"second"):
        journal.keep([Record("set", "a", content=content)])
    assert [record.content for record in journal.records("set")] == [b"second"]


def test_what_is_forgotten_is_gone_and_nothing_else(journal: Journal) -> None:
    journal.keep(Record(kind, key) for kind in ("fit", "set") for key in "abc")
    journal.forget("set", ["b", "unknown"])
    assert keys(journal) == ["a", "c"]
    journal.forget("set")
    assert (keys(journal), keys(journal, "fit")) == ([], ["a", "b", "c"])
    journal.forget_all()
    assert keys(journal, "fit") == []


def test_work_of_other_facts_or_other_versions_has_another_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = key_of("set", {"draws": 100})
    assert before == key_of("set", {"draws": 100})
    assert before != key_of("set", {"draws": 101})
    monkeypatch.setattr(module, "versions", lambda: {"nutpie": "0"})
    assert before != key_of("set", {"draws": 100})


# Who may write


def test_what_was_kept_is_there_when_opened_again(path: Path) -> None:
    with Journal(path, "sweep") as journal:
        journal.keep([Record("set", "a")])
    with Journal(path, "sweep") as journal:
        assert keys(journal) == ["a"]
        with Journal(path, "sweep", read_only=True) as reader:
            assert keys(reader) == ["a"]
            with pytest.raises(OutputError, match="readonly"):
                reader.keep([Record("set", "b")])


def test_a_folder_without_a_journal_is_not_made_by_looking(path: Path) -> None:
    with (
        pytest.raises(OutputError, match="cannot be opened"),
        Journal(path, "sweep", read_only=True),
    ):
        pass
    assert not path.parent.exists()


def test_a_closed_journal_says_so(path: Path) -> None:
    with Journal(path, "sweep") as journal:
        pass
    with pytest.raises(RuntimeError, match="not open"):
        journal.keep([])


PRELUDE = """
import os, resource, signal, sys
from pathlib import Path
from estimator.errors import OutputError
from estimator.store.journal import Journal, Record
def opened():
    return Journal(Path(sys.argv[1]), 'sweep')
"""


def in_another_process(path: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", PRELUDE + program, str(path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_writer_into_the_folder_is_refused_until_the_first_ends(path: Path) -> None:
    program = "with opened(): print('in')"
    with Journal(path, "sweep"):
        refused = in_another_process(path, program)
        with (
            pytest.raises(OutputError, match="another sweep is writing here"),
            Journal(path, "sweep"),
        ):
            pass
    assert "another sweep is writing here" in refused.stderr
    assert refused.stdout == ""
    assert in_another_process(path, program).stdout == "in\n"


def test_a_kill_in_the_middle_leaves_none_of_the_records_or_all(path: Path) -> None:
    program = """
journal = opened().__enter__()
journal.keep([Record('set', 'a'), Record('set', 'b')])
def records():
    yield Record('set', 'c')
    yield Record('set', 'd')
    os.kill(os.getpid(), signal.SIGKILL)
journal.keep(records())
"""
    assert in_another_process(path, program).returncode == -signal.SIGKILL
    with Journal(path, "sweep") as journal:
        assert keys(journal) == ["a", "b"]
        journal.keep([Record("set", "c")])
        assert keys(journal) == ["a", "b", "c"]


def test_a_full_disk_is_told_and_what_was_finished_stays(path: Path) -> None:
    program = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with opened() as journal:
    journal.keep([Record('set', 'a', content=b'whole')])
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        journal.keep([Record('set', 'b'), Record('set', 'c', content=os.urandom(400_000))])
    except OutputError as error:
        print(error)
    print([key for key, _, _ in journal.facts('set')])
"""
    done = in_another_process(path, program)
    assert done.stderr == ""
    message, finished = done.stdout.splitlines()
    assert message.startswith(f"{path}: cannot be written (")
    assert message.endswith("what is finished is kept")
    assert finished == "['a']"
    with Journal(path, "sweep") as journal:
        assert list(journal.records("set")) == [Record("set", "a", content=b"whole")]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be opened"), Journal(path, "sweep"):
        pass
    tmp_path.chmod(0o700)


def test_a_file_that_is_no_journal_is_told_and_nothing_is_held(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no journal " * 1000)
    for _ in range(2):  # the lock is free again
        with pytest.raises(OutputError, match="cannot be opened"), Journal(path, "sweep"):
            pass
    path.unlink()
    with Journal(path, "sweep") as journal:
        assert keys(journal) == []


def test_a_journal_of_an_earlier_version_is_begun_anew_with_a_line(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as earlier:
        earlier.execute("create table sets (set_id text primary key)")
        earlier.execute("insert into sets values ('a')")
    earlier.close()
    with Journal(path, "sweep") as journal:
        assert keys(journal) == []
        journal.keep([Record("set", "b")])
    assert [line.getMessage() for line in caplog.records] == [
        f"{path}: of an earlier version, begun anew"
    ]
    with Journal(path, "sweep") as journal:
        assert keys(journal) == ["b"]


# Damage


def test_a_byte_that_changed_is_told_or_changes_nothing(path: Path) -> None:
    records = [
        Record("set", f"{n}", {"failures": "ünlike" * 5}, bytes([n] * 40)) for n in range(90)
    ]
    with Journal(path, "sweep") as journal:
        journal.keep(records)
    content, told = path.read_bytes(), 0
    for place in range(0, len(content), len(content) // 150):
        path.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            with Journal(path, "sweep", read_only=True) as journal:
                assert sorted(journal.records("set"), key=lambda r: int(r.key)) == records
        except OutputError as error:
            told += 1
            assert str(path) in str(error)
            assert "delete it to begin the sweep anew" in str(error)
    assert told > 50


def test_a_journal_of_another_version_is_not_read_and_a_later_one_not_begun_anew(
    path: Path,
) -> None:
    with Journal(path, "sweep") as journal:
        journal.keep([Record("set", "a")])
    for number in (1, 99):
        with sqlite3.connect(path) as other:
            other.execute(f"pragma user_version = {number}")
        other.close()
        with (
            pytest.raises(OutputError, match="of another version; run the sweep again"),
            Journal(path, "sweep", read_only=True),
        ):
            pass
    with pytest.raises(OutputError, match="of a later version"), Journal(path, "sweep"):
        pass


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_is_removed_is_told_and_not_made_again(path: Path, replaced: bool) -> None:
    with Journal(path, "sweep") as journal:
        journal.keep([Record("set", "a")])
        shutil.rmtree(path.parent)
        if replaced:
            with Journal(path, "sweep") as other:
                other.keep([Record("set", "b")])
        with pytest.raises(OutputError, match="was removed or replaced while this sweep"):
            journal.keep([Record("set", "c")])
        with pytest.raises(OutputError, match="was removed or replaced"):
            keys(journal)
    assert path.parent.exists() == replaced
    if replaced:
        with Journal(path, "sweep") as other:
            assert keys(other) == ["b"]
