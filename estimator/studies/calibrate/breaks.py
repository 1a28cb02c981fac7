"""Worlds in which something holds that the set does not believe."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import expit, logit

from estimator.model.figures import IS_POINT, LOWER, UPPER
from estimator.model.inputs import ModelInputs
from estimator.quantity import names_where
from estimator.studies.calibrate.options import BrokenOptions
from estimator.studies.calibrate.simulate import locations_in, simulate, totals_of_confirmed

_OF_KILLED = names_where(lambda quantity: "killed" in quantity.parts)


def broken_truth(inputs: ModelInputs, truth: xr.Dataset, spec: BrokenOptions) -> xr.Dataset:
    """Change a truth where the break says so.

    Parameters
    ----------
    inputs
        Of the set.
    truth
        One draw of the model.
    spec
        The break: a jump of the killed share changes the killed, who returns, and what is reported.
    """
    if spec.jump_from is None:
        return truth
    first = f"{spec.jump_from:%Y-%m}"
    later = np.array([month >= first for month in inputs.structure.coords["month"]])
    share = expit(logit(truth["killed_share"].values) + spec.killed_share_jump * later)
    changed = truth.assign(killed_share=truth["killed_share"].copy(data=share))
    found = locations_in(inputs, changed)
    moved = {name: truth[name].copy(data=found[name]) for name in found if name in truth}
    return changed.assign(moved)


def broken_figures(
    inputs: ModelInputs,
    evidence: xr.Dataset,
    truth: xr.Dataset,
    spec: BrokenOptions,
    rng: np.random.Generator,
) -> ModelInputs:
    """Draw what origins publish of a broken world.

    Parameters
    ----------
    inputs, evidence
        Of the published claims.
    truth
        As `broken_truth` gives it.
    spec
        The break.
    rng
        For the reports.
    """
    location = truth["claim_location"].values.copy()
    location[touched(evidence, spec)] += spec.bias
    if spec.invents is not None:
        location = np.where(
            evidence["origin"].values == spec.invents,
            _invented(inputs, evidence, spec, rng),
            location,
        )
    changed = truth.assign(claim_location=truth["claim_location"].copy(data=location))
    world = simulate(inputs, changed, rng)
    data = dict(world.data)
    if spec.confirmed_factor is not None:
        confirmed = spec.confirmed_factor * totals_of_confirmed(inputs, truth)
        counts = inputs.data["confirmed_used"] > 0
        data["confirmed_value"] = np.where(counts, confirmed, data["confirmed_value"])
    if spec.copies is not None:
        data |= _copied(inputs, evidence, truth, data, spec)
    return ModelInputs(world.structure, data)


def touched(evidence: xr.Dataset, spec: BrokenOptions) -> np.ndarray:
    """Pick the claims whose figures the break is about. (claim,), bool.

    Of a break of the confirmed figures those are the claims on losses of the confirmed months.
    """
    quantity = evidence["quantity"].values
    if spec.about:
        return np.isin(quantity, spec.about)
    if spec.bias_of:
        return np.isin(quantity, spec.bias_of)
    if spec.jump_from is not None:
        return np.isin(quantity, _OF_KILLED)
    if spec.copies is not None:
        return np.asarray(evidence["evidence_group"].values == spec.copies)
    if spec.invents is not None:
        return np.asarray(evidence["origin"].values == spec.invents)
    if spec.confirmed_factor is not None:
        used = evidence["confirmed_used"].values
        months = (evidence["confirmed_weight"].values[used] > 0).any(axis=0)
        inside = (evidence["weight"].values[:, ~months] == 0).all(axis=1)
        return np.asarray((quantity == "losses") & inside)
    return np.zeros(len(quantity), bool)


def _copied(
    inputs: ModelInputs,
    evidence: xr.Dataset,
    truth: xr.Dataset,
    data: dict[str, np.ndarray],
    spec: BrokenOptions,
) -> dict[str, np.ndarray]:
    """Give each figure of a group the error of the first on its quantity; points alone."""
    silent = {name: 0.0 * truth[name] for name in ("reporting", "bias_steps") if name in truth}
    plain = locations_in(inputs, truth.assign(silent))["claim_location"]
    value, figures = data["claim_value"].copy(), data["claim_figures"].copy()
    of_group = touched(evidence, spec) & (inputs.figure("used") > 0) & (figures[IS_POINT] > 0)
    quantity = evidence["quantity"].values
    for name in np.unique(quantity[of_group]):
        first, *others = np.flatnonzero(of_group & (quantity == name))
        value[others] = plain[others] + value[first] - plain[first]
        figures[LOWER, others], figures[UPPER, others] = value[others] - 1.0, value[others] + 1.0
    return {"claim_value": value, "claim_figures": figures}


def _invented(
    inputs: ModelInputs, evidence: xr.Dataset, spec: BrokenOptions, rng: np.random.Generator
) -> np.ndarray:
    """Figures around the mean of the origin's published ones, a random walk of its own. (claim,).

    Only quantities on a log scale are invented.
    """
    months = evidence["weight"].values.sum(axis=1)
    length = np.log(np.maximum(months, 1e-9))
    is_log = np.array(inputs.structure.claim_scale) == "log"
    own = (evidence["origin"].values == spec.invents) & is_log & (inputs.figure("used") > 0)
    found = np.asarray(inputs.data["claim_value"]).copy()
    for quantity in np.unique(evidence["quantity"].values[own]):
        rows = np.flatnonzero(own & (evidence["quantity"].values == quantity))
        per_month = found[rows] - length[rows]
        walk = np.cumsum(rng.standard_normal(len(rows)))
        walk = (walk - walk.mean()) / max(float(walk.std()), 1e-9)
        found[rows] = per_month.mean() + spec.invented_spread * walk + length[rows]
    return found
