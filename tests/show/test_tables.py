from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from estimator.run import Estimate
from estimator.show.number import probability
from estimator.show.run_tables import (
    HEADINGS,
    caption,
    fight_lines,
    nobody_left_lines,
    rows,
    run_grid,
    summary_markdown,
    sweep_grid,
    turning_lines,
)


@pytest.fixture
def trees(from_prior: Estimate) -> dict[str, xr.DataTree]:
    failed = from_prior.tree.copy()
    failed.attrs = failed.attrs | {
        "diagnostics_ok": "false",
        "diagnostics_failures": "R-hat 1.080 > 1.01 (losses[2026-01])",
    }
    return {"good": from_prior.tree, "bad|set": failed}


def test_the_table_has_the_last_whole_month_and_the_total_of_each_set(
    trees: dict[str, xr.DataTree],
) -> None:
    found = rows(trees)
    assert len(found) == 2 * len(trees)
    assert all(len(cells) == len(HEADINGS) for cells in found)
    assert [cells[1].text for cells in found] == ["2026-01", "total"] * 2


def test_cells_are_median_and_range_in_thousands(trees: dict[str, xr.DataTree]) -> None:
    losses = trees["good"]["posterior"]["losses"].sel(month="2026-01")
    low, middle, high = np.quantile(losses, [0.05, 0.5, 0.95]) / 1000
    cell = rows(trees)[0][HEADINGS.index("losses")].line
    assert cell == f"{middle:,.1f} [{low:,.1f}, {high:,.1f}]"


def test_a_small_war_is_told_in_persons(trees: dict[str, xr.DataTree]) -> None:
    tree = trees["good"].copy()
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset() / 10_000)
    small = {"good": trees["good"], "small": tree}
    losses = tree["posterior"]["losses"].sel(month="2026-01")
    low, middle, high = np.quantile(losses, [0.05, 0.5, 0.95])
    cell = rows(small)[2][HEADINGS.index("losses")].line
    assert cell == f"{middle:.0f} [{low:.0f}, {high:.0f}]"
    assert caption(small).startswith("Persons: ")
    assert caption(trees).startswith("Thousands of persons: ")


def test_the_probability_of_a_gap_is_the_share_of_draws(trees: dict[str, xr.DataTree]) -> None:
    gap = trees["good"]["posterior"]["replacement_gap"].sel(month="2026-01")
    cell = rows(trees)[0][HEADINGS.index("P(gap<0)")]
    assert cell.text == probability(float((gap < 0).mean()))


def test_a_headline_on_which_sets_lie_on_both_sides_is_said_to_turn(
    trees: dict[str, xr.DataTree],
) -> None:
    shares = {}
    moved = {}
    for label, shift in (("low", -1e7), ("high", 1e7)):
        tree = trees["good"].copy()
        posterior = tree["posterior"].to_dataset()
        tree["posterior"] = xr.DataTree(
            posterior.assign(net_change=posterior["net_change"] + shift)
        )
        moved[label] = tree
        month = posterior["net_change"].sel(month="2026-01") + shift
        shares[label] = probability(float((month < 0).mean()))
    (line,) = turning_lines(moved)
    assert line == (
        f"P(net<0) turns on what is assumed: {shares['high']} in high, {shares['low']} in low."
    )
    assert turning_lines({"low": moved["low"]}) == []


def test_a_set_whose_evidence_moved_a_belief_out_of_its_range_says_so(
    trees: dict[str, xr.DataTree],
) -> None:
    tree = trees["good"].copy()
    posterior = tree["posterior"].to_dataset().copy(deep=True)
    posterior["assumption_value"].loc[{"assumption": "returns.rate"}] = 0.72
    tree["posterior"] = xr.DataTree(posterior)
    assert fight_lines({"good": trees["good"]}) == []
    assert fight_lines({"moved": tree}) == [
        "In moved evidence and beliefs pull apart: returns.rate had to be 0.72 share "
        "(believed 0.3 to 0.65)."
    ]


def test_a_set_in_which_the_force_may_come_to_nothing_says_so(
    trees: dict[str, xr.DataTree],
) -> None:
    made = {}
    posterior = trees["good"]["posterior"].to_dataset()
    size = xr.full_like(posterior["force_size"], 5e5)
    draw = np.arange(size.sizes["draw"])
    for label, least in (("enough", 5e5), ("hollow", 0.0)):
        made[label] = trees["good"].copy()
        some = xr.DataArray(np.where(draw < len(draw) // 4, least, 5e5), dims="draw")
        made[label]["posterior"] = xr.DataTree(
            posterior.assign(force_size=np.minimum(size, some).transpose(*size.dims))
        )
    (line,) = nobody_left_lines(made)
    share = round(100 * (len(draw) // 4) / len(draw))
    assert f"In hollow more leave the force than there were in {share} of 100 draws" in line


def test_a_set_that_failed_its_diagnostics_is_marked(trees: dict[str, xr.DataTree]) -> None:
    labels = [cells[0].text for cells in rows(trees) if cells[0].text]
    assert labels[0] == "good"
    assert "FAILED" in labels[1]
    text = summary_markdown(trees)
    assert "R-hat 1.080" in text
    assert text.count("failed:") == 1


def test_markdown_has_as_many_cells_in_every_row_whatever_the_label(
    trees: dict[str, xr.DataTree],
) -> None:
    lines = [line for line in summary_markdown(trees).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 2 * len(trees)
    assert {line.replace(r"\|", "").count("|") for line in lines} == {len(HEADINGS) + 1}


def test_a_narrow_terminal_shows_all_numbers_whatever_the_label(
    trees: dict[str, xr.DataTree],
) -> None:
    label = "evidence.files=[shipped,my_claims.csv],evidence.population=my_forces,a[b]=c"
    console = Console(width=80)
    with console.capture() as shown:
        console.print(run_grid({label: trees["good"]}))
    lines = shown.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert label in [line.rstrip() for line in lines]  # whole, on a line of its own
    words = {word.strip("(),") for word in shown.get().split()}
    for cell in (cell for row in rows({label: trees["good"]}) for cell in row[2:]):
        assert all(word.strip("(),") in words for word in cell.line.split()), cell


def test_the_caption_names_the_months_and_the_days_of_those_that_are_cut(
    trees: dict[str, xr.DataTree],
) -> None:
    assert "2022-02 to 2026-02" in caption(trees)
    assert "2022-02 has only 5 days in the window, 2026-02 only 15." in caption(trees)


def test_the_table_says_how_many_pieces_of_evidence_the_figures_are(
    trees: dict[str, xr.DataTree], from_prior: Estimate
) -> None:
    claims = from_prior.evidence.claims
    used = claims[claims["used"]]
    groups = used["evidence_group"]
    count = groups[groups != ""].nunique() + (groups == "").sum()
    assert 0 < count < len(used)
    text = f"Published figures that count, in pieces of evidence: {len(used)} in {count}."
    assert text in summary_markdown(trees)


def test_a_sweep_without_any_numbers_still_has_a_table() -> None:
    failed = xr.Dataset(
        coords={
            "assumption_set": ["a", "b"],
            "obtained": ("assumption_set", ["failed", "failed"]),
            "failures": ("assumption_set", ["no draws", "no draws"]),
        }
    )
    assert sweep_grid(xr.DataTree(failed)).title == "2 assumption sets: 2 failed"
