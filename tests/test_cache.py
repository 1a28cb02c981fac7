from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estimator import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kept"
    monkeypatch.setenv(cache.VARIABLE, str(path))
    return path


def file_of(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_was_saved_is_loaded_from_a_folder_that_is_the_users_alone(folder: Path) -> None:
    cache.save("key", b"code")
    assert cache.load("key") == b"code"
    assert cache.load("other") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file_of(folder).stat().st_mode & 0o777 == 0o600


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path: Path) -> None:
    *others, last = path.read_bytes()
    path.write_bytes(bytes([*others, last ^ 1]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def let_others_write(path: Path) -> None:
    path.chmod(0o602)


def link_elsewhere(path: Path) -> None:
    path.symlink_to(path.rename(path.parents[1] / "elsewhere"))


def put_the_file_of_another_key(path: Path) -> None:
    contents = path.read_bytes()
    cache.save("another key", b"other code")
    (other,) = (p for p in path.parent.iterdir() if p != path)
    other.replace(path)
    assert path.read_bytes() != contents


@pytest.mark.parametrize(
    "spoil",
    [
        truncate,
        flip_a_bit,
        empty,
        let_others_write,
        link_elsewhere,
        put_the_file_of_another_key,
    ],
)
def test_a_torn_or_foreign_file_counts_as_missing_and_is_replaced(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    cache.save("key", b"code")
    spoil(file_of(folder))
    assert cache.load("key") is None
    cache.save("key", b"code")
    assert cache.load("key") == b"code"


def open_to_others(folder: Path) -> None:
    folder.chmod(0o750)


def a_link(folder: Path) -> None:
    folder.symlink_to(folder.rename(folder.with_name("elsewhere")), target_is_directory=True)


def a_file(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("not a folder")


@pytest.mark.parametrize("spoil", [open_to_others, a_link, a_file])
def test_a_folder_that_others_could_write_to_is_not_used(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    cache.save("key", b"code")
    spoil(folder)
    assert cache.load("key") is None
    cache.save("more", b"code")
    with pytest.raises(OSError, match=r"open to others|Not a directory|File exists"):
        cache.contents()


def test_an_empty_name_of_the_folder_turns_the_cache_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, "")
    cache.save("key", b"code")
    assert cache.load("key") is None
    with pytest.raises(OSError, match="turned off"):
        cache.contents()


def test_writers_at_the_same_time_leave_a_whole_file() -> None:
    payloads = [bytes([number]) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            list(pool.map(lambda payload: cache.save("key", payload), payloads))
            assert cache.load("key") in payloads
    assert cache.contents()[0] == 1


def test_beyond_its_size_the_cache_drops_what_was_used_longest_ago(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.save("old", b"0" * 500)
    os.utime(file_of(folder), (0, 0))
    monkeypatch.setattr(cache, "MAX_BYTES", 1000)
    cache.save("new", b"0" * 500)
    assert cache.load("old") is None
    assert cache.load("new") is not None


def test_clearing_deletes_the_files_of_the_cache_and_no_others(folder: Path) -> None:
    cache.save("key", b"code")
    (folder / "notes.txt").write_text("mine")
    cache.clear()
    assert cache.contents() == (0, 0)
    assert file_of(folder).name == "notes.txt"
