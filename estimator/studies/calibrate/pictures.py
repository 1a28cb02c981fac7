"""Pictures of a calibration, by the name of their file."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from estimator.show.figures.calibration import (
    plot_broken,
    plot_coverage,
    plot_ranks,
    plot_reweighting,
)
from estimator.studies.calibrate.calibration import Calibration
from estimator.studies.calibrate.options import CalibrateOptions
from estimator.studies.calibrate.uniformity import FEWEST, band

_FOLDER = "plots"


def pictures(found: Calibration, options: CalibrateOptions) -> Iterator[tuple[str, Figure]]:
    """Draw what is there, one figure after the other."""
    of_ranks = options.sbc
    for name, shares in found.shares.items():
        if len(shares) >= FEWEST:
            limits = band(len(shares), of_ranks.band, of_ranks.band_simulations)
            yield f"{_FOLDER}/ranks_{name}", plot_ranks(shares, limits, name, of_ranks.band)
    if len(found.coverage):
        yield f"{_FOLDER}/coverage", plot_coverage(found.coverage, options.coverage.structure)
    if len(found.broken):
        yield f"{_FOLDER}/broken", plot_broken(found.broken, options.noticing.level)
    if "compared" in found.reweighting:
        yield (
            f"{_FOLDER}/reweighting",
            plot_reweighting(found.reweighting, options.reweighting.max_k_hat),
        )
