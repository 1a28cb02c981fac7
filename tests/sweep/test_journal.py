from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import settings

from estimator.errors import OutputError
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.entries import STATISTICS, EntryLayout, Variable
from estimator.fitting.pilot import Pilot
from estimator.fitting.whitening import Whitening
from estimator.store.log_weights import packed
from estimator.sweep.journal import (
    FitRecord,
    Obtained,
    SetRecord,
    SweepJournal,
)
from estimator.sweep.set_fit import Fit

ROOT = Path(__file__).parents[2]
quick = settings(max_examples=50, deadline=None)

LAYOUT = EntryLayout((Variable("losses", "month", ("2025-12", "2026-01"), ("p", "p")),))
DIAGNOSTICS = Diagnostics(1.01, 500.0, 600.0, {"max_rhat": "losses[2026-01]"}, 2, ("too low",))
FITTED = Obtained("fitted", ("fit-a",), np.nan, 512.5, 1.01, 2, "", 3.25)
REWEIGHTED = Obtained("reweighted", ("fit-a", "fit-b"), 0.4, 300.0, 1.0, 0, "", 0.01)
FAILED = Obtained("failed", ("fit-c",), np.nan, 0.0, np.nan, 0, "no draws", 1.0)


def numbers(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((2, len(STATISTICS))).astype(np.float32)


def record(name: str, seed: int = 0) -> SetRecord:
    return SetRecord(name, FITTED, LAYOUT.name, numbers(seed), None)


def fit_record(fit_id: str = "fit-a", number: int = 0, position: int = 0) -> FitRecord:
    relative = np.array([0.5, 1.0], np.float32)
    return FitRecord(
        fit_id, number, position, "group", "base", "a", DIAGNOSTICS, relative, "", 2.5, 1
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SweepJournal]:
    with SweepJournal(tmp_path / "sweep") as journal:
        yield journal


def assert_same(found: Any, expected: Any) -> None:
    """Equal field by field: arrays by their numbers, NaN as itself."""
    assert type(found) is type(expected)
    np.testing.assert_equal(asdict(found), asdict(expected))


# What is kept comes back


def test_sets_come_back_without_their_weights(journal: SweepJournal) -> None:
    weights = np.log(np.full(4, 0.25))
    records = [
        record("a"),
        SetRecord("b", REWEIGHTED, LAYOUT.name, numbers(1), weights),
        SetRecord("c", FAILED, "", None, None, "the sampler gave up"),
    ]
    journal.add_sets(records)
    found = list(journal.sets())
    assert len(found) == 3
    for one, expected in zip(found, records, strict=True):
        assert_same(one, replace(expected, log_weights=None))
    assert [one.how for one in journal.finished().values()] == ["fitted", "reweighted", "failed"]


def test_nan_statistics_stay_nan(journal: SweepJournal) -> None:
    statistics = numbers(2)
    statistics[0] = np.nan
    journal.add_sets([replace(record("a"), statistics=statistics)])
    [found] = journal.sets()
    np.testing.assert_array_equal(found.statistics, statistics)


def test_a_set_that_is_obtained_again_replaces_the_first(journal: SweepJournal) -> None:
    journal.add_sets([record("a", 1)])
    journal.add_sets([record("a", 2)])
    [found] = journal.sets()
    np.testing.assert_array_equal(found.statistics, numbers(2))


def test_fits_come_back_in_the_order_of_the_plan(journal: SweepJournal) -> None:
    records = [
        fit_record("late", 1, 0),
        fit_record("second", 0, 1),
        replace(fit_record("first"), kind="cover", set_id=None),
        replace(fit_record("failed", 1, 1), diagnostics=None, relative_ess=None, error="why"),
    ]
    for one in records:
        journal.add_fit(one, None, None)
    found = journal.fits()
    assert [one.fit_id for one in found] == ["first", "second", "late", "failed"]
    by_id = {one.fit_id: one for one in records}
    for one in found:
        assert_same(one, by_id[one.fit_id])
        assert not one.ok


def test_a_fit_is_kept_with_its_draws_and_its_set(journal: SweepJournal) -> None:
    rng = np.random.default_rng(3)
    core = xr.Dataset(
        {"losses": (("chain", "draw", "month"), rng.random((2, 5, 2), np.float32), {"units": "p"})},
        coords={"month": ["2025-12", "2026-01"]},
    )
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((2, 5), bool))})
    expected = fit_record()
    draws = Fit("fit-a", core, stats, DIAGNOSTICS, expected.relative_ess, "", 2.5, 1)
    journal.add_fit(expected, draws, record("a"))
    [kept] = journal.fits()
    found = journal.read_draws(kept)
    assert found.core is not None
    assert found.stats is not None
    xr.testing.assert_identical(found.core.load(), core)
    xr.testing.assert_equal(found.stats, stats)
    assert (found.fit_id, found.diagnostics, found.attempts) == ("fit-a", DIAGNOSTICS, 1)
    assert list(journal.finished()) == ["a"]
    assert list(journal.draws_path("fit-a").parent.glob("*.partial")) == []


def test_draws_that_are_gone_are_an_error_that_names_the_file(journal: SweepJournal) -> None:
    with pytest.raises(OutputError, match=r"fit-a\.nc: cannot be read"):
        journal.read_draws(fit_record())


def test_layouts_pilots_rounds_and_facts_come_back(journal: SweepJournal) -> None:
    assert journal.add_layout(LAYOUT) == journal.add_layout(LAYOUT) == LAYOUT.name
    assert journal.layouts() == {LAYOUT.name: LAYOUT}
    tasks = [{"fit_id": "cover-x", "set_id": None}, {"fit_id": "base-a", "set_id": "a"}]
    journal.add_round(1, tasks[:1])
    journal.add_round(0, tasks)
    assert list(journal.rounds().items()) == [(0, tasks), (1, tasks[:1])]
    journal.set_about(sets="[]", versions="1")
    journal.set_about(versions="2")
    assert journal.about() == {"sets": "[]", "versions": "2"}
    whitening = Whitening.of_draws(np.random.default_rng(4).standard_normal((20, 3)))
    names = ("assumption_location", "assumption_scale", "reporting_location", "reporting_scale")
    priors = {name: np.arange(3.0) for name in names}
    names = ("step_maps", "losses_map", "losses_step_map")
    maps = {name: np.ones((1, 2, 2)) for name in names}
    journal.add_pilot("structure", Pilot(whitening, priors, maps))
    [(structure, found)] = journal.pilots().items()
    assert structure == "structure"
    assert_same(found.whitening, whitening)
    np.testing.assert_equal([found.priors, found.maps], [priors, maps])


def test_weights_come_back_by_set(journal: SweepJournal) -> None:
    log_weights = np.log(np.random.default_rng(5).dirichlet(np.ones(1000)))
    journal.add_sets([replace(record("b"), obtained=REWEIGHTED, log_weights=log_weights)])
    journal.add_sets([record("a")])
    [(set_id, steps)] = journal.weights()
    assert set_id == "b"
    np.testing.assert_array_equal(steps, packed(log_weights))


def test_sets_that_are_forgotten_are_gone_and_no_others(journal: SweepJournal) -> None:
    journal.add_sets([record(name) for name in "abc"])
    journal.forget(["b", "unknown"])
    assert list(journal.finished()) == ["a", "c"]
    journal.add_fit(fit_record(), None, None)
    journal.add_layout(LAYOUT)
    journal.set_about(sets="[]")
    journal.forget_all()
    assert not any((journal.finished(), journal.fits(), journal.layouts(), journal.about()))
