from __future__ import annotations

import math
from collections import Counter
from typing import Any, get_args

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import special

from estimator.assumptions.compose import assumption_set, label_of, plain_config
from estimator.assumptions.priors import LINKS, Family, Prior
from estimator.errors import ConfigError
from estimator.paths import conf_dir
from estimator.sweep.design import SETS_MAXIMUM, design_overrides
from estimator.sweep.options import Design, SweepOptions

pytestmark = pytest.mark.slow

PRESETS = {
    "tornado": 53,
    "options": 1152,
    "grid": 125,
    "latin_hypercube": 1000,
    "sobol": 256,
    "saltelli": 512,
    "disputes": 13,
    "groups": 17,
}
COMBINED = ("product", "latin_hypercube", "sobol", "saltelli")
quick = settings(max_examples=40, deadline=None)

PLAIN: dict[str, Any] = {
    "name": "mine",
    "sweep": {"check": 0},
    "seed": 7,
    "evidence": {"as_of": None, "sources": "all", "origins": {}},
    "unconfirmed": {
        "ratio": {"family": "LogNormal", "low": 0.03, "high": 0.3, "mass": 0.9},
        "spread": {"family": "Gamma", "low": 0.2, "high": 0.9, "mass": 0.9},
    },
    "killed_share": {
        "level": {"family": "LogitNormal", "low": 0.15, "high": 0.45, "mass": 0.9},
        "persistence": 1.0,
    },
    "recruitment": {
        "level": {"family": "LogNormal", "mu": 9.0, "sigma": 0.5},
        "step": {"family": "Fixed", "value": 0.1},
    },
    "returns": {"rate": 0.5},
    "plots": True,
}


def expand(
    method: str, vary: dict[str, dict[str, Any]], plain: dict[str, Any] = PLAIN, **more: Any
) -> list[list[str]]:
    design = Design.model_validate({"method": method, "vary": vary, **more})
    return design_overrides(design, plain)


def failure(method: str, vary: dict[str, dict[str, Any]], **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        expand(method, vary, **more)
    return str(caught.value)


def read(override: str) -> tuple[str, Any]:
    parsed = OverridesParser.create().parse_override(override)
    assert not parsed.is_sweep_override()
    return parsed.key_or_group, parsed.value()


def column(sets: list[list[str]], key: str) -> np.ndarray:
    """Values of a number; Hydra's parser is too slow for hundreds of sets."""
    pairs = [dict(override.split("=") for override in overrides) for overrides in sets]
    return np.array([float(values[key]) for values in pairs])


def preset(name: str, *overrides: str) -> tuple[Design, dict[str, Any]]:
    plain = plain_config([f"experiment={name}", *overrides])
    design = SweepOptions.from_config(plain["sweep"]).design
    assert design is not None
    return design, plain


# The kinds of axis


def test_an_axis_of_a_group_chooses_its_options() -> None:
    sets = expand("product", {"killed_share": {"values": ["article", "wide"]}})
    assert sets == [["killed_share=article"], ["killed_share=wide"]]


def test_bundles_are_a_group_though_the_configuration_has_no_such_key() -> None:
    sets = expand("product", {"assumptions": {"values": ["article"]}})
    assert sets == [["assumptions=article"]]


def test_an_axis_of_a_key_sets_its_value() -> None:
    sets = expand(
        "product", {"seed": {"values": [1, 2]}, "killed_share.persistence": {"values": [0.9]}}
    )
    assert sets == [
        ["seed=1", "killed_share.persistence=0.9"],
        ["seed=2", "killed_share.persistence=0.9"],
    ]


def test_text_reaches_hydra_as_it_is_so_that_it_may_be_a_list_a_date_or_null() -> None:
    sets = expand("product", {"evidence.sources": {"values": ["all", "[csis,iiss]"]}})
    assert [read(overrides[0])[1] for overrides in sets] == ["all", ["csis", "iiss"]]
    sets = expand("product", {"evidence.as_of": {"values": ["null", "2026-01-31"]}})
    assert [read(overrides[0])[1] for overrides in sets] == [None, "2026-01-31"]


def test_values_of_a_prior_hold_it_fixed() -> None:
    sets = expand("product", {"unconfirmed.ratio": {"values": [0.1, 0.2]}})
    assert sets == [["unconfirmed.ratio=0.1"], ["unconfirmed.ratio=0.2"]]


def test_a_truth_value_is_written_as_hydra_reads_it() -> None:
    sets = expand("product", {"evidence.as_of": {"values": [True, False]}})
    assert [read(overrides[0])[1] for overrides in sets] == [True, False]


def test_a_range_is_taken_in_equal_steps_with_both_ends() -> None:
    sets = expand("product", {"unconfirmed.ratio.high": {"low": 0.2, "high": 0.6, "points": 5}})
    assert column(sets, "unconfirmed.ratio.high").tolist() == [0.2, 0.3, 0.4, 0.5, 0.6]


def test_a_range_on_a_log_scale_is_taken_in_equal_ratios() -> None:
    axis = {"low": 0.01, "high": 100, "log": True, "points": 5}
    sets = expand("product", {"unconfirmed.ratio.high": axis})
    assert column(sets, "unconfirmed.ratio.high").tolist() == [0.01, 0.1, 1, 10, 100]


def test_a_shift_by_zero_is_the_range_as_it_is() -> None:
    sets = expand("product", {"killed_share.level": {"shift": [-1, 1], "points": 3}})
    assert sets[1] == ["killed_share.level.low=0.15", "killed_share.level.high=0.45"]


@st.composite
def ranges(draw: st.DrawFn) -> Prior:
    family = draw(st.sampled_from(sorted(LINKS)))
    centre, width = draw(st.floats(-2, 2)), draw(st.floats(0.1, 2))
    back = {"identity": float, "exp": math.exp, "sigmoid": special.expit}[LINKS[family]]
    ends = {"low": float(back(centre - width)), "high": float(back(centre + width))}
    return Prior(family=family, **ends, mass=draw(st.floats(0.5, 0.99)))


@quick
@given(prior=ranges(), shift=st.floats(-2, 1))
def test_a_shift_moves_location_by_so_many_scales_and_keeps_the_scale(
    prior: Prior, shift: float
) -> None:
    plain = {"unconfirmed": {"ratio": prior.model_dump(exclude_none=True)}}
    location, scale = prior.location_scale()
    axis = {"shift": [shift, shift + 1], "points": 2}
    sets = expand("product", {"unconfirmed.ratio": axis}, plain)
    for by, overrides in zip((shift, shift + 1), sets, strict=True):
        ends = {key.rpartition(".")[2]: value for key, value in map(read, overrides)}
        moved = Prior.model_validate(plain["unconfirmed"]["ratio"] | ends)
        assert moved.location_scale() == pytest.approx((location + by * scale, scale), abs=1e-4)


def test_every_family_with_a_link_can_be_shifted() -> None:
    assert set(LINKS) <= set(get_args(Family))
    for family in LINKS:
        prior = {"family": family, "low": 0.2, "high": 0.6}
        sets = expand(
            "product",
            {"unconfirmed.ratio": {"shift": [-1, 1]}},
            {"unconfirmed": {"ratio": prior}},
        )
        assert len(sets) == 3


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_hydra_reads_every_number_back_as_a_float_of_ten_digits(number: float) -> None:
    [[override]] = expand("product", {"killed_share.persistence": {"values": [number]}})
    _, value = read(override)
    assert type(value) is float
    assert value == float(f"{number:.9e}") or value == pytest.approx(number, rel=1e-9)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1e-7, "0.0000001"), (1e9, "1000000000.0"), (0.1 + 0.2, "0.3"), (2.0, "2.0"), (3, "3")],
)
def test_a_number_is_written_in_plain_decimals(number: float, expected: str) -> None:
    assert expand("product", {"seed": {"values": [number]}}) == [[f"seed={expected}"]]


# The methods


sizes = st.lists(st.integers(2, 4), min_size=1, max_size=4)
KEYS = ("seed", "unconfirmed.ratio.low", "unconfirmed.ratio.high", "killed_share.persistence")


@quick
@given(sizes=sizes, of_values=st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_product_has_as_many_sets_as_its_axes_multiply_to(
    sizes: list[int], of_values: list[bool]
) -> None:
    vary: dict[str, dict[str, Any]] = {
        key: {"values": list(range(size))} if values else {"low": 0, "high": 1, "points": size}
        for key, size, values in zip(KEYS, sizes, of_values, strict=False)
    }
    sets = expand("product", vary)
    assert len(sets) == math.prod(sizes)
    assert len(set(map(tuple, sets))) == len(sets)
    for key, size in zip(KEYS, sizes, strict=False):
        assert set(Counter(column(sets, key).tolist()).values()) == {len(sets) // size}


def test_one_at_a_time_begins_with_the_configuration_and_changes_one_axis_in_each_set() -> None:
    sets = expand(
        "one_at_a_time",
        {
            "killed_share": {"values": ["article", "wide"]},
            "unconfirmed.ratio.high": {"low": 0.2, "high": 0.6, "points": 9},
            "unconfirmed.ratio": {"shift": [-1, 1]},
        },
    )
    assert sets[:5] == [
        [],
        ["killed_share=article"],
        ["killed_share=wide"],
        ["unconfirmed.ratio.high=0.2"],
        ["unconfirmed.ratio.high=0.6"],
    ]
    assert [[read(override)[0] for override in overrides] for overrides in sets[5:]] == [
        ["unconfirmed.ratio.low", "unconfirmed.ratio.high"]
    ] * 2


@pytest.mark.parametrize(
    ("key", "axis", "left"),
    [
        ("seed", {"values": [7, 8]}, ["seed=8"]),
        ("seed", {"values": [7.0, 8]}, ["seed=8"]),
        ("seed", {"values": ["null"]}, ["seed=null"]),
        ("evidence.as_of", {"values": ["null", "2026-01-31"]}, ["evidence.as_of=2026-01-31"]),
        ("evidence.sources", {"values": ["all", "[csis]"]}, ["evidence.sources=[csis]"]),
        ("unconfirmed.ratio.high", {"low": 0.1, "high": 0.3}, ["unconfirmed.ratio.high=0.1"]),
        ("unconfirmed.ratio", {"values": [0.1]}, ["unconfirmed.ratio=0.1"]),
        ("returns.rate", {"values": [0.5, 0.6]}, ["returns.rate=0.6"]),
    ],
)
def test_one_at_a_time_leaves_out_what_the_configuration_has_already(
    key: str, axis: dict[str, Any], left: list[str]
) -> None:
    assert expand("one_at_a_time", {key: axis}) == [[], left]


def test_one_at_a_time_leaves_out_a_shift_by_zero() -> None:
    assert len(expand("one_at_a_time", {"unconfirmed.ratio": {"shift": [0, 1]}})) == 2


@quick
@given(sets=st.integers(2, 60), seed=st.integers(0, 2**32), axes=st.integers(1, 3))
def test_a_latin_hypercube_has_one_point_in_each_stratum_of_each_axis(
    sets: int, seed: int, axes: int
) -> None:
    keys = KEYS[1 : 1 + axes]
    vary = {key: {"low": 0.0, "high": sets} for key in keys}
    points = expand("latin_hypercube", vary, sets=sets, seed=seed)
    for key in keys:
        above_its_edge = np.sort(column(points, key)) - np.arange(sets)
        assert ((above_its_edge > -1e-7) & (above_its_edge < 1 + 1e-7)).all()  # written rounded


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_a_design_that_fills_the_space_uses_each_option_about_equally(method: str) -> None:
    vary = {
        "killed_share": {"values": ["all", "article", "registry", "western"]},
        "unconfirmed.ratio.high": {"low": 0.2, "high": 0.6},
    }
    sets = expand(method, vary, sets=64)
    assert set(Counter(overrides[0] for overrides in sets).values()) == {16}


@quick
@given(sets=st.integers(2, 70), seed=st.integers(0, 2**32))
def test_a_sobol_design_has_exactly_as_many_sets_as_asked_for(sets: int, seed: int) -> None:
    vary = {
        "unconfirmed.ratio.high": {"low": 0, "high": 1},
        "unconfirmed.ratio.low": {"low": 0, "high": 1},
    }
    points = expand("sobol", vary, sets=sets, seed=seed)
    assert len(points) == sets
    more = expand("sobol", vary, sets=128, seed=seed)
    assert points == more[:sets]


def test_a_power_of_two_of_sobol_points_has_one_in_each_stratum() -> None:
    points = expand("sobol", {"unconfirmed.ratio.high": {"low": 0, "high": 32}}, sets=32)
    strata = np.floor(np.sort(column(points, "unconfirmed.ratio.high")))
    assert strata.tolist() == list(range(32))


@quick
@given(power=st.integers(1, 4), seed=st.integers(0, 2**32), axes=st.integers(2, 4))
def test_a_saltelli_block_is_two_points_and_the_first_crossed_with_the_second_axis_by_axis(
    power: int, seed: int, axes: int
) -> None:
    keys = KEYS[:axes]
    vary = {key: {"low": 0.0, "high": 1.0} for key in keys}
    points = expand("saltelli", vary, blocks=2**power, seed=seed)
    assert len(points) == 2**power * (axes + 2)
    values = np.column_stack([column(points, key) for key in keys])
    for first, *crossed, second in values.reshape(-1, axes + 2, axes):
        assert (first != second).all()
        for axis, point in enumerate(crossed):
            assert point.tolist() == np.where(np.arange(axes) == axis, second, first).tolist()
    ends = values.reshape(-1, axes + 2, axes)[:, [0, -1]]
    strata = np.sort(np.floor(ends * 2**power), axis=0)
    assert (strata == np.arange(2**power)[:, None, None]).all()


def test_a_saltelli_block_in_which_both_points_have_an_option_has_one_set_less() -> None:
    vary = {
        "killed_share": {"values": ["article", "wide"]},
        "unconfirmed.ratio.high": {"low": 0.2, "high": 0.6},
        "unconfirmed.ratio.low": {"low": 0.01, "high": 0.1},
    }
    sets = expand("saltelli", vary, blocks=32)
    missing = 32 * 5 - len(sets)
    assert 8 <= missing <= 24
    assert len(set(map(tuple, sets))) == len(sets)


@pytest.mark.parametrize(
    ("vary", "expected"),
    [
        ({"seed": {"low": 0, "high": 1}}, "a saltelli design needs two axes or more. Got one"),
        (
            {"killed_share": {"values": ["all", "wide"]}, "seed": {"values": [1, 2]}},
            "needs an axis that is a range or a shift. Got values alone. Allowed: method: product",
        ),
    ],
    ids=["one axis", "options alone"],
)
def test_a_saltelli_design_that_cannot_be_made_is_refused(
    vary: dict[str, Any], expected: str
) -> None:
    assert expected in failure("saltelli", vary)


def test_a_saltelli_design_that_would_fill_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("estimator.sweep.design.SETS_MAXIMUM", 100)
    vary = {key: {"low": 0, "high": 1} for key in KEYS}
    assert "32 blocks of 6 make 192 sets. Allowed: at most 100" in failure(
        "saltelli", vary, blocks=32
    )


@pytest.mark.parametrize("blocks", [3, 6, 100])
def test_the_number_of_blocks_is_a_power_of_two(blocks: int) -> None:
    with pytest.raises(ValidationError, match=f"must be a power of 2, e.g. .* Got {blocks}"):
        Design.model_validate({"method": "saltelli", "vary": {"seed": SHIFT}, "blocks": blocks})


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "saltelli"])
def test_the_seed_decides_the_points(method: str) -> None:
    vary = {
        "unconfirmed.ratio.high": {"low": 0.2, "high": 0.6, "log": True},
        "unconfirmed.ratio.low": {"low": 0.01, "high": 0.1},
    }
    first, again, other = (expand(method, vary, sets=8, blocks=8, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_no_set_comes_twice() -> None:
    vary = {"killed_share": {"values": ["all", "article", "all"]}}
    assert expand("product", vary) == [["killed_share=all"], ["killed_share=article"]]
    assert len(expand("sobol", vary, sets=32)) == 2


# Problems


def test_all_problems_of_a_design_are_listed_at_once() -> None:
    text = failure(
        "product",
        {
            "unconfirmd.ratio": {"shift": [-1, 1]},
            "unconfirmed.spread": {"shift": [-1, 1]},
            "unconfirmed.ratio": {"low": 0.1, "high": 0.5},
            "evidence.origins": {"values": ["all"]},
        },
    )
    assert text.splitlines()[0] == "The design has problems:"
    keys = [line.split(":")[0] for line in text.splitlines()[1:]]
    assert keys == [
        f"  - sweep.design.vary.{key}"
        for key in (
            "unconfirmd.ratio",
            "unconfirmed.spread",
            "unconfirmed.ratio",
            "evidence.origins",
        )
    ]


SHIFT = {"shift": [-1, 1]}
NEEDS = "a shift needs a prior given as a range low..high of Normal, LogNormal, LogitNormal. "


@pytest.mark.parametrize(
    ("key", "axis", "expected"),
    [
        ("unconfirmd", {"values": ["wide"]}, "unknown key; did you mean 'unconfirmed'?"),
        ("unconfirmed.ratio.hgh", SHIFT, "unknown key; did you mean 'unconfirmed.ratio.high'?"),
        ("sweep.check", {"values": [1]}, "unknown key; "),
        ("name", {"values": ["a", "b"]}, "unknown key; "),
        ("xyzzy", {"values": [1]}, "unknown key; allowed: assumptions, confirmed, definitions, "),
        ("unconfirmed", SHIFT, NEEDS + "Got a group; did you mean 'unconfirmed.ratio'?"),
        ("unconfirmed.ratio.high", SHIFT, NEEDS + "Got 0.3; did you mean 'unconfirmed.ratio'?"),
        ("evidence.as_of", SHIFT, NEEDS + "Got null; "),
        ("evidence.origins", SHIFT, NEEDS + "Got a section; "),
        ("returns.rate", SHIFT, NEEDS + "Got 0.5; "),
        ("recruitment.step", SHIFT, NEEDS + "Got the prior Fixed(value=0.1); allowed: unc"),
        ("unconfirmed.spread", SHIFT, NEEDS + "Got the prior Gamma(low=0.2, high=0.9); did you"),
        ("recruitment.level", SHIFT, NEEDS + "Got the prior LogNormal(mu=9.0, sigma=0.5); "),
        (
            "killed_share.level",
            {"shift": [-1, 90]},
            "a shift by 90 makes the LogitNormal 0.15..0.45 1.0..1.0, which it cannot be",
        ),
        ("unconfirmed.ratio", {"shift": [0, 1e4]}, "0.03..0.3 inf..inf, which it cannot be"),
        ("unconfirmed.ratio", {"shift": [0, math.inf]}, "a shift by inf makes"),
        (
            "unconfirmed.ratio",
            {"low": 0.1, "high": 0.5},
            "low and high need a number. Got the prior LogNormal(low=0.03, high=0.3); did you mean "
            "'unconfirmed.ratio.low'?",
        ),
        ("killed_share", {"low": 0, "high": 1}, "low and high need a number. Got a group; "),
        ("evidence.sources", {"low": 0, "high": 1}, "low and high need a number. Got 'all'; "),
        ("seed", {"low": 0, "high": math.inf}, "must be finite. Got low=0.0, high=inf"),
        ("evidence.origins", {"values": ["a"]}, "values need a group or a key with one value. Got"),
        ("unconfirmed.ratio", {"values": [0.1, "wide"]}, "must be numbers. Got ['wide']"),
        ("evidence.sources", {"values": ["all", "a,b"]}, "must be one value in Hydra's grammar."),
        ("evidence.sources", {"values": ["[a"]}, "one value in Hydra's grammar. Got ['[a']"),
    ],
    ids=lambda part: str(part)[:50],
)
def test_an_axis_that_cannot_be_varied_is_refused_with_what_was_found_and_what_is_allowed(
    key: str, axis: dict[str, Any], expected: str
) -> None:
    text = failure("one_at_a_time", {key: axis})
    assert f"  - sweep.design.vary.{key}: " in text
    assert expected in text


def test_a_shift_of_a_prior_that_is_malformed_is_refused() -> None:
    plain = {"unconfirmed": {"ratio": {"family": "LogNormal", "low": 2.0, "high": 1.0}}}
    assert NEEDS in failure("product", {"unconfirmed.ratio": SHIFT}, plain=plain)


def test_a_hint_names_few_of_hundreds_of_keys() -> None:
    text = failure("product", {"xyzzy": {"values": [1]}}, plain=plain_config())
    assert len(text) < 300
    assert text.endswith(", …")


@pytest.mark.parametrize("method", COMBINED)
@pytest.mark.parametrize(
    ("other", "axis"),
    [
        ("unconfirmed", {"values": ["central", "wide"]}),
        ("assumptions", {"values": ["central", "open"]}),
        ("unconfirmed.ratio.high", {"low": 0.2, "high": 0.6}),
    ],
)
def test_a_shift_and_what_changes_its_prior_go_together_only_one_at_a_time(
    method: str, other: str, axis: dict[str, Any]
) -> None:
    vary = {"unconfirmed.ratio": SHIFT, other: axis}
    assert (
        f"sweep.design.vary.unconfirmed.ratio: the shift is that of one prior, which {other}"
        in (failure(method, vary))
    )
    assert len(expand("one_at_a_time", vary)) == 5


def test_a_product_that_would_fill_the_memory_is_refused() -> None:
    vary = {key: {"low": 0, "high": 1, "points": 1000} for key in KEYS}
    text = failure("product", vary)
    assert (
        f"sweep.design: the product has 1,000,000,000,000 sets. Allowed: at most {SETS_MAXIMUM:,}"
        in text
    )


# The shipped designs


def test_every_shipped_preset_is_tested() -> None:
    no_design = {"other_war"}
    presets = {path.stem for path in (conf_dir() / "experiment").glob("*.yaml")}
    assert presets - no_design == set(PRESETS)


def test_the_preset_for_other_wars_names_no_figure_of_this_one() -> None:
    plain, other = assumption_set(), assumption_set(["experiment=other_war"])
    assert other.evidence.populations == "all"
    assert other.reporting.hierarchy
    for walk in ("losses", "recruitment", "foreign"):
        wide, own = getattr(other, walk).level, getattr(plain, walk).level
        assert wide.quantile(0.95) / wide.quantile(0.05) > 10 * own.quantile(0.95) / own.quantile(
            0.05
        )
    assert other.recruitment.mobilisation_start is None


@pytest.mark.parametrize("name", PRESETS)
def test_a_shipped_preset_has_the_number_of_sets_that_its_comment_says(name: str) -> None:
    sets = design_overrides(*preset(name))
    assert len(sets) == PRESETS[name]
    comment = (conf_dir() / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    assert f"# {PRESETS[name]:,} sets" in comment


@pytest.mark.parametrize("name", PRESETS)
def test_sets_of_a_shipped_preset_compose_to_valid_sets_that_differ(name: str) -> None:
    sets = design_overrides(*preset(name))
    sample = [sets[0], sets[len(sets) // 2], sets[-1]]
    found = [assumption_set([f"experiment={name}", *overrides]) for overrides in sample]
    assert len({assumptions.identity("") for assumptions in found}) == len(sample)


def test_the_tornado_has_every_option_beside_those_of_central() -> None:
    design, plain = preset("tornado")
    groups = {key: axis.values for key, axis in design.vary.items() if axis.values is not None}
    assert len(groups) == 10
    left = {}
    for group, varied in groups.items():
        [left[group]] = {path.stem for path in (conf_dir() / group).glob("*.yaml")} - set(varied)
    composed = plain_config([f"{group}={option}" for group, option in left.items()])
    assert {group: composed[group] for group in groups} == {group: plain[group] for group in groups}


def test_the_product_of_options_has_every_option_that_shares_its_compiled_model() -> None:
    design, _ = preset("options")
    others = {"reporting": {"hierarchical", "wandering", "registry_delay"}}
    for group, axis in design.vary.items():
        options = {path.stem for path in (conf_dir() / group).glob("*.yaml")}
        assert set(axis.values or ()) == options - others.get(group, set())


@pytest.mark.parametrize("name", ["latin_hypercube", "sobol"])
def test_the_number_of_sets_of_a_preset_can_be_changed_on_the_command_line(name: str) -> None:
    assert len(design_overrides(*preset(name, "sweep.design.sets=100"))) == 100


def test_the_number_of_blocks_of_the_preset_can_be_changed_on_the_command_line() -> None:
    assert len(design_overrides(*preset("saltelli", "sweep.design.blocks=16"))) == 16 * 8


def test_a_group_can_be_added_to_and_left_out_of_a_preset_on_the_command_line() -> None:
    more = "+sweep.design.vary.force.values=[central,no_other_exits]"
    assert len(design_overrides(*preset("options", more))) == 2 * PRESETS["options"]
    less = "~sweep.design.vary.reporting"
    assert len(design_overrides(*preset("options", less))) == PRESETS["options"] // 4


def test_a_preset_around_a_bundle_that_fixes_its_priors_names_each_of_them() -> None:
    design, plain = preset("latin_hypercube", "assumptions=article")
    with pytest.raises(ConfigError) as caught:
        design_overrides(design, plain)
    for key in ("returns.rate", "returns.delay", "force.other_exits"):
        assert f"sweep.design.vary.{key}: " in str(caught.value)


@pytest.fixture(scope="module")
def central() -> dict[str, Any]:
    return plain_config()


AXES = st.sampled_from(
    [
        ("unconfirmed.ratio", {"shift": [-2, 2]}),
        ("killed_share.level", {"shift": [-2, 2]}),
        ("returns", {"values": ["central", "none", "wide"]}),
        ("force.other_exits", {"values": [0, 5000.0]}),
        ("recruitment.step.value", {"low": 0.05, "high": 0.3, "log": True}),
        ("reporting.default.losses.noise", {"low": 0.05, "high": 0.3}),
        ("reporting.default.losses.bias", {"shift": [-1, 1]}),
        ("assumptions", {"values": ["central"]}),
    ]
)


@settings(max_examples=8, deadline=None)
@given(
    axes=st.lists(AXES, min_size=1, max_size=4, unique_by=lambda axis: axis[0]),
    method=st.sampled_from([*COMBINED, "one_at_a_time"]),
    place=st.floats(0, 1, exclude_max=True),
)
def test_every_set_of_a_design_composes(
    central: dict[str, Any], axes: list[tuple[str, dict[str, Any]]], method: str, place: float
) -> None:
    if method != "one_at_a_time":
        axes = [axis for axis in axes if axis[0] != "assumptions"]
    assume(axes)
    if method == "saltelli":
        assume(len(axes) > 1 and any("values" not in axis for _, axis in axes))
    sets = expand(method, dict(axes), central, sets=8, blocks=2)
    overrides = sets[int(place * len(sets))]
    composed = assumption_set(overrides)
    assert composed.label == label_of(overrides)
