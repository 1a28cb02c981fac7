"""`estimator audit`: hold the claims against the posterior of each set."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from estimator.commands import add_config_dir, outputs_and_overrides

if TYPE_CHECKING:
    from rich.console import Console

    from estimator.store.sets import Sets
    from estimator.studies.audit.audit import Audit

FOLDER = "audit"
_GROUPS = ("audit",)
DESCRIPTION = """\
Holds every claim against what each set predicts for it without having seen it; leaves out one piece
of evidence after the other (all claims that rest on one count), and says which probabilities hang
on one; asks what was said in words as probabilities; finds claims that cannot all be true, and
what would resolve them; and holds recruits, losses and returns against the published sizes of the
force.

  estimator audit outputs/shipped
  estimator audit outputs/shipped --sets central,article audit.refit=no_series

The statements of audit=article are judged where the table counts the forces that it is about; for
others the default is audit=claims_only.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "outputs",
        nargs="+",
        metavar="OUTPUT",
        help="folder of a run or a set; or audit=OPTION, audit.KEY=VALUE (see conf/audit)",
    )
    parser.add_argument("--sets", action="append", metavar="LABEL,...", help="these sets alone")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder (first OUTPUT/audit)")
    add_config_dir(parser)
    parser.add_argument("--no-plots", action="store_true", help="no pictures")


def run(options: argparse.Namespace, console: Console) -> int:
    """Audit, print the tables and write the files; the result is the exit status.

    Raises
    ------
    ConfigError, OutputError
        If an output, set or option cannot be used.
    """
    from estimator.store.sets import Sets
    from estimator.studies.audit.parts import publish_audit
    from estimator.studies.compare.cli import split_labels

    outputs, overrides = outputs_and_overrides(
        options.outputs, _GROUPS, needs="audit needs the folder of at least one run"
    )
    sets = Sets.open(outputs)
    if options.sets is not None:
        sets = sets.only(split_labels(options.sets, sets.labels))
    folder = options.output or outputs[0] / FOLDER
    audit = make_audit(sets, overrides, folder, console, options.config_dir)
    publish_audit(audit, folder, console, plots=not options.no_plots)
    console.print(f"Audit: {folder}", markup=False)
    return 0


def make_audit(
    sets: Sets,
    overrides: Sequence[str],
    folder: Path,
    console: Console,
    config_dir: str | None = None,
) -> Audit:
    """Audit with a progress bar.

    Parameters
    ----------
    sets
        Sets, of which those that were written whole are audited.
    overrides
        Overrides of the group ``audit``. Without an option there, the statements are judged if the
        table counts the forces that they are about.
    folder
        Where verdicts of single sets are kept; those that are there already are taken.
    console
        For the progress bar.
    config_dir
        A folder of a user's options.
    """
    from estimator.assumptions.compose import plain_config
    from estimator.show.progress import counting_bar
    from estimator.store.journal import Journal
    from estimator.store.results import check_writable
    from estimator.studies.about import options_of_sets
    from estimator.studies.audit.audit import FILE, audit
    from estimator.studies.audit.options import AuditOptions

    chosen = options_of_sets(sets, overrides, _GROUPS, config_dir)
    checked = AuditOptions.from_config(plain_config(chosen, config_dir)["audit"])
    check_writable(folder)
    with Journal(folder / FILE, "audit") as journal, counting_bar(console, "read") as tell:
        return audit(sets, checked, journal=journal, progress=tell)
