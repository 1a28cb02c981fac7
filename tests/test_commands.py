from __future__ import annotations

from pathlib import Path

import pytest

from estimator.commands import outputs_and_overrides
from estimator.errors import ConfigError


def test_folders_are_told_from_overrides_of_the_groups_in_their_order() -> None:
    words = ["outputs/b", "audit.refit=none", "outputs/a", "audit=claims_only", "report.title=x=y"]
    outputs, overrides = outputs_and_overrides(words, ("audit", "report"), needs="a run")
    assert outputs == [Path("outputs/b"), Path("outputs/a")]
    assert overrides == ["audit.refit=none", "audit=claims_only", "report.title=x=y"]


@pytest.mark.parametrize("name", ["audit", "audit.old", "run/audit.refit=none", "seed=1"])
def test_a_folder_may_be_named_like_a_group_or_hold_an_equal_sign(name: str) -> None:
    assert outputs_and_overrides([name], ("audit",), needs="a run") == ([Path(name)], [])


def test_overrides_without_a_folder_are_an_error_that_says_what_is_needed() -> None:
    with pytest.raises(ConfigError, match=r"^audit needs a run\. Got none$"):
        outputs_and_overrides(["audit.refit=none"], ("audit",), needs="audit needs a run")
