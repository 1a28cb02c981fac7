from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from omegaconf import OmegaConf

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.compose import assumption_set, plain_config
from estimator.assumptions.reporting import REPORTING_UNITS
from estimator.evidence import read_claims
from estimator.evidence.load import SHIPPED
from estimator.ingest.options import IngestOptions
from estimator.paths import conf_dir
from estimator.studies.audit.options import AuditOptions
from estimator.studies.backtest.options import BacktestOptions
from estimator.studies.breakeven.options import BreakEvenOptions
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.compare.options import CompareOptions
from estimator.studies.discover.options import DiscoverOptions
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.report.options import ReportOptions
from estimator.sweep.options import SweepOptions

HOW = {
    "sweep": SweepOptions,
    "compare": CompareOptions,
    "audit": AuditOptions,
    "breakeven": BreakEvenOptions,
    "explore": ExploreOptions,
    "discover": DiscoverOptions,
    "backtest": BacktestOptions,
    "report": ReportOptions,
    "calibrate": CalibrateOptions,
    "ingest": IngestOptions,
}
OPTIONS = sorted((file.parent.name, file.stem) for file in conf_dir().glob("*/*.yaml"))
SETS = sorted(name for group, name in OPTIONS if group == "assumptions")
each_option = pytest.mark.parametrize(
    ("group", "name"), OPTIONS, ids=["/".join(option) for option in OPTIONS]
)


def words(group: str, name: str) -> list[str]:
    return [f"{group}=[{name}]" if group == "scenario" else f"{group}={name}"]


def composed(group: str, name: str) -> dict[str, Any]:
    """Compose the central configuration with one option."""
    return plain_config(words(group, name))


def checked(group: str, name: str) -> AssumptionSet:
    return assumption_set(words(group, name))


SCENARIOS = checked("assumptions", "central").scenario


def priors(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk a plain configuration and yield all that is written as a prior."""
    if isinstance(node, dict):
        if "family" in node:
            yield place, node
        for key, value in node.items():
            yield from priors(value, f"{place}.{key}".lstrip("."))


def test_every_group_has_options_and_every_group_is_composed() -> None:
    root = set(composed("assumptions", "central"))
    bundles = {"assumptions", "experiment"}
    groups = {group for group, _ in OPTIONS} - bundles
    assert groups == {path.name for path in conf_dir().iterdir() if path.is_dir()} - bundles
    assert groups <= root
    assert groups - set(AssumptionSet.model_fields) == set(HOW)
    assert len(OPTIONS) > 40


@pytest.mark.slow
@each_option
def test_every_option_composes_and_is_valid(group: str, name: str) -> None:
    assumptions = checked(group, name)
    if group == "scenario":
        assert list(assumptions.scenario) == [name]
    elif group in ("sweep", "experiment"):
        SweepOptions.from_config(composed(group, name)["sweep"])
        assert assumptions.label == "central"
    elif group in HOW:
        HOW[group].from_config(composed(group, name)[group])
        assert assumptions.label == "central"  # how something is worked out is no assumption


@each_option
def test_every_option_file_begins_with_a_comment_that_says_why(group: str, name: str) -> None:
    text = (conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8")
    comments = [line for line in text.splitlines() if not line.startswith("# @package")]
    assert comments[0].startswith("# ")
    assert len(comments[0]) > 20


@each_option
def test_every_option_differs_from_the_other_options_of_its_group(group: str, name: str) -> None:
    contents = {
        other: OmegaConf.to_container(OmegaConf.load(conf_dir() / group / f"{other}.yaml"))
        for other_group, other in OPTIONS
        if other_group == group
    }
    own = contents.pop(name)
    assert own is not None
    assert own not in contents.values()


@pytest.mark.parametrize("name", SETS)
def test_every_prior_of_every_shipped_set_has_a_source_and_a_unit(name: str) -> None:
    found = dict(priors(composed("assumptions", name)))
    assert set(ASSUMPTIONS) <= set(found)
    assert len(found) > len(ASSUMPTIONS)
    units = {spec.unit for spec in ASSUMPTIONS.values()} | {*REPORTING_UNITS.values(), "days"}
    units |= {f"{unit}/year" for unit in units}
    assert {place for place, prior in found.items() if not prior.get("source", "").strip()} == set()
    assert {place for place, prior in found.items() if prior.get("unit") not in units} == set()


@pytest.mark.slow
@each_option
def test_every_prior_of_every_option_has_a_source_and_a_unit(group: str, name: str) -> None:
    for place, prior in priors(composed(group, name)):
        assert prior.get("source", "").strip(), place
        assert prior.get("unit", "").strip(), place


def test_no_two_shipped_sets_are_the_same() -> None:
    ids = {checked("assumptions", name).identity("data") for name in SETS}
    assert len(ids) == len(SETS)


def test_the_sets_of_the_design_ship() -> None:
    disputes = {"few_return", "irrecoverable", "no_january_gap", "no_stocks", "registry"}
    assert disputes | {"article", "central", "open", "sceptical", "western"} == set(SETS)


@pytest.mark.slow
def test_every_origin_and_source_that_an_option_names_is_in_the_shipped_claims() -> None:
    claims = read_claims(tuple(SHIPPED))
    named: set[str] = set()
    for group, name in OPTIONS:
        if group == "scenario":
            continue
        assumptions = checked(group, name)
        named |= {*assumptions.reporting.origins, *assumptions.registries.triangles}
        lists = [assumptions.killed_share.origins, *assumptions.evidence.origins.values()]
        named |= {origin for origins in lists if origins != "all" for origin in origins}
    # `estimator ingest weekly-registry` writes the names of a registry under this origin.
    registries = {name.removesuffix("_named") for name in named}
    assert registries <= set(claims["origin"])
    assert len(named) > 10


def test_the_claims_behind_the_loss_ratios_are_in_the_table() -> None:
    periods = checked("assumptions", "central").derived.loss_ratio
    assert {period.claim for period in periods} <= set(read_claims()["id"])
    assert len(periods) == 2


@pytest.mark.parametrize(("name", "goal"), [("goal_50000", 50_000), ("goal_60000", 60_000)])
def test_scenarios_reach_the_article_s_goals(name: str, goal: float) -> None:
    band = SCENARIOS[name].losses
    assert band is not None
    assert (band.low, band.high) == (goal, goal)


@pytest.mark.parametrize("percent", [100, 120, 130])
def test_scenarios_fill_the_plan_by_the_article_s_shares(percent: int) -> None:
    assert SCENARIOS[f"plan_{percent}"].plan_share == percent / 100


def test_a_scenario_has_the_article_s_recruits() -> None:
    band = SCENARIOS["recruits_30000_40000"].recruits
    assert band is not None
    assert (band.low, band.high) == (30_000, 40_000)


def test_a_scenario_mobilises_300_000_over_three_months() -> None:
    pulse = SCENARIOS["mobilisation"].mobilisation
    assert pulse is not None
    assert (pulse.persons, pulse.months) == (300_000, 3)


def test_a_scenario_holds_the_killed_share_above_065() -> None:
    band = SCENARIOS["killed_share_above_065"].killed_share
    assert band is not None
    assert 0.65 <= band.low < band.high <= 1.0


def test_the_status_quo_sets_nothing() -> None:
    given = SCENARIOS["status_quo"].model_dump(exclude={"description"})
    assert set(given.values()) == {None}


def test_what_scenarios_start_falls_within_the_horizon() -> None:
    horizon = checked("assumptions", "central").window.horizon_months
    for scenario in SCENARIOS.values():
        for band in (scenario.losses, scenario.recruits, scenario.killed_share):
            assert band is None or band.by <= horizon
        pulse = scenario.mobilisation
        assert pulse is None or pulse.first_month + pulse.months - 1 <= horizon
