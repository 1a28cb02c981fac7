"""Names of sets as they are shown: those of a sweep tell all that was varied, which is long."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estimator.show.grid import printable
from estimator.store.sets import Sets
from estimator.store.sweep_files import ASSUMED

_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e-?\d+)?(?![\w.])")
_RANGE = re.compile(r"(?P<key>[\w.]+)\.low=(?P<low>[^,]+),(?P=key)\.high=(?P<high>[^,]+)")
_HEAD = re.compile(r",| #")
_FEW = 2  # varied keys that are named
_ELLIPSIS = "…"


def short_keys(keys: Sequence[str]) -> list[str]:
    """Write keys by their last two parts, and whole where these are not enough.

    Examples
    --------
    >>> short_keys(["reporting.origins.csis.killed.noise", "returns.rate", "killed_share"])
    ['killed.noise', 'returns.rate', 'killed_share']
    """
    ends = [".".join(key.split(".")[-2:]) for key in keys]
    return [end if ends.count(end) == 1 else key for end, key in zip(ends, keys, strict=True)]


def names_of(sets: Sets, labels: Sequence[str], width: int) -> list[str]:
    """Shorten labels of sets; a mere number becomes what sets the set apart, if that is short.

    Parameters
    ----------
    sets
        To which they belong.
    labels
        Those that are shown.
    width
        Characters.
    """
    # A set of another folder does not have the column: pandas would leave it out of the counts.
    assumed = sets.facts.filter(regex=f"^{re.escape(ASSUMED)}")
    assumed = assumed.astype(object).fillna("").astype(str)
    usual = {
        str(column): counts.index[0]
        for column in assumed
        if (counts := assumed[column].value_counts()).iloc[0] > len(sets) / 2
    }
    texts = []
    for label in labels:
        head, number, _ = str(label).partition(" #")
        own = assumed.loc[label].to_dict() if number else {}
        varied = {str(k): v for k, v in own.items() if v not in (usual.get(str(k)), "")}
        if 0 < len(varied) <= _FEW:
            parts = [f"{key.removeprefix(ASSUMED)}={value}" for key, value in varied.items()]
            texts.append(",".join([head, *parts]))
        else:
            texts.append(str(label))
    return shown(texts, width)


def shown(labels: Sequence[str], width: int) -> list[str]:
    """Shorten labels to a width; they stay different from each other.

    What all have in front is left out, numbers get three digits, ``key.low=1,key.high=2`` becomes
    ``key 1 to 2``. What is still too long loses its middle.

    Examples
    --------
    >>> shown(["central", "central,returns.rate.low=0.2153399,returns.rate.high=0.5432"], 40)
    ['central', 'returns.rate 0.215 to 0.543']
    """
    texts = [" ".join(printable(str(label)).split()) for label in labels]
    heads = {_HEAD.split(text)[0] for text in texts}
    if len(heads) == 1 and len(texts) > 1:
        head = heads.pop()
        texts = [text.removeprefix(f"{head},").removeprefix(f"{head} ") for text in texts]
    texts = [_RANGE.sub(r"\g<key> \g<low> to \g<high>", text) for text in texts]
    texts = [_NUMBER.sub(lambda m: _rounded(float(m[0])), text) for text in texts]
    cut = [_cut(text, width) for text in texts]
    counts: dict[str, int] = {}
    for n, text in enumerate(cut):
        counts[text] = counts.get(text, 0) + 1
        if cut.count(text) > 1:
            cut[n] = _cut(text, width - 4) + f" ({counts[text]})"
    return cut


def _rounded(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return text[: width - 1 - tail] + _ELLIPSIS + text[len(text) - tail :]
