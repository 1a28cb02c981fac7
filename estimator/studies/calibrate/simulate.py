"""What origins would have published, had one draw of the model been the truth.

Every figure is drawn from exactly the density with which the model reads it, so that a fit of the
simulated figures is a fit of the model that made them:

- A *point* is its location plus noise.
- An *interval* (range, nearly, more than) keeps its width on the model's scale and lies at a random
  place around the report: the density of its lower end is the probability of the interval over its
  width.
- Of an *open interval* (at least, under, up to) the bound stays where it was published and the side
  is random: the report lies above it or below it.
- A *confirmed figure* is what was confirmed of the true figure: true figure over
  (1 - false confirmations) (1 + unconfirmed ratio). A sum is read as the remainder after its
  confirmed months, as in the model.

- A *vintage of a registry* has the errors that it shares with the other vintages. The floor that
  a list of names is stays where it was published, as an open interval does, and the side is random.

Noise is that of the published figures (of a stock it is a share of the published size, not of the
simulated one), and the same claims count: but of bounds that weigh together as one only the
heaviest, for a density to the power of a weight is that of no figure.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from estimator.model.figures import IS_POINT, LOWER, NOISE, OPEN_END, UPPER, USED
from estimator.model.forward import by_key, claim_locations, confirmed_figure, confirmed_totals
from estimator.model.inputs import ModelInputs
from estimator.model.registries import (
    killed_of_populations,
    registry_locations,
    simulated_figures,
)
from estimator.quantity import OTHER_EXITS, SAMPLED

SIMULATED = ("claim_value", "claim_figures", "confirmed_value", "registry_value", "registry_floors")
"""Data of the model that a simulated world has of its own."""

_FAR = 1e6  # an open end, as in `estimator.model.figures`
_OF_CONFIRMED = ("losses", "killed_share")


def simulate(inputs: ModelInputs, truth: xr.Dataset, rng: np.random.Generator) -> ModelInputs:
    """Replace every figure by what its origin would have published of one true world.

    Parameters
    ----------
    inputs
        Of the published claims.
    truth
        One draw of the model, prior or posterior: `claim_location` (claim), where there are
        triangles `registry_figure_location` (registry_figure), `rounded_off` (confirmed_claim),
        and what `locations_in` takes; thousands of persons.
    rng
        For the reports.

    Returns
    -------
    ModelInputs
        The same structure with other figures.
    """
    data = inputs.data
    location = truth["claim_location"].values if "claim_location" in truth else np.zeros(0)
    used = one_bound_a_source(inputs)
    value, figures = reported(data["claim_value"], used, location, rng)
    confirmed = confirmed_figures(inputs, truth, rng)
    registered, floors = data["registry_value"], data["registry_floors"]
    if "registry_figure_location" in truth:
        at = truth["registry_figure_location"].values
        registered = simulated_figures(inputs.structure.layout, data, at, rng)
        dead = locations_in(inputs, truth)["registry_log_dead"]
        _, floors = reported(data["registry_floor"], floors, dead, rng)
    return replace(
        inputs,
        data={
            **data,
            "claim_value": value,
            "claim_figures": figures,
            "confirmed_value": np.where(
                data["confirmed_used"] > 0, confirmed, data["confirmed_value"]
            ),
            "registry_value": registered,
            "registry_floors": floors,
        },
    )


def reported(
    value: np.ndarray, figures: np.ndarray, location: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the figures of the claims.

    Parameters
    ----------
    value, figures
        As `estimator.model.figures.figures_of_claims` gives them.
    location
        Where each report lies without noise. (claim,).
    rng
        For the reports.

    Returns
    -------
    value, figures
        Of the simulated world.
    """
    report = location + figures[NOISE] * rng.standard_normal(len(location))
    place = rng.uniform(size=len(location))
    lower, upper = figures[LOWER], figures[UPPER]
    is_point = figures[IS_POINT] > 0
    open_below, open_above = lower <= -OPEN_END, upper >= OPEN_END
    is_open = ~is_point & (open_below | open_above)
    bound = np.where(open_below, upper, lower)
    above = report >= bound
    width = upper - lower
    new_lower = np.where(is_point, report - 1.0, report - place * width)
    new_upper = np.where(is_point, report + 1.0, report + (1.0 - place) * width)
    new_lower = np.where(is_open, np.where(above, bound, -_FAR), new_lower)
    new_upper = np.where(is_open, np.where(above, _FAR, bound), new_upper)
    inside = np.where(is_open, bound, (new_lower + new_upper) / 2.0)
    drawn = np.where(is_point, report, inside)
    counts = figures[USED] > 0
    changed = figures.copy()
    changed[LOWER] = np.where(counts, new_lower, lower)
    changed[UPPER] = np.where(counts, new_upper, upper)
    return np.where(counts, drawn, value), changed


def one_bound_a_source(inputs: ModelInputs) -> np.ndarray:
    """Let the heaviest of the bounds that weigh as one count alone, and wholly.

    Returns
    -------
    (claim_figure, claim), the rows `estimator.model.figures.FIGURES`
    """
    figures = inputs.data["claim_figures"].copy()
    n_sources = len(inputs.structure.coords["source"])
    source = np.asarray(inputs.structure.constants["shift"])[:, :n_sources] != 0
    for is_open in (figures[UPPER] >= OPEN_END, figures[LOWER] <= -OPEN_END):
        bounds = is_open & (figures[USED] > 0)
        for own in source[bounds].any(axis=0).nonzero()[0]:
            rows = np.flatnonzero(bounds & source[:, own])
            heaviest = rows[np.argmax(figures[USED, rows])]
            figures[USED, rows] = 0.0
            figures[USED, heaviest] = 1.0
    return figures


def locations_in(inputs: ModelInputs, truth: xr.Dataset) -> dict[str, np.ndarray]:
    """Work out where each report lies without noise, as the model does.

    Parameters
    ----------
    inputs
        Of the set.
    truth
        `losses`, `killed_share`, `recruits`, `foreign_recruits`, `other_exits` (month),
        `assumption_value`, `reporting`, where biases wander `bias_steps`, where there are
        registries `registration`; thousands of persons.

    Returns
    -------
    dict
        `claim_location` (claim,); where there are triangles `registry_figure_location` and, of
        the dead that each figure is about, `registry_log_dead` (registry_figure,).
    """
    apply = partial(inputs.structure.layout.multiply, inputs.data)
    terms = [truth["reporting"].sel(reporting_term=["bias", "drift"]).values.ravel()]
    if "bias_steps" in truth:
        terms.append(truth["bias_steps"].values)
    reporting = np.concatenate(terms)
    shift = apply("shifts", reporting)
    series = {name: truth[name].values for name in (*SAMPLED, OTHER_EXITS)}
    value = {str(one.assumption.values): one.values for one in truth["assumption_value"]}
    registries, killed = inputs.structure.registries, series["losses"] * series["killed_share"]
    registration = truth["registration"].values if registries.terms else np.zeros(0)
    of_populations = (
        killed_of_populations(registries, killed, registration) if registries.populations else None
    )
    found = {
        "claim_location": claim_locations(
            inputs.structure, apply, series, value, shift, of_populations
        )
    }
    if registries.late:
        found["registry_figure_location"], found["registry_log_dead"] = registry_locations(
            registries, apply, killed, of_populations, registration, reporting
        )
    return found


def totals_of_confirmed(inputs: ModelInputs, truth: xr.Dataset) -> np.ndarray:
    """Add up what each confirmed figure counts. (..., confirmed_claim), thousands."""
    losses, share = (truth[name].transpose(..., "month").values for name in _OF_CONFIRMED)
    return confirmed_totals(
        losses,
        share,
        by_key(truth["assumption_value"]),
        inputs.structure.constants["confirmed_weight"],
        inputs.data["confirmed_states"],
    )


def confirmed_figures(
    inputs: ModelInputs, truth: xr.Dataset, rng: np.random.Generator
) -> np.ndarray:
    """Draw what was published as confirmed of the true figures. (confirmed_claim,), thousands."""
    ratio, spread, false = (
        float(truth["assumption_value"].sel(assumption=key))
        for key in ("unconfirmed.ratio", "unconfirmed.spread", "confirmed.false_confirmation")
    )
    total = totals_of_confirmed(inputs, truth)
    noise = rng.standard_normal(len(total))
    counted = confirmed_figure(total, 1.0 - false, np.log(ratio), spread, noise)
    return np.asarray(counted - np.asarray(truth.get("rounded_off", 0.0)))
