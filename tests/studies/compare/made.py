"""Sets made up for tests: of given draws in memory, as results on disk, and as sweeps on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from estimator.fitting.entries import EntryLayout, Variable, statistics
from estimator.fitting.reweighting import pooled_entries
from estimator.quantities.answers import Answer
from estimator.store.sets import Chunk

WINDOW = "2022-02-24 to 2026-01-31"
LOSSES = Answer.parse("losses[2026-01]")
TOTAL = Answer.parse("losses[total]")
GAP = Answer.parse("net_change[2026-01]")
CHANCE = Answer.parse("P(net_change[2026-01] < 0)")


class Made:
    """A source of sets whose draws are given: each set weighs the draws of one pool."""

    def __init__(
        self,
        draws: Mapping[Answer, np.ndarray],
        weights: Mapping[str, np.ndarray],
        *,
        kept: bool = True,
        units: Mapping[Answer, str] | None = None,
        relative_ess: float = 1.0,
        **facts: Any,
    ) -> None:
        self._draws, self._weights, self._kept = draws, weights, kept
        self._relative_ess = relative_ess
        self._units = units or {}
        size = len(next(iter(draws.values())))
        own: dict[str, Any] = {
            "set_id": list(weights),
            "folder": "made",
            "run": "made",
            "obtained": "reweighted",
            "k_hat": 0.1,
            "ess": [relative_ess / float(np.sum((w / w.sum()) ** 2)) for w in weights.values()],
            "max_rhat": 1.0,
            "divergences": 0,
            "failures": "",
            "data_hash": "0123",
            "window": WINDOW,
            "counts": "losses",
        }
        self.facts = pd.DataFrame(own | facts, index=pd.Index(list(weights), name="label"))
        self.months = ["2025-12", "2026-01"]
        self._places = np.arange(size) + 1_000_000 * int(facts.get("pool", 0))

    def _rows(self, answers: Sequence[Answer]) -> np.ndarray:
        size = len(next(iter(self._draws.values())))
        empty = np.full(size, np.nan)
        return np.stack([self._draws.get(answer, empty) for answer in answers])

    def table(self, answers: Sequence[Answer]) -> np.ndarray:
        plain = [Answer(answer.quantity, answer.period) for answer in answers]
        rows = self._rows(plain)
        layout = EntryLayout((Variable("a", "a", tuple(map(str, plain)), ("",)),))
        relative = np.full(len(rows), self._relative_ess)
        entries = pooled_entries([(layout, rows[:, None], relative)])
        return np.stack([statistics(entries, weights) for weights in self._weights.values()])

    def chunks(self, answers: Sequence[Answer], wanted: set[str]) -> Iterator[Chunk]:
        own = dict(zip(self.facts.index, self._weights.values(), strict=True))
        labels = tuple(label for label in own if label in wanted)
        if not self._kept or not labels:
            return
        plain = [Answer(answer.quantity, answer.period) for answer in answers]
        rows = self._rows(plain)
        for n, answer in enumerate(answers):
            if answer.below_zero:
                rows[n] = rows[n] < 0
        weights = np.stack([own[label] / own[label].sum() for label in labels])
        yield Chunk(labels, rows, weights, self._places, (rows[:, None],))

    def unit(self, answer: Answer) -> str:
        return self._units.get(answer, answer.unit)


def alone(label: str, pool: int, seed: int = 0, shift: float = 0.0, **facts: Any) -> Made:
    """One set with its own draws: losses normal(30,000 + shift, 2,000), change normal(0, 1,000)."""
    rng = np.random.default_rng([seed, pool])
    draws = {
        LOSSES: 30_000.0 + shift + 2_000.0 * rng.standard_normal(1000),
        TOTAL: 1e6 + 5e4 * rng.standard_normal(1000),
        GAP: 1_000.0 * rng.standard_normal(1000),
    }
    return Made(draws, {label: np.ones(1000)}, pool=pool, **facts)
