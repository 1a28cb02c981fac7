"""What a sweep has done so far: records of its journal, and a file of draws for each base fit."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr

from estimator.export import plain_numbers
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.entries import STATISTICS, EntryLayout
from estimator.store.journal import Journal, Record
from estimator.store.log_weights import packed
from estimator.store.netcdf import read_netcdf, write_netcdf

if TYPE_CHECKING:
    from estimator.fitting.pilot import Pilot
    from estimator.sweep.set_fit import Fit

FILE = "journal.sqlite"

# Kinds of records.
_ABOUT, _LAYOUT, _PILOT, _ROUND = "about", "layout", "pilot", "round"
_FIT, _SET, _WEIGHTS = "fit", "set", "weights"


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


class SweepJournal:
    """The journal of one sweep; a context manager that holds the folder's lock.

    Parameters
    ----------
    folder
        Folder of the sweep.
    read_only
        Look only: takes no lock and creates nothing.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self._journal = Journal(folder / FILE, "sweep", read_only=read_only)

    def __enter__(self) -> Self:
        """Lock and open."""
        self._journal.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Close and unlock."""
        self._journal.__exit__()

    def set_about(self, **values: str) -> None:
        """Keep facts about the sweep."""
        self._journal.keep(Record(_ABOUT, key, value) for key, value in values.items())

    def about(self) -> dict[str, str]:
        """Facts about the sweep."""
        return {key: value for key, _, value in self._journal.facts(_ABOUT)}

    def add_pilot(self, name: str, pilot: Pilot) -> None:
        """Keep the pilot of a structure, or of a world of the page with sliders."""
        self._journal.keep([Record(_PILOT, name, content=pilot.to_bytes())])

    def pilots(self) -> dict[str, Pilot]:
        """All pilots by what they were kept for."""
        from estimator.fitting.pilot import Pilot  # PyMC takes half a second

        return {
            record.key: Pilot.from_bytes(record.content or b"")
            for record in self._journal.records(_PILOT)
        }

    def add_round(self, number: int, tasks: Sequence[dict[str, Any]]) -> None:
        """Keep which fits a round is made of, before they are begun."""
        self._journal.keep([Record(_ROUND, "", list(tasks), number=number)])

    def rounds(self) -> dict[int, list[dict[str, Any]]]:
        """Fits of each round that was begun."""
        return {number: tasks for _, number, tasks in self._journal.facts(_ROUND)}

    def add_layout(self, layout: EntryLayout) -> str:
        """Keep a layout; return its name."""
        self._journal.keep([Record(_LAYOUT, layout.name, layout.to_json())])
        return layout.name

    def layouts(self) -> dict[str, EntryLayout]:
        """All layouts by name."""
        return {name: EntryLayout.from_json(text) for name, _, text in self._journal.facts(_LAYOUT)}

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
            self._journal.check_place()  # else the folder that was removed would be made again
            self._write_draws(draws)
        facts = plain_numbers(asdict(replace(record, relative_ess=None)))
        fit = Record(_FIT, record.fit_id, facts, _packed(record.relative_ess))
        self._journal.keep([fit, *([] if record_of_set is None else _records(record_of_set))])

    def fits(self) -> list[FitRecord]:
        """All fits in the order in which they were planned."""
        fits = [_fit_record(record) for record in self._journal.records(_FIT)]
        return sorted(fits, key=lambda fit: (fit.round, fit.position))

    def add_sets(self, sets: Iterable[SetRecord]) -> None:
        """Keep finished sets, all in one step."""
        self._journal.keep(record for finished in sets for record in _records(finished))

    def finished(self) -> dict[str, Obtained]:
        """How each finished set was obtained, by its id."""
        return {key: _obtained(facts["obtained"]) for key, _, facts in self._journal.facts(_SET)}

    def layout_names(self) -> dict[str, str]:
        """Layout of each finished set that has entries, by its id."""
        facts = {key: facts["layout"] for key, _, facts in self._journal.facts(_SET)}
        return {key: name for key, name in facts.items() if name}

    def sets(self) -> Iterator[SetRecord]:
        """All finished sets, one after the other, without their weights."""
        for record in self._journal.records(_SET):
            packed = _unpacked(record.content)
            yield SetRecord(
                record.key,
                _obtained(record.facts["obtained"]),
                record.facts["layout"],
                None if packed is None else packed.reshape(-1, len(STATISTICS)),
                None,
                record.facts["error"],
            )

    def weights(self) -> Iterator[tuple[str, np.ndarray]]:
        """Set id and packed log weights of each reweighted set."""
        for record in self._journal.records(_WEIGHTS):
            if record.content is not None:
                yield record.key, np.frombuffer(zlib.decompress(record.content), np.int16)

    def forget(self, set_ids: Sequence[str]) -> None:
        """Drop sets that have to be obtained again."""
        for kind in (_SET, _WEIGHTS):
            self._journal.forget(kind, set_ids)

    def forget_rounds(self) -> None:
        """Drop which fits were planned; what is finished stays."""
        self._journal.forget(_ROUND)

    def forget_all(self) -> None:
        """Begin anew: another sweep had this folder."""
        self._journal.forget_all()

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
        from estimator.sweep.set_fit import Fit

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


def _packed(array: np.ndarray | None) -> bytes | None:
    return None if array is None else zlib.compress(np.asarray(array, np.float32).tobytes(), 1)


def _unpacked(content: bytes | None) -> np.ndarray | None:
    return None if content is None else np.frombuffer(zlib.decompress(content), np.float32)


def _records(finished: SetRecord) -> Iterator[Record]:
    """Yield the records of a finished set: its numbers, and apart from them its weights."""
    facts = {
        "obtained": plain_numbers(asdict(finished.obtained)),
        "layout": finished.layout,
        "error": finished.error,
    }
    yield Record(_SET, finished.set_id, facts, _packed(finished.statistics))
    weights = None
    if finished.log_weights is not None:
        weights = zlib.compress(packed(finished.log_weights).tobytes(), 1)
    yield Record(_WEIGHTS, finished.set_id, content=weights)


def _fit_record(record: Record) -> FitRecord:
    facts, diagnostics = record.facts, None
    if facts["diagnostics"] is not None:
        failures = tuple(facts["diagnostics"]["failures"])
        diagnostics = Diagnostics(**{**facts["diagnostics"], "failures": failures})
    ess = _unpacked(record.content)
    return FitRecord(**{**facts, "diagnostics": diagnostics, "relative_ess": ess})


def _obtained(facts: dict[str, Any]) -> Obtained:
    numbers = {n: float("nan") if facts[n] is None else facts[n] for n in ("k_hat", "max_rhat")}
    return Obtained(**{**facts, **numbers, "fits": tuple(facts["fits"])})
