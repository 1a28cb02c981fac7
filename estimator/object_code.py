"""Machine code that numba made, kept in the user's cache folder and loaded in later processes.

Numba's own ``cache=True`` raises an error where neither the package nor the user's home can be
written to, trusts whatever lies in its folder, and cannot tell apart two densities that the same
line of nutpie compiled. Here the key of an entry names all that machine code depends on, and
without a usable folder functions are compiled anew in each process.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import platform
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core import sigutils
from numba.core.caching import _Cache
from numba.core.ccallback import CFunc
from numba.core.compiler import Compiler, CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from estimator import cache
from estimator.paths import package_dir

_LIBRARIES = ("llvmlite", "numba", "numpy", "nutpie", "pymc", "pytensor", "scipy")
_COMPILED_ROOMS = ("fitting", "model")


def key(*parts: object) -> str:
    """Return the key of an entry: a hash of its parts and of all that makes other machine code.

    These are the versions of Python and of the libraries, this package's code of model and
    fitting, the settings of the compilers, and the processor with its features.
    """
    codegen = cpu_target.target_context.codegen()
    text = repr((_software(), codegen.magic_tuple(), *parts))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _software() -> tuple[str, ...]:
    code = hashlib.sha256()
    for room in _COMPILED_ROOMS:
        for path in sorted((package_dir() / room).rglob("*.py")):
            code.update(path.relative_to(package_dir()).as_posix().encode() + path.read_bytes())
    settings = (numba.config.OPT, numba.config.BOUNDSCHECK)
    versions = [version(library) for library in _LIBRARIES]
    return (platform.python_version(), *versions, code.hexdigest(), *map(str, settings))


@global_compiler_lock
def load(entry: str) -> tuple[CompileResult, Any] | None:
    """Return a compiled function and what was saved with it; None if there is none.

    Parameters
    ----------
    entry
        As `key` returns it.
    """
    payload = cache.load(entry)
    if payload is None:
        return None
    context = cpu_target.target_context
    rtsys.initialize(context)  # otherwise the linker misses its symbols and ends the process
    reduced, more = pickle.loads(payload)  # noqa: S301 - the user's own file, see estimator.cache
    return CompileResult._rebuild(context, *reduced), more


def save(entry: str, result: CompileResult, more: Any = None) -> None:
    """Keep a compiled function, with something that can be pickled.

    Nothing is kept of code that holds addresses of this process.
    """
    if not result.library.has_dynamic_globals and not result.lifted:
        cache.save(entry, dumps((result._reduce(), more)))


@global_compiler_lock
def closed(result: CompileResult) -> CompileResult:
    """Make private all functions that a C callback calls, so that it runs its own copies of them.

    Numba links functions into one another as weak symbols: the first of a name that a process loads
    serves all. A process that has just compiled the pieces of a callback would go on with those, a
    later one, which loads the callback alone, with the copies that were optimized within it. They
    differ in the last digits of their results, and so would all draws.
    """
    result.library._ensure_finalized()
    exported = {result.fndesc.llvm_cfunc_wrapper_name, result.fndesc.llvm_func_name}
    module = llvm.parse_bitcode(result.library._final_module.as_bitcode())
    for function in module.functions:
        if not function.is_declaration and function.name not in exported:
            function.linkage = "internal"
    library = result.library.codegen.create_library(f"{result.library.name}.closed")
    library.enable_object_caching()
    library._final_module = module
    library._finalize_final_module()
    return result._replace(library=library)


def address(result: CompileResult) -> int:
    """Return where a function that was compiled as a C callback begins."""
    return int(result.library.get_pointer_to_function(result.fndesc.llvm_cfunc_wrapper_name))


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Decorate as `numba.njit` does, and keep the machine code."""
    if function is None:
        return functools.partial(njit, **options)
    dispatcher = numba.njit(function, **options)
    dispatcher._cache = _KeptCode(function)
    return dispatcher


def cfunc(signature: Any) -> Callable[[Callable[..., Any]], CFunc]:
    """Decorate as `numba.cfunc` does, but compile at the first use, and keep the machine code."""

    def decorate(function: Callable[..., Any]) -> CFunc:
        return _Callback(function, sigutils.normalize_signature(signature), {}, {})

    return decorate


class _Callback(CFunc):
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(function, *arguments)
        self._cache = _KeptCode(function)

    def _compile_uncached(self) -> CompileResult:
        return closed(super()._compile_uncached())  # type: ignore[misc]

    @property
    def address(self) -> int:
        if super().address is None:
            self.compile()
        return int(super().address or 0)


class _KeptCode(_Cache):
    """Numba's interface to the machine code of one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"

    @property
    def cache_path(self) -> str:
        return str(cache.location())

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        kept = load(key(self._name, sig))
        return None if kept is None else kept[0]

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        save(key(self._name, sig), data)

    def enable(self) -> None:
        """Do nothing: a function keeps its code from the start."""

    disable = flush = enable


def recorder() -> tuple[list[CompileResult], type[Compiler]]:
    """Return an empty list, and a compiler that adds to it the results of what it compiles.

    For functions that a library compiles: the ``pipeline_class`` of `numba.cfunc`.
    """
    results: list[CompileResult] = []

    class Recorder(Compiler):
        def compile_extra(self, func: Any) -> CompileResult:
            result = super().compile_extra(func)
            results.append(result)
            return result

    return results, Recorder
