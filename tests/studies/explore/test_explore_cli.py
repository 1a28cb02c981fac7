from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from estimator.cli import main
from estimator.errors import ConfigError, SamplingError
from estimator.studies.explore import cli, cover
from estimator.studies.explore.options import ExploreOptions
from estimator.studies.explore.page import render
from estimator.studies.explore.world import World
from estimator.sweep.set_fit import Fit, FitTask, Shared, task_inputs
from tests.evidence import tables
from tests.studies.explore.made import noisy_fit, options, report_options
from tests.sweep import synthetic

pytestmark = pytest.mark.slow

WORDS = ("explore", "central", synthetic.WINDOW, "explore.groups=[january_gap]")


def no_fit(task: FitTask, shared: Shared) -> Fit:
    raise SamplingError(f"{task.fit_id} was fitted again")


def test_it_writes_a_page_and_draws_and_a_second_call_takes_the_fit_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_shipped", lambda *_: [])
    monkeypatch.setattr(cover, "pilot_of", synthetic.synthetic_pilot)
    monkeypatch.setattr(cover, "fit", noisy_fit)
    assert main([*WORDS]) == 0
    page = tmp_path / "outputs" / "explore" / "explore.html"
    assert f"Page: {page.relative_to(tmp_path)}" in capsys.readouterr().out
    first = page.read_text(encoding="utf-8")
    (kept,) = page.parent.glob("*/world.nc")
    assert World.read(kept).label == f"central,{synthetic.WINDOW}"
    monkeypatch.setattr(cover, "fit", no_fit)
    assert main([*WORDS]) == 0
    assert page.read_text(encoding="utf-8") == first


def test_each_world_is_fitted_in_coordinates_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs: list[tuple[np.ndarray, np.ndarray]] = []

    def noting(task: FitTask, shared: Shared) -> Fit:
        inputs = task_inputs(task, shared.evidences[task.evidence_key])
        pilot = shared.pilots[inputs.structure.identity]
        pairs.append((pilot.priors["assumption_location"], inputs.data["assumption_location"]))
        return noisy_fit(task, shared)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_shipped", lambda *_: [])
    monkeypatch.setattr(cover, "pilot_of", synthetic.synthetic_pilot)
    monkeypatch.setattr(cover, "fit", noting)
    command, _, *assumed = WORDS
    assert main([command, "central", "few_return", *assumed]) == 0
    assert len(pairs) == 4  # two worlds, of one structure: as they are, and without the group
    assert all(np.array_equal(learnt, own) for learnt, own in pairs)
    assert len({learnt.tobytes() for learnt, _ in pairs}) == 2


def test_of_another_war_there_is_one_world_without_this_war_s_switches_and_buttons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cover, "pilot_of", synthetic.synthetic_pilot)
    monkeypatch.setattr(cover, "fit", noisy_fit)
    rows = [
        tables.row(id=f"C{n}", population="ruritania_forces", **cells)
        for n, cells in enumerate(monthly())
    ]
    tables.write(tmp_path / "claims.csv", rows)
    about = ("evidence.files=[claims.csv]", "evidence.populations=[ruritania_forces]")
    window = ("window.start=2024-01-01", "window.end=2024-12-31")
    assert main(["explore", "experiment=other_war", *about, *window]) == 0
    folder = tmp_path / "outputs" / "explore"
    (kept,) = folder.glob("*/world.nc")
    assert World.read(kept).label.startswith("central")
    page = (folder / "explore.html").read_text(encoding="utf-8")
    assert "returns.rate" in page
    assert "article" not in page


def monthly() -> list[dict[str, str]]:
    return [
        {"period_start": f"{month.start_time:%Y-%m-%d}", "period_end": f"{month.end_time:%Y-%m-%d}"}
        for month in pd.period_range("2024-01", "2024-12", freq="M")
    ]


def test_bad_sets_and_options_are_errors_before_any_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, said in (
        (["centrall"], "assumptions=centrall: unknown option; did you mean 'central'?"),
        (["explore.widen=0"], "explore.widen"),
        (["returns.rate.hgh=0.9"], "returns.rate.hgh"),
    ):
        assert main(["explore", *words]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"event": "force_size[last] < 600000"}, r"force_size is not in explore\.quantities"),
        ({"event": "losses[2025-01] > 30000", "months": 6}, "2025-01 is not on the page"),
    ],
)
def test_an_event_that_the_page_does_not_have_is_an_error(
    central: World, change: dict[str, object], said: str
) -> None:
    asked = ExploreOptions.from_config(options().model_dump() | change)
    with pytest.raises(ConfigError, match=said):
        render([central], asked, report_options())
