"""Fits without a sampler, so that tests of the engine take milliseconds a set.

The draws are made up, but consistent: scalar assumptions and biases are drawn from their priors
(as if no claim told anything), so that reweighting to another prior has a known answer.
"""

from __future__ import annotations

import time
import zlib

import numpy as np
import xarray as xr

from estimator.assumptions import ASSUMPTIONS
from estimator.assumptions.priors import Prior
from estimator.errors import EstimatorError
from estimator.fitting.diagnostics import Diagnostics
from estimator.fitting.pilot import Pilot
from estimator.fitting.whitening import Whitening
from estimator.model.inputs import ModelInputs
from estimator.sweep.set_fit import CORE, Fit, FitTask, Shared, task_inputs

WINDOW = "window=since_2025"
CHAINS, DRAWS = 4, 1000
_UNITS = {"losses": "persons/month", "killed_share": "share", "force_size": "persons"}


def synthetic_pilot(task: FitTask, shared: Shared) -> tuple[str, Pilot]:
    """Return a pilot that teaches nothing."""
    inputs = task_inputs(task, shared.evidences[task.evidence_key])
    nothing = Whitening(np.zeros(1), np.ones(1), np.zeros(0, np.int64), np.zeros((0, 0)))
    return inputs.structure.identity, Pilot.of(nothing, inputs)


def synthetic_fit(task: FitTask, shared: Shared) -> Fit:
    """Draw from the priors; losses hang on two of the assumptions."""
    inputs = task_inputs(task, shared.evidences[task.evidence_key])
    rng = np.random.default_rng([task.seed, zlib.crc32(task.fit_id.encode())])
    core = _core(inputs, rng)
    stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros((CHAINS, DRAWS), bool))})
    found = Diagnostics(1.0, 3000.0, 3000.0, {}, 0, ())
    entries = np.full(3000, 0.9, np.float32)
    return Fit(task.fit_id, core, stats, found, entries, "", 0.01, 1)


def slow_fit(task: FitTask, shared: Shared) -> Fit:
    """Take a while, so that a kill finds it at work."""
    time.sleep(0.15)
    return synthetic_fit(task, shared)


def failing_fit(task: FitTask, shared: Shared) -> Fit:
    """Fail the sets whose returns are fixed at 0.25; diverge where they are fixed at 0.75."""
    rate = task.assumptions.returns.rate
    found = synthetic_fit(task, shared)
    if rate.is_fixed and rate.value == 0.25:
        return Fit(task.fit_id, None, None, None, None, "the sampler gave up", 0.01, 3)
    if rate.is_fixed and rate.value == 0.75:
        marked = Diagnostics(1.2, 30.0, 30.0, {}, 7, ("7 divergences > 0",))
        return Fit(task.fit_id, found.core, found.stats, marked, found.relative_ess, "", 0.01, 3)
    return found


def forbidden_fit(task: FitTask, shared: Shared) -> Fit:
    """Nothing may be fitted."""
    raise EstimatorError(f"{task.fit_id} was fitted again")


def _core(inputs: ModelInputs, rng: np.random.Generator) -> xr.Dataset:
    coords = inputs.structure.coords
    shape = (CHAINS, DRAWS)
    raw = rng.standard_normal((*shape, len(ASSUMPTIONS)))
    linear = inputs.data["assumption_location"] + inputs.data["assumption_scale"] * raw
    shares = [spec.support == "share" for spec in ASSUMPTIONS.values()]
    sizes = np.array([spec.per_model_unit for spec in ASSUMPTIONS.values()])
    value = np.where(shares, 1.0 / (1.0 + np.exp(-linear)), np.exp(linear)) * sizes
    for position, family in enumerate(inputs.structure.families):
        if family is not None:
            prior = Prior.model_validate({"family": family[0], **dict(family[1])})
            value[..., position] = prior.distribution().ppf(rng.random(shape))
    terms = inputs.data["reporting_location"] + inputs.data["reporting_scale"] * (
        rng.standard_normal((*shape, 2, len(coords["source"])))
    )
    one_sided = inputs.data["reporting_one_sided"] > 0
    terms = np.where(one_sided, -np.exp(np.where(one_sided, terms, 0.0)), terms)
    keys = list(ASSUMPTIONS)
    ratio = value[..., keys.index("unconfirmed.ratio"), None]
    rate = value[..., keys.index("returns.rate"), None]
    months = len(coords["month"])
    noise = 1.0 + 0.01 * rng.standard_normal((*shape, months))
    losses = 30_000.0 * (1.0 + ratio) * noise
    arrays = {
        "losses": losses,
        "killed_share": 0.3 * noise,
        "irrecoverable": losses * (1.0 - 0.7 * rate),
        "recruits": 30_000.0 * noise,
        "foreign_recruits": 1_000.0 * noise,
        "returned": 0.7 * losses * rate,
        "net_change": 31_000.0 * noise - losses * (1.0 - 0.7 * rate),
        "force_size": 600_000.0 * noise,
        "other_exits": 5_000.0 * noise,
    }
    dims = ("chain", "draw")
    floors = len(coords["confirmed_claim"])
    dataset = xr.Dataset(
        {name: ((*dims, "month"), array) for name, array in arrays.items()}
        | {
            "unconfirmed": ((*dims, "confirmed_claim"), 1_000.0 * np.ones((*shape, floors))),
            "unconfirmed_ratio": ((*dims, "confirmed_claim"), ratio * np.ones(floors)),
            "assumption_value": ((*dims, "assumption"), value),
            "reporting_bias": ((*dims, "source"), terms[:, :, 0]),
            "reporting_drift": ((*dims, "source"), terms[:, :, 1]),
            "claim_location": (
                (*dims, "claim"),
                3.0 + 0.01 * rng.standard_normal((*shape, len(coords["claim"]))),
            ),
        },
        coords={
            "chain": np.arange(CHAINS),
            "draw": np.arange(DRAWS),
            **{name: coords[name] for name in ("month", "confirmed_claim", "source", "claim")},
            "assumption": keys,
        },
    ).astype(np.float32)
    for name in CORE:
        dataset[name].attrs["units"] = _UNITS.get(name, "persons/month")
    return dataset
