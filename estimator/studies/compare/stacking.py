"""Weights of sets by how well they foretell claims that were left out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from estimator.assumptions.groups import DefinitionsOptions
from estimator.fitting.convergence import convergence
from estimator.model.figures import FIGURES
from estimator.store.sets import Sets
from estimator.studies.compare.comparable import some

COLUMNS = ("assumption_set", "elpd", "se", "weight", "diagnostics", "warnings")
_GROUPS = ("log_likelihood", "constant_data", "observed_data")
_OF_VINTAGES = ("value", "used", "is_floor")
_NO_LIKELIHOOD = "refused: no log likelihood is kept; stacking needs sets that were written whole"
_DIGITS = 9
_NAMED = 6  # claims that are named


def stacking(sets: Sets) -> pd.DataFrame:
    """Stack the sets that used the same claims, by ArviZ's leave-one-out cross-validation.

    Parameters
    ----------
    sets
        Those that were written whole can be stacked.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`. The largest group of sets on the same claims has `elpd`, its standard
        error, weights that sum to 1, ArviZ's notes on both, and its warnings. The others have NaN,
        and `warnings` says why they were refused. Sets of a planned sweep share one row.

    Notes
    -----
    The density of a claim depends on the claim alone, so sets on other claims cannot be compared
    by it. With a latent month for each monthly claim, many Pareto k are too high for
    leave-one-out: then the weights are no more than a hint, and the warnings say so.
    """
    rows: list[dict[str, object]] = []
    readings: dict[str, _Reading] = {}
    whole = dict.fromkeys(sets.whole)
    for label in whole:
        reading = _Reading.of(sets.tree(label, _GROUPS))
        if isinstance(reading, str):
            rows.append({"assumption_set": label, "warnings": reading})
        else:
            readings[label] = reading
    groups: dict[tuple[object, ...], list[str]] = {}
    for label, reading in readings.items():
        groups.setdefault(reading.key, []).append(label)
    chosen = max(groups.values(), key=len, default=[])
    for label in readings:
        if label not in chosen:
            reason = _difference(readings[label], readings[chosen[0]])
            text = f"refused: other claims than {some(chosen)}: {reason}"
            rows.append({"assumption_set": label, "warnings": text})
    planned = [label for label in sets.labels if label not in whole]
    if planned:
        name = planned[0] if len(planned) == 1 else f"({len(planned)} sets of planned sweeps)"
        rows.append({"assumption_set": name, "warnings": _NO_LIKELIHOOD})
    if len(chosen) == 1:
        text = "refused: no other set used the same claims"
        rows.insert(0, {"assumption_set": chosen[0], "warnings": text})
    elif chosen:
        rows = [*_stacked(sets, chosen), *rows]
    return pd.DataFrame([{"diagnostics": ""} | row for row in rows], columns=list(COLUMNS))


@dataclass(frozen=True)
class _Reading:
    """What a set read from its claims: equal readings have the same observations.

    Attributes
    ----------
    claims
        Figure of each claim, the interval that its wording means, what a confirmed figure counts,
        or how a vintage of a registry is read.
    """

    claims: Mapping[str, tuple[object, ...]]

    @property
    def key(self) -> tuple[object, ...]:
        return tuple(sorted(self.claims.items()))

    @classmethod
    def of(cls, tree: xr.DataTree | None) -> _Reading | str:
        """Take it from a result; a text says why it cannot be stacked."""
        if tree is None or "log_likelihood" not in tree.children:
            return _NO_LIKELIHOOD
        configuration = json.loads(tree.attrs["configuration"])
        if configuration["sampler"]["method"] == "prior":
            return "refused: its draws are from the prior"
        constant, observed = tree["constant_data"].to_dataset(), tree["observed_data"].to_dataset()
        claims: dict[str, tuple[object, ...]] = {}
        used = constant["used"].values.astype(bool)
        figures = dict(zip(FIGURES, constant["figures"].values[:, used], strict=True))
        for claim, value, lower, upper, is_point in zip(
            constant["claim"].values[used],
            constant["figure"].values[used],
            *(figures[name] for name in ("lower", "upper", "is_point")),
            strict=True,
        ):
            numbers = (value,) if is_point else (lower, upper)
            claims[str(claim)] = tuple(round(float(n), _DIGITS) for n in numbers)
        counts = DefinitionsOptions.model_validate(configuration["definitions"]).confirmed
        for claim, value in observed["confirmed_figure"].to_series().items():
            claims[str(claim)] = (round(float(value), _DIGITS), f"counts {counts}")
        for vintage, *reading in zip(
            *(constant[f"registry_{name}"].values for name in ("figure", *_OF_VINTAGES)),
            strict=True,
        ):
            if any(reading[1:]):
                claims[str(vintage)] = tuple(reading)
        return cls(claims)


def _difference(reading: _Reading, other: _Reading) -> str:
    """Say how the claims of a set differ from those of others."""
    own, theirs = set(reading.claims), set(other.claims)
    otherwise = {c for c in own & theirs if reading.claims[c] != other.claims[c]}
    parts = (
        ("lacks", theirs - own),
        ("has also", own - theirs),
        ("reads otherwise", otherwise),
    )
    return "; ".join(f"{words} {_some_claims(claims)}" for words, claims in parts if claims)


def _some_claims(claims: set[str]) -> str:
    names = sorted(claims)
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest


def _stacked(sets: Sets, labels: Sequence[str]) -> list[dict[str, object]]:
    import arviz_stats

    texts: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for label in labels:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found[label] = _leave_one_out(sets.tree(label, _GROUPS))
        texts[label] = [str(one.message) for one in caught]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = arviz_stats.compare(found, method="stacking", round_to="none")
    common = [str(one.message) for one in caught]
    size = {label: one.n_data_points for label, one in found.items()}
    return [
        {
            "assumption_set": label,
            "elpd": float(row["elpd"]),
            "se": float(row["se"]),
            "weight": float(row["weight"]),
            "diagnostics": "; ".join(
                [f"{size[label]} claims", *(t for t in (row["diag_elpd"], row["diag_diff"]) if t)]
            ),
            "warnings": " ".join(_one_line(text) for text in [*texts[label], *common]),
        }
        for label, row in table.iterrows()
    ]


def _leave_one_out(tree: xr.DataTree | None) -> Any:
    """ArviZ's leave-one-out of all figures of a set, confirmed ones among them."""
    import arviz_stats

    if tree is None:
        raise ValueError("a set that is stacked was written whole")
    joined = tree["log_likelihood"]["published"]
    densities = joined.transpose("figure", "chain", "draw").values
    moving = np.ptp(densities, axis=(1, 2)) > 0
    # ESS is of ranks, so that of a log density is that of the density (Vehtari and others 2017).
    ess = convergence(densities[moving]).ess_bulk
    relative = float(min(ess.mean() / densities[0].size, 1.0))
    return arviz_stats.loo(tree, pointwise=True, reff=relative)


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".") + "."
