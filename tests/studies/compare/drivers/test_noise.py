from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from estimator.quantities.answers import Answer
from estimator.store.sets import Chunk
from estimator.studies.compare.drivers.noise import error_draws
from tests.studies.compare.drivers.sweeps import CHANCE, NET

DRAWS = 20_000
RNG = np.random.default_rng(0)
VALUES = np.stack([RNG.normal(size=DRAWS), RNG.random(DRAWS) < 0.3]).astype(float)


class Shared:
    """Three reweighted sets of one pool, the first two alike, and a fitted one."""

    labels = ("one", "alike", "other half", "fitted")

    def __init__(self) -> None:
        how = ["reweighted"] * 3 + ["fitted"]
        self.facts = pd.DataFrame({"obtained": how}, index=list(self.labels))
        half = np.arange(DRAWS) < DRAWS / 2
        self.weights = np.stack([half, half, ~half]) / (DRAWS / 2)
        self.asked: list[str] = []

    def value(self, answer: Answer) -> np.ndarray:
        return np.full(4, 0.3 if answer.below_zero else 0.0)

    def error(self, answer: Answer) -> np.ndarray:
        return np.array([1.0, 2.0, 3.0, 4.0]) * (0.01 if answer.below_zero else 1.0)

    def chunks(self, answers: Sequence[Answer], labels: Sequence[str]) -> Iterator[Chunk]:
        self.asked += labels
        places = np.arange(DRAWS, dtype=np.uint64)
        yield Chunk(("one", "alike"), VALUES, self.weights[:2], places, ())
        yield Chunk(("other half",), VALUES, self.weights[2:], places, ())


def drawn(rows: Sequence[int] = (0, 1, 2, 3)) -> np.ndarray:
    sets = Shared()
    found = error_draws(sets, [NET, CHANCE], np.array(rows), 2000, np.random.default_rng(1))
    assert set(sets.asked) == {"one", "alike", "other half"}
    return found


def test_errors_have_the_size_that_is_stored() -> None:
    for row, size in enumerate((1.0, 0.01)):
        np.testing.assert_allclose(drawn()[row].std(axis=0), size * np.arange(1.0, 5.0), rtol=0.06)


def test_sets_with_the_same_weights_err_together_and_with_other_draws_apart() -> None:
    for row in range(2):
        together = np.corrcoef(drawn()[row].T)
        assert together[0, 1] > 0.999
        np.testing.assert_allclose(together[[0, 0, 1], [2, 3, 3]], 0.0, atol=0.07)


def test_errors_stand_in_the_order_of_the_rows_that_are_asked_for() -> None:
    found = drawn([2, 0, 1])
    np.testing.assert_allclose(found[0].std(axis=0), [3.0, 1.0, 2.0], rtol=0.06)
    assert np.corrcoef(found[0].T)[1, 2] > 0.999
