from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.compose import assumption_set, plain_config
from estimator.assumptions.priors import Prior
from estimator.assumptions.scalars import is_packed, prior_problems
from estimator.assumptions.scenarios import Band, Pulse, ScenarioOptions
from estimator.errors import ConfigError

CENTRAL = plain_config()

HUGE = 10**320  # no float, and no number of a file


def config(**changes: Any) -> dict[str, Any]:
    """Copy the central configuration with some keys changed (``group__name__field=value``)."""
    changed = copy.deepcopy(CENTRAL)
    for key, value in changes.items():
        *parents, last = key.split("__")
        node = changed
        for parent in parents:
            node = node[parent]
        node[last] = value
    return changed


def made(**changes: Any) -> AssumptionSet:
    return AssumptionSet.from_config(config(**changes), label="test")


def problems(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        made(**changes)
    first, *rest = str(caught.value).splitlines()
    assert first == "The configuration has problems:"
    return [line.removeprefix("  - ") for line in rest]


def test_the_central_configuration_is_an_assumption_set() -> None:
    assumptions = made()
    assert assumptions.label == "test"
    assert assumptions.evidence.sources == "all"
    assert assumptions.unconfirmed.ratio.family == "LogNormal"


def test_priors_are_yielded_in_the_order_of_the_list() -> None:
    assert [key for key, _ in made().priors()] == list(ASSUMPTIONS)


def test_values_cannot_change_after_checking() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(made(), "seed", 1)  # noqa: B010 - mypy refuses the plain assignment


def test_the_identity_is_that_of_content_not_of_label_or_file_names() -> None:
    one = made()
    two = AssumptionSet.from_config(config(evidence__files=["copy.csv"]), label="other")
    assert one.identity("hash") == two.identity("hash")


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"unconfirmed__ratio__high": 0.31},
        {"evidence__drop": ["S11"]},
        {"window__end": "2025-12-31"},
        {"hedging__about": 0.03},
        {"sampler__draws": 999},
    ],
    ids=str,
)
def test_the_identity_changes_with_every_assumption(changes: dict[str, Any]) -> None:
    assert made(**changes).identity("hash") != made().identity("hash")


def test_the_identity_changes_with_the_data() -> None:
    assert made().identity("one") != made().identity("two")


def test_the_identity_does_not_depend_on_the_order_of_keys() -> None:
    turned = dict(reversed(CENTRAL.items()))
    assert AssumptionSet.from_config(turned, label="x").identity("h") == made().identity("h")


def test_an_assumption_set_survives_json() -> None:
    assumptions = made(unconfirmed__ratio=0.1, evidence__as_of="2026-01-31")
    assert AssumptionSet.model_validate_json(assumptions.model_dump_json()) == assumptions


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"unconfirmed__ratio__low": 0.3},
            "unconfirmed.ratio: low must be below high. Got low=0.3, high=0.3",
        ),
        (
            {"unconfirmed__ratio__low": 0.5},
            "unconfirmed.ratio: low must be below high. Got low=0.5, high=0.3",
        ),
        (
            {"losses__level__mass": 1.0},
            "losses.level.mass: Input should be less than or equal to 0.9999. Got 1.0",
        ),
        (
            {"losses__level__mass": 0},
            "losses.level.mass: Input should be greater than or equal to 0.01. Got 0",
        ),
        ({"unconfirmed__ratoi": 1}, "unconfirmed.ratoi: unknown key; did you mean 'ratio'?"),
        (
            {"reporting__default__losses__biass": 1},
            "reporting.default.losses.biass: unknown key; did you mean 'bias'?",
        ),
        (
            {"scenario__goal_50000__loses": 1},
            "scenario.goal_50000.loses: unknown key; did you mean 'losses'?",
        ),
        (
            {"scenario__goal_50000__losses__hihg": 1},
            "scenario.goal_50000.losses.hihg: unknown key; did you mean 'high'?",
        ),
        (
            {"unconfirmed__ratio__family": "Lognormal"},
            "unconfirmed.ratio.family: Input should be 'Fixed', 'Normal', 'LogNormal', "
            "'LogitNormal', 'Beta', 'Gamma', 'HalfNormal', 'TruncatedNormal' or 'Uniform'. "
            "Got 'Lognormal'; did you mean 'LogNormal'?",
        ),
        (
            {"killed_share__level__high": 1.2},
            "killed_share.level: a LogitNormal range must lie inside (0, 1). Got 0.15 to 1.2",
        ),
        (
            {"killed_share__level": 1.2},
            "killed_share.level.value: must lie in [0, 1] share. Got 1.2",
        ),
        (
            {"scenario__killed_share_above_065__killed_share__high": 1.2},
            "scenario.killed_share_above_065: killed_share must lie in [0, 1]. Got high=1.2",
        ),
        (
            {"losses__level__unit": "persons"},
            "losses.level.unit: must be 'persons/month'. Got 'persons'",
        ),
        ({"losses__level": -5}, "losses.level.value: must lie in [0, ∞] persons/month. Got -5.0"),
        ({"losses__level": 0}, "losses.level.value: must be above 0 persons/month. Got 0.0"),
        (
            {"unconfirmed__spread": 0},
            "unconfirmed.spread.value: must be above 0 log ratio. Got 0.0",
        ),
        ({"returns__rate": 1.5}, "returns.rate.value: must lie in [0, 1] share. Got 1.5"),
        (
            {"unconfirmed__ratio": {"family": "Normal", "low": 0.1, "high": 0.2}},
            "unconfirmed.ratio.family: a positive quantity takes Fixed, LogNormal, Gamma, "
            "HalfNormal, TruncatedNormal, Uniform. Got Normal",
        ),
        (
            {"unconfirmed__ratio": {"family": "Uniform", "low": 0.1, "high": 10.0}},
            "unconfirmed.ratio: Uniform with 0.9 of it in 0.1 to 10.0 reaches from -0.45 to "
            "10.55; must lie in [0, ∞] ratio",
        ),
        (
            {"returns__rate": {"family": "Uniform", "low": 0.3, "high": 0.99}},
            "returns.rate: Uniform with 0.9 of it in 0.3 to 0.99 reaches from 0.2617 to 1.028; "
            "must lie in [0, 1] share",
        ),
        (
            {"unconfirmed__ratio": {"family": "TruncatedNormal", "mu": 0.1, "sigma": 0.1}},
            "unconfirmed.ratio.lower: a positive quantity needs this bound for TruncatedNormal",
        ),
        (
            {"evidence__as_of": "2026-02-30"},
            "evidence.as_of: must be a date as YYYY-MM-DD. Got '2026-02-30'",
        ),
        ({"evidence__as_of": 86400}, "evidence.as_of: must be a date as YYYY-MM-DD. Got 86400"),
        (
            {"evidence__sources": "article"},
            "evidence.sources: must be all, or a list of names. Got 'article'",
        ),
        (
            {"evidence__drop": "S01"},
            "evidence.drop: must be a list of names, e.g. [a, b]. Got 'S01'",
        ),
        (
            {"evidence__origins": {"loses": ["csis"]}},
            "evidence.origins.loses: unknown quantity; did you mean 'losses'?",
        ),
        (
            {"window__end": "2022-02-24"},
            "window: end must be after start. Got start=2022-02-24, end=2022-02-24",
        ),
        (
            {"recruitment__mobilisation_end": None},
            "recruitment: mobilisation_start and mobilisation_end must both be dates in order, or "
            "both null. Got 2022-09-21 and None",
        ),
        (
            {"reporting__default__losses__noise": 0},
            "reporting.default.losses.noise: Input should be greater than 0. Got 0",
        ),
        (
            {"reporting__default__losses__bias__unit": "share"},
            "reporting.default.losses.bias.unit: must be 'log ratio'. Got 'share'",
        ),
        (
            {"reporting__default__losses__drift": {"family": "Fixed", "value": 0, "unit": "x"}},
            "reporting.default.losses.drift.unit: must be 'log ratio/year'. Got 'x'",
        ),
        (
            {"reporting__default__losses__undercount": 0.1},
            "reporting.default.losses: give either bias (both signs) or undercount (one-sided). "
            "Got both",
        ),
        (
            {"reporting__default__losses__bias__family": "Uniform"},
            "reporting.default.losses: bias must be Fixed or Normal. Got Uniform",
        ),
        (
            {"reporting__default__losses__drift": {"family": "Uniform", "low": 0, "high": 1}},
            "reporting.default.losses: drift must be Fixed or Normal. Got Uniform",
        ),
        (
            {"reporting__origins__x": {"losses": {"undercount": 0.1, "noise": 1}}},
            "reporting.origins.x.losses: undercount must be LogNormal. Got Fixed",
        ),
        (
            {"reporting__origins__x": {"loses": {"bias": 0, "noise": 1}}},
            "reporting.origins.x.loses: unknown quantity; did you mean 'losses'?",
        ),
        (
            {
                "derived__loss_ratio": [
                    {"start": "2025-01-01", "end": "2024-01-01", "low": 1, "high": 2, "claim": "x"}
                ]
            },
            "derived.loss_ratio.0: end must not be before start. Got start=2025-01-01, "
            "end=2024-01-01",
        ),
        (
            {
                "derived__loss_ratio": [
                    {"start": "2025-01-01", "end": None, "low": 3, "high": 2, "claim": "x"}
                ]
            },
            "derived.loss_ratio.0: low must not be above high. Got low=3.0, high=2.0",
        ),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0. Got -1"),
        ({"seed": HUGE}, f"seed: Input should be less than {2**63}. Got {HUGE}"),
        (
            {"returns__rate": HUGE},
            f"returns.rate.value: Input should be a valid number. Got {HUGE}",
        ),
        (
            {"sampler__method": "nutpi"},
            "sampler.method: Input should be 'nutpie', 'pymc' or 'prior'. Got 'nutpi'; did you "
            "mean 'nutpie'?",
        ),
    ],
    ids=lambda part: str(part)[:70] if isinstance(part, dict) else "",
)
def test_a_bad_value_gives_one_message_with_key_found_and_allowed(
    changes: dict[str, Any], expected: str
) -> None:
    assert problems(**changes) == [expected]


def test_a_missing_key_has_no_default() -> None:
    changed = config()
    del changed["unconfirmed"]["ratio"], changed["seed"]
    with pytest.raises(ConfigError, match=r"(?s)seed: missing.*unconfirmed.ratio: missing"):
        AssumptionSet.from_config(changed, label="x")


def test_a_missing_quantity_in_the_reporting_defaults_is_named() -> None:
    changed = config()
    del changed["reporting"]["default"]["killed"]
    with pytest.raises(ConfigError, match=r"- reporting.default.killed: missing"):
        AssumptionSet.from_config(changed, label="x")


def test_all_problems_come_at_once_whether_of_type_unit_or_support() -> None:
    found = problems(
        seed=-1,
        losses__level__unit="men",
        losses__step__low=5.0,
        returns__rate=1.5,
        unconfirmed__ratoi=1,
        reporting__default__killed__bias__unit="share",
        killed_share__level__family="HalfNormal",
        killed_share__level__low=None,
    )
    assert sorted(key.split(": ")[0] for key in found) == [
        "killed_share.level.family",
        "losses.level.unit",
        "losses.step",
        "reporting.default.killed.bias.unit",
        "returns.rate.value",
        "seed",
        "unconfirmed.ratoi",
    ]


def test_problems_of_units_alone_come_at_once_and_once_each() -> None:
    found = problems(losses__level__unit="men", force__start__unit="men")
    assert found == [
        "losses.level.unit: must be 'persons/month'. Got 'men'",
        "force.start.unit: must be 'persons'. Got 'men'",
    ]


@pytest.mark.parametrize("key", [key for key, spec in ASSUMPTIONS.items() if spec.may_be_zero])
def test_zero_is_allowed_where_the_model_can_do_without(key: str) -> None:
    group, name = key.split(".")
    assert dict(made(**{f"{group}__{name}": 0}).priors())[key].value == 0.0


def test_a_prior_without_a_unit_is_taken_in_that_of_its_assumption() -> None:
    key, prior = "losses.level", Prior(family="LogNormal", low=1, high=2)
    assert prior_problems(key, ASSUMPTIONS[key], prior) == []


def test_an_origin_without_an_entry_reports_as_the_default_says() -> None:
    reporting = made().reporting
    assert reporting.of("nobody", "losses") == reporting.default["losses"]
    own = reporting.of("general_staff_ukraine", "losses")
    assert (
        own == reporting.origins["general_staff_ukraine"]["losses"] != reporting.default["losses"]
    )


@pytest.mark.parametrize(
    ("prior", "packed"),
    [
        (Prior(family="Fixed", value=1), True),
        (Prior(family="LogNormal", low=1, high=2), True),
        (Prior(family="LogitNormal", low=0.1, high=0.2), True),
        (Prior(family="HalfNormal", high=2), False),
    ],
)
def test_fixed_and_linked_priors_share_one_graph(prior: Prior, packed: bool) -> None:
    assert is_packed(prior) is packed


def test_a_band_may_be_a_point_but_not_turned_round() -> None:
    assert Band(low=5, high=5).by == 1
    with pytest.raises(ValidationError, match="low must not be above high"):
        Band(low=6, high=5)


def test_a_scenario_takes_recruits_or_a_plan_share() -> None:
    with pytest.raises(ValidationError, match="give recruits or plan_share, not both"):
        ScenarioOptions(description="x", recruits=Band(low=1, high=2), plan_share=1.0)


def test_a_mobilisation_needs_at_least_one_month() -> None:
    with pytest.raises(ValidationError, match="months"):
        Pulse(persons=1, first_month=1, months=0)


@pytest.mark.parametrize(
    ("key", "value", "fields", "override"),
    [
        (
            "returns.rate",
            None,
            {"low": 0.1, "high": 0.3},
            ["returns.rate.low=0.1", "returns.rate.high=0.3"],
        ),
        ("returns.rate", 0.5, {}, ["returns.rate=0.5"]),
        ("window.end", "2026-01-31", {}, ["window.end=2026-01-31"]),
        ("evidence.drop", ["S13"], {}, ["evidence.drop=[S13]"]),
        ("derived", None, {"front_length_km": 1000}, ["derived.front_length_km=1000"]),
    ],
)
def test_a_value_replaced_is_the_same_value_overridden(
    key: str, value: object, fields: dict[str, object], override: list[str]
) -> None:
    replaced = assumption_set().replace(key, value, label="x", **fields)
    expected = assumption_set([*override, "label=x"])
    assert _without_sources(replaced) == _without_sources(expected)


def test_a_prior_with_other_parameters_keeps_family_and_unit_alone() -> None:
    prior = assumption_set().replace("returns.rate", mu=0.0, sigma=0.5).returns.rate
    assert (prior.family, prior.mu, prior.low, prior.source) == ("LogitNormal", 0.0, None, "")


def test_a_set_is_named_by_what_is_replaced_in_it() -> None:
    replaced = assumption_set().replace("returns.rate", low=0.1, high=0.3)
    assert replaced.label == "central,returns.rate.low=0.1,returns.rate.high=0.3"


@pytest.mark.parametrize(
    ("key", "value", "fields", "said"),
    [
        ("returns.rat", 0.5, {}, "did you mean 'rate'"),
        ("return.rate", 0.5, {}, "did you mean 'returns'"),
        ("seed.x", 1, {}, "'seed' is a value"),
        ("returns.rate", None, {}, "give one value, or fields"),
        ("returns.rate", 0.5, {"low": 0.1}, "give one value, or fields"),
        ("seed", None, {"low": 1}, "seed has no fields"),
        ("returns.rate", None, {"low": 0.4, "high": 1.3}, "returns.rate"),
        ("returns.rate", None, {"lo": 0.4}, "returns.rate"),
    ],
)
def test_what_cannot_be_replaced_is_one_clear_error(
    key: str, value: object, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        assumption_set().replace(key, value, **fields)


def _without_sources(assumptions: AssumptionSet) -> dict[str, Any]:
    found = assumptions.model_dump(mode="json")
    found["returns"]["rate"].pop("source")
    return found
