"""What the model takes in: numbers that may change without compiling, and the structure that may not.

All numbers enter the graph as one packed vector (`ModelInputs.data`), because compiling a graph
with many separate `pm.Data` took twice as long. `Layout` says where each named array lies in it.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import logit

from estimator.assumptions import (
    ASSUMPTIONS,
    QUANTITY_SCALES,
    AssumptionSet,
    HedgingOptions,
    SourceReporting,
    is_packed,
)
from estimator.evidence.dataset import Evidence
from estimator.evidence.periods import DAYS_PER_MONTH
from estimator.model.confirmation import Pivots
from estimator.model.random_walk import carried_steps
from estimator.priors import LINKS

PACKED = "inputs"
CLAIM_VALUE = "claim_value"
CONFIRMED_FIGURE = "confirmed_value"
OBSERVED = (CLAIM_VALUE, CONFIRMED_FIGURE)
"""Arrays that stand in their own `pm.Data`, because PyMC observes whole data only."""

WALKS = ("losses", "killed_share", "recruitment", "foreign")
THOUSAND = 1000.0
MAXIMUM_RETURN_LAG = 24  # months; beyond twice the longest plausible delay nothing is left
_FAR = 1e6  # stands for an open end of an interval: finite, so that gradients stay finite


@dataclass(frozen=True)
class Layout:
    """Where each named array lies in the packed vector."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    def pack(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        """Join the named arrays into one float vector."""
        return np.concatenate([np.ravel(arrays[name]).astype(float) for name, _ in self.shapes])

    def unpack(self, vector: Any) -> dict[str, Any]:
        """Slice a vector (numpy or PyTensor) into the named arrays."""
        arrays, begin = {}, 0
        for name, shape in self.shapes:
            size = math.prod(shape)
            arrays[name] = vector[begin : begin + size].reshape(shape)
            begin += size
        return arrays


@dataclass(frozen=True)
class Structure:
    """What makes another graph, and so another compilation.

    Attributes
    ----------
    layout
        Shapes of all inputs: numbers of months, claims by quantity, floors, sources.
    families
        Family of each scalar assumption: ``packed`` for those that are affine maps of a normal.
    claim_quantity, claim_source
        Quantity of each claim, and position of its source.
    pivots
        Which month each confirmed floor lifts.
    """

    layout: Layout
    families: tuple[str, ...]
    claim_quantity: tuple[str, ...]
    claim_source: tuple[int, ...]
    pivots: Pivots

    @property
    def identity(self) -> str:
        """Short hash that names the structure."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class ModelInputs:
    """Everything that `estimator.model.build_model` needs.

    Attributes
    ----------
    structure
        What would need another compilation.
    arrays
        The numbers, by name (in thousands of persons).
    coords
        Labels of the dims `month, claim, confirmed_claim, source, assumption`.
    """

    structure: Structure
    arrays: dict[str, np.ndarray]
    coords: dict[str, list[str]]

    @property
    def data(self) -> dict[str, np.ndarray]:
        """All numbers as the `pm.Data` of the model: the packed vector and what is observed."""
        packed = {PACKED: self.structure.layout.pack(self.arrays)}
        return packed | {name: self.arrays[name] for name in OBSERVED}


def model_inputs(evidence: Evidence, assumptions: AssumptionSet) -> ModelInputs:
    """Translate evidence and assumptions into the numbers and the structure of the model."""
    data = evidence.dataset
    sources = list(dict.fromkeys(data["source"].values.tolist()))
    months = data["month"].values.tolist()
    month_sizes = data["month_days"].values / DAYS_PER_MONTH
    arrays = {
        "exposure": month_sizes,
        "years_to_end": data["years_to_end"].values,
        "mobilisation_weight": _mobilisation_weight(data, assumptions),
        "months_before_window": np.array(assumptions.window.months_before_window, dtype=float),
        **{
            f"{walk}_carried": carried_steps(getattr(assumptions, walk).persistence, len(months))
            for walk in WALKS
        },
        **_assumption_arrays(assumptions),
        **_source_arrays(sources, assumptions),
        **_claim_arrays(data, assumptions.hedging),
        **_confirmed_arrays(data, assumptions),
    }
    structure = Structure(
        layout=Layout(
            tuple((name, array.shape) for name, array in arrays.items() if name not in OBSERVED)
        ),
        families=tuple(
            "packed" if is_packed(prior) else prior.family for _, prior in assumptions.priors()
        ),
        claim_quantity=tuple(data["quantity"].values.tolist()),
        claim_source=tuple(sources.index(name) for name in data["source"].values.tolist()),
        pivots=Pivots.of(data["confirmed_weight"].values > 0),
    )
    coords = {
        "month": months,
        "claim": data["claim"].values.tolist(),
        "confirmed_claim": data["confirmed_claim"].values.tolist(),
        "source": sources,
        "assumption": list(ASSUMPTIONS),
    }
    return ModelInputs(structure, arrays, coords)


def _assumption_arrays(assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Location and scale of the packed assumptions under their link, and the values of fixed ones.

    An assumption of another family has its own random variable; its parameters stand in
    ``assumption_parameters``.
    """
    location = np.zeros(len(ASSUMPTIONS))
    scale = np.zeros(len(ASSUMPTIONS))
    free = np.zeros(len(ASSUMPTIONS))
    fixed = np.zeros(len(ASSUMPTIONS))
    parameters = np.zeros((len(ASSUMPTIONS), 4))
    for position, (key, prior) in enumerate(assumptions.priors()):
        per_unit = ASSUMPTIONS[key].per_model_unit
        if prior.is_fixed:
            fixed[position] = float(prior.value or 0.0) / per_unit
        elif prior.family in LINKS:
            location[position], scale[position] = prior.location_scale()
            if prior.family == "LogNormal":
                location[position] -= math.log(per_unit)
            elif prior.family == "Normal":
                location[position] /= per_unit
                scale[position] /= per_unit
            free[position] = 1.0
        else:
            free[position] = 1.0
            values = list(prior.parameters().values())
            parameters[position, : len(values)] = values
    return {
        "assumption_location": location,
        "assumption_scale": scale,
        "assumption_free": free,
        "assumption_fixed": fixed,
        "assumption_parameters": parameters,
    }


def _source_arrays(sources: list[str], assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    rows = [
        _source_row(quantity, assumptions.reporting.of(origin, quantity))
        for origin, quantity in (name.rsplit(":", 1) for name in sources)
    ]
    table = np.array(rows, dtype=float).reshape(len(rows), 6)
    names = ("location", "scale", "one_sided", "drift_location", "drift_scale", "noise")
    return {f"source_{name}": table[:, column] for column, name in enumerate(names)}


def _source_row(quantity: str, reporting: SourceReporting) -> tuple[float, ...]:
    size = THOUSAND if QUANTITY_SCALES[quantity] == "difference" else 1.0
    drift_location, drift_scale = reporting.drift.location_scale()
    noise = reporting.noise / size
    if reporting.undercount is not None:
        location, scale = reporting.undercount.location_scale()
        return (location, scale, 1.0, drift_location, drift_scale, noise)
    assert reporting.bias is not None  # noqa: S101 - SourceReporting has one of the two
    location, scale = reporting.bias.location_scale()
    return (location / size, scale / size, 0.0, drift_location / size, drift_scale / size, noise)


def _claim_arrays(data: xr.Dataset, hedging: HedgingOptions) -> dict[str, np.ndarray]:
    """Weights and, on the scale of each claim's quantity, its point or interval and its rounding."""
    rows = [
        _claim_row(str(quantity), str(unit), str(hedge), float(low), float(value), float(high), hedging)
        for quantity, unit, hedge, low, value, high in zip(
            *(data[name].values for name in ("quantity", "unit", "hedge", "low", "value", "high")),
            strict=True,
        )
    ]
    table = np.array(rows, dtype=float).reshape(len(rows), 6)
    used = data["used"].values.astype(float)
    months = data["weight"].values.sum(axis=1)
    difference = np.array([QUANTITY_SCALES[q] == "difference" for q in data["quantity"].values], bool)
    return {
        "claim_weight": data["weight"].values,
        "claim_used": used,
        CLAIM_VALUE: table[:, 0],
        "claim_lower": table[:, 1],
        "claim_upper": table[:, 2],
        "claim_rounding": table[:, 3],
        "claim_is_point": table[:, 4],
        "claim_noise_size": np.where(difference, months, table[:, 5]),
        "claim_size": months,
        "claim_years": data["weight"].values @ data["years_to_end"].values / np.maximum(months, 1e-9),
    }


def _claim_row(
    quantity: str, unit: str, hedge: str, low: float, value: float, high: float, hedging: HedgingOptions
) -> tuple[float, float, float, float, float, float]:
    """Return (value, lower, upper, rounding, is_point, noise_size) on the quantity's scale."""
    scale = QUANTITY_SCALES[quantity]
    band = hedging.share_band if scale == "logit" else None
    nearly = band if band is not None else hedging.nearly * abs(value)
    more_than = band if band is not None else hedging.more_than * abs(value)
    open_low = -math.inf if scale in ("difference", "stock") else 0.0
    open_high = 1.0 if scale == "logit" else math.inf
    interval = {
        "range": (low, high),
        "nearly": (value - nearly, value),
        "more_than": (value, value + more_than),
        "at_least": (value, open_high),
        "under": (open_low, value),
        "up_to": (open_low, value),
    }.get(hedge)
    noise_size = abs(value) / THOUSAND if scale == "stock" else 1.0
    if interval is None:
        point = _on_scale(value, scale)
        return point, point - 1.0, point + 1.0, _rounding(scale, hedge, value, hedging), 1.0, noise_size
    lower, upper = (_on_scale(edge, scale) for edge in interval)
    if scale == "stock":
        middle = np.nanmean([edge for edge in interval if math.isfinite(edge)])
        noise_size = abs(float(middle)) / THOUSAND
    inside = lower if upper == _FAR else upper if lower == -_FAR else (lower + upper) / 2.0
    return inside, lower, upper, hedging.minimum * max(noise_size, 1e-3), 0.0, noise_size


def _rounding(scale: str, hedge: str, value: float, hedging: HedgingOptions) -> float:
    share = max(hedging.about if hedge == "about" else 0.0, hedging.minimum)
    match scale:
        case "log":
            return share
        case "logit":
            return share / max(1.0 - value, 0.05)
        case _:
            return share * max(abs(value) / THOUSAND, 0.1)


def _on_scale(figure: float, scale: str) -> float:
    match scale:
        case "log":
            return math.log(figure / THOUSAND) if 0 < figure < math.inf else math.copysign(_FAR, figure - 1)
        case "logit":
            return float(logit(figure)) if 0 < figure < 1 else math.copysign(_FAR, figure - 0.5)
        case _:
            return figure / THOUSAND if math.isfinite(figure) else math.copysign(_FAR, figure)


def _confirmed_arrays(data: xr.Dataset, assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Floors in thousands: the figure, or the lower edge of its wording."""
    hedging = assumptions.hedging
    value = data["confirmed_value"].values
    hedge = data["confirmed_hedge"].values
    figure = np.where(hedge == "range", data["confirmed_low"].values, value)
    figure = np.where(hedge == "nearly", value * (1.0 - hedging.nearly), figure)
    counts_killed = (data["confirmed_quantity"].values == "killed") | (
        assumptions.confirmed.counts == "killed"
    )
    return {
        "confirmed_weight": data["confirmed_weight"].values,
        CONFIRMED_FIGURE: figure / THOUSAND,
        "confirmed_used": data["confirmed_used"].values.astype(float),
        "confirmed_counts_killed": counts_killed.astype(float),
    }


def _mobilisation_weight(data: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
    """Share of the mobilisation that falls into each month. (month,)."""
    import pandas as pd

    from estimator.evidence.periods import Window

    options = assumptions.recruitment
    window = Window(pd.Timestamp(data.attrs["window_start"]), pd.Timestamp(data.attrs["window_end"]))
    if options.mobilisation_start is None or options.mobilisation_end is None:
        return np.zeros(data.sizes["month"])
    first = max(pd.Timestamp(options.mobilisation_start), window.start)
    last = min(pd.Timestamp(options.mobilisation_end), window.end)
    if last < first:
        return np.zeros(data.sizes["month"])
    length = (pd.Timestamp(options.mobilisation_end) - pd.Timestamp(options.mobilisation_start)).days + 1
    return np.asarray(window.overlap_days(first, last) / length)
