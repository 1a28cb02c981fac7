"""Account for every row of a table: part of a claim, or skipped for a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One row's fate, or a remark.

    Attributes
    ----------
    row
        Number in the file (CSV: the header is row 1; JSON: the first record is 1). None: the remark
        is on the whole table.
    outcome
        ``used``, ``skipped`` or ``remark``.
    reason
        The same words for all rows of one kind.
    detail
        What was found.
    claims
        Ids of the claims that the row is part of.
    """

    row: int | None
    outcome: str
    reason: str = ""
    detail: str = ""
    claims: tuple[str, ...] = ()


@dataclass
class Ledger:
    """The fates of a table's rows; each row has one, remarks may be added.

    Attributes
    ----------
    rows
        Numbers of all rows.
    """

    rows: tuple[int, ...]
    _skipped: dict[int, Entry] = field(default_factory=dict)
    _used: dict[int, list[str]] = field(default_factory=dict)
    _remarks: list[Entry] = field(default_factory=list)
    _bad: list[Entry] = field(default_factory=list)

    def skip(self, row: int, reason: str, detail: str = "", *, bad: bool = False) -> None:
        """Leave a row out; `bad` if the row is at fault, and not only not asked for."""
        entry = Entry(row, "skipped", reason, detail)
        self._skipped[row] = entry
        if bad:
            self._bad.append(entry)

    def skip_all(
        self, rows: Iterable[int], reason: str, detail: str = "", *, bad: bool = False
    ) -> None:
        """Leave several rows out for one reason."""
        for row in rows:
            self.skip(row, reason, detail, bad=bad)

    def remark(
        self, reason: str, detail: str = "", row: int | None = None, *, bad: bool = False
    ) -> None:
        """Say something of a row that is used, or of the whole table."""
        entry = Entry(row, "remark", reason, detail)
        self._remarks.append(entry)
        if bad:
            self._bad.append(entry)

    def use(self, rows: Iterable[int], claim: str) -> None:
        """Say of which claim the rows are part."""
        for row in rows:
            self._used.setdefault(row, []).append(claim)

    @property
    def used(self) -> list[int]:
        """Rows that are part of at least one claim."""
        return sorted(self._used)

    @property
    def skipped(self) -> list[Entry]:
        """Rows that are part of none, in the order of the file."""
        return [self._skipped[row] for row in sorted(self._skipped)]

    @property
    def bad(self) -> list[Entry]:
        """Rows and cells that are at fault, in the order of the file."""
        return sorted(self._bad, key=lambda entry: entry.row or 0)

    @property
    def remarks(self) -> list[Entry]:
        """What else is to be said."""
        return list(self._remarks)

    def entries(self) -> list[Entry]:
        """Every row once, in the order of the file, then the remarks."""
        fates = dict(self._skipped)
        for row, claims in self._used.items():
            fates[row] = Entry(row, "used", claims=tuple(claims))
        return [fates[row] for row in sorted(fates)] + self._remarks

    def unaccounted(self) -> list[int]:
        """Rows with no fate or with two; none if the accounts are right."""
        return [row for row in self.rows if (row in self._used) == (row in self._skipped)]


def by_reason(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Entries of each reason, the most frequent reason first."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.reason, []).append(entry)
    return sorted(groups.items(), key=_fewer_last)


def _fewer_last(group: tuple[str, list[Entry]]) -> int:
    return -len(group[1])
