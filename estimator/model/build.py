"""Join the parts of the story into one PyMC model."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.evidence.dataset import Evidence
from estimator.model import claims, confirmation, force, random_walk
from estimator.model.geometry import mapped_steps
from estimator.model.inputs import SPARSE_WALKS, ModelInputs, Structure, model_inputs

_DIMS = {
    "assumption_location": ("assumption",),
    "assumption_scale": ("assumption",),
    "reporting_location": ("reporting_term", "source"),
    "reporting_scale": ("reporting_term", "source"),
    "reporting_one_sided": ("source",),
    "functional": None,
    "rest": None,
    "source_of_claim": None,
    "reported_by": None,
    "step_maps": None,
    "losses_map": None,
}
_IS_SHARE = np.array([spec.support == "share" for spec in ASSUMPTIONS.values()])
_LEVELS, _STEPS = slice(0, 3), slice(4, 7)  # of SPARSE_WALKS, see the order of ASSUMPTIONS
_POSITION = {key: position for position, key in enumerate(ASSUMPTIONS)}


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
        Free: `assumption_raw` (other_assumption), `reporting_raw` (reporting_term, source),
        `log_losses` (month; log thousands per mean month), `walk_coordinates`
        (walk, walk_coordinate).
        Deterministic: `assumption_value` (assumption; thousands of persons), `reporting`
        (reporting_term, source), `losses`, `killed_share`, `recruits`, `foreign_recruits` (month;
        thousands of persons) and `claim_location` (claim).
        Observed: `reported` (claim) and `confirmed_figure` (confirmed_claim).
    """
    return build_from_inputs(model_inputs(evidence, assumptions))


def build_from_inputs(inputs: ModelInputs) -> pm.Model:
    """Build the model from data and structure (see `build_model`)."""
    structure = inputs.structure
    fixed = structure.constants
    with pm.Model(coords={**structure.coords, **_own_coords(structure)}) as model:
        given = {
            name: pm.Data(name, array, dims=_dims(name), shape=array.shape)
            for name, array in {**inputs.data, **structure.matrices}.items()
        }
        sparse = mapped_steps("walk_coordinates", given["step_maps"], ("walk", "walk_coordinate"))
        linear, value = _assumptions(given, structure, sparse[:, 0])
        shift = _reporting(given)
        killed_share, recruits, foreign = _walks(linear, value, structure, sparse[:, 1:])

        counted = pt.switch(
            pt.gt(given["confirmed_counts_killed"][:, None], 0), killed_share[None, :], 1.0
        )
        weight = (fixed["confirmed_weight"] * fixed["exposure"]) * counted
        true_share = 1.0 - value[_POSITION["confirmed.false_confirmation"]]
        floor = confirmation.Floor(
            figure=given["confirmed_used"] * given["confirmed_value"] * true_share,
            weight=weight,
            offset=pt.dot(given["reported_by"], shift)
            - given["assumption_location"][_POSITION["losses.level"]],
            coordinates=given["losses_map"],
            pivots=structure.pivots,
        )
        log_losses = random_walk.centred(
            "log_losses",
            linear[_POSITION["losses.level"]],
            value[_POSITION["losses.step"]],
            fixed["carried_losses"],
            floor,
            _start(inputs),
        )
        rate = pt.exp(log_losses)
        losses = pm.Deterministic("losses", fixed["exposure"] * rate, dims="month")
        confirmation.confirmed_figures(
            "confirmed_figure",
            pt.dot(weight, rate),
            true_share,
            linear[_POSITION["unconfirmed.ratio"]],
            value[_POSITION["unconfirmed.spread"]],
            given["confirmed_used"],
            given["confirmed_value"],
        )
        if structure.claim_scale:
            _claims(given, structure, value, shift, (losses, killed_share, recruits, foreign))
    return model


def _start(inputs: ModelInputs) -> np.ndarray:
    """Log losses for which the sampled coordinates are 0, whatever their map. (month,)."""
    location = inputs.data["reporting_location"].copy()
    one_sided = inputs.data["reporting_one_sided"] > 0
    location[0, one_sided] = -np.exp(location[0, one_sided])
    level = inputs.data["assumption_location"][_POSITION["losses.level"]]
    return level - inputs.data["reported_by"] @ location.ravel()


def _own_coords(structure: Structure) -> dict[str, list[str]]:
    """Labels of the dims of free variables: sparse walks, and what else is sampled."""
    return {
        "walk": list(SPARSE_WALKS),
        "walk_coordinate": ["level", *structure.coords["month"]],
        "other_assumption": list(ASSUMPTIONS)[len(SPARSE_WALKS) :],
    }


def _dims(name: str) -> tuple[str, ...] | None:
    if name in _DIMS:
        return _DIMS[name]
    return ("claim",) if name.startswith("claim_") else ("confirmed_claim",)


def _assumptions(
    given: dict[str, TensorVariable], structure: Structure, levels: TensorVariable
) -> tuple[TensorVariable, TensorVariable]:
    """Sample the scalar assumptions: standard normals under a link, or their own families.

    The standardised levels of the sparse walks come with the walks' coordinates.

    Returns
    -------
    linear, value
        Each assumption on its unbounded scale (log, logit for shares), and itself. (assumption,).
    """
    others = pm.Normal("assumption_raw", 0.0, 1.0, dims="other_assumption")
    raw = pt.concatenate([levels, others])
    linear = given["assumption_location"] + given["assumption_scale"] * raw
    for key, family in zip(ASSUMPTIONS, structure.families, strict=True):
        if family is not None:
            own = _own_variable(key, *family) / ASSUMPTIONS[key].per_model_unit
            unbounded = pt.log(own) - (pt.log1p(-own) if _IS_SHARE[_POSITION[key]] else 0.0)
            linear = pt.set_subtensor(linear[_POSITION[key]], unbounded)
    value = pt.switch(_IS_SHARE, pt.sigmoid(linear), pt.exp(linear))
    value = pm.Deterministic("assumption_value", value, dims="assumption")
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


def _reporting(given: dict[str, TensorVariable]) -> TensorVariable:
    """Sample bias and drift of each source. (2 × source,): all biases, then all drifts."""
    raw = pm.Normal("reporting_raw", 0.0, 1.0, dims=("reporting_term", "source"))
    linear = given["reporting_location"] + given["reporting_scale"] * raw
    one_sided = pt.stack(
        [given["reporting_one_sided"], pt.zeros_like(given["reporting_one_sided"])]
    )
    terms = pt.switch(
        pt.gt(one_sided, 0), -pt.exp(pt.switch(pt.gt(one_sided, 0), linear, 0.0)), linear
    )
    return pm.Deterministic("reporting", terms, dims=("reporting_term", "source")).ravel()


def _walks(
    linear: TensorVariable,
    value: TensorVariable,
    structure: Structure,
    steps: TensorVariable,
) -> tuple[TensorVariable, TensorVariable, TensorVariable]:
    """Build killed share, recruits and foreign recruits: series that few claims fix. (month,)."""
    fixed = structure.constants
    few_claims = random_walk.non_centred_rows(
        steps,
        linear[_LEVELS],
        value[_STEPS],
        np.stack([fixed[f"carried_{walk}"] for walk in SPARSE_WALKS]),
    )
    mobilised = value[_POSITION["recruitment.mobilised"]] * fixed["mobilisation_weight"]
    recruits = fixed["exposure"] * pt.exp(few_claims[2]) + mobilised
    foreign = fixed["exposure"] * pt.exp(few_claims[1])
    return (
        pm.Deterministic("killed_share", pt.sigmoid(few_claims[0]), dims="month"),
        pm.Deterministic("recruits", recruits, dims="month"),
        pm.Deterministic("foreign_recruits", foreign, dims="month"),
    )


def _claims(
    given: dict[str, TensorVariable],
    structure: Structure,
    value: TensorVariable,
    shift: TensorVariable,
    series: tuple[TensorVariable, ...],
) -> None:
    """Observe the claims: each a linear functional of the series, with its source's bias."""
    losses, killed_share, recruits, foreign = series
    fixed = structure.constants
    killed = killed_share * losses
    back = pt.zeros_like(losses)
    if structure.has_flows_of_force:
        back = force.returned(
            losses - killed,
            value[_POSITION["returns.rate"]],
            value[_POSITION["returns.delay"]],
            float(fixed["months_before_window"]),
        )
    stock = pt.stack([value[_POSITION["force.other_exits"]], value[_POSITION["force.start"]]])
    state = pt.concatenate([losses, killed, recruits, foreign, back, stock])
    location = claims.claim_locations(
        structure.claim_scale,
        pt.dot(given["functional"], state),
        pt.dot(given["rest"], pt.concatenate([losses, killed])),
        pt.dot(given["source_of_claim"], shift),
        fixed["claim_size"],
    )
    claims.reported_figures(
        "reported",
        pm.Deterministic("claim_location", location, dims="claim"),
        given["claim_noise"],
        given["claim_lower"],
        given["claim_upper"],
        fixed["claim_is_point"],
        given["claim_used"],
        given["claim_value"],
    )
