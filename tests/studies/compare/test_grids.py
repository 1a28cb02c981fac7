from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from estimator.show.grid import FAILED, Grid
from estimator.store.sets import Sets
from estimator.studies.compare.grids import (
    comparison_grids,
    pooled_grid,
    prior_grid,
    stacking_grid,
)
from estimator.studies.compare.pool import pooled
from estimator.studies.compare.table import compare_sets
from tests.studies.compare.made import CHANCE, GAP, LOSSES, TOTAL, Made, alone


def printed(grid: Grid, width: int = 100) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(grid)
    return file.getvalue()


@pytest.fixture
def sets() -> Sets:
    others = [alone(f"set {n}", n, shift=100.0 * n) for n in range(2, 30)]
    poor = alone("poor", 40, failures="R-hat", window="2025-01-01 to 2026-01-31")
    return Sets([alone("central", 1), *others, poor])


def test_persons_are_printed_in_thousands_with_range_difference_and_probabilities(sets):
    table = compare_sets(sets, [LOSSES, GAP, CHANCE, TOTAL])
    losses, gap, chance, total = comparison_grids(table, sets, 50)
    assert losses.title == "losses[2026-01], thousand persons/month"
    assert losses.headings == ("set", "median [90 % range]", "less central", "P(above it)")
    assert gap.headings[-1] == "P(< 0)"
    assert chance.headings == ("set", "probability ± error", "less central")
    first = table.iloc[0]
    name, text, difference, above = losses.texts[0]
    assert name == "central"
    expected = " ".join(f"{first[q] / 1000:.1f}" for q in ("q50", "q05", "q95"))
    assert text.translate(str.maketrans("", "", "[],")) == expected
    assert (difference, above) == ("reference", "0.500")
    assert total.title == "losses[total], thousand persons"
    assert "−" in "".join(row[1] for row in gap.texts)
    assert "-0" not in "".join(cell for row in gap.texts for cell in row)


def test_a_failed_set_is_marked_and_what_is_not_comparable_has_a_dash_and_a_note(sets):
    table = compare_sets(sets, [LOSSES, TOTAL])
    losses, total = comparison_grids(table, sets, 50)
    at = sets.labels.index("poor")
    assert losses.texts[at][0] == "poor (FAILED)"
    assert [n for n, row in enumerate(losses.rows) if row[0].style == FAILED] == [at]
    assert losses.notes == ()
    assert total.texts[at][2:] == ("–", "–")
    assert total.notes[0].startswith("Not set against it: poor: window: 2025-01-01")


def test_of_many_sets_the_ends_and_the_reference_are_shown_in_the_order_of_the_first_answer(sets):
    table = compare_sets(sets, [LOSSES, GAP], "set 15")
    grids = comparison_grids(table, sets, 6)
    names = [[row[0].removesuffix(" (FAILED)") for row in grid.texts] for grid in grids]
    assert names[0] == names[1]
    middle = dict(zip(sets.labels, sets.value(LOSSES), strict=True))
    order = sorted(sets.labels, key=lambda label: middle[label])
    assert names[0] == [label for label in order if label in {*order[:3], *order[-3:], "set 15"}]
    assert "23 sets between them" in grids[0].notes[-1]


def test_tables_fit_into_100_columns_and_hold_every_name(sets):
    for grid in comparison_grids(compare_sets(sets, [LOSSES, GAP, CHANCE]), sets, 50):
        lines = printed(grid).splitlines()
        assert max(map(len, lines)) <= 100
        assert all(any(label in line for line in lines) for label in sets.labels)


def test_a_pooled_range_names_its_weights_and_why_it_is_refused(sets):
    grid = pooled_grid(pooled(sets, [LOSSES, CHANCE, TOTAL]))
    assert [row[0] for row in grid.texts] == [str(a) for a in (LOSSES, CHANCE, TOTAL)]
    assert grid.texts[2][1] == "refused"
    assert "equal; 1 failed their diagnostics" in grid.title
    assert any(note.startswith("Refused: losses[total]: window differs") for note in grid.notes)
    single = pooled_grid(pooled(sets, [LOSSES], {"central": 1.0}))
    assert single.title == "Mixture of the sets; weights: central 1"


def test_other_weights_for_some_answers_are_told_below():
    lacking = Made({GAP: np.arange(10.0)}, {"lacking": np.ones(10)}, pool=9)
    grid = pooled_grid(pooled(Sets([alone("a", 1), lacking]), [LOSSES, GAP]))
    assert grid.title.endswith("see below")
    assert "losses[2026-01]: equal; 1 without numbers left out." in grid.notes


def test_a_warning_of_arviz_is_said_once_with_what_it_means():
    rows = [
        ("a", -10.0, 2.0, 0.7, "9 claims; 5 k̂ > 0.70", "Too high."),
        ("b", -11.0, 2.0, 0.3, "9 claims; 4 k̂ > 0.70", "Too high."),
        ("c", np.nan, np.nan, np.nan, "", "refused: other claims"),
    ]
    columns = ["assumption_set", "elpd", "se", "weight", "diagnostics", "warnings"]
    grid = stacking_grid(pd.DataFrame(rows, columns=columns))
    assert grid.texts[0] == ("a", "−10.0 ± 2.0", "0.70", "9 claims; 5 k̂ > 0.70")
    assert grid.texts[2] == ("c", "–", "–", "refused: other claims")
    assert grid.notes == (
        "ArviZ warns: Too high.",
        "With k-hats too high the weights are no more than a hint.",
    )


def test_conflicts_come_first_and_verdicts_are_counted():
    columns = [f"{group}_{q}" for group in ("prior", "posterior") for q in ("q05", "q50", "q95")]
    rows = [
        {"parameter": name, "verdict": verdict, "prior_sensitivity": own}
        | dict.fromkeys(columns, 15_000.0)
        | {"contraction": 0.5, "shift": 1.0, "likelihood_sensitivity": 0.1}
        for name, verdict, own in (
            ("a", "data", 0.01),
            ("b", "both", 0.1),
            ("c", "both", 0.3),
            ("d", "prior-data conflict", 0.2),
            ("e", "fixed", np.nan),
            ("f", "prior", 0.2),
        )
    ]
    table = pd.DataFrame(rows).assign(assumption_set="central")
    moved = pd.DataFrame({"answer": ["x", "x"], "parameter": ["p", "q"], "sensitivity": [0.4, 0.1]})
    grid = prior_grid(table, moved, 4)
    assert [row[0] for row in grid.texts] == ["d", "f", "c", "b"]
    assert grid.texts[0][1:3] == ("15k to 15k", "15k [15k, 15k]")
    assert grid.notes[0] == "Of 6 numbers: 1 prior-data conflict, 1 prior, 2 both, 1 data, 1 fixed."
    assert grid.notes[-1] == "The prior to which an answer is most sensitive: x: p 0.40."
