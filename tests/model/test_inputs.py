from __future__ import annotations

import functools
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.compose import assumption_set
from estimator.evidence import load_evidence
from estimator.model.inputs import ModelInputs, model_inputs
from estimator.paths import conf_dir

SHIPPED = sorted(path.stem for path in (conf_dir() / "assumptions").glob("*.yaml"))
POSITION = {key: position for position, key in enumerate(ASSUMPTIONS)}


@functools.cache
def inputs_of(*overrides: str) -> ModelInputs:
    assumptions = assumption_set(list(overrides))
    return model_inputs(load_evidence(assumptions), assumptions)


@pytest.fixture
def only_confirmed(tmp_path: Path) -> Path:
    """Write a claims table with nothing but one confirmed figure."""
    claims = tmp_path / "claims.csv"
    claims.write_text(
        "id,quantity,period_start,period_end,low,value,high,unit,hedge,status,origin,source,"
        "published,citation,population\n"
        "year,killed,2024-01-01,2024-12-31,,36600,,persons,exact,confirmed,list_of_names,list,"
        "2025-06-01,Somebody,ruritania_forces\n"
    )
    return claims


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_set_shares_the_structure_of_central(name: str) -> None:
    found = inputs_of(f"assumptions={name}")
    assert found.structure.identity == inputs_of().structure.identity
    assert {key: array.shape for key, array in found.data.items()} == {
        key: array.shape for key, array in inputs_of().data.items()
    }


@pytest.mark.parametrize(
    "override",
    [
        "unconfirmed.ratio.high=0.5",
        "returns.rate=0",
        "evidence.drop=[S11]",
        "evidence.as_of=2026-01-31",
        "definitions=uncertain",
        "seed=3",
    ],
)
def test_a_change_of_numbers_alone_keeps_the_structure(override: str) -> None:
    assert inputs_of(override).structure.identity == inputs_of().structure.identity


def test_confirmed_figures_alone_pick_no_bias(only_confirmed: Path) -> None:
    found = inputs_of(
        "experiment=other_war",
        f"evidence.files=['{only_confirmed}']",
        "evidence.populations=[ruritania_forces]",
        "window.start=2024-01-01",
        "window.end=2024-12-31",
    )
    first, last, _, rows, columns = found.structure.layout.bounds["offsets"]
    assert (last - first, rows, columns) == (0, 12, 0)


@pytest.mark.parametrize(
    "override",
    [
        "window=since_2025",
        "losses.persistence=0.9",
        "recruitment=no_mobilisation",
        "losses.step={family:HalfNormal,low:null,high:0.3}",
    ],
)
def test_other_months_dynamics_or_families_make_another_structure(override: str) -> None:
    assert inputs_of(override).structure.identity != inputs_of().structure.identity


def test_the_identity_of_a_structure_is_the_same_when_it_is_made_again() -> None:
    again = model_inputs(load_evidence(assumption_set()), assumption_set())
    assert again.structure.identity == inputs_of().structure.identity


def test_what_a_set_assumes_is_in_its_data() -> None:
    for name in SHIPPED:
        if name != "central":
            other = inputs_of(f"assumptions={name}").data
            assert any((other[key] != array).any() for key, array in inputs_of().data.items()), name


def test_a_face_value_figure_lands_at_its_log_thousands() -> None:
    found = inputs_of("assumptions=article")
    claim = found.structure.coords["claim"]
    for name, figure in {"P16": 22_000.0, "P06": 486_000.0}.items():
        found_value = found.data["claim_value"][claim.index(name)]
        assert found_value == pytest.approx(np.log(figure / 1000.0))
    assert found.data["claim_value"][claim.index("S11")] == pytest.approx(-9.0)


def test_face_value_leaves_no_room_for_a_bias() -> None:
    found = inputs_of("assumptions=article")
    used = found.figure("used") > 0
    origins = found.structure.constants["shift"][used].any(axis=0)
    n_sources = len(found.structure.coords["source"])
    assert used.any()
    assert (np.abs(found.data["reporting_scale"][0][origins[:n_sources]]) <= 0.05).all()


def test_an_assumption_fixed_at_zero_is_zero_in_the_model() -> None:
    data = inputs_of("returns.rate=0", "recruitment.mobilised=0", "force.other_exits=0").data
    location = data["assumption_location"]
    assert expit(location[POSITION["returns.rate"]]) < 1e-20
    for key in ("recruitment.mobilised", "force.other_exits"):
        assert np.exp(location[POSITION[key]]) < 1e-20
        assert data["assumption_scale"][POSITION[key]] == 0.0


def test_a_fixed_assumption_is_its_value_in_thousands() -> None:
    data = inputs_of("force.start=200000").data
    position = POSITION["force.start"]
    assert np.exp(data["assumption_location"][position]) == pytest.approx(200.0)
    assert data["assumption_scale"][position] == 0.0


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2025-01-22", "2025-02-10", (10, 10, 0)),
        ("2024-12-22", "2025-02-10", (31, 10, 0)),  # ten of 51 days lie before the window
        ("2025-03-31", "2025-04-01", (0, 0, 1)),
        ("2025-02-03", "2025-02-03", (0, 1, 0)),
        ("2024-12-22", "2024-12-31", (0, 0, 0)),
        ("2025-04-01", "2025-04-30", (0, 0, 0)),
    ],
)
def test_each_month_has_the_share_of_a_mobilisation_s_days_that_lies_in_it(
    first: str, last: str, days: tuple[int, ...]
) -> None:
    found = inputs_of(
        "window.start=2025-01-01",
        "window.end=2025-03-31",
        f"recruitment.mobilisation_start={first}",
        f"recruitment.mobilisation_end={last}",
    )
    whole = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    expected = np.array(days) / whole
    np.testing.assert_allclose(found.structure.constants["mobilisation_weight"], expected)


def test_a_claim_that_does_not_count_stays_in_the_data_unused() -> None:
    found = inputs_of("evidence.drop=[S11]")
    position = found.structure.coords["claim"].index("S11")
    assert found.figure("used")[position] == 0.0
    assert inputs_of().figure("used")[position] == 1.0
