"""What a sweep has done so far, on disk: an SQLite journal and a file of draws for each base fit.

A set is in the journal whole or not at all, also if the process is killed, the disk is full or the
folder turns unwritable: that is SQLite's business. A lock file refuses a second sweep into the same
folder as long as the first one lives.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import xarray as xr
from filelock import FileLock, Timeout

from estimator.errors import OutputError
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.entries import STATISTICS, EntryLayout
from estimator.fitting.pilot import Pilot
from estimator.store.netcdf import read_netcdf, write_netcdf
from estimator.store.results import plain_numbers
from estimator.sweep.fits import Fit

FILE = "journal.sqlite"
_FORMAT = 1
_STEP = 0.001  # resolution of stored log weights
_FLOOR = 30.0  # weights below exp(-30) of the largest are stored as none
_NONE = np.int16(-32_768)

_TABLES = """
create table if not exists about (key text primary key, value text not null);
create table if not exists layouts (name text primary key, json text not null);
create table if not exists pilots (structure text primary key, content blob not null);
create table if not exists rounds (number integer primary key, tasks text not null);
create table if not exists fits (
    fit_id text primary key, round integer not null, position integer not null,
    group_key text not null, kind text not null, set_id text, diagnostics text,
    relative_ess blob, error text not null, seconds real not null, attempts integer not null
);
create table if not exists sets (
    set_id text primary key, status text not null, obtained text not null, layout text,
    statistics blob, log_weights blob, error text not null
);
"""


@dataclass(frozen=True)
class Obtained:
    """How the numbers of a set came about.

    Attributes
    ----------
    how
        fitted, reweighted, or failed.
    fits
        Which fits; more than one for a mixture.
    k_hat
        Pareto k-hat; NaN if fitted.
    ess
        Smallest effective sample size of a quantity.
    max_rhat, divergences
        Of the fit, or the worst of the fits.
    failures
        Which bounds are missed; empty if none.
    seconds
        What the set took.
    """

    how: str
    fits: tuple[str, ...]
    k_hat: float
    ess: float
    max_rhat: float
    divergences: int
    failures: str
    seconds: float


@dataclass(frozen=True)
class SetRecord:
    """One finished set.

    Attributes
    ----------
    set_id
        Identity of the set.
    obtained
        How.
    layout
        Name of the layout of its entries; empty if it failed altogether.
    statistics
        (entry, statistic); None if it failed altogether.
    log_weights
        Of the draws of its fits, joined; None if it was fitted. (draw,).
    error
        Why it failed altogether.
    """

    set_id: str
    obtained: Obtained
    layout: str
    statistics: np.ndarray | None
    log_weights: np.ndarray | None
    error: str = ""


@dataclass(frozen=True)
class FitRecord:
    """One finished fit, without its draws.

    Attributes
    ----------
    fit_id, round, position, group_key
        Name, and when and for which group it was made.
    kind
        cover, base (others are reweighted from both), single or check.
    set_id
        Which set was fitted; None for a covering fit.
    diagnostics
        None if it failed altogether.
    relative_ess
        As in `estimator.fitting.entries.Entries`.
    error, seconds, attempts
        As in `Fit`.
    """

    fit_id: str
    round: int
    position: int
    group_key: str
    kind: str
    set_id: str | None
    diagnostics: Diagnostics | None
    relative_ess: np.ndarray | None
    error: str
    seconds: float
    attempts: int

    @property
    def ok(self) -> bool:
        """Whether there are draws that can be trusted."""
        return self.diagnostics is not None and self.diagnostics.ok


class Journal:
    """The journal of one sweep; a context manager that holds the folder's lock.

    Parameters
    ----------
    folder
        Of the sweep.
    read_only
        Look only: takes no lock and creates nothing.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self.read_only = read_only
        self._lock = FileLock(folder / ".lock")
        self._base: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Lock and open."""
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _open(self) -> None:
        with self._writing("be opened"):
            if self.read_only:
                path = (self.folder / FILE).resolve()
                self._base = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
                return
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout as error:
                raise OutputError(
                    f"{self.folder}: another sweep is writing here; wait for it, or give this one "
                    "another name (name=...)"
                ) from error
            self._base = sqlite3.connect(self.folder / FILE, isolation_level=None)
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = normal")
            self._base.executescript(_TABLES)

    def __exit__(self, *_: object) -> None:
        """Close and unlock."""
        if self._base is not None:
            self._base.close()
            self._base = None
        self._lock.release()

    @contextmanager
    def _writing(self, what: str = "be written") -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            message = f"{self.folder / FILE}: cannot {what} ({reason}); finished sets are kept"
            raise OutputError(message) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._writing():
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    @property
    def _db(self) -> sqlite3.Connection:
        if self._base is None:
            raise RuntimeError("the journal is not open")
        return self._base

    def set_about(self, **values: str) -> None:
        """Keep facts about the sweep."""
        with self._transaction():
            self._db.executemany("insert or replace into about values (?, ?)", values.items())

    def about(self) -> dict[str, str]:
        """Facts about the sweep."""
        return dict(self._db.execute("select key, value from about"))

    def add_pilot(self, structure: str, pilot: Pilot) -> None:
        """Keep the pilot of a structure."""
        with self._transaction():
            self._db.execute("insert into pilots values (?, ?)", (structure, pilot.to_bytes()))

    def pilots(self) -> dict[str, Pilot]:
        """All pilots by structure."""
        rows = self._db.execute("select structure, content from pilots")
        return {structure: Pilot.from_bytes(content) for structure, content in rows}

    def add_round(self, number: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Keep which fits a round is made of, before they are begun."""
        with self._transaction():
            self._db.execute("insert into rounds values (?, ?)", (number, json.dumps(tasks)))

    def rounds(self) -> dict[int, list[dict[str, Any]]]:
        """Fits of each round that was begun."""
        rows = self._db.execute("select number, tasks from rounds order by number")
        return {number: json.loads(tasks) for number, tasks in rows}

    def add_layout(self, layout: EntryLayout) -> str:
        """Keep a layout; return its name."""
        with self._transaction():
            row = (layout.name, layout.to_json())
            self._db.execute("insert or ignore into layouts values (?, ?)", row)
        return layout.name

    def layouts(self) -> dict[str, EntryLayout]:
        """All layouts by name."""
        rows = self._db.execute("select name, json from layouts")
        return {name: EntryLayout.from_json(text) for name, text in rows}

    def add_fit(
        self, record: FitRecord, draws: Fit | None, record_of_set: SetRecord | None
    ) -> None:
        """Keep a fit, its draws, and the set that it finishes, in one step.

        Parameters
        ----------
        record
            The fit.
        draws
            With draws to keep in a file; None to keep none.
        record_of_set
            The set that was fitted, if that finishes it.
        """
        if draws is not None:
            self._write_draws(draws)
        diagnostics = None
        if record.diagnostics is not None:
            diagnostics = json.dumps(plain_numbers(asdict(record.diagnostics)))
        with self._transaction():
            self._db.execute(
                "insert or replace into fits values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.fit_id,
                    record.round,
                    record.position,
                    record.group_key,
                    record.kind,
                    record.set_id,
                    diagnostics,
                    _packed(record.relative_ess),
                    record.error,
                    record.seconds,
                    record.attempts,
                ),
            )
            if record_of_set is not None:
                self._add_set(record_of_set)

    def fits(self) -> list[FitRecord]:
        """All fits in the order in which they were planned."""
        rows = self._db.execute("select * from fits order by round, position")
        records = []
        for fit_id, number, position, group, kind, set_id, found, relative, *rest in rows:
            diagnostics, relative_ess = _diagnostics(found), _unpacked(relative)
            head = (fit_id, number, position, group, kind, set_id)
            records.append(FitRecord(*head, diagnostics, relative_ess, *rest))
        return records

    def add_sets(self, records: Sequence[SetRecord]) -> None:
        """Keep finished sets, all in one step."""
        with self._transaction():
            for record in records:
                self._add_set(record)

    def _add_set(self, record: SetRecord) -> None:
        weights = None
        if record.log_weights is not None:
            weights = zlib.compress(quantised(record.log_weights).tobytes(), 1)
        self._db.execute(
            "insert or replace into sets values (?, ?, ?, ?, ?, ?, ?)",
            (
                record.set_id,
                record.obtained.how,
                json.dumps(plain_numbers(asdict(record.obtained))),
                record.layout,
                _packed(record.statistics),
                weights,
                record.error,
            ),
        )

    def finished(self) -> dict[str, Obtained]:
        """How each finished set was obtained, by its id."""
        rows = self._db.execute("select set_id, obtained from sets")
        return {set_id: _obtained(text) for set_id, text in rows}

    def sets(self) -> Iterator[SetRecord]:
        """All finished sets, one after the other, without their weights."""
        columns = "set_id, obtained, layout, statistics, error"
        for row in self._db.execute(f"select {columns} from sets"):  # noqa: S608 - as above
            set_id, obtained, layout, statistics, error = row
            packed = _unpacked(statistics)
            yield SetRecord(
                set_id,
                _obtained(obtained),
                layout,
                None if packed is None else packed.reshape(-1, len(STATISTICS)),
                None,
                error,
            )

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        """Set id and log weights (as `quantised` gives them) of each reweighted set."""
        rows = self._db.execute(
            "select set_id, log_weights from sets where log_weights is not null"
        )
        for set_id, content in rows:
            yield set_id, np.frombuffer(zlib.decompress(content), np.int16)

    def forget(self, set_ids: Sequence[str]) -> None:
        """Drop sets that have to be obtained again."""
        with self._transaction():
            self._db.executemany("delete from sets where set_id = ?", [(i,) for i in set_ids])

    def forget_rounds(self) -> None:
        """Drop which fits were planned; what is finished stays."""
        with self._transaction():
            self._db.execute("delete from rounds")

    def forget_all(self) -> None:
        """Begin anew: another sweep had this folder."""
        with self._transaction():
            for table in ("about", "layouts", "pilots", "rounds", "fits", "sets"):
                self._db.execute(f"delete from {table}")  # noqa: S608 - names of this module

    def draws_path(self, fit_id: str) -> Path:
        """File of the draws of a fit."""
        return self.folder / "fits" / f"{fit_id}.nc"

    def _write_draws(self, found: Fit) -> None:
        if found.core is None or found.stats is None:
            return
        tree = xr.DataTree.from_dict({"/posterior": found.core, "/sample_stats": found.stats})
        tree.attrs = {"fit": found.fit_id}
        write_netcdf(tree, self.draws_path(found.fit_id))

    def read_draws(self, record: FitRecord) -> Fit:
        """Read the draws of a fit back."""
        hint = "delete the folder to begin anew"
        tree = read_netcdf(self.draws_path(record.fit_id), hint)
        return Fit(
            record.fit_id,
            tree["posterior"].to_dataset(),
            tree["sample_stats"].to_dataset(),
            record.diagnostics,
            record.relative_ess,
            "",
            record.seconds,
            record.attempts,
        )


def quantised(log_weights: np.ndarray) -> np.ndarray:
    """Log weights, relative to the largest, in steps of 0.001. int16, (draw,)."""
    below = np.asarray(log_weights) - np.max(log_weights)
    steps = np.round(below / _STEP)
    return np.where(below > -_FLOOR, steps, _NONE).astype(np.int16)


def dequantised(steps: np.ndarray) -> np.ndarray:
    """Undo `quantised`: normalised log weights, -inf for none. (draw,)."""
    log_weights = np.where(steps == _NONE, -np.inf, steps * _STEP)
    return np.asarray(log_weights - np.log(np.exp(log_weights).sum()))


def _packed(array: np.ndarray | None) -> bytes | None:
    return None if array is None else zlib.compress(np.asarray(array, np.float32).tobytes(), 1)


def _unpacked(content: bytes | None) -> np.ndarray | None:
    return None if content is None else np.frombuffer(zlib.decompress(content), np.float32)


def _diagnostics(text: str | None) -> Diagnostics | None:
    if text is None:
        return None
    found = json.loads(text)
    return Diagnostics(**{**found, "failures": tuple(found["failures"])})


def _obtained(text: str) -> Obtained:
    found = json.loads(text)
    numbers = {n: float("nan") if found[n] is None else found[n] for n in ("k_hat", "max_rhat")}
    return Obtained(**{**found, **numbers, "fits": tuple(found["fits"])})
