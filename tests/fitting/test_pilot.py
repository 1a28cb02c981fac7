from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence import Evidence, load_evidence
from estimator.fitting.compiled import compiled
from estimator.fitting.pilot import Pilot, _moved, transfer
from estimator.fitting.whitening import Whitening
from estimator.model.build import MAPPED, OTHER_ASSUMPTIONS, RATIO_IN_FLOOR
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.model.random_walk import SPARSE_WALKS

quick = settings(max_examples=100, deadline=None)
KEYS = list(ASSUMPTIONS)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence(assumption_set())


@pytest.fixture(scope="module")
def inputs(evidence: Evidence) -> ModelInputs:
    return model_inputs(evidence, assumption_set())


@pytest.fixture(scope="module")
def pilot(inputs: ModelInputs) -> Pilot:
    """A pilot whose data have halved most deviations and moved most centres."""
    size = max(place.stop for place in where(inputs).values())
    rng = np.random.default_rng(0)
    draws = rng.normal(0.3 * rng.standard_normal(size), rng.uniform(0.2, 0.8, size), (400, size))
    return Pilot.of(Whitening.of_draws(draws), inputs)


def where(inputs: ModelInputs) -> dict[str, slice]:
    """Places of the sampler's coordinates; of the walks one by one."""
    places = compiled(inputs.structure, inputs).places
    begin, n_own = places["walk_coordinates"].start, inputs.data["step_maps"].shape[1]
    walks = {
        walk: slice(begin + n * n_own, begin + (n + 1) * n_own)
        for n, walk in enumerate(SPARSE_WALKS)
    }
    return places | walks


def other(evidence: Evidence, *overrides: str) -> ModelInputs:
    return model_inputs(evidence, assumption_set(overrides))


def natural(whitening: Whitening, inputs: ModelInputs) -> dict[str, np.ndarray]:
    """Centres of the scalars in natural values: location + scale * standardised."""
    at, data, center = where(inputs), inputs.data, whitening.center
    maps = [*data["step_maps"], *data["losses_step_map"]]
    standardised = {
        key: steps[0] @ center[at[part]]
        for key, steps, part in zip(MAPPED, maps, (*SPARSE_WALKS, "step_coordinates"), strict=True)
    } | dict(zip(OTHER_ASSUMPTIONS, center[at["assumption_raw"]], strict=True))
    location, scale = data["assumption_location"], data["assumption_scale"]
    values = {key: location[n] + scale[n] * standardised[key] for n, key in enumerate(KEYS)}
    plain = slice(len(inputs.structure.coords["plain_source"]))
    bias = (
        data["reporting_location"][:, plain].ravel()
        + data["reporting_scale"][:, plain].ravel() * center[at["reporting_raw"]]
    )
    return values | {"reporting_raw": bias}


def test_a_pilot_comes_back_from_its_bytes(pilot: Pilot) -> None:
    again = Pilot.from_bytes(pilot.to_bytes())
    for name in ("center", "scale", "block", "factor"):
        found, expected = getattr(again.whitening, name), getattr(pilot.whitening, name)
        assert found.dtype == expected.dtype
        assert expected.size
        np.testing.assert_array_equal(found, expected)
    for found_arrays, arrays in ((again.priors, pilot.priors), (again.maps, pilot.maps)):
        assert found_arrays.keys() == arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(found_arrays[name], array)


# Standardised scalars once their prior has changed


def moved(
    center: float, scale: float, before: tuple[float, float], after: tuple[float, float]
) -> tuple[float, float]:
    numbers = (center, scale, *before, *after)
    mean, sd = _moved(*(np.array([number]) for number in numbers))
    return float(mean[0]), float(sd[0])


locations, scales = st.floats(-5, 5), st.floats(0.1, 5)


@quick
@given(
    before=st.tuples(locations, scales),
    after=st.tuples(locations, scales),
    datum=locations,
    noise=st.floats(0.1, 20),
)
def test_a_moved_scalar_is_the_conjugate_posterior_under_the_new_prior(
    before: tuple[float, float], after: tuple[float, float], datum: float, noise: float
) -> None:
    def standardised(prior: tuple[float, float]) -> tuple[float, float]:
        location, scale = prior
        variance = 1.0 / (scale**-2 + noise**-2)
        mean = variance * (location * scale**-2 + datum * noise**-2)
        return (mean - location) / scale, variance**0.5 / scale

    found = moved(*standardised(before), before, after)
    assert found == pytest.approx(standardised(after), rel=1e-5, abs=1e-5)


@quick
@given(center=locations, scale=st.floats(0.01, 1), prior=st.tuples(locations, scales))
def test_a_scalar_whose_prior_is_the_same_stays(
    center: float, scale: float, prior: tuple[float, float]
) -> None:
    assert moved(center, scale, prior, prior) == pytest.approx((center, scale), abs=1e-6)


@pytest.mark.parametrize(("before", "after"), [((0, 0), (1, 2)), ((0, 1), (1, 0))])
def test_a_scalar_that_is_fixed_in_one_of_the_sets_stays(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    assert moved(0.4, 0.5, before, after) == (0.4, 0.5)


def test_a_scalar_that_the_data_tell_nothing_of_follows_its_prior() -> None:
    for scale in (1.0, 1.2):  # above 1 by Monte-Carlo error
        assert moved(0.0, scale, (1.0, 2.0), (5.0, 0.5)) == pytest.approx((0.0, 1.0))


# From one set to another


def test_a_set_of_the_same_inputs_gets_the_pilot_s_whitening(
    pilot: Pilot, inputs: ModelInputs
) -> None:
    whitening, mapped = transfer(pilot, inputs)
    for name in ("center", "scale", "block", "factor"):
        np.testing.assert_allclose(getattr(whitening, name), getattr(pilot.whitening, name))
    assert mapped.data.keys() == inputs.data.keys()
    for name, array in inputs.data.items():
        np.testing.assert_array_equal(mapped.data[name], array)


def test_the_coordinates_keep_the_pilot_s_meaning(
    pilot: Pilot, inputs: ModelInputs, evidence: Evidence
) -> None:
    wide = other(evidence, "killed_share.level.high=0.7", "losses=wide", "foreign=wide")
    for name in ("step_maps", "losses_map", "losses_step_map", "map_entries"):
        assert not np.allclose(wide.data[name], inputs.data[name]), name
    _, mapped = transfer(pilot, wide)
    for name in ("step_maps", "losses_map", "losses_step_map", "map_entries", "map_runs"):
        np.testing.assert_array_equal(mapped.data[name], inputs.data[name])
    for name in wide.data.keys() - {"step_maps", "losses_map", "losses_step_map", "map_entries"}:
        np.testing.assert_array_equal(mapped.data[name], wide.data[name])
    assert mapped.structure is wide.structure


def known_well(pilot: Pilot, inputs: ModelInputs, *parts: str) -> Pilot:
    """The same pilot, of data that leave hardly any doubt about some parts."""
    scale = pilot.whitening.scale.copy()
    for part in parts:
        scale[where(inputs)[part]] = 1e-3
    return replace(pilot, whitening=replace(pilot.whitening, scale=scale))


@pytest.mark.parametrize(
    ("key", "override", "part"),
    [
        ("killed_share.level", "killed_share.level.high=0.6", "killed_share"),
        ("recruitment.level", "recruitment.level.low=9000", "recruitment"),
        ("foreign.level", "foreign.level.high=2000", "foreign"),
        ("losses.level", "losses.level.high=80000", "assumption_raw"),
        ("losses.step", "losses.step.high=1.0", "step_coordinates"),
        ("unconfirmed.ratio", "unconfirmed.ratio.high=1.5", "assumption_raw"),
        ("force.start", "force.start.low=200000", "assumption_raw"),
    ],
)
def test_a_scalar_that_the_data_tell_stays_where_it_was(
    pilot: Pilot, inputs: ModelInputs, evidence: Evidence, key: str, override: str, part: str
) -> None:
    sure = known_well(pilot, inputs, part)
    shifted = other(evidence, override)
    position = KEYS.index(key)
    before, after = (i.data["assumption_location"][position] for i in (inputs, shifted))
    assert abs(after - before) > 0.1
    whitening, mapped = transfer(sure, shifted)
    was, now = natural(sure.whitening, inputs), natural(whitening, mapped)
    assert now[key] == pytest.approx(was[key], abs=1e-3)
    others = [name for name in KEYS if name != key]
    np.testing.assert_allclose([now[name] for name in others], [was[name] for name in others])


def test_a_bias_that_the_data_tell_stays_where_it_was(
    pilot: Pilot, inputs: ModelInputs, evidence: Evidence
) -> None:
    sure = known_well(pilot, inputs, "reporting_raw")
    start = "reporting.origins.general_staff_ukraine.losses.bias"
    shifted = other(evidence, f"{start}.high=0.6")
    moved_terms = shifted.data["reporting_location"] != inputs.data["reporting_location"]
    assert moved_terms.sum() == 1
    whitening, mapped = transfer(sure, shifted)
    was, now = (
        natural(*pair)["reporting_raw"] for pair in ((sure.whitening, inputs), (whitening, mapped))
    )
    np.testing.assert_allclose(now, was, atol=1e-3)


@pytest.mark.parametrize("override", ["losses.level.high=80000", "unconfirmed.ratio.high=1.5"])
def test_losses_stay_where_they_were_when_their_start_moves(
    pilot: Pilot, inputs: ModelInputs, evidence: Evidence, override: str
) -> None:
    def level(whitening: Whitening, of: ModelInputs) -> np.ndarray:
        """The part of the log losses that is an affine map of the coordinates."""
        location = dict(zip(KEYS, of.data["assumption_location"], strict=True))
        floor = RATIO_IN_FLOOR * of.structure.constants["own_floor"] * location["unconfirmed.ratio"]
        path = of.data["losses_map"] @ whitening.center[where(of)["log_losses"]]
        return np.asarray(location["losses.level"] + path - floor)

    shifted = other(evidence, override)
    whitening, mapped = transfer(pilot, shifted)
    expected = level(pilot.whitening, inputs)
    np.testing.assert_allclose(level(whitening, mapped), expected, atol=1e-9)
    assert not np.allclose(level(pilot.whitening, mapped), expected, atol=0.1)


def test_a_variable_of_its_own_stays_where_the_pilot_had_it(evidence: Evidence) -> None:
    family = ("force.other_exits.family=HalfNormal", "force.other_exits.low=null")
    own = other(evidence, *family)
    size = max(place.stop for place in where(own).values())
    draws = np.random.default_rng(1).normal(0.3, 0.5, (50, size))
    learnt = Pilot.of(Whitening.of_draws(draws), own)
    whitening, _ = transfer(learnt, other(evidence, *family, "force.start.low=200000"))
    moved = ~np.isclose(whitening.center, learnt.whitening.center, atol=1e-9)
    assert moved[where(own)["assumption_raw"]].sum() == 1
    assert not moved[where(own)["force_other_exits"]].any()
