"""What each source will report, predicted from the draws of a fit that was cut at its day."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from scipy.special import expit

from estimator.assumptions import AssumptionSet
from estimator.assumptions.groups import Projection
from estimator.model.inputs import ModelInputs
from estimator.quantities.dynamics import Walk, carry_on
from estimator.quantity import QUANTITIES, SHARES, combine, with_killed
from estimator.studies.backtest.origin_fits import month_weight
from estimator.studies.backtest.origins import FORECAST, VINTAGE, Origin, Target


def forecast_reports(
    fitted: xr.Dataset,
    origin: Origin,
    inputs: ModelInputs,
    assumptions: AssumptionSet,
    dynamics: Projection,
) -> tuple[list[Target], np.ndarray]:
    """Draw the figures of the months ahead.

    Truth carried on from the origin's month, on the source's log scale, plus its bias, drift and
    noise; all dynamics see the same random numbers.

    Parameters
    ----------
    fitted
        As `estimator.studies.backtest.origin_fits.cut` gives it.
    origin
        Whose targets are forecast.
    inputs
        Of the fit, for the noise of the figures and the weights of their months.
    assumptions
        Of the fit.
    dynamics
        How the series go on.

    Returns
    -------
    targets, draws
        Log thousands. (target,), (target, draw).
    """
    targets = [one for one in origin.targets if one.kind == FORECAST]
    predicted = []
    for one in targets:
        total, shift = carried_reports(fitted, origin, one, inputs, assumptions, dynamics)
        noise = _noise(one, inputs, total.size, _seed_of(origin, assumptions))
        predicted.append(np.log(total) + shift + noise)
    return targets, np.reshape(
        predicted, (len(targets), fitted.sizes["chain"] * fitted.sizes["draw"])
    )


def carried_reports(
    fitted: xr.Dataset,
    origin: Origin,
    target: Target,
    inputs: ModelInputs,
    assumptions: AssumptionSet,
    dynamics: Projection,
) -> tuple[np.ndarray, np.ndarray]:
    """Carry the truth on to the month of a target; arguments as for `forecast_reports`.

    Returns
    -------
    total, shift
        What the figure is about, thousands, and the log of reported over true but for noise.
        (draw,) each.
    """
    ahead = max(one.horizon for one in origin.targets if one.kind == FORECAST)
    seed = _seed_of(origin, assumptions)
    paths = {
        name: _carried(fitted, name, ahead, assumptions, dynamics, [*seed, number])
        for number, name in enumerate(fitted["series"].values.tolist())
    }
    exposure = inputs.structure.constants["exposure"][origin.position + 1 :][:ahead]
    total = _total(target.source.rpartition(":")[2], paths, exposure)[:, target.horizon - 1]
    shift = _flat(fitted["shift"].sel(target=target.claim))
    return month_weight(inputs, target) * total, shift


def _seed_of(origin: Origin, assumptions: AssumptionSet) -> list[int]:
    return [assumptions.seed, 6, zlib.crc32(origin.month.encode())]


def forecast_vintages(
    fitted: xr.Dataset, origin: Origin, inputs: ModelInputs, assumptions: AssumptionSet
) -> tuple[list[Target], np.ndarray]:
    """Draw later claims on periods that had ended; arguments and results as above."""
    targets = [one for one in origin.targets if one.kind == VINTAGE]
    seed = [assumptions.seed, 7, zlib.crc32(origin.month.encode())]
    locations = fitted["location"].transpose("claim", "chain", "draw").values
    drawn = [
        location.ravel() + _noise(one, inputs, location.size, seed)
        for one, location in zip(targets, locations, strict=True)
    ]
    return targets, np.reshape(drawn, (len(targets), fitted.sizes["chain"] * fitted.sizes["draw"]))


def _carried(
    fitted: xr.Dataset,
    name: str,
    months: int,
    assumptions: AssumptionSet,
    dynamics: Projection,
    seed: Sequence[int],
) -> np.ndarray:
    one = fitted.sel(series=name)
    walk = Walk(
        known=_flat(one["rate"], "month"),
        level=_flat(one["level"]),
        step=_flat(one["step"]),
        persistence=float(getattr(assumptions, str(QUANTITIES[name].walk)).persistence),
    )
    return carry_on(walk, months, dynamics, np.random.default_rng(seed))


def _flat(variable: xr.DataArray, *last: str) -> np.ndarray:
    """Draws of all chains in one row. (draw, ...)."""
    array = variable.transpose("chain", "draw", *last).values.astype(float)
    return np.asarray(array.reshape(-1, *array.shape[2:]))


def _total(quantity: str, paths: Mapping[str, np.ndarray], exposure: np.ndarray) -> np.ndarray:
    """Thousands of each month ahead. (draw, month)."""
    ahead = {
        name: expit(path) if name in SHARES else np.exp(path) * exposure
        for name, path in paths.items()
    }
    return np.asarray(combine(QUANTITIES[quantity].parts, with_killed(ahead)))


def _noise(target: Target, inputs: ModelInputs, size: int, seed: Sequence[int]) -> np.ndarray:
    spread = float(inputs.figure("noise")[target.row])
    rng = np.random.default_rng([*seed, zlib.crc32(target.claim.encode())])
    return np.asarray(spread * rng.standard_normal(size))
