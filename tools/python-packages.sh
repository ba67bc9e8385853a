#!/usr/bin/env bash
# Makes a virtual environment with packages from PyPI: other tools, which tests and benchmarks stand beside
# ours. Prints nothing where all of them are there.
#
# usage: tools/python-packages.sh VENV_DIR PACKAGE...     for example: target/python duckdb polars
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: tools/python-packages.sh VENV_DIR PACKAGE..." >&2
    exit 2
fi
environment=$1
shift
python=$environment/bin/python

if ! "$python" -c '' 2>/dev/null; then
    echo "Making a Python environment in $environment."
    # Without pip of its own where Debian's python3-venv is missing: another pip can fill it.
    python3 -m venv "$environment" 2>/dev/null || python3 -m venv --without-pip "$environment"
fi

missing=()
for package in "$@"; do
    "$python" - "$package" <<'END' || missing+=("$package")
import importlib.metadata, sys
try:
    importlib.metadata.version(sys.argv[1])
except importlib.metadata.PackageNotFoundError:
    sys.exit(1)
END
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

echo "Installing from PyPI: ${missing[*]}"
# Wheels only: nothing is compiled, and no package's own code runs.
install=(install --quiet --disable-pip-version-check --only-binary :all:)
if "$python" -m pip --version >/dev/null 2>&1; then
    timeout 600 "$python" -m pip "${install[@]}" "${missing[@]}"
else
    timeout 600 python3 -m pip --python "$python" "${install[@]}" "${missing[@]}"
fi
