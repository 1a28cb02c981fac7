"""Changing any field of a configuration sets it apart, or changes nothing, or weights know it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from pydantic import BaseModel, ValidationError

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.reporting import Wander
from estimator.assumptions.scalars import is_packed
from estimator.errors import EstimatorError
from estimator.evidence import Evidence, load_evidence, read_claims
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.sweep.keys import _NOT_IN_CLAIMS, evidence_key, sources_key
from estimator.sweep.plan import PlannedSet, Planner
from estimator.sweep.set_fit import FitTask, Shared, entries_dataset
from estimator.sweep.sets import SweepSet
from tests.sweep.synthetic import synthetic_fit

CENTRAL = assumption_set([])
OPTIONS = FitOptions(draws=100, tune=100, max_depth=4, target_accept=0.8, attempts=1)
LOCATION, SCALE = "assumption_location", "assumption_scale"
OF_WEIGHTS = {
    *(LOCATION, SCALE, "reporting_location", "reporting_scale", "claim_value", "claim_figures"),
}
COORDINATES = {
    *("step_maps", "losses_map", "losses_step_map", "bias_centred", "map_entries", "map_runs"),
    *("stock_moves", "stock_reported", "losses_start"),
}
OF_USE = ["unconfirmed", "unconfirmed_ratio", "reporting_bias", "reporting_drift"]  # NaN if unused

PRIOR = {"family": "Normal", "low": -0.2, "high": 0.2}
TEXTS = ("x", "2025-10-31", "2022-03-31", "killed", "losses", "no_change", "pymc", "diag", "Gamma")
CANDIDATES: dict[type, Any] = {
    bool: lambda old: [not old],
    int: lambda old: [old + 1, old - 1],
    float: lambda old: [old * 1.1, old * 0.9, old + 0.01],
    str: lambda old: TEXTS,
    list: lambda old: [[*old, "x"], old[:-1], [*old, "S11"], [*old, "S03"]],
    dict: lambda old: [
        {"losses": ["kluge"]},
        {"enemy": {"losses": {"mean": PRIOR, "spread": 0.2}}},
    ],
    type(None): lambda old: [
        *(0.5, "2025-10-31", PRIOR),
        *({"step": 0.1, "every_months": 6}, {"median_days": 30.0, "spread": 1.0}),
    ],
}


def leaves(config: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(config, dict) and config:
        for key, value in config.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, config


def put(config: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    return config | {path[0]: put(config[path[0]], path[1:], value)}


def mutants() -> Iterator[tuple[str, AssumptionSet]]:
    """Sets that differ from the central one in one field."""
    plain = CENTRAL.model_dump(mode="json")
    same = tuple(list(plain["reporting"]["origins"])[2:])  # one origin is read like another
    for path, old in leaves(plain):
        if path[:2] == ("reporting", "origins") and path[2] in same:
            continue
        for value in CANDIDATES[type(old)](old):
            try:
                mutant = AssumptionSet.model_validate(put(plain, path, value))
            except ValidationError:
                continue
            if mutant != CENTRAL:
                yield ".".join(path), mutant
                if not isinstance(old, list):
                    break


@cache
def claims() -> Any:
    return read_claims(("shipped", "registries"))


class Plans:
    """Plans sets; evidence is loaded once for each key."""

    def __init__(self) -> None:
        self.evidences: dict[str, Evidence] = {}
        self.planner = Planner(self.evidences)

    def __call__(self, assumptions: AssumptionSet) -> tuple[str, PlannedSet]:
        key = evidence_key(assumptions)
        if key not in self.evidences:
            self.evidences[key] = load_evidence(assumptions, claims())
        return self.planner.plan(SweepSet(0, (), "x", assumptions, {}), key)

    def inputs(self, assumptions: AssumptionSet) -> ModelInputs:
        return model_inputs(self.evidences[evidence_key(assumptions)], assumptions)

    def entries(self, assumptions: AssumptionSet, core: xr.Dataset) -> xr.Dataset:
        evidence = self.evidences[evidence_key(assumptions)]
        return entries_dataset(core, assumptions, evidence).drop_vars(OF_USE)


def structure_but_for_priors(inputs: ModelInputs) -> str:
    return replace(inputs.structure, families=()).identity


def not_known(inputs: ModelInputs) -> dict[str, list[Any]]:
    left = inputs.data.keys() - OF_WEIGHTS - COORDINATES
    return {name: inputs.data[name].tolist() for name in sorted(left)}


@pytest.mark.slow
def test_every_field_sets_apart_or_changes_nothing_or_is_known_to_weights() -> None:
    plans = Plans()
    central, base = plans(CENTRAL)
    inputs = plans.inputs(CENTRAL)
    task = FitTask("x", CENTRAL, base.evidence_key, OPTIONS, 0, {})
    core = synthetic_fit(task, Shared(plans.evidences, {}, 1)).core
    assert core is not None
    entries = plans.entries(CENTRAL, core.isel(draw=slice(5)))
    apart, together, reweighted = set(), set(), set()
    for name, mutant in mutants():
        try:
            group, planned = plans(mutant)
        except EstimatorError:  # no possible choice of claims
            continue
        if group != central:
            apart.add(name)
            continue
        together.add(name)
        changed = plans.inputs(mutant)
        assert structure_but_for_priors(changed) == structure_but_for_priors(inputs), name
        assert not_known(changed) == not_known(inputs), name
        of_mutant = plans.entries(mutant, core.isel(draw=slice(5)))
        xr.testing.assert_identical(of_mutant, entries)
        assert_weights_know(planned, changed, name)
        if (
            planned.hyper.differs(base.hyper).any()
            or planned.hyper.claims_key != base.hyper.claims_key
        ):
            reweighted.add(name)
    assert {"seed", "losses.persistence", "window.end", "derived.front_length_km"} <= apart
    assert {"label", "sampler.draws", "scenario"} <= {n.split(".")[0] for n in together} | together
    assert {f"{key}.high" for key, prior in CENTRAL.priors() if prior.is_range} <= reweighted
    assert {f"{key}.value" for key, prior in CENTRAL.priors() if prior.is_fixed} <= apart
    assert {"hedging.about", "evidence.drop", "reporting.default.recruits.noise"} <= reweighted
    assert len(apart) > 30
    assert len(reweighted) > 60


def assert_weights_know(planned: PlannedSet, inputs: ModelInputs, name: str) -> None:
    """What weights are computed from is what the model takes."""
    hyper, n = planned.hyper, len(ASSUMPTIONS)
    packed = [is_packed(prior) for _, prior in planned.assumptions.priors()]
    for part, known in (("location", hyper.location), ("scale", hyper.scale)):
        np.testing.assert_array_equal(
            known[:n][packed], inputs.data[f"assumption_{part}"][packed], name
        )
        np.testing.assert_array_equal(known[n:], inputs.data[f"reporting_{part}"].ravel(), name)
    for position, family in enumerate(inputs.structure.families):
        prior = hyper.other_families.get(position)
        known_family = None if prior is None else (prior.family, tuple(prior.parameters().items()))
        assert known_family == family, name
    np.testing.assert_array_equal(hyper.figures, inputs.data["claim_figures"], name)
    np.testing.assert_array_equal(hyper.observed, inputs.data["claim_value"], name)


def without(model: Any, exclude: Mapping[str, Any]) -> Any:
    """A copy that raises AttributeError where a field is read that is left out."""
    if isinstance(model, dict):
        return {key: without(value, exclude.get("__all__", {})) for key, value in model.items()}
    if not isinstance(model, BaseModel):
        return model
    fields = {
        name: without(getattr(model, name), exclude.get(name, {}))
        for name in type(model).model_fields
        if exclude.get(name) is not True
    }
    bare = type(model).model_construct(None, **fields)
    for name in type(model).model_fields.keys() - fields.keys():
        bare.__dict__.pop(name, None)  # a default
    return bare


@pytest.mark.parametrize("option", ["none", "registry_delay", "hierarchical"])
def test_claims_are_chosen_without_reading_what_their_key_leaves_out(option: str) -> None:
    assumptions = CENTRAL if option == "none" else assumption_set([f"reporting={option}"])
    bare = without(assumptions, _NOT_IN_CLAIMS)
    with pytest.raises(AttributeError):
        _ = bare.losses
    with pytest.raises(AttributeError):
        _ = bare.reporting.default["losses"].noise
    evidence = load_evidence(bare, claims())
    xr.testing.assert_identical(evidence.dataset, load_evidence(assumptions, claims()).dataset)


def test_what_follows_the_last_colon_of_a_source_is_its_quantity() -> None:
    reporting = CENTRAL.reporting
    wandering = reporting.default["losses"].model_copy(
        update={"wander": Wander(step=0.1, every_months=6)}
    )
    own = reporting.model_copy(update={"origins": {"tv: news": {"losses": wandering}}})
    for source, differs in (("tv: news:losses", True), ("tv: news:killed", False)):
        keys = [sources_key(one, {source: "own"}) for one in (reporting, own)]
        assert (keys[0] != keys[1]) == differs


def test_an_entry_without_delay_is_not_the_default_with_one() -> None:
    delay = "+reporting.default.losses.delay={median_days: 30, spread: 1}"
    bias = "bias: {family: Normal, low: -0.2, high: 0.2}"
    entry = f"+reporting.origins.kluge.losses={{{bias}, noise: 0.1}}"
    sets = [assumption_set([delay]), assumption_set([delay, entry])]
    assert evidence_key(sets[0]) != evidence_key(sets[1])
