"""What a calibration has done so far, so that one that was stopped goes on.

A simulated world is a record of its journal. Its randomness hangs on its number alone, so the
tables are the same however often the work was stopped. Worlds of other options or versions under
the same name stay beside them, and count again when those options do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from estimator.fitting.pilot import Pilot
from estimator.store.journal import Journal, Record
from estimator.store.netcdf import dataset_of, netcdf_bytes
from estimator.studies.calibrate.worlds import Prepared

FILE = "calibration.sqlite"
# Kinds of records.
_LAYOUT, _PILOT, _TRUTHS, _WORLD = "layout", "pilot", "truths", "world"


class CalibrationJournal:
    """Finished worlds of a calibration, by part, name and number, of the identities begun with.

    Parameters
    ----------
    folder
        Where the journal is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder / FILE, "calibration")
        self._identities: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        """Lock and open."""
        self._journal.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Close and unlock."""
        self._journal.__exit__()

    def begin(self, part: str, name: str, identity: str) -> None:
        """Say of what the worlds of a name are made; only those of this identity are read."""
        self._identities[part, name] = identity

    def _key(self, part: str, name: str) -> str:
        return f"{part}/{name}/{self._identities.get((part, name), '')}"

    def keep_prepared(self, part: str, name: str, prepared: Prepared) -> None:
        """Keep what was learnt of a structure, so that worlds added later have the same."""
        key = self._key(part, name)
        records = [Record(_PILOT, key, content=prepared.pilot.to_bytes())]
        if prepared.truths is not None:
            records.append(Record(_TRUTHS, key, content=netcdf_bytes(prepared.truths)))
        self._journal.keep(records)

    def prepared(self, part: str, name: str) -> Prepared | None:
        """Return what was learnt of a structure, or None."""
        pilot, truths = (
            self._journal.record(kind, self._key(part, name)) for kind in (_PILOT, _TRUTHS)
        )
        if pilot is None:
            return None
        return Prepared(
            Pilot.from_bytes(pilot.content or b""),
            None if truths is None else dataset_of(truths.content or b""),
        )

    def keep_layout(self, part: str, name: str, layout: list[str]) -> None:
        """Keep the names of the rows of the numbers of each world."""
        self._journal.keep([Record(_LAYOUT, self._key(part, name), layout)])

    def layout(self, part: str, name: str) -> list[str]:
        """Names of the rows; empty if no world is finished."""
        record = self._journal.record(_LAYOUT, self._key(part, name))
        return [] if record is None else [str(text) for text in record.facts]

    def add(
        self, part: str, name: str, number: int, facts: dict[str, Any], numbers: np.ndarray | None
    ) -> None:
        """Keep a finished world."""
        content = None if numbers is None else _array_bytes(numbers)
        self._journal.keep([Record(_WORLD, self._key(part, name), facts, content, number)])

    def numbers(self, part: str, name: str) -> set[int]:
        """Which worlds are finished."""
        return {number for _, number, _ in self._journal.facts(_WORLD, self._key(part, name))}

    def worlds(
        self, part: str, name: str, count: int
    ) -> Iterator[tuple[int, dict[str, Any], np.ndarray | None]]:
        """Finished worlds in the order of their numbers, of the first `count`."""
        for record in self._journal.records(_WORLD, self._key(part, name)):
            if record.number >= count:
                return
            yield record.number, record.facts, _array_of(record.content)


def _array_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array_of(content: bytes | None) -> np.ndarray | None:
    if content is None:
        return None
    array: np.ndarray = np.load(io.BytesIO(content), allow_pickle=False)
    return array
