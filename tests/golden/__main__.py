"""Take the golden table from the newest `make estimate`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

QUANTITIES = ("losses", "killed", "killed_share", "recruits", "replacement_gap", "net_change")
COLUMNS = ["assumption_set", "quantity", "month", "unit", "q05", "q50", "q95"]

summary = pd.read_csv("outputs/shipped/summary.csv", keep_default_na=False)
months = summary.loc[(summary["quantity"] == "losses") & (summary["scenario"] == ""), "month"]
last = months[months != "total"].max()
chosen = summary[
    (summary["scenario"] == "")
    & summary["quantity"].isin(QUANTITIES)
    & summary["month"].isin([last, "total"])
]
chosen[COLUMNS].to_csv(Path(__file__).with_name("shipped.csv"), index=False, float_format="%.4g")
