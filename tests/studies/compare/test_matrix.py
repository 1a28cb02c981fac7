from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from estimator.fitting.entries import STATISTICS
from estimator.show.grid import FAILED
from estimator.store.sets import Sets
from estimator.studies.compare.matrix import matrix_grid, product_grids
from tests.studies.compare.drivers.sweeps import CHANCE, NET, write_sweep
from tests.studies.compare.made import GAP, LOSSES, alone


def sweep(folder: Path, keys: dict[str, list[object]]) -> Sets:
    count = len(next(iter(keys.values())))
    chances = np.linspace(0.1, 0.9, count)
    return write_sweep(
        folder, keys, {NET: 1000.0 * np.arange(count), CHANCE: chances}, failed=[count - 1]
    )


def test_the_matrix_has_a_row_a_set_and_a_column_an_answer() -> None:
    sets = Sets([alone("central", 1), alone("poor", 2, failures="R-hat")])
    grid = matrix_grid(sets, [LOSSES, GAP], sets.labels)
    assert grid.headings == ("set", "losses 2026-01", "net change 2026-01")
    assert [row[0] for row in grid.texts] == ["central", "poor (FAILED)"]
    assert grid.texts[0][1] == f"{sets.value(LOSSES)[0] / 1000:.1f}"
    assert len(matrix_grid(sets, [LOSSES], ["central"]).notes) == 2  # one set is not shown


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_a_sweep_varied_has_columns_of_its_own_in_place_of_labels(
    count: int, tmp_path: Path
) -> None:
    keys: dict[str, list[object]] = {
        "returns.rate": [0.1, 0.2, 0.3, 0.4],
        "killed_share": ["all", "all", "western", "western"],
        "unconfirmed.ratio.high": [1.5, 0.5, 0.5, 1.5],
    }
    sets = sweep(tmp_path, dict(list(keys.items())[:count]))
    grid = matrix_grid(sets, [NET, CHANCE], sets.labels)
    assert grid.headings[:count] == ("returns.rate", "killed_share", "ratio.high")[:count]
    assert grid.headings[count:] == ("net change 2026-01", "P(net<0) 2026-01")
    assert [row[:count] for row in grid.texts[:2]] == [
        ("0.1", "all", "1.5")[:count],
        ("0.2", "all", "0.5")[:count],
    ]
    assert grid.rows[-1][0].style == FAILED


def test_two_varied_keys_make_a_table_an_answer_of_medians_and_of_probabilities(
    tmp_path: Path,
) -> None:
    keys: dict[str, list[object]] = {
        "returns.rate": [0.2, 0.1, 0.2, 0.1],
        "killed_share": ["all", "all", "western", "western"],
    }
    sets = sweep(tmp_path, keys)
    net, chance = product_grids(sets, [NET, CHANCE])
    assert net.title.endswith(": returns.rate down, killed_share across")
    assert net.headings == ("", "all", "western")
    assert [row[0] for row in net.texts] == ["0.1", "0.2"]
    assert [cell.text for cell in net.rows[0][1:]] == ["1.0", "– ✗"]
    assert net.notes == ("✗: the set failed its checks.",)
    assert [cell.text for cell in net.rows[1][1:]] == ["0.0", "2.0"]
    low, high = (sets.table([NET])[0, 0, STATISTICS.index(q)] for q in ("q05", "q95"))
    assert net.rows[1][1].below == f"[{low / 1000:.1f}, {high / 1000:.1f}]"
    assert [cell.text for cell in chance.rows[1][1:]] == ["0.10", "0.63"]
    assert product_grids(sets.only(sets.labels[:2]), [NET]) == []  # only one key varies


def test_a_table_of_ten_by_ten_medians_fits_into_80_columns(tmp_path: Path) -> None:
    values = [round(0.1 * n, 1) for n in range(10)]
    keys: dict[str, list[object]] = {
        "returns.rate": [value for value in values for _ in values],
        "unconfirmed.ratio.high": values * 10,
    }
    for grid in product_grids(sweep(tmp_path, keys), [NET, CHANCE]):
        file = io.StringIO()
        Console(file=file, width=80).print(grid)
        rows = [line for line in file.getvalue().splitlines() if line.startswith(" 0")]
        assert len(rows) == 10
        assert all(len(row.split()) >= 11 for row in rows)


def test_sets_that_are_no_combinations_of_two_keys_have_no_table_of_them(tmp_path: Path) -> None:
    numbers: list[object] = [0.1 * n for n in range(20)]
    sets = sweep(tmp_path, {"returns.rate": numbers, "unconfirmed.ratio.high": numbers[::-1]})
    assert product_grids(sets, [NET]) == []
