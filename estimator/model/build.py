"""Join the parts of the story into one PyMC model."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from estimator.assumptions import ASSUMPTIONS, QUANTITY_SCALES, AssumptionSet
from estimator.evidence.dataset import Evidence
from estimator.model import claims, confirmation, force, random_walk
from estimator.model.inputs import (
    CLAIM_VALUE,
    CONFIRMED_FIGURE,
    MAXIMUM_RETURN_LAG,
    PACKED,
    ModelInputs,
    Structure,
    model_inputs,
)

_OBSERVED_DIMS = {CLAIM_VALUE: "claim", CONFIRMED_FIGURE: "confirmed_claim"}
_LOGIT_ASSUMPTIONS = tuple(spec.support == "share" for spec in ASSUMPTIONS.values())


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
        Free: `assumption_raw` (assumption), `reporting_bias_raw`, `reporting_drift_raw` (source),
        `log_losses`, `log_recruits` (month; log thousands), `logit_killed_share_raw`,
        `log_foreign_recruits_raw` (month). Deterministic: `assumption_value` (in model units),
        `reporting_bias`, `reporting_drift` (source), the four monthly series and `claim_location`
        (claim). Observed: `reported` (claim), `confirmed_figure` (confirmed_claim).
    """
    return build_from_inputs(model_inputs(evidence, assumptions))


def build_from_inputs(inputs: ModelInputs) -> pm.Model:
    """Build the model from numbers and structure (see `build_model`)."""
    structure = inputs.structure
    with pm.Model(coords=inputs.coords) as model:
        data = {
            name: pm.Data(name, array, dims=_OBSERVED_DIMS.get(name))
            for name, array in inputs.data.items()
        }
        given = structure.layout.unpack(data[PACKED])
        value = _assumptions(given, structure)
        bias, drift = _reporting(given)

        killed_share = pm.Deterministic(
            "killed_share",
            pt.sigmoid(
                random_walk.non_centred(
                    "logit_killed_share",
                    _logit(value["killed_share.level"]),
                    value["killed_share.step"],
                    given["killed_share_carried"],
                )
            ),
            dims="month",
        )
        floor, total = _floor(given, structure, value, killed_share, data[CONFIRMED_FIGURE])
        log_losses = random_walk.centred(
            "log_losses",
            pt.log(value["losses.level"]),
            value["losses.step"],
            given["losses_carried"],
            floor,
        )
        losses = pm.Deterministic("losses", given["exposure"] * pt.exp(log_losses), dims="month")
        recruits = pm.Deterministic(
            "recruits",
            given["exposure"]
            * pt.exp(
                random_walk.centred(
                    "log_recruits",
                    pt.log(value["recruitment.level"]),
                    value["recruitment.step"],
                    given["recruitment_carried"],
                )
            )
            + value["recruitment.mobilised"] * given["mobilisation_weight"],
            dims="month",
        )
        foreign = pm.Deterministic(
            "foreign_recruits",
            given["exposure"]
            * pt.exp(
                random_walk.non_centred(
                    "log_foreign_recruits",
                    pt.log(value["foreign.level"]),
                    value["foreign.step"],
                    given["foreign_carried"],
                )
            ),
            dims="month",
        )
        confirmation.confirmed_figures(
            "confirmed_figure",
            total(log_losses),
            1.0 - value["confirmed.false_confirmation"],
            value["unconfirmed.ratio"],
            value["unconfirmed.spread"],
            given["confirmed_used"],
            data[CONFIRMED_FIGURE],
        )
        if structure.claim_quantity:
            _claims(
                given,
                structure,
                value,
                (bias, drift),
                (losses, killed_share, recruits, foreign),
                data[CLAIM_VALUE],
            )
    return model


def _logit(share: TensorVariable) -> TensorVariable:
    return pt.log(share) - pt.log1p(-share)


def _assumptions(given: dict[str, TensorVariable], structure: Structure) -> dict[str, TensorVariable]:
    """Sample the scalar assumptions: standard normals under a link, or their own families."""
    raw = pm.Normal("assumption_raw", 0.0, 1.0, dims="assumption")
    linear = given["assumption_location"] + given["assumption_scale"] * raw
    shares = np.array(_LOGIT_ASSUMPTIONS)
    free = pt.switch(shares, pt.sigmoid(linear), pt.exp(pt.switch(shares, 0.0, linear)))
    everything = pt.switch(given["assumption_free"] > 0, free, given["assumption_fixed"])
    for position, (key, family) in enumerate(zip(ASSUMPTIONS, structure.families, strict=True)):
        if family != "packed":
            parameters = given["assumption_parameters"][position]
            own = _own_variable(key, family, parameters) / ASSUMPTIONS[key].per_model_unit
            everything = pt.set_subtensor(everything[position], own)
    everything = pm.Deterministic("assumption_value", everything, dims="assumption")
    return {key: everything[position] for position, key in enumerate(ASSUMPTIONS)}


def _own_variable(key: str, family: str, parameters: TensorVariable) -> TensorVariable:
    name = key.replace(".", "_")
    match family:
        case "Beta":
            return pm.Beta(name, parameters[0], parameters[1])
        case "Gamma":
            return pm.Gamma(name, parameters[0], parameters[1])
        case "HalfNormal":
            return pm.HalfNormal(name, parameters[0])
        case "Uniform":
            return pm.Uniform(name, parameters[0], parameters[1])
        case "TruncatedNormal":
            upper = parameters[3] if ASSUMPTIONS[key].support == "share" else None
            return pm.TruncatedNormal(
                name, parameters[0], parameters[1], lower=parameters[2], upper=upper
            )
    raise KeyError(family)


def _reporting(given: dict[str, TensorVariable]) -> tuple[TensorVariable, TensorVariable]:
    """Sample bias and drift of each source."""
    raw = pm.Normal("reporting_bias_raw", 0.0, 1.0, dims="source")
    linear = given["source_location"] + given["source_scale"] * raw
    one_sided = given["source_one_sided"] > 0
    bias = pt.switch(one_sided, -pt.exp(pt.switch(one_sided, linear, 0.0)), linear)
    drift_raw = pm.Normal("reporting_drift_raw", 0.0, 1.0, dims="source")
    drift = given["source_drift_location"] + given["source_drift_scale"] * drift_raw
    return (
        pm.Deterministic("reporting_bias", bias, dims="source"),
        pm.Deterministic("reporting_drift", drift, dims="source"),
    )


def _floor(
    given: dict[str, TensorVariable],
    structure: Structure,
    value: dict[str, TensorVariable],
    killed_share: TensorVariable,
    confirmed: TensorVariable,
):  # type: ignore[no-untyped-def]
    """Floors under the losses, and the function that gives the true figure of each floor's period."""
    counted = pt.switch(given["confirmed_counts_killed"][:, None] > 0, killed_share[None, :], 1.0)
    weight = given["confirmed_weight"] * given["exposure"] * counted
    true_figure = confirmed * (1.0 - value["confirmed.false_confirmation"])
    floor = confirmation.Floor(
        figure=given["confirmed_used"] * true_figure,
        weight=weight,
        pivots=structure.pivots,
    )
    return floor, lambda log_losses: weight @ pt.exp(log_losses)


def _claims(
    given: dict[str, TensorVariable],
    structure: Structure,
    value: dict[str, TensorVariable],
    reporting: tuple[TensorVariable, TensorVariable],
    series: tuple[TensorVariable, ...],
    observed: TensorVariable,
) -> None:
    losses, killed_share, recruits, foreign = series
    bias, drift = reporting
    killed = killed_share * losses
    monthly = {
        "losses": losses,
        "killed": killed,
        "killed_share": killed,
        "recruits": recruits,
        "foreign_recruits": foreign,
        "replacement_gap": recruits - losses,
    }
    if {"net_change", "force_size"} & set(structure.claim_quantity):
        back = force.returned(
            losses - killed,
            value["returns.rate"],
            value["returns.delay"],
            given["months_before_window"],
            MAXIMUM_RETURN_LAG,
        )
        exits = value["force.other_exits"] * given["exposure"]
        net_change = recruits + foreign + back - losses - exits
        monthly |= {"net_change": net_change, "force_size": net_change}

    source = np.array(structure.claim_source, dtype=int)
    terms = claims.ClaimTerms(
        series=tuple(list(monthly).index(name) for name in structure.claim_quantity),
        scale=tuple(QUANTITY_SCALES[name] for name in structure.claim_quantity),
        weight=given["claim_weight"],
        factor=pt.exp(drift[:, None] * given["years_to_end"][None, :])[source],
        bias=bias[source],
        drift=drift[source] * given["claim_years"],
        size=given["claim_size"],
    )
    location = pm.Deterministic(
        "claim_location",
        claims.claim_locations(
            terms, pt.stack(list(monthly.values())), losses, value["force.start"]
        ),
        dims="claim",
    )
    noise = pt.sqrt(
        (given["source_noise"][source] * given["claim_noise_size"]) ** 2 + given["claim_rounding"] ** 2
    )
    claims.reported_figures(
        "reported",
        location,
        noise,
        given["claim_lower"],
        given["claim_upper"],
        given["claim_is_point"],
        given["claim_used"],
        observed,
    )
