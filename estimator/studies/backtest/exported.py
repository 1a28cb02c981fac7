"""Forecasts of a back-test and what came, in the columns in which anybody's are scored."""

from __future__ import annotations

import pandas as pd

from estimator.show.number import hundredths
from estimator.store.model_out import LATER_COLUMNS, MONTHS_OF, model_out, month_end
from estimator.studies.backtest.cases import MODEL, QUANTILES
from estimator.studies.backtest.origins import FORECAST


def exported(cases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Write forecasts of months that were still to come, and their figures, for `estimator score`.

    Parameters
    ----------
    cases
        As `estimator.studies.backtest.backtest.Backtest.cases`.

    Returns
    -------
    dict
        By the names of their files. estimates: columns `estimator.store.model_out.COLUMNS`; the
        target is the source, since what is forecast is its figure. later: columns
        `estimator.store.model_out.LATER_COLUMNS`, one row a figure.
    """
    ahead = cases[cases["kind"] == FORECAST]
    wide = ahead.assign(
        model_id=_model_ids(ahead),
        reference_date=ahead["as_of"],
        target=ahead["source"],
        target_end_date=month_end(ahead["month"]),
    )
    levels = {f"q{hundredths(level)}": level for level in QUANTILES}
    later = wide.assign(as_of=wide["published"], observation=wide["observed"])
    return {
        "estimates": model_out(wide, levels),
        "later": later[list(LATER_COLUMNS)].drop_duplicates([*MONTHS_OF, "as_of"]),
    }


def _model_ids(ahead: pd.DataFrame) -> pd.Series:
    """Team and model as hubs write them: ``estimator-central_model``, ``naive-central_walk_12``."""
    names = [
        f"{'estimator' if by == MODEL else by}-{label}_{dynamics}"
        + ("" if factor == 1.0 else f"_noise_{factor:g}")
        for by, label, dynamics, factor in zip(
            *(ahead[name] for name in ("by", "assumption_set", "dynamics", "noise_factor")),
            strict=True,
        )
    ]
    return pd.Series(names, index=ahead.index, dtype=object)
