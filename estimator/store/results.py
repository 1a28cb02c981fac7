"""Folders of results, a set each: how they are written, read back and joined into a run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
import yaml

from estimator.assumptions import AssumptionSet
from estimator.errors import EstimatorError, OutputError
from estimator.evidence.load import claims_paths, data_hash
from estimator.export import read_csv, read_text, write_csv
from estimator.paths import folder_name
from estimator.store.crate import write_crate
from estimator.store.netcdf import RESULT, open_groups, read_netcdf, read_root_attrs, write_netcdf
from estimator.store.sweep_files import DATASET
from estimator.store.versions import versions

COMMAND = "command.txt"
"""File of a run that says which command made it."""


def write_result(
    folder: Path,
    tree: xr.DataTree,
    summary: pd.DataFrame,
    claims: pd.DataFrame,
    config: Mapping[str, Any],
    plots: Any = None,
) -> None:
    """Write one set's folder as a whole or not at all.

    Parameters
    ----------
    folder
        Where the set's folder shall be; an older one is replaced.
    claims
        The whole claims table, with which claims count and why the others do not.
    plots
        Called with a folder to draw pictures into, or None.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    from estimator.store.summary import dated_estimates  # pandera takes a second

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as name:
            made = Path(name) / folder.name
            made.mkdir()
            write_netcdf(tree, made / RESULT)
            write_csv(summary, made / "summary.csv")
            write_csv(dated_estimates(tree, summary, claims), made / "estimates.csv")
            write_csv(claims, made / "claims.csv")
            diagnostics = json.loads(tree.attrs["diagnostics"])
            (made / "diagnostics.json").write_text(json.dumps(diagnostics, indent=2) + "\n")
            text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
            (made / "config.yaml").write_text(text, encoding="utf-8")
            if plots is not None:
                plots(made / "plots")
            _describe_set(made, tree)
            _put_in_place(made, folder, Path(name) / "replaced")
    except (OSError, OutputError) as error:
        reason = error.__cause__ or error  # an OutputError names the folder that is gone again
        text = getattr(reason, "strerror", None) or reason
        raise OutputError(f"{folder}: cannot be written ({text})") from error


def _describe_set(folder: Path, tree: xr.DataTree) -> None:
    attrs = tree.attrs
    write_crate(
        folder,
        name=f"Assumption set {attrs['assumption_set']}",
        facts={
            "assumption set": attrs["assumption_set"],
            "identity of set and data": attrs["assumption_set_id"],
            "seed": int(attrs["seed"]),
        },
        data_hashes=[attrs["data_hash"]],
        versions=json.loads(attrs["versions"]),
    )


def describe_run(folder: Path) -> Path:
    """Write what a run is and how it came about (see `estimator.store.crate`); return the file."""
    sets = [read_attrs(path.parent) for path in sorted(folder.glob("*/result.nc"))]
    attrs = sets or [read_attrs(folder, DATASET)]
    command = folder / COMMAND
    return write_crate(
        folder,
        name=f"Run {folder.name}",
        facts={"assumption sets": "; ".join(one["assumption_set"] for one in sets)} if sets else {},
        data_hashes=sorted({part for one in attrs for part in str(one["data_hash"]).split()}),
        versions=versions(),
        command=read_text(command).strip() if command.exists() else "",
    )


def _put_in_place(made: Path, folder: Path, aside: Path) -> None:
    """Replace a folder by a new one; if that fails, the old one is put back."""
    replaced = folder.exists()
    if replaced:
        folder.rename(aside)
    try:
        made.rename(folder)
    except OSError:
        if replaced:
            aside.rename(folder)
        raise


def check_writable(folder: Path) -> None:
    """Fail early and clearly if nothing can be written there; makes no folder."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        message = f"output folder {folder}: cannot be written ({error.strerror or error})"
        raise OutputError(message) from error


def point_latest(outputs: Path, name: str) -> None:
    """Let ``outputs/latest`` point to the newest run, in one step."""
    target = outputs / "latest"
    if target.exists() and not target.is_symlink():
        raise OutputError(f"{target}: is in the way of the link to the newest run; rename it")
    try:
        with tempfile.TemporaryDirectory(dir=outputs, prefix=".linking-") as folder:
            link = Path(folder) / "latest"
            link.symlink_to(name, target_is_directory=True)
            link.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error


def read_result(folder: Path) -> xr.DataTree:
    """Read a set's result back; `arviz.from_netcdf` reads the same file."""
    return read_netcdf(folder / RESULT)


def open_posterior(folder: Path) -> xr.DataTree:
    """Open posterior, claims and attributes of a set; each variable is read when it is used."""
    tree = open_groups(folder / RESULT, ("posterior", "constant_data"))
    tree.attrs = read_attrs(folder)
    return tree


def read_attrs(folder: Path, name: str = RESULT) -> dict[str, Any]:
    """Read the attributes of a set's result, or of another file, without its draws."""
    return read_root_attrs(folder / name)


def is_done(assumptions: AssumptionSet, outputs: Path, name: str) -> Path | None:
    """Folder of a set that was written before with the same configuration and data, else None.

    Code of another version of this package counts as another configuration.
    """
    folder = outputs / name / folder_name(assumptions.label)
    if not (folder / "result.nc").exists():
        return None
    try:
        attrs = read_attrs(folder)
        paths = claims_paths(assumptions.evidence.files)
        identity = assumptions.identity(data_hash(path.read_bytes() for path in paths))
    except (EstimatorError, OSError):
        return None  # what is wrong is said when the set is estimated
    same = attrs.get("assumption_set_id") == identity
    return folder if same and attrs.get("versions") == json.dumps(versions()) else None


def open_posteriors(folders: Sequence[Path]) -> dict[str, xr.DataTree]:
    """Open the posteriors of some sets, by label.

    Raises
    ------
    OutputError
        If two sets have one label.
    """
    trees: dict[str, xr.DataTree] = {}
    for folder in folders:
        tree = open_posterior(folder)
        label = str(tree.attrs["assumption_set"])
        if label in trees:
            raise OutputError(f"{folder}: another set of this run has its label, {label!r}, too")
        trees[label] = tree
    return trees


def collect(outputs: Path, name: str, folders: Sequence[Path] | None = None) -> pd.DataFrame:
    """Join the tables of the sets of a run into its ``summary.csv``; return it.

    Parameters
    ----------
    outputs, name
        Where the run is.
    folders
        The sets' folders; None takes all below the run.

    Raises
    ------
    OutputError
        If the run holds no result.
    """
    run = outputs / name
    found = (
        sorted(run.glob("*/result.nc")) if folders is None else [f / "result.nc" for f in folders]
    )
    if not found:
        raise OutputError(f"{run}: holds no result")
    summaries = [read_csv(path.parent / "summary.csv") for path in found]
    combined = pd.concat(summaries, ignore_index=True)
    write_csv(combined, run / "summary.csv", float_format=None)
    point_latest(outputs, name)
    return combined
