"""The scalars of a model whose ranges are checked, as rows of one matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.assumptions.fit_options import Bounds
from estimator.evidence import Evidence
from estimator.evidence.periods import Window
from estimator.fitting.convergence import convergence
from estimator.fitting.diagnostics import Diagnostics, verdict
from estimator.model.inputs import ModelInputs
from estimator.quantities.derived import reported_quantities, totals
from estimator.quantity import HEADLINES, OTHER_EXITS, TOTAL

ENDS = ("killed_share", "recruits", "foreign_recruits", OTHER_EXITS)
"""Others of which the last month and the total (or the share of the sums) are ranked."""

# Entries that are variables of the model themselves.
_OF_THE_MODEL = {
    "shared_mean": "shared_bias",
    "shared_spread": "shared_bias",
    "bias_step": "bias_steps",
    "registration": "registration",
    "losses_step": "losses_step",
}


@dataclass(frozen=True)
class Ranked:
    """Draws of everything that is ranked.

    Attributes
    ----------
    names
        ``losses[2026-01]``, ``killed[total]``, ``unconfirmed.ratio``, ``reporting_bias[source]``.
    draws
        (entry, chain, draw); persons, shares.
    """

    names: tuple[str, ...]
    draws: np.ndarray


def diagnose_ranked(picked: Ranked, stats: xr.Dataset, bounds: Bounds) -> Diagnostics:
    """Hold the draws of all that is ranked and varies against bounds."""
    moving = np.ptp(picked.draws.reshape(len(picked.draws), -1), axis=1) > 0
    names = [name for name, moves in zip(picked.names, moving, strict=True) if moves]
    divergences = int(stats["diverging"].sum())
    return verdict(convergence(picked.draws[moving]), names, divergences, bounds)


def group_of(name: str) -> str:
    """Quantity of an entry, or ``assumption``."""
    return name.partition("[")[0] if "[" in name else "assumption"


def ranked(
    variables: xr.Dataset, inputs: ModelInputs, evidence: Evidence, assumptions: AssumptionSet
) -> Ranked:
    """Pick what is ranked out of draws of the model.

    Parameters
    ----------
    variables
        Deterministics (chain, draw, ...) as `estimator.fitting.inference` gives them (thousands).
    inputs, evidence, assumptions
        Of the set.

    Notes
    -----
    Left out is what cannot vary: assumptions held fixed, and biases of sources without a claim that
    counts, which the claims say nothing of.
    """
    quantities = reported_quantities(variables, inputs, evidence)
    whole = totals(quantities)
    months = {str(month): at for at, month in enumerate(quantities["month"].values)}
    sources = {name: at for at, name in enumerate(inputs.structure.coords["source"])}
    names, rows = ranked_names(inputs, assumptions), []
    for name in names:
        quantity, _, rest = name.partition("[")
        label = rest.rstrip("]")
        if quantity in _OF_THE_MODEL:
            draws = variables[_OF_THE_MODEL[quantity]].sel(_place(quantity, label))
        elif not label:
            draws = quantities["assumption_value"].sel(assumption=name)
        elif label == TOTAL:
            draws = whole[quantity]
        elif label in months:
            draws = quantities[quantity].isel(month=months[label])
        else:
            draws = quantities[quantity].isel(source=sources[label])
        rows.append(draws.transpose("chain", "draw").values)
    return Ranked(names, np.array(rows))


def _place(quantity: str, label: str) -> dict[str, str]:
    """Coordinates of an entry in the variable of the model that it is part of."""
    dims = {"bias_step": "bias_step", "registration": "registry_term", "losses_step": "month"}
    if quantity in dims:
        return {dims[quantity]: label}
    return {"shared_term": quantity.removeprefix("shared_"), "bias_group": label}


def ranked_names(inputs: ModelInputs, assumptions: AssumptionSet) -> tuple[str, ...]:
    """Names of all entries, in order (see `ranked`)."""
    return tuple(_names(inputs, assumptions))


def _names(inputs: ModelInputs, assumptions: AssumptionSet) -> Iterator[str]:
    yield from (key for key, prior in assumptions.priors() if not prior.is_fixed)
    counts = _sources_that_count(inputs)
    for term, name in enumerate(("reporting_bias", "reporting_drift")):
        varies = inputs.data["reporting_scale"][term] > 0
        if name == "reporting_bias":  # of a source whose bias is drawn around a shared mean too
            varies = varies | (inputs.structure.constants["bias_members"] > 0).any(axis=1)
        for at, source in enumerate(inputs.structure.coords["source"]):
            if varies[at] and source in counts:
                yield f"{name}[{source}]"
    shared_scale = inputs.data["shared_scale"]
    for at, group in enumerate(inputs.structure.coords["bias_group"]):
        for term, name in enumerate(inputs.structure.coords["shared_term"]):
            if shared_scale[term, at] > 0:
                yield f"shared_{name}[{group}]"
    yield from (f"bias_step[{label}]" for label in inputs.structure.coords["bias_step"])
    for label, scale in zip(
        inputs.structure.coords["registry_term"], inputs.data["registry_scale"], strict=True
    ):
        if scale > 0:
            yield f"registration[{label}]"
    months = inputs.structure.coords["month"]
    last = Window.of(assumptions.window).last_whole_month
    if not assumptions.losses.step.is_fixed or inputs.structure.coords["step_change"]:
        yield f"losses_step[{last}]"
    for name in HEADLINES:
        yield from (f"{name}[{label}]" for label in (*months, TOTAL))
    for name in ENDS:
        yield from (f"{name}[{label}]" for label in (last, TOTAL))
    yield f"force_size[{months[-1]}]"


def _sources_that_count(inputs: ModelInputs) -> set[str]:
    """Pick the sources with a claim that counts."""
    n_sources = len(inputs.structure.coords["source"])
    picks = np.asarray(inputs.structure.constants["shift"])[:, :n_sources] != 0
    counts = (picks & (inputs.figure("used") > 0)[:, None]).any(axis=0)
    return {name for name, on in zip(inputs.structure.coords["source"], counts, strict=True) if on}
