"""Kept work, so that what was stopped goes on: one SQLite file of records.

A record is in the journal whole or not at all, also if the process is killed, the disk is full or
the folder turns unwritable: that is SQLite's business. A lock file refuses a second writer as long
as the first one lives. SQLite has no checksums: the file's structure is gone through when it is
opened, and each record has sums of its own, so that damage is an error and not another number. Nor
does it notice that its file is removed or replaced, and goes on with one that nobody can find: the
journal looks itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from estimator.errors import OutputError
from estimator.store.versions import versions

log = logging.getLogger(__name__)

_FORMAT = 3
_TABLE = """
create table if not exists records (
    kind text, key text, number integer, facts text not null, content blob,
    sum_of_facts integer not null, sum_of_content integer not null,
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


def _row(record: Record) -> tuple[Any, ...]:
    facts = (record.kind, record.key, record.number, json.dumps(record.facts))
    return (*facts, record.content, *_sums(*facts, record.content))


def _sums(kind: str, key: str, number: int, facts: str, content: bytes | None) -> list[int]:
    """Checksums of a record: of all but its content, and of that."""
    text = json.dumps([kind, key, number, facts])
    return [zlib.crc32(text.encode()), -1 if content is None else zlib.crc32(content)]


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
            if self._format() != _FORMAT:
                raise OutputError(
                    f"{self.path}: of another version; run the {self.work} again to begin it anew"
                )
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
        number = self._format()
        self._base.execute("pragma journal_mode = wal")
        self._base.execute("pragma synchronous = normal")
        if number > _FORMAT:
            raise sqlite3.DatabaseError("of a later version")
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

    def _format(self) -> int:
        """Go through the structure of the file, where records could be missing; say its format."""
        # Text that is damaged is no error of its own, but does not have its sum.
        self._db.text_factory = partial(str, encoding="utf-8", errors="replace")
        [[found]] = self._db.execute("pragma integrity_check(1)")
        if found != "ok":
            raise sqlite3.DatabaseError(" ".join(found.replace("*", "").split()))
        [[number]] = self._db.execute("pragma user_version")
        return int(number)

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
        except (sqlite3.OperationalError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"{self.path}: cannot {what} ({reason}); what is finished is kept"
            raise OutputError(message) from error
        except sqlite3.Error as error:
            advice = f"it is damaged: delete it to begin the {self.work} anew"
            raise OutputError(f"{self.path}: cannot {what} ({error}); {advice}") from error

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
                "insert or replace into records values (?, ?, ?, ?, ?, ?, ?)", map(_row, records)
            )

    def records(self, kind: str, key: str | None = None) -> Iterator[Record]:
        """Yield the records of a kind in the order of their keys and numbers."""
        for found, number, facts, content in self._rows("content", kind, key):
            yield Record(kind, found, json.loads(facts), content, number)

    def facts(self, kind: str, key: str | None = None) -> Iterator[tuple[str, int, Any]]:
        """Yield key, number and facts of the records of a kind, without reading their content."""
        for found, number, facts, _ in self._rows("null", kind, key):
            yield found, number, json.loads(facts)

    def record(self, kind: str, key: str) -> Record | None:
        """Return the first record of a key, or None."""
        return next(self.records(kind, key), None)

    def _rows(self, content: str, kind: str, key: str | None) -> Iterator[tuple[Any, ...]]:
        """Yield key, number, facts and content, which `content` may leave out."""
        where, values = "kind = ?", [kind]
        if key is not None:
            where, values = f"{where} and key = ?", [kind, key]
        columns = f"key, number, facts, {content}, sum_of_facts, sum_of_content"
        query = f"select {columns} from records where {where} order by kind, key, number"  # noqa: S608 - ours
        self.check_place()
        with self._errors("be read"):
            for found, number, facts, read, *sums in self._db.execute(query, values):
                own = _sums(kind, found, number, facts, read)
                if content == "null":
                    own[1] = sums[1]
                if own != sums:
                    raise sqlite3.DatabaseError(f"record {kind} {found} is not what was written")
                yield found, number, facts, read

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
