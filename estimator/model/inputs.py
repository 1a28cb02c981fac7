"""What the model takes in: data that may change without compiling, and the structure that may not.

Data (`ModelInputs.data`) are the hyper-parameters of the priors, the reported figures, and which
claims count. The structure is what the claims speak of (periods, quantities, sources), the months,
the families of the priors and the dynamics. It enters the graph as constants: that halves the
number of nodes, and compiling takes time in proportion to them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
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
from estimator.evidence.periods import DAYS_PER_MONTH, Window
from estimator.model.confirmation import Pivots
from estimator.model.geometry import losses_map, step_maps
from estimator.model.random_walk import carried_steps
from estimator.priors import LINKS

SPARSE_WALKS = ("killed_share", "foreign", "recruitment")
"""Series of which few claims speak, in the order of `ASSUMPTIONS`."""

WALKS = ("losses", *SPARSE_WALKS)
THOUSAND = 1000.0
NOTHING = -60.0  # link(NOTHING) is 0 to machine precision: stands for an assumption fixed at 0
_UNDERCOUNT_SIZE = 0.3  # typical undercount, turns the spread of its log into one of itself
_FAR = 1e6  # stands for an open end of an interval: finite, so that gradients stay finite

_SERIES = ("losses", "killed", "recruits", "foreign_recruits", "returned")
_BALANCE = {
    "losses": {"losses": 1.0},
    "killed": {"killed": 1.0},
    "killed_share": {"killed": 1.0},
    "recruits": {"recruits": 1.0},
    "foreign_recruits": {"foreign_recruits": 1.0},
    "replacement_gap": {"recruits": 1.0, "losses": -1.0},
    "net_change": {"recruits": 1.0, "foreign_recruits": 1.0, "returned": 1.0, "losses": -1.0},
}
_BALANCE["force_size"] = _BALANCE["net_change"]


@dataclass(frozen=True)
class Structure:
    """What makes another graph, and so another compilation.

    Attributes
    ----------
    families
        Family and parameters of each scalar assumption; None for affine maps of a normal, whose
        parameters are data.
    claim_scale
        Scale of each claim's quantity: log, logit, difference or stock.
    has_flows_of_force
        Whether any claim speaks of net change or force size.
    pivots
        Which month each confirmed floor lifts.
    constants
        Arrays, by name:

        - ``exposure`` (month,): length of each month in mean months
        - ``carried_<walk>`` (month, month): what is left of earlier steps
        - ``mobilisation_weight`` (month,): share of the mobilisation in each month
        - ``confirmed_weight`` (confirmed_claim, month)
        - ``functional`` (claim, series × month + 2): each claim as a linear functional of
          losses, killed, recruits, foreign recruits, returned, then other exits and the start
        - ``rest`` (share claim, 2 × month): those outside the share, of losses and killed
        - ``source_of_claim`` (claim, 2 × source): picks bias, and drift times the claim's time
        - ``claim_is_point`` (claim,): 1 for a point, 0 for an interval
        - ``claim_size`` (claim,): months that a difference adds up
        - ``months_before_window`` (): months of war before the window
    coords
        Labels of the dims `month, claim, confirmed_claim, source, assumption, reporting_term`.
    """

    families: tuple[tuple[str, tuple[tuple[str, float], ...]] | None, ...]
    claim_scale: tuple[str, ...]
    has_flows_of_force: bool
    pivots: Pivots
    constants: dict[str, np.ndarray]
    coords: dict[str, list[str]]

    @property
    def matrices(self) -> dict[str, np.ndarray]:
        """The large constants: they enter the graph as data, because LLVM is slow with them."""
        return {name: self.constants[name] for name in ("functional", "rest", "source_of_claim")}

    @cached_property
    def identity(self) -> str:
        """Hash that names the structure."""
        digest = hashlib.sha256()
        parts = (self.families, self.claim_scale, self.has_flows_of_force, self.pivots, self.coords)
        digest.update(repr(parts).encode())
        for name, array in sorted(self.constants.items()):
            digest.update(f"{name}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, dtype=float).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class ModelInputs:
    """Everything that the model needs.

    Attributes
    ----------
    structure
        What would need another compilation.
    data
        The `pm.Data` of the model, by name, in thousands of persons:

        - ``assumption_location``, ``assumption_scale`` (assumption,) under the family's link
        - ``reporting_location``, ``reporting_scale`` (reporting_term, source)
        - ``reporting_one_sided`` (source,): 1 where the bias is an undercount
        - ``reported_by`` (month, 2 × source): whose bias the sampled losses carry (geometry only)
        - ``step_maps`` (walk, 1 + month, 1 + month): coordinates of the sampler (geometry only)
        - ``losses_map`` (month, month): the same for the losses
        - ``claim_value``, ``claim_lower``, ``claim_upper``, ``claim_noise`` (claim,) on the scale
          of the claim's quantity; ``claim_used`` (claim,)
        - ``confirmed_value``, ``confirmed_used``, ``confirmed_counts_killed`` (confirmed_claim,)
    """

    structure: Structure
    data: dict[str, np.ndarray]


def model_inputs(evidence: Evidence, assumptions: AssumptionSet) -> ModelInputs:
    """Translate evidence and assumptions into the data and the structure of the model."""
    data = evidence.dataset
    sources = list(dict.fromkeys(data["source"].values.tolist()))
    quantities = data["quantity"].values.tolist()
    location, scale = _assumption_data(assumptions)
    reporting = _reporting_data(sources, assumptions)
    claim_data = _claim_data(data, assumptions)
    source_of_claim = [sources.index(name) for name in data["source"].values.tolist()]
    structure = Structure(
        families=tuple(
            None if is_packed(prior) else (prior.family, tuple(prior.parameters().items()))
            for _, prior in assumptions.priors()
        ),
        claim_scale=tuple(QUANTITY_SCALES[name] for name in quantities),
        has_flows_of_force=bool({"net_change", "force_size"} & set(quantities)),
        pivots=Pivots.of(data["confirmed_weight"].values > 0),
        constants=_constants(data, sources, assumptions),
        coords={
            "month": data["month"].values.tolist(),
            "claim": data["claim"].values.tolist(),
            "confirmed_claim": data["confirmed_claim"].values.tolist(),
            "source": sources,
            "assumption": list(ASSUMPTIONS),
            "reporting_term": ["bias", "drift"],
        },
    )
    walks = {
        walk: (
            structure.constants[f"carried_{walk}"],
            float(scale[list(ASSUMPTIONS).index(f"{walk}.level")]),
            float(getattr(assumptions, walk).step.quantile(0.5)),
        )
        for walk in WALKS
    }
    one_sided = reporting[source_of_claim, 4] > 0
    bias_scale = reporting[source_of_claim, 1] * np.where(one_sided, _UNDERCOUNT_SIZE, 1.0)
    reported_by = _reported_by(data, sources)
    return ModelInputs(
        structure,
        {
            "assumption_location": location,
            "assumption_scale": scale,
            "reporting_location": reporting[:, [0, 2]].T.copy(),
            "reporting_scale": reporting[:, [1, 3]].T.copy(),
            "reporting_one_sided": reporting[:, 4].copy(),
            "reported_by": reported_by,
            "step_maps": step_maps(
                data,
                claim_data,
                bias_scale,
                {walk: walks[walk] for walk in SPARSE_WALKS},
                structure.constants["mobilisation_weight"],
            ),
            "losses_map": losses_map(
                data,
                claim_data,
                bias_scale,
                walks["losses"],
                reported_by.max(axis=0)[source_of_claim],
            ),
            **claim_data,
            **_confirmed_data(data, assumptions),
        },
    )


def _assumption_data(assumptions: AssumptionSet) -> tuple[np.ndarray, np.ndarray]:
    """Location and scale of the assumptions under their link, model units. (assumption,) each."""
    location, scale = np.zeros(len(ASSUMPTIONS)), np.zeros(len(ASSUMPTIONS))
    for position, (key, prior) in enumerate(assumptions.priors()):
        spec = ASSUMPTIONS[key]
        if prior.is_fixed:
            value = float(prior.value or 0.0) / spec.per_model_unit
            location[position] = _link(value, is_share=spec.support == "share")
        elif prior.family in LINKS:
            location[position], scale[position] = prior.location_scale()
            location[position] -= math.log(spec.per_model_unit)
    return location, scale


def _link(value: float, *, is_share: bool) -> float:
    if is_share:
        return float(np.clip(logit(value), NOTHING, -NOTHING))
    return math.log(value) if value > 0 else NOTHING


def _reporting_data(sources: list[str], assumptions: AssumptionSet) -> np.ndarray:
    """Columns: location and scale of bias, of drift, and whether one-sided. (source, 5)."""
    rows = []
    for name in sources:
        origin, quantity = name.rsplit(":", 1)
        reporting = assumptions.reporting.of(origin, quantity)
        size = _reporting_size(quantity)
        drift = [number / size for number in reporting.drift.location_scale()]
        if reporting.undercount is not None:
            rows.append([*reporting.undercount.location_scale(), *drift, 1.0])
        elif reporting.bias is not None:
            bias = [number / size for number in reporting.bias.location_scale()]
            rows.append([*bias, *drift, 0.0])
    return np.array(rows, dtype=float).reshape(len(rows), 5)


def _reporting_size(quantity: str) -> float:
    return THOUSAND if QUANTITY_SCALES[quantity] == "difference" else 1.0


def _constants(
    data: xr.Dataset, sources: list[str], assumptions: AssumptionSet
) -> dict[str, np.ndarray]:
    n_months = data.sizes["month"]
    weight = data["weight"].values
    size = weight.sum(axis=1)
    exposure = data["month_days"].values / DAYS_PER_MONTH
    picks = np.zeros((data.sizes["claim"], len(sources)))
    for row, name in enumerate(data["source"].values.tolist()):
        picks[row, sources.index(name)] = 1.0
    years = weight @ data["years_to_end"].values / np.maximum(size, 1e-9)
    quantities = data["quantity"].values.tolist()
    difference = np.array([QUANTITY_SCALES[q] == "difference" for q in quantities], dtype=bool)
    share = np.array([QUANTITY_SCALES[q] == "logit" for q in quantities], dtype=bool)
    return {
        "exposure": exposure,
        **{
            f"carried_{walk}": carried_steps(getattr(assumptions, walk).persistence, n_months)
            for walk in WALKS
        },
        "mobilisation_weight": _mobilisation_weight(data, assumptions),
        "confirmed_weight": data["confirmed_weight"].values,
        "functional": np.array(
            [
                _functional(_BALANCE[quantity], weight[row], n_months, exposure, quantity)
                for row, quantity in enumerate(quantities)
            ]
        ).reshape(len(quantities), len(_SERIES) * n_months + 2),
        "rest": np.concatenate([weight[share], -weight[share]], axis=1),
        "source_of_claim": np.concatenate([picks, picks * years[:, None]], axis=1),
        "claim_is_point": np.isin(data["hedge"].values, ["exact", "about"]).astype(float),
        "claim_size": np.where(difference, size, 1.0),
        "months_before_window": np.array(float(assumptions.window.months_before_window)),
    }


def _functional(
    balance: dict[str, float],
    weight: np.ndarray,
    n_months: int,
    exposure: np.ndarray,
    quantity: str,
) -> np.ndarray:
    """Write a claim as a linear functional of all series, other exits and the start."""
    row = np.zeros(len(_SERIES) * n_months + 2)
    for name, sign in balance.items():
        begin = _SERIES.index(name) * n_months
        row[begin : begin + n_months] = sign * weight
    if quantity in ("net_change", "force_size"):
        row[-2] = -float(weight @ exposure)
        row[-1] = 1.0 if quantity == "force_size" else 0.0
    return row


def _reported_by(data: xr.Dataset, sources: list[str]) -> np.ndarray:
    """Say whose bias each month's losses are reported with. (month, 2 × source).

    1 at the source that has most claims of single months, in all months but those with a confirmed
    figure, if its claims cover most months; then its bias and drift shift what is sampled.
    """
    picks = np.zeros((data.sizes["month"], 2 * len(sources)))
    single = data["weight"].values > 0.99
    monthly = (
        data["used"].values & (data["quantity"].values == "losses") & (single.sum(axis=1) == 1)
    )
    names, counts = np.unique(data["source"].values[monthly], return_counts=True)
    if not len(names) or counts.max() < data.sizes["month"] / 2:
        return picks
    position = sources.index(str(names[np.argmax(counts)]))
    picks[:, position] = 1.0
    picks[:, len(sources) + position] = data["years_to_end"].values
    picks[(data["confirmed_weight"].values > 0).any(axis=0)] = 0.0
    return picks


def _mobilisation_weight(data: xr.Dataset, assumptions: AssumptionSet) -> np.ndarray:
    """Share of the mobilisation that falls into each month. (month,)."""
    options = assumptions.recruitment
    start, end = pd.Timestamp(data.attrs["window_start"]), pd.Timestamp(data.attrs["window_end"])
    nothing = np.zeros(data.sizes["month"])
    if options.mobilisation_start is None or options.mobilisation_end is None:
        return nothing
    first, last = pd.Timestamp(options.mobilisation_start), pd.Timestamp(options.mobilisation_end)
    if last < start or first > end:
        return nothing
    inside = Window(start, end).overlap_days(max(first, start), min(last, end))
    return np.asarray(inside / ((last - first).days + 1))


def _claim_data(data: xr.Dataset, assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Point or interval and noise of each claim, on the scale of its quantity."""
    columns = ("quantity", "origin", "hedge", "low", "value", "high")
    rows = []
    for quantity, origin, hedge, low, value, high in zip(
        *(data[name].values.tolist() for name in columns), strict=True
    ):
        figure = Figure(quantity, hedge, low, value, high)
        reporting = assumptions.reporting.of(origin, quantity)
        rows.append(figure.on_scale(reporting, assumptions.hedging))
    table = np.array(rows, dtype=float).reshape(len(rows), 4)
    size = data["weight"].values.sum(axis=1)
    difference = np.array(
        [QUANTITY_SCALES[q] == "difference" for q in data["quantity"].values.tolist()], dtype=bool
    )
    return {
        "claim_value": table[:, 0].copy(),
        "claim_lower": table[:, 1].copy(),
        "claim_upper": table[:, 2].copy(),
        "claim_noise": table[:, 3] * np.where(difference, np.maximum(size, 1.0), 1.0),
        "claim_used": data["used"].values.astype(float),
    }


@dataclass(frozen=True)
class Figure:
    """One claim's figure as published, in its own unit (NaN where a cell is empty)."""

    quantity: str
    hedge: str
    low: float
    value: float
    high: float

    def interval(self, hedging: HedgingOptions) -> tuple[float, float] | None:
        """Return the interval that the wording means, or None for a point."""
        scale = QUANTITY_SCALES[self.quantity]
        share = scale == "logit"
        nearly = hedging.share_band if share else hedging.nearly * abs(self.value)
        more_than = hedging.share_band if share else hedging.more_than * abs(self.value)
        bottom = -math.inf if scale in ("difference", "stock") else 0.0
        top = 1.0 if share else math.inf
        return {
            "range": (self.low, self.high),
            "nearly": (self.value - nearly, self.value),
            "more_than": (self.value, self.value + more_than),
            "at_least": (self.value, top),
            "under": (bottom, self.value),
            "up_to": (bottom, self.value),
        }.get(self.hedge)

    def on_scale(
        self, reporting: SourceReporting, hedging: HedgingOptions
    ) -> tuple[float, float, float, float]:
        """Return point, lower and upper end, and noise, on the quantity's scale.

        The point of an interval is one inside it, and the ends of a point lie beside it: PyMC wants
        a number everywhere, and the density uses the one or the other.
        """
        scale = QUANTITY_SCALES[self.quantity]
        interval = self.interval(hedging)
        if interval is None:
            value = _on_scale(self.value, scale)
            noise = math.hypot(self._noise(reporting, self.value), self._rounding(hedging))
            return value, value - 1.0, value + 1.0, noise
        lower, upper = (_on_scale(edge, scale) for edge in interval)
        middle = float(np.mean([edge for edge in interval if math.isfinite(edge)]))
        inside = lower if upper >= _FAR else upper if lower <= -_FAR else (lower + upper) / 2.0
        return inside, lower, upper, self._noise(reporting, middle)

    def _noise(self, reporting: SourceReporting, figure: float) -> float:
        relative = QUANTITY_SCALES[self.quantity] == "stock"
        size = abs(figure) / THOUSAND if relative else 1.0
        return reporting.noise * size / _reporting_size(self.quantity)

    def _rounding(self, hedging: HedgingOptions) -> float:
        share = max(hedging.about if self.hedge == "about" else 0.0, hedging.minimum)
        match QUANTITY_SCALES[self.quantity]:
            case "log":
                return share
            case "logit":  # d logit(x) / d log(x) = 1 / (1 - x)
                return share / max(1.0 - self.value, 0.05)
            case _:
                return share * max(abs(self.value) / THOUSAND, 0.1)


def _on_scale(figure: float, scale: str) -> float:
    match scale:
        case "log":
            open_ended = not 0.0 < figure < math.inf
            return math.copysign(_FAR, figure - 1.0) if open_ended else math.log(figure / THOUSAND)
        case "logit":
            open_ended = not 0.0 < figure < 1.0
            return math.copysign(_FAR, figure - 0.5) if open_ended else float(logit(figure))
        case _:
            return figure / THOUSAND if math.isfinite(figure) else math.copysign(_FAR, figure)


def _confirmed_data(data: xr.Dataset, assumptions: AssumptionSet) -> dict[str, np.ndarray]:
    """Floors in thousands, and what they count."""
    counts_killed = (data["confirmed_quantity"].values == "killed") | (
        assumptions.confirmed.counts == "killed"
    )
    return {
        "confirmed_value": data["confirmed_floor"].values / THOUSAND,
        "confirmed_used": data["confirmed_used"].values.astype(float),
        "confirmed_counts_killed": counts_killed.astype(float),
    }
