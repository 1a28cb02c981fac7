from __future__ import annotations

import math
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from estimator.fitting.entries import STATISTICS, Entries, EntryLayout, Variable
from estimator.fitting.smoothing import Weights
from estimator.sweep import pools
from estimator.sweep.pools import Pool, reweight_chunk

N_DRAWS = 1000
EVEN = np.full(N_DRAWS, -math.log(N_DRAWS))
LAYOUT = EntryLayout((Variable("losses", "month", ("2025-12", "2026-01"), ("", "")),))


def reweighted(monkeypatch: pytest.MonkeyPatch, **weights: Weights) -> dict[str, Any]:
    """Reweight sets with known weights, at least 400 effective draws of each of which is asked.

    The pool's worst entry has half as many effective draws as draws; the clock moves by 12 seconds.
    """
    draws = np.tile(np.arange(float(N_DRAWS)), (2, 1))
    order = np.tile(np.arange(N_DRAWS), (2, 1))
    pool = SimpleNamespace(
        names=("base-a", "base-b"),
        mixture=SimpleNamespace(weights=lambda name: weights[name]),
        entries=Entries(LAYOUT, draws, order, np.ones(2)),
        layout=LAYOUT,
        unused_rows={"all count": np.zeros(0, int), "no January": np.array([1])},
        worst_relative_ess=0.5,
        max_rhat=1.004,
        divergences=2,
    )
    asked = SimpleNamespace(sampler=SimpleNamespace(min_ess=400.0))
    sets: Any = [
        SimpleNamespace(
            set_id=name,
            hyper=name,
            assumptions=asked,
            evidence_key="no January" if name == "less" else "all count",
        )
        for name in weights
    ]
    clock = count(100.0, 12.0)
    monkeypatch.setattr(pools.time, "perf_counter", lambda: next(clock))
    options: Any = SimpleNamespace(max_k_hat=0.7, keep_draws=False)
    records = reweight_chunk(sets, (cast(Pool, pool), options))
    return {record.set_id: record for record in records}


def test_sets_on_the_bounds_of_their_weights_are_reached_and_those_beyond_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = reweighted(
        monkeypatch,
        near=Weights(EVEN, 0.1, 1000.0),
        bound=Weights(EVEN, 0.7, 800.0),
        tail=Weights(EVEN, 0.71, 1000.0),
        few=Weights(EVEN, 0.1, 799.0),
    )
    assert {name: record.obtained.ess for name, record in found.items()} == {
        "near": 500.0,
        "bound": 400.0,
    }


def test_the_time_of_reweighting_is_shared_by_all_sets_that_were_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = Weights(EVEN, math.inf, 1.0)
    near = Weights(EVEN, 0.1, 1000.0)
    found = reweighted(monkeypatch, a=near, b=far, c=near)
    assert {name: record.obtained.seconds for name, record in found.items()} == {"a": 4.0, "c": 4.0}


def test_what_a_set_s_claims_do_not_speak_of_has_no_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = Weights(EVEN, 0.1, 1000.0)
    found = reweighted(monkeypatch, all=near, less=near)
    mean = STATISTICS.index("mean")
    assert found["all"].statistics[:, mean].tolist() == [499.5, 499.5]
    assert found["less"].statistics[0, mean] == 499.5
    assert np.isnan(found["less"].statistics[1]).all()
