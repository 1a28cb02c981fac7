"""The ladder of attempts: what follows on an attempt that fails, and which one is kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr

from estimator.assumptions.compose import assumption_set
from estimator.assumptions.fit_options import FitOptions
from estimator.assumptions.groups import SamplerOptions
from estimator.errors import SamplingError
from estimator.fitting import ladder
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.ladder import Fitted, Ladder, Seeds, fit_plainly

OPTIONS = FitOptions(draws=100, tune=50, max_depth=4, target_accept=0.85, attempts=5)
GOOD = Diagnostics(1.0, 800.0, 800.0, {}, 0, ())
FEW = Diagnostics(1.05, 90.0, 90.0, {}, 0, ("ESS 90 < 400",))
FEWER = Diagnostics(1.4, 9.0, 9.0, {}, 0, ("ESS 9 < 400",))
DIVERGED = Diagnostics(1.0, 800.0, 800.0, {}, 300, ("300 divergences > 0",))
RARELY = Diagnostics(1.0, 800.0, 800.0, {}, 2, ("2 divergences > 0",))


class Sampler:
    """Stands in for NUTS: records each run, and gives draws that are the number of the run."""

    def __init__(self, verdicts: list[Diagnostics | Exception]) -> None:
        self.verdicts = verdicts
        self.runs: list[dict[str, Any]] = []
        self.whitenings: list[str] = []

    def coordinates(self, name: str) -> str:
        self.whitenings.append(name)
        return name

    def sample(
        self, _: object, whitening: str, options: FitOptions, chains: int, seed: int, cores: int
    ) -> tuple[xr.Dataset, xr.Dataset]:
        number = len(self.runs)
        self.runs.append({"whitening": whitening, "options": options, "seed": seed})
        result = self.verdicts[number]
        if isinstance(result, Exception):
            raise result
        draws = (("chain", "draw"), np.full((chains, 1), float(number)))
        dataset = xr.Dataset({"run": draws}, {"chain": np.arange(chains)})
        return dataset, dataset

    def judge(self, variables: xr.Dataset, _: xr.Dataset) -> tuple[list[float], Diagnostics]:
        result = self.verdicts[len(self.runs) - 1]
        assert isinstance(result, Diagnostics)
        assert variables["chain"].values.tolist() == list(range(variables.sizes["chain"]))
        return variables["run"].values[:, 0].tolist(), result


@pytest.fixture
def sampler_options() -> SamplerOptions:
    return assumption_set().sampler.model_copy(update={"chains": 1})


@pytest.fixture
def climb(monkeypatch: pytest.MonkeyPatch, sampler_options: SamplerOptions) -> Any:
    """Climb the ladder with a sampler whose attempts end as the test says."""

    def run(
        *verdicts: Diagnostics | Exception, pilot: bool = True
    ) -> tuple[Fitted[list[float]], Sampler]:
        nuts = Sampler([*verdicts, *[FEWER] * 10])
        monkeypatch.setattr(ladder, "infer_whitened", nuts.sample)
        monkeypatch.setattr(ladder, "transfer", lambda *_: (nuts.coordinates("shared"), None))
        monkeypatch.setattr(ladder, "whitening_of", lambda *_: nuts.coordinates("laplace"))
        monkeypatch.setattr(ladder, "learn_whitening", lambda *_: nuts.coordinates("pilot"))
        seeds: Any = Seeds(lambda attempt: attempt, "pilot")  # type: ignore[arg-type, return-value]
        made: Any = object() if pilot else None
        fitted = Ladder.of(OPTIONS, sampler_options, 1).fit(made, made, seeds, nuts.judge)
        return fitted, nuts

    return run


def test_an_attempt_that_satisfies_the_bounds_is_the_last(climb: Any) -> None:
    fitted, nuts = climb(GOOD)
    assert fitted.ok
    assert (fitted.kept, fitted.attempts) == ([0.0], 1)
    assert nuts.runs == [{"whitening": "shared", "options": OPTIONS, "seed": 0}]


def test_chains_that_are_too_few_are_joined_by_as_many_with_another_seed(climb: Any) -> None:
    fitted, nuts = climb(FEW, GOOD)
    assert fitted.kept == [0.0, 1.0]
    assert [run["seed"] for run in nuts.runs] == [0, 1]
    assert nuts.runs[1]["options"] == OPTIONS
    assert nuts.whitenings == ["shared"]  # learnt once


def test_draws_that_diverge_are_thrown_away_and_the_next_steps_are_smaller(climb: Any) -> None:
    fitted, nuts = climb(DIVERGED, GOOD)
    assert fitted.kept == [1.0]
    assert nuts.runs[1]["options"].target_accept == pytest.approx(0.95)


def test_after_two_attempts_come_coordinates_of_its_own_with_twice_the_draws(climb: Any) -> None:
    fitted, nuts = climb(FEWER, FEWER, FEWER, FEWER, GOOD)
    assert [run["whitening"] for run in nuts.runs] == [
        "shared",
        "shared",
        "laplace",
        "pilot",
        "pilot",
    ]
    assert [run["options"].draws for run in nuts.runs] == [100, 100, 200, 200, 200]
    assert fitted.kept == [3.0, 4.0]  # chains of other coordinates are not mixed


def test_without_a_pilot_that_lies_near_the_first_attempt_has_one_of_its_own(climb: Any) -> None:
    _, nuts = climb(GOOD, pilot=False)
    assert nuts.runs == [{"whitening": "pilot", "options": OPTIONS, "seed": 0}]


def test_the_best_attempt_is_kept_and_not_the_last(climb: Any) -> None:
    fitted, _ = climb(FEWER, FEWER, FEW, DIVERGED, DIVERGED)
    assert not fitted.ok
    assert (fitted.kept, fitted.attempts) == ([2.0], 5)
    assert fitted.failures == "ESS 90 < 400"


def test_an_attempt_that_the_sampler_gives_up_is_followed_by_the_next(climb: Any) -> None:
    fitted, nuts = climb(RuntimeError("no initial point"), GOOD)
    assert fitted.kept == [1.0]
    assert len(nuts.runs) == fitted.attempts == 2


def test_a_sampler_that_gives_up_every_attempt_leaves_an_error_with_its_reason(climb: Any) -> None:
    fitted, _ = climb(*[RuntimeError("no initial point\nat all")] * 5)
    assert fitted.failures == "RuntimeError: no initial point"
    with pytest.raises(SamplingError, match="gave up in 5 attempts: RuntimeError: no initial"):
        fitted.draws()


def test_a_fault_that_is_none_of_the_sampler_s_comes_through(climb: Any) -> None:
    with pytest.raises(KeyError):
        climb(KeyError("month"))


@pytest.mark.parametrize(
    ("verdicts", "last", "kept"),
    [
        pytest.param((GOOD,), ("diag", 0.92, 1, 1), 0, id="a diagonal matrix that will do is all"),
        pytest.param((FEW, GOOD), ("laplace", 0.95, 1, 1), 1, id="laplace comes next"),
        pytest.param((FEW, FEWER, GOOD), ("diag", 0.98, 4, 2), 2, id="then the best, for longer"),
        pytest.param(
            (FEWER, FEW, *[FEWER] * 4), ("laplace", 0.98, 8, 16), 1, id="the best attempt is kept"
        ),
        pytest.param(
            (DIVERGED, GOOD), ("diag", 0.98, 1, 1), 1, id="smaller steps where few diverge"
        ),
        pytest.param(
            (FEW, DIVERGED, DIVERGED, GOOD), ("diag", 0.98, 4, 2), 3, id="then the other geometry"
        ),
        pytest.param(
            (RARELY, FEW, DIVERGED, DIVERGED, GOOD), ("diag", 0.98, 2, 2), 4, id="or better steps"
        ),
        pytest.param(
            (DIVERGED, RARELY, FEW, GOOD), ("diag", 0.995, 2, 2), 3, id="in the end the smallest"
        ),
        pytest.param(
            (FEW, FEWER, RARELY, RARELY, GOOD),
            ("diag", 0.999, 4, 2),
            4,
            id="which the longest may need too",
        ),
        pytest.param(
            (FEW, FEWER, RARELY, FEW, GOOD), ("diag", 0.995, 8, 4), 4, id="or still longer chains"
        ),
    ],
)
def test_without_a_pilot_geometries_are_tried_and_then_the_best_for_longer(
    verdicts: tuple[Diagnostics, ...],
    last: tuple[str, float, int, int],
    kept: int,
    monkeypatch: pytest.MonkeyPatch,
    sampler_options: SamplerOptions,
) -> None:
    runs: list[SamplerOptions] = []

    def infer(_: object, options: SamplerOptions, *__: object) -> int:
        runs.append(options)
        return len(runs) - 1

    options = sampler_options.model_copy(update={"target_accept": 0.92})
    diagonal = options.model_copy(update={"adaptation": "diag"})
    laplace = options.model_copy(update={"adaptation": "laplace", "target_accept": 0.95})
    monkeypatch.setattr(ladder, "infer", infer)
    monkeypatch.setattr(ladder, "geometries", lambda *_: (diagonal, laplace))
    judged: Iterator[Diagnostics] = iter(verdicts)
    judge: Any = lambda number: (number, next(judged))  # noqa: E731 - a stub of one line
    fitted = fit_plainly(None, options, np.random.SeedSequence(0), judge)  # type: ignore[arg-type]
    geometry, accepted, more_draws, more_tuning = last
    assert (runs[-1].adaptation, runs[-1].target_accept) == (geometry, accepted)
    assert runs[-1].draws == more_draws * options.draws
    assert runs[-1].tune == more_tuning * options.tune
    assert (fitted.kept, fitted.attempts) == (kept, len(verdicts))


def test_diagnostics_are_further_off_the_more_they_miss_their_worst_bound() -> None:
    bounds = assumption_set().sampler
    near = dataclasses.replace(GOOD, max_rhat=1.011)
    unknown = dataclasses.replace(GOOD, max_rhat=float("nan"))
    ordered = [GOOD, near, FEW, FEWER, unknown]
    distances = [ladder.shortfall(each, bounds) for each in ordered]
    assert distances == sorted(distances)
    assert distances[0] <= 1.0 < distances[1]
