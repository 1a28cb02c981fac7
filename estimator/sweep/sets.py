"""From lists of overrides to assumption sets: thousands of them.

They share few combinations of options and differ in values, which is what a `Composer` is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from estimator.assumptions.compose import Composer, is_assumed, label_of
from estimator.assumptions.labels import LABEL_MAXIMUM
from estimator.assumptions.overrides import key_and_text
from estimator.errors import EstimatorError
from estimator.paths import folder_name

if TYPE_CHECKING:
    from estimator.assumptions import AssumptionSet


@dataclass(frozen=True)
class SweepSet:
    """One set of a sweep.

    Attributes
    ----------
    position
        In the sweep.
    overrides
        What makes it, as on the command line.
    label
        Its name; unique in the sweep.
    assumptions
        None if they are no possible configuration.
    config
        The whole configuration, plain.
    error
        Why there are no assumptions; empty if there are.
    """

    position: int
    overrides: tuple[str, ...]
    label: str
    assumptions: AssumptionSet | None
    config: Mapping[str, Any]
    error: str = ""

    def renamed(self, label: str) -> SweepSet:
        """Give the set another label."""
        assumptions = self.assumptions
        if assumptions is not None:
            assumptions = assumptions.model_copy(update={"label": label})
        return replace(self, label=label, assumptions=assumptions)


def compose_sets(
    override_lists: Sequence[Sequence[str]],
    config_dir: str | None = None,
    composer: Composer | None = None,
) -> list[SweepSet]:
    """Compose all sets of a sweep.

    Parameters
    ----------
    override_lists
        For each set the overrides, without commas.
    config_dir
        A folder of a user's options.
    composer
        One that has composed some of the options already; None makes one.

    Notes
    -----
    A configuration that is not possible gives a set with an `error`: the others are still done.
    Override lists that make the same set of the same name twice give one set. Sets of one label,
    or of labels that would name one folder, get what differs between them in their labels.
    """
    composer = composer or Composer(config_dir)
    sets: list[SweepSet] = []
    named: dict[str, dict[Sequence[str], int]] = {}  # positions by folder and what is assumed
    for overrides in dict.fromkeys(tuple(texts) for texts in override_lists):
        label = label_of(overrides)
        try:
            config, assumptions = composer.compose(overrides)
            label = str(config.get("label") or label)
            error = ""
        except EstimatorError as problem:
            config, assumptions, error = {}, None, str(problem)
        planned = SweepSet(len(sets), overrides, "", assumptions, config, error).renamed(label)
        alike = named.setdefault(folder_name(label), {})
        assumed = tuple(text for text in overrides if is_assumed(text))
        if assumed in alike:
            if assumptions is not None and sets[alike[assumed]].assumptions == planned.assumptions:
                continue
            assumed = overrides
        alike[assumed] = planned.position
        sets.append(planned)
    folders = set(named)
    for alike in named.values():
        if len(alike) > 1:
            common = set.intersection(*(set(sets[at].overrides) for at in alike.values()))
            for at in alike.values():
                differing = [text for text in sets[at].overrides if text not in common]
                label = ",".join([sets[at].label, *differing])
                if folder_name(label) in folders or len(label) > LABEL_MAXIMUM:
                    label = f"{sets[at].label} #{at + 1}"
                folders.add(folder_name(label))
                sets[at] = sets[at].renamed(label)
    return sets


def with_short_labels(sets: Sequence[SweepSet]) -> list[SweepSet]:
    """Name sets whose labels are cut after their position: a cut label tells nothing."""
    return [
        planned.renamed(f"{planned.label.partition(',')[0]} #{planned.position + 1}")
        if "…" in planned.label
        else planned
        for planned in sets
    ]


def varied(sets: Sequence[SweepSet]) -> dict[str, list[Any]]:
    """Values of every key that differs between the sets, in the order of the sets.

    A set that does not name a key has the value of its configuration; a group that it does not name
    is ``(default)``.
    """
    keys = dict.fromkeys(
        key
        for one in sets
        for key, _ in (key_and_text(text) for text in one.overrides)
        if is_assumed(key)
    )
    named = [{key: text for key, text in map(key_and_text, one.overrides)} for one in sets]
    columns = {
        key: [_value_of(one, key, texts) for one, texts in zip(sets, named, strict=True)]
        for key in keys
    }
    return {key: values for key, values in columns.items() if len(set(map(str, values))) > 1}


def _value_of(one: SweepSet, key: str, named: Mapping[str, str]) -> Any:
    found: Any = one.config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping) or found is None:
        return named.get(key, "(default)")
    return found
