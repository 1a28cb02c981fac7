"""The benchmark of bad inputs makes the same ones each time and notices what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import bad_inputs, bad_options, bad_tables
from tests.benchmarks.bad_inputs import FAULTS, faults_of
from tests.benchmarks.forks import Ended, in_fork


def test_a_case_is_the_same_each_time_and_cases_differ(tmp_path: Path) -> None:
    base, found = tmp_path / "base", []
    estimates = base / "outputs" / "set" / "article" / "estimates.csv"
    estimates.parent.mkdir(parents=True)
    estimates.write_text("target,value\nlosses,1\n")
    for n, seed in enumerate((1, 1, 2)):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        rng = np.random.default_rng([seed, 4])
        words = [*bad_tables.table(rng, folder, base), *bad_options.option(rng, folder, base)]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        found.append((words, [path.read_bytes() for path in files]))
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize(
    ("ended", "fault"),
    [
        (Ended(2, "", "estimator: x: bad", 0.1, ()), None),
        (Ended(0, "table", "", 60.0, ("outputs",)), None),
        (Ended(1, "", "Traceback (most recent call last)\nKeyError", 0.1, ()), 0),
        (Ended(-11, "", "", 0.1, ()), 0),
        (Ended(2, "", "estimator: x: bad", 5.1, ()), 1),
        (Ended(2, "", "bad\n" * 21, 0.1, ()), 2),
        (Ended(2, "x: bad", "", 0.1, ()), 3),
        (Ended(0, "", "estimator: x: bad", 0.1, ()), 3),
        (Ended(2, "", "estimator: x: bad", 0.1, ("outputs",)), 4),
    ],
)
def test_what_is_wrong_is_named(ended: Ended, fault: int | None) -> None:
    assert faults_of(ended) == ([] if fault is None else [FAULTS[fault]])


def test_a_fork_tells_its_status_what_it_said_and_what_it_left(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()

    def work() -> int:
        Path("left").write_text("half")
        raise KeyError("nothing")

    ended = in_fork(work, folder)
    assert (ended.status, ended.left) == (1, ("left",))
    assert "KeyError: 'nothing'" in ended.said
    assert ended.broke
    assert list(bad_inputs.KINDS) == ["tables", "options", "overrides", "commands"]
