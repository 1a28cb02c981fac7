#!/bin/sh
# Finds a Python that can run the estimator, and checks that a virtual environment is usable.
#
#   find_python.sh                   prints the path of a suitable Python, or says what to install and exits 1
#   find_python.sh --check-venv DIR  exits 0 if DIR is a virtual environment that can be used
#
# Each candidate is run, since a name on PATH proves little: a pyenv shim may stand for a version
# that is not active, and Debian's python3 may lack ensurepip.

# PyMC 6 and ArviZ 1 need Python 3.12; Hydra 1.3 fails on 3.14; free-threaded builds lack wheels.
wanted='CPython 3.12 or 3.13'
probe='
import os, sys
if not (3, 12) <= sys.version_info[:2] < (3, 14):
    sys.exit("it is Python %d.%d" % sys.version_info[:2])
import sysconfig
if sys.implementation.name != "cpython":
    sys.exit("it is " + sys.implementation.name)
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit("it is a free-threaded build")
try:
    import ensurepip, venv
    ensurepip.version()
except Exception as error:
    sys.exit("it cannot make virtual environments with pip (%s)" % error)
# The interpreter under a virtual environment, so that .venv never rests on another environment or on itself.
base = getattr(sys, "_base_executable", None)
print(base if base and os.access(base, os.X_OK) else sys.executable)
'

# Prints the real path of candidate $1 and succeeds if it is suitable. -I: no PYTHONPATH, no user site.
suitable() {
    path=$("$1" -I -c "$probe" 2>/dev/null) && [ -n "$path" ] && printf '%s\n' "$path"
}

# A usable environment has a suitable Python and pip, is a real environment, and has not been moved
# since its scripts were written (the Makefile leaves .location; one made by hand has none).
check_venv() {
    suitable "$1/bin/python" >/dev/null &&
        "$1/bin/python" -I -c 'import pip, sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null &&
        { [ ! -e "$1/.location" ] || [ "$(cat "$1/.location")" = "$(pwd -P)" ]; }
}

if [ "${1:-}" = --check-venv ]; then
    check_venv "$2"
    exit
fi

if [ -n "${PYTHON:-}" ]; then
    suitable "$PYTHON" && exit 0
    if reason=$("$PYTHON" -I -c "$probe" 2>&1); then reason='it names no executable'; fi
    reason=$(printf '%s\n' "$reason" | sed -n '/[^ ]/{p;q;}')
    echo "PYTHON=$PYTHON cannot be used: ${reason:-it does not run}. The estimator needs $wanted." \
        'Set PYTHON to such an interpreter, or unset it to have one looked for.' >&2
    exit 1
fi

for candidate in python3.13 python3.12 python3; do
    suitable "$candidate" && exit 0
done

versions=${PYENV_ROOT:-${HOME:-}/.pyenv}/versions
for candidate in "$versions"/3.13*/bin/python "$versions"/3.12*/bin/python \
    "$versions"/*/bin/python; do
    [ -x "$candidate" ] && suitable "$candidate" && exit 0
done

if command -v uv >/dev/null 2>&1; then
    candidate=$(uv python find --system --no-python-downloads '>=3.12,<3.14' 2>/dev/null) &&
        suitable "$candidate" && exit 0
    echo "No $wanted found here; letting uv install 3.13." >&2
    uv python install 3.13 >&2 &&
        candidate=$(uv python find --system --no-python-downloads 3.13 2>/dev/null) &&
        suitable "$candidate" && exit 0
fi

cat >&2 <<END
The estimator needs $wanted with venv and ensurepip, and none was found.
Install one of these and run make again:
  Debian, Ubuntu  apt install python3.13 python3.13-venv  (or python3.12 python3.12-venv)
  Fedora          dnf install python3.13
  macOS           brew install python@3.13
  pyenv           pyenv install 3.13
  uv              uv python install 3.13
An interpreter elsewhere can be named: make PYTHON=/path/to/python3.13
END
exit 1
