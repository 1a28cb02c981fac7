"""What a report is made of: whole results, the claims, and the tables that others worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd
import xarray as xr

from estimator.errors import OutputError, problems_text
from estimator.show.break_even import BreakEven
from estimator.studies.report.options import ReportOptions

_RANGE = ("q05", "q25", "q50", "q75", "q95")
COLUMNS: dict[str, tuple[str, ...]] = {
    "claims_table": (
        *("id", "quantity", "period_start", "period_end", "low", "value", "high", "unit", "hedge"),
        *("status", "origin", "source", "published", "citation", "locator", "note"),
        *("used", "reason"),
    ),
    "comparison": (
        *("assumption_set", "answer", "unit", *_RANGE, "reference", "difference"),
        *("difference_mcse", "p_above", "below_zero", "failures"),
    ),
    "pooled": ("answer", "unit", *_RANGE, "weights", "sets", "refused"),
    "stacking": ("assumption_set", "elpd", "se", "weight", "warnings"),
    "drivers": (
        *("answer", "unit", "assumption", "method", "level_low", "level_high", "value_low"),
        *("value_high", "reference", "effect", "first_order", "total", "total_low", "total_high"),
        *("rank", "note"),
    ),
    "prior_or_data": (
        *("assumption_set", "parameter", "unit", "prior_q05", "prior_q50", "prior_q95"),
        *("posterior_q05", "posterior_q50", "posterior_q95", "contraction", "verdict"),
    ),
    "claims": (
        *("assumption_set", "claim", "figure", "quantity", "origin", "period_start", "period_end"),
        *("unit", "counted", "reason", "predicted_q05", "predicted_q50", "predicted_q95"),
        *("tail_probability", "verdict", "influence", "influence_on"),
    ),
    "statements": (
        *(
            "assumption_set",
            "statement",
            "claims",
            "says",
            "about",
            "probability",
            "mcse",
            "value_q05",
        ),
        *("value_q50", "value_q95", "unit", "note"),
    ),
    "conflicts": ("conflict", "claims", "says", "resolution"),
    "balance": (
        *("assumption_set", "period_start", "period_end", "published_change", "flows_q05"),
        *("flows_q50", "flows_q95", "gap_q05", "gap_q50", "gap_q95", "note"),
    ),
}
"""Columns that the report reads of each table; others may be there."""


@dataclass(frozen=True)
class ReportData:
    """All that a report shows. A table that is None makes its section say which command gives it.

    Attributes
    ----------
    output
        Folder of the run, as a user writes it in a command.
    command
        What made the run.
    options
        Words and choices.
    trees
        Whole results by label, as `estimator.store.results.read_result` gives them, in the order
        shown.
    claims_table
        The claims with `used` and `reason` (see `estimator.evidence.select`).
    comparison, pooled, stacking, drivers, prior_or_data, claims, statements, conflicts, balance
        Tables of `estimator.studies.compare` and `estimator.studies.audit`; their columns are in
        `COLUMNS`.
    breakeven
        Break-even values.

    Raises
    ------
    OutputError
        If there is no result, or with every column that is missing.
    """

    output: str
    command: str
    options: ReportOptions
    trees: Mapping[str, xr.DataTree]
    claims_table: pd.DataFrame
    comparison: pd.DataFrame | None = None
    pooled: pd.DataFrame | None = None
    stacking: pd.DataFrame | None = None
    drivers: pd.DataFrame | None = None
    prior_or_data: pd.DataFrame | None = None
    claims: pd.DataFrame | None = None
    statements: pd.DataFrame | None = None
    conflicts: pd.DataFrame | None = None
    balance: pd.DataFrame | None = None
    breakeven: Sequence[BreakEven] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be shown, with all problems at once."""
        problems = []
        if not self.trees:
            problems.append("no whole result (<set>/result.nc): a report needs at least one")
        for name, columns in COLUMNS.items():
            table = getattr(self, name)
            if table is not None:
                missing = [column for column in columns if column not in table.columns]
                problems += [f"table {name}: no column {', '.join(missing)}"] if missing else []
        if problems:
            raise OutputError(
                problems_text(f"{self.output}: no report can be made of it:", problems)
            )

    @property
    def name(self) -> str:
        """Name of the run."""
        return PurePath(self.output).name
