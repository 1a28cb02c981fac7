"""`estimator when`: first months, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from estimator.assumptions.compose import assumption_set
from estimator.cli import main
from estimator.errors import ConfigError
from estimator.studies.when.first import LATER, Beyond, as_part, first_months
from tests.studies.compare.on_disk import posterior, write_whole

MONTHS = ["2026-02", "2026-03", "2026-04"]
# Four draws. Below 600: the first from February, the second in March alone, the third from April,
# the fourth never.
FORCE = [[590.0, 580.0, 570.0], [610.0, 599.0, 601.0], [620.0, 605.0, 590.0], [700.0, 700.0, 600.0]]


@pytest.fixture
def tree() -> xr.DataTree:
    scenarios = xr.Dataset(
        {
            "force_size": (
                ("scenario", "chain", "draw", "projected_month"),
                1000.0 * np.array(FORCE).reshape(1, 2, 2, 3),
            )
        },
        coords={"scenario": ["status_quo"], "projected_month": MONTHS},
    )
    return xr.DataTree.from_dict({"/scenarios": scenarios})


def test_a_draw_that_comes_back_has_been_there(tree: xr.DataTree) -> None:
    found = first_months("central", tree, "status_quo", Beyond.parse("force_size < 600000"))
    np.testing.assert_allclose(found.in_month, [0.25, 0.5, 0.5])
    np.testing.assert_allclose(found.by_month, [0.25, 0.5, 0.75])
    assert [found.quantile(level) for level in (0.2, 0.5, 0.75, 0.8)] == [*MONTHS, LATER]


def test_above_is_the_other_side(tree: xr.DataTree) -> None:
    found = first_months("central", tree, "status_quo", Beyond.parse("force_size > 6.1e5"))
    np.testing.assert_allclose(found.in_month, [0.5, 0.25, 0.0])


def test_tables_name_event_set_and_months(tree: xr.DataTree) -> None:
    beyond = Beyond.parse("force_size < 600000")
    found = first_months("central", tree, "status_quo", beyond)
    part = as_part(beyond, [found], {"central": True})
    text = "\n".join(part.markdown())
    assert "First month in which force size < 600,000 persons" in text.replace("\\<", "<")
    assert "central (FAILED)" in text
    table = part.tables["first_month"]
    assert table["month"].tolist() == MONTHS
    assert table["probability_by_month"].tolist() == [0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("force_size[2026-02] < 600000", "without a month"),
        ("force_size < many", "must be quantity < number"),
        ("force < 600000", "did you mean 'force_size'"),
        ("reporting_bias < 0", "no quantity that scenarios project"),
    ],
)
def test_what_is_no_event_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("[", r"\[")):
        Beyond.parse(text)


def test_a_scenario_that_a_set_lacks_is_refused(tree: xr.DataTree) -> None:
    with pytest.raises(ConfigError, match="central: no scenario 'status_qou'; did you mean"):
        first_months("central", tree, "status_qou", Beyond.parse("losses > 1"))


def test_the_command_prints_and_writes_the_months_of_the_sets_that_are_asked_for(
    tree: xr.DataTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draws = posterior(np.random.default_rng(1), 60)
    for label in ("central", "western"):
        scenarios = {"scenarios": tree["scenarios"].to_dataset()}
        write_whole(tmp_path / "run", label, assumption_set(), draws, groups=scenarios)
    outputs = str(tmp_path / "run")
    assert main(["when", "force_size < 600000", outputs, "--sets", "western"]) == 0
    assert "First month in which force size < 600,000 persons" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "run/when/first_month.csv")
    assert set(table["assumption_set"]) == {"western"}
    assert table["probability_by_month"].tolist() == [0.25, 0.5, 0.75]
    assert (tmp_path / "run/when/when.md").exists()
    assert main(["when", "force_size < 600000", outputs, "--scenario", "nothing"]) == 2
    assert "no scenario 'nothing'" in capsys.readouterr().err


def test_sets_without_scenarios_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draws = posterior(np.random.default_rng(1), 60)
    write_whole(tmp_path / "run", "central", assumption_set(), draws)
    assert main(["when", "force_size < 600000", str(tmp_path / "run")]) == 2
    assert "it projects none" in capsys.readouterr().err
