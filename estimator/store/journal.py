"""Kept work, so that what was stopped goes on: one SQLite file of records.

A record is in the journal whole or not at all, also if the process is killed, the disk is full or
the folder turns unwritable: that is SQLite's business. A lock file refuses a second writer as long
as the first one lives. SQLite does not notice if its file is removed or replaced: it goes on with
one that nobody can find, so that the journal looks itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from estimator.errors import OutputError
from estimator.store.versions import versions

log = logging.getLogger(__name__)

_FORMAT = 2
_TABLE = """
create table if not exists records (
    kind text, key text, number integer, facts text not null, content blob,
    primary key (kind, key, number)
)
"""


@dataclass(frozen=True)
class Record:
    """Something finished.

    Attributes
    ----------
    kind
        What it is, e.g. fit.
    key
        Its name among those of its kind.
    facts
        What JSON can hold of it.
    content
        Anything else of it.
    number
        Its place among records of one key.
    """

    kind: str
    key: str
    facts: Any = None
    content: bytes | None = None
    number: int = 0


def key_of(*facts: object) -> str:
    """Hash of all that a record hangs on: the facts, and the versions of the code."""
    text = json.dumps([*facts, versions()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Journal:
    """The records of one piece of work; a context manager that holds their lock.

    Parameters
    ----------
    path
        Where the file is, or will be.
    work
        What is kept, for messages: sweep, audit, …
    read_only
        Look only: takes no lock and creates nothing.

    Raises
    ------
    OutputError
        If the file cannot be opened, or somebody else is writing into it; and by all
        methods, if it cannot be read or written.
    """

    def __init__(self, path: Path, work: str, *, read_only: bool = False) -> None:
        self.path = path
        self.work = work
        self.read_only = read_only
        self._lock = FileLock(path.with_name(f".{path.stem}.lock"))
        self._base: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        """Lock and open."""
        try:
            with self._errors("be opened"):
                self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self) -> None:
        if self.read_only:
            self._base = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
            self._base.execute("select 1 from sqlite_master")
            self._file = self._found()
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise OutputError(
                f"{self.path.parent}: another {self.work} is writing here; wait for it, or give "
                "this one another name (name=...)"
            ) from error
        self._base = sqlite3.connect(self.path, isolation_level=None)
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = normal")
        [[number]] = self._base.execute("pragma user_version")
        if number != _FORMAT:
            self._begin_anew()
        self._base.execute(_TABLE)
        self._file = self._found()

    def _found(self) -> tuple[int, int] | None:
        """Tell the file at the path from all others; None if there is none."""
        try:
            file = self.path.stat()
        except OSError:
            return None
        return file.st_dev, file.st_ino

    def check_place(self) -> None:
        """Raise an OutputError if the file that was opened is no longer at its path."""
        if self._found() != self._file:
            raise OutputError(
                f"{self.path}: was removed or replaced while this {self.work} was at work; what "
                "was finished is lost, and the same command begins anew"
            )

    def _begin_anew(self) -> None:
        """Drop the tables of an earlier version of this package."""
        tables = [
            name
            for (name,) in self._db.execute("select name from sqlite_master where type = 'table'")
        ]
        if tables:
            log.warning("%s: of an earlier version, begun anew", self.path)
        for name in tables:
            self._db.execute(f'drop table "{name}"')
        self._db.execute(f"pragma user_version = {_FORMAT}")

    def __exit__(self, *_: object) -> None:
        """Close and unlock."""
        if self._base is not None:
            self._base.close()
            self._base = None
        self._lock.release()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"{self.path}: cannot {what} ({reason}); what is finished is kept"
            raise OutputError(message) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write all that is written inside, or nothing."""
        self.check_place()
        with self._errors("be written"):
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")
        self.check_place()

    @property
    def _db(self) -> sqlite3.Connection:
        if self._base is None:
            raise RuntimeError("the journal is not open")
        return self._base

    def keep(self, records: Iterable[Record]) -> None:
        """Keep records, all in one step; those of the same kind, key and number are replaced."""
        with self._writing() as db:
            db.executemany(
                "insert or replace into records values (?, ?, ?, ?, ?)",
                ((r.kind, r.key, r.number, json.dumps(r.facts), r.content) for r in records),
            )

    def records(self, kind: str, key: str | None = None) -> Iterator[Record]:
        """Yield the records of a kind in the order of their keys and numbers."""
        for found, number, facts, content in self._rows("key, number, facts, content", kind, key):
            yield Record(kind, found, json.loads(facts), content, number)

    def facts(self, kind: str, key: str | None = None) -> Iterator[tuple[str, int, Any]]:
        """Yield key, number and facts of the records of a kind, without reading their content."""
        for found, number, facts in self._rows("key, number, facts", kind, key):
            yield found, number, json.loads(facts)

    def record(self, kind: str, key: str) -> Record | None:
        """Return the first record of a key, or None."""
        return next(self.records(kind, key), None)

    def _rows(self, columns: str, kind: str, key: str | None) -> Iterator[tuple[Any, ...]]:
        where, values = "kind = ?", [kind]
        if key is not None:
            where, values = f"{where} and key = ?", [kind, key]
        query = f"select {columns} from records where {where} order by kind, key, number"  # noqa: S608 - ours
        self.check_place()
        with self._errors("be read"):
            yield from self._db.execute(query, values)

    def forget(self, kind: str, keys: Sequence[str] | None = None) -> None:
        """Drop the records of some keys of a kind; None: of all."""
        with self._writing() as db:
            if keys is None:
                db.execute("delete from records where kind = ?", (kind,))
            else:
                rows = ((kind, key) for key in keys)
                db.executemany("delete from records where kind = ? and key = ?", rows)

    def forget_all(self) -> None:
        """Begin anew."""
        with self._writing() as db:
            db.execute("delete from records")
