from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from estimator.assumptions.compose import assumption_set
from estimator.evidence import Evidence, load_evidence
from estimator.fitting.inference import infer
from estimator.model.claim_density import log_densities
from estimator.model.figures import FIGURES, LOWER, OPEN_END, UPPER, USED
from estimator.model.figures import NOISE as NOISE_ROW
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.studies.calibrate.breaks import broken_figures, broken_truth, touched
from estimator.studies.calibrate.options import BrokenOptions
from estimator.studies.calibrate.ranked import ranked_names
from estimator.studies.calibrate.simulate import (
    locations_in,
    one_bound_a_source,
    reported,
    simulate,
    totals_of_confirmed,
)
from estimator.studies.calibrate.worlds import believed, beside, doubled

pytestmark = pytest.mark.slow

N = 4000
NOISE, WIDTH = 0.2, 0.3


def figures(lower: float, upper: float, is_point: float, used: float = 1.0) -> np.ndarray:
    """Describe N claims of one kind."""
    return np.tile(np.array([[lower], [upper], [NOISE], [is_point], [used]]), N)


def test_points_have_the_noise_of_the_model() -> None:
    value, _ = reported(np.zeros(N), figures(-1, 1, 1.0), np.full(N, 3.0), np.random.default_rng(1))
    assert stats.kstest((value - 3.0) / NOISE, "norm").pvalue > 0.01


def test_intervals_lie_where_the_models_density_says() -> None:
    rng = np.random.default_rng(2)
    value, found = reported(np.zeros(N), figures(0.0, WIDTH, 0.0), np.full(N, 1.0), rng)
    assert found[1] - found[0] == pytest.approx(np.full(N, WIDTH))
    assert (found[0] <= value).all()
    assert (value <= found[1]).all()
    # The density of the lower end is the model's probability of the interval over its width.
    edges = np.linspace(0.0, 2.0, 41)
    middles = (edges[:-1] + edges[1:]) / 2
    each = np.tile(np.array([[0.0], [0.0], [NOISE], [0.0], [1.0]]), len(middles))
    each[0], each[1] = middles, middles + WIDTH
    density = np.exp(log_densities(middles, each, np.full((1, len(middles)), 1.0))[0]) / WIDTH
    expected = N * density * np.diff(edges)
    counts, _ = np.histogram(found[0], edges)
    enough = expected > 10
    assert expected[enough].sum() > 0.95 * N
    z = (counts - expected)[enough] / np.sqrt(expected[enough])
    assert stats.chi2.sf((z**2).sum(), enough.sum()) > 0.01


@pytest.mark.parametrize(("lower", "upper"), [(1.2, 1e6), (-1e6, 1.2)])
def test_the_side_of_an_open_interval_is_as_probable_as_in_the_model(
    lower: float, upper: float
) -> None:
    given = figures(lower, upper, 0.0)
    _, found = reported(np.full(N, 1.2), given, np.full(N, 1.0), np.random.default_rng(3))
    above = found[1] > OPEN_END
    assert (found[0][above] == 1.2).all()
    assert (found[1][~above] == 1.2).all()
    at_least = figures(1.2, 1e6, 0.0)[:, :1]
    probability = float(np.exp(log_densities(np.array([1.2]), at_least, np.ones((1, 1))))[0, 0])
    error = np.sqrt(probability * (1 - probability) / N)
    assert abs(above.mean() - probability) < 4 * error


def test_claims_that_do_not_count_keep_their_figures() -> None:
    given = figures(0.0, WIDTH, 0.0, used=0.0)
    value, found = reported(np.full(N, 0.1), given, np.zeros(N), np.random.default_rng(4))
    assert (value == 0.1).all()
    assert (found == given).all()


@pytest.fixture(scope="module")
def known() -> tuple[Evidence, ModelInputs, xr.Dataset]:
    assumptions = assumption_set(["sampler.method=prior", "sampler.prior_draws=10"])
    evidence = load_evidence(assumptions)
    inputs = model_inputs(evidence, assumptions)
    prior = infer(inputs, assumptions.sampler, np.random.SeedSequence(5)).prior
    return evidence, inputs, prior.isel(chain=0)


def test_simulated_floors_hold_and_have_the_models_ratio(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, prior = known
    used = inputs.data["confirmed_used"] > 0
    z = []
    for draw in range(prior.sizes["draw"]):
        truth = prior.isel(draw=draw)
        ratio, spread = (
            float(truth["assumption_value"].sel(assumption=f"unconfirmed.{name}"))
            for name in ("ratio", "spread")
        )
        total = totals_of_confirmed(inputs, truth)[used]
        for number in range(20):
            world = simulate(inputs, truth, np.random.default_rng([draw, number]))
            figure = (world.data["confirmed_value"] + truth["rounded_off"].values)[used]
            assert (figure < total).all()
            z += list((np.log(total / figure - 1.0) - np.log(ratio)) / spread)
    assert len(z) >= 400
    assert stats.kstest(z, "norm").pvalue > 0.01


def test_a_simulated_world_is_of_the_same_structure(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, prior = known
    world = simulate(inputs, prior.isel(draw=0), np.random.default_rng(1))
    assert world.structure is inputs.structure
    assert {k: v.shape for k, v in world.data.items()} == {
        k: v.shape for k, v in inputs.data.items()
    }
    again = simulate(inputs, prior.isel(draw=0), np.random.default_rng(1))
    assert all((world.data[name] == again.data[name]).all() for name in world.data)


def test_locations_worked_out_apart_are_those_of_the_model(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, prior = known
    for draw in range(prior.sizes["draw"]):
        truth = prior.isel(draw=draw)
        found = locations_in(inputs, truth)
        for name in ("claim_location", "registry_figure_location"):
            assert found[name] == pytest.approx(truth[name].values, rel=1e-6, abs=1e-9), name


def test_the_dead_lie_above_the_floor_of_names_as_often_as_the_model_says(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, prior = known
    floors = inputs.data["registry_floors"]
    used = floors[USED] > 0
    above, expected, variance = 0, 0.0, 0.0
    for draw in range(prior.sizes["draw"]):
        truth = prior.isel(draw=draw)
        dead = locations_in(inputs, truth)["registry_log_dead"]
        probability = stats.norm.cdf((dead - floors[LOWER]) / floors[NOISE_ROW])[used]
        world = simulate(inputs, truth, np.random.default_rng(draw))
        sides = world.data["registry_floors"]
        is_above = sides[UPPER][used] > OPEN_END
        assert (sides[LOWER][used][is_above] == floors[LOWER][used][is_above]).all()
        assert (sides[UPPER][used][~is_above] == floors[LOWER][used][~is_above]).all()
        above += int(is_above.sum())
        expected += probability.sum()
        variance += (probability * (1.0 - probability)).sum()
    assert used.sum() > 40
    assert 0 < above < prior.sizes["draw"] * used.sum(), "the prior lies on both sides"
    assert abs(above - expected) < 4 * np.sqrt(variance) + 1


def test_of_bounds_that_weigh_as_one_a_world_has_the_heaviest(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, _ = known
    assert (one_bound_a_source(inputs) == inputs.data["claim_figures"]).all(), "shipped: one each"
    figures = inputs.data["claim_figures"].copy()
    first, second = np.flatnonzero(figures[UPPER] >= OPEN_END)[:2]
    figures[USED, [first, second]] = 0.25, 0.75
    shift = inputs.structure.constants["shift"].copy()
    shift[second] = shift[first]
    structure = replace(inputs.structure, constants={**inputs.structure.constants, "shift": shift})
    shared = replace(inputs, structure=structure, data={**inputs.data, "claim_figures": figures})
    assert one_bound_a_source(shared)[USED, [first, second]].tolist() == [0.0, 1.0]


def test_a_set_reads_the_figures_of_another_set_s_world_with_its_own_noise(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    _, inputs, prior = known
    figures = inputs.data["claim_figures"].copy()
    figures[NOISE_ROW] *= 2.0
    other = replace(inputs, data={**inputs.data, "claim_figures": figures})
    world = simulate(other, prior.isel(draw=0), np.random.default_rng(1))
    read = believed(inputs, world)
    assert (read.data["claim_value"] == world.data["claim_value"]).all()
    assert (read.data["registry_value"] == world.data["registry_value"]).all()
    assert (read.figure("noise") == inputs.figure("noise")).all()
    assert (read.figure("lower") == world.figure("lower")).all()


def spec(**changes: object) -> BrokenOptions:
    return BrokenOptions.model_validate({"says": "", "overrides": [], "sims": 1, **changes})


def test_a_world_that_is_not_broken_is_the_simulated_one(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    evidence, inputs, prior = known
    truth = prior.isel(draw=0)
    assert broken_truth(inputs, truth, spec()) is truth
    world = broken_figures(inputs, evidence.dataset, truth, spec(), np.random.default_rng(1))
    plain = simulate(inputs, truth, np.random.default_rng(1))
    assert all((world.data[name] == plain.data[name]).all() for name in plain.data)
    assert not touched(evidence.dataset, spec()).any()


def test_a_jump_of_the_killed_share_moves_the_killed_from_its_month_on(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    evidence, inputs, prior = known
    truth = prior.isel(draw=0)
    jump = spec(killed_share_jump=1.0, jump_from="2024-01-01")
    changed = broken_truth(inputs, truth, jump)
    later = truth["month"].values >= "2024-01"
    before, after = truth["killed_share"].values, changed["killed_share"].values
    assert after[~later] == pytest.approx(before[~later])
    odds = np.log(after / (1 - after)) - np.log(before / (1 - before))
    assert odds[later] == pytest.approx(np.ones(later.sum()))
    moved = ~np.isclose(changed["claim_location"].values, truth["claim_location"].values)
    quantity = evidence.dataset["quantity"].values
    assert moved[quantity == "killed"].any()
    assert not moved[quantity == "losses"].any()


def test_breaks_of_confirmed_figures_raise_them(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    evidence, inputs, prior = known
    truth, used = prior.isel(draw=0), inputs.data["confirmed_used"] > 0
    total = totals_of_confirmed(inputs, truth)[used]
    high = broken_figures(
        inputs, evidence.dataset, truth, spec(confirmed_factor=1.1), np.random.default_rng(1)
    )
    assert high.data["confirmed_value"][used] == pytest.approx(1.1 * total)


def test_copies_of_one_figure_have_its_error(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    evidence, inputs, prior = known
    data, truth = evidence.dataset, prior.isel(draw=0)
    group = "recruits_2025_officials"
    world = broken_figures(inputs, data, truth, spec(copies=group), np.random.default_rng(1))
    plain = locations_in(inputs, truth.assign(reporting=0.0 * truth["reporting"]))["claim_location"]
    error = world.data["claim_value"] - plain
    members = (data["evidence_group"].values == group) & data["used"].values
    assert members.sum() == 3
    assert error[members] == pytest.approx(error[members][0])
    apart = simulate(inputs, truth, np.random.default_rng(1)).data["claim_value"]
    assert (world.data["claim_value"] == apart).sum() == len(apart) - 2
    assert (touched(data, spec(copies=group)) >= members).all()


def test_the_simulated_replicate_stands_beside_the_published_claims(
    known: tuple[Evidence, ModelInputs, xr.Dataset],
) -> None:
    evidence, inputs, prior = known
    assumptions = assumption_set([])
    twice = model_inputs(doubled(evidence), assumptions)
    n_claims = len(inputs.structure.coords["claim"])
    assert len(set(twice.structure.coords["claim"])) == 2 * n_claims
    world = simulate(inputs, prior.isel(draw=0), np.random.default_rng(1))
    both = beside(twice, inputs, world)
    assert (both.data["claim_value"][:n_claims] == inputs.data["claim_value"]).all()
    assert (both.data["claim_value"][n_claims:] == world.data["claim_value"]).all()
    used = both.figure("used")
    assert (used[:n_claims] == used[n_claims:]).all()
    assert (used[:n_claims] == inputs.figure("used")).all(), "a replicate is no repeated count"
    assert (both.figure("noise") == np.tile(inputs.figure("noise"), 2)).all()
    assert used[:n_claims].sum() > 50
    assert len(FIGURES) == both.data["claim_figures"].shape[0]


def test_what_is_fixed_of_a_shared_bias_is_not_ranked() -> None:
    spread = "reporting.hierarchy.third_party.losses.spread"
    fixed = "{family: Fixed, value: 0.2, low: null, high: null}"
    found = {}
    for name, words in (("drawn", []), ("fixed", [f"{spread}={fixed}"])):
        assumptions = assumption_set(["reporting=hierarchical", *[f"+{w}" for w in words]])
        found[name] = ranked_names(
            model_inputs(load_evidence(assumptions), assumptions), assumptions
        )
    assert len(set(found["drawn"])) == len(found["drawn"]), "nothing is ranked twice"
    assert set(found["drawn"]) - set(found["fixed"]) == {"shared_spread[third_party:losses]"}
