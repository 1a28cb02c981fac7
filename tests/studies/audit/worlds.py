"""Simulated worlds: what origins would have reported, had one draw of the prior been true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.evidence import Evidence
from estimator.fitting.inference import infer
from estimator.model.figures import FIGURES, THOUSAND
from estimator.model.inputs import model_inputs

_PLAUSIBLE = (3.0, 90.0)  # thousand losses a month


def simulated(evidence: Evidence, assumptions: AssumptionSet, seed: int) -> Evidence:
    """Replace every figure by what the claim's origin would have reported of one true world.

    The truth is a draw of the prior. Points are the reports themselves; of an interval the report
    lies at a random place inside; a confirmed figure is what was confirmed of the true figure.
    """
    prior_only = assumptions.sampler.model_copy(update={"method": "prior", "prior_draws": 200})
    inputs = model_inputs(evidence, assumptions)
    prior = infer(inputs, prior_only, np.random.SeedSequence([seed, 1])).prior.isel(chain=0)
    rate = prior["losses"] / inputs.structure.constants["exposure"]
    low, high = _PLAUSIBLE
    is_stock = np.array(inputs.structure.claim_scale) == "stock"
    plausible = (
        ((rate > low) & (rate < high)).all("month")
        & (prior["recruits"] < high).all("month")
        & (prior["claim_location"].isel(claim=is_stock) > 0.0).all("claim")
    )
    truth = prior.isel(draw=int(np.flatnonzero(plausible)[0]))
    rng = np.random.default_rng([seed, 2])
    data = _floors(evidence.dataset.copy(), truth, inputs.structure.constants, rng)
    noise = inputs.data["claim_figures"][FIGURES.index("noise")]
    location = truth["claim_location"].values
    # The noise of a stock is a share of its size: of this world's, not of the published one.
    published = np.maximum(np.abs(inputs.data["claim_value"]), 1e-9)
    noise = np.where(is_stock, noise * np.abs(location) / published, noise)
    reports = location + noise * rng.standard_normal(len(location))
    figures = {name: data[name].values.copy() for name in ("low", "value", "high")}
    for at, report in enumerate(reports):
        scale = inputs.structure.claim_scale[at]
        match scale:
            case "log":
                figure = np.exp(report) * THOUSAND
            case "logit":
                figure = 1.0 / (1.0 + np.exp(-report))
            case _:
                figure = report * THOUSAND
        cells = _worded(str(data["hedge"].values[at]), figure, scale, figures, at, rng, assumptions)
        for name, cell in cells.items():
            figures[name][at] = cell
    data = data.assign({name: ("claim", array) for name, array in figures.items()})
    return replace(evidence, dataset=data)


def _floors(
    data: xr.Dataset, truth: xr.Dataset, constants: dict[str, np.ndarray], rng: np.random.Generator
) -> xr.Dataset:
    values = truth["assumption_value"]
    ratio, spread, false = (
        float(values.sel(assumption=key))
        for key in ("unconfirmed.ratio", "unconfirmed.spread", "confirmed.false_confirmation")
    )
    total = constants["confirmed_weight"] @ truth["losses"].values
    drawn = ratio * np.exp(spread * rng.standard_normal(len(total)))
    figure = THOUSAND * total / ((1.0 - false) * (1.0 + drawn))
    return data.assign(confirmed_floor=("confirmed_claim", figure))


def _worded(
    hedge: str,
    figure: float,
    scale: str,
    figures: dict[str, np.ndarray],
    at: int,
    rng: np.random.Generator,
    assumptions: AssumptionSet,
) -> dict[str, float]:
    """Cells of the table for a report, worded as the claim was."""
    u = float(rng.uniform())
    widths = assumptions.hedging
    match hedge:
        case "range":
            old_low, old_high = figures["low"][at], figures["high"][at]
            width = (old_high - old_low) * figure / ((old_low + old_high) / 2.0)
            return {"low": figure - u * width, "high": figure + (1 - u) * width, "value": np.nan}
        case "more_than" | "nearly":
            band = widths.share_band if scale == "logit" else widths.more_than * abs(figure)
            return {"value": figure - u * band if hedge == "more_than" else figure + u * band}
        case "at_least":
            return {"value": figure * (1.0 - 0.2 * u)}
        case "under" | "up_to":
            return {"value": figure + 0.2 * u * max(abs(figure), 1e-3)}
    return {"value": figure}
