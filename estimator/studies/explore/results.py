"""A whole result as a world: its draws are those of the set's own priors."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from estimator.assumptions import AssumptionSet
from estimator.evidence.periods import Window
from estimator.evidence.pieces import KINDS, group_members
from estimator.fitting.reweighting import natural_parameters
from estimator.model.hyperparameters import assumption_data
from estimator.studies.explore.claims import claims_of
from estimator.studies.explore.world import NO_FLOORS, World, movable


def world_of_result(tree: xr.DataTree) -> World:
    """Take a whole result as a world.

    Groups of claims are taken out as `estimator audit` does: by the log likelihood of their claims
    as they count.

    Parameters
    ----------
    tree
        As `estimator.store.results.read_result` gives it.
    """
    label = str(tree.attrs["assumption_set"])
    assumptions = AssumptionSet.from_config(json.loads(tree.attrs["configuration"]), label=label)
    posterior, data = tree["posterior"].to_dataset(), tree["constant_data"].to_dataset()
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    likelihood: xr.DataArray = tree["log_likelihood"].to_dataset()["published"]
    every_draw = likelihood.sizes["draw"] == shape[1]
    without, refused = {}, {}
    for name, (claims, *others) in group_members(data).items():
        if any(mask.any() for mask in others):
            refused[name] = NO_FLOORS
        elif not every_draw:
            refused[name] = "of so many claims not every draw is kept (keep.claim_numbers)"
        else:
            ids = data[KINDS[""]].values[claims]
            without[name] = -likelihood.sel(figure=ids).sum("figure").values.ravel()
    attrs = {
        "label": label,
        "overrides": json.dumps(None),
        "configuration": str(tree.attrs["configuration"]),
        "data_hash": str(tree.attrs["data_hash"]),
        "last_month": Window.from_days(data["month_days"]).last_whole_month,
        "failures": str(tree.attrs["diagnostics_failures"]),
        "claims": json.dumps(claims_of(data), ensure_ascii=False),
        "presets": json.dumps([]),
        "refused": json.dumps(refused),
        "apart": json.dumps([]),
    }
    priors = np.stack(assumption_data(assumptions))
    linear = natural_parameters(posterior, np.zeros(posterior.sizes["source"]))
    keys = movable(assumptions)
    return World.of([posterior], linear, keys, priors, np.zeros(linear.shape[1]), without, attrs)
