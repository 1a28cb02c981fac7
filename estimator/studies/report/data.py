"""What a report is made of: whole results, the claims, and the tables of the other studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd
import xarray as xr

from estimator.quantities.answers import Answer
from estimator.show.break_even import BreakEven
from estimator.studies.audit.audit import Audit
from estimator.studies.report.options import ReportOptions


@dataclass(frozen=True)
class ReportData:
    """All that a report shows.

    Attributes
    ----------
    output
        Folder of the run, as a user writes it in a command.
    command
        What made the run.
    options
        Words and choices.
    trees
        Whole results by label, at least one, as `estimator.store.results.read_result` gives them,
        in the order shown.
    asked
        Answers to show.
    claims_table
        The claims with `used` and `reason` (see `estimator.evidence.select`).
    comparison, pooled, stacking, prior_or_data
        Tables of `estimator.studies.compare`, of the answers to show and perhaps others;
        `prior_or_data` has no rows where the results keep no likelihood.
    drivers
        `estimator.studies.compare.drivers`; no rows where nothing tells what drives the answers.
    audit
        The claims held against the posterior of each set.
    breakeven
        Break-even values.
    """

    output: str
    command: str
    options: ReportOptions
    trees: Mapping[str, xr.DataTree]
    asked: Sequence[Answer]
    claims_table: pd.DataFrame
    comparison: pd.DataFrame
    pooled: pd.DataFrame
    stacking: pd.DataFrame
    prior_or_data: pd.DataFrame
    drivers: pd.DataFrame
    audit: Audit
    breakeven: Sequence[BreakEven]

    @property
    def name(self) -> str:
        """Name of the run."""
        return PurePath(self.output).name
