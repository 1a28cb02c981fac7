"""What the fit of one set teaches about where another set's posterior lies.

A pilot is fitted once for each structure. Another set of that structure differs in its priors, so
its posterior is moved; `transfer` says where to, one scalar at a time as if all were normal. That
is a guess about where to start and how to scale the steps, and no part of the answer.
"""

from __future__ import annotations

import dataclasses
import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimator.assumptions import ASSUMPTIONS
from estimator.fitting.whitening import Whitening
from estimator.model.build import LEVELS, OTHER_ASSUMPTIONS, RATIO_IN_FLOOR
from estimator.model.inputs import ModelInputs

_PRIORS = ("assumption_location", "assumption_scale", "reporting_location", "reporting_scale")
_MAPS = ("step_maps", "losses_map")
_POSITION = {key: position for position, key in enumerate(ASSUMPTIONS)}
_LEVELS = [_POSITION[key] for key in LEVELS]
_OTHERS = [_POSITION[key] for key in OTHER_ASSUMPTIONS]


@dataclass(frozen=True)
class Pilot:
    """A whitening, and the data of the set that it was learnt from.

    Attributes
    ----------
    whitening
        Of the coordinates that the sampler moves.
    priors, maps
        The pilot's `ModelInputs.data` that say what these coordinates mean.
    """

    whitening: Whitening
    priors: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]

    @classmethod
    def of(cls, whitening: Whitening, inputs: ModelInputs) -> Pilot:
        """Keep what is needed of the pilot's inputs."""
        return cls(
            whitening,
            {name: inputs.data[name] for name in _PRIORS},
            {name: inputs.data[name] for name in _MAPS},
        )

    def to_bytes(self) -> bytes:
        """Write as an npz archive."""
        buffer = io.BytesIO()
        whitening = {
            field.name: getattr(self.whitening, field.name)
            for field in dataclasses.fields(Whitening)
        }
        arrays: dict[str, Any] = {**whitening, **self.priors, **self.maps}
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Pilot:
        """Read back what `to_bytes` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        names = [field.name for field in dataclasses.fields(Whitening)]
        return cls(
            Whitening(**{name: arrays[name] for name in names}),
            {name: arrays[name] for name in _PRIORS},
            {name: arrays[name] for name in _MAPS},
        )


def transfer(pilot: Pilot, inputs: ModelInputs) -> tuple[Whitening, ModelInputs]:
    """Guess the whitening of another set of the same structure.

    Parameters
    ----------
    pilot
        Of the structure.
    inputs
        Of the other set.

    Returns
    -------
    whitening, inputs
        For the other set, with the pilot's linear maps, so that the coordinates mean the same.
    """
    mapped = _with_maps(inputs, pilot.maps)
    given = pilot.whitening
    center, scale = given.center.copy(), given.scale.copy()
    n_walks, n_own = pilot.maps["step_maps"].shape[:2]
    n_walk = n_walks * n_own
    n_terms = pilot.priors["reporting_location"].size
    others = slice(n_walk, n_walk + len(_OTHERS))
    terms = slice(others.stop, others.stop + n_terms)
    losses = slice(len(center) - len(pilot.maps["losses_map"]), len(center))
    if terms.stop != losses.start:  # a family with a variable of its own: no guess
        return given, mapped

    def before_and_after(name: str) -> list[np.ndarray]:
        return [
            source[f"{name}_{part}"].ravel()
            for source in (pilot.priors, inputs.data)
            for part in ("location", "scale")
        ]

    of_assumptions = before_and_after("assumption")
    center[others], scale[others] = _moved(
        center[others], scale[others], *(prior[_OTHERS] for prior in of_assumptions)
    )
    center[terms], scale[terms] = _moved(
        center[terms], scale[terms], *before_and_after("reporting")
    )
    _move_levels(center, scale, pilot, [prior[_LEVELS] for prior in of_assumptions])
    rise = inputs.data["assumption_location"] - pilot.priors["assumption_location"]
    own = inputs.structure.constants["own_floor"]
    offset = (
        RATIO_IN_FLOOR * own * rise[_POSITION["unconfirmed.ratio"]]
        - rise[_POSITION["losses.level"]]
    )
    center[losses] += np.linalg.solve(pilot.maps["losses_map"], offset)
    return dataclasses.replace(given, center=center, scale=scale), mapped


def _with_maps(inputs: ModelInputs, maps: dict[str, np.ndarray]) -> ModelInputs:
    """Put other linear maps of the sampler's coordinates into the inputs."""
    entries, runs = inputs.data["map_entries"].copy(), inputs.data["map_runs"]
    for name, matrices in (("steps", maps["step_maps"]), ("losses", maps["losses_map"][None])):
        first, last = inputs.structure.layout.bounds[name][:2]
        # Stored row by row, the upper triangle of each matrix.
        upper = np.concatenate([matrix[np.triu_indices(len(matrix))] for matrix in matrices])
        entries[runs[first, 2] : runs[last, 2]] = upper
    return dataclasses.replace(inputs, data={**inputs.data, **maps, "map_entries": entries})


def _moved(
    center: np.ndarray,
    scale: np.ndarray,
    location_before: np.ndarray,
    scale_before: np.ndarray,
    location: np.ndarray,
    scale_after: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of standardised scalars once their prior has changed.

    What the pilot's posterior knows beyond its prior is taken for a normal likelihood.
    """
    tells = (scale_before > 0) & (scale_after > 0)
    before, after = np.where(tells, scale_before, 1.0), np.where(tells, scale_after, 1.0)
    known = np.maximum(1.0 / scale**2 - 1.0, 0.0) / before**2
    mean = location_before + before * center
    told = mean * (known + 1.0 / before**2) - location_before / before**2
    variance = 1.0 / (known + 1.0 / after**2)
    moved = (variance * (told + location / after**2) - location) / after
    return np.where(tells, moved, center), np.where(tells, np.sqrt(variance) / after, scale)


def _move_levels(
    center: np.ndarray, scale: np.ndarray, pilot: Pilot, priors: list[np.ndarray]
) -> None:
    """Move the levels of the sparse walks, which are sampled through a map with their steps.

    `priors`: location and scale of the levels, before and after. (walk,) each.
    """
    n_own = pilot.maps["step_maps"].shape[1]
    for walk, steps in enumerate(pilot.maps["step_maps"]):
        part = slice(walk * n_own, (walk + 1) * n_own)
        level = steps[0] @ center[part]
        spread = float(np.hypot.reduce(steps[0] * scale[part]))
        moved, _ = _moved(
            np.array([level]),
            np.array([min(spread, 1.0)]),
            *(prior[walk : walk + 1] for prior in priors),
        )
        unit = np.eye(n_own)[0]
        center[part] += np.linalg.solve(steps, unit * (moved[0] - level))
