from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from estimator.cli import parse
from estimator.errors import ConfigError, EstimatorError, OutputError
from estimator.show.part import Part
from estimator.store.sets import Sets
from estimator.studies.compare.cli import run
from estimator.studies.compare.parts import Comparison
from tests.studies.compare.made import LOSSES
from tests.studies.compare.on_disk import MONTHS, posterior, write_sweep, write_whole
from tests.studies.compare.test_sensitivity import toy
from tests.studies.compare.test_stacking import groups

pytestmark = pytest.mark.slow

TABLES = {
    "files.txt",
    "comparison.csv",
    "comparison.md",
    "drivers.csv",
    "pooled.csv",
    "sets.csv",
    "stacking.csv",
}
PICTURES = {
    f"{name}.{ending}"
    for name in ("forest", "ridge", "fans_losses", "fans_net_change", "tornado")
    for ending in ("png", "svg")
}
HOSTILE = (
    "=cmd|'/c calc'!A0",
    "<script>alert(1)</script>",
    "a|b `c` [d](http://e)",
    "$\\frac{$",
    "[bold red]x[/]",
    "\x1b[31mred\x07",
)


def compare(*arguments: object, width: int = 100) -> tuple[int, str]:
    _, options = parse(["compare", *map(str, arguments)])
    printed = io.StringIO()
    status = run(options, Console(file=printed, width=width))
    return status, printed.getvalue()


def test_a_run_and_a_sweep_are_compared_with_all_files(run_folder, sweep_folder, tmp_path):
    status, printed = compare(
        run_folder, sweep_folder, "compare.shown=40", "--full", "--output", tmp_path / "out"
    )
    assert status == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == TABLES | PICTURES
    table = pd.read_csv(tmp_path / "out/comparison.csv", keep_default_na=False)
    assert table["assumption_set"].nunique() == 33
    assert table["answer"].nunique() == 10
    assert set(table["reference"]) == {"central"}
    assert "losses[2026-01], thousand persons/month" in printed
    assert "poor (FAILED)" in printed
    assert max(len(line) for line in printed.splitlines()) <= 100
    for name in PICTURES:
        content = (tmp_path / "out" / name).read_bytes()
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
        assert len(content) > 10_000


def test_files_go_below_the_first_output(run_folder):
    assert compare(run_folder, "--no-plots")[0] == 0
    assert {path.name for path in (run_folder / "compare").iterdir()} == TABLES
    assert Sets.open([run_folder]).labels == ["central", "low", "poor"]  # it is no set itself


def test_one_table_of_all_sets_is_printed_and_the_rest_is_asked_for(run_folder, tmp_path):
    _, printed = compare(run_folder, "--no-plots", "--output", tmp_path)
    assert "3 assumption sets" in printed
    assert "P(above it)" not in printed
    assert "--full" in printed
    assert len(printed.splitlines()) < 40
    assert "P(above it)" in (tmp_path / "comparison.md").read_text()


def test_of_many_sets_some_are_printed_and_all_are_in_the_file(sweep_folder, tmp_path):
    arguments = ("--output", tmp_path, "--no-plots", "--answer", LOSSES)
    _, printed = compare(sweep_folder, "compare.shown=6", "--full", *arguments)
    assert "23 sets between them by losses[2026-01] are not shown" in printed
    rows = [line for line in printed.splitlines() if re.match(r" [ −]?\d.*\[.*\]", line)]
    assert len(rows) == 7  # three at each end and the reference
    assert len(pd.read_csv(tmp_path / "comparison.csv")) == 30
    assert len(pd.read_csv(tmp_path / "sets.csv")) == 30


def test_the_answers_sets_reference_and_weights_of_the_user_are_taken(
    run_folder, sweep_folder, tmp_path
):
    _, printed = compare(
        *(run_folder, sweep_folder, "--output", tmp_path, "--no-plots", "--full"),
        *("--answer", "losses[2025-12]", "--answer", "P(net_change[2026-01] < 0)"),
        *("--sets", "central #9,low", "--sets", "central #1"),
        *("--reference", "low", "--weights", "low=1,central #9=3"),
    )
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert table["answer"].unique().tolist() == ["losses[2025-12]", "P(net_change[2026-01] < 0)"]
    assert table["assumption_set"].unique().tolist() == ["central #9", "low", "central #1"]
    assert set(table["reference"]) == {"low"}
    pooled = pd.read_csv(tmp_path / "pooled.csv")
    assert pooled["weights"].unique().tolist() == ["equal", "given: central #9 0.75, low 0.25"]
    assert "given: central #9 0.75, low 0.25" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare.shown=3",), "at least one run"),
        (("nowhere",), "no such folder"),
        (("RUN", "--answer", "losses[2031-01]"), "no set has it"),
        (("RUN", "--answer", "nothing"), "must be quantity"),
        (("RUN", "--reference", "centrall"), "did you mean 'central'"),
        (("RUN", "--sets", "central,lwo"), "did you mean 'low'"),
        (("RUN", "--weights", "low"), "must be LABEL=NUMBER"),
        (("RUN", "--weights", "low=-1"), "not negative"),
        (("RUN", "compare.shown=none"), "compare.shown"),
        (("RUN", "compare.showwn=3"), "compare.showwn: unknown key"),
        (("RUN", "compare.answers=[losses]"), "must be quantity"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(run_folder, tmp_path, arguments, said):
    words = [run_folder if word == "RUN" else word for word in arguments]
    with pytest.raises(EstimatorError) as error:
        compare(*words, "--no-plots", "--output", tmp_path / "out")
    assert said in str(error.value)
    assert isinstance(error.value, (ConfigError, OutputError))
    assert not list((tmp_path / "out").glob("*"))


def test_a_folder_that_cannot_be_written_is_told(run_folder, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        compare(run_folder, "--output", tmp_path / "out")


def test_sets_without_a_common_month_need_an_answer(run_folder, tmp_path):
    months = ("2024-01", "2024-02")
    write_sweep(tmp_path / "old", 3, draws=20, fitted=1, months=months)
    with pytest.raises(OutputError, match="no month in common"):
        compare(run_folder, tmp_path / "old", "--no-plots")


def test_the_last_common_month_is_compared(run_folder, tmp_path):
    write_sweep(tmp_path / "old", 3, draws=20, fitted=1, months=MONTHS[:2])
    compare(run_folder, tmp_path / "old", "--no-plots", "--output", tmp_path / "out")
    months = pd.read_csv(tmp_path / "out/comparison.csv", dtype=str)["month"]
    assert set(months) == {MONTHS[1], "total"}


@pytest.fixture
def hostile(tmp_path: Path, central) -> Path:
    for n, label in enumerate(HOSTILE):
        draws = posterior(np.random.default_rng(n), 60)
        failures = "=HYPERLINK(1) <b>|" if n == 1 else ""
        write_whole(tmp_path / "run", label, central, draws, failures=failures)
    return tmp_path / "run"


def test_hostile_labels_are_harmless_in_every_file(hostile, tmp_path):
    _, printed = compare(hostile, "compare.density_draws=60", "--output", tmp_path / "out")
    csv = pd.read_csv(tmp_path / "out/comparison.csv", keep_default_na=False)
    labels = set(csv["assumption_set"])
    assert "'=cmd|'/c calc'!A0" in labels
    assert not any(str(cell).startswith("=") for cell in csv.to_numpy().ravel())
    markdown = (tmp_path / "out/comparison.md").read_text()
    assert "<script>" not in markdown.replace("\\<script>", "")
    rows = [line for line in markdown.splitlines() if line.startswith("| a\\|")]
    assert all("a\\|b \\`c\\` [d]\\(http" in row for row in rows)
    assert len(rows) == 12  # the matrix, ten answers, and the weights of stacking
    assert "\x1b[31m" not in printed
    assert "[bold red]x[/]" in printed
    for path in (tmp_path / "out").glob("*.svg"):
        tree = ET.parse(path)  # noqa: S314
        assert not list(tree.iter("{http://www.w3.org/2000/svg}script"))
    drawn = {path.name for path in (tmp_path / "out").glob("*.*g")}
    assert PICTURES - {"tornado.png", "tornado.svg"} <= drawn


def test_prior_or_data_and_stacking_are_told_for_results_that_have_likelihoods(tmp_path, central):
    for n, label in enumerate(("central", "other")):
        tree = toy(central, distance=4.0, noise=0.5)
        draws = tree["posterior"].to_dataset()
        likelihood = groups(0.2 * n, draws=draws.sizes["draw"])
        constant = tree["constant_data"].to_dataset().drop_dims("claim", errors="ignore")
        own = likelihood["constant_data"]
        claims = own.sizes["claim"]
        likelihood["constant_data"] = own.assign(
            source=("claim", ["nato:losses"] * claims), **constant.data_vars
        )
        draws = draws.assign(
            killed_share=0.3 + 0.0 * draws["losses"], recruits=1.0 * draws["net_change"]
        )
        write_whole(tmp_path / "run", label, central, draws, groups=likelihood)
    _, printed = compare(tmp_path / "run", "--no-plots", "--full", "--answer", LOSSES)
    assert "Prior or data? central" in printed
    assert "Stacking by leave-one-out" in printed
    assert "weights: stacking: " in printed
    found = pd.read_csv(tmp_path / "run/compare/prior_or_data.csv")
    assert set(found["assumption_set"]) == {"central", "other"}
    moved = pd.read_csv(tmp_path / "run/compare/answer_sensitivity.csv")
    assert set(moved["answer"]) == {str(LOSSES)}
    stacked = pd.read_csv(tmp_path / "run/compare/stacking.csv")
    assert stacked["weight"].sum() == pytest.approx(1.0, abs=1e-3)


def test_files_of_an_earlier_comparison_do_not_stay(run_folder, tmp_path):
    older = ("ridge.png", "fans_killed.svg", "prior_or_data.csv")
    for name in (*older, "mine.txt"):
        (tmp_path / name).write_text("old")
    (tmp_path / "files.txt").write_text("\n".join(older))
    compare(run_folder, "--no-plots", "--output", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == TABLES | {"mine.txt"}


def test_a_further_part_is_written_with_its_table_and_its_picture(
    run_folder, tmp_path, monkeypatch
):
    def part(comparison: Comparison) -> Part:
        return Part(
            tables={"extra": pd.DataFrame({"sets": [len(comparison.sets)]})},
            figures=lambda: iter([("more", Figure(figsize=(1, 1)))]),
        )

    monkeypatch.setattr("estimator.studies.compare.parts.PARTS", (part,))
    compare(run_folder, "--output", tmp_path)
    assert (tmp_path / "extra.csv").read_text() == "sets\n3\n"
    assert (tmp_path / "more.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "more.svg").exists()
