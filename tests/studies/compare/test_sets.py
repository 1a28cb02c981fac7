from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from estimator.errors import ConfigError, OutputError
from estimator.fitting.entries import STATISTICS
from estimator.quantities.answers import Answer, variables_of
from estimator.store.sets import Sets, nearest_label
from tests.studies.compare.made import CHANCE, GAP, LOSSES, TOTAL, alone
from tests.studies.compare.on_disk import MONTHS, posterior, write_sweep, write_whole

RATE = Answer.parse("assumption_value[returns.rate]")
KILLED, SHARE = Answer.parse("killed[2026-01]"), Answer.parse("killed_share[total]")
ANSWERS = [LOSSES, TOTAL, GAP, CHANCE, KILLED, SHARE, RATE]


def test_runs_and_sweeps_are_one_collection(run_folder, sweep_folder):
    sets = Sets.open([run_folder, sweep_folder])
    assert len(sets) == 33
    assert sets.labels[:3] == ["central", "low", "poor"]
    assert sets.labels[3:5] == ["central #1", "central #2"]
    assert sets.whole == ["central", "low", "poor"]
    assert sets.months == list(MONTHS)
    assert sets.facts["obtained"].value_counts().to_dict() == {
        "reweighted": 27,
        "fitted": 5,
        "failed": 1,
    }
    assert sets.facts.loc["poor", "failures"] == "R-hat 1.08"
    assert sets.table(ANSWERS).shape == (33, len(ANSWERS), len(STATISTICS))


def test_a_folder_of_one_set_is_opened(run_folder):
    assert Sets.open([run_folder / "low"]).labels == ["low"]


def test_chunks_give_the_statistics_of_each_set_again(run_folder, sweep_folder):
    sets = Sets.open([run_folder, sweep_folder])
    middle = {answer: dict(zip(sets.labels, sets.value(answer), strict=True)) for answer in ANSWERS}
    seen = []
    for chunk in sets.chunks(ANSWERS):
        seen += chunk.labels
        np.testing.assert_allclose(chunk.weights.sum(axis=1), 1.0, rtol=1e-5)
        for label, weights in zip(chunk.labels, chunk.weights, strict=True):
            for answer, values in zip(ANSWERS, chunk.values, strict=True):
                if answer.below_zero:
                    found = float(weights @ values)
                    assert found == pytest.approx(middle[answer][label], abs=1e-4)
                else:
                    below = float(weights[values <= middle[answer][label]].sum())
                    assert below == pytest.approx(0.5, abs=0.01)
        assert ((chunk.relative_ess > 0) & (chunk.relative_ess <= 1)).all()
    assert sorted(seen) == sorted(set(sets.labels) - {"central #30"})


def test_the_draws_of_a_fit_have_the_same_places_wherever_they_are_read(sweep_folder, run_folder):
    sets = Sets.open([sweep_folder, run_folder])
    places = {chunk.labels[0]: chunk.places for chunk in sets.chunks([LOSSES])}
    again = {chunk.labels[0]: chunk.places for chunk in sets.chunks([GAP])}
    assert places.keys() == again.keys()
    for label, own in places.items():
        np.testing.assert_array_equal(own, again[label])
    every = np.concatenate(list(places.values()))
    assert len(np.unique(every)) == len(every)


def test_only_some_of_the_sets_stand_in_the_order_that_is_asked_for(run_folder, sweep_folder):
    sets = Sets.open([run_folder, sweep_folder])
    some = sets.only(["central #20", "low", "central #1"])
    assert some.labels == ["central #20", "low", "central #1"]
    assert some.whole == ["low"]
    assert len(some.facts) == 3
    every = dict(zip(sets.labels, sets.value(LOSSES), strict=True))
    np.testing.assert_array_equal(some.value(LOSSES), [every[label] for label in some.labels])
    seen = [label for chunk in some.chunks([LOSSES]) for label in chunk.labels]
    assert sorted(seen) == sorted(some.labels)
    assert some.tree("central") is None
    assert some.tree("low", ("posterior",)) is not None


@pytest.mark.parametrize("labels", [[], ["low", "low"], ["lwo"]])
def test_sets_that_are_not_there_or_named_twice_are_refused(run_folder, labels):
    with pytest.raises(OutputError):
        Sets.open([run_folder]).only(labels)


def test_one_name_in_two_folders_gets_the_folder_in_front(tmp_path, central):
    rng = np.random.default_rng(0)
    for place in ("a/run", "b/run", "a/other"):
        write_whole(tmp_path / place, "central", central, posterior(rng, 20))
    folders = [tmp_path / "a/run", tmp_path / "a/other"]
    assert Sets.open(folders).labels == ["run/central", "other/central"]
    same = [tmp_path / "a/run", tmp_path / "b/run"]
    assert Sets.open(same).labels == [f"{folder}/central" for folder in same]
    with pytest.raises(OutputError, match="given twice"):
        Sets.open([folders[0], folders[0]])


def test_all_folders_that_cannot_be_compared_are_told(tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/journal.sqlite").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(OutputError) as error:
        Sets.open([tmp_path / name for name in ("none", "empty", "sweep")])
    text = str(error.value)
    assert "none: no such folder" in text
    assert "empty: holds no result.nc" in text
    assert f"run: estimator collect {tmp_path / 'sweep'}" in text


@pytest.mark.parametrize("content", [b"", b"no netCDF at all"])
def test_a_damaged_file_is_told(tmp_path, content):
    (tmp_path / "run/set").mkdir(parents=True)
    (tmp_path / "run/set/result.nc").write_bytes(content)
    with pytest.raises(OutputError, match=r"result\.nc: "):
        Sets.open([tmp_path / "run"])
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/sweep.nc").write_bytes(content)
    with pytest.raises(OutputError, match="is no dataset of a sweep"):
        Sets.open([tmp_path / "sweep"])


def test_a_damaged_fit_is_told(tmp_path):
    folder = write_sweep(tmp_path / "sweep", 3, draws=20, fitted=1)
    (folder / "fits/cover.nc").write_bytes(b"cut short")
    sets = Sets.open([folder])
    with pytest.raises(OutputError, match=r"cover\.nc: cannot be read"):
        list(sets.chunks([LOSSES]))


def test_a_sweep_that_kept_no_draws_has_statistics_and_no_chunks(tmp_path):
    sets = Sets.open([write_sweep(tmp_path / "sweep", 3, draws=20, fitted=1, keep_draws=False)])
    assert np.isfinite(sets.value(LOSSES)).all()
    assert list(sets.chunks([LOSSES])) == []


def test_units_are_those_of_the_file(run_folder, sweep_folder):
    sets = Sets.open([run_folder, sweep_folder])
    units = [sets.unit(answer) for answer in (LOSSES, TOTAL, CHANCE, SHARE, RATE)]
    assert units == ["persons/month", "persons", "probability", "share", "share"]
    assert set(sets.units(LOSSES)) == {"persons/month"}


def test_variables_of_answers_are_those_that_they_follow_from():
    stored = {"losses", "killed_share", "recruits", "net_change", "assumption_value"}
    assert variables_of([LOSSES, TOTAL, GAP], stored) == ["losses", "net_change"]
    assert variables_of([KILLED], stored) == ["losses", "killed_share"]
    assert variables_of([KILLED], {*stored, "killed"}) == ["killed"]
    assert variables_of([SHARE], stored) == ["losses", "killed_share"]
    assert variables_of([Answer.parse("force_size[2026-01]")], stored) == []


@pytest.mark.parametrize("text", ["losses[2026-01]", "P(net_change[total] < 0)", "killed[total]"])
def test_an_answer_is_written_as_it_is_read(text):
    assert str(Answer.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("losses", "must be quantity"),
        ("lossess[total]", "did you mean 'losses'"),
        ("P(losses[total] > 0)", "must be quantity"),
        ("losses[a][b]", "must be quantity"),
    ],
)
def test_what_is_no_answer_is_told(text, said):
    with pytest.raises(ConfigError, match="answer ") as error:
        Answer.parse(text)
    assert said in str(error.value)


def test_of_very_many_labels_only_some_are_listed():
    labels = [f"set {n}" for n in range(1000)]
    assert nearest_label("set 99x", labels).startswith("did you mean 'set 99")
    assert nearest_label("zzz", labels).endswith("and 990 more")
    assert nearest_label("zzz", labels[:3]) == "allowed: set 0, set 1, set 2"


def test_a_set_in_memory_has_no_file():
    assert Sets([alone("a", 1)]).tree("a") is None


@pytest.mark.slow
def test_reading_and_comparing_needs_no_sampler():
    code = (
        "import sys\n"
        "from estimator.studies.compare import drivers, floors, parts, pictures\n"
        "heavy = {'pymc', 'pytensor', 'nutpie'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    root = Path(__file__).parents[3]
    found = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root
    )
    assert found.returncode == 0, found.stderr
