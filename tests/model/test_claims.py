from __future__ import annotations

from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import logit

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.fitting.compiled import CompiledStructure
from estimator.model.build import build_from_inputs
from estimator.model.claim_density import claim_density, log_densities, log_likelihood
from estimator.model.claims import reported_figures
from estimator.model.figures import FIGURES, NOISE
from estimator.model.force import returned_draws, wounded_per_month
from estimator.model.inputs import model_inputs
from tests.evidence import tables

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
OPEN = 1e6


@pytest.fixture(scope="module")
def interval() -> pytensor.compile.Function:
    """Log probability of an interval, and its derivative by location."""
    lower, upper, location, noise = arguments = pt.dscalars("lower", "upper", "location", "noise")
    figures = pt.stack([lower, upper, noise, 0.0, 1.0])[:, None]
    value = claim_density(pt.zeros(1), figures, location[None]).sum()
    return pytensor.function(arguments, [value, pytensor.grad(value, location)], mode=INTERPRETED)


@pytest.mark.parametrize(
    ("lower", "upper"), [(-1.0, 1.0), (0.2, 0.3), (-3.0, 4.0), (-4.0, -2.0), (-1.0, -0.999)]
)
def test_the_probability_of_an_interval_is_scipys(
    interval: pytensor.compile.Function, lower: float, upper: float
) -> None:
    location, noise = 0.4, 1.3
    normal = stats.norm(location, noise)
    expected = np.log(normal.cdf(upper) - normal.cdf(lower))
    assert interval(lower, upper, location, noise)[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("distance", [5.0, 20.0, 35.0, 300.0])
def test_far_tails_are_scipys_on_both_sides(
    interval: pytensor.compile.Function, distance: float
) -> None:
    near, far = stats.norm.logsf([distance, distance + 0.5])
    expected = near + np.log1p(-np.exp(far - near))
    assert interval(distance, distance + 0.5, 0.0, 1.0)[0] == pytest.approx(expected, rel=1e-7)
    assert interval(-distance - 0.5, -distance, 0.0, 1.0)[0] == pytest.approx(expected, rel=1e-7)
    assert interval(distance, OPEN, 0.0, 1.0)[0] == pytest.approx(near, rel=1e-7)
    assert interval(-OPEN, -distance, 0.0, 1.0)[0] == pytest.approx(near, rel=1e-7)


def test_an_interval_open_on_both_sides_is_certain(interval: pytensor.compile.Function) -> None:
    assert interval(-OPEN, OPEN, 3.0, 0.1)[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("location", [-1e3, -40.0, 0.0, 0.5, 1.0, 40.0, 1e3])
@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (-OPEN, 1.0), (0.0, OPEN), (0.0, 1e-3)])
@pytest.mark.parametrize("noise", [0.01, 1.0, 30.0])
def test_value_and_gradient_are_finite_at_extreme_values(
    interval: pytensor.compile.Function, location: float, lower: float, upper: float, noise: float
) -> None:
    found = np.array(interval(lower, upper, location, noise))
    assert np.isfinite(found).all()
    if location < lower and upper == OPEN:
        assert found[1] >= 0  # uphill towards the interval


def test_the_gradient_of_an_open_interval_is_the_normal_hazard(
    interval: pytensor.compile.Function,
) -> None:
    for z in (-2.0, 0.0, 2.0, 10.0, 30.0):
        hazard = np.exp(stats.norm.logpdf(z) - stats.norm.logsf(z))
        assert interval(z, OPEN, 0.0, 1.0)[1] == pytest.approx(hazard, rel=1e-6)


@pytest.mark.parametrize("mode", [INTERPRETED, "NUMBA"], ids=["interpreted", "compiled"])
def test_the_slope_is_that_of_the_density_for_points_and_intervals(mode: Mode | str) -> None:
    rng = np.random.default_rng(3)
    n = 200
    lower = rng.normal(0.0, 2.0, n)
    figures = np.stack(
        [
            np.where(rng.random(n) < 0.2, -OPEN, lower),
            np.where(rng.random(n) < 0.2, OPEN, lower + rng.uniform(0.01, 2.0, n)),
            rng.uniform(0.02, 1.0, n),
            rng.integers(0, 2, n),
            rng.integers(0, 2, n),
        ]
    )
    value, location = rng.normal(0.0, 2.0, (2, n))
    at = pt.dvector("location")
    density = claim_density(pt.as_tensor(value), pt.as_tensor(figures), at)
    function = pytensor.function([at], [density, pytensor.grad(density.sum(), at)], mode=mode)
    step = 1e-6 * figures[2]
    _, slope = function(location)
    numerical = (function(location + step)[0] - function(location - step)[0]) / (2 * step)
    np.testing.assert_allclose(slope, numerical, rtol=1e-4, atol=1e-4)
    assert (slope[figures[4] == 0] == 0).all()
    assert (slope[figures[4] == 1] != 0).mean() > 0.8


def test_of_draws_each_claim_has_the_density_of_its_kind_and_all_together_their_sum() -> None:
    value = np.array([1.0, 0.5, 0.0])  # a point, an interval, a point that does not count
    figures = np.array([[0.0] * 3, [2.0] * 3, [0.5, 1.5, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    location = np.array([[0.8, 0.3, 0.1], [-2.0, 4.0, 9.0]])
    point = stats.norm.logpdf(1.0, location[:, 0], 0.5)
    normal = stats.norm(location[:, 1], 1.5)
    expected = np.stack([point, np.log(normal.cdf(2.0) - normal.cdf(0.0)), [0.0, 0.0]], axis=1)
    found = log_densities(value, figures, location)
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    np.testing.assert_allclose(log_likelihood(value, figures, location), expected.sum(axis=1))


def test_a_bound_of_half_a_weight_has_half_the_log_density() -> None:
    at_least = np.array([[0.0, 0.0], [OPEN, OPEN], [0.5, 0.5], [0.0, 0.0], [1.0, 0.5]])
    with pm.Model(coords={"claim": ["whole", "half"]}) as model:
        reported_figures("reported", pt.constant([0.3, 0.3]), pt.constant(at_least), np.zeros(2))
    (density,) = model.logp(sum=False)
    whole, half = density.eval(mode=INTERPRETED)
    assert whole < 0
    assert half == pytest.approx(whole / 2)


def test_a_simulated_report_lies_around_its_location_with_its_noise() -> None:
    figures = np.zeros((len(FIGURES), 2))
    figures[NOISE] = 0.5, 2.0
    with pm.Model(coords={"claim": ["a", "b"]}):
        report = reported_figures(
            "reported", pt.constant([3.0, -1.0]), pt.constant(figures), pt.zeros(2)
        )
    drawn = pm.draw(report, 4000, random_seed=1, mode=INTERPRETED)
    np.testing.assert_allclose(drawn.mean(axis=0), [3.0, -1.0], atol=0.15)
    np.testing.assert_allclose(drawn.std(axis=0), [0.5, 2.0], rtol=0.06)


QUARTER = {"period_start": "2025-04-01", "period_end": "2025-06-30"}
CLAIMS = [
    tables.row(id="L", origin="a", **QUARTER),
    tables.row(id="K", origin="b", quantity="killed", **QUARTER),
    tables.row(id="S", origin="c", quantity="killed_share", unit="share", value="0.4", **QUARTER),
    tables.row(id="R", origin="d", quantity="recruits", **QUARTER),
    tables.row(id="FR", origin="e", quantity="foreign_recruits", **QUARTER),
    tables.row(id="G", origin="f", quantity="replacement_gap", value="-9000", **QUARTER),
    tables.row(id="N", origin="g", quantity="net_change", value="-5000", **QUARTER),
    tables.row(
        id="T",
        origin="h",
        quantity="force_size",
        period_start="2025-10-01",
        period_end="2025-10-01",
        value="600000",
    ),
]


def test_each_claim_lies_where_its_quantity_says(tmp_path: Path) -> None:
    assumptions = assumption_set(
        ["window=since_2025", "+reporting.default.force_size.drift={family:Fixed,value:0.1}"]
    )
    evidence = load_evidence(assumptions, tables.claims(tmp_path, *CLAIMS))
    inputs = model_inputs(evidence, assumptions)
    entry = CompiledStructure(build_from_inputs(inputs))
    found, _ = entry.evaluate(entry.draw_prior(3, 1))
    assert sorted(found["claim"].values) == sorted(cells["id"] for cells in CLAIMS)

    losses, share, recruits, foreign = (
        found[name].values for name in ("losses", "killed_share", "recruits", "foreign_recruits")
    )
    value = {
        key: found["assumption_value"].values[..., position]
        for position, key in enumerate(ASSUMPTIONS)
    }
    killed = losses * share
    days = evidence.dataset["month_days"].values
    exposure = days / (365.25 / 12)
    back = returned_draws(
        losses - killed,
        wounded_per_month(exposure, 0.0, 34.0),
        exposure,
        value["returns.rate"],
        value["returns.delay"],
    )
    exits = found["other_exits"].values
    net = recruits + foreign + back - losses - exits
    quarter, until_september = slice(3, 6), slice(0, 9)

    def shift(source: str, years: float) -> np.ndarray:
        terms = found["reporting"].sel(source=source)
        return np.asarray(
            terms.sel(reporting_term="bias") + years * terms.sel(reporting_term="drift")
        )

    years = evidence.dataset["years_to_end"].values
    then = years[quarter].mean()
    sums = {
        name: series[..., quarter].sum(axis=-1)
        for name, series in {
            "L": losses,
            "K": killed,
            "R": recruits,
            "FR": foreign,
            "G": recruits - losses,
            "N": net,
        }.items()
    }
    stock = value["force.start"] + net[..., until_september].sum(axis=-1)
    expected = {
        "L": np.log(sums["L"]) + shift("a:losses", then),
        "K": np.log(sums["K"]) + shift("b:killed", then),
        "S": logit(sums["K"] / sums["L"]) + shift("c:killed_share", then),
        "R": np.log(sums["R"]) + shift("d:recruits", then),
        "FR": np.log(sums["FR"]) + shift("e:foreign_recruits", then),
        "G": sums["G"] + 3 * shift("f:replacement_gap", then),
        "N": sums["N"] + 3 * shift("g:net_change", then),
    }
    for name, location in expected.items():
        np.testing.assert_allclose(
            found["claim_location"].sel(claim=name).values, location, rtol=1e-6, err_msg=name
        )
    np.testing.assert_allclose(
        found["claim_location"].sel(claim="T").values,
        stock * np.exp(shift("h:force_size", years[until_september][-1])),
        rtol=1e-6,
    )
