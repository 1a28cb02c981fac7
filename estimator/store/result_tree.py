"""One assumption set's result as a DataTree in ArviZ's convention."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS, AssumptionSet
from estimator.evidence.pieces import KINDS
from estimator.export import plain_numbers
from estimator.model.figures import FIGURES, THOUSAND, in_units
from estimator.model.forward import by_key, confirmed_figure, confirmed_totals
from estimator.quantities.parameters import parameters
from estimator.store import claim_draws
from estimator.store.versions import versions

if TYPE_CHECKING:
    from estimator.evidence.dataset import Evidence
    from estimator.fitting.diagnostics import Diagnostics
    from estimator.fitting.inference import Draws
    from estimator.model.inputs import ModelInputs


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
        Groups posterior and prior (assumptions packed, and by their keys: ``returns.rate``),
        log_likelihood (`published`: figures of all kinds that count, by
        their ids), log_prior (of each parameter whose prior is not fixed), posterior_predictive,
        sample_stats, observed_data, constant_data and, if any, scenarios.
        Claims that do not count are left out of all groups
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
    likelihood = _log_likelihood(claim_draws.thinned(draws.log_likelihood, every), evidence)
    predictive = _predictive(thinned, inputs, seed)
    groups: dict[str, xr.Dataset] = {
        "posterior": _used(_with_names(posterior, assumptions), used, floors),
        "prior": _used(_with_names(prior, assumptions), used, floors),
        "log_likelihood": claim_draws.single(likelihood, every),
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
    tree["log_prior"] = xr.DataTree(_log_prior(tree))
    return tree


def _with_names(draws: xr.Dataset, assumptions: AssumptionSet) -> xr.Dataset:
    """Add each assumption that is not fixed as a variable of its own, by its key. (chain, draw)."""
    values = draws["assumption_value"]
    return draws.assign(
        {
            key: values.sel(assumption=key, drop=True).assign_attrs(units=ASSUMPTIONS[key].unit)
            for key, prior in assumptions.priors()
            if not prior.is_fixed
        }
    )


def _log_prior(tree: xr.DataTree) -> xr.Dataset:
    """Log density of the prior of each parameter that has one. (chain, draw)."""
    posterior = tree["posterior"].to_dataset()
    found = {
        one.name: (("chain", "draw"), one.log_prior)
        for one in parameters(tree)
        if not one.prior.is_fixed
    }
    return xr.Dataset(found, {dim: posterior[dim] for dim in ("chain", "draw")})


def _log_likelihood(likelihood: xr.Dataset, evidence: Evidence) -> xr.Dataset:
    """Join the log likelihoods of figures of all kinds that count. (chain, draw, figure)."""
    data, parts = evidence.dataset, []
    of_registries = [name for name in ("registered", "registered_at_least") if name in likelihood]
    joined = likelihood.drop_vars(of_registries)
    if of_registries:
        joined["registered"] = sum(likelihood[name] for name in of_registries)
    counts = {
        "claim": data["used"],
        "confirmed_claim": data["confirmed_used"],
        "registry_figure": data["registry_used"] | data["registry_is_floor"],
    }
    for part in joined.values():
        (dim,) = set(part.dims) & set(counts)
        own = part.isel({dim: counts[str(dim)].values}).rename({dim: "figure"})
        if own.sizes["figure"]:
            parts.append(own.reset_coords(drop=True))
    return xr.concat(parts, dim="figure").rename("published").to_dataset()


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
        report = location + inputs.figure("noise") * rng.standard_normal(location.shape)
        scale = inputs.structure.claim_scale
        groups["reported"] = report.copy(data=in_units(report.values, scale))
    values = posterior["assumption_value"]
    spread = values.sel(assumption="unconfirmed.spread", drop=True).values[..., None]
    typical = values.sel(assumption="unconfirmed.ratio", drop=True).values[..., None]
    false = values.sel(assumption="confirmed.false_confirmation", drop=True).values[..., None]
    total = confirmed_totals(
        posterior["losses"].transpose("chain", "draw", "month").values,
        posterior["killed_share"].transpose("chain", "draw", "month").values,
        by_key(values.transpose("chain", "draw", "assumption")),
        inputs.structure.constants["confirmed_weight"],
        inputs.data["confirmed_states"],
    )
    noise = rng.standard_normal(total.shape)
    counted = confirmed_figure(total, 1.0 - false, np.log(typical), spread, noise)
    groups["confirmed_figure"] = xr.DataArray(
        THOUSAND * (counted - np.asarray(posterior.get("rounded_off", 0.0))),
        dims=("chain", "draw", "confirmed_claim"),
        coords={"confirmed_claim": inputs.structure.coords["confirmed_claim"]},
    )
    return xr.Dataset(groups)


def _observed(inputs: ModelInputs) -> xr.Dataset:
    coords = inputs.structure.coords
    figures = in_units(inputs.data["claim_value"], inputs.structure.claim_scale)
    return xr.Dataset(
        {
            "reported": ("claim", figures),
            "confirmed_figure": ("confirmed_claim", inputs.data["confirmed_value"] * THOUSAND),
        },
        coords={name: coords[name] for name in ("claim", "confirmed_claim")},
    )


def _constant(evidence: Evidence, assumptions: AssumptionSet, inputs: ModelInputs) -> xr.Dataset:
    fixed = [prior.is_fixed for _, prior in assumptions.priors()]
    return (
        evidence.dataset.assign(
            assumption_fixed=xr.DataArray(
                fixed, dims="assumption", coords={"assumption": list(ASSUMPTIONS)}
            ),
            figures=(("claim_figure", "claim"), inputs.data["claim_figures"]),
            figure=("claim", inputs.data["claim_value"]),
            claim_scale=("claim", np.array(inputs.structure.claim_scale, dtype=str)),
        )
        .assign(
            {f"{prefix}reason": (dim, _reasons(evidence, dim)) for prefix, dim in KINDS.items()}
        )
        .assign_coords(claim_figure=list(FIGURES))
    )


def _reasons(evidence: Evidence, dim: str) -> np.ndarray:
    """Say why each claim of a dim does not count; empty if it does."""
    by_id = dict(zip(evidence.claims["id"], evidence.claims["reason"], strict=True))
    return np.array([by_id[name] for name in evidence.dataset[dim].values.tolist()], dtype=object)
