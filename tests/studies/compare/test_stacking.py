from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from estimator.assumptions.compose import assumption_set
from estimator.model.figures import FIGURES
from estimator.store.sets import Sets
from estimator.studies.compare.stacking import COLUMNS, stacking
from tests.studies.compare.on_disk import posterior, write_sweep, write_whole

CLAIMS = [f"C{n}" for n in range(40)]


def groups(
    mean: float,
    spread: float = 1.0,
    *,
    claims: list[str] = CLAIMS,
    figure: np.ndarray | None = None,
    upper: float = 9.0,
    confirmed: float = 30_000.0,
    vintage: float = 100.0,
    draws: int = 250,
) -> dict[str, xr.Dataset]:
    """Likelihood of claims that a set expects at a mean, known to a tenth; one is an interval."""
    rng = np.random.default_rng(1)
    values = np.random.default_rng(0).standard_normal(len(claims)) if figure is None else figure
    location = mean + 0.1 * rng.standard_normal((4, draws))
    density = stats.norm.logpdf(values, location[..., None], spread)
    floor = stats.norm.logpdf(0.0, location[..., None], spread)
    dims = ("chain", "draw")
    figures = np.zeros((len(FIGURES), len(claims)))
    figures[FIGURES.index("upper")] = upper
    figures[FIGURES.index("noise")] = spread
    figures[FIGURES.index("is_point")] = 1.0
    figures[FIGURES.index("is_point"), 0] = 0.0
    return {
        "log_likelihood": xr.Dataset(
            {"published": ((*dims, "figure"), np.concatenate([density, floor], axis=2))},
            coords={"figure": [*claims, "P04"]},
        ),
        "constant_data": xr.Dataset(
            {
                "used": ("claim", np.ones(len(claims), bool)),
                "figure": ("claim", values),
                "figures": (("claim_figure", "claim"), figures),
                "registry_value": ("registry_figure", [vintage]),
                "registry_used": ("registry_figure", [vintage > 0]),
                "registry_is_floor": ("registry_figure", [False]),
            },
            coords={"claim": claims, "registry_figure": ["V1"]},
        ),
        "observed_data": xr.Dataset(
            {"confirmed_figure": ("confirmed_claim", [confirmed])},
            coords={"confirmed_claim": ["P04"]},
        ),
    }


@pytest.fixture
def write(tmp_path: Path, central):
    def write(label: str, found: dict[str, xr.Dataset], assumptions=central) -> Path:
        draws = posterior(np.random.default_rng(3), 250)
        return write_whole(tmp_path / "run", label, assumptions, draws, groups=found)

    return write


def stacked(folder: Path) -> dict[str, dict]:
    table = stacking(Sets.open([folder]))
    assert tuple(table.columns) == COLUMNS
    return {row["assumption_set"]: row for row in table.to_dict("records")}


def test_the_set_that_foretells_its_claims_gets_the_weight(write, tmp_path):
    write("good", groups(0.0))
    write("bad", groups(3.0))
    rows = stacked(tmp_path / "run")
    assert rows["good"]["weight"] > 0.99
    assert rows["good"]["weight"] + rows["bad"]["weight"] == pytest.approx(1.0)
    assert rows["good"]["elpd"] > rows["bad"]["elpd"] + 50
    assert "41 claims" in rows["good"]["diagnostics"]  # the confirmed one is among them
    assert rows["good"]["warnings"] == ""


def test_two_sets_of_which_each_foretells_half_share_the_weight(write, tmp_path):
    values = np.repeat([-2.0, 2.0], 20)
    write("low", groups(-2.0, 0.7, figure=values))
    write("high", groups(2.0, 0.7, figure=values))
    rows = stacked(tmp_path / "run")
    assert rows["low"]["weight"] == pytest.approx(0.5, abs=0.05)


def test_what_arviz_warns_of_stands_in_the_table(write, tmp_path):
    rough = groups(0.0)
    heavy = np.random.default_rng(5).standard_t(1, (4, 250, len(CLAIMS)))
    rough["log_likelihood"]["published"][..., :-1] = -5.0 * np.abs(heavy)
    write("rough", rough)
    write("good", groups(0.0))
    rows = stacked(tmp_path / "run")
    assert "shape parameter of Pareto distribution" in rows["rough"]["warnings"]
    assert "k̂ >" in rows["rough"]["diagnostics"]
    assert rows["good"]["warnings"] == ""


def test_sets_on_other_claims_are_refused_with_the_claims_that_differ(write, tmp_path):
    write("one", groups(0.0))
    write("two", groups(0.5))
    write("fewer", groups(0.0, claims=CLAIMS[:38], figure=np.zeros(38)))
    rows = stacked(tmp_path / "run")
    assert np.isnan(rows["fewer"]["weight"])
    assert np.isnan(rows["fewer"]["elpd"])
    reason = rows["fewer"]["warnings"]
    assert reason.startswith("refused: other claims than one, two: lacks C38, C39; reads otherwise")
    assert rows["one"]["weight"] + rows["two"]["weight"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"figure": np.append(np.random.default_rng(0).standard_normal(40)[:39], 9.0)}, "C39"),
        ({"upper": 8.0}, "C0"),  # another reading of an interval's words
        ({"confirmed": 25_000.0}, "P04"),
        ({"vintage": 110.0}, "V1"),
    ],
)
def test_the_same_claim_with_another_figure_or_wording_is_another_claim(
    write, tmp_path, changes, claim
):
    write("one", groups(0.0))
    write("two", groups(0.5))
    write("other", groups(0.0, **changes))
    assert stacked(tmp_path / "run")["other"]["warnings"] == (
        f"refused: other claims than one, two: reads otherwise {claim}"
    )


def test_another_noise_is_another_assumption_and_not_another_claim(write, tmp_path):
    write("one", groups(0.0, 1.0))
    write("two", groups(0.0, 2.0))
    assert stacked(tmp_path / "run")["two"]["warnings"] == ""


def test_a_confirmed_figure_that_counts_the_killed_is_another_claim(write, tmp_path):
    write("one", groups(0.0))
    write("two", groups(0.5))
    write("killed", groups(0.0), assumption_set(["definitions=killed"]))
    assert "reads otherwise P04" in stacked(tmp_path / "run")["killed"]["warnings"]


def test_draws_from_the_prior_are_refused(write, tmp_path):
    write("one", groups(0.0))
    write("prior", groups(0.0), assumption_set(["sampler=prior_only"]))
    rows = stacked(tmp_path / "run")
    assert rows["prior"]["warnings"] == "refused: its draws are from the prior"
    assert rows["one"]["warnings"] == "refused: no other set used the same claims"


def test_sets_of_a_sweep_share_one_row_that_says_why(write, tmp_path):
    write("one", groups(0.0))
    write("two", groups(0.5))
    sweep = write_sweep(tmp_path / "sweep", 5, draws=20, fitted=1)
    table = stacking(Sets.open([tmp_path / "run", sweep]))
    [planned] = table[~table["assumption_set"].isin(["one", "two"])].to_dict("records")
    assert planned["assumption_set"] == "(5 sets of planned sweeps)"
    assert "no log likelihood is kept" in planned["warnings"]
    assert table["weight"].sum() == pytest.approx(1.0)


def test_a_result_without_a_likelihood_is_refused(run_folder):
    table = stacking(Sets.open([run_folder]))
    assert table["assumption_set"].tolist() == ["central", "low", "poor"]
    assert table["weight"].isna().all()
    assert table["warnings"].str.contains("no log likelihood is kept").all()
