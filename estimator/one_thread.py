"""Linear algebra on one thread: how many threads there are changes the last digits of its results.

The sampler makes other draws of other digits, so the same seed would not give the same draws in a
process that limits its threads (as workers of a sweep do) and in one that does not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from threadpoolctl import threadpool_limits


def one_thread[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function whose linear algebra is to run on one thread.

    The limit is the process's. Where several threads fit side by side, the function that starts
    them needs it too, or the first of them to end would take it from the others.
    """

    @functools.wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with threadpool_limits(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
