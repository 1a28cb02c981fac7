from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from estimator.assumptions.compose import assumption_set
from estimator.assumptions.groups import SamplerOptions
from estimator.evidence import load_evidence
from estimator.fitting import inference
from estimator.fitting.compiled import (
    CompiledStructure,
    Start,
    _checked,
    compiled,
    densities,
)
from estimator.fitting.diagnostics import diagnose
from estimator.fitting.inference import geometries, learn_whitening
from estimator.fitting.nuts import nutpie
from estimator.fitting.whitening import Whitening
from estimator.model.build import build_from_inputs
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.model.random_walk import SPARSE_WALKS
from tests.evidence import tables


@pytest.fixture(scope="module")
def options() -> SamplerOptions:
    return assumption_set().sampler


def draws_of(values: np.ndarray) -> xr.Dataset:
    """Draws (chain, draw, month), with a month that never changes."""
    months = ["2025-12", "2026-01", "fixed"]
    still = np.full((*values.shape[:2], 1), 7.0)
    data = np.concatenate([values, still], axis=-1)
    return xr.Dataset({"losses": (("chain", "draw", "month"), data)}, coords={"month": months})


def stats_of(divergences: int) -> xr.Dataset:
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[0, :divergences] = True
    return xr.Dataset({"diverging": (("chain", "draw"), diverging)})


@pytest.fixture
def independent() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((4, 1000, 2))


def test_independent_draws_pass(independent: np.ndarray, options: SamplerOptions) -> None:
    found = diagnose(draws_of(independent), stats_of(0), options)
    assert found.ok
    assert found.failures == ()
    assert 0.99 < found.max_rhat < 1.01
    assert found.min_ess_bulk > 3000


def test_a_chain_that_went_elsewhere_fails_by_r_hat_and_is_named(
    independent: np.ndarray, options: SamplerOptions
) -> None:
    independent[2, :, 1] += 3.0
    found = diagnose(draws_of(independent), stats_of(0), options)
    assert not found.ok
    assert found.worst["max_rhat"] == "losses[2026-01]"
    assert "R-hat" in found.failures[0]
    assert "losses[2026-01]" in found.failures[0]


def test_draws_of_which_no_r_hat_can_be_told_fail(options: SamplerOptions) -> None:
    stands_still = np.tile(np.arange(4.0)[:, None, None], (1, 1000, 2))
    two_values = np.tile(np.array([0.0, 1.0])[None, :, None], (4, 500, 2))
    for stuck in (stands_still, two_values):
        found = diagnose(draws_of(stuck), stats_of(0), options)
        assert not found.max_rhat < 10.0
        assert found.failures[0].startswith("R-hat")


def test_a_slow_chain_fails_by_effective_sample_size(options: SamplerOptions) -> None:
    slow = np.random.default_rng(2).standard_normal((4, 1000, 2)).cumsum(axis=1)
    found = diagnose(draws_of(slow), stats_of(0), options)
    assert any(text.startswith("bulk ESS") for text in found.failures)
    assert any(text.startswith("tail ESS") for text in found.failures)


def test_one_divergence_fails(independent: np.ndarray, options: SamplerOptions) -> None:
    found = diagnose(draws_of(independent), stats_of(1), options)
    assert found.failures == ("1 divergences > 0",)
    allowed = options.model_copy(update={"max_divergences": 1})
    assert diagnose(draws_of(independent), stats_of(1), allowed).ok


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelInputs, CompiledStructure]:
    """One point claim, one range and one floor in a year."""
    folder: Path = tmp_path_factory.mktemp("claims")
    claims = tables.claims(
        folder,
        tables.row(id="P", period_start="2025-03-01", period_end="2025-03-31"),
        tables.row(id="R", hedge="range", low="20000", value="", high="40000"),
    )
    assumptions = assumption_set(["window=since_2025"])
    inputs = model_inputs(load_evidence(assumptions, claims), assumptions)
    return inputs, CompiledStructure(build_from_inputs(inputs))


def test_the_log_likelihood_of_a_point_is_scipys(
    small: tuple[ModelInputs, CompiledStructure],
) -> None:
    inputs, entry = small
    found, likelihood = entry.evaluate(entry.draw_prior(5, 3))
    position = inputs.structure.coords["claim"].index("P")
    location = found["claim_location"].sel(claim="P").values
    noise = inputs.figure("noise")[position]
    expected = stats.norm.logpdf(np.log(30.0), location, noise)
    np.testing.assert_allclose(likelihood["reported"].sel(claim="P"), expected)


def test_the_log_likelihood_of_a_range_is_scipys(
    small: tuple[ModelInputs, CompiledStructure],
) -> None:
    inputs, entry = small
    found, likelihood = entry.evaluate(entry.draw_prior(50, 3))
    noise = inputs.figure("noise")[inputs.structure.coords["claim"].index("R")]
    location = found["claim_location"].sel(claim="R").values
    near = np.abs(location - np.log(30.0)) < 6 * noise
    normal = stats.norm(location[near], noise)
    expected = np.log(normal.cdf(np.log(40.0)) - normal.cdf(np.log(20.0)))
    assert near.sum() > 5
    actual = likelihood["reported"].sel(claim="R").values[near]
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_the_same_seed_gives_the_same_prior(small: tuple[ModelInputs, CompiledStructure]) -> None:
    first, second, other = (small[1].draw_prior(4, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first["log_losses"], second["log_losses"])
    assert (first["log_losses"] != other["log_losses"]).all()


def test_data_of_a_wrong_length_are_refused(small: tuple[ModelInputs, CompiledStructure]) -> None:
    inputs, entry = small
    short = dataclasses.replace(
        inputs, data=inputs.data | {"claim_value": inputs.data["claim_value"][:-1]}
    )
    with pytest.raises(ValueError, match=r"claim_value must have shape \(2,\). Got \(1,\)"):
        _checked(short, entry)
    assert _checked(inputs, entry) is inputs.data


def test_a_structure_is_built_once_and_nothing_is_compiled_for_it(
    small: tuple[ModelInputs, CompiledStructure],
) -> None:
    before = densities()
    inputs, _ = small
    assert compiled(inputs.structure, inputs) is compiled(inputs.structure, inputs)
    assert densities() == before


def test_where_chains_start_does_not_hang_on_the_set_that_was_built_first(
    small: tuple[ModelInputs, CompiledStructure],
) -> None:
    """Seen: a set's draws in a multirun were not those of a run of its own."""
    inputs, _ = small
    moved = inputs.data | {"losses_start": inputs.data["losses_start"] + 1.0}
    other = dataclasses.replace(inputs, data=moved)

    def start(built: ModelInputs, sampled: ModelInputs) -> np.ndarray:
        entry = CompiledStructure(build_from_inputs(built))
        without_data = SimpleNamespace(shared_var_keys={}, with_data=dict)
        vars(entry)["density"] = without_data  # where chains start needs no machine code
        entry.with_data(sampled)
        names = [value.name for value in entry.model.value_vars]
        return Start(entry.model, names)(7)

    alone = start(other, other)
    np.testing.assert_array_equal(start(inputs, other), alone)
    assert not np.array_equal(start(inputs, inputs), alone)


def adaptations(inputs: ModelInputs, options: SamplerOptions) -> list[str]:
    return [settings.adaptation for settings in geometries(inputs, options)]


def test_laplace_comes_first_where_claims_outnumber_what_is_sampled(
    options: SamplerOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_laplace_departure", lambda inputs: 5.0)
    assumptions = assumption_set()
    inputs = model_inputs(load_evidence(assumptions), assumptions)
    assert options.adaptation == "auto"
    assert adaptations(inputs, options) == ["diag", "laplace", "pilot"]
    n_series, n_months, claims = 1 + len(SPARSE_WALKS), 2, int(inputs.figure("used").sum())
    as_many = claims - n_series * n_months
    for n_sources, first in ((as_many, "diag"), (as_many - 1, "laplace")):
        coords = {"month": ["m"] * n_months, "source": ["s"] * n_sources}
        short = dataclasses.replace(inputs.structure, coords=inputs.structure.coords | coords)
        tried = geometries(dataclasses.replace(inputs, structure=short), options)
        assert tried[0].adaptation == first
        steps = {settings.adaptation: settings.target_accept for settings in tried}
        assert steps["diag"] == options.target_accept < steps["laplace"]
    fixed = options.model_copy(update={"adaptation": "low_rank"})
    assert geometries(inputs, fixed) == (fixed,)


@pytest.mark.parametrize(
    ("departure", "first"), [(0.5, "laplace"), (0.9, "diag"), (np.inf, "diag")]
)
def test_laplace_comes_first_with_usual_steps_where_it_is_near_the_posterior(
    options: SamplerOptions, monkeypatch: pytest.MonkeyPatch, departure: float, first: str
) -> None:
    monkeypatch.setattr(inference, "_laplace_departure", lambda inputs: departure)
    assumptions = assumption_set()
    tried = geometries(model_inputs(load_evidence(assumptions), assumptions), options)
    assert tried[0].adaptation == first
    assert tried[0].target_accept == options.target_accept


@pytest.mark.parametrize("near", [False, True])
def test_a_pilot_learns_from_the_draws_of_all_its_chains(
    options: SamplerOptions, monkeypatch: pytest.MonkeyPatch, near: bool
) -> None:
    draws = np.random.default_rng(1).normal([1.0, -2.0, 3.0], [1.0, 2.0, 3.0], (2, 50, 3))
    laplace = Whitening.of_covariance(np.array([5.0, 0.0, 1.0]), np.diag([4.0, 1.0, 9.0]), 1.0)
    sampled = (draws - laplace.center) / laplace.scale if near else draws
    trace = {"sample_stats": {"unconstrained_draw": SimpleNamespace(values=sampled)}}
    prepared: list[bool] = []
    start = SimpleNamespace(prepare=lambda: prepared.append(True))
    density = SimpleNamespace(initial_point_func=start)
    entry = SimpleNamespace(with_data=lambda _: density)
    monkeypatch.setattr(inference, "compiled", lambda *_: entry)
    monkeypatch.setattr(inference, "laplace_whitening", lambda _: laplace)
    monkeypatch.setattr(inference, "departure", lambda *_: 0.1 if near else 2.0)
    monkeypatch.setattr(inference, "whitened_model", lambda model, _: model)
    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: trace)
    inputs: Any = SimpleNamespace(structure=None)
    found = learn_whitening(inputs, options, np.random.SeedSequence(1), 1)
    assert prepared == ([] if near else [True])
    np.testing.assert_allclose(found.center, draws.mean(axis=(0, 1)))
    np.testing.assert_allclose(found.scale, draws.std(axis=(0, 1)))
