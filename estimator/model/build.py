"""Join the parts of the story into one PyMC model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.evidence.dataset import Evidence
from estimator.model import claims, confirmation, force, forward, random_walk, registries
from estimator.model.geometry import mapped_steps
from estimator.model.inputs import ModelInputs, Structure, model_inputs
from estimator.model.random_walk import SPARSE_WALKS
from estimator.quantity import OTHER_EXITS, QUANTITIES, combine, with_killed

_DIMS = {
    "assumption_location": ("assumption",),
    "assumption_scale": ("assumption",),
    "reporting_location": ("reporting_term", "source"),
    "reporting_scale": ("reporting_term", "source"),
    "reporting_one_sided": ("reporting_term", "source"),
    "shared_location": ("shared_term", "bias_group"),
    "shared_scale": ("shared_term", "bias_group"),
    "bias_centred": ("source",),
    "bias_step_scale": ("bias_step",),
    "claim_value": ("claim",),
    "claim_figures": ("claim_figure", "claim"),
    "confirmed_value": ("confirmed_claim",),
    "confirmed_used": ("confirmed_claim",),
    "confirmed_rounding": ("confirmed_claim", "rounded_claim"),
    "registry_location": ("registry_term",),
    "registry_scale": ("registry_term",),
    "registry_value": ("registry_figure",),
    "registry_floor": ("registry_figure",),
    "registry_figures": ("claim_figure", "registry_figure"),
    "registry_floors": ("claim_figure", "registry_figure"),
    "confirmed_states": ("counted_state", "confirmed_claim"),
    "reporter_states": ("counted_state",),
    "stock_reported": ("stock_claim",),
    "stock_moves": ("stock_source", "stock_claim"),
    "losses_start": ("month",),
}
_WALK_DIMS = ("walk", "walk_coordinate")
_STEP_DIMS = ("dense_walk", "step_coordinate")

Scalars = dict[str, TensorVariable]
"""The scalar assumptions by key."""

# Share of the typical ratio that moves what is sampled in months with a floor of their own. With
# none or all of it, ratio and months are strongly correlated in some sets; one half suits all.
RATIO_IN_FLOOR = 0.5
_POSITION = {key: position for position, key in enumerate(ASSUMPTIONS)}

MAPPED = (*(f"{walk}.level" for walk in SPARSE_WALKS), "losses.step")
"""Assumptions that are sampled with the coordinates of their walks."""

OTHER_ASSUMPTIONS = tuple(key for key in ASSUMPTIONS if key not in MAPPED)
"""Assumptions that are sampled apart."""

_SHARPNESS = 10.0  # of the bend where a stock, as a share of what was reported, comes to nothing
_LEAST_SHARE = 0.05  # of what was reported: far under it a stock moves the sampled bias no more


def build_model(evidence: Evidence, assumptions: AssumptionSet) -> pm.Model:
    """Build the model of an assumption set.

    Parameters
    ----------
    evidence
        As `estimator.evidence.load_evidence` returns it.
    assumptions
        Priors, dynamics, biases and hedges.

    Returns
    -------
    pymc.Model
        Free: `assumption_raw` (other_assumption), `reporting_raw` (reporting_term, plain_source),
        `stock_reporting_raw` (reporting_term, stock_source), where biases are shared or wander
        `shared_raw` (shared_term, bias_group) and `bias_step_raw` (bias_step), `registry_raw`
        (registry_term), `exits_raw` (exits_step), `rounding_raw` (rounded_claim),
        `log_losses` (month; log thousands per mean month), `step_coordinates`
        (dense_walk, step_coordinate), `walk_coordinates` (walk, walk_coordinate).
        Deterministic: `assumption_value` (assumption; thousands of persons), `registration`
        (registry_term; thousands, shares, days), `registry_figure_location` (registry_figure),
        `reporting` (reporting_term, source), `losses_step` (month; log ratio), `losses`,
        `killed_share`, `recruits`, `foreign_recruits`, `other_exits`, and what follows from them,
        `killed`, `returned`, `replacement_gap`, `net_change` (month; thousands of persons),
        `claim_location` (claim) and, if any confirmed figure is rounded, `rounded_off`
        (confirmed_claim; thousands).
        Observed: `reported` (claim), `confirmed_figure` (confirmed_claim), `registered` and
        `registered_at_least` (registry_figure).
    """
    return build_from_inputs(model_inputs(evidence, assumptions))


def build_from_inputs(inputs: ModelInputs) -> pm.Model:
    """Build the model from data and structure (see `build_model`)."""
    structure = inputs.structure
    fixed = structure.constants
    n_claims, n_months, n_sources = (
        len(structure.coords[name]) for name in ("claim", "month", "source")
    )
    n_walks = len(SPARSE_WALKS)
    with pm.Model(coords={**structure.coords, **_own_coords(structure)}) as model:
        given = {
            name: pm.Data(name, array, dims=_DIMS.get(name), shape=array.shape)
            for name, array in inputs.data.items()
        }
        apply = partial(structure.layout.apply, given)
        steps = mapped_steps(
            "walk_coordinates", given["step_maps"], partial(apply, "steps"), _WALK_DIMS
        )
        levels, *carried = pt.split(
            apply("carried", steps), splits_size=[n_walks] + n_walks * [n_months]
        )
        pace = mapped_steps(
            "step_coordinates",
            given["losses_step_map"],
            lambda own: pt.sum(given["losses_step_map"][0] * own[None, :], axis=1),
            _STEP_DIMS,
        )
        linear, value = _assumptions(given, structure, pt.concatenate([levels, pace[:1]]))
        plain, bias_steps = _reporting(given, structure)
        offset = apply("offsets", _of_all_sources(plain, None, bias_steps, structure))
        walks = {
            walk: linear[f"{walk}.level"] + value[f"{walk}.step"] * path
            for walk, path in zip(SPARSE_WALKS, carried, strict=True)
        }
        series = _sparse_series(walks, value, structure)
        series[OTHER_EXITS] = _other_exits(linear, value, structure, apply)

        severe, light = forward.confirmed_weights(given["confirmed_states"], value)
        counted = forward.counted_share(
            series["killed_share"][None, :],
            value["returns.rate"],
            severe[:, None],
            light[:, None],
        )
        weight = (fixed["confirmed_weight"] * fixed["exposure"]) * counted
        true_share = 1.0 - value["confirmed.false_confirmation"]
        rounding = _rounding(given, structure)
        log_ratio = linear["unconfirmed.ratio"]
        typical_log_ratio = given["assumption_location"][_POSITION["unconfirmed.ratio"]]
        floor = confirmation.Floor(
            figure=given["confirmed_used"] * (given["confirmed_value"] + rounding) * true_share,
            weight=weight,
            offset=offset
            + pt.log(
                series["killed_share"]
                if structure.told == "killed"
                else _seen_share(given, fixed["own_floor"], series["killed_share"], value)
            )
            - given["assumption_location"][_POSITION["losses.level"]]
            - RATIO_IN_FLOOR * fixed["own_floor"] * (log_ratio - typical_log_ratio),
            coordinates=given["losses_map"],
            ratio=log_ratio - typical_log_ratio,
            pace=None
            if structure.told_apart
            else value["losses.step"]
            * pt.exp(-given["assumption_location"][_POSITION["losses.step"]]),
            to_offset_log=partial(apply, "losses"),
            pivots=structure.pivots,
        )
        level = linear["losses.level"]
        step = _steps_of_losses(value, fixed["step_ramps"], pace[1:])
        if structure.level_follows:
            level, prior_scale = (
                given[f"assumption_{part}"][_POSITION["losses.level"]]
                for part in ("location", "scale")
            )
            step = random_walk.with_level(step, prior_scale)
        log_losses = random_walk.centred(
            "log_losses",
            level,
            step,
            fixed["carried_losses"],
            partial(apply, "innovations"),
            floor,
            given["losses_start"],
        )
        if structure.level_follows:
            value["losses.level"] = pt.exp(
                random_walk.level_given(
                    log_losses[0], level, prior_scale, step[0], linear["losses.level"]
                )
            )
        pm.Deterministic("assumption_value", pt.stack(list(value.values())), dims="assumption")
        rate = pt.exp(log_losses)
        series["losses"] = pm.Deterministic("losses", fixed["exposure"] * rate, dims="month")
        confirmation.confirmed_figures(
            "confirmed_figure",
            pt.sum(weight * rate, axis=1),
            true_share,
            log_ratio,
            value["unconfirmed.spread"],
            given["confirmed_used"],
            rounding,
            given["confirmed_value"],
        )
        terms, of_populations = _populations(given, structure, series)
        sums = None
        if n_claims:
            sums = forward.claim_sums(structure, apply, series, value, pt, of_populations)
        stock = None
        if structure.coords["stock_source"] and sums is not None:
            stock = _reporting_of_stocks(given, structure, apply("stocks", sums[0]))
        reporting = _of_all_sources(plain, stock, bias_steps, structure)
        pm.Deterministic(
            "reporting",
            reporting[: 2 * n_sources].reshape((2, n_sources)),
            dims=("reporting_term", "source"),
        )
        _registries(given, structure, apply, series, terms, of_populations, reporting)
        if sums is not None:
            shift, size = apply("shifts", reporting), fixed["claim_size"]
            location = forward.locations(structure.claim_scale, *sums, shift, size, pt)
            claims.reported_figures(
                "reported",
                pm.Deterministic("claim_location", location, dims="claim"),
                given["claim_figures"],
                given["claim_value"],
            )
        _flows(series, value, fixed)
    return model


FLOWS = ("killed", "returned", "replacement_gap", "net_change")
"""Deterministics for those who read or draw from the model itself; the density has no part in them.

The package works them out from draws, much faster (`estimator.quantities.derived`).
"""


def _flows(
    series: Mapping[str, TensorVariable],
    value: Mapping[str, TensorVariable],
    fixed: Mapping[str, np.ndarray],
) -> None:
    """Name the flows of each month that follow from the series."""
    flows = with_killed(series)
    wounded = combine(QUANTITIES["wounded"].parts, flows)
    flows["light"] = value["returns.rate"] * wounded
    flows["returned"] = force.returned(
        pt.dot(fixed["wounded_per_month"], wounded),
        fixed["exposure"],
        value["returns.rate"],
        value["returns.delay"],
        pt,
    )
    for name in FLOWS:
        path = flows[name] if name in flows else combine(QUANTITIES[name].parts, flows)
        pm.Deterministic(name, path, dims="month")


def _populations(
    given: dict[str, TensorVariable], structure: Structure, series: Mapping[str, TensorVariable]
) -> tuple[TensorVariable, TensorVariable | None]:
    """Sample what is estimated of registries.

    Returns
    -------
    terms, of_populations
        As `registries.term_values` gives them; killed of the populations, one after the other,
        None if there are none.
    """
    parts = structure.registries
    terms = pt.zeros(0)
    if parts.terms:
        raw = pm.Normal("registry_raw", 0.0, 1.0, dims=registries.TERM)
        linear = given["registry_location"] + given["registry_scale"] * raw
        terms = pm.Deterministic(
            "registration", registries.term_values(parts, linear, pt), dims=registries.TERM
        )
    killed = series["losses"] * series["killed_share"]
    if not parts.populations:
        return terms, None
    return terms, registries.killed_of_populations(parts, killed, terms, pt)


def _registries(
    given: dict[str, TensorVariable],
    structure: Structure,
    apply: Callable[[str, TensorVariable], TensorVariable],
    series: Mapping[str, TensorVariable],
    terms: TensorVariable,
    of_populations: TensorVariable | None,
    reporting: TensorVariable,
) -> None:
    """Observe the figures of the triangles of registries."""
    parts = structure.registries
    killed = series["losses"] * series["killed_share"]
    if structure.coords[registries.FIGURE]:
        location, log_dead = registries.registry_locations(
            parts, apply, killed, of_populations, terms, reporting, pt
        )
        pm.Deterministic("registry_figure_location", location, dims=registries.FIGURE)
        value = given["registry_value"]
        errors = value - apply("registry_errors", value - location)
        claims.reported_figures(
            "registered", errors, given["registry_figures"], value, registries.FIGURE
        )
        claims.reported_figures(
            "registered_at_least",
            log_dead,
            given["registry_floors"],
            given["registry_floor"],
            registries.FIGURE,
        )


def _steps_of_losses(
    value: Scalars, step_ramps: np.ndarray, changes: TensorVariable
) -> TensorVariable:
    """Step of the log losses into each month: its log walks between knots, back from the end."""
    path = pt.zeros(len(step_ramps))
    if step_ramps.shape[1]:
        # As a product of a matrix, it and the one of rounding take a fifth of the time to compile.
        path = value["losses.volatility"] * pt.sum(step_ramps * changes[None, :], axis=1)
    return pm.Deterministic("losses_step", value["losses.step"] * pt.exp(path), dims="month")


def _seen_share(
    given: Mapping[str, TensorVariable],
    own_floor: np.ndarray,
    killed_share: TensorVariable,
    value: Scalars,
) -> TensorVariable:
    """Share of each month's losses that figures see: its floor, else the reporter. (month,)."""
    severe, light, by_definition = (given["reporter_states"][row] for row in range(3))
    seen = [
        forward.counted_share(killed_share, value["returns.rate"], *wounded)
        for wounded in (
            (value["definitions.confirmed_severe"], value["definitions.confirmed_light"]),
            (
                severe + by_definition * value["definitions.severe"],
                light + by_definition * value["definitions.light"],
            ),
        )
    ]
    return pt.switch(own_floor > 0, *seen)


def _own_coords(structure: Structure) -> dict[str, list[str]]:
    """Labels of the dims of free variables: sparse walks, and what else is sampled."""
    return {
        "walk": list(SPARSE_WALKS),
        "walk_coordinate": ["level", *structure.coords["month"]],
        "dense_walk": ["losses"],
        "step_coordinate": ["step", *structure.coords["step_change"]],
        "other_assumption": list(OTHER_ASSUMPTIONS),
    }


def _assumptions(
    given: dict[str, TensorVariable], structure: Structure, mapped: TensorVariable
) -> tuple[Scalars, Scalars]:
    """Sample the scalar assumptions: standard normals under a link, or their own families.

    Those of `MAPPED` come standardised, with the walks' coordinates.

    Returns
    -------
    linear, value
        Each assumption on its unbounded scale (log, logit for shares), and itself; by key.
    """
    others = pm.Normal("assumption_raw", 0.0, 1.0, dims="other_assumption")
    sampled = [*MAPPED, *OTHER_ASSUMPTIONS]
    rows = [_POSITION[key] for key in sampled]
    location, scale = given["assumption_location"][rows], given["assumption_scale"][rows]
    all_linear = location + scale * pt.concatenate([mapped, others])
    pieces = pt.split(all_linear, splits_size=[1] * len(sampled))
    linear = {key: piece.squeeze() for key, piece in zip(sampled, pieces, strict=True)}
    value = {}
    for (key, spec), family in zip(ASSUMPTIONS.items(), structure.families, strict=True):
        is_share = spec.support == "share"
        if family is not None:
            own = _own_variable(key, *family) / spec.per_model_unit
            linear[key] = pt.log(own) - (pt.log1p(-own) if is_share else 0.0)
        value[key] = pt.sigmoid(linear[key]) if is_share else pt.exp(linear[key])
    return linear, value


def _own_variable(
    key: str, family: str, parameters: tuple[tuple[str, float], ...]
) -> TensorVariable:
    """Sample an assumption whose prior is no affine map of a normal, in the prior's own unit."""
    distributions = {
        "Beta": pm.Beta,
        "Gamma": pm.Gamma,
        "HalfNormal": pm.HalfNormal,
        "TruncatedNormal": pm.TruncatedNormal,
        "Uniform": pm.Uniform,
    }
    return distributions[family](key.replace(".", "_"), **dict(parameters))


def _reporting(
    given: dict[str, TensorVariable], structure: Structure
) -> tuple[TensorVariable, TensorVariable | None]:
    """Sample what moves the reports of each source but those of stocks.

    Returns
    -------
    terms, bias_steps
        Bias at the end of the window and drift (reporting_term, plain_source); steps of wandering
        biases (bias_step,), None if none wanders.
    """
    own = _of_sources(given, slice(len(structure.coords["plain_source"])))
    shared = bool(structure.coords["bias_group"])
    linear = _around_means(given, own, structure) if shared else _independent(own)
    steps = None
    if structure.coords["bias_step"]:
        raw = pm.Normal("bias_step_raw", 0.0, 1.0, dims="bias_step")
        steps = pm.Deterministic("bias_steps", given["bias_step_scale"] * raw, dims="bias_step")
    return _signed(linear, own), steps


def _of_sources(given: dict[str, TensorVariable], own: slice) -> dict[str, TensorVariable]:
    """Take the data of the biases and drifts of some sources."""
    names = ("reporting_location", "reporting_scale", "reporting_one_sided", "bias_centred")
    return {name: given[name][..., own] for name in names}


def _signed(linear: TensorVariable, own: dict[str, TensorVariable]) -> TensorVariable:
    """Terms from their unbounded scale: the log of an undercount becomes a negative bias."""
    one_sided = pt.gt(own["reporting_one_sided"], 0)
    return pt.switch(one_sided, -pt.exp(pt.switch(one_sided, linear, 0.0)), linear)


def _of_all_sources(
    plain: TensorVariable,
    stock: TensorVariable | None,
    bias_steps: TensorVariable | None,
    structure: Structure,
) -> TensorVariable:
    """Join the terms of all sources. (2 × source + bias_step,).

    Parameters
    ----------
    plain, bias_steps
        As `_reporting` gives them.
    stock
        As `_reporting_of_stocks` gives them; None: zeros, for what does not hang on stocks.
    """
    terms, n_stock = plain, len(structure.coords["stock_source"])
    if n_stock:
        rest = pt.zeros((2, n_stock)) if stock is None else stock
        terms = pt.concatenate([plain, rest], axis=1)
    pieces = [terms.ravel()] + ([] if bias_steps is None else [bias_steps])
    return pt.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def _independent(own: dict[str, TensorVariable]) -> TensorVariable:
    """Bias (log of an undercount) and drift of each source. (reporting_term, plain_source)."""
    raw = pm.Normal("reporting_raw", 0.0, 1.0, dims=("reporting_term", "plain_source"))
    return own["reporting_location"] + own["reporting_scale"] * raw


def _reporting_of_stocks(
    given: dict[str, TensorVariable], structure: Structure, stocks: TensorVariable
) -> TensorVariable:
    """Sample biases of stocks by what their sources report. (reporting_term, stock_source).

    A stock is recruits less losses of years, and what a source says of it is known far better than
    its bias. Biases of their own would leave a ridge along which all flows move together, narrow
    and bent. So the sampled bias moves with the log of the stock, with a slope of 1 where the stock
    is what was reported: it is the reported level. Its prior is what it was.

    Parameters
    ----------
    stocks
        What the claims on stocks are about, thousands. (stock_claim,).
    """
    own = _of_sources(given, slice(len(structure.coords["plain_source"]), None))
    ratio = pt.softplus(_SHARPNESS * stocks / given["stock_reported"]) / _SHARPNESS
    log_ratio = (1.0 + _LEAST_SHARE) * pt.log((ratio + _LEAST_SHARE) / (1.0 + _LEAST_SHARE))
    moved = pt.sum(given["stock_moves"] * log_ratio[None, :], axis=1)
    middle = pt.stack([moved, pt.zeros_like(moved)])
    raw = pm.Normal("stock_reporting_raw", middle, 1.0, dims=("reporting_term", "stock_source"))
    linear = own["reporting_location"] + own["reporting_scale"] * (raw - middle)
    return _signed(linear, own)


def _around_means(
    given: dict[str, TensorVariable], own: dict[str, TensorVariable], structure: Structure
) -> TensorVariable:
    """As `_independent`, where some biases are drawn around the mean of their group.

    What is sampled of such a bias lies between the bias itself (centred) and its standardised
    distance from the mean (non-centred): the more its claims tell, the nearer to the first.
    """
    members = structure.constants["bias_members"][: len(structure.coords["plain_source"])]
    common = pm.Normal("shared_raw", 0.0, 1.0, dims=("shared_term", "bias_group"))
    group = given["shared_location"] + given["shared_scale"] * common
    pm.Deterministic(
        "shared_bias", pt.stack([group[0], pt.exp(group[1])]), dims=("shared_term", "bias_group")
    )
    distance, log_spread = (
        pt.sum(members * (group - given["shared_location"])[term][None, :], axis=1)
        for term in range(2)
    )
    typical = pt.sum(members * given["shared_location"][1][None, :], axis=1)
    centred = own["bias_centred"]
    size = pt.exp(typical + (1.0 - centred) * log_spread)  # 1 for sources of no group
    nothing = pt.zeros_like(size)
    raw = pm.Normal(
        "reporting_raw",
        pt.stack([centred * distance / size, nothing]),
        pt.stack([pt.exp(centred * log_spread), nothing + 1.0]),
        dims=("reporting_term", "plain_source"),
    )
    is_member = members.sum(axis=1)
    middle = pt.sum(members * given["shared_location"][0][None, :], axis=1)
    bias = middle + (1.0 - centred) * distance + size * raw[0]
    return (
        own["reporting_location"]
        + own["reporting_scale"] * raw
        + pt.stack([is_member * bias, nothing])
    )


def _rounding(given: dict[str, TensorVariable], structure: Structure) -> TensorVariable:
    """Sample what was rounded off the confirmed figures, thousands. (confirmed_claim,).

    A rounded figure lies evenly within its half width around the count: not a person beyond it.
    """
    if not structure.coords["rounded_claim"]:
        return pt.zeros(len(structure.coords["confirmed_claim"]))
    raw = pm.Normal("rounding_raw", 0.0, 1.0, dims="rounded_claim")
    off = pt.sum(given["confirmed_rounding"] * pt.erf(raw / np.sqrt(2.0))[None, :], axis=1)
    return pm.Deterministic("rounded_off", off, dims="confirmed_claim")


def _other_exits(
    linear: Scalars,
    value: Scalars,
    structure: Structure,
    apply: Callable[[str, TensorVariable], TensorVariable],
) -> TensorVariable:
    """Sample the exits beside losses: a slow walk around their typical level. (month,)."""
    log_rate = linear["force.other_exits"]
    if structure.coords["exits_step"]:
        steps = pm.Normal("exits_raw", 0.0, 1.0, dims="exits_step")
        log_rate = log_rate + value["force.exits_step"] * apply("exits", steps)
    exits = structure.constants["exposure"] * pt.exp(log_rate)
    return pm.Deterministic(OTHER_EXITS, exits, dims="month")


def _sparse_series(
    walks: Mapping[str, TensorVariable], value: Scalars, structure: Structure
) -> dict[str, TensorVariable]:
    """Name killed share, recruits and foreign recruits: series that few claims fix. (month,)."""
    fixed = structure.constants
    mobilised = value["recruitment.mobilised"] * fixed["mobilisation_weight"]
    recruits = fixed["exposure"] * pt.exp(walks["recruitment"]) + mobilised
    foreign = fixed["exposure"] * pt.exp(walks["foreign"])
    series = {
        "killed_share": pt.sigmoid(walks["killed_share"]),
        "recruits": recruits,
        "foreign_recruits": foreign,
    }
    return {name: pm.Deterministic(name, path, dims="month") for name, path in series.items()}
