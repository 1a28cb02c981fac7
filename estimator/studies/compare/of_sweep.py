"""What a sweep ends with, before anybody compares it: tables, and pictures of its sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xarray as xr

from estimator.quantity import TOTAL
from estimator.show.grid import Grid
from estimator.show.part import Part
from estimator.show.run_tables import check_grid, sweep_grid
from estimator.store.planned_sweep import PlannedSweep
from estimator.store.sets import Sets
from estimator.store.summary import SUMMARY_COLUMNS
from estimator.store.sweep_files import TABLE
from estimator.studies.compare.drivers import drivers
from estimator.studies.compare.grids import shown_labels
from estimator.studies.compare.labels import Naming
from estimator.studies.compare.matrix import crossed_levels, matrix_grid, product_grids
from estimator.studies.compare.options import CompareOptions
from estimator.studies.compare.specification import curve_levels
from estimator.studies.compare.table import ranges, reference_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep_parts(
    folder: Path, tree: xr.DataTree, check: pd.DataFrame, options: CompareOptions
) -> list[Part]:
    """Tables and pictures of a planned sweep.

    Parameters
    ----------
    folder
        Where its files are.
    tree
        As `estimator.sweep.collect.collect_sweep` gives it.
    check
        As `estimator.sweep.check.check_table` gives it; empty without checks.
    options
        Which answers are shown, and of how many sets.
    """
    if "month" not in tree.to_dataset():  # no set has numbers
        return [Part(grids=[sweep_grid(tree)], brief=True)]
    sets = Sets([PlannedSweep(folder)])
    asked = options.answers_of(sets.last_month)
    answers = [answer for answer in asked if np.isfinite(sets.value(answer)).any()]
    naming = Naming.of(sets)
    table = pd.concat([ranges(sets, answer) for answer in answers], ignore_index=True)
    table["reference"] = reference_of(sets)
    ends = sweep_grid(tree, [naming.text(label) for label in sets.labels])
    ends = replace(ends, notes=(*ends.notes, *naming.notes(sets.labels, "summary.csv")))
    crossed = product_grids(sets, options.specification_of(sets.last_month))
    matrix = matrix_grid(sets, answers, shown_labels(table, options.shown), "summary.csv")
    return [
        Part(
            grids=[ends, *crossed],
            tables={"summary": _summary(folder, sets)},
            figures=lambda: sweep_figures(sets, options, table),
            brief=True,
        ),
        Part(grids=[matrix], brief=not crossed and len(sets) <= options.shown),
        *_checked(check, naming),
    ]


def _checked(check: pd.DataFrame, naming: Naming) -> list[Part]:
    if check.empty:
        return []
    names = check["assumption_set"].map(naming.text)
    return [Part(grids=[check_grid(check.assign(assumption_set=names))], brief=True)]


def crossed_grids(run: Path, labels: Sequence[str], options: CompareOptions) -> list[Grid]:
    """Of sets that were written whole, and vary two keys, a table of each headline answer."""
    sets = Sets.open([run]).only(labels)
    if crossed_levels(sets) is None:
        return []
    return product_grids(sets, options.specification_of(sets.last_month))


def sweep_figures(
    sets: Sets, options: CompareOptions, table: pd.DataFrame | None = None
) -> Iterator[tuple[str, Figure]]:
    """Draw specification curves and, of a table of answers, their ranges.

    Parameters
    ----------
    sets
        Of a sweep.
    options
        Which answers have a specification curve, and how many sets are in a forest.
    table
        As `estimator.studies.compare.table.ranges` gives it, of several answers.
    """
    from estimator.studies.compare.pictures import (  # matplotlib takes a second
        Selection,
        draw_forest,
        draw_specifications,
    )

    if table is not None:
        shown = Selection.of(sets, options.answers_of(sets.last_month)[0], "", options.drawn)
        if shown is not None:
            yield "forest", draw_forest(shown, table)
    if curve_levels(sets) is not None:
        asked = options.specification_of(sets.last_month)
        yield from draw_specifications(sets, asked, drivers(sets, asked))


def _summary(folder: Path, sets: Sets) -> pd.DataFrame:
    """Rows of the whole table that a reader asks for first: of the last whole month, and sums.

    The columns of a run's ``summary.csv``, then the other statistics, how a set was obtained, what
    failed, and the varied keys.
    """
    wanted = pc.field("month").isin([sets.last_month, TOTAL])
    with pq.ParquetFile(folder / TABLE) as file:  # piece by piece: all of it may be a gigabyte
        pieces = (file.read_row_group(n).filter(wanted) for n in range(file.num_row_groups))
        found: pd.DataFrame = pa.concat_tables(pieces).to_pandas()
    found = found.astype({name: object for name in found.select_dtypes("category")})
    found = found.assign(
        scenario="",
        failures=found["assumption_set"].map(sets.facts.set_index("own_label")["failures"]),
    )
    first = list(SUMMARY_COLUMNS)
    return found[[*first, *(name for name in found if name not in first)]]
