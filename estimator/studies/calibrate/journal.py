"""What a calibration has done so far: an SQLite file, so that one that was stopped goes on.

A simulated world is in it whole or not at all. Its randomness hangs on its number alone, so the
tables are the same however often the work was stopped. Worlds of other options or versions under
the same name stay beside them, and count again when those options do.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr
from filelock import FileLock, Timeout

from estimator.errors import OutputError
from estimator.fitting.pilot import Pilot
from estimator.studies.calibrate.worlds import Prepared

FILE = "calibration.sqlite"

_TABLES = """
create table if not exists about (
    part text, name text, identity text, layout text not null,
    pilot blob, truths blob, primary key (part, name, identity)
);
create table if not exists worlds (
    part text, name text, identity text, number integer, facts text not null, numbers blob,
    primary key (part, name, identity, number)
);
"""


class CalibrationJournal:
    """Finished worlds of a calibration, by part, name and number, of the identities begun with.

    Parameters
    ----------
    folder
        Where the file is, or will be.

    Raises
    ------
    OutputError
        If it cannot be written, or another calibration is writing into it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = FileLock(f"{self._path}.lock", timeout=0)
        self._identities: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        """Lock and open."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise OutputError(f"{self._path}: another calibration is writing into it") from error
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written ({error.strerror})") from error
        self._db = sqlite3.connect(self._path)
        with self._writing() as db:
            db.executescript(_TABLES)
        return self

    def __exit__(self, *_: object) -> None:
        """Close and unlock."""
        self._db.close()
        self._lock.release()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._db:
                yield self._db
        except sqlite3.Error as error:
            raise OutputError(f"{self._path}: cannot be written ({error})") from error

    def begin(self, part: str, name: str, identity: str) -> None:
        """Say of what the worlds of a name are made; only those of this identity are read."""
        self._identities[part, name] = identity
        with self._writing() as db:
            db.execute(
                "insert or ignore into about values (?, ?, ?, '[]', null, null)",
                (part, name, identity),
            )

    def _key(self, part: str, name: str) -> tuple[str, str, str]:
        return part, name, self._identities.get((part, name), "")

    def keep_prepared(self, part: str, name: str, prepared: Prepared) -> None:
        """Keep what was learnt of a structure, so that worlds added later have the same."""
        truths = None if prepared.truths is None else _dataset_bytes(prepared.truths)
        with self._writing() as db:
            db.execute(
                "update about set pilot = ?, truths = ? "
                "where part = ? and name = ? and identity = ?",
                (prepared.pilot.to_bytes(), truths, *self._key(part, name)),
            )

    def prepared(self, part: str, name: str) -> Prepared | None:
        """Return what was kept, or None."""
        row = self._db.execute(
            "select pilot, truths from about where part = ? and name = ? and identity = ?",
            self._key(part, name),
        ).fetchone()
        if row is None or row[0] is None:
            return None
        truths = None if row[1] is None else _dataset_from(row[1])
        return Prepared(Pilot.from_bytes(row[0]), truths)

    def keep_layout(self, part: str, name: str, layout: list[str]) -> None:
        """Keep the names of the rows of the numbers of each world."""
        with self._writing() as db:
            db.execute(
                "update about set layout = ? where part = ? and name = ? and identity = ?",
                (json.dumps(layout), *self._key(part, name)),
            )

    def layout(self, part: str, name: str) -> list[str]:
        """Names of the rows; empty if no world is finished."""
        row = self._db.execute(
            "select layout from about where part = ? and name = ? and identity = ?",
            self._key(part, name),
        ).fetchone()
        return [] if row is None else [str(text) for text in json.loads(row[0])]

    def add(
        self, part: str, name: str, number: int, facts: dict[str, Any], numbers: np.ndarray | None
    ) -> None:
        """Keep a finished world."""
        content = None if numbers is None else _array_bytes(numbers)
        with self._writing() as db:
            db.execute(
                "insert or replace into worlds values (?, ?, ?, ?, ?, ?)",
                (*self._key(part, name), number, json.dumps(facts), content),
            )

    def numbers(self, part: str, name: str) -> set[int]:
        """Which worlds are finished."""
        rows = self._db.execute(
            "select number from worlds where part = ? and name = ? and identity = ?",
            self._key(part, name),
        )
        return {int(row[0]) for row in rows}

    def worlds(
        self, part: str, name: str, count: int
    ) -> Iterator[tuple[int, dict[str, Any], np.ndarray | None]]:
        """Finished worlds in the order of their numbers, of the first `count`."""
        rows = self._db.execute(
            "select number, facts, numbers from worlds "
            "where part = ? and name = ? and identity = ? and number < ? order by number",
            (*self._key(part, name), count),
        )
        for number, facts, content in rows:
            array = None if content is None else np.load(io.BytesIO(content), allow_pickle=False)
            yield int(number), json.loads(facts), array


def _array_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _dataset_bytes(dataset: xr.Dataset) -> bytes:
    return bytes(dataset.to_netcdf(engine="h5netcdf"))


def _dataset_from(content: bytes) -> xr.Dataset:
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as opened:
        return opened.load()
