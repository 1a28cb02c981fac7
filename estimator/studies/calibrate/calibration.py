"""All parts of a calibration, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from estimator.errors import ConfigError, nearest, problems_text
from estimator.show.progress import Progress
from estimator.studies.calibrate.broken import broken_table, entries, simulate_broken
from estimator.studies.calibrate.coverage import coverage_table
from estimator.studies.calibrate.journal import CalibrationJournal
from estimator.studies.calibrate.options import CalibrateOptions, StructureOptions
from estimator.studies.calibrate.ranked import group_of
from estimator.studies.calibrate.reweighted import check_moves, compare_moves
from estimator.studies.calibrate.sbc import (
    sbc_table,
    shares_table,
    simulate_structure,
    summary_table,
)
from estimator.studies.calibrate.slopes import measure_slopes, slopes_table
from estimator.studies.calibrate.worlds import Worlds


@dataclass
class Calibration:
    """Tables of a calibration; empty where a part was not asked for.

    Attributes
    ----------
    slopes
        `estimator.studies.calibrate.slopes.slopes_table`.
    summary
        `estimator.studies.calibrate.sbc.summary_table`.
    sbc
        `estimator.studies.calibrate.sbc.sbc_table`.
    coverage
        `estimator.studies.calibrate.coverage.coverage_table`.
    broken
        `estimator.studies.calibrate.broken.broken_table`.
    reweighting
        `estimator.studies.calibrate.reweighted.compare_moves`.
    shares
        Ranks as shares, (world, entry) with the names of the entries as columns, by structure.
    """

    slopes: pd.DataFrame = field(default_factory=pd.DataFrame)
    summary: pd.DataFrame = field(default_factory=pd.DataFrame)
    sbc: pd.DataFrame = field(default_factory=pd.DataFrame)
    coverage: pd.DataFrame = field(default_factory=pd.DataFrame)
    broken: pd.DataFrame = field(default_factory=pd.DataFrame)
    reweighting: pd.DataFrame = field(default_factory=pd.DataFrame)
    shares: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables that are there, by the name of their file."""
        named = {
            "slopes": self.slopes,
            "structures": self.summary,
            "sbc": self.sbc,
            "coverage": self.coverage,
            "broken": self.broken,
            "reweighting": self.reweighting,
        }
        return {name: table for name, table in named.items() if len(table)}

    @property
    def not_calibrated(self) -> list[str]:
        """Structures that were judged and did not pass."""
        failed: list[str] = []
        if len(self.slopes):
            failed += self.slopes.loc[~self.slopes["passed"].astype(bool), "structure"].tolist()
        if len(self.summary):
            judged = self.summary[self.summary["entries"] > 0]
            failed += judged.loc[~judged["passed"].astype(bool), "structure"].tolist()
        return list(dict.fromkeys(failed))

    @property
    def failed_fits(self) -> list[str]:
        """One sentence for each structure with failed fits."""
        if not len(self.summary):
            return []
        rows = self.summary[self.summary["failed"] > 0].to_dict("records")
        return [f"{row['structure']}: {row['failed']} of {row['worlds']} fits" for row in rows]


def worlds_of(
    name: str,
    spec: StructureOptions,
    overrides: Sequence[str],
    options: CalibrateOptions,
    config_dir: str | None,
) -> Worlds:
    """Worlds of a structure of the configuration."""
    return Worlds.of(
        name, [*overrides, *spec.overrides], spec.kind, options.seed, options.fit, config_dir
    )


def calibrate(
    options: CalibrateOptions,
    overrides: Sequence[str],
    folder: Path,
    progress: Progress,
    config_dir: str | None = None,
) -> Calibration:
    """Carry out the parts that are asked for; what is finished in `folder` is taken from there.

    Parameters
    ----------
    options
        Parts, structures, numbers.
    overrides
        Of the configuration, for all structures.
    folder
        Where the journal is.
    progress
        Told of each world.
    config_dir
        A folder of options beside the shipped ones.

    Raises
    ------
    ConfigError, EvidenceError
        If a structure cannot be composed, or its claims cannot be used.
    OutputError
        If the journal cannot be written.
    """
    calibration = Calibration()
    chosen = options.chosen()
    base = Worlds.of("base", overrides, "replicate", options.seed, options.fit, config_dir)
    if "reweighting" in options.parts:
        check_moves(base, options)
    with CalibrationJournal(folder) as journal:
        if "coverage" in options.parts:
            calibration.coverage = _coverage(journal, overrides, options, progress, config_dir)
        if "slopes" in options.parts:
            of_prior = [name for name, spec in chosen.items() if spec.kind == "prior"]
            for name in of_prior:
                worlds = worlds_of(name, chosen[name], overrides, options, config_dir)
                measure_slopes(worlds, options, journal, progress)
            calibration.slopes = slopes_table(journal, of_prior, options)
        if "sbc" in options.parts:
            for name, spec in chosen.items():
                worlds = worlds_of(name, spec, overrides, options, config_dir)
                simulate_structure(worlds, spec, options, journal, progress)
            calibration.sbc = sbc_table(journal, chosen, options)
            calibration.summary = summary_table(journal, chosen, calibration.sbc, options)
            calibration.shares = {
                name: shares_table(journal, name, spec, options) for name, spec in chosen.items()
            }
        if "broken" in options.parts:
            calibration.broken = _broken(journal, overrides, options, progress, config_dir)
        if "reweighting" in options.parts:
            calibration.reweighting = compare_moves(base, options, journal, progress)
    return calibration


def _broken(
    journal: CalibrationJournal,
    overrides: Sequence[str],
    options: CalibrateOptions,
    progress: Progress,
    config_dir: str | None,
) -> pd.DataFrame:
    """Break worlds; those of one number have the same truth wherever the set is the same."""
    chosen = {name: options.capped(spec) for name, spec in options.broken.items()}
    known: dict[tuple[str, ...], Worlds] = {}

    def of(*words: str) -> Worlds:
        if words not in known:
            known[words] = Worlds.of(
                "broken", [*overrides, *words], "replicate", options.seed, options.fit, config_dir
            )
        return known[words]

    broken = {}
    for name, spec in chosen.items():
        worlds = of(*spec.overrides)
        if spec.world:
            worlds = replace(worlds, maker=of(*spec.overrides, *spec.world))
            _check_same_claims(name, worlds)
        _check_named(f"broken.{name}.invents", [spec.invents or ""], ["", *_origins(worlds)])
        groups = worlds.evidence.dataset["evidence_group"].values.tolist()
        _check_named(f"broken.{name}.copies", [spec.copies or ""], ["", *groups])
        _check_named("noticing.quantities", entries(options, worlds.last_month), worlds.entries)
        broken[name] = worlds
    for name, spec in chosen.items():
        simulate_broken(name, broken[name], spec, options, journal, progress)
    return broken_table(journal, chosen, options)


def _check_same_claims(name: str, worlds: Worlds) -> None:
    """Refuse a world of other claims or months than those that the set reads."""
    maker = worlds.maker or worlds
    own, other = (one.published.structure.coords for one in (worlds, maker))
    dims = [
        dim
        for dim in ("month", "claim", "confirmed_claim", "registry_figure")
        if own[dim] != other[dim]
    ]
    if dims:
        raise ConfigError(
            f"calibrate.broken.{name}.world: its {', '.join(dims)} are not those of the set"
        )


def _coverage(
    journal: CalibrationJournal,
    overrides: Sequence[str],
    options: CalibrateOptions,
    progress: Progress,
    config_dir: str | None,
) -> pd.DataFrame:
    """Score the worlds of one structure; those of sbc, which are simulated only once."""
    name = options.coverage.structure
    spec = options.capped(options.structures[name])
    worlds = worlds_of(name, spec, overrides, options, config_dir)
    _check_named("coverage.reporter", [options.coverage.reporter], _origins(worlds))
    _check_named("coverage.quantities", options.coverage.quantities, _groups(worlds))
    simulate_structure(worlds, spec, options, journal, progress)
    progress("coverage", 0, 1)
    return coverage_table(journal, worlds, spec, options)


def _origins(worlds: Worlds) -> list[str]:
    return sorted(set(worlds.evidence.dataset["origin"].values.tolist()))


def _groups(worlds: Worlds) -> list[str]:
    return sorted({group_of(name) for name in worlds.entries})


def _check_named(key: str, names: Sequence[str], valid: Sequence[str]) -> None:
    """Refuse a name that nothing has, before minutes of fits that would ignore it."""
    unknown = [
        f"calibrate.{key}: {name!r} is not there; {nearest(name, valid)}"
        for name in names
        if name not in valid
    ]
    if unknown:
        raise ConfigError(problems_text("The configuration has problems:", unknown))
