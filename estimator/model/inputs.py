"""What the model takes in: data that may change without compiling, and the structure that may not.

Data (`ModelInputs.data`) are the hyper-parameters of the priors, the reported figures, and which
claims count. The structure is what the claims speak of (periods, quantities, sources), the months,
the families of the priors and the dynamics. It enters the graph as constants: that halves the
number of nodes, and compiling takes time in proportion to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
import xarray as xr
from scipy.linalg import block_diag

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.groups import WALKS
from estimator.assumptions.scalars import is_packed
from estimator.evidence.dataset import Evidence
from estimator.evidence.schema import ONE_SIDED
from estimator.model.confirmation import Pivots
from estimator.model.figures import (
    COUNTED_STATES,
    FIGURES,
    confirmed_data,
    figures_of_claims,
)
from estimator.model.forward import SERIES
from estimator.model.functionals import constant_arrays, scales_of
from estimator.model.geometry import losses_map, month_of, step_map, step_maps
from estimator.model.hyperparameters import (
    SHARED_TERMS,
    SharedBiases,
    WanderingBiases,
    assumption_data,
    reporting_data,
    shared_biases,
    sources_of,
    wandering_biases,
)
from estimator.model.linear_maps import Layout, stack, stored
from estimator.model.random_walk import SPARSE_WALKS, innovation_map
from estimator.model.registries import (
    Errors,
    Registries,
    figure_data,
    shifts_of_figures,
    term_data,
    with_populations,
)
from estimator.one_thread import one_thread
from estimator.quantity import QUANTITIES, STOCKS

_LEAST_STOCK = 1.0  # thousands
_UNDERCOUNT_SIZE = 0.3  # typical undercount, turns the spread of its log into one of itself
_TOLD_APART = 0.5  # share of the months that must be told alone to be sampled as such


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
    told
        Of what the sampler moves the months, "losses" or "killed" (see `_told`).
    pivots
        Which months each confirmed floor lifts.
    told_apart
        Whether most months are told apart by figures, whether or not they count.
    level_follows
        Whether the level of the losses is sampled given their first month. Where most months are
        not told apart, the step alone would say how near the level lies to them, a funnel.
    registries
        Populations and triangles.
    constants
        Arrays, by name:

        - ``exposure`` (month,): length of each month in mean months
        - ``carried_<walk>`` (month, month): what is left of earlier steps
        - ``exits_path`` (month, exits_step): what is in each month of each step of other exits
        - ``step_ramps`` (month, step_change): how much of each change of the losses' step is in
          each month
        - ``mobilisation_weight`` (month,): share of the mobilisation in each month
        - ``confirmed_weight`` (confirmed_claim, month)
        - ``own_floor`` (month,): 1 where a confirmed figure speaks of the month alone
        - ``total`` (claim, series × month + 2): each claim as a linear functional of the series
          `estimator.model.forward.SERIES`, then the start,
          then the killed of the populations of registries
        - ``rest`` (claim, series × month + 2): for claims on shares those outside the share
        - ``shift`` (claim, 2 × source + bias_step): picks bias, drift times the claim's time,
          and the steps of a bias that wanders
        - ``bias_members`` (source, bias_group): which sources share the mean of their biases
        - ``claim_size`` (claim,): months that a difference adds up
        - ``wounded_per_month`` (lag - 1 + month, month): see `estimator.model.force`
    layout
        Where each linear map lies among the data ``map_entries`` and ``map_runs``:
        ``claims`` (total above rest), ``shifts`` (of claims), ``offsets`` (of the months'
        reporter), ``stocks`` (picks the sums that claims on stocks are about), ``steps`` (of the
        sparse walks, one after the other), ``carried`` (first their levels, then their paths),
        ``innovations`` and ``losses`` (of the losses), ``history`` (of the wounded),
        ``registry_weights``, ``registry_shifts`` and ``registry_errors`` (of the triangles).
    coords
        Labels of the dims `month, step_change, claim, claim_figure, counted_state,
        confirmed_claim, registry_figure, registry_term, source, plain_source, stock_source,
        stock_claim, assumption, reporting_term, shared_term, bias_group, bias_step, exits_step,
        rounded_claim`.
    """

    families: tuple[tuple[str, tuple[tuple[str, float], ...]] | None, ...]
    claim_scale: tuple[str, ...]
    has_flows_of_force: bool
    told: str
    pivots: Pivots
    told_apart: bool
    level_follows: bool
    registries: Registries
    constants: dict[str, np.ndarray]
    layout: Layout
    coords: dict[str, list[str]]

    @property
    def months_of_whole_floors(self) -> np.ndarray:
        """Months that floors lift together: 1, else 0. (month,)."""
        covered = self.constants["confirmed_weight"][list(self.pivots.whole)] > 0
        return covered.any(axis=0).astype(float)

    @cached_property
    def identity(self) -> str:
        """Hash that names the structure."""
        digest = hashlib.sha256()
        registries = {
            name: value.tobytes() if isinstance(value, np.ndarray) else value
            for name, value in vars(self.registries).items()
        }
        parts = (
            *(self.families, self.claim_scale, self.has_flows_of_force, self.told, self.pivots),
            *(self.told_apart, self.level_follows, registries, self.coords),
        )
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
        - ``reporting_one_sided`` (reporting_term, source): 1 where the bias is an undercount
        - ``step_maps`` (walk, 1 + month, 1 + month): coordinates of the sampler (geometry only)
        - ``losses_map`` (month, month): the same for the losses
        - ``losses_step_map`` (1, 1 + step_change, 1 + step_change): the same for their step
        - ``stock_reported`` (stock_claim,), ``stock_moves`` (stock_source, stock_claim): what was
          reported, thousands, and how the sampled biases move with the stocks (geometry only)
        - ``shared_location``, ``shared_scale`` (shared_term, bias_group): see `SharedBiases`
        - ``bias_centred`` (source,): how far a shared bias is sampled as itself, 0 to 1
        - ``bias_step_scale`` (bias_step,): see `WanderingBiases`
        - ``map_entries`` (entry,), ``map_runs`` (run, 3): the linear maps of `Structure.layout`
        - ``claim_value`` (claim,) on the scale of the claim's quantity
        - ``claim_figures`` (claim_figure, claim): lower and upper end, noise, whether the claim is
          a point, whether it counts
        - ``confirmed_value``, ``confirmed_used`` (confirmed_claim,)
        - ``confirmed_rounding`` (confirmed_claim, rounded_claim): see `estimator.evidence.floors`
        - ``confirmed_states`` (counted_state, confirmed_claim): see
          `estimator.model.figures.confirmed_states`
        - ``reporter_states`` (counted_state,): the same of who reports the losses (geometry only)
        - ``registry_location``, ``registry_scale`` (registry_term,) on the terms' unbounded scales
        - ``registry_value``, ``registry_floor`` (registry_figure,), ``registry_figures`` and
          ``registry_floors`` (claim_figure, registry_figure): see
          `estimator.model.registries.figure_data`
        - ``losses_start`` (month,): log losses for which the sampled coordinates are 0, whatever
          their map; where the sampler starts
    """

    structure: Structure
    data: dict[str, np.ndarray]

    def figure(self, name: str) -> np.ndarray:
        """One row of ``claim_figures``. (claim,)."""
        return self.data["claim_figures"][FIGURES.index(name)]


@one_thread
def model_inputs(evidence: Evidence, assumptions: AssumptionSet) -> ModelInputs:
    """Translate evidence and assumptions into the data and the structure of the model."""
    data = evidence.dataset
    speakers = sources_of(data)
    sources, n_plain = list(speakers), _n_plain(speakers, assumptions)
    quantities = data["quantity"].values.tolist()
    location, scale = assumption_data(assumptions)
    reporting = reporting_data(speakers, assumptions)
    shared = shared_biases(speakers, assumptions)
    wandering = wandering_biases(sources, data.sizes["month"], assumptions)
    claim_value, claim_figures = figures_of_claims(data, assumptions)
    of_stocks = np.flatnonzero(np.isin(data["source"].values, sources[n_plain:]))
    told = _told(data)
    told_months = _told_months(data)
    pivots = Pivots.of(data["confirmed_weight"].values > 0, told_months)
    told_apart = bool(told_months.mean() >= _TOLD_APART)
    constants = constant_arrays(data, sources, wandering, assumptions)
    constants["bias_members"] = shared.members
    registries = Registries.of(data, assumptions)
    errors = Errors.of(data, assumptions)
    for name in ("total", "rest"):
        killed = SERIES.index("killed") * data.sizes["month"]
        constants[name] = with_populations(constants[name], data, registries, killed)
    reporter = _reporter(data, told)
    reported_by = _reported_by(data, reporter, sources, wandering)
    typical = _typical_biases(reporting, shared, wandering)
    walks = {
        walk: (
            constants[f"carried_{walk}"],
            float(scale[list(ASSUMPTIONS).index(f"{walk}.level")]),
            float(getattr(assumptions, walk).step.quantile(0.5)),
        )
        for walk in WALKS
    }
    bias_scale = typical[1][[sources.index(name) for name in data["source"].values.tolist()]]
    own = [sources.index(name) for name in data["registry_source"].values.tolist()]
    step = list(ASSUMPTIONS).index("losses.step")
    step_path = np.hstack(
        [
            np.full((data.sizes["month"], 1), scale[step]),
            assumptions.losses.volatility.quantile(0.5) * constants["step_ramps"],
        ]
    )
    dense = _coordinates(
        data,
        told,
        pivots,
        claim_figures,
        bias_scale,
        reporter,
        walks,
        step_path,
        constants["mobilisation_weight"],
        errors.with_biases(data, typical[1][own]),
    )
    of_registries = {
        "registry_weights": sp.csr_array(registries.weights),
        "registry_shifts": sp.csr_array(shifts_of_figures(data, sources, wandering)),
        "registry_errors": errors.stored(data),
    }
    picks = np.eye(data.sizes["claim"])[of_stocks]
    layout, arrays = _stacked(constants, dense, reported_by, of_registries | {"stocks": picks})
    structure = Structure(
        families=tuple(
            None if is_packed(prior) else (prior.family, tuple(prior.parameters().items()))
            for _, prior in assumptions.priors()
        ),
        claim_scale=scales_of(quantities),
        has_flows_of_force=any("returned" in QUANTITIES[name].parts for name in quantities),
        told=told,
        pivots=pivots,
        told_apart=told_apart,
        level_follows=not told_apart
        and assumptions.losses.persistence == 1.0
        and is_packed(assumptions.losses.level),
        registries=registries,
        constants=constants,
        layout=layout,
        coords={
            "month": data["month"].values.tolist(),
            "step_change": [str(n) for n in range(constants["step_ramps"].shape[1])],
            "claim": data["claim"].values.tolist(),
            "claim_figure": list(FIGURES),
            "counted_state": list(COUNTED_STATES),
            "confirmed_claim": data["confirmed_claim"].values.tolist(),
            "rounded_claim": data["rounded_claim"].values.tolist(),
            "registry_figure": data["registry_figure"].values.tolist(),
            "registry_term": list(registries.terms),
            "source": sources,
            "plain_source": sources[:n_plain],
            "stock_source": sources[n_plain:],
            "stock_claim": data["claim"].values[of_stocks].tolist(),
            "assumption": list(ASSUMPTIONS),
            "reporting_term": ["bias", "drift"],
            "shared_term": list(SHARED_TERMS),
            "bias_group": shared.groups,
            "bias_step": wandering.labels,
            "exits_step": _exits_steps(data["month"].values.tolist(), constants["exits_path"]),
        },
    )
    return ModelInputs(
        structure,
        {
            "assumption_location": location,
            "assumption_scale": scale,
            "reporting_location": reporting[:, [0, 2]].T.copy(),
            "reporting_scale": reporting[:, [1, 3]].T.copy(),
            "reporting_one_sided": np.stack([reporting[:, 4], np.zeros(len(sources))]),
            "shared_location": shared.location,
            "shared_scale": shared.scale,
            "bias_centred": _centred(data, sources, claim_figures, shared, reporter),
            "bias_step_scale": wandering.scale,
            **dense,
            **arrays,
            "claim_value": claim_value,
            "claim_figures": claim_figures,
            **_stocks(
                data["source"].values[of_stocks],
                sources[n_plain:],
                claim_value[of_stocks],
                claim_figures[:, of_stocks],
                reporting[n_plain:],
            ),
            **confirmed_data(data, assumptions),
            **term_data(registries, assumptions),
            **figure_data(data, errors, assumptions.registries.triangles),
            "reporter_states": _states_of(reporter, assumptions),
            "losses_start": _start(location, typical[0], reporting[:, 2], reported_by),
        },
    )


def _n_plain(speakers: Mapping[str, str], assumptions: AssumptionSet) -> int:
    """Count the sources before those whose biases are sampled as what they report of a stock.

    All of them, where a bias of a stock is drawn around a shared mean.
    """
    stocks = [name.rsplit(":", 1) for name in speakers if name.rpartition(":")[2] in STOCKS]
    shared = [
        assumptions.reporting.shared(origin, quantity, speakers[f"{origin}:{quantity}"])
        for origin, quantity in stocks
    ]
    plain = len(speakers) - len(stocks)
    return len(speakers) if any(one is not None for one in shared) else plain


def _stocks(
    source: np.ndarray,
    sources: list[str],
    value: np.ndarray,
    figures: np.ndarray,
    reporting: np.ndarray,
) -> dict[str, np.ndarray]:
    """How the biases of stocks are sampled: ``stock_reported`` and ``stock_moves``.

    A bias that is fixed or one-sided does not move, and none goes with a reported stock that has no
    logarithm: one of next to nothing, or less.

    Parameters
    ----------
    source, value, figures
        Of the claims on stocks. (stock_claim,), figures (claim_figure, stock_claim).
    sources, reporting
        Of the sources of stocks. (stock_source,), reporting as `reporting_data` gives it.
    """
    counts = (figures[FIGURES.index("used")] > 0) & (value >= _LEAST_STOCK)
    told = (np.array(sources)[:, None] == source) & counts
    scale = np.where(reporting[:, 4] == 0, reporting[:, 1], 0.0)
    weight = np.maximum(told.sum(axis=1), 1) * scale
    moves = told / np.where(weight > 0, weight, np.inf)[:, None]
    reported = np.where(told.any(axis=0), value, 1.0)
    return {"stock_reported": reported, "stock_moves": moves}


def _states_of(reporter: str | None, assumptions: AssumptionSet) -> np.ndarray:
    """Which of the wounded the source that reports the losses counts. (counted_state,)."""
    if reporter is None:
        return np.array([1.0, 1.0, 0.0])
    own = assumptions.definitions.origins.get(reporter.rpartition(":")[0])
    return np.array([0.0, 0.0, 1.0] if own is None else [own.severe, own.light, 0.0])


def _typical_biases(
    reporting: np.ndarray, shared: SharedBiases, wandering: WanderingBiases
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and size of each source's bias before any claim. (source,) each."""
    one_sided = reporting[:, 4] > 0
    middle = np.where(
        one_sided, -np.exp(np.where(one_sided, reporting[:, 0], 0.0)), reporting[:, 0]
    )
    variance = (reporting[:, 1] * np.where(one_sided, _UNDERCOUNT_SIZE, 1.0)) ** 2
    middle += shared.members @ shared.location[0]
    variance += shared.members @ (shared.scale[0] ** 2 + np.exp(2.0 * shared.location[1]))
    np.add.at(variance, wandering.source, wandering.scale**2 / 2.0)
    return middle, np.sqrt(variance)


def _exits_steps(months: list[str], path: np.ndarray) -> list[str]:
    """Label each step of the other exits by the month in which it is first felt."""
    return [months[int(np.argmax(np.diff(step) > 0)) + 1] for step in path.T]


def _centred(
    data: xr.Dataset,
    sources: list[str],
    claim_figures: np.ndarray,
    shared: SharedBiases,
    reporter: str | None,
) -> np.ndarray:
    """How much of what is known of each shared bias its own claims tell. (source,), 0 to 1.

    What the reporter says of months without a confirmed figure tells the losses that it reports,
    which are sampled (see `_reported_by`), and nothing of its bias.
    """
    figures = dict(zip(FIGURES, claim_figures, strict=True))
    told = (figures["used"] > 0) & (figures["is_point"] > 0)
    confirmed = (data["confirmed_weight"].values > 0).any(axis=0)
    beside = (data["weight"].values[:, confirmed] > 0).any(axis=1)
    told &= beside | (data["source"].values != reporter)
    position = [sources.index(name) for name in data["source"].values.tolist()]
    precision = np.zeros(len(sources))
    np.add.at(precision, position, np.where(told, figures["noise"] ** -2.0, 0.0))
    spread = np.exp(shared.members @ shared.location[1])
    known = precision * spread**2
    return np.where(shared.members.sum(axis=1) > 0, known / (1.0 + known), 0.0)


def _coordinates(
    data: xr.Dataset,
    told: str,
    pivots: Pivots,
    claim_figures: np.ndarray,
    bias_scale: np.ndarray,
    reporter: str | None,
    walks: dict[str, tuple[np.ndarray, float, float]],
    step_path: np.ndarray,
    mobilised: np.ndarray,
    registry_covariance: np.ndarray,
) -> dict[str, np.ndarray]:
    """Make the maps from what the sampler moves to the walks (see `estimator.model.geometry`)."""
    figures = dict(zip(FIGURES, claim_figures, strict=True))
    sparse = {walk: walks[walk] for walk in SPARSE_WALKS}
    shifted = np.array([float(name == reporter) for name in data["source"].values.tolist()])
    return {
        "step_maps": step_maps(
            data, told, figures, bias_scale, sparse, mobilised, registry_covariance
        ),
        "losses_map": losses_map(data, told, pivots, figures, bias_scale, walks["losses"], shifted),
        "losses_step_map": step_map(data, told, figures, walks["losses"][2], step_path),
    }


def _stacked(
    constants: dict[str, np.ndarray],
    dense: dict[str, np.ndarray],
    reported_by: sp.csr_array,
    of_registries: dict[str, sp.csr_array],
) -> tuple[Layout, dict[str, np.ndarray]]:
    """Stack the linear maps (see `Structure.layout`); places that data may fill are stored."""
    n_months = len(constants["exposure"])
    steps = block_diag(*dense["step_maps"])
    levels = np.eye(len(steps))[:: 1 + n_months]
    carried = [
        np.hstack([np.zeros((n_months, 1)), constants[f"carried_{walk}"]]) for walk in SPARSE_WALKS
    ]
    upper = block_diag(*(np.triu(np.ones_like(block)) for block in dense["step_maps"]))
    return stack(
        {
            "claims": np.concatenate([constants["total"], constants["rest"]]),
            "shifts": constants["shift"],
            "offsets": reported_by,
            "steps": stored(steps, upper),
            "carried": np.concatenate([levels, block_diag(*carried)]),
            "innovations": innovation_map(constants["carried_losses"]),
            "losses": stored(dense["losses_map"], np.triu(np.ones((n_months, n_months)))),
            "exits": constants["exits_path"],
            "history": constants["wounded_per_month"],
            **of_registries,
        }
    )


def _start(
    location: np.ndarray, bias: np.ndarray, drift: np.ndarray, reported_by: sp.csr_array
) -> np.ndarray:
    level = location[list(ASSUMPTIONS).index("losses.level")]
    no_steps = np.zeros(reported_by.shape[1] - len(bias) - len(drift))
    return np.asarray(level - reported_by @ np.concatenate([bias, drift, no_steps]))


def _told(data: xr.Dataset) -> str:
    """Say whether claims tell the losses themselves, or nothing of them but the killed.

    Where only the killed are known, losses and killed share make a ridge that no linear map
    straightens: with the killed of each month in place of the losses the share is left to its
    prior.
    """
    others = set(data["quantity"].values.tolist()) - {"killed"}
    of_losses = any("losses" in QUANTITIES[name].series_behind for name in others)
    counted = data.sizes["confirmed_claim"] or data.sizes["registry_figure"]
    only_killed = "killed" in data["quantity"].values and not of_losses and not counted
    return "killed" if only_killed else "losses"


def _told_months(data: xr.Dataset) -> np.ndarray:
    """Say which months a figure, a floor or a registry tells of alone. (month,), bool.

    Bounds do not, and whether a figure counts makes no difference: sets that leave it out share the
    structure.
    """
    of_losses = [
        "losses" in QUANTITIES[name].series_behind for name in data["quantity"].values.tolist()
    ]
    two_sided = np.array(of_losses, dtype=bool) & ~np.isin(data["hedge"].values, ONE_SIDED)
    covered = np.concatenate(
        [
            data["weight"].values[two_sided],
            data["confirmed_weight"].values,
            data["registry_weight"].values,
        ]
    )
    months = month_of(covered)
    return np.isin(np.arange(data.sizes["month"]), months)


def _reporter(data: xr.Dataset, told: str) -> str | None:
    """Return the source that has most claims of single months that are no bounds.

    None if it covers less than half of the months.
    """
    month = month_of(data["weight"].values)
    monthly = data["used"].values & (data["quantity"].values == told) & (month >= 0)
    monthly &= ~np.isin(data["hedge"].values, ONE_SIDED)
    names = np.unique(data["source"].values[monthly]).tolist()
    covered = [len(np.unique(month[monthly & (data["source"].values == name)])) for name in names]
    if not names or max(covered) < data.sizes["month"] / 2:
        return None
    return str(names[int(np.argmax(covered))])


def _reported_by(
    data: xr.Dataset, reporter: str | None, sources: list[str], wandering: WanderingBiases
) -> sp.csr_array:
    """Say how bias and drift of the reporter shift the sampled losses of each month.

    In all months but those with a confirmed figure.

    Returns
    -------
    (month, 2 × source + bias_step)
        With as many stored entries each month: the reporter's bias, its drift times years, and all
        steps of wandering biases (0 for those of others).
    """
    n_months = data.sizes["month"]
    n_sources, n_steps = len(sources), len(wandering.source)
    shape = (n_months, 2 * n_sources + n_steps)
    if not sources:  # all claims are confirmed: there is no bias to pick
        return sp.csr_array(shape)
    free = ~(data["confirmed_weight"].values > 0).any(axis=0)
    position = sources.index(reporter) if reporter is not None else 0
    own = (wandering.source == position)[None, :] * wandering.ramps
    entries = np.concatenate(
        [np.ones((n_months, 1)), data["years_to_end"].values[:, None], own], axis=1
    )
    entries *= free[:, None] if reporter is not None else 0.0
    columns = np.concatenate(
        [[position, n_sources + position], 2 * n_sources + np.arange(n_steps)]
    ).astype(int)
    starts = np.arange(0, n_months * len(columns) + 1, len(columns))
    return sp.csr_array((entries.ravel(), np.tile(columns, n_months), starts), shape=shape)
