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
from estimator.fitting.compiled import compiled
from estimator.fitting.whitening import Whitening
from estimator.model.build import MAPPED, OTHER_ASSUMPTIONS, RATIO_IN_FLOOR
from estimator.model.inputs import ModelInputs
from estimator.one_thread import one_thread

_PRIORS = ("assumption_location", "assumption_scale", "reporting_location", "reporting_scale")
_MAPS = ("step_maps", "losses_map", "losses_step_map")
_POSITION = {key: position for position, key in enumerate(ASSUMPTIONS)}
_MAPPED = [_POSITION[key] for key in MAPPED]
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


@one_thread
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
    at = compiled(inputs.structure, inputs).places

    def before_and_after(name: str, rows: Any) -> list[np.ndarray]:
        return [
            source[f"{name}_{part}"][..., rows].ravel()
            for source in (pilot.priors, inputs.data)
            for part in ("location", "scale")
        ]

    plain = slice(len(inputs.structure.coords["plain_source"]))
    for own, prior in (
        (at["assumption_raw"], before_and_after("assumption", _OTHERS)),
        (at["reporting_raw"], before_and_after("reporting", plain)),
    ):
        center[own], scale[own] = _moved(center[own], scale[own], *prior)
    _move_mapped(center, scale, pilot, at, before_and_after("assumption", _MAPPED))
    rise = inputs.data["assumption_location"] - pilot.priors["assumption_location"]
    own_floor = inputs.structure.constants["own_floor"]
    whole = inputs.structure.months_of_whole_floors
    offset = (RATIO_IN_FLOOR * own_floor + whole) * rise[_POSITION["unconfirmed.ratio"]] - (
        1.0 - whole
    ) * rise[_POSITION["losses.level"]]
    center[at["log_losses"]] += np.linalg.solve(pilot.maps["losses_map"], offset)
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


def _move_mapped(
    center: np.ndarray,
    scale: np.ndarray,
    pilot: Pilot,
    at: dict[str, slice],
    priors: list[np.ndarray],
) -> None:
    """Move the assumptions that are sampled through a map with the steps of their series.

    `priors`: location and scale, before and after. (mapped_assumption,) each.
    """
    maps = [*pilot.maps["step_maps"], *pilot.maps["losses_step_map"]]
    ends = np.cumsum([len(steps) for steps in maps[:-1]]) + at["walk_coordinates"].start
    starts = [at["walk_coordinates"].start, *ends[:-1].tolist(), at["step_coordinates"].start]
    for row, (steps, start) in enumerate(zip(maps, starts, strict=True)):
        part = slice(start, start + len(steps))
        level = steps[0] @ center[part]
        spread = float(np.hypot.reduce(steps[0] * scale[part]))
        moved, _ = _moved(
            np.array([level]),
            np.array([min(spread, 1.0)]),
            *(prior[row : row + 1] for prior in priors),
        )
        unit = np.eye(len(steps))[0]
        center[part] += np.linalg.solve(steps, unit * (moved[0] - level))
