from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from rich.console import Console

from estimator.cli import parse
from estimator.errors import ConfigError, DiagnosticsError, OutputError
from estimator.run import Estimate
from estimator.store.results import write_result
from estimator.studies.breakeven import cli, find
from estimator.studies.breakeven.parts import read_break_evens
from tests.studies.breakeven import toy

pytestmark = pytest.mark.slow


def parsed(*words: str) -> argparse.Namespace:
    return parse(["breakeven", *words])[1]


def ran(*words: str) -> str:
    """Run the command; return what it printed."""
    out = io.StringIO()
    assert cli.run(parsed(*words), Console(file=out, width=100)) == 0
    return out.getvalue()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Questions that reach the search, which answers at once."""
    questions: list[tuple[object, ...]] = []

    def answer(*arguments: object, **more: object) -> object:
        questions.append(arguments)
        return toy.result()

    monkeypatch.setattr(find, "break_even", answer)
    return questions


@pytest.mark.parametrize(
    "words",
    [
        ("returns.rate", "assumptions=open", "--event", "e", "--level", "0.4", "--range", "1:2"),
        ("returns.rate", "--event", "e", "--level", "0.4", "--range", "1:2", "assumptions=open"),
        ("--range", "1:2", "--event", "e", "returns.rate", "assumptions=open", "--level", "0.4"),
    ],
)
def test_keys_and_overrides_may_stand_anywhere(words: tuple[str, ...]) -> None:
    found = parsed(*words)
    assert found.words == ["returns.rate", "assumptions=open"]
    assert (found.event, found.level, found.ranges) == ("e", "0.4", ["1:2"])


def test_keys_event_level_overrides_and_ranges_reach_the_search(
    asked: list[tuple[object, ...]], tmp_path: Path
) -> None:
    ran(
        *("returns.rate", "force.other_exits", "--event", "losses[2026-01] > 50000"),
        *("--level", "0.25", "--range", "0.1:0.9", "--range", "1e3:2e4"),
        *("assumptions=open", f"output_dir={tmp_path}"),
    )
    (question,) = asked
    assert question[0] == ["returns.rate", "force.other_exits"]
    assert question[1:3] == ("losses[2026-01] > 50000", 0.25)
    assert question[3] == ["assumptions=open", f"output_dir={tmp_path}"]
    assert question[4] == [(0.1, 0.9), (1000.0, 20_000.0)]
    (folder,) = tmp_path.iterdir()
    assert folder.name == (
        "breakeven-open-returns.rate-force.other_exits-losses-2026-01-above-50000"
    )
    assert len(read_break_evens(folder)) == 1


def test_what_is_printed_has_table_fits_sentence_notes_and_place(
    asked: list[tuple[object, ...]], tmp_path: Path
) -> None:
    text = ran("returns.rate", "--event", "net_change[2026-01] < 0", "--output", str(tmp_path))
    assert len(asked) == 1
    for part in ("0.51", "[0.48, 0.53]", "falls", "Real fits", "R-hat 1.2", "One note.", "Under"):
        assert part in text
    assert str(tmp_path) in text.replace("\n", "")


def test_a_name_of_a_run_names_the_folder(asked: list[tuple[object, ...]], tmp_path: Path) -> None:
    ran("returns.rate", "--event", "killed[total] > 1", f"output_dir={tmp_path}", "name=mine")
    assert asked
    assert (tmp_path / "mine" / "breakeven.png").is_file()


def test_failed_fits_under_the_answer_end_with_status_3_and_everything_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    poor = toy.result(failures=("R-hat 1.2 > 1.01",))
    monkeypatch.setattr(find, "break_even", lambda *_, **__: poor)
    words = ("returns.rate", "--event", "killed[total] > 1", "--output", str(tmp_path))
    with pytest.raises(DiagnosticsError, match=r"returns\.rate: R-hat 1\.2") as error:
        ran(*words)
    assert error.value.exit_status == 3
    assert len(list(tmp_path.glob("breakeven.*"))) == 5


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("returns.rate",), "--event is missing"),
        (("returns.rate", "--event", "killed[total] > 1", "--level", "half"), "level 'half'"),
        (("returns.rate", "--event", "killed[total] > 1", "--range", "1"), "LOW:HIGH"),
        (("returns.rate", "--event", "killed[total] > 1", "--result", "x"), "--result goes with"),
        (("returns.rat", "--event", "killed[total] > 1"), "did you mean 'returns.rate'"),
        ((), "--event is missing"),
        (("scenario.plan_share", "--event", "killed[total] > 1"), "takes no event"),
        (("scenario.plan_share", "--result", "x", "returns=none"), "has its own assumptions"),
        (("scenario.plan_share", "--level", "1.5"), "level must lie between"),
    ],
)
def test_bad_input_is_one_configuration_error(
    words: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as error:
        ran(*words, f"output_dir={tmp_path}")
    assert named in str(error.value)
    assert error.value.exit_status == 2


def test_a_folder_that_cannot_be_written_is_told_before_any_fit(
    asked: list[tuple[object, ...]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        ran("returns.rate", "--event", "killed[total] > 1", "--output", str(tmp_path / "file"))
    assert asked == []


def test_plan_shares_come_from_a_result_that_is_there(from_prior: Estimate, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "set"
    write_result(folder, from_prior.tree, from_prior.summary, from_prior.evidence.claims, {})
    text = ran("scenario.plan_share", "--result", str(folder), "--output", str(tmp_path / "out"))
    assert "goal_60000" in text
    assert "changes nothing of it" in text
    results = read_break_evens(tmp_path / "out")
    assert len(results) >= 10
    assert all(one.key == "scenario.plan_share" for one in results)
