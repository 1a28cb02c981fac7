"""The whole back-test of some sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.errors import ConfigError, EvidenceError, problems_text
from estimator.evidence import Evidence, load_evidence, quiet_evidence, read_claims
from estimator.show.progress import Progress
from estimator.store.journal import Journal, Record, key_of
from estimator.store.netcdf import dataset_of, netcdf_bytes
from estimator.studies.backtest.cases import model_cases, naive_cases
from estimator.studies.backtest.month_in_hand import Parts, first_parts, in_hand_cases
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origin_fits import OriginFits, forecast_inputs
from estimator.studies.backtest.origins import (
    FORECAST,
    Origin,
    evidence_as_of,
    origins_of,
    unknown_then,
)

FILE = "backtest.sqlite"
"""Journal of draws and pilots, so that a back-test that was stopped goes on."""

FIT = "fit"
"""Kind of the records that hold the draws of a fit."""

_FIT_OPTIONS = ("fit", "sources")


@dataclass(frozen=True)
class Backtest:
    """Forecasts and what came.

    Attributes
    ----------
    cases
        One row a set, dynamics or naive forecast, noise factor, origin and target: the columns of
        `estimator.studies.backtest.cases.scored` and assumption_set, assumption_set_id, by (model
        or naive), dynamics, noise_factor, origin (month), as_of, failures (of the fit); of a month
        in hand effective (draws that the weights of its first part leave).
    refused
        Why sets could not be tested, by label.
    options
        As it was done.
    data_hash
        Of the claims tables.
    """

    cases: pd.DataFrame
    refused: dict[str, str]
    options: BacktestOptions
    data_hash: str

    @property
    def failures(self) -> list[str]:
        """Fits that missed a bound of their diagnostics, one sentence each."""
        missed = self.cases[self.cases["failures"] != ""]
        keys = ["assumption_set", "noise_factor", "origin", "failures"]
        return [
            f"{label}, noise x {factor:g}, as of {month}: {text}"
            for label, factor, month, text in missed[keys]
            .drop_duplicates()
            .itertuples(index=False, name=None)
        ]


@dataclass
class _Run:
    options: BacktestOptions
    claims: pd.DataFrame | None
    parts: Parts
    fitter: OriginFits
    journal: Journal | None
    progress: Progress | None

    def tell(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)


def backtest(
    sets: Sequence[AssumptionSet],
    options: BacktestOptions,
    *,
    claims: pd.DataFrame | None = None,
    cores: int = 2,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Forecast from every month of the past, and score what was reported later.

    Parameters
    ----------
    sets
        Assumption sets; those that have nothing to be tested on are refused with the reason.
    options
        Origins, targets, dynamics and fits.
    claims
        A table as `estimator.evidence.read_claims` returns it, in place of the sets' files.
    cores
        Chains at a time.
    journal
        Open; the draws of each finished fit are kept there, and taken from there.
    progress
        Told of each fit.

    Raises
    ------
    EvidenceError
        If no set can be tested.
    """
    parts = first_parts(read_claims(options.first_parts)) if options.first_parts else {}
    run = _Run(options, claims, parts, OriginFits(options, cores, journal), journal, progress)
    tables, refused, data_hash = [], {}, ""
    for assumptions in sets:
        if assumptions.sampler.method != "nutpie":
            raise ConfigError(
                f"sampler.method: a back-test needs nutpie. Got {assumptions.sampler.method}"
            )
        try:
            with quiet_evidence():
                evidence = load_evidence(assumptions, claims)
            origins = origins_of(assumptions, evidence, options)
        except EvidenceError as error:
            refused[assumptions.label] = str(error)
            continue
        data_hash = evidence.data_hash
        tables += list(_cases_of(assumptions, origins, run))
    if not tables:
        raise EvidenceError(problems_text("No set can be back-tested:", refused.values()))
    return Backtest(pd.concat(tables, ignore_index=True), refused, options, data_hash)


def _cases_of(
    assumptions: AssumptionSet, origins: Sequence[Origin], run: _Run
) -> Iterator[pd.DataFrame]:
    total = len(origins) * len(run.options.noise_factors)
    for number, whole in enumerate(origins):
        then, evidence = evidence_as_of(assumptions, run.claims, whole.as_of)
        origin = unknown_then(whole, evidence)
        if not any(one.kind == FORECAST for one in origin.targets):
            continue
        facts = {
            "assumption_set": assumptions.label,
            "assumption_set_id": then.identity(evidence.data_hash),
            "origin": origin.month,
            "as_of": f"{origin.as_of}",
        }
        inputs = forecast_inputs(evidence, then, run.options.sources, 1.0)
        naive = naive_cases(evidence, origin, inputs, run.options)
        if len(naive):
            yield naive.assign(**facts, noise_factor=1.0, failures="")
        for place, factor in enumerate(run.options.noise_factors):
            done = number * len(run.options.noise_factors) + place
            run.tell(f"{assumptions.label}, as of {origin.as_of}", done, total)
            inputs = forecast_inputs(evidence, then, run.options.sources, factor)
            fitted = _fitted(then, evidence, origin, factor, run)
            ahead = model_cases(fitted, origin, inputs, then, run.options)
            in_hand = in_hand_cases(fitted, origin, run.parts, evidence, inputs, then, run.options)
            for table in (ahead, in_hand):
                if len(table):
                    failures = str(fitted.attrs["failures"])
                    yield table.assign(**facts, noise_factor=factor, failures=failures)


def _fitted(
    assumptions: AssumptionSet, evidence: Evidence, origin: Origin, factor: float, run: _Run
) -> xr.Dataset:
    """Fit a set as of a day, or take the draws that an earlier back-test has kept."""
    inputs = forecast_inputs(evidence, assumptions, run.options.sources, factor)
    if run.journal is None:
        return run.fitter.fit(assumptions, inputs, origin)
    key = key_of(
        assumptions.identity(evidence.data_hash),
        run.options.model_dump(mode="json", include=set(_FIT_OPTIONS)),
        factor,
        origin.month,
        [target.claim for target in origin.targets],
    )
    kept = run.journal.record(FIT, key)
    if kept is not None:
        return dataset_of(kept.content or b"")
    fitted = run.fitter.fit(assumptions, inputs, origin).astype("float32")
    run.journal.keep([Record(FIT, key, content=netcdf_bytes(fitted))])
    return fitted
