from __future__ import annotations

import pytest

from estimator.studies.explore import cover
from estimator.studies.explore.world import World
from tests.studies.explore.made import Recorded, made_world


@pytest.fixture(scope="package")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A world of `central`, and the draws that it was made of."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        mixture = cover.Mixture

        def watched(natural: list, fitted: list, varying: object, *, claims_vary: bool) -> object:
            seen.append((natural, fitted))
            return mixture(natural, fitted, varying, claims_vary=claims_vary)

        patch.setattr(cover, "Mixture", watched)
        world = made_world(tmp_path_factory.mktemp("explore"), ["assumptions=central"])
    ((natural, fitted),) = seen
    return Recorded(world, natural, fitted)


@pytest.fixture
def central(recorded: Recorded) -> World:
    return recorded.world
