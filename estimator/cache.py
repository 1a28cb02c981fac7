"""The user's cache folder: what takes seconds to compute and is the same each time.

It holds machine code, so it is used only if nobody else can write to it: a folder of the user's own
with mode 0700, files of the user's own with mode 0600, no symbolic links. Each file begins with a
checksum of its key and payload; one that is torn or foreign counts as missing and is replaced. A
folder that cannot be used means no cache and no message: all works without, only slower.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_cache_path

VARIABLE = "ESTIMATOR_CACHE_DIR"
"""Environment variable that names another folder; empty turns the cache off."""

MAX_BYTES = 512 * 2**20
"""Size of the folder beyond which files are deleted, those first that were used longest ago."""

_SUFFIX, _PARTIAL = ".cached", ".partial"
_FORMAT = b"estimator cache 1\n"
_HEADER_SIZE = len(_FORMAT) + hashlib.sha256().digest_size


def location() -> Path | None:
    """Return the folder, which need not exist; None if the cache is turned off."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    path = user_cache_path("estimator", appauthor=False)
    return path if path.is_absolute() else None  # it is not if the user has no home


def load(key: str) -> bytes | None:
    """Return the payload that was saved under a key; None if there is none to be trusted."""
    name = key + _SUFFIX
    with contextlib.suppress(OSError), _folder() as folder:
        contents = _read(name, folder)
        payload = contents[_HEADER_SIZE:]
        if contents[:_HEADER_SIZE] == _header(key, payload):
            with contextlib.suppress(OSError):
                os.utime(name, dir_fd=folder)
            return payload
    return None


def save(key: str, payload: bytes) -> None:
    """Keep a payload under a key, whole or not at all."""
    partial = uuid.uuid4().hex + _PARTIAL
    with contextlib.suppress(OSError), _folder() as folder:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(partial, flags, 0o600, dir_fd=folder), "wb") as file:
                file.write(_header(key, payload) + payload)
            os.replace(partial, key + _SUFFIX, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _delete(partial, folder)
            raise
        _prune(folder)


def contents() -> tuple[int, int]:
    """Return the number of files and their size in bytes.

    Raises
    ------
    OSError
        If the folder cannot be used; the message says why.
    """
    with _folder() as folder:
        files = _files(folder)
    return len(files), sum(status.st_size for _, status in files)


def clear() -> None:
    """Delete all files of the cache; the folder stays.

    Raises
    ------
    OSError
        If the folder cannot be used; the message says why.
    """
    with _folder() as folder:
        for name, _ in _files(folder):
            _delete(name, folder)


def provide_pytensor() -> None:
    """Give PyTensor a folder that lasts as long as the process, where its own cannot be written.

    It cannot be imported without one, even if it compiles nothing: a container without root often
    has no home that can be written to.
    """
    flags = os.environ.get("PYTENSOR_FLAGS", "")
    if "compiledir" in flags:
        return
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: the user has no home at all
        usual = Path("~/.pytensor").expanduser()
        usual.mkdir(parents=True, exist_ok=True)
        if os.access(usual, os.W_OK | os.X_OK):
            return
    folder = tempfile.mkdtemp(prefix="estimator-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PYTENSOR_FLAGS"] = f"{flags},base_compiledir={folder}".lstrip(",")


@contextlib.contextmanager
def _folder() -> Iterator[int]:
    """Open the folder, made if it is missing, as a descriptor; OSError if it cannot be used."""
    path = location()
    if path is None:
        raise FileNotFoundError(f"the cache is turned off: no home, or {VARIABLE} is empty")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _check_private(path, os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _check_private(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise PermissionError(f"{path} is open to others (mode {mode:o}, must be 700 or 600)")


def _read(name: str, folder: int) -> bytes:
    # Not blocking: a pipe under this name would be waited for.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        _check_private(Path(name), status)
        return file.read() if stat.S_ISREG(status.st_mode) else b""


def _header(key: str, payload: bytes) -> bytes:
    return _FORMAT + hashlib.sha256(key.encode() + payload).digest()


def _files(folder: int) -> list[tuple[str, os.stat_result]]:
    """Names and states of the cache's files, last used first."""
    files = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((_SUFFIX, _PARTIAL)):
                with contextlib.suppress(FileNotFoundError):  # another process deleted it
                    files.append((entry.name, entry.stat(follow_symlinks=False)))
    return sorted(files, key=lambda file: file[1].st_mtime, reverse=True)


def _prune(folder: int) -> None:
    total = 0
    for name, status in _files(folder):
        total += status.st_size
        if total > MAX_BYTES:
            _delete(name, folder)


def _delete(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
