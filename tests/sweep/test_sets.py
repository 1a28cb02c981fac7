from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.assumptions.compose import compose_config, to_plain, typed
from estimator.errors import ConfigError
from estimator.paths import folder_name
from estimator.sweep.sets import SweepSet, compose_sets, varied

pytestmark = pytest.mark.slow

few = settings(max_examples=12, deadline=None)

CHOICES = [
    ["unconfirmed.ratio.high=0.7"],
    ["unconfirmed.ratio.high=1"],
    ["unconfirmed.ratio.low=1e-3", "unconfirmed.ratio.high=1.5E+0"],
    ["reporting.default.losses.bias.low=-0.5"],
    ["reporting.default.losses.bias.low=-5e-1", "reporting.default.losses.bias.high=.4"],
    ["evidence.as_of=2026-01-31"],
    ["evidence.as_of=null"],
    ["evidence.drop=[S01,S02]"],
    ["evidence.drop=['S01', \"S02\"]"],
    ["evidence.drop=[]"],
    ["evidence.sources=[csis,iiss]"],
    ["evidence.sources=all"],
    ["evidence.origins.losses=[csis]"],
    ["evidence.origins={losses: [csis]}"],
    ["unconfirmed.ratio=0.1"],
    ["unconfirmed.ratio={family: LogNormal, low: 0.1, high: 0.2}"],
    ["killed_share.level.source='of my own, a: b'"],
    ["unconfirmed.ratio={low: 0.1, lowr: 0.05}"],
    ["unconfirmed.ratio=[0.1, 0.2]"],
    ["+killed_share.level.high=0.6"],
    ["+killed_share.level={upper: 0.9}"],
    ["+evidence.as_of=2026-01-31"],
    ["+nothing.known=1"],
    ["++killed_share.persistence=0.9", "+seed=3"],
    ["killed_share.persistence=0.9", "killed_share.persistence=0.8"],
    ["+killed_share.level.lower=null"],
    ["~evidence.as_of", "+evidence.as_of=2026-01-31"],
    ["killed_share=article", "killed_share.level.high=0.5"],
    ["assumptions=sceptical", "unconfirmed=small", "seed=3"],
    ["unconfirmed.ratio.high=0.5", "unconfirmed=small"],
    ["recruitment.mobilisation_start=null", "recruitment.mobilisation_end=null"],
    ["label=mine", "hedging.about=0.03"],
    ["label=3.0"],
    ["name=elsewhere", "plots=false", "sampler.draws=300"],
    ["scenario=[plan_100]"],
    ["derived.front_length_km=1_200"],
    ["window.end=2025-12-31"],
    ["sampler.max_rhat=1.02", "sampler.method=pymc"],
    ["force.start.low=${unconfirmed.ratio.mass}"],
    ["unconfirmed.ratio.high=01.5"],
    ["unconfirmed.ratio.high=--1.5"],
    [
        "reporting.origins.kobak.killed.undercount=null",
        "+reporting.origins.kobak.killed.bias={family: Normal, low: -0.3, high: 0.3}",
    ],
    [],
]


def one(*overrides: str) -> SweepSet:
    [found] = compose_sets([overrides])
    return found


def assert_as_by_hydra(found: SweepSet) -> None:
    """Assumptions and configuration are those that Hydra composes, or so is the error."""
    try:
        config = to_plain(compose_config(found.overrides))
        expected = typed(config, found.overrides)
    except ConfigError as error:
        assert found.assumptions is None
        assert found.error == str(error)
        return
    assert found.assumptions is not None, found.error
    assert found.assumptions == expected.model_copy(update={"label": found.label})
    assert found.assumptions.identity("data") == expected.identity("data")
    assert found.config == config


def test_sets_are_what_hydra_composes_for_each() -> None:
    sets = compose_sets(CHOICES)
    assert [list(found.overrides) for found in sets] == CHOICES
    for found in sets:
        assert_as_by_hydra(found)


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
SCALARS = [
    "unconfirmed.ratio.high",
    "reporting.default.losses.bias.low",
    "killed_share.persistence",
    "killed_share.level.mass",
    "hedging.about",
    "force.start",
    "seed",
    "sampler.draws",
]


@few
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(SCALARS),
            st.one_of(
                numbers.map(repr),
                numbers.map(lambda number: f"{number:.3f}"),
                st.floats(0.01, 0.99).map(lambda number: f"{number:.2f}"),
                st.integers(-(10**6), 10**6).map(str),
                st.sampled_from(["null", "true", "inf", "-nan", "1.", "1_0.5", "+2.5", "a b"]),
            ),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_number_is_read_as_hydra_reads_it(pairs: list[tuple[str, str]]) -> None:
    assert_as_by_hydra(one(*(f"{key}={text}" for key, text in pairs)))


def test_sets_do_not_change_each_other() -> None:
    sets = compose_sets(
        [["unconfirmed.ratio.high=0.7"], ["unconfirmed.ratio.low=0.1"], ["seed=3"], []]
    )
    ratios = [found.assumptions.unconfirmed.ratio for found in sets if found.assumptions]
    assert [(ratio.low, ratio.high) for ratio in ratios] == [
        (0.03, 0.7),
        (0.1, 0.3),
        (0.03, 0.3),
        (0.03, 0.3),
    ]


def test_a_user_s_folder_has_options_and_groups_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "unconfirmed"
    folder.mkdir()
    (folder / "mine.yaml").write_text("defaults: [central]\nratio: {high: 0.9}\n", "utf-8")
    [found] = compose_sets([["unconfirmed=mine", "unconfirmed.ratio.low=0.2"]], str(tmp_path))
    assert found.assumptions is not None
    ratio = found.assumptions.unconfirmed.ratio
    assert (ratio.low, ratio.high) == (0.2, 0.9)


# Sets that are not possible


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("unconfirmed.ratio.hgh=2", "did you mean 'unconfirmed.ratio.high'?"),
        ("unconfirmd.ratio.high=2.5", "did you mean 'unconfirmed.ratio.high'?"),
        ("unconfirmed=centrl", "did you mean 'central'?"),
        ("unconfirmed.ratio.high=0.001", "low must be below high"),
        ("killed_share.persistence=1.5", "killed_share.persistence: "),
        ("seed=some", "seed: "),
        ("evidence.drop=[S01", "evidence.drop"),
        ("unconfirmed.ratio=", "unconfirmed.ratio"),
        ("seed=1,2", "seed=1,2"),
        ("losses.level.value=???", "losses.level.value"),
    ],
)
def test_a_set_that_is_not_possible_says_why_and_the_others_are_made(
    override: str, expected: str
) -> None:
    first, wrong, last = compose_sets([["seed=1"], [override], ["seed=2"]])
    assert wrong.assumptions is None
    assert expected in wrong.error
    assert wrong.config == {}
    for seed, found in ((1, first), (2, last)):
        assert found.error == ""
        assert found.assumptions is not None
        assert found.assumptions.seed == seed


# Names


def test_an_override_list_that_stands_twice_is_one_set() -> None:
    sets = compose_sets([["seed=1"], ["seed=2"], ["seed=1"], [], []])
    assert [list(found.overrides) for found in sets] == [["seed=1"], ["seed=2"], []]
    assert [found.position for found in sets] == [0, 1, 2]


LONG = "x" * 100


@pytest.mark.parametrize(
    "override_lists",
    [
        [["label=a", "seed=1"], ["label=a", "seed=2"], ["label=a", "seed=3"]],
        [[f"killed_share.level.source={LONG}", f"seed={n}"] for n in range(3)],
        [["seed=1"], ["+seed=1"], ["seed=no"]],
    ],
    ids=["of its own", "too long", "in all"],
)
def test_labels_tell_all_sets_apart(override_lists: Sequence[Sequence[str]]) -> None:
    sets = compose_sets(override_lists)
    assert len({found.label for found in sets}) == len(sets) == 3
    for found in sets:
        assert len(found.label) <= 80
        assert found.assumptions is None or found.assumptions.label == found.label


def test_sets_of_one_label_are_told_apart_by_what_differs() -> None:
    sets = compose_sets([["label=a", "seed=1"], ["label=a", "seed=2"], ["label=b", "seed=3"]])
    assert [found.label for found in sets] == ["a,seed=1", "a,seed=2", "b"]


def test_labels_that_would_name_one_folder_are_told_apart() -> None:
    sets = compose_sets([["label=a:b"], ["label=a;b", "seed=2"]])
    assert len({folder_name(found.label) for found in sets}) == 2


def test_what_is_not_assumed_makes_no_other_set_of_one_name() -> None:
    sets = compose_sets([["name=a"], ["name=b"], [], ["label=mine", "name=a"]])
    assert [found.label for found in sets] == ["central", "mine"]


def test_a_set_is_named_as_a_single_run_would_name_it() -> None:
    assert one("assumptions=registry", "seed=3").label == "registry,seed=3"
    assert one("label=mine", "seed=3").label == "mine"


# What varies


def columns(*override_lists: Sequence[str]) -> dict[str, list[object]]:
    return varied(compose_sets(override_lists))


def test_each_key_that_differs_is_a_column_with_every_set_s_value() -> None:
    assert columns(
        ["unconfirmed.ratio.high=0.7"],
        ["killed_share.persistence=0.9", "seed=3"],
        ["unconfirmed.ratio.high=0.5", "seed=3"],
    ) == {
        "unconfirmed.ratio.high": [0.7, 0.3, 0.5],
        "killed_share.persistence": [1.0, 0.9, 1.0],
        "seed": [20260215, 3, 3],
    }


def test_an_option_of_a_group_is_a_column_of_names() -> None:
    assert columns(["killed_share=article"], ["killed_share=wide"], []) == {
        "killed_share": ["article", "wide", "(default)"]
    }


def test_what_is_equal_in_all_sets_and_what_is_not_assumed_is_no_column() -> None:
    assert columns(
        ["seed=3", "name=a", "hedging.about=0.03"], ["seed=4", "hedging.about=0.03"]
    ) == {"seed": [3, 4]}


def test_an_option_that_changes_a_key_shows_in_the_key_s_column() -> None:
    found = columns(["unconfirmed=small"], ["unconfirmed.ratio.high=0.2"])
    assert found["unconfirmed.ratio.high"] == [0.12, 0.2]
    assert found["unconfirmed"] == ["small", "(default)"]


def test_a_set_that_is_not_possible_shows_what_it_names() -> None:
    assert columns(["seed=some"], ["seed=3"]) == {"seed": ["some", 3]}


def test_sets_share_the_groups_that_they_do_not_change() -> None:
    first, second = compose_sets([["returns.rate.low=0.11"], ["returns.rate.low=0.12"]])
    assert first.assumptions is not None
    assert second.assumptions is not None
    assert first.assumptions.reporting is second.assumptions.reporting
    assert (first.assumptions.returns.rate.low, second.assumptions.returns.rate.low) == (0.11, 0.12)
