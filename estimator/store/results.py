"""One assumption set's result: a DataTree in ArviZ's convention, its tables, and their storage."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.errors import OutputError
from estimator.export import write_csv
from estimator.model.figures import FIGURES, THOUSAND
from estimator.paths import package_dir
from estimator.quantities.derived import totals
from estimator.quantity import TOTAL
from estimator.store import claim_draws
from estimator.store.netcdf import read_netcdf, write_netcdf

if TYPE_CHECKING:
    from estimator.evidence.dataset import Evidence
    from estimator.fitting.diagnostics import Diagnostics
    from estimator.fitting.inference import Draws
    from estimator.model.inputs import ModelInputs

SUMMARY_COLUMNS = (
    "assumption_set",
    "scenario",
    "quantity",
    "month",
    "unit",
    "mean",
    "sd",
    "q05",
    "q25",
    "q50",
    "q75",
    "q95",
)
COMMAND = "command.txt"
"""File of a run that says which command made it."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_PACKAGES = ("estimator", "pymc", "pytensor", "nutpie", "arviz", "xarray", "numpy", "hydra-core")


def result_tree(
    *,
    assumptions: AssumptionSet,
    evidence: Evidence,
    inputs: ModelInputs,
    draws: Draws,
    posterior: xr.Dataset,
    prior: xr.Dataset,
    scenarios: xr.Dataset | None,
    diagnostics: Diagnostics,
    seed: int,
    every: int = 1,
) -> xr.DataTree:
    """Join everything that is known of one set into a DataTree.

    Parameters
    ----------
    posterior, prior
        Reported quantities (persons).
    scenarios
        Projections, or None.
    every
        Of the draws of single claims every n-th is kept (see `estimator.store.claim_draws`).

    Returns
    -------
    xarray.DataTree
        Groups posterior, prior, log_likelihood, posterior_predictive, sample_stats, observed_data,
        constant_data and, if any, scenarios. Claims that do not count are left out of all groups
        but constant_data and `posterior.claim_location`: where the report of each claim, counted or
        not, would lie without noise, on the scale of `constant_data.figures`. Where not all draws
        of single claims are kept, log_likelihood and posterior_predictive have fewer draws, and
        `claim_location` is in the group claim_draws. Attrs of the root: assumption_set,
        assumption_set_id, configuration (JSON), data_hash, versions (JSON), seed, diagnostics
        (JSON), diagnostics_ok, claim_draws (JSON).
    """
    used = evidence.dataset["used"].values
    floors = evidence.dataset["confirmed_used"].values
    thinned = claim_draws.thinned(draws.posterior, every)
    likelihood = claim_draws.thinned(draws.log_likelihood, every)
    predictive = _predictive(thinned, inputs, seed)
    groups: dict[str, xr.Dataset] = {
        "posterior": _used(posterior, used, floors),
        "prior": _used(prior, used, floors),
        "log_likelihood": claim_draws.single(_used(likelihood, used, floors), every),
        "posterior_predictive": claim_draws.single(_used(predictive, used, floors), every),
        "sample_stats": draws.sample_stats,
        "observed_data": _used(_observed(inputs), used, floors),
        "constant_data": _constant(evidence, assumptions, inputs),
    }
    locations = _locations(thinned)
    if every == 1:
        groups["posterior"] = groups["posterior"].assign(locations)
    elif locations:
        groups[claim_draws.GROUP] = xr.Dataset(locations)
    if scenarios is not None:
        groups["scenarios"] = scenarios
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    tree.attrs = {
        "assumption_set": assumptions.label,
        "assumption_set_id": assumptions.identity(evidence.data_hash),
        "configuration": json.dumps(assumptions.model_dump(mode="json"), ensure_ascii=False),
        "data_hash": evidence.data_hash,
        "structure": inputs.structure.identity,
        "versions": json.dumps(versions()),
        "seed": seed,
        "diagnostics": json.dumps(plain_numbers(asdict(diagnostics))),
        "diagnostics_ok": str(diagnostics.ok).lower(),
        "diagnostics_failures": "; ".join(diagnostics.failures),
        claim_draws.GROUP: claim_draws.said(
            every, posterior.sizes["chain"] * posterior.sizes["draw"]
        ),
    }
    return tree


def versions() -> dict[str, str]:
    """Versions of what the numbers hang on, and a hash of this package's own code."""
    return {name: _version(name) for name in _PACKAGES} | {"estimator code": _code_hash()}


@functools.cache
def _code_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(package_dir().rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _used(dataset: xr.Dataset, used: np.ndarray, floors: np.ndarray) -> xr.Dataset:
    keep = {"claim": used, "confirmed_claim": floors}
    return dataset.isel({dim: mask for dim, mask in keep.items() if dim in dataset.dims})


def _locations(posterior: xr.Dataset) -> dict[str, xr.DataArray]:
    if "claim_location" not in posterior:
        return {}
    location = posterior["claim_location"].astype(np.float32)
    return {"claim_location": location.assign_attrs(units="see constant_data.claim_scale")}


def _predictive(posterior: xr.Dataset, inputs: ModelInputs, seed: int) -> xr.Dataset:
    """Draw what each origin would report, in the scale and unit of its claim. (claim,)."""
    rng = np.random.default_rng([seed, 1])
    groups: dict[str, xr.DataArray] = {}
    if "claim_location" in posterior:
        location = posterior["claim_location"].transpose("chain", "draw", "claim")
        noise = inputs.figure("noise") * rng.standard_normal(location.shape)
        groups["reported"] = location.copy(data=_from_scale(location.values + noise, inputs))
    values = posterior["assumption_value"]
    spread = values.sel(assumption="unconfirmed.spread", drop=True).values[..., None]
    typical = values.sel(assumption="unconfirmed.ratio", drop=True).values[..., None]
    false = values.sel(assumption="confirmed.false_confirmation", drop=True).values[..., None]
    constants = inputs.structure.constants
    losses = posterior["losses"].transpose("chain", "draw", "month").values
    killed = losses * posterior["killed_share"].transpose("chain", "draw", "month").values
    weight = constants["confirmed_weight"].T
    total = np.where(inputs.data["confirmed_counts_killed"] > 0, killed @ weight, losses @ weight)
    ratio = typical * np.exp(spread * rng.standard_normal(total.shape))
    groups["confirmed_figure"] = xr.DataArray(
        THOUSAND * total / ((1.0 - false) * (1.0 + ratio)),
        dims=("chain", "draw", "confirmed_claim"),
        coords={"confirmed_claim": inputs.structure.coords["confirmed_claim"]},
    )
    return xr.Dataset(groups)


def _from_scale(location: np.ndarray, inputs: ModelInputs) -> np.ndarray:
    """Undo log and logit, thousands to persons. (..., claim)."""
    scale = np.array(inputs.structure.claim_scale)
    result = location * THOUSAND
    log, share = scale == "log", scale == "logit"
    result[..., log] = np.exp(location[..., log]) * THOUSAND
    result[..., share] = 1.0 / (1.0 + np.exp(-location[..., share]))
    return result


def _observed(inputs: ModelInputs) -> xr.Dataset:
    coords = inputs.structure.coords
    figures = _from_scale(inputs.data["claim_value"].copy(), inputs)
    return xr.Dataset(
        {
            "reported": ("claim", figures),
            "confirmed_figure": ("confirmed_claim", inputs.data["confirmed_value"] * THOUSAND),
        },
        coords={name: coords[name] for name in ("claim", "confirmed_claim")},
    )


def _constant(evidence: Evidence, assumptions: AssumptionSet, inputs: ModelInputs) -> xr.Dataset:
    fixed = [prior.is_fixed for _, prior in assumptions.priors()]
    return evidence.dataset.assign(
        assumption_fixed=xr.DataArray(
            fixed, dims="assumption", coords={"assumption": list(ASSUMPTIONS)}
        ),
        figures=(("claim_figure", "claim"), inputs.data["claim_figures"]),
        figure=("claim", inputs.data["claim_value"]),
        claim_scale=("claim", np.array(inputs.structure.claim_scale, dtype=str)),
        reason=("claim", _reasons(evidence, "claim")),
        confirmed_reason=("confirmed_claim", _reasons(evidence, "confirmed_claim")),
    ).assign_coords(claim_figure=list(FIGURES))


def _reasons(evidence: Evidence, dim: str) -> np.ndarray:
    """Say why each claim of a dim does not count; empty if it does."""
    by_id = dict(zip(evidence.claims["id"], evidence.claims["reason"], strict=True))
    return np.array([by_id[name] for name in evidence.dataset[dim].values.tolist()], dtype=object)


def summarise(tree: xr.DataTree, derived: xr.Dataset | None = None) -> pd.DataFrame:
    """Summaries of every quantity by month and in total, tidy.

    Parameters
    ----------
    tree
        As `result_tree` gives it.
    derived
        As `estimator.quantities.derived.derived_quantities` gives them.

    Returns
    -------
    pandas.DataFrame
        Columns `SUMMARY_COLUMNS`; month `total` for sums over the window; `scenario` empty for
        what is estimated. Quantities without a month (assumptions, biases, unconfirmed of a
        confirmed period) carry their name in `quantity` and an empty month.
    """
    label = str(tree.attrs["assumption_set"])
    posterior = tree["posterior"].to_dataset()
    monthly = posterior[[name for name in posterior if posterior[name].dims[2:] == ("month",)]]
    if derived is not None:
        monthly = monthly.merge(derived)
    monthly = monthly.drop_vars([name for name in monthly if "units" not in monthly[name].attrs])
    rows = _rows(label, "", monthly, "month")
    summed = totals(monthly)
    rows += _rows(label, "", summed.expand_dims(month=[TOTAL], axis=-1), "month")
    for name, dim in (
        ("unconfirmed", "confirmed_claim"),
        ("unconfirmed_ratio", "confirmed_claim"),
        ("assumption_value", "assumption"),
        ("reporting_bias", "source"),
        ("reporting_drift", "source"),
        ("shared_bias_mean", "bias_group"),
        ("shared_bias_spread", "bias_group"),
        ("bias_steps", "bias_step"),
    ):
        if name in posterior:
            rows += _named_rows(label, posterior[name], dim)
    if "scenarios" in tree.children:
        scenarios = tree["scenarios"].to_dataset()
        for scenario in scenarios["scenario"].values:
            one = scenarios.sel(scenario=scenario, drop=True)
            rows += _rows(label, str(scenario), one, "projected_month")
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def _numbers(draws: np.ndarray) -> tuple[float, ...]:
    """Mean, sd and quantiles over the last axis."""
    quantiles = np.quantile(draws, _QUANTILES)
    return (float(draws.mean()), float(draws.std(ddof=1)), *(float(q) for q in quantiles))


def _rows(label: str, scenario: str, dataset: xr.Dataset, dim: str) -> list[tuple[Any, ...]]:
    rows = []
    for name, variable in dataset.data_vars.items():
        flat = variable.transpose(dim, "chain", "draw").values.reshape(variable.sizes[dim], -1)
        unit = variable.attrs["units"]
        rows += [
            (label, scenario, str(name), str(month), unit, *_numbers(draws))
            for month, draws in zip(variable[dim].values, flat, strict=True)
            if not np.isnan(draws).any()
        ]
    return rows


def _named_rows(label: str, variable: xr.DataArray, dim: str) -> list[tuple[Any, ...]]:
    if not variable.sizes[dim]:  # no confirmed figure
        return []
    flat = variable.transpose(dim, "chain", "draw").values.reshape(variable.sizes[dim], -1)
    units = (
        variable["unit"].values
        if "unit" in variable.coords
        else [variable.attrs["units"]] * variable.sizes[dim]
    )
    return [
        (label, "", f"{variable.name}[{name}]", "", str(unit), *_numbers(draws))
        for name, unit, draws in zip(variable[dim].values, units, flat, strict=True)
    ]


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
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as name:
            made = Path(name) / folder.name
            made.mkdir()
            write_netcdf(tree, made / "result.nc")
            write_csv(summary, made / "summary.csv")
            write_csv(claims, made / "claims.csv")
            diagnostics = json.loads(tree.attrs["diagnostics"])
            (made / "diagnostics.json").write_text(json.dumps(diagnostics, indent=2) + "\n")
            text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
            (made / "config.yaml").write_text(text, encoding="utf-8")
            if plots is not None:
                plots(made / "plots")
            _put_in_place(made, folder, Path(name) / "replaced")
    except (OSError, OutputError) as error:
        reason = error.__cause__ or error  # an OutputError names the folder that is gone again
        text = getattr(reason, "strerror", None) or reason
        raise OutputError(f"{folder}: cannot be written ({text})") from error


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
    """Fail early and clearly if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
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
    return read_netcdf(folder / "result.nc")


def read_attrs(folder: Path) -> dict[str, Any]:
    """Read the attributes of a set's result, without its draws."""
    path = folder / "result.nc"
    try:
        with xr.open_dataset(path, engine="h5netcdf") as root:
            return dict(root.attrs)
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({error})") from error


def plain_numbers(value: Any) -> Any:
    """Make numbers JSON can hold (no infinities)."""
    if isinstance(value, dict):
        return {key: plain_numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_numbers(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
