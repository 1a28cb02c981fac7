from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence import Evidence, load_evidence
from estimator.fitting.pilot import Pilot, _moved, transfer
from estimator.fitting.whitening import Whitening
from estimator.model.build import RATIO_IN_FLOOR
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
    size = where(inputs)["losses"].stop
    rng = np.random.default_rng(0)
    draws = rng.normal(0.3 * rng.standard_normal(size), rng.uniform(0.2, 0.8, size), (400, size))
    return Pilot.of(Whitening.of_draws(draws), inputs)


def where(inputs: ModelInputs) -> dict[str, slice]:
    """Places of the sampler's coordinates: walks, other scalars, biases and drifts, losses."""
    n_walks, n_own, _ = inputs.data["step_maps"].shape
    sizes = {
        **dict.fromkeys(SPARSE_WALKS, n_own),
        "scalars": len(KEYS) - n_walks,
        "reporting": inputs.data["reporting_location"].size,
        "losses": len(inputs.data["losses_map"]),
    }
    ends = np.cumsum(list(sizes.values())).tolist()
    starts = [0, *ends]
    return {name: slice(*ends) for name, *ends in zip(sizes, starts, ends, strict=False)}


def other(evidence: Evidence, *overrides: str) -> ModelInputs:
    return model_inputs(evidence, assumption_set(overrides))


def natural(whitening: Whitening, inputs: ModelInputs) -> dict[str, np.ndarray]:
    """Centres of the scalars in natural values: location + scale * standardised."""
    at, data = where(inputs), inputs.data
    n_walks = len(SPARSE_WALKS)
    levels = [
        data["step_maps"][n, 0] @ whitening.center[at[walk]] for n, walk in enumerate(SPARSE_WALKS)
    ]
    standardised = np.concatenate([levels, whitening.center[at["scalars"]]])
    location, scale = data["assumption_location"], data["assumption_scale"]
    assert len(standardised) == len(location) > n_walks
    values = dict(zip(KEYS, location + scale * standardised, strict=True))
    bias = (
        data["reporting_location"].ravel()
        + data["reporting_scale"].ravel() * (whitening.center[at["reporting"]])
    )
    return values | {"reporting": bias}


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
    wide = other(evidence, "killed_share.level.high=0.7", "losses.level.low=2000", "foreign=wide")
    for name in ("step_maps", "losses_map", "map_entries"):
        assert not np.allclose(wide.data[name], inputs.data[name]), name
    _, mapped = transfer(pilot, wide)
    for name in ("step_maps", "losses_map", "map_entries", "map_runs"):
        np.testing.assert_array_equal(mapped.data[name], inputs.data[name])
    for name in wide.data.keys() - {"step_maps", "losses_map", "map_entries"}:
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
        ("losses.level", "losses.level.high=80000", "scalars"),
        ("unconfirmed.ratio", "unconfirmed.ratio.high=1.5", "scalars"),
        ("force.start", "force.start.low=200000", "scalars"),
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
    sure = known_well(pilot, inputs, "reporting")
    start = "reporting.origins.general_staff_ukraine.losses.bias"
    shifted = other(evidence, f"{start}.high=0.6")
    moved_terms = shifted.data["reporting_location"] != inputs.data["reporting_location"]
    assert moved_terms.sum() == 1
    whitening, mapped = transfer(sure, shifted)
    was, now = (
        natural(*pair)["reporting"] for pair in ((sure.whitening, inputs), (whitening, mapped))
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
        path = of.data["losses_map"] @ whitening.center[where(of)["losses"]]
        return np.asarray(location["losses.level"] + path - floor)

    shifted = other(evidence, override)
    whitening, mapped = transfer(pilot, shifted)
    expected = level(pilot.whitening, inputs)
    np.testing.assert_allclose(level(whitening, mapped), expected, atol=1e-9)
    assert not np.allclose(level(pilot.whitening, mapped), expected, atol=0.1)


def test_a_family_with_a_variable_of_its_own_is_not_guessed(
    pilot: Pilot, evidence: Evidence
) -> None:
    own = other(evidence, "force.other_exits.family=HalfNormal", "force.other_exits.low=null")
    longer = replace(
        pilot,
        whitening=Whitening.of_draws(
            np.random.default_rng(1).standard_normal((50, len(pilot.whitening.center) + 1))
        ),
    )
    whitening, mapped = transfer(longer, own)
    assert whitening is longer.whitening
    np.testing.assert_array_equal(mapped.data["losses_map"], pilot.maps["losses_map"])
