from __future__ import annotations

import pytest

from estimator.streams import Stream, stream


@pytest.mark.parametrize("name", Stream)
def test_a_stream_keeps_its_draws_whatever_streams_there_are(name: Stream) -> None:
    drawn = {
        Stream.SAMPLER: 388_465_071,
        Stream.SCENARIO: 2_203_867_355,
        Stream.DERIVED: 4_187_001_173,
        Stream.PLAN: 2_265_705_022,
    }
    assert int(stream(20260215, name).generate_state(1)[0]) == drawn[name]


def test_streams_of_other_names_and_seeds_are_others() -> None:
    states = {
        tuple(stream(seed, name).generate_state(4)) for seed in (0, 1, 2**40) for name in Stream
    }
    assert len(states) == 3 * len(Stream)
