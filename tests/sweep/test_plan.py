from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import special

from estimator.assumptions import ASSUMPTIONS
from estimator.evidence import Evidence, load_evidence
from estimator.fitting.reweighting import Mixture, NaturalDraws
from estimator.model.inputs import model_inputs
from estimator.sweep.keys import evidence_key, sources_key
from estimator.sweep.plan import Group, PlannedSet, Planner, groups_of
from estimator.sweep.sets import compose_sets

pytestmark = pytest.mark.slow

KEYS = list(ASSUMPTIONS)
RATIO = KEYS.index("unconfirmed.ratio")

_loaded: dict[str, Evidence] = {}


def groups(*override_lists: Sequence[str]) -> list[Group]:
    """Groups of the sets that these overrides make; evidence is loaded once."""
    keyed = []
    for one in compose_sets(override_lists):
        assert one.assumptions is not None, one.error
        key = evidence_key(one.assumptions)
        if key not in _loaded:
            _loaded[key] = load_evidence(one.assumptions)
        keyed.append((one, key))
    planner = Planner(_loaded)
    return groups_of(planner, [planner.plan(*pair) for pair in keyed])


def group(*override_lists: Sequence[str]) -> Group:
    [found] = groups(*override_lists)
    assert len(found.sets) == len(override_lists)
    return found


def ratios(*highs: float) -> Group:
    return group(*([f"unconfirmed.ratio.high={high}"] for high in highs))


# What is shared


@pytest.mark.parametrize(
    "overrides",
    [
        ["unconfirmed.ratio.high=0.7"],
        ["unconfirmed=wide"],
        ["force.start.low=100000", "losses.step.high=0.4"],
        ["reporting.default.losses.bias.low=-0.5"],
        ["reporting.default.recruits.noise=0.3"],
        ["hedging.about=0.05", "hedging.more_than=0.1"],
        ["evidence.drop=[S11]"],
        ["evidence.groups.january_gap=none"],
        ["evidence.groups.general_staff=all"],
        ["killed_share.origins=[mediazona_meduza_flash,mediazona_meduza,mediazona_bbc_named_list]"],
        ["label=other", "name=elsewhere", "sampler.draws=300", "sampler.min_ess=100"],
        ["killed_share.level={family: Beta, low: 0.15, high: 0.45}"],
        ["unconfirmed.ratio={family: HalfNormal, low: null, high: 0.5}"],
    ],
    ids=lambda overrides: overrides[0],
)
def test_sets_that_differ_in_what_weights_can_change_share_a_group(overrides: list[str]) -> None:
    assert len(groups([], overrides)) == 1


@pytest.mark.parametrize(
    "overrides",
    [
        ["returns.rate=0.0"],
        ["losses=mean_reverting"],
        ["foreign.persistence=0.9"],
        ["definitions=killed"],
        ["confirmed=false_confirmations"],
        ["window.end=2025-12-31"],
        ["window.months_before_window=12"],
        ["seed=3"],
        ["sampler.method=pymc"],
        ["recruitment.mobilisation_end=2022-12-31"],
        ["derived.front_length_km=1000"],
        ["evidence.as_of=2025-12-31"],
        ["evidence.drop=[S03]"],
        ["evidence.groups.video_verified=none"],  # the floors
        ["hedging.nearly=0.1"],  # of a floor
        ["+reporting.default.losses.wander={step: 0.1, every_months: 6}"],
        ["reporting=hierarchical"],
        ["reporting=registry_delay"],
        ["killed_share.origins=[mediazona_meduza]"],  # vintages of other registries do not count
        ["registries.triangles.mediazona_meduza.method=0.1"],
    ],
    ids=lambda overrides: overrides[0],
)
def test_sets_that_differ_in_anything_else_do_not(overrides: list[str]) -> None:
    assert len(groups([], overrides)) == 2


def test_sets_whose_sources_speak_from_other_sides_share_no_hierarchy() -> None:
    plain, shared = (
        compose_sets([words])[0].assumptions for words in ([], ["reporting=hierarchical"])
    )
    assert plain is not None
    assert shared is not None
    own, enemy = {"a:losses": "own"}, {"a:losses": "enemy"}
    assert sources_key(plain.reporting, own) == sources_key(plain.reporting, enemy)
    assert sources_key(shared.reporting, own) != sources_key(shared.reporting, enemy)


def test_fixed_values_are_shared_if_they_are_equal() -> None:
    first, second = ["returns.rate=0.1"], ["returns.rate=0.2"]
    both = [["returns.rate=0.1", "unconfirmed.ratio.high=0.7"], first, second]
    sizes = [len(found.sets) for found in groups(*both)]
    assert sizes == [2, 1]


def test_a_bias_of_another_kind_makes_another_group() -> None:
    start = "reporting.origins.kobak.killed"
    two_sided = [
        f"~{start}.undercount",
        f"+{start}.bias={{family: Normal, low: -0.3, high: 0.3}}",
    ]
    assert len(groups([], [f"{start}.undercount.high=0.6"])) == 1
    assert len(groups([], two_sided)) == 2


def test_groups_and_their_sets_stand_in_the_order_of_the_sweep() -> None:
    found = groups(
        ["seed=2"], ["seed=1"], ["seed=2", "unconfirmed=wide"], ["seed=1", "unconfirmed=wide"]
    )
    assert [[one.set.position for one in each.sets] for each in found] == [[0, 2], [1, 3]]
    assert len({one.set_id for each in found for one in each.sets}) == 4


# What varies in a group


def names(found: Group) -> list[int]:
    return np.flatnonzero(found.varying).tolist()


def test_what_varies_is_what_differs() -> None:
    assert names(ratios(0.5, 0.7)) == [RATIO]
    assert names(group([], ["hedging.about=0.05"])) == []
    level = KEYS.index("killed_share.level")
    assert names(group([], ["killed_share.level={family: Beta, low: 0.15, high: 0.45}"])) == [level]


def test_the_likelihood_of_the_claims_varies_with_noise_hedging_and_use() -> None:
    assert not ratios(0.5, 0.7).claims_vary
    for overrides in (
        ["hedging.about=0.05"],
        ["reporting.default.recruits.noise=0.3"],
        ["evidence.drop=[S11]"],
    ):
        assert group([], overrides).claims_vary, overrides


def test_a_bias_varies_only_if_its_source_has_a_claim_that_counts() -> None:
    start = "reporting.origins.russian_officials.recruits.bias.high"
    found = group([f"{start}=0.4"], [f"{start}=0.6"])
    assert len(names(found)) == 1
    assert names(found)[0] >= len(KEYS)
    unused = "+evidence.origins.recruits=[kluge]"
    assert names(group([f"{start}=0.4", unused], [f"{start}=0.6", unused])) == []


# A covering fit


def test_covering_priors_have_the_moments_of_the_mixture() -> None:
    found = ratios(0.2, 0.5, 0.9, 1.5)
    location = np.array([one.hyper.location[RATIO] for one in found.sets])
    scale = np.array([one.hyper.scale[RATIO] for one in found.sets])
    draws = np.random.default_rng(0).normal(location, scale, (200_000, 4))
    cover = found.covering_data
    assert cover["assumption_location"][RATIO] == pytest.approx(draws.mean(), abs=0.01)
    assert cover["assumption_scale"][RATIO] == pytest.approx(draws.std(), abs=0.01)
    assert cover["assumption_scale"][RATIO] > scale.mean()


def test_what_does_not_vary_keeps_its_prior_in_the_cover() -> None:
    found = ratios(0.5, 0.7)
    cover, hyper = found.covering_data, found.sets[0].hyper
    n_sources = len(found.sets[0].one_sided)
    assert cover["reporting_location"].shape == cover["reporting_scale"].shape == (2, n_sources)
    for part in ("location", "scale"):
        covering = np.concatenate([cover[f"assumption_{part}"], cover[f"reporting_{part}"].ravel()])
        same = ~found.varying
        assert same.sum() == len(covering) - 1
        np.testing.assert_array_equal(covering[same], getattr(hyper, part)[same])


UNIFORM = "returns.rate={family: Uniform, low: 0.05, high: %s}"
RATE = KEYS.index("returns.rate")


def test_a_group_is_covered_if_any_prior_varies() -> None:
    assert ratios(0.5, 0.7).can_be_covered
    assert not group([], ["hedging.about=0.05"]).can_be_covered
    assert not group([UNIFORM % 0.5], [UNIFORM % 0.5, "hedging.about=0.05"]).can_be_covered


def test_a_cover_allows_whatever_any_set_allows() -> None:
    found = group([], *([UNIFORM % upper] for upper in (0.35, 0.65)))
    draws = np.random.default_rng(0).normal(size=(len(found.varying), 100))
    mixture = Mixture(
        [NaturalDraws(draws, np.zeros((100, 0)))], [found.cover], found.varying, claims_vary=False
    )
    assert all(mixture.allows(one.hyper) for one in found.sets)
    rates = [dict(one.assumptions.priors())["returns.rate"] for one in found.sets]
    links = special.logit(
        [[rate.quantile(p) for p in np.arange(0.001, 1.0, 0.002)] for rate in rates]
    )
    assert found.cover.location[RATE] == pytest.approx(links.mean(), abs=0.02)
    assert found.cover.scale[RATE] == pytest.approx(links.std(), rel=0.03)


def test_a_covering_fit_samples_the_families_that_its_priors_are_of() -> None:
    found = group(*([UNIFORM % upper, "unconfirmed.ratio.high=0.7"] for upper in (0.35, 0.4, 0.5)))
    same = "killed_share.level={family: Beta, low: 0.15, high: 0.45}"
    mixed = group(*([UNIFORM % upper, same] for upper in (0.35, 0.4, 0.5)))
    for each, family in ((found, None), (mixed, "Beta")):
        evidence = _loaded[each.sets[0].evidence_key]
        families = model_inputs(evidence, each.covering_assumptions).structure.families
        assert families[RATE] is None
        level = families[KEYS.index("killed_share.level")]
        assert (level and level[0]) == family
        assert each.cover.other_families.keys() == (
            {KEYS.index("killed_share.level")} if family else set()
        )


# Sets far from each other


def test_the_centre_is_the_set_in_the_middle() -> None:
    assert ratios(0.1, 0.5, 2.0, 0.45, 0.6).center in (1, 3, 4)


def test_sets_that_are_picked_are_distinct_and_far_apart() -> None:
    found = ratios(0.10, 0.11, 0.12, 0.5, 0.51, 3.0, 3.1)
    picked = found.spread_out(range(7), [], 3)
    assert len(set(picked)) == 3
    clusters = [{0, 1, 2}, {3, 4}, {5, 6}]
    assert sorted(next(n for n, c in enumerate(clusters) if p in c) for p in picked) == [0, 1, 2]


def test_sets_are_picked_far_from_those_that_are_known() -> None:
    found = ratios(0.10, 0.11, 0.12, 0.5, 0.51, 3.0, 3.1)
    assert found.spread_out([1, 2, 3, 5], [6], 1) == [1]
    assert found.spread_out([4, 5], [0, 6], 1) == [4]


@pytest.mark.parametrize("known", [[], [0]])
def test_no_more_sets_are_picked_than_there_are(known: list[int]) -> None:
    found = ratios(0.1, 0.5, 0.9)
    assert sorted(found.spread_out([1, 2], known, 10)) == [1, 2]
    assert found.spread_out([], known, 10) == []
    assert found.spread_out([1, 2], known, 0) == []


def test_sets_of_other_claims_lie_apart() -> None:
    found = group([], ["unconfirmed.ratio.high=0.31"], ["evidence.drop=[S11]"])
    assert found.spread_out([1, 2], [0], 1) == [2]


def test_sets_of_bounded_priors_lie_where_their_ranges_do() -> None:
    found = group(*([UNIFORM % upper] for upper in (0.30, 0.31, 0.32, 0.9)))
    assert names(found) == [RATE]
    assert found.spread_out([1, 2, 3], [0], 1) == [3]
    assert found.center in (1, 2)


def test_a_prior_written_in_two_ways_does_not_vary() -> None:
    one = "returns.rate={family: Beta, low: 0.1, high: 0.5, source: one}"
    other = "returns.rate={family: Beta, low: 0.1, high: 0.5, mass: 0.9, unit: share}"
    assert names(group([one], [other])) == []


def test_a_small_group_is_one_that_is_fitted_set_by_set() -> None:
    assert [ratios(*highs).is_fitted for highs in ((0.5, 0.6, 0.7), (0.5, 0.6, 0.7, 0.8))] == [
        True,
        False,
    ]


def test_a_set_that_is_not_possible_cannot_be_planned() -> None:
    [one] = compose_sets([["seed=no"]])
    with pytest.raises(ValueError, match="is no possible configuration"):
        Planner({}).plan(one, "any")


def test_what_is_planned_says_what_it_is_of() -> None:
    planned: PlannedSet = ratios(0.5, 0.7).sets[1]
    assert planned.set_id == planned.assumptions.identity(_loaded[planned.evidence_key].data_hash)
    assert planned.assumptions is planned.set.assumptions
    assert planned.hyper.location.shape == (len(KEYS) + 2 * len(planned.one_sided),)
