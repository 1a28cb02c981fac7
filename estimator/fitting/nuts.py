"""nutpie, the sampler, imported without what it does not use.

nutpie imports all of ArviZ, pictures included, and calls two functions of it that make results:
both are in `arviz_base`, which PyMC has imported already. The rest takes half a second.
"""

from __future__ import annotations

import sys

import arviz_base

_STANDS_IN = "arviz" not in sys.modules
if _STANDS_IN:
    sys.modules["arviz"] = arviz_base
try:
    import nutpie
    from nutpie.compile_pymc import CompiledPyMCModel, make_user_data
finally:
    if _STANDS_IN:
        del sys.modules["arviz"]

__all__ = ["CompiledPyMCModel", "make_user_data", "nutpie"]
