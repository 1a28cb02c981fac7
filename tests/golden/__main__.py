"""Take the golden tables from the newest `make estimate`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from estimator.evidence.periods import Window
from estimator.store.results import read_result

QUANTITIES = (
    "losses",
    "irrecoverable",
    "killed",
    "killed_share",
    "recruits",
    "replacement_gap",
    "net_change",
)
COLUMNS = ["assumption_set", "quantity", "month", "unit", "q05", "q50", "q95"]

summary = pd.read_csv("outputs/shipped/summary.csv", keep_default_na=False)
last = Window.of_result(read_result(Path("outputs/shipped/central"))).last_whole_month
chosen = summary[
    (summary["scenario"] == "")
    & summary["quantity"].isin(QUANTITIES)
    & summary["month"].isin([last, "total"])
]
chosen[COLUMNS].to_csv(Path(__file__).with_name("shipped.csv"), index=False, float_format="%.4g")

# What the audit says of them (estimator audit): statements, and claims that need no fit.
audit = Path("outputs/shipped/audit")
statements = pd.read_csv(audit / "statements.csv", keep_default_na=False)
columns = ["assumption_set", "statement", "period", "probability"]
statements[columns].to_csv(
    Path(__file__).with_name("statements.csv"), index=False, float_format="%.3g"
)
claims = pd.read_csv(audit / "claims.csv", keep_default_na=False, na_values={"k_hat": [""]})
sure = (claims["method"] == "psis") & (claims["k_hat"] < 0.5)
told = claims[sure | (~claims["counted"] & (claims["verdict"] != "repeat"))]
columns = ["assumption_set", "claim", "predicted_q05", "predicted_q50", "predicted_q95", "verdict"]
told.sort_values(columns[:2])[columns].to_csv(
    Path(__file__).with_name("claims.csv"), index=False, float_format="%.4g"
)
