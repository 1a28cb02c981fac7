"""Biases that are shared or wander, late registries, short periods, evidence without a floor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pytensor.compile.mode import Mode
from scipy.stats import lognorm, norm

from estimator.assumptions import AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.assumptions.reporting import Delay, Wander
from estimator.errors import ConfigError, EvidenceError
from estimator.evidence import Evidence, load_evidence, read_claims
from estimator.fitting.compiled import CompiledStructure
from estimator.model.build import build_from_inputs
from estimator.model.hyperparameters import shared_biases, sources_of, wandering_biases
from estimator.model.inputs import model_inputs
from tests.evidence.tables import FLOOR, YEAR, row, write

pytestmark = pytest.mark.slow

INTERPRETED = Mode(linker="py", optimizer="fast_compile")
NORMAL = "{family: Normal, low: -0.2, high: 0.6, mass: 0.9}"
SHARED = (
    "+reporting.hierarchy.enemy={losses: {mean: "
    + NORMAL
    + ", spread: {family: LogNormal, low: 0.1, high: 0.5}}}"
)


def table(folder: Path, rows: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    return read_claims([str(write(folder / "claims.csv", rows))])


def loaded(claims: pd.DataFrame, *overrides: str) -> tuple[Evidence, AssumptionSet]:
    window = ["window.start=2025-01-01", "window.end=2025-12-31", "evidence.populations=all"]
    assumptions = assumption_set([*window, *overrides])
    return load_evidence(assumptions, claims), assumptions


def months(**cells: str) -> list[dict[str, str]]:
    periods = pd.period_range("2025-01", "2025-12", freq="M")
    return [
        row(
            **(
                {
                    "id": f"{cells.get('origin', 'counter')}-{period}",
                    "period_start": f"{period.start_time:%Y-%m-%d}",
                    "period_end": f"{period.end_time:%Y-%m-%d}",
                    "published": "2026-02-01",
                }
                | cells
            )
        )
        for period in periods
    ]


def prior(evidence: Evidence, assumptions: AssumptionSet) -> xr.Dataset:
    inputs = model_inputs(evidence, assumptions)
    entry = CompiledStructure(build_from_inputs(inputs))
    variables, likelihood = entry.evaluate(entry.draw_prior(3000, 1))
    assert np.isfinite(likelihood["reported"]).all()
    return variables.isel(chain=0)


# Shared biases


def test_biases_of_one_kind_of_speaker_vary_together_around_their_mean(tmp_path: Path) -> None:
    rows = months(origin="a", speaker="enemy") + months(origin="b", speaker="enemy")
    rows += months(origin="c", speaker="own")
    evidence, assumptions = loaded(table(tmp_path, rows), SHARED)
    found = prior(evidence, assumptions)["reporting"].sel(reporting_term="bias")
    bias = {name: found.sel(source=f"{name}:losses").values for name in "abc"}
    shared = assumptions.reporting.hierarchy["enemy"]["losses"]
    mean, mean_sd = shared.mean.location_scale()
    spread = np.exp(np.random.default_rng(2).normal(*shared.spread.location_scale(), 100_000))
    variance = mean_sd**2 + np.mean(spread**2)
    for name in "ab":
        assert bias[name].mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / 3000))
        assert bias[name].var() == pytest.approx(variance, rel=0.15)
    assert np.corrcoef(bias["a"], bias["b"])[0, 1] == pytest.approx(mean_sd**2 / variance, abs=0.08)
    assert abs(np.corrcoef(bias["a"], bias["c"])[0, 1]) < 0.08


def test_an_origin_with_an_entry_of_its_own_shares_no_bias(tmp_path: Path) -> None:
    claims = table(tmp_path, months(origin="a", speaker="enemy"))
    own = "+reporting.origins.a.losses={bias: {family: Fixed, value: 0.1}, noise: 0.1}"
    evidence, assumptions = loaded(claims, SHARED, own)
    shared = shared_biases(sources_of(evidence.dataset), assumptions)
    assert shared.groups == []


def test_who_speaks_is_said_by_the_claims_that_count(tmp_path: Path) -> None:
    rows = months(origin="a", speaker="enemy", population="theirs", id="")
    rows += months(origin="a", speaker="own", population="ours", id="")
    rows = [one | {"id": f"A{at}"} for at, one in enumerate(rows)]
    claims = table(tmp_path, rows)
    for population, speaker in (("theirs", "enemy"), ("ours", "own")):
        evidence, _ = loaded(claims, f"evidence.populations=[{population}]")
        assert evidence.dataset.sizes["claim"] == 24
        assert sources_of(evidence.dataset) == {"a:losses": speaker}


def test_an_origin_none_of_whose_claims_counts_still_has_its_speaker() -> None:
    cells = {
        "source": ["a:losses", "b:losses", "b:losses"],
        "speaker": ["own", "", "enemy"],
        "used": [True, False, False],
    }
    data = xr.Dataset({name: ("claim", values) for name, values in cells.items()})
    assert sources_of(data) == {"a:losses": "own", "b:losses": "enemy"}


@given(seed=st.integers(0, 1000), centred=st.floats(0.0, 1.0))
@settings(deadline=None, max_examples=25)
def test_a_shared_bias_is_normal_around_its_mean_however_it_is_sampled(
    two_speakers: Callable[..., tuple[float, ...]], seed: int, centred: float
) -> None:
    """Its density is that of what is sampled over the slope of the bias by it."""
    rng = np.random.default_rng(seed)
    mean, spread, bias, slope, log_density = two_speakers(rng, centred)
    expected = norm(mean, spread).logpdf(bias)
    assert log_density - np.log(slope) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def two_speakers(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[float, ...]]:
    """Mean and spread of a shared bias, the bias, its slope, the log density of its coordinate."""
    rows = months(origin="a", speaker="enemy") + months(origin="c", speaker="own")
    evidence, assumptions = loaded(table(tmp_path_factory.mktemp("claims"), rows), SHARED)
    model = build_from_inputs(model_inputs(evidence, assumptions))
    names = ("shared_raw", "reporting_raw")
    outputs = [
        *model.replace_rvs_by_values([model["shared_bias"], model["reporting"]]),
        *model.logp([model["reporting_raw"]], sum=False),
    ]
    values = [model.rvs_to_values[model[name]] for name in names]
    function = pytensor.function(values, outputs, mode=INTERPRETED, on_unused_input="ignore")

    def one(rng: np.random.Generator, centred: float) -> tuple[float, ...]:
        common, raw = rng.normal(size=(2, 1)), rng.normal(size=(2, 2))
        with model:
            pm.set_data({"bias_centred": np.array([centred, 0.0])})
        shared, reporting, density = function(common, raw)
        _, further, _ = function(common, raw + np.array([[1.0], [0.0]]))
        slope = further[0, 0] - reporting[0, 0]
        return (*shared[:, 0], reporting[0, 0], slope, density[0, 0])

    return one


def test_the_sampler_s_coordinates_take_a_shared_bias_for_one_of_its_middle_and_size(
    tmp_path: Path,
) -> None:
    year = row(id="year", origin="b", speaker="enemy", period_end="2025-12-31")
    claims = table(tmp_path, [*months(origin="a"), year])
    evidence, shared = loaded(claims, SHARED.replace("low: 0.1, high: 0.5", "low: 0.3, high: 0.6"))
    hierarchy = shared.reporting.hierarchy["enemy"]["losses"]
    middle, sd = hierarchy.mean.location_scale()
    reach = 1.6448536 * np.hypot(sd, np.exp(hierarchy.spread.location_scale()[0]))
    own = f"{{family: Normal, low: {middle - reach}, high: {middle + reach}, mass: 0.9}}"
    noise = shared.reporting.default["losses"].noise
    _, apart = loaded(claims, f"+reporting.origins.b.losses={{bias: {own}, noise: {noise}}}")
    found, expected = (model_inputs(evidence, one).data["losses_map"] for one in (shared, apart))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    narrower = model_inputs(*loaded(claims, SHARED)).data["losses_map"]
    assert not np.allclose(narrower, expected, rtol=1e-3)


def test_a_bias_is_sampled_as_itself_where_its_claims_tell_it_and_not_the_losses(
    tmp_path: Path,
) -> None:
    """The losses are sampled as the reporter reports them, but for months with a floor."""
    reports = months(origin="a", speaker="enemy", id="")
    half = [one | {"origin": "b"} for one in reports[:6]]
    floor = reports[0] | {"origin": "c", "status": "confirmed"}
    for others, expected in (([], [False]), (half, [False, True]), ([floor], [True])):
        rows = [one | {"id": f"A{at}"} for at, one in enumerate([*reports, *others])]
        inputs = model_inputs(*loaded(table(tmp_path, rows), SHARED))
        np.testing.assert_array_equal(inputs.data["bias_centred"] > 0.5, expected)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (SHARED.replace("LogNormal", "Normal"), "spread: must be LogNormal"),
        (SHARED.replace("family: Normal", "family: Uniform"), "mean: must be Fixed or Normal"),
        (SHARED.replace("enemy", "friend"), "friend"),
        (SHARED.replace("mass: 0.9", "mass: 0.9, unit: persons"), "must be 'log ratio'"),
    ],
)
def test_a_hierarchy_that_makes_no_sense_is_refused(override: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        assumption_set([override])


# Wandering biases


def test_a_bias_that_wanders_is_fixed_at_the_end_and_spreads_backwards(tmp_path: Path) -> None:
    wander = (
        "+reporting.origins.counter.losses={bias: {family: Fixed, value: 0}, "
        "wander: {step: 0.2, every_months: 4}, noise: 0.1}"
    )
    evidence, assumptions = loaded(table(tmp_path, months()), wander)
    found = prior(evidence, assumptions)
    truth = np.log(found["losses"].values)
    bias = found["claim_location"].values - truth
    before_end = 11.0 - np.arange(12)
    whole = np.floor(before_end / 4.0)
    part = before_end / 4.0 - whole
    expected = 0.2 * np.sqrt(whole + part**2)
    assert bias.std(axis=0) == pytest.approx(expected, rel=0.1, abs=1e-9)
    assert bias[:, -1] == pytest.approx(0.0, abs=1e-9)


def test_the_sampled_losses_carry_the_shift_of_the_origin_that_reports_the_months(
    tmp_path: Path,
) -> None:
    wander = "{bias: {family: Fixed, value: 0}, wander: {step: 0.2, every_months: 4}, noise: 0.1}"
    rows = months(origin="often")[1:] + months(origin="seldom")[:3]
    floor = row(**FLOOR, period_start="2025-06-01", period_end="2025-06-30")
    evidence, assumptions = loaded(
        table(tmp_path, [floor, *rows]),
        f"+reporting.origins.often.losses={wander}",
        f"+reporting.origins.seldom.losses={wander}",
    )
    inputs = model_inputs(evidence, assumptions)
    coords, layout = inputs.structure.coords, inputs.structure.layout
    n_terms = 2 * len(coords["source"]) + len(coords["bias_step"])
    terms = np.random.default_rng(1).normal(size=n_terms)
    of_claims, of_months = (
        dict(zip(coords[dim], layout.multiply(inputs.data, name, terms), strict=True))
        for dim, name in (("claim", "shifts"), ("month", "offsets"))
    )
    for month, shift in of_months.items():
        if month == "2025-06":  # a confirmed figure lifts it: what lies above is sampled
            assert shift == 0.0
        elif month != "2025-01":
            assert shift == pytest.approx(of_claims[f"often-{month}"])
    assert of_months["2025-02"] != of_claims["seldom-2025-02"]


@given(n_months=st.integers(2, 60), every=st.integers(1, 24))
@settings(deadline=None, max_examples=25)
def test_the_steps_of_a_wandering_bias_reach_back_to_the_first_month(
    n_months: int, every: int
) -> None:
    assumptions = assumption_set()
    default = assumptions.reporting.default
    wander = Wander(step=0.1, every_months=every)
    recruits = default["recruits"].model_copy(update={"wander": wander})
    reporting = assumptions.reporting.model_copy(
        update={"default": {**default, "recruits": recruits}}
    )
    assumptions = assumptions.model_copy(update={"reporting": reporting})
    found = wandering_biases(["a:recruits", "a:losses"], n_months, assumptions)
    assert len(found.labels) == -(-(n_months - 1) // every)
    assert set(found.source.tolist()) == {0}
    assert (found.ramps[-1] == 0).all()
    assert (np.diff(found.ramps, axis=0) <= 1e-12).all()
    assert found.ramps[0].sum() == pytest.approx((n_months - 1) / every)


# Late registries

days = st.dates(pd.Timestamp("2025-01-01").date(), pd.Timestamp("2025-12-31").date())
delays = st.builds(Delay, median_days=st.floats(1, 400), spread=st.floats(0.1, 2))


@given(ends=st.tuples(days, days).map(sorted), waited=st.integers(-60, 900), delay=delays)
def test_what_is_known_is_a_share_that_grows_with_time_and_is_less_for_later_months(
    ends: list[object], waited: int, delay: Delay
) -> None:
    first, last = (pd.Timestamp(day) for day in ends)
    published = last + pd.Timedelta(days=waited)
    known = YEAR.known_share(first, last, published, delay)
    later = YEAR.known_share(first, last, published + pd.Timedelta(days=30), delay)
    assert ((known >= 0) & (known <= 1)).all()
    assert (later >= known - 1e-12).all()
    inside = YEAR.overlap_days(first, last) > 0
    assert (known[~inside] == 1).all()
    assert (np.diff(known[inside]) <= 1e-12).all()


def test_what_is_known_of_one_day_is_the_delay_s_distribution() -> None:
    day = pd.Timestamp("2025-03-10")
    delay = Delay(median_days=90, spread=0.8)
    known = YEAR.known_share(day, day, day + pd.Timedelta(days=119), delay)
    assert known[2] == pytest.approx(lognorm(s=0.8, scale=90).cdf(120))


def test_a_late_registry_is_held_against_what_it_could_know(tmp_path: Path) -> None:
    late = (
        "+reporting.origins.counter.killed={undercount: {family: LogNormal, low: 0.05, high: 0.4}, "
        "delay: {median_days: 90, spread: 0.5}, noise: 0.1}"
    )
    claims = table(tmp_path, months(quantity="killed", published="2026-01-10"))
    plain, _ = loaded(claims)
    evidence, _ = loaded(claims, late)
    share = evidence.dataset["weight"].values.diagonal() / plain.dataset["weight"].values.diagonal()
    assert share[0] > 0.99
    assert (np.diff(share) < 0).all()
    early, _ = loaded(table(tmp_path, months(quantity="killed", published="2025-12-20")), late)
    reasons = early.claims.set_index("id")["reason"]
    assert reasons["counter-2025-12"] == "published before its delay lets anything be known"
    assert reasons["counter-2025-08"] == ""


def test_if_nothing_could_be_known_no_claim_counts_and_that_is_said(tmp_path: Path) -> None:
    late = "+reporting.default.losses.delay={median_days: 9000, spread: 0.1}"
    with pytest.raises(EvidenceError, match=r"No claim counts.*\n.*published before its delay"):
        loaded(table(tmp_path, months()), late)


def test_a_confirmed_figure_has_no_delay_and_its_sums_are_still_differenced(tmp_path: Path) -> None:
    floors = months(status="confirmed", value="20000", published="2026-01-02")
    whole = floors[0] | {"id": "sum", "period_end": "2025-03-31", "value": "70000"}
    claims = table(tmp_path, [*floors[:2], whole, *months(origin="other")])
    late = "+reporting.default.losses.delay={median_days: 90, spread: 0.5}"
    (plain, _), (delayed, _) = loaded(claims), loaded(claims, late)
    for name in ("confirmed_weight", "confirmed_floor", "confirmed_used"):
        np.testing.assert_array_equal(plain.dataset[name], delayed.dataset[name])
    assert delayed.dataset["confirmed_floor"].sel(confirmed_claim="sum") == 30_000
    assert delayed.dataset["weight"].values[-1, -1] < 0.5 * plain.dataset["weight"].values[-1, -1]


def test_a_delay_is_for_counts_alone() -> None:
    delay = "+reporting.default.killed_share.delay={median_days: 90, spread: 0.5}"
    with pytest.raises(ConfigError, match="delay: only for counts of persons"):
        assumption_set([delay])


# Short periods, wounded, no floor


def test_daily_figures_with_independent_errors_say_as_much_as_their_month(tmp_path: Path) -> None:
    daily = [
        row(id=f"D{day}", period_start=day, period_end=day, value="1000", hedge="exact")
        for day in pd.date_range("2025-06-01", "2025-06-30").strftime("%Y-%m-%d")
    ]
    monthly = [row(id="M", period_start="2025-07-01", period_end="2025-07-31", hedge="exact")]
    evidence, assumptions = loaded(table(tmp_path, daily + monthly), "hedging.minimum=1e-6")
    noise = model_inputs(evidence, assumptions).figure("noise")
    assert np.sum(noise[:-1] ** -2.0) == pytest.approx(noise[-1] ** -2.0, rel=0.02)
    rounded, coarse = loaded(table(tmp_path, daily + monthly), "hedging.minimum=0.04")
    own = np.sqrt(model_inputs(rounded, coarse).figure("noise") ** 2 - noise**2)
    assert own == pytest.approx(0.04, rel=0.01), "rounding is that of the figure, not its period"
    flat = assumptions.reporting.model_copy(update={"noise_growth": 0.0})
    even = model_inputs(evidence, assumptions.model_copy(update={"reporting": flat}))
    assert np.ptp(even.figure("noise")) == 0


def test_evidence_without_a_floor_makes_a_model_and_the_wounded_are_what_is_not_killed(
    tmp_path: Path,
) -> None:
    rows = [
        row(id=name, quantity=name, period_end="2025-03-31")
        for name in ("losses", "killed", "wounded")
    ]
    evidence, assumptions = loaded(table(tmp_path, rows), "reporting=face_value")
    assert evidence.dataset.sizes["confirmed_claim"] == 0
    located = np.exp(prior(evidence, assumptions)["claim_location"])
    total = located.sel(claim="killed") + located.sel(claim="wounded")
    assert total.values == pytest.approx(located.sel(claim="losses").values)


def test_names_are_a_floor_that_rises_where_most_deaths_are_not_registered_yet(
    tmp_path: Path,
) -> None:
    names = months(
        quantity="killed", hedge="at_least", value="1000", origin="mediazona_meduza_named",
        published="2026-01-01",
    )  # fmt: skip
    evidence, assumptions = loaded(table(tmp_path, names), "reporting=registry_delay")
    inputs = model_inputs(evidence, assumptions)
    known = evidence.dataset["weight"].values.diagonal()
    entry = CompiledStructure(build_from_inputs(inputs))
    variables, likelihood = entry.evaluate(entry.draw_prior(4000, 3))
    killed = (variables["losses"] * variables["killed_share"]).values[0]
    below = killed * known < 0.9  # thousands; five standard deviations of the noise
    density = likelihood["reported"].values[0]
    assert below.any(axis=0).all()
    # Bounds of one origin weigh together as much as one: each of a year a twelfth of its -10.
    assert density[below].max() < -0.7
    assert (density[killed * known > 1.1] > -0.01).all()
    # A December of 1,400 dead is refused where a January of as many is not: fewer can be known.
    assert known[-1] < 0.15 < 0.7 < known[0]


# Stocks, whose biases are sampled as what their sources report


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_a_bias_of_a_stock_keeps_its_prior_however_it_is_sampled(
    stocks: Callable[[np.random.Generator], tuple[float, ...]], seed: int
) -> None:
    """Its density is that of what is sampled, over the slope of the bias by it."""
    bias, slope, log_density, location, scale = stocks(np.random.default_rng(seed))
    expected = norm(location, scale).logpdf(bias)
    assert log_density - np.log(slope) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def stocks(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[np.random.Generator], tuple[float, ...]]:
    """Bias, its slope, log density of its coordinate; location and scale of its prior."""
    stock = {"quantity": "force_size", "origin": "b", "value": 400_000}
    rows = [
        *months(),
        *(
            row(id=f"S{day}", period_start=day, period_end=day, **stock)
            for day in ("2025-03-01", "2025-11-01")
        ),
    ]
    evidence, assumptions = loaded(table(tmp_path_factory.mktemp("claims"), rows))
    inputs = model_inputs(evidence, assumptions)
    model = build_from_inputs(inputs)
    at = inputs.structure.coords["source"].index("b:force_size")
    assert inputs.structure.coords["stock_source"] == ["b:force_size"]
    values = list(model.value_vars)
    outputs = [
        *model.replace_rvs_by_values([model["reporting"]]),
        *model.logp([model["stock_reporting_raw"]], sum=False),
    ]
    function = pytensor.function(values, outputs, mode=INTERPRETED, on_unused_input="ignore")
    point = model.initial_point()
    name = model.rvs_to_values[model["stock_reporting_raw"]].name
    prior = (inputs.data[f"reporting_{part}"][0, at] for part in ("location", "scale"))
    location, scale = prior

    def one(rng: np.random.Generator) -> tuple[float, ...]:
        there = {key: array + 0.3 * rng.normal(size=array.shape) for key, array in point.items()}
        further = there | {name: there[name] + np.array([[1.0], [0.0]])}
        (bias, density), (moved, _) = (
            function(*(place[value.name] for value in values)) for place in (there, further)
        )
        return bias[0, at], moved[0, at] - bias[0, at], density[0, 0], location, scale

    return one


def test_what_is_sampled_of_a_stock_is_what_its_source_reports(tmp_path: Path) -> None:
    stock = row(
        **{"id": "S", "quantity": "force_size", "origin": "b", "value": 400_000},
        period_start="2025-06-01",
        period_end="2025-06-01",
    )
    evidence, assumptions = loaded(table(tmp_path, [*months(), stock]))
    found = prior(evidence, assumptions)
    raw = found["stock_reporting_raw"].sel(reporting_term="bias").values[..., 0]
    reported = found["claim_location"].sel(claim="S").values
    positive = reported > 250.0
    scale = model_inputs(evidence, assumptions).data["reporting_scale"][0, -1]
    expected = np.log(reported[positive] / 400.0) / scale
    assert positive.sum() > 200
    np.testing.assert_allclose(raw[positive], expected, atol=0.05 / scale)
