from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.special import expit

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.assumptions.compose import assumption_set
from estimator.errors import OutputError
from estimator.model.hyperparameters import assumption_data, reporting_data
from estimator.quantities.answers import Answer
from estimator.store.sets import Chunk
from estimator.studies.compare.drivers import COLUMNS, shifts, statement
from tests.studies.compare.drivers.sweeps import CHANCE, NET

CHAINS, DRAWS = 4, 2500
SOURCES = ["csis:losses", "kobak:killed", "nobody:losses"]
COUNTED = SOURCES[:2]


@cache
def central(*overrides: str) -> AssumptionSet:
    return assumption_set(list(overrides))


def made(assumptions: AssumptionSet, width: float = 1.0) -> tuple[xr.DataTree, np.ndarray]:
    """Draw a posterior that is the prior, `width` times as wide; return it with its normals."""
    rng = np.random.default_rng(0)
    raw = width * rng.normal(size=(CHAINS, DRAWS, len(ASSUMPTIONS) + len(SOURCES)))
    location, scale = assumption_data(assumptions)
    linear = location + scale * raw[..., : len(ASSUMPTIONS)]
    shares = [spec.support == "share" for spec in ASSUMPTIONS.values()]
    sizes = np.array([spec.per_model_unit for spec in ASSUMPTIONS.values()])
    value = np.where(shares, expit(linear), np.exp(linear)) * sizes
    reporting = reporting_data(dict.fromkeys(SOURCES, ""), assumptions)
    bias = reporting[:, 0] + reporting[:, 1] * raw[..., len(ASSUMPTIONS) :]
    bias = np.where(reporting[:, 4] > 0, -np.exp(bias), bias)
    dims = ("chain", "draw")
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(
                {
                    "assumption_value": ((*dims, "assumption"), value),
                    "reporting_bias": ((*dims, "source"), bias),
                    "reporting_drift": ((*dims, "source"), 0.0 * bias),
                    "claim_location": ((*dims, "claim"), np.zeros((CHAINS, DRAWS, 2))),
                },
                coords={"source": SOURCES, "assumption": list(ASSUMPTIONS)},
            ),
            "constant_data": xr.Dataset(
                {"source": ("claim", SOURCES), "used": ("claim", [True, True, False])}
            ),
        }
    )
    tree.attrs["configuration"] = json.dumps(assumptions.model_dump(mode="json"))
    return tree, raw.reshape(CHAINS * DRAWS, -1).T


def sets_of(tree: xr.DataTree, draws: np.ndarray) -> Any:
    """One whole set with answers of known draws. (answer, draw)."""

    def chunks(answers: Sequence[Answer], labels: Sequence[str]) -> Iterator[Chunk]:
        even = np.full((1, draws.shape[1]), 1.0 / draws.shape[1])
        places = np.arange(draws.shape[1], dtype=np.uint64)
        by_chain = draws.reshape(len(draws), CHAINS, DRAWS)[: len(answers)]
        yield Chunk(tuple(labels), draws, even, places, (by_chain,))

    return SimpleNamespace(
        labels=["central", "planned"],
        whole=["central"],
        tree=lambda label, groups=None: tree if label == "central" else None,
        chunks=chunks,
        unit=lambda answer: answer.unit,
    )


def place(key: str) -> int:
    return list(ASSUMPTIONS).index(key)


def answered(raw: np.ndarray) -> np.ndarray:
    """Net change that falls by 2,000 for each deviation of one prior and 500 of a bias."""
    net = -2000.0 * raw[place("returns.rate")] + 500.0 * raw[len(ASSUMPTIONS)] + 1000.0
    return np.stack([net, net < 0])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    tree, raw = made(central())
    return shifts(sets_of(tree, answered(raw)), [NET, CHANCE], "central")


def test_a_prior_that_is_moved_by_a_deviation_moves_what_hangs_on_it_by_a_deviation(
    table: pd.DataFrame,
) -> None:
    net = table[table["answer"] == str(NET)].set_index("assumption")
    rate = net.loc["returns.rate"]
    assert rate["reference"] == pytest.approx(1000.0, abs=60.0)
    assert rate["value_low"] == pytest.approx(3000.0, abs=4 * rate["effect_mcse"])
    assert rate["value_high"] == pytest.approx(-1000.0, abs=4 * rate["effect_mcse"])
    assert 20.0 < rate["effect_mcse"] < 120.0
    bias = net.loc["reporting.origins.csis.losses.bias"]
    assert bias["value_high"] - bias["value_low"] == pytest.approx(1000.0, abs=250.0)
    assert (bias["rank"], rate["rank"]) == (2, 1)


def test_a_prior_on_which_nothing_hangs_moves_nothing_beyond_its_error(
    table: pd.DataFrame,
) -> None:
    idle = table[~table["assumption"].isin(["returns.rate", "reporting.origins.csis.losses.bias"])]
    within = idle["note"].str.contains("within its Monte-Carlo error")
    assert len(idle) > 20
    assert within.mean() > 0.85


def test_probabilities_move_too(table: pd.DataFrame) -> None:
    chance = table[table["answer"] == str(CHANCE)].set_index("assumption").loc["returns.rate"]
    assert chance["value_low"] == pytest.approx(0.073, abs=0.03)  # Phi(-3 / sqrt(4.25))
    assert chance["value_high"] == pytest.approx(0.686, abs=0.04)  # Phi(1 / sqrt(4.25))
    assert chance["unit"] == "probability"


def test_free_priors_and_biases_of_counted_sources_are_moved_and_no_others(
    table: pd.DataFrame,
) -> None:
    found = set(table["assumption"])
    free = {key for key, prior in central().priors() if not prior.is_fixed}
    assert found == free | {
        "reporting.origins.csis.losses.bias",
        "reporting.origins.kobak.killed.undercount",
    }
    assert "confirmed.false_confirmation" not in found
    assert tuple(table.columns) == COLUMNS
    assert set(table["method"]) == {"shift"}


def test_levels_are_the_ranges_that_a_sweep_would_take(table: pd.DataFrame) -> None:
    rate = table.set_index("assumption").loc["returns.rate"].iloc[0]
    assert (rate["level_low"], rate["level_high"]) == ("0.215 to 0.543", "0.401 to 0.744")


def test_where_the_draws_do_not_reach_there_are_no_numbers_but_a_reason() -> None:
    tree, raw = made(central(), width=3.0)
    net = answered(raw)[:1]
    table = shifts(sets_of(tree, net), [NET], "central")
    row = table[table["assumption"] == "returns.rate"].iloc[0]
    assert np.isnan([row["effect"], row["value_low"], row["value_high"]]).all()
    assert row["reference"] == pytest.approx(1000.0, abs=300.0)
    assert "not reached at 0.215 to 0.543: k-hat" in row["note"]
    assert "Of the" not in statement(table, CHANCE)


def test_too_few_effective_draws_give_no_numbers() -> None:
    wanted = central("sampler.min_ess=6000")
    tree, raw = made(wanted)
    table = shifts(sets_of(tree, answered(raw)), [NET], "central")
    assert table["effect"].isna().all()
    assert table["note"].str.contains("effective draws").all()


@pytest.mark.parametrize("label", ["planned", "unknown"])
def test_a_set_without_all_its_draws_is_refused_with_those_that_have_them(label: str) -> None:
    tree, raw = made(central())
    with pytest.raises(OutputError, match=f"{label}: .* Written whole: central"):
        shifts(sets_of(tree, answered(raw)), [NET], label)
