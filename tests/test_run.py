from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from estimator.assumptions.compose import assumption_set
from estimator.errors import OutputError
from estimator.evidence import load_evidence
from estimator.paths import folder_name, free_name
from estimator.run import Estimate, estimate, write_estimate
from estimator.store.results import collect
from estimator.sweep.results import collect_folder
from tests.conftest import PRIOR_ONLY


@pytest.fixture
def written(from_prior: Estimate, tmp_path: Path) -> Path:
    return write_estimate(from_prior, tmp_path, "mine", {"seed": 1}, None)


def test_a_set_is_written_below_its_run(written: Path, tmp_path: Path) -> None:
    assert written == tmp_path / "mine" / "from_prior"
    assert (written / "result.nc").is_file()


def test_collecting_joins_the_sets_and_points_latest_to_the_run(
    written: Path, tmp_path: Path, from_prior: Estimate
) -> None:
    combined = collect(tmp_path, "mine")
    assert len(combined) == len(from_prior.summary) > 0
    table = pd.read_csv(tmp_path / "mine" / "summary.csv", keep_default_na=False)
    assert table["assumption_set"].unique().tolist() == ["from prior"]
    assert (tmp_path / "latest").resolve() == tmp_path / "mine"


def test_collecting_takes_only_the_folders_it_is_given(written: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "older").mkdir()
    (tmp_path / "mine" / "older" / "result.nc").write_text("of another day")
    assert collect(tmp_path, "mine", [written])["assumption_set"].unique() == ["from prior"]


def test_a_damaged_set_is_refused_and_nothing_is_left_beside_it(written: Path) -> None:
    result = written / "result.nc"
    content = bytearray(result.read_bytes())
    content[len(content) // 2] ^= 1
    result.write_bytes(content)
    with pytest.raises(OutputError, match=r"from_prior/result\.nc: cannot be read"):
        collect_folder(written.parent)
    assert [path.name for path in written.parent.iterdir()] == ["from_prior"]


def test_a_run_without_results_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OutputError, match="empty: holds no result"):
        collect(tmp_path, "empty")


def test_evidence_can_be_given_and_the_seed_decides_the_draws() -> None:
    assumptions = assumption_set([*PRIOR_ONLY, "sampler.prior_draws=10"])
    evidence = load_evidence(assumptions)
    first = estimate(assumptions, evidence=evidence)
    again = estimate(assumptions, evidence=evidence)
    assert first.evidence is evidence
    pd.testing.assert_frame_equal(first.summary, again.summary)
    other = estimate(assumptions.model_copy(update={"seed": 1}), evidence=evidence)
    assert (first.summary["mean"] != other.summary["mean"]).any()


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("central", "central"),
        ("central,unconfirmed.ratio.high=1.5", "central,unconfirmed.ratio.high=1.5"),
        ("a/b: c*?", "a_b__c__"),
    ],
)
def test_a_label_becomes_a_folder_name(label: str, folder: str) -> None:
    assert folder_name(label) == folder


def test_a_run_without_a_name_is_named_by_its_time_and_its_set(tmp_path: Path) -> None:
    label = "sceptical,unconfirmed.ratio.high=1.5,returns.rate=0.2"
    name = free_name(tmp_path, label)
    start, _, what = name.partition("_sceptical")
    started = pd.to_datetime(start, format="%Y-%m-%d_%H%M", utc=True)
    assert abs(pd.Timestamp.now("UTC") - started) < pd.Timedelta(minutes=2)
    assert what == ",unconfirmed.ratio.high=1.5,ret"


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        names.append(free_name(tmp_path, "central"))
        (tmp_path / names[-1]).mkdir()
    assert len(set(names)) == 3
    assert names[1].removeprefix(names[0]) in ("-2", "")
