from __future__ import annotations

import numpy as np
import pandas as pd

from estimator.show.figures.calibration import plot_broken, plot_coverage

LEVELS = (0.5, 0.9)


def covered(quantity: str, method: str) -> list[dict[str, object]]:
    about = {"quantity": quantity, "period": "months", "method": method, "worlds": 40, "cases": 40}
    return [{**about, "level": at, "coverage": at, "coverage_se": 0.05} for at in LEVELS]


def test_the_legend_of_coverage_names_every_method_and_hides_no_line() -> None:
    rows = covered("losses", "model") + covered("losses", "trend") + covered("net_change", "model")
    figure = plot_coverage(pd.DataFrame(rows), "central")
    figure.canvas.draw()
    legends = [legend for ax in figure.axes if (legend := ax.get_legend()) is not None]
    assert [[text.get_text() for text in found.get_texts()] for found in legends] == [
        ["model", "trend"]
    ]
    left = legends[0].get_window_extent().x0
    assert all(ax.get_window_extent().x1 <= left for ax in figure.axes)


def test_bars_of_coverage_end_at_none_and_all() -> None:
    row = {"break": "none", "says": "nothing is broken", "worlds": 40, "error_sd": 0.1}
    alarms = {"predictive_alarm": 0.0, "audit_alarm": 0.1, "coverage_se": 0.05}
    shares = {"losses[total]": 0.98, "killed[total]": 0.01}
    rows = [{**row, **alarms, "entry": name, "coverage": share} for name, share in shares.items()]
    _, coverage, _ = plot_broken(pd.DataFrame(rows), 0.9).axes
    ends = np.concatenate([lines.get_segments() for lines in coverage.collections])[..., 0]
    np.testing.assert_allclose(ends, [[0.88, 1.0], [0.0, 0.11]])
