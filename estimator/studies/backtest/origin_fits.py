"""Fits of what was known on a day, cut at that day's month."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from scipy.special import logit

from estimator.assumptions import AssumptionSet
from estimator.evidence import Evidence
from estimator.fitting.diagnostics import Diagnostics, diagnose
from estimator.fitting.inference import learn_whitening
from estimator.fitting.ladder import Ladder, Seeds
from estimator.fitting.pilot import Pilot
from estimator.model.figures import NOISE
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.quantity import QUANTITIES, SHARES, combine, with_killed
from estimator.store.journal import Journal, Record, key_of
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.backtest.origins import FORECAST, VINTAGE, Origin, Target

Say = Callable[[str], None]
"""Told what is being done."""

PILOT = "pilot"
"""Kind of the records that hold a pilot."""

# Origins that follow each other share what a pilot has taught: over three months that costs no
# steps, over five NUTS takes twice as many.
_SHARED_MONTHS = 3


def forecast_inputs(
    evidence: Evidence, assumptions: AssumptionSet, sources: Sequence[str], noise_factor: float
) -> ModelInputs:
    """Make the inputs of a fit, with the noise of some sources multiplied."""
    inputs = model_inputs(evidence, assumptions)
    figures = inputs.data["claim_figures"].copy()
    own = np.isin(evidence.dataset["source"].values, list(sources))
    figures[NOISE, own] *= noise_factor
    return replace(inputs, data={**inputs.data, "claim_figures": figures})


def cut(
    variables: xr.Dataset, inputs: ModelInputs, origin: Origin, options: BacktestOptions
) -> xr.Dataset:
    """Keep of a fit what forecasts need: nothing of the months after the origin.

    Parameters
    ----------
    variables
        Draws of the model's deterministics.
    inputs
        Of the fit.
    origin
        At whose month the series are cut.
    options
        Sources, which say which series are needed.

    Returns
    -------
    xarray.Dataset
        `rate` (series, month, chain, draw): log thousands per mean month, log odds for shares;
        `level`, `step` (series, chain, draw) of their walks, the level on the same scale; `shift`
        (target, chain, draw), bias and drift of the source when it reports a month ahead;
        `location` (claim, chain, draw) of the vintages, log thousands.
    """
    quantities = [source.rpartition(":")[2] for source in options.sources]
    series = list(dict.fromkeys(name for q in quantities for name in QUANTITIES[q].series_behind))
    known = slice(None, origin.position + 1)
    constants = inputs.structure.constants
    exposure = xr.DataArray(constants["exposure"], dims="month")[known]
    values = variables["assumption_value"]
    mobilised = values.sel(assumption="recruitment.mobilised", drop=True) * xr.DataArray(
        constants["mobilisation_weight"], dims="month"
    )
    rates: list[xr.DataArray] = []
    levels: list[xr.DataArray] = []
    for name in series:
        drawn = variables[name].isel(month=known)
        level = values.sel(assumption=f"{QUANTITIES[name].walk}.level", drop=True)
        if name in SHARES:
            rates.append(xr.apply_ufunc(logit, drawn))
            levels.append(xr.apply_ufunc(logit, level))
            continue
        regular = drawn - mobilised.isel(month=known) if name == "recruits" else drawn
        rates.append(xr.apply_ufunc(np.log, regular / exposure))
        levels.append(xr.apply_ufunc(np.log, level))
    steps = [
        variables["losses_step"].isel(month=origin.position, drop=True)
        if name == "losses"
        else values.sel(assumption=f"{QUANTITIES[name].walk}.step", drop=True)
        for name in series
    ]
    ahead = [one for one in origin.targets if one.kind == FORECAST]
    rows = [one.row for one in origin.targets if one.kind == VINTAGE]
    index = xr.DataArray(series, dims="series", name="series")
    return xr.Dataset(
        {
            "rate": xr.concat(rates, index).transpose("series", "month", "chain", "draw"),
            "level": xr.concat(levels, index).transpose("series", "chain", "draw"),
            "step": xr.concat(steps, index).transpose("series", "chain", "draw"),
            "shift": _shifts(variables, inputs, ahead),
            "location": variables["claim_location"].isel(claim=rows),
        }
    ).transpose(..., "chain", "draw")


def _shifts(variables: xr.Dataset, inputs: ModelInputs, targets: Sequence[Target]) -> xr.DataArray:
    """How far each report lies from the truth but for noise, log ratio. (target, chain, draw).

    Read off the fit's own months ahead, in which the source has its bias of then.
    """
    shifts = []
    for one in targets:
        quantity = QUANTITIES[one.source.rpartition(":")[2]]
        then = variables[list(quantity.series_behind)].isel(month=one.month, drop=True)
        total = combine(quantity.parts, with_killed(then))
        location = variables["claim_location"].isel(claim=one.row, drop=True)
        shifts.append(location - xr.apply_ufunc(np.log, month_weight(inputs, one) * total))
    index = xr.DataArray([one.claim for one in targets], dims="target", name="target")
    joined: xr.DataArray = xr.concat(shifts, index)
    return joined


def month_weight(inputs: ModelInputs, target: Target) -> float:
    """Weight of the target's month in its figure: 1 for persons, less for rates a day."""
    n_months = len(inputs.structure.coords["month"])
    row = inputs.structure.constants["total"][target.row][: 4 * n_months]
    return float(np.abs(row.reshape(4, n_months)[:, target.month]).max())


@dataclass
class OriginFits:
    """Fits one set after the other as of one day after the other.

    Attributes
    ----------
    options
        Draws, warm-up, attempts.
    cores
        Chains at a time.
    journal
        Where pilots are kept, so that a back-test which was stopped ends as if it had not been.
    """

    options: BacktestOptions
    cores: int
    journal: Journal | None = None
    _pilots: dict[str, Pilot] = field(default_factory=dict)

    def fit(self, assumptions: AssumptionSet, inputs: ModelInputs, origin: Origin) -> xr.Dataset:
        """Fit a set as of an origin's day (see `estimator.fitting.ladder`).

        Returns
        -------
        xarray.Dataset
            As `cut` gives it; its attrs tell `failures` (empty if there are none) and `attempts`.
        """
        sampler = assumptions.sampler
        seed = [assumptions.seed, 5, zlib.crc32(origin.month.encode())]

        def judge(variables: xr.Dataset, stats: xr.Dataset) -> tuple[xr.Dataset, Diagnostics]:
            kept = cut(variables, inputs, origin, self.options)
            return kept, diagnose(kept, stats, sampler)

        fitted = Ladder.of(self.options.fit, sampler, self.cores).fit(
            inputs,
            self._pilot(assumptions, inputs, origin, seed),
            Seeds(
                lambda attempt: np.random.SeedSequence([*seed, 1, attempt]),
                np.random.SeedSequence([*seed, 0, 2]),
            ),
            judge,
        )
        draws, diagnostics = fitted.draws()
        return draws.assign_attrs(
            failures=fitted.failures,
            attempts=fitted.attempts,
            max_rhat=diagnostics.max_rhat,
            min_ess=min(diagnostics.min_ess_bulk, diagnostics.min_ess_tail),
            divergences=diagnostics.divergences,
        )

    def _pilot(
        self, assumptions: AssumptionSet, inputs: ModelInputs, origin: Origin, seed: list[int]
    ) -> Pilot:
        """Give what the first of a set's fits among origins that follow each other has learnt."""
        key = key_of(
            assumptions.label,
            inputs.structure.identity,
            origin.position // _SHARED_MONTHS,
            assumptions.seed,
        )
        if key not in self._pilots:
            self._pilots[key] = self._kept_pilot(key) or self._learnt(
                key, assumptions, inputs, seed
            )
        return self._pilots[key]

    def _kept_pilot(self, key: str) -> Pilot | None:
        kept = None if self.journal is None else self.journal.record(PILOT, key)
        return None if kept is None else Pilot.from_bytes(kept.content or b"")

    def _learnt(
        self, key: str, assumptions: AssumptionSet, inputs: ModelInputs, seed: list[int]
    ) -> Pilot:
        child = np.random.SeedSequence([*seed, 0, 0])
        whitening = learn_whitening(inputs, assumptions.sampler, child, self.cores)
        pilot = Pilot.of(whitening, inputs)
        if self.journal is not None:
            self.journal.keep([Record(PILOT, key, content=pilot.to_bytes())])
        return pilot
