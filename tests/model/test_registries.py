"""Registries by pencil: strata outside a population, what is learnt late, errors of vintages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import lognorm

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.registries import Triangle
from estimator.evidence import Evidence, load_evidence, read_claims
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.model.registries import (
    Errors,
    Registries,
    error_covariance,
    killed_of_populations,
    log_learnt,
    registry_locations,
    simulated_figures,
    term_data,
    term_values,
)
from tests.evidence.tables import FLOOR, row, write

SHARE = "share: {family: LogitNormal, low: 0.05, high: 0.3, unit: share}"
KILLED = "killed: {family: LogNormal, low: 8000, high: 12000, unit: persons}"
POPULATIONS = (
    "+registries.populations.citizens={missing: {"
    + SHARE
    + "}, formations: {"
    + KILLED
    + ", first: 2025-01-01, last: 2025-02-28}}"
)
ERRORS = "effort: 0.3, method: 0.2, own: 0.1, lasting: 0.15, rounding: 0.01, months_alike: 6"
LEARNING = (
    "{median_days: {family: LogNormal, low: 60, high: 240, unit: days}, "
    "spread: {family: LogNormal, low: 0.8, high: 1.6, unit: log ratio}}"
)
TRIANGLES = (
    "+registries.triangles.names={learning: " + LEARNING + ", " + ERRORS + ", floor_noise: 0.05}",
    "+registries.triangles.estimate={learning: null, " + ERRORS + ", floor_noise: null}",
)
DAYS = ("2025-06-30", "2025-12-31", "2026-06-30")


def figures(origin: str, days: Sequence[str] = DAYS, **cells: str) -> list[dict[str, str]]:
    """Vintages of the dead of January to March of an origin."""
    periods = pd.period_range("2025-01", "2025-03", freq="M")
    return [
        row(
            **{
                "id": f"{origin}-{period}-{day}",
                "quantity": "killed",
                "origin": origin,
                "hedge": "exact",
                "status": "estimated",
                "period_start": f"{period.start_time:%Y-%m-%d}",
                "period_end": f"{period.end_time:%Y-%m-%d}",
                "value": str(1000 + 100 * number),
                "published": day,
                "population": "citizens",
                **cells,
            }
        )
        for period in periods
        for number, day in enumerate(days)
    ]


def loaded(
    folder: Path, rows: Sequence[dict[str, str]], *overrides: str
) -> tuple[Evidence, AssumptionSet]:
    assumptions = assumption_set(
        [
            *("window.start=2025-01-01", "window.end=2025-12-31", "evidence.populations=all"),
            *(POPULATIONS, *TRIANGLES, *overrides),
        ]
    )
    claims = read_claims([str(write(folder / "claims.csv", [row(**FLOOR), *rows]))])
    return load_evidence(assumptions, claims), assumptions


@pytest.fixture
def triangle(tmp_path: Path) -> tuple[xr.Dataset, AssumptionSet]:
    evidence, assumptions = loaded(tmp_path, [*figures("names"), *figures("estimate")])
    return evidence.dataset, assumptions


def reasons(evidence: Evidence) -> dict[str, str]:
    return dict(zip(evidence.claims["id"], evidence.claims["reason"], strict=True))


def test_every_vintage_of_a_triangle_counts_and_of_others_the_last_one(tmp_path: Path) -> None:
    evidence, _ = loaded(tmp_path, [*figures("names"), *figures("somebody")])
    assert evidence.dataset["registry_used"].values.sum() == 9
    used = evidence.dataset["claim"].values[evidence.dataset["used"].values].tolist()
    assert used == [f"somebody-2025-0{month}-{DAYS[-1]}" for month in (1, 2, 3)]


def test_a_total_of_an_origin_repeats_the_months_of_its_triangle(tmp_path: Path) -> None:
    total = {
        **figures("names")[0],
        "id": "total",
        "hedge": "range",
        "low": "2900",
        "high": "3500",
        "value": "",
        "period_end": "2025-04-30",
    }
    evidence, _ = loaded(tmp_path, [*figures("names"), total])
    assert reasons(evidence)["total"] == "repeats the months of names, whose vintages are kept"
    alone, _ = loaded(tmp_path, [total, *figures("estimate")])
    assert reasons(alone)["total"] == ""


def test_what_a_triangle_has_not_learnt_yet_is_not_taken_off_by_a_fixed_delay_too(
    tmp_path: Path,
) -> None:
    evidence, _ = loaded(
        tmp_path,
        [*figures("names"), *figures("somebody")],
        "+reporting.default.killed.delay={median_days: 200, spread: 1.0}",
    )
    data = evidence.dataset
    assert data["registry_used"].values.sum() == 9
    np.testing.assert_array_equal(data["registry_weight"].values.sum(axis=1), 1.0)
    late = data["weight"].values[data["used"].values]
    assert (late.sum(axis=1) < 0.95).all()


def test_as_of_a_day_only_the_vintages_of_then_count(tmp_path: Path) -> None:
    evidence, _ = loaded(tmp_path, figures("names"), "evidence.as_of=2025-12-31")
    data = evidence.dataset
    later = data["registry_published"].values > "2025-12-31"
    assert (data["registry_used"].values == ~later).all()


def test_the_last_count_of_names_is_a_floor_in_a_set_that_believes_others(tmp_path: Path) -> None:
    rows = [*figures("names"), *figures("estimate")]
    evidence, _ = loaded(tmp_path, rows, "killed_share.origins=[]")
    data = evidence.dataset
    floors = data["registry_figure"].values[data["registry_is_floor"].values].tolist()
    assert floors == [f"names-2025-0{month}-{DAYS[-1]}" for month in (1, 2, 3)]
    assert not data["registry_used"].values.any()
    dropped, _ = loaded(tmp_path, rows, f"evidence.drop=[{floors[0]}]")
    kept = dropped.dataset["registry_figure"].values[dropped.dataset["registry_is_floor"].values]
    assert f"names-2025-01-{DAYS[1]}" in kept.tolist()


def test_strata_outside_a_population_are_taken_off_its_killed(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    data, assumptions = triangle
    registries = Registries.of(data, assumptions)
    killed = np.full(12, 20.0)
    terms = np.array([0.1, 10.0, 120.0, 1.0])  # a tenth missing; 10,000 of 40,000 in two months
    found = killed_of_populations(registries, killed, terms)
    assert found[:2] == pytest.approx(20.0 * 0.9 * 0.75, rel=1e-4)
    assert found[2:] == pytest.approx(20.0 * 0.9)


def test_a_stratum_larger_than_all_killed_leaves_a_little_and_no_wall(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    registries = Registries.of(*triangle)
    sizes = np.linspace(30.0, 60.0, 7)
    left = [
        killed_of_populations(registries, np.full(12, 20.0), np.array([0.1, size, 120.0, 1.0]))[0]
        for size in sizes
    ]
    assert (np.diff(left) < 0).all()
    assert min(left) > 0


def test_what_is_learnt_is_the_mean_of_the_delay_over_the_days_of_the_month(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    registries = Registries.of(*triangle)
    found = np.exp(log_learnt(registries, np.array([0.1, 10.0, 120.0, 1.2])))
    days = pd.date_range("2025-03-01", "2025-03-31")
    exact = [
        lognorm(1.2, scale=120.0).cdf((pd.Timestamp(day) - days).days.to_numpy() + 0.5).mean()
        for day in DAYS
    ]
    assert found[-3:] == pytest.approx(exact, rel=0.01)


def test_a_location_is_the_killed_of_the_population_the_share_learnt_and_the_bias(
    tmp_path: Path,
) -> None:
    evidence, assumptions = loaded(tmp_path, [*figures("estimate"), *figures("names")])
    inputs = model_inputs(evidence, assumptions)
    registries = inputs.structure.registries
    terms = np.array([0.1, 10.0, 120.0, 1.2])
    killed = np.arange(10.0, 22.0)
    reporting = np.zeros(2 * len(inputs.structure.coords["source"]))
    reporting[inputs.structure.coords["source"].index("names:killed")] = -0.4

    def apply(name: str, vector: np.ndarray) -> np.ndarray:
        return inputs.structure.layout.multiply(inputs.data, name, vector)

    of_populations = killed_of_populations(registries, killed, terms)
    location, log_dead = registry_locations(
        registries, apply, killed, of_populations, terms, reporting
    )
    origin = evidence.dataset["registry_origin"].values
    dead = np.repeat(np.log(of_populations[:3]), 3)
    assert log_dead[origin == "estimate"] == pytest.approx(dead)
    assert location[origin == "estimate"] == pytest.approx(dead)
    assert location[origin == "names"] == pytest.approx(dead - 0.4 + log_learnt(registries, terms))


def test_terms_are_in_the_middle_of_their_priors_where_nothing_is_added(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    data, assumptions = triangle
    registries = Registries.of(data, assumptions)
    middle = term_values(registries, term_data(registries, assumptions)["registry_location"])
    odds = math.sqrt(0.05 / 0.95 * 0.3 / 0.7)
    expected = [odds / (1 + odds), math.sqrt(8.0 * 12.0), 120.0, math.sqrt(0.8 * 1.6)]
    assert middle == pytest.approx(expected)


def test_a_later_vintage_repeats_what_the_earlier_one_held(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    data, assumptions = triangle
    options = assumptions.registries.triangles
    of_names = error_covariance(
        data.isel(registry_figure=data["registry_origin"].values == "names"), options["names"]
    )
    anew = error_covariance(
        data.isel(registry_figure=data["registry_origin"].values == "estimate"),
        options["estimate"],
    )

    def correlation(covariance: np.ndarray, one: int, other: int) -> float:
        return float(
            covariance[one, other] / math.sqrt(covariance[one, one] * covariance[other, other])
        )

    last, before = 8, 7  # of March, the vintages of one year and of half a year later
    assert correlation(of_names, last, before) > 0.8
    assert correlation(anew, last, before) < 0.3
    # January and March of one vintage share its effort; all of January's vintages what lasts.
    assert correlation(of_names, 0, 6) > 0.5
    assert np.linalg.eigvalsh(of_names).min() > 0


def test_residuals_given_the_figures_before_have_the_density_of_the_covariance(
    triangle: tuple[xr.Dataset, AssumptionSet],
) -> None:
    data, assumptions = triangle
    errors = Errors.of(data, assumptions)
    values = np.random.default_rng(1).normal(size=data.sizes["registry_figure"])
    residuals = (errors.residual @ values) / errors.noise
    expected = values @ np.linalg.solve(errors.covariance, values)
    assert residuals @ residuals == pytest.approx(expected)
    assert 2 * np.log(errors.noise).sum() == pytest.approx(np.linalg.slogdet(errors.covariance)[1])


def test_simulated_figures_have_the_covariance_of_the_errors(tmp_path: Path) -> None:
    evidence, assumptions = loaded(tmp_path, figures("names"))
    inputs: ModelInputs = model_inputs(evidence, assumptions)
    rng = np.random.default_rng(2)
    location = np.zeros(9)
    drawn = [
        simulated_figures(inputs.structure.layout, inputs.data, location, rng) for _ in range(4000)
    ]
    covariance = Errors.of(evidence.dataset, assumptions).covariance
    assert np.cov(np.array(drawn).T) == pytest.approx(covariance, abs=0.02)


def test_an_origin_whose_figures_do_not_count_leaves_no_error(tmp_path: Path) -> None:
    evidence, assumptions = loaded(
        tmp_path, [*figures("names"), *figures("estimate")], "killed_share.origins=[estimate]"
    )
    data = evidence.dataset
    errors = Errors.of(data, assumptions)
    names = data["registry_origin"].values == "names"
    assert (errors.covariance[names] == 0).all()
    assert (np.diag(errors.covariance)[~names] > 0).all()


def test_sets_that_believe_other_registries_share_one_structure(tmp_path: Path) -> None:
    rows = [*figures("names"), *figures("estimate")]
    identities = set()
    for overrides in ([], ["killed_share.origins=[estimate]"], ["evidence.as_of=2025-12-31"]):
        evidence, assumptions = loaded(tmp_path, rows, *overrides)
        identities.add(model_inputs(evidence, assumptions).structure.identity)
    assert len(identities) == 1


@pytest.mark.parametrize("changed", ["effort", "own", "method"])
def test_more_error_of_what_a_vintage_adds_makes_every_figure_less_sure(
    triangle: tuple[xr.Dataset, AssumptionSet], changed: str
) -> None:
    data, assumptions = triangle
    names = data.isel(registry_figure=data["registry_origin"].values == "names")
    before = assumptions.registries.triangles["names"]
    after: Triangle = before.model_copy(update={changed: 2 * getattr(before, changed)})
    grown = np.diag(error_covariance(names, after)) - np.diag(error_covariance(names, before))
    assert (grown > 0).all()
