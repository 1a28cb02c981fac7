"""`estimator calibrate`: check in simulated worlds whether ranges mean what they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, add_overrides
from estimator.errors import DiagnosticsError, problems_text

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.studies.calibrate.calibration import Calibration
    from estimator.studies.calibrate.options import CalibrateOptions

_NAME = "calibration"
DESCRIPTION = """\
Checks in simulated worlds whether the ranges mean what they say: whether figures are simulated as
the model reads them (slopes), ranks of the truth (simulation-based calibration) for each structure
of conf/calibrate, coverage and scores against baselines, worlds that break what a set believes, and
the error of reweighting as a function of k-hat.
The same command again goes on where it was stopped.

  estimator calibrate
  estimator calibrate 'calibrate.parts=[slopes]'
  estimator calibrate 'calibrate.parts=[sbc]' 'calibrate.only=[central,drift]' calibrate.sims=50
  estimator calibrate assumptions=registry 'calibrate.only=[central]' name=registry_calibration
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_overrides(
        parser, "calibrate.KEY=VALUE (see conf/calibrate); others hold for every structure"
    )
    add_config_dir(parser)
    parser.add_argument("--no-plots", action="store_true", help="no pictures")


def run(options: argparse.Namespace, console: Console) -> int:
    """Calibrate, print the tables and write the files; the result is the exit status.

    Raises
    ------
    ConfigError, EvidenceError, OutputError
        If an option, structure or folder cannot be used.
    DiagnosticsError
        If a structure did not pass, or fits missed a bound of their diagnostics; everything is
        written.
    """
    from rich.text import Text

    from estimator.assumptions.compose import plain_config
    from estimator.show.part import publish
    from estimator.store.results import check_writable
    from estimator.studies.calibrate.options import CalibrateOptions
    from estimator.studies.calibrate.parts import parts

    config = plain_config(options.overrides, options.config_dir)
    checked = CalibrateOptions.from_config(config["calibrate"])
    folder = Path(str(config["output_dir"])) / str(config["name"] or _NAME)
    check_writable(folder)
    calibration = _calibrated(checked, options, folder, console)
    publish(
        parts(calibration, checked),
        folder,
        document="calibration",
        heading="Calibration",
        console=console,
        plots=not options.no_plots,
        formats=("png",),
    )
    console.print(Text(f"Results: {folder}"))
    if calibration.not_calibrated:
        text = "Ranges of these do not mean what they say, or too many of their fits failed:"
        raise DiagnosticsError(problems_text(text, calibration.not_calibrated))
    if calibration.failed_fits:
        text = "Fits of these missed a bound of their diagnostics; they are counted as failed:"
        raise DiagnosticsError(problems_text(text, calibration.failed_fits))
    return 0


def _calibrated(
    checked: CalibrateOptions, options: argparse.Namespace, folder: Path, console: Console
) -> Calibration:
    """Calibrate with a progress bar."""
    from estimator.show.progress import counting_bar
    from estimator.studies.calibrate.calibration import calibrate

    own = ("calibrate", "name=", "output_dir=", "label=", "plots=")
    overrides = [text for text in options.overrides if not text.lstrip("+~").startswith(own)]
    with counting_bar(console, "compose") as tell:
        return calibrate(checked, overrides, folder, tell, options.config_dir)
