from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.replace import graph_replace
from scipy.stats import ks_2samp

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.fitting.compiled import CompiledStructure
from estimator.model.build import FLOWS
from estimator.model.figures import FIGURES
from estimator.model.inputs import ModelInputs
from estimator.quantities.derived import reported_quantities

MONTHLY = ("losses", "killed_share", "recruits", "foreign_recruits")


@pytest.fixture(scope="module")
def variables(central: CompiledStructure, prior_draws: dict[str, np.ndarray]):
    return central.evaluate({name: array[:, :200] for name, array in prior_draws.items()})


def test_forward_draws_have_the_dims_of_the_model(variables, central_inputs: ModelInputs) -> None:
    found, likelihood = variables
    coords = central_inputs.structure.coords
    for name in MONTHLY:
        assert found[name].dims == ("chain", "draw", "month")
        assert found[name].shape == (1, 200, len(coords["month"]))
        assert np.isfinite(found[name]).all()
        assert (found[name] > 0).all()
    assert (found["killed_share"] < 1).all()
    assert found["month"].values.tolist() == coords["month"]
    assert found["assumption_value"].dims == ("chain", "draw", "assumption")
    assert found["reporting"].dims == ("chain", "draw", "reporting_term", "source")
    assert likelihood["reported"].dims == ("chain", "draw", "claim")
    assert likelihood["confirmed_figure"].dims == ("chain", "draw", "confirmed_claim")


def test_the_model_names_the_flows_that_the_package_works_out_from_draws(
    variables, central: CompiledStructure, central_inputs: ModelInputs
) -> None:
    found = variables[0].isel(draw=slice(3))
    assert not set(FLOWS) & set(found)
    derived = reported_quantities(found, central_inputs, load_evidence(assumption_set()))
    model = central.model
    free = [rv.type(rv.name) for rv in model.free_RVs]
    known = dict(zip(model.free_RVs, free, strict=True))
    named = graph_replace([model[name] for name in FLOWS], known, strict=False)
    flows = pytensor.function(
        free, named, mode=Mode("py", "fast_compile"), on_unused_input="ignore"
    )
    for draw in range(3):
        point = [found[rv.name].values[0, draw] for rv in model.free_RVs]
        for name, thousands in zip(FLOWS, flows(*point), strict=True):
            assert model.named_vars_to_dims[name] == ("month",)
            expected = derived[name].values[0, draw]
            np.testing.assert_allclose(1000.0 * thousands, expected, rtol=1e-9, atol=1e-4)


def test_the_floor_is_evidence_and_not_prior(variables, central_inputs: ModelInputs) -> None:
    weight = central_inputs.structure.constants["confirmed_weight"]
    total = variables[0]["losses"].values @ weight.T
    used = central_inputs.data["confirmed_used"] > 0
    figure = central_inputs.data["confirmed_value"] + variables[0]["rounded_off"].values
    below = (total < figure)[..., used]
    assert 0.1 < below.mean() < 1.0
    impossible = np.isneginf(variables[1]["confirmed_figure"].values[..., used])
    np.testing.assert_array_equal(impossible, below)


def test_a_confirmed_figure_is_rounded_by_at_most_its_half_width(variables) -> None:
    off = variables[0]["rounded_off"]
    half_width = {"P01": 0.5, "P02": 1.8 + 0.5 + 0.7, "S03": 0.7, "P04": 0.0}  # thousands; 2 %
    for claim, most in half_width.items():
        drawn = np.abs(off.sel(confirmed_claim=claim))
        assert drawn.max() <= most
        assert drawn.max() >= 0.7 * most, "the rounding does not reach its ends"


def test_prior_draws_have_the_ranges_of_the_configuration(
    central: CompiledStructure, prior_draws: dict[str, np.ndarray]
) -> None:
    """5 % and 95 % of 4,000 draws: within four standard errors of their probabilities."""
    found, _ = central.evaluate(prior_draws)
    checked = 0
    for position, (key, prior) in enumerate(assumption_set().priors()):
        draws = found["assumption_value"].values[0, :, position] * ASSUMPTIONS[key].per_model_unit
        if prior.is_fixed:
            assert draws == pytest.approx(prior.quantile(0.5), abs=1e-12)
            continue
        for probability in (0.05, 0.5, 0.95):
            error = np.sqrt(probability * (1 - probability) / len(draws))
            below = (draws < prior.quantile(probability)).mean()
            assert below == pytest.approx(probability, abs=4 * error), key
        checked += 1
    assert checked >= 10


def test_draws_that_are_made_at_once_are_distributed_as_those_made_one_by_one(
    central: CompiledStructure, prior_draws: dict[str, np.ndarray]
) -> None:
    variables = central.model.free_RVs
    alone = pm.draw(variables, draws=400, random_seed=1, mode=Mode("py", "fast_compile"))
    p_values = []
    for variable, one_by_one in zip(variables, alone, strict=True):
        samples = [s.reshape(len(s), -1) for s in (prior_draws[variable.name][0], one_by_one)]
        for first, second in (samples, [s[:, 1:] * s[:, :-1] for s in samples]):
            pairs = zip(first.T, second.T, strict=True)  # values, and products of neighbours
            p_values += [ks_2samp(*pair).pvalue for pair in pairs]
    n_tests = len(p_values)
    assert n_tests > 500
    assert min(p_values) > 1e-3 / n_tests
    assert np.mean(np.array(p_values) < 0.05) < 0.15  # neighbours are correlated, and so are tests
    later = prior_draws["assumption_raw"][0]
    assert abs(np.corrcoef(later[1:].ravel(), later[:-1].ravel())[0, 1]) < 0.02


def test_steps_of_the_losses_have_the_assumed_size(
    central: CompiledStructure, prior_draws: dict[str, np.ndarray]
) -> None:
    found, _ = central.evaluate({name: array[:, :1000] for name, array in prior_draws.items()})
    step = found["losses_step"].values[0]
    scaled = np.diff(prior_draws["log_losses"][0, :1000], axis=1) / step[:, 1:]
    assert scaled.std() == pytest.approx(1.0, abs=0.02)
    assert scaled.mean() == pytest.approx(0.0, abs=0.02)


def test_the_density_is_finite_where_sampling_starts(central: CompiledStructure) -> None:
    model = central.model
    start = model.initial_point()
    density = pytensor.function(
        model.value_vars, model.logp(sum=False), mode=Mode(linker="py", optimizer="fast_compile")
    )
    parts = density(**start)
    assert len(parts) == len(model.free_RVs) + len(model.observed_RVs)
    assert all(np.isfinite(part).all() for part in parts)


def test_what_was_sampled_gives_back_the_free_variables(
    central: CompiledStructure, prior_draws: dict[str, np.ndarray]
) -> None:
    start = {name: value[None, None] for name, value in central.model.initial_point().items()}
    free = central.free_variables(start)
    assert {name: array.shape[2:] for name, array in free.items()} == {
        name: array.shape[2:] for name, array in prior_draws.items()
    }


def test_a_claim_that_does_not_count_adds_nothing_to_the_density(
    central: CompiledStructure, central_inputs: ModelInputs, prior_draws: dict[str, np.ndarray]
) -> None:
    figures = central_inputs.data["claim_figures"].copy()
    used = FIGURES.index("used")
    claim = int(np.flatnonzero(figures[used])[0])
    figures[used, claim] = 0.0
    others = np.arange(figures.shape[1]) != claim
    few = {name: array[:, :2] for name, array in prior_draws.items()}
    with central.model:
        pm.set_data({"claim_figures": figures})
        _, without = central.evaluate(few)
        pm.set_data({"claim_figures": central_inputs.data["claim_figures"]})
    _, with_it = central.evaluate(few)
    assert (without["reported"][..., claim] == 0).all()
    assert (with_it["reported"][..., claim] != 0).all()
    np.testing.assert_array_equal(
        without["reported"][..., others], with_it["reported"][..., others]
    )
