"""A table that tells of the losses nothing but the killed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor
import pytest
from pytensor.compile.mode import Mode

from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.fitting.compiled import CompiledStructure
from estimator.model.build import build_from_inputs
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.run import estimate
from tests.evidence import tables

OTHER_WAR = (
    "experiment=other_war",
    "evidence.populations=[ruritania_forces]",
    "window.start=2024-01-01",
    "window.end=2025-06-30",
)
SWINGS = 20_000.0 * np.exp(1.2 * np.sin(np.arange(18.0)))


def killed_by_month(folder: Path, *others: dict[str, str]) -> Path:
    """Write the killed of eighteen months, which swing widely, and other claims."""
    months = pd.period_range("2024-01", "2025-06", freq="M")
    rows = [
        tables.row(
            id=f"K{n}",
            quantity="killed",
            period_start=f"{month.start_time:%Y-%m-%d}",
            period_end=f"{month.end_time:%Y-%m-%d}",
            value=f"{killed:.0f}",
            population="ruritania_forces",
            published="2025-09-01",
        )
        for n, (month, killed) in enumerate(zip(months, SWINGS, strict=True))
    ]
    return tables.write(folder / "claims.csv", [*rows, *others])


def inputs_of(claims: Path) -> ModelInputs:
    assumptions = assumption_set([*OTHER_WAR, f"evidence.files=['{claims}']"])
    return model_inputs(load_evidence(assumptions), assumptions)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ((), "killed"),
        (({"quantity": "recruits", "id": "R"},), "killed"),
        (({"quantity": "losses", "id": "L"},), "losses"),
        (({"quantity": "losses", "id": "C", "status": "confirmed"},), "losses"),
    ],
    ids=["killed", "recruits too", "losses too", "a floor too"],
)
def test_the_sampler_moves_the_killed_where_nothing_else_is_told_of_the_losses(
    others: tuple[dict[str, str], ...], told: str, tmp_path: Path
) -> None:
    dates = {"period_start": "2024-03-01", "period_end": "2024-03-31", "published": "2025-09-01"}
    rows = [tables.row(**(dates | {"population": "ruritania_forces"} | one)) for one in others]
    assert inputs_of(killed_by_month(tmp_path, *rows)).structure.told == told


def test_what_the_sampler_moves_leaves_the_density_as_it_is(tmp_path: Path) -> None:
    """A shift of the sampled months by the share of the killed has the Jacobian 1."""
    inputs = inputs_of(killed_by_month(tmp_path))
    plain = dataclasses.replace(
        inputs, structure=dataclasses.replace(inputs.structure, told="losses")
    )
    free = CompiledStructure(build_from_inputs(inputs)).draw_prior(5, 3)
    found, moved = [], []
    for one in (inputs, plain):
        entry = CompiledStructure(build_from_inputs(one))
        values = entry.model.value_vars
        vars(entry)["_shapes"] = {
            v.name: free[rv.name].shape[2:]
            for rv, v in zip(entry.model.free_RVs, values, strict=True)
        }
        sampled = entry.split(entry.sampled(free))
        density = pytensor.function(
            values, entry.model.logp(), mode=Mode("py", "fast_compile"), on_unused_input="ignore"
        )
        found.append([density(*(sampled[v.name][0, n] for v in values)) for n in range(5)])
        moved.append(entry.sampled(free))
    assert not np.allclose(*moved)
    np.testing.assert_allclose(np.diff(found[0]), np.diff(found[1]), rtol=1e-9, atol=1e-6)


@pytest.mark.sampling
def test_draws_are_clean_where_only_the_killed_are_known(tmp_path: Path) -> None:
    claims = killed_by_month(tmp_path)
    found = estimate(assumption_set([*OTHER_WAR, f"evidence.files=['{claims}']"]))
    assert found.diagnostics.ok, found.diagnostics.failures
    killed = found.tree["posterior"]["killed"].median(("chain", "draw"))
    np.testing.assert_allclose(killed, SWINGS, rtol=0.25)
