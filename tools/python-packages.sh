#!/usr/bin/env bash
# Makes a virtual environment with packages from PyPI, in the versions of tools/python-packages.txt: other tools, which
# tests and benchmarks stand beside ours. Prints nothing where all of them are there, and then needs no network.
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
versions=$(dirname "$0")/python-packages.txt

if ! "$python" -c '' 2>/dev/null; then
    echo "Making a Python environment in $environment."
    # Without pip of its own where Debian's python3-venv is missing: another pip can fill it.
    timeout 120 python3 -m venv "$environment" 2>/dev/null ||
        timeout 120 python3 -m venv --without-pip "$environment"
fi

missing=()
for package in "$@"; do
    "$python" - "$package" "$versions" <<'END' || missing+=("$package")
import importlib.metadata, sys
package, versions = sys.argv[1:]
try:
    installed = f"{package}=={importlib.metadata.version(package)}"
except importlib.metadata.PackageNotFoundError:
    sys.exit(1)
wanted = [line.strip() for line in open(versions) if line.startswith(package + "==")]
sys.exit(bool(wanted) and installed not in wanted)
END
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

echo "Installing from PyPI: ${missing[*]}"
# Wheels only: nothing is compiled, and no package's own code runs.
install=(install --quiet --disable-pip-version-check --no-input --retries 1 --only-binary :all: -c "$versions")
if "$python" -m pip --version >/dev/null 2>&1; then
    timeout 600 "$python" -m pip "${install[@]}" "${missing[@]}"
else
    timeout 600 python3 -m pip --python "$python" "${install[@]}" "${missing[@]}"
fi
